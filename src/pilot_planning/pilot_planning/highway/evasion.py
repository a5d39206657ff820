"""Room to the side: away from who comes too close, past what blocks a part of the lane, over a mark only to avoid a contact.

Candidate offsets × ways to brake × others × times are judged at once in road coordinates: how near would each of the others come
while it is beside the car? The mildest candidate that keeps clear is driven, and given back when there is no need any more.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.types import MarkKind, ObjectClass
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.gaps import Scene
from pilot_planning.highway.parameters import EvasionParameters
from pilot_planning.highway.path import REST_TO_REST_PEAK
from pilot_planning.highway.traffic import Traffic

TIMES = np.arange(0.2, 4.1, 0.2)  # s ahead
DURATIONS = np.arange(0.6, 5.1, 0.2)  # s, of a movement to the side
SHARES = np.arange(-4, 5) / 4.0  # of the room to either side within the marks
CENTRE, GOING = 4, 9  # places of no shift among them, and of the one under way behind them
CLEAR = 9.0  # m, of somebody who is never beside the car


@dataclass(frozen=True, slots=True)
class Sway:
    """How the car moves across the road where its path begins: from the lane's centre, left positive, by time at `speed`."""

    offset: float
    rate: float
    acceleration: float
    speed: float


@dataclass(frozen=True, slots=True)
class Shift:
    """Offset from the lane's centre to drive at; `seconds` of the movement that are left, None where there is no hurry.

    `deceleration` belongs to it: without it the movement would come too late. `passes`: the car goes on and is past him.
    """

    offset: float
    seconds: float | None
    cause: str  # "": none
    identity: int
    deceleration: float = 0.0
    passes: bool = False


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
        self._way_left, self._stamp, self._needed_at = 0.0, 0.0, -math.inf
        self._coming = np.empty(0, bool)

    def update(
        self,
        scene: Scene,
        sway: Sway,
        acceleration: float,
        allowed: bool,
        comers: frozenset[int] = frozenset(),
    ) -> Shift:
        """The shift of this cycle; none where the system does not drive in one lane (`allowed`). `acceleration`: the last one;
        `comers`: who is sure enough to come in, so that his motion to the side is believed wherever he is.
        """
        if not allowed:
            self.reset()
            return NONE
        self._way_left -= scene.speed * (scene.stamp - self._stamp)
        self._stamp = scene.stamp
        self._coming = np.array([identity in comers for identity in scene.traffic.identity.tolist()], bool)
        chosen = self._choose(scene, sway, acceleration) if self._threatened(scene) else None
        if chosen is not None:
            self._needed_at = scene.stamp
            if chosen.cause != self.shift.cause or abs(chosen.offset - self.shift.offset) > self._p.change:
                seconds = float(self._durations(np.array((chosen.offset,)), sway)[0])
                self._way_left = seconds * scene.speed
            else:
                chosen = replace(chosen, offset=self.shift.offset)
            self.shift = chosen
            return self._timed(scene)
        if self.shift.deceleration or self.shift.passes:
            self.shift = replace(self.shift, deceleration=0.0, passes=False)
        if self.shift.cause != "evade" or scene.stamp - self._needed_at > self._p.hold:
            self.shift = self._away_from_trucks(scene)
        return self._timed(scene)

    def _timed(self, scene: Scene) -> Shift:
        if self.shift.cause != "evade" or self._way_left <= 0.0:
            return self.shift
        return replace(self.shift, seconds=self._way_left / max(scene.speed, 1.0))

    def _threatened(self, scene: Scene) -> bool:
        """Whether anybody confirmed may come close, beside or in front of the car, within the times looked at."""
        traffic, p = scene.traffic, self._p
        if not len(traffic.identity):
            return False
        road, own = scene.road, scene.own_lane
        return _any_close(
            traffic.station,
            traffic.offset,
            traffic.half_length,
            traffic.half_width,
            traffic.speed,
            traffic.offset_rate,
            self._coming,
            self._counts(scene),
            (road.ego_station + self._front - 0.5 * self._length, road.ego_offset, scene.speed),
            (0.5 * self._length, self._half_width),
            (float(road.offset[own]), 0.5 * float(road.width[own]) + p.line),
            (TIMES[-1], p.rate_noise, p.clearance),
        )

    def _counts(self, scene: Scene) -> np.ndarray:
        """Who is confirmed and not behind the car in its lane, bool (N,): who is there keeps his distance."""
        traffic, road, own = scene.traffic, scene.road, scene.own_lane
        rear = road.ego_station + self._front - self._length
        behind = traffic.station + traffic.half_length < rear
        inside = np.abs(traffic.offset - float(road.offset[own])) < 0.5 * float(road.width[own])
        return traffic.confirmed & ~(behind & inside)

    def _choose(self, scene: Scene, sway: Sway, acceleration: float) -> Shift | None:
        """The mildest shift that keeps clear; None where none is needed or none helps."""
        p = self._p
        rows = np.flatnonzero(self._counts(scene))
        room = max(0.0, 0.5 * float(scene.road.width[scene.own_lane]) - self._half_width - p.margin_mark)
        going = self.shift.cause == "evade"
        offsets = np.concatenate((room * SHARES, (self.shift.offset,))) if going else room * SHARES
        clearance, nearest = self._clearances(scene, sway, acceleration, rows, offsets)
        if clearance[CENTRE, 0] >= p.clearance:
            return None
        if clearance[:, -1].max() < 0.0:  # braking does not help, nor does the room in the lane
            offsets = np.concatenate((offsets, self._over_marks(scene)))
            clearance, nearest = self._clearances(scene, sway, acceleration, rows, offsets)
        crosses = np.abs(offsets) > room + 1e-6
        effort = np.abs(offsets) / max(room, 0.1)
        short = np.maximum(p.clearance - clearance, 0.0) / p.clearance
        cost = p.short_cost * short + self._brake_cost[None, :] + (p.shift_cost * effort + crosses)[:, None]
        if not self.shift.passes and clearance[CENTRE, -1] >= p.clearance and self._coming.any():
            # Being behind who comes in is safe: being past him instead must be as safe, though he may come faster yet.
            cost[clearance[:, 0] < p.clearance, 0] = math.inf
            if acceleration < self._brakes[1]:
                cost[:, 0] = math.inf
        if not self._must_see(scene, sway, acceleration, offsets):
            cost[:, 1:] = math.inf
        # Who goes over a mark must be sure to pass; where nothing avoids the contact, braking in the lane makes it mildest.
        cost[clearance < np.where(crosses, p.sure, 0.0)[:, None]] = math.inf
        best, brake = divmod(int(cost.argmin()), len(self._brakes))
        if offsets[best] == 0.0 or not cost[best, brake] < cost[CENTRE].min() - p.gain:
            return None
        if going and cost[GOING].min() < cost[best, brake] + p.gain:
            best, brake = GOING, int(cost[GOING].argmin())  # no other shift is worth another movement
        row = int(rows[nearest[CENTRE, brake]])
        deceleration = float(-self._brakes[brake])
        passes = brake == 0 and bool(self._coming[row]) and self._past(scene, row)
        identity = int(scene.traffic.identity[row])
        return Shift(float(offsets[best]), None, "evade", identity, deceleration, passes)

    def _must_see(self, scene: Scene, sway: Sway, acceleration: float, offsets: np.ndarray) -> bool:
        """Whether anybody whose nose is ahead of ours comes too close: who comes from farther back has to see to us, and is not
        braked for.
        """
        traffic = scene.traffic
        nose = traffic.station + traffic.half_length - scene.road.ego_station - self._front
        rows = np.flatnonzero(self._counts(scene) & (nose > 0.0))
        if not len(rows):
            return False
        clearance, _ = self._clearances(scene, sway, acceleration, rows, offsets)
        return bool(clearance[CENTRE, 0] < self._p.clearance)

    def _past(self, scene: Scene, row: int) -> bool:
        """Whether going on as it does takes the car past somebody within the times looked at."""
        traffic = scene.traffic
        ahead = traffic.station[row] - scene.road.ego_station - self._front + 0.5 * self._length
        reach = traffic.half_length[row] + 0.5 * self._length
        return bool(ahead + (traffic.speed[row] - scene.speed) * TIMES[-1] < -reach)

    def _clearances(
        self, scene: Scene, sway: Sway, acceleration: float, rows: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Least clearance (K, B) to the side of anybody while he is beside the car, and the place in `rows` of who that is."""
        traffic, p, time = scene.traffic, self._p, TIMES
        lane = float(scene.road.offset[scene.own_lane])
        # Brakes that act already need no time to begin to.
        begun = np.minimum(np.maximum(acceleration, self._brakes) / np.minimum(self._brakes, -1e-3), 1.0)
        late = (self._delay + self._build_up) * (1.0 - np.maximum(begun, 0.0))
        braked = np.maximum(time - late[:, None], 0.0)
        stop = np.minimum(braked, scene.speed / np.maximum(-self._brakes, 1e-3)[:, None])
        own = scene.speed * time + self._brakes[:, None] * stop * (braked - 0.5 * stop)  # (B, T)
        centre = traffic.station[rows] - scene.road.ego_station - self._front + 0.5 * self._length
        fading = p.rate_time * (1.0 - np.exp(-time / p.rate_time))
        rate = self._rates(traffic)[rows]
        path = self._path(offsets, sway, own / max(scene.speed, 1.0))
        across = traffic.offset[rows, None] - lane + rate[:, None] * fading  # (N, T)
        # Who comes in stays in this lane: he does not go through it to the other side.
        inward = np.where(across[:, :1] > 0.0, np.maximum(across, 0.0), np.minimum(across, 0.0))
        across = np.where(self._coming[rows, None], inward, across)
        speed, braking = (
            np.maximum(traffic.speed[rows], 0.0),
            np.minimum(traffic.acceleration[rows] + p.braking_noise, 0.0),
        )
        until = np.minimum(time, (speed / np.maximum(-braking, 1e-3))[:, None])
        along = centre[:, None] + speed[:, None] * until + 0.5 * braking[:, None] * until * until  # (N, T)
        reach = traffic.half_length[rows] + 0.5 * self._length + p.margin_along
        beside = np.abs(along[None, :, :] - own[:, None, :]) < reach[None, :, None]  # (B, N, T)
        widths = (traffic.half_width[rows] + self._half_width)[:, None]
        side = np.abs(across - path[:, :, None, :]) - widths  # (K, B, N, T)
        clearance = np.where(beside, side, CLEAR).min(-1)  # (K, B, N)
        nearest = clearance.argmin(-1)
        return np.take_along_axis(clearance, nearest[:, :, None], -1)[:, :, 0], nearest

    def _rates(self, traffic: Traffic) -> np.ndarray:
        """Motion to the side (N,) as far as it is believed: of who comes in in full, until the car is passing him.

        Then it is known worst, and what was decided stays as long as it likely does.
        """
        passed = self.shift.passes & (traffic.identity == self.shift.identity)
        return _rates(traffic.offset_rate, self._coming & ~passed, self._p.rate_noise)

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

    def _durations(self, offsets: np.ndarray, sway: Sway) -> np.ndarray:
        """Shortest time (K,) of a quintic from the present motion to rest at each offset, within acceleration and jerk."""
        way, time = (offsets - sway.offset)[:, None], DURATIONS
        begin = (60.0 * way - 36.0 * sway.rate * time - 9.0 * sway.acceleration * time**2) / time**3
        end = (60.0 * way - 24.0 * sway.rate * time - 3.0 * sway.acceleration * time**2) / time**3
        peak = REST_TO_REST_PEAK * np.abs(way - 0.5 * sway.rate * time) / time**2
        fits = (np.maximum(np.abs(begin), np.abs(end)) <= self._jerk) & (peak <= self._acceleration)
        return DURATIONS[np.where(fits.any(1), fits.argmax(1), len(DURATIONS) - 1)]

    def _path(self, offsets: np.ndarray, sway: Sway, time: np.ndarray) -> np.ndarray:
        """Offsets (K, B, T) of the quintics that the path will be made of, at times (B, T) as if the speed stayed: a path is of
        distance, who brakes comes to its end later.
        """
        duration = self._durations(offsets, sway)
        under_way = np.abs(offsets - self.shift.offset) < self._p.change
        if self.shift.cause == "evade" and self._way_left > 0.0:
            left = max(self._way_left / max(float(sway.speed), 1.0), 0.3)
            duration = np.where(under_way, left, duration)
        duration = duration[:, None, None]
        gone = np.minimum(time[None], duration)
        way, share = (offsets - sway.offset)[:, None, None], gone / duration
        rate, bend = sway.rate * duration, 0.5 * sway.acceleration * duration**2
        c3 = 10.0 * way - 6.0 * rate - 3.0 * bend
        c4 = -15.0 * way + 8.0 * rate + 3.0 * bend
        c5 = 6.0 * way - 3.0 * rate - bend
        return sway.offset + share * (rate + share * (bend + share * (c3 + share * (c4 + share * c5))))

    def _away_from_trucks(self, scene: Scene) -> Shift:
        """A little room for trucks beside the car; none for trucks on both sides. It is for the nearest of them."""
        traffic, road = scene.traffic, scene.road
        trucks = traffic.class_id == ObjectClass.TRUCK
        if not trucks.any():
            return NONE
        station = traffic.station - road.ego_station - self._front + 0.5 * self._length
        near = np.abs(station) < traffic.half_length + 0.5 * self._length + self._p.bias_reach
        aside = traffic.offset - float(road.offset[scene.own_lane])
        lanes = np.abs(aside) / float(road.width[scene.own_lane])
        beside = trucks & near & (lanes > 0.5) & (lanes < 1.5)
        left, right = bool((beside & (aside > 0.0)).any()), bool((beside & (aside < 0.0)).any())
        if left == right:
            return NONE
        nearest = int(np.where(beside, np.abs(station), np.inf).argmin())
        away = self._p.bias if right else -self._p.bias
        return Shift(away, None, "truck_beside", int(traffic.identity[nearest]))


@compiled
def _rates(rate: np.ndarray, coming: np.ndarray, noise: float) -> np.ndarray:
    """Motion to the side (N,) as far as it is believed: beyond the noise, or of those who are sure to come."""
    believed = np.zeros(len(rate))
    for row in range(len(rate)):
        size = abs(rate[row]) if coming[row] else abs(rate[row]) - noise
        if size > 0.0:
            believed[row] = math.copysign(size, rate[row])
    return believed


@compiled
def _any_close(
    station: np.ndarray,
    offset: np.ndarray,
    half_length: np.ndarray,
    half_width: np.ndarray,
    speed: np.ndarray,
    rate: np.ndarray,
    coming: np.ndarray,
    counts: np.ndarray,
    own: tuple[float, float, float],
    half: tuple[float, float],
    lane: tuple[float, float],
    limits: tuple[float, float, float],
) -> bool:
    """Whether any of those who count may come close within a time; of the own car centre, offset and speed, and half extents."""
    centre, own_offset, own_speed = own
    time, noise, least = limits
    rates = _rates(rate, coming, noise)
    for row in range(len(station)):
        now, lengths = station[row] - centre, half_length[row] + half[0]
        then = now + (speed[row] - own_speed) * time
        if not counts[row] or min(now, then) >= lengths or max(now, then) <= -lengths:
            continue
        # Beyond the line, he is where he belongs, whatever his motion seems.
        at_line = abs(offset[row] - lane[0]) - half_width[row] < lane[1]
        # Where the car is, and at the lane's centre: room that was made is not given back to who still needs it.
        away = min(abs(offset[row] - own_offset), abs(offset[row] - lane[0]))
        clearance = away - half_width[row] - half[1]
        if (at_line or coming[row]) and clearance - abs(rates[row]) * time < least:
            return True
    return False
