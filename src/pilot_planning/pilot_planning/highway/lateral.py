"""Across the road: lane, change of lanes, room to the side, refuge; the path there, and the ledger that says why.

Every cycle has a chain of reasons, each with the offset it asks for; the last one decides.
"""

import math
from dataclasses import replace

from pilot_common.arc import foot
from pilot_common.types import DriveMode, Ledger, Side
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.advice import Desire
from pilot_planning.highway.behaviour import Behaviour, Choice
from pilot_planning.highway.evasion import Evasion, Sway
from pilot_planning.highway.gaps import Scene
from pilot_planning.highway.lane_change import LaneChange, Phase, Wish
from pilot_planning.highway.ledger import NOBODY, OFFSET, Entry, OffsetLaw, entry, record
from pilot_planning.highway.parameters import PlanningParameters
from pilot_planning.highway.path import Path, comfortable_time, plan_path, sampling
from pilot_planning.highway.refuge import Refuge
from pilot_planning.highway.situation import Course, Situation


class LateralPlanner:
    """Remembers what lane changes, behaviour, evasion and refuge remember."""

    def __init__(self, vehicle: Vehicle, parameters: PlanningParameters) -> None:
        self._p, self._limits = parameters, vehicle.facts.limits
        self._grid = sampling(parameters.path)
        self.change = LaneChange(vehicle, parameters.lane_change)
        self._behaviour = Behaviour(vehicle, parameters)
        self._evasion = Evasion(vehicle, parameters.evasion)
        self._refuge = Refuge(vehicle, parameters.refuge)

    def reset(self) -> None:
        """Forgets all memory."""
        self.change.reset()
        self._behaviour.reset()
        self._evasion.reset()
        self._refuge.reset()

    def decide(
        self,
        now: Situation,
        lever: Side,
        set_speed: float,
        time_gap: float,
        comers: frozenset[int] = frozenset(),
    ) -> tuple[Choice, Course]:
        """What the car would do by itself, and where it goes across the road. `lever`, speed and time gap are the driver's,
        `comers` those who are sure enough to come into the path.
        """
        scene = _scene(now, now.lane)
        allowed = now.mode is DriveMode.ACTIVE and now.continued
        limit = now.road.speed_limit if now.road.speed_limit > 0.0 else math.inf
        desire = Desire(min(set_speed, self._limits.max_speed, limit), time_gap)
        choice = self._behaviour.update(scene, now.route, desire, self.change, allowed)
        if now.mode is DriveMode.MINIMUM_RISK:
            haven = self._refuge.update(scene, choice.way)
            choice, allowed = replace(choice, haven=haven, wish=haven.wish), haven.looking and now.continued
        else:
            self._refuge.reset()
        step = self.change.update(lever, allowed, scene, choice.wish)
        if step:
            self._behaviour.changed(step)
        return choice, self._course(now, choice, now.lane + step, comers)

    def _course(self, now: Situation, choice: Choice, lane: int, comers: frozenset[int]) -> Course:
        """Where to go across the road, by rank: the lane, a change of lanes, room to the side, the hard shoulder."""
        scene, change, haven = _scene(now, lane), self.change, choice.haven
        centre = float(now.road.offset[lane])
        target, seconds = centre, change.time_left(now.world.stamp)
        entries = [offset_entry("lane_centre", centre)]
        if change.phase is Phase.MOVING:
            target = centre + change.lean
            wish = change.wish or Wish(change.side, "lane_change")
            entries.append(offset_entry(wish.cause, target, wish.values, wish.identity))
            seconds = max(seconds or 0.0, 0.25 * self._p.lane_change.duration)
        still = change.phase in (Phase.NONE, Phase.WAITING) and now.continued
        on_shoulder = haven is not None and haven.offset is not None
        sway, free = _sway(now, centre), still and not on_shoulder
        shift = self._evasion.update(scene, sway, now.last, free, comers)
        if shift.cause:
            target, seconds = centre + shift.offset, shift.seconds
            entries.append(offset_entry(shift.cause, target, (float(shift.identity),), shift.identity))
        if haven is not None and haven.offset is not None:
            target, seconds = haven.offset, haven.seconds
            entries.append(offset_entry("shoulder", target))
        return Course(centre, target, seconds, shift, lateral_ledger(entries))

    def path(self, now: Situation, course: Course) -> Path:
        """The path of a course."""
        seconds = course.seconds
        if seconds is None:
            seconds = comfortable_time(course.target - now.road.ego_offset, self._p.path)
        horizon = self._p.path.horizon
        reach = now.speed * horizon + 0.5 * self._p.speed.acceleration * horizon * horizon
        scale = max(1.0, reach / self._p.path.length)
        return plan_path(
            now.road, now.start, course.target, seconds, now.speed, self._grid * scale, self._p.path
        )


def offset_entry(name: str, offset: float, values: tuple[float, ...] = (), identity: int = 0) -> Entry:
    """An entry of the lateral ledger: an offset to go to, left of the ego lane's centre line."""
    return entry(name, OffsetLaw(offset), 0.0, values, identity, NOBODY, "", OFFSET)


def lateral_ledger(entries: list[Entry]) -> Ledger:
    """The ledger of entries in order of rank: the last one decides."""
    last = len(entries) - 1
    return record(entries, last, max(last - 1, 0))


def _sway(now: Situation, centre: float) -> Sway:
    """The motion across the road where the path begins."""
    start, speed = now.start, now.speed
    _, offset, heading, curvature = foot(now.road.line, start.x, start.y)
    askew = math.sin(start.heading - heading)
    return Sway(offset - centre, speed * askew, speed * speed * (start.curvature - curvature), speed)


def _scene(now: Situation, lane: int) -> Scene:
    return Scene(now.world.stamp, now.speed, now.road, now.traffic, lane, now.world.sensors_lost)
