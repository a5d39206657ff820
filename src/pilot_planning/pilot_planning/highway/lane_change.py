"""Lane changes: when one that the driver confirmed or the system wishes may begin, how it is called off, and why not.

Times and rear gap are of UN R79 (lane change, category C), as `limits` of the project quote it.
"""

import math
from dataclasses import dataclass
from enum import Enum

from pilot_common.geometry import wrap
from pilot_common.regulation import REAR_DECELERATION, REAR_REACTION, REAR_TIME_GAP
from pilot_common.types import MarkKind, Side
from pilot_common.vehicle import Capability, SensorKind, Vehicle
from pilot_planning.highway.gaps import Gaps, Scene, Space
from pilot_planning.highway.parameters import LaneChangeParameters
from pilot_planning.highway.sentences import say

EARLIEST, LATEST = (
    3.0,
    5.0,
)  # s after the driver's request the movement may begin, UN R79 5.6.4.6 (the indicator leads by ≥ 1 s)
BACK_LEFT = (
    math.radians(140.0),
    math.radians(170.0),
)  # directions of a car close and far behind in the next lane
LINGERS = 0.3  # s that the indicator stays on after a change, UN R79 5.6.4.6.7: at most 0.5; the next one may go on from it
WORDS = {Side.LEFT: "left", Side.RIGHT: "right", Side.NONE: ""}


class Phase(Enum):
    """Where a lane change stands."""

    NONE = 0
    WAITING = 1  # indicator on, looking for the gap
    MOVING = 2
    RETURNING = 3  # called off, back to the lane it came from


