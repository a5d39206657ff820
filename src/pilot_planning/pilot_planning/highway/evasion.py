"""Room to the side: away from who comes too close, past what blocks a part of the lane, over a mark only to avoid a contact.

Candidate offsets × ways to brake × others × times are judged at once in road coordinates: how near would each of the others come
while it is beside the car? The mildest candidate that keeps clear is driven, and given back when there is no need any more.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from pilot_common.types import MarkKind, ObjectClass
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.gaps import Scene
from pilot_planning.highway.parameters import EvasionParameters

TIMES = np.arange(0.2, 4.1, 0.2)  # s ahead
REST_TO_REST_PEAK, REST_TO_REST_JERK = (
    5.7735,
    60.0,
)  # of the unit quintic from rest to rest: 10/√3, and its third derivative
SHARES = np.arange(-4, 5) / 4.0  # of the room to either side within the marks
CENTRE = 4  # place of no shift among them
CLEAR = 9.0  # m, of somebody who is never beside the car


@dataclass(frozen=True, slots=True)
class Shift:
    """Offset from the lane's centre to drive at; `seconds` of the movement that are left, None where there is no hurry.

    `deceleration` belongs to it: without it the movement would come too late.
    """

    offset: float
    seconds: float | None
    cause: str  # "": none
    identity: int
    deceleration: float = 0.0


NONE = Shift(0.0, None, "", 0)


class Evasion:
    """Remembers the shift that is being driven, and when it was last needed."""

    def __init__(self, vehicle: Vehicle, parameters: EvasionParameters) -> None:
        self._p = parameters
        limits, dimensions = vehicle.facts.limits, vehicle.facts.dimensions
        self._half_width, self._length = 0.5 * dimensions.width, dimensions.length
        self._front = dimensions.rear_axle_to_front
        self._acceleration = parameters.limit_share * limits.max_lateral_acceleration
        self._jerk = parameters.limit_share * limits.max_lateral_jerk
        brakes = (0.0, -limits.comfort_deceleration, -limits.max_deceleration)
        self._brakes = np.array(brakes)
        self._brake_cost = np.abs(self._brakes) / limits.max_deceleration
        self._delay = vehicle.facts.actuators.brake_delay + vehicle.facts.actuators.brake_time_constant
        self._build_up = 0.5 * np.abs(self._brakes) / limits.max_emergency_jerk
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self.shift = NONE
        self._until, self._needed_at = -math.inf, -math.inf

    def update(self, scene: Scene, acceleration: float, allowed: bool) -> Shift:
        """The shift of this cycle; none where the system does not drive in one lane (`allowed`). `acceleration`: the last one."""
        if not allowed:
            self.reset()
            return NONE
        chosen = self._choose(scene, acceleration) if self._threatened(scene) else None
        if chosen is not None:
            self._needed_at = scene.stamp
            if chosen.cause != self.shift.cause or abs(chosen.offset - self.shift.offset) > self._p.change:
                self._until = scene.stamp + self._movement(chosen.offset - self._aside(scene))
            else:
                chosen = replace(chosen, offset=self.shift.offset)
            self.shift = chosen
        elif self.shift.cause != "evade" or scene.stamp - self._needed_at > self._p.hold:
            away = self._p.bias * self._beside_trucks(scene)
            self.shift = Shift(away, None, "truck_beside", 0) if away else NONE
        left = self._until - scene.stamp
        seconds = max(left, 0.3) if self.shift.cause == "evade" and left > -0.5 else None
        return replace(self.shift, seconds=seconds)

    def _threatened(self, scene: Scene) -> bool:
        """Whether anybody confirmed may come close, beside or in front of the car, within the times looked at."""
        traffic, p = scene.traffic, self._p
        if not len(traffic.identity):
            return False
        station = traffic.station - scene.road.ego_station - self._front + 0.5 * self._length
        lengths = traffic.half_length + 0.5 * self._length
        meeting = station + (traffic.speed - scene.speed) * TIMES[-1]
        beside = (np.minimum(station, meeting) < lengths) & (np.maximum(station, meeting) > -lengths)
        aside = traffic.offset - scene.road.ego_offset
        coming = np.where(aside > 0.0, -traffic.offset_rate, traffic.offset_rate)
        clearance = np.abs(aside) - traffic.half_width - self._half_width
        close = clearance - p.rate_time * np.maximum(coming - p.rate_noise, 0.0) < p.clearance
        return bool((beside & close & traffic.confirmed).any())

    def _choose(self, scene: Scene, acceleration: float) -> Shift | None:
        """The mildest shift that keeps clear; None where none is needed or none helps."""
        p = self._p
        rows = np.flatnonzero(scene.traffic.confirmed)
        room = max(0.0, 0.5 * float(scene.road.width[scene.own_lane]) - self._half_width - p.margin_mark)
        offsets = room * SHARES
        clearance, nearest = self._clearances(scene, acceleration, rows, offsets)
        if clearance[CENTRE, 0] >= p.clearance:
            return None
        if clearance[:, -1].max() < 0.0:  # braking does not help, nor does the room in the lane
            offsets = np.concatenate((offsets, self._over_marks(scene)))
            clearance, nearest = self._clearances(scene, acceleration, rows, offsets)
        crosses = np.abs(offsets) > room + 1e-6
        effort = np.abs(offsets) / max(room, 0.1)
        short = np.maximum(p.clearance - clearance, 0.0) / p.clearance
        cost = p.short_cost * short + self._brake_cost[None, :] + (p.shift_cost * effort + crosses)[:, None]
        cost += np.where(clearance < 0.0, p.contact_cost - clearance, 0.0)
        best, brake = divmod(int(cost.argmin()), len(self._brakes))
        gain = float(cost[CENTRE].min() - cost[best, brake])
        if offsets[best] == 0.0 or gain < p.gain:
            return None
        row = int(rows[nearest[CENTRE, brake]])
        deceleration = float(-self._brakes[brake])
        return Shift(float(offsets[best]), None, "evade", int(scene.traffic.identity[row]), deceleration)

    def _clearances(
        self, scene: Scene, acceleration: float, rows: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Least clearance (K, B) to the side of anybody while he is beside the car, and the place in `rows` of who that is."""
        traffic, p, time = scene.traffic, self._p, TIMES
        aside = self._aside(scene)
        moving = offsets - aside
        duration = np.array([self._movement(value) for value in moving.tolist()])
        share = np.minimum(time[None, :] / np.maximum(duration, 1e-3)[:, None], 1.0)
        path = aside + moving[:, None] * share**3 * (10.0 + share * (6.0 * share - 15.0))  # (K, T)
        # Brakes that act already need no time to begin to.
        begun = np.minimum(np.maximum(acceleration, self._brakes) / np.minimum(self._brakes, -1e-3), 1.0)
        late = (self._delay + self._build_up) * (1.0 - np.maximum(begun, 0.0))
        braked = np.maximum(time - late[:, None], 0.0)
        stop = np.minimum(braked, scene.speed / np.maximum(-self._brakes, 1e-3)[:, None])
        own = scene.speed * time + self._brakes[:, None] * stop * (braked - 0.5 * stop)  # (B, T)
        centre = traffic.station[rows] - scene.road.ego_station - self._front + 0.5 * self._length
        fading = p.rate_time * (1.0 - np.exp(-time / p.rate_time))
        rate = traffic.offset_rate[rows]
        rate = np.sign(rate) * np.maximum(np.abs(rate) - p.rate_noise, 0.0)
        lane = float(scene.road.offset[scene.own_lane])
        across = traffic.offset[rows, None] - lane + rate[:, None] * fading  # (N, T)
        speed, braking = (
            np.maximum(traffic.speed[rows], 0.0),
            np.minimum(traffic.acceleration[rows] + p.braking_noise, 0.0),
        )
        until = np.minimum(time, (speed / np.maximum(-braking, 1e-3))[:, None])
        along = centre[:, None] + speed[:, None] * until + 0.5 * braking[:, None] * until * until  # (N, T)
        reach = traffic.half_length[rows] + 0.5 * self._length + p.margin_along
        beside = np.abs(along[None, :, :] - own[:, None, :]) < reach[None, :, None]  # (B, N, T)
        side = (
            np.abs(across[None, :, :] - path[:, None, :])
            - (traffic.half_width[rows] + self._half_width)[:, None]
        )
        clearance = np.where(beside[None], side[:, None], CLEAR).min(-1)  # (K, B, N)
        nearest = clearance.argmin(-1)
        return np.take_along_axis(clearance, nearest[:, :, None], -1)[:, :, 0], nearest

    def _over_marks(self, scene: Scene) -> np.ndarray:
        """Offsets beyond marks that may be crossed in need: half way into, and on, the lane beside."""
        road, own = scene.road, scene.own_lane
        found: list[float] = []
        for step, marks in ((-1, road.right_mark), (1, road.left_mark)):
            beside = own + step
            if 0 <= beside < len(road.offset) and marks[own] not in (MarkKind.SOLID, MarkKind.ROAD_EDGE):
                way = float(road.offset[beside] - road.offset[own])
                found += [0.35 * way, 0.5 * way, 0.7 * way, way]
        return np.array(found)

    def _movement(self, way: float) -> float:
        """Time of a movement to the side within the limits of acceleration and jerk."""
        size = abs(way)
        return max(
            0.5,
            math.sqrt(REST_TO_REST_PEAK * size / self._acceleration),
            (REST_TO_REST_JERK * size / self._jerk) ** (1 / 3),
        )

    @staticmethod
    def _aside(scene: Scene) -> float:
        """Where the car is, left of the centre of the lane that the path leads to."""
        return scene.road.ego_offset - float(scene.road.offset[scene.own_lane])

    def _beside_trucks(self, scene: Scene) -> float:
        """Which way to make room for trucks beside the car: −1 right, +1 left, 0 for none or on both sides."""
        traffic, road = scene.traffic, scene.road
        trucks = traffic.class_id == ObjectClass.TRUCK
        if not trucks.any():
            return 0.0
        station = traffic.station - road.ego_station - self._front + 0.5 * self._length
        near = trucks & (np.abs(station) < traffic.half_length + 0.5 * self._length + self._p.bias_reach)
        aside = traffic.offset - float(road.offset[scene.own_lane])
        width = float(road.width[scene.own_lane])
        left = bool((near & (aside > 0.5 * width) & (aside < 1.5 * width)).any())
        right = bool((near & (aside < -0.5 * width) & (aside > -1.5 * width)).any())
        return float(right) - float(left)
