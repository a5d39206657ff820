"""Lane changes that the driver confirms: when they may begin, how they are called off, and why not.

Times and rear gap are of UN R79 (lane change, category C), as `limits` of the project quote it.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pilot_common.geometry import wrap
from pilot_common.regulation import REAR_DECELERATION, REAR_REACTION, REAR_TIME_GAP, rear_distance
from pilot_common.types import MarkKind, Side
from pilot_common.vehicle import Capability, SensorKind, Vehicle
from pilot_planning.highway.parameters import LaneChangeParameters
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

EARLIEST, LATEST = (
    3.0,
    5.0,
)  # s after the driver's request the movement may begin, UN R79 5.6.4.6 (the indicator leads by ≥ 1 s)
BACK_LEFT = (
    math.radians(140.0),
    math.radians(170.0),
)  # directions of a car close and far behind in the next lane
WORDS = {Side.LEFT: "left", Side.RIGHT: "right", Side.NONE: ""}


class Phase(Enum):
    """Where a lane change stands."""

    NONE = 0
    WAITING = 1  # indicator on, looking for the gap
    MOVING = 2
    RETURNING = 3  # called off, back to the lane it came from


@dataclass(frozen=True, slots=True)
class Scene:
    """What a lane change looks at this cycle. `own_lane` indexes the lane that the path leads to now."""

    stamp: float
    speed: float
    road: Road
    traffic: Traffic
    own_lane: int
    lost: tuple[str, ...]


def lowest_speed(rear_sight: float, approach_speed: float) -> float:
    """Lowest speed at which a car coming from behind at `approach_speed` is seen early enough (UN R79 5.6.4.8.1).

    `rear_distance` solved for the speed; infinite where the sight does not even cover the time gap at the approach speed.
    """
    if approach_speed * REAR_TIME_GAP > rear_sight:
        return math.inf
    early = REAR_DECELERATION * (REAR_REACTION - REAR_TIME_GAP)
    inside = early * early - 2.0 * REAR_DECELERATION * (approach_speed * REAR_TIME_GAP - rear_sight)
    return max(0.0, early + approach_speed - math.sqrt(inside))


class LaneChange:
    """State of at most one lane change. The planner moves its target lane by what `update` returns: +1 left, −1 right, 0 stay."""

    def __init__(self, vehicle: Vehicle, parameters: LaneChangeParameters) -> None:
        self._p = parameters
        self._fitted = Capability.LANE_CHANGE in vehicle.facts.capabilities
        dimensions = vehicle.facts.dimensions
        self._front = dimensions.rear_axle_to_front
        self._back = dimensions.rear_axle_to_front - dimensions.length
        self._half_width = 0.5 * dimensions.width
        self._rear_sensors = {side: _looking_back(vehicle, side) for side in (Side.LEFT, Side.RIGHT)}
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self.phase = Phase.NONE
        self.side = Side.NONE
        self.note = ""
        self._lever = Side.NONE
        self._requested_at = 0.0
        self._moved_at = 0.0
        self._noted_at = -math.inf

    @property
    def indicator(self) -> Side:
        """On from the request until the change is over or called off."""
        return self.side if self.phase in (Phase.WAITING, Phase.MOVING) else Side.NONE

    def time_left(self, stamp: float) -> float | None:
        """Time of the sideways movement that is left while moving, else None."""
        return self._moved_at + self._p.duration - stamp if self.phase is Phase.MOVING else None

    def update(self, lever: Side, allowed: bool, scene: Scene) -> int:
        """One cycle. `allowed` is whether the system drives and may begin or go on."""
        pressed = lever if lever is not self._lever else Side.NONE
        self._lever = lever
        if self.note and self.phase is Phase.NONE and scene.stamp - self._noted_at > LATEST:
            self.note = ""
        if self.phase is Phase.MOVING:
            return self._while_moving(allowed, scene)
        if self.phase is Phase.RETURNING:
            if abs(self._to_target(scene)) < self._p.centred:
                self._end(scene, self.note)
            return 0
        if not allowed:
            if self.phase is Phase.WAITING:
                self._end(scene, "called off: the system does not drive")
            return 0
        if self.phase is Phase.WAITING:
            return self._while_waiting(pressed, scene)
        if pressed is not Side.NONE:
            self._request(pressed, scene)
        return 0

    def _request(self, side: Side, scene: Scene) -> None:
        self.side = side
        refusal = self._never(scene)
        if refusal:
            self._end(scene, f"refused: {refusal}")
            return
        self.phase = Phase.WAITING
        self._requested_at = scene.stamp
        self.note = f"lane change {WORDS[side]} requested"

    def _while_waiting(self, pressed: Side, scene: Scene) -> int:
        waited = scene.stamp - self._requested_at
        if pressed not in (Side.NONE, self.side):
            self._end(scene, "called off by the driver")
            return 0
        refusal = self._never(scene)
        if refusal:
            self._end(scene, f"refused: {refusal}")
            return 0
        obstacle = self._not_now(scene, keep=False)
        if waited > LATEST:
            self._end(scene, f"given up after {waited:.1f} s: {obstacle or 'too late'}")
            return 0
        if waited < EARLIEST:
            self.note = f"lane change {WORDS[self.side]} begins {EARLIEST:.0f} s after the request, {waited:.1f} s now"
            self.note += f"; {obstacle}" if obstacle else ""
            return 0
        if obstacle:
            self.note = f"lane change {WORDS[self.side]} waits: {obstacle}"
            return 0
        self.phase = Phase.MOVING
        self._moved_at = scene.stamp
        self.note = f"lane change {WORDS[self.side]}"
        return self._step(self.side)

    def _while_moving(self, allowed: bool, scene: Scene) -> int:
        to_target = self._to_target(scene)
        if abs(to_target) < self._p.centred:
            self._end(scene, "done")
            return 0
        width = float(scene.road.width[scene.own_lane])
        inside_origin = abs(to_target) > 0.5 * width + self._half_width  # no part of the car is over the mark
        if not inside_origin:
            return 0
        obstacle = "the system does not drive" if not allowed else self._not_now(scene, keep=True)
        if not obstacle:
            return 0
        self.phase = Phase.RETURNING
        self.note = f"lane change {WORDS[self.side]} called off: {obstacle}"
        return -self._step(self.side)

    def _end(self, scene: Scene, note: str) -> None:
        prefix = f"lane change {WORDS[self.side]} "
        self.note = note if note.startswith(prefix) else prefix + note
        self.phase, self._noted_at = Phase.NONE, scene.stamp

    @staticmethod
    def _step(side: Side) -> int:
        return 1 if side is Side.LEFT else -1

    @staticmethod
    def _to_target(scene: Scene) -> float:
        return float(scene.road.offset[scene.own_lane]) - scene.road.ego_offset

    def _never(self, scene: Scene) -> str:
        """Why waiting would not help; empty where nothing stands against it."""
        if not self._fitted:
            return "this car is not equipped for it"
        rear = max(
            (reach for name, reach in self._rear_sensors[self.side] if name not in scene.lost), default=0.0
        )
        if rear <= 0.0:
            return f"no sensor looks back on the {WORDS[self.side]}"
        slowest = lowest_speed(rear, self._p.approach_speed)
        if scene.speed < slowest:
            return f"below {slowest:.1f} m/s, {rear:.0f} m of sight to the rear do not suffice"
        road = scene.road
        if not road.fresh:
            return "the lanes are not seen"
        target = scene.own_lane + self._step(self.side)
        if not 0 <= target < len(road.offset):
            return f"there is no lane on the {WORDS[self.side]}"
        if road.confidence[target] < self._p.confidence:
            return f"the lane is not certain ({road.confidence[target]:.2f})"
        if road.width[target] < self._p.width:
            return f"the lane is only {road.width[target]:.1f} m wide"
        marks = road.left_mark if self.side is Side.LEFT else road.right_mark
        if marks[scene.own_lane] in (MarkKind.SOLID, MarkKind.ROAD_EDGE):
            return "the line must not be crossed"
        return ""

    def _not_now(self, scene: Scene, keep: bool) -> str:
        """Who is in the gap; empty where it is free. While moving (`keep`) the target lane is the own one already."""
        target = scene.own_lane if keep else scene.own_lane + self._step(self.side)
        if not 0 <= target < len(scene.road.offset):
            return "the lane has ended"
        if keep and not scene.road.fresh:
            return "the lanes are not seen"
        traffic, speed, p = scene.traffic, scene.speed, self._p
        centre, half = float(scene.road.offset[target]), 0.5 * float(scene.road.width[target])
        aside = np.abs(traffic.offset - centre)
        then = np.abs(traffic.offset + traffic.offset_rate * p.duration * 0.5 - centre)
        inside = (
            np.minimum(aside, then) < half + traffic.half_width - 0.2
        )  # so much of a neighbour may stand on the mark
        inside &= aside < half + 2.0 * half  # and no farther than one lane beyond
        for row in np.flatnonzero(inside):
            problem = self._conflict(scene, int(row), speed)
            if problem:
                return f"track {int(traffic.identity[row])} {problem}"
        return ""

    def _conflict(self, scene: Scene, row: int, speed: float) -> str:
        traffic, p = scene.traffic, self._p
        station = float(traffic.station[row]) - scene.road.ego_station
        half, other = float(traffic.half_length[row]), float(traffic.speed[row])
        behind = self._back - (station + half)
        ahead = (station - half) - self._front
        if behind > p.beside_margin:
            needed = rear_distance(speed, other)
            return (
                f"{behind:.0f} m behind at {other:.1f} m/s, {needed:.0f} m needed" if behind < needed else ""
            )
        if ahead > p.beside_margin:
            closing = max(0.0, speed - other)
            needed = p.front_time_gap * speed + closing * closing / (2.0 * p.front_deceleration)
            return f"{ahead:.0f} m ahead at {other:.1f} m/s, {needed:.0f} m needed" if ahead < needed else ""
        return "is beside the car"


def _looking_back(vehicle: Vehicle, side: Side) -> tuple[tuple[str, float], ...]:
    """Name and reach behind the rear axle of the sensors that see the next lane behind the car on one side."""
    sign = 1.0 if side is Side.LEFT else -1.0
    return tuple(
        (sensor.name, sensor.range - sensor.position[0])
        for sensor in vehicle.sensors
        if sensor.kind in (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)
        and all(
            abs(wrap(sign * direction - sensor.yaw)) <= 0.5 * sensor.field_of_view for direction in BACK_LEFT
        )
    )