@dataclass(frozen=True, slots=True)
class Wish:
    """A lane change that the system wants: `cause` is a kind of entry in the ledger, `values` fill its sentence.

    A change that must be waits with the indicator on until there is a gap; where it is urgent the gap behind may be shorter.
    """

    side: Side
    cause: str
    values: tuple[float, ...] = ()
    identity: int = 0
    must: bool = False
    urgent: bool = False

    @property
    def why(self) -> str:
        """In words."""
        return say(self.cause, self.values).english


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
        self._half_width = 0.5 * vehicle.facts.dimensions.width
        self._rear_sensors = {side: _looking_back(vehicle, side) for side in (Side.LEFT, Side.RIGHT)}
        self.gaps = Gaps(vehicle, parameters)
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self.phase = Phase.NONE
        self.side = Side.NONE
        self.note = ""
        self.wish: Wish | None = None  # behind the change under way; None: the driver's
        self.ended_at = -math.inf
        self.completed = False  # the last change that ended did so in the other lane
        self._lever = Side.NONE
        self._lingers = False
        self._requested_at = self._lit_at = 0.0
        self._moved_at = 0.0
        self._duration = self._p.duration
        self.lean = 0.0  # m from the middle of the target lane, away from who stands over its far mark

    @property
    def indicator(self) -> Side:
        """On from the request until shortly after the change, or until it is called off."""
        return self.side if self._lingers or self.phase in (Phase.WAITING, Phase.MOVING) else Side.NONE

    @property
    def pressing(self) -> bool:
        """Whether a change that must be is under way."""
        return self.phase is Phase.MOVING and self.wish is not None and self.wish.must

    def time_left(self, stamp: float) -> float | None:
        """Time of the sideways movement that is left while moving, else None."""
        return self._moved_at + self._duration - stamp if self.phase is Phase.MOVING else None

    def update(self, lever: Side, allowed: bool, scene: Scene, wish: Wish | None = None) -> int:
        """One cycle. `allowed`: the system drives and may begin or go on; `wish`: what the system would do by itself."""
        step = self._update(lever, allowed, scene, wish)
        self._lingers = allowed and self.phase is Phase.NONE and self._just_done(scene)
        return step

    def _just_done(self, scene: Scene) -> bool:
        return self.completed and scene.stamp - self.ended_at < LINGERS

    def _update(self, lever: Side, allowed: bool, scene: Scene, wish: Wish | None) -> int:
        pressed = lever if lever is not self._lever else Side.NONE
        self._lever = lever
        if self.note and self.phase is Phase.NONE and scene.stamp - self.ended_at > LATEST:
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
            return self._while_waiting(pressed, scene, wish)
        if pressed is not Side.NONE:
            self._request(pressed, scene, None)
        elif wish is not None and (wish.must or scene.stamp - self.ended_at > self._p.rest):
            self._request(wish.side, scene, wish)
        return 0

    def never(self, side: Side, scene: Scene) -> str:
        """Why waiting would not help; empty where nothing stands against a change to a side."""
        if not self._fitted:
            return "this car is not equipped for it"
        rear = max((reach for name, reach in self._rear_sensors[side] if name not in scene.lost), default=0.0)
        if rear <= 0.0:
            return f"no sensor looks back on the {WORDS[side]}"
        slowest = lowest_speed(rear, self._p.approach_speed)
        if scene.speed < slowest and not self.gaps.shielded(scene, scene.own_lane + step_to(side)):
            return f"below {slowest:.1f} m/s, {rear:.0f} m of sight to the rear do not suffice"
        road = scene.road
        if not road.fresh:
            return "the lanes are not seen"
        target = scene.own_lane + step_to(side)
        if not 0 <= target < len(road.offset):
            return f"there is no lane on the {WORDS[side]}"
        if road.confidence[target] < self._p.confidence:
            return f"the lane is not certain ({road.confidence[target]:.2f})"
        if road.width[target] < self._p.width:
            return f"the lane is only {road.width[target]:.1f} m wide"
        marks = road.left_mark if side is Side.LEFT else road.right_mark
        if marks[scene.own_lane] in (MarkKind.SOLID, MarkKind.ROAD_EDGE):
            return "the line must not be crossed"
        return ""

    def _request(self, side: Side, scene: Scene, wish: Wish | None) -> None:
        goes_on = wish is not None and wish.must and side is self.side and self._just_done(scene)
        if not goes_on:
            self._lit_at = scene.stamp
        self.side, self.wish = side, wish
        refusal = self.never(side, scene)
        if refusal:
            self._end(scene, f"refused: {refusal}")
            return
        self.phase = Phase.WAITING
        self._requested_at = scene.stamp
        self.note = f"lane change {WORDS[side]} {'requested' if wish is None else 'wanted: ' + wish.why}"

    def _while_waiting(self, pressed: Side, scene: Scene, wish: Wish | None) -> int:
        if pressed not in (Side.NONE, self.side):
            self._end(scene, "called off by the driver")
            return 0
        if self.wish is not None:
            if wish is None or wish.side is not self.side:
                self._end(scene, "no longer wanted")
                return 0
            self.wish = wish
        refusal = self.never(self.side, scene)
        if refusal:
            self._end(scene, f"refused: {refusal}")
            return 0
        return self._look_for_gap(scene)

    def _look_for_gap(self, scene: Scene) -> int:
        """Moves once the indicator has been on for long enough and the gap is there; patience ends unless the change must be."""
        own, waited = self.wish, scene.stamp - self._requested_at
        lit = scene.stamp - self._lit_at
        early = waited < EARLIEST if own is None else lit < self._p.indicator_time
        conflict = self.gaps.conflict(scene, scene.own_lane + step_to(self.side), self.space(own))
        if waited > LATEST and (own is None or (conflict is not None and not own.must)):
            self._end(scene, f"given up after {waited:.1f} s: {conflict.words if conflict else 'too late'}")
            return 0
        if early:
            earliest = EARLIEST if own is None else self._p.indicator_time
            self.note = f"lane change {WORDS[self.side]} begins {earliest:.1f} s after the request, {waited:.1f} s now"
            self.note += f"; {conflict.words}" if conflict else ""
            return 0
        if conflict is not None:
            self.note = f"lane change {WORDS[self.side]} waits: {conflict.words}"
            return 0
        self.phase = Phase.MOVING
        self._moved_at = scene.stamp
        self.lean = self.gaps.lean(scene, scene.own_lane + step_to(self.side))
        self._duration = self._p.shortest if own is not None and own.must else self._p.duration
        self.note = f"lane change {WORDS[self.side]}" + (f": {own.why}" if own is not None else "")
        return step_to(self.side)

    def space(self, wish: Wish | None) -> Space:
        """What a change asks for: less ahead where it must be, less behind as well where the lane ends."""
        p = self._p
        if wish is None or not wish.must:
            return self.gaps.usual
        behind = p.urgent_time_gap if wish.urgent else p.must_rear_gap
        return Space(p.must_front_gap, behind, p.must_ease, p.must_own_gap)

    def _while_moving(self, allowed: bool, scene: Scene) -> int:
        to_target = self._to_target(scene)
        if abs(to_target + self.lean) < self._p.centred:
            self._end(scene, "done", completed=True)
            return 0
        width = float(scene.road.width[scene.own_lane])
        inside_origin = abs(to_target) > 0.5 * width + self._half_width  # no part of the car is over the mark
        if not inside_origin:
            return 0
        obstacle = "the system does not drive" if not allowed else self._not_any_more(scene)
        if not obstacle:
            return 0
        self.phase = Phase.RETURNING
        self.note = f"lane change {WORDS[self.side]} called off: {obstacle}"
        return -step_to(self.side)

    def _not_any_more(self, scene: Scene) -> str:
        """Why a movement that has begun cannot go on. The gap was enough at first: less is asked now, or noise would decide."""
        if not scene.road.fresh:
            return "the lanes are not seen"
        p = self._p
        kept = Space(p.kept_share * self.space(self.wish).ahead, p.urgent_time_gap)
        soon = 0.5 * max(0.0, self._moved_at + self._duration - scene.stamp)
        conflict = self.gaps.conflict(scene, scene.own_lane, kept, soon=soon)
        return conflict.words if conflict is not None else ""

    def _end(self, scene: Scene, note: str, completed: bool = False) -> None:
        prefix = f"lane change {WORDS[self.side]} "
        self.note = note if note.startswith(prefix) else prefix + note
        self.phase, self.ended_at, self.completed = Phase.NONE, scene.stamp, completed

    @staticmethod
    def _to_target(scene: Scene) -> float:
        return float(scene.road.offset[scene.own_lane]) - scene.road.ego_offset


def step_to(side: Side) -> int:
    """Lanes to the left."""
    return 1 if side is Side.LEFT else -1 if side is Side.RIGHT else 0


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
