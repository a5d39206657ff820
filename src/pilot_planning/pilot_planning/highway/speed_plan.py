"""Assembles this cycle's constraints: which laws hold, and what each says in words."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilot_common.types import DriveMode, EgoMotion
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_planning.highway.adaptation import LATE, ApproachLaw
from pilot_planning.highway.advice import Advice
from pilot_planning.highway.contingency import Brakes, Resolve, answer, gently
from pilot_planning.highway.energy import Saving
from pilot_planning.highway.evasion import NONE as NO_SHIFT
from pilot_planning.highway.evasion import Shift
from pilot_planning.highway.following import FollowLaw, wanted_gap
from pilot_planning.highway.ledger import Entry, entry
from pilot_planning.highway.longitudinal import (
    FREE,
    BrakeLaw,
    Law,
    SpeedLaw,
    StopLaw,
    sight_speed,
    tightest_curve,
)
from pilot_planning.highway.motion import LeadMotion, needed_deceleration
from pilot_planning.highway.parameters import PlanningParameters, SpeedParameters
from pilot_planning.highway.relevance import Obstacle, Role
from pilot_planning.highway.road import Road
from pilot_planning.highway.sentences import Both, road_user


@dataclass(frozen=True, slots=True)
class Demand:
    """All laws of a cycle with their entries in the ledger (same order), and the speed the car would like."""

    laws: list[Law]
    entries: list[Entry]
    target_speed: float
    emergency: bool


class SpeedPlanner:
    """Turns road, obstacles, driver and mode into laws. Remembers whether the car is held, and whom it brakes hard for."""

    def __init__(self, vehicle: Vehicle, parameters: PlanningParameters) -> None:
        self._p = parameters
        self._limits = vehicle.facts.limits
        actuators = vehicle.facts.actuators
        self._brake_delay = (
            parameters.follow.system_delay + actuators.brake_delay + actuators.brake_time_constant
        )
        self._pressed = parameters.pressed()
        self._saving = Saving(vehicle.facts, parameters.energy)
        self._hardest = min(self._limits.max_deceleration, actuators.max_deceleration)
        self._brakes = Brakes(
            self._brake_delay,
            self._limits.max_jerk,
            self._limits.max_emergency_jerk,
            parameters.follow.emergency_threshold,
            self._hardest,
            parameters.follow.lift_off,
        )
        self._front_sensors = tuple(
            (sensor.name, sensor.range + sensor.position[0] - vehicle.facts.dimensions.rear_axle_to_front)
            for sensor in vehicle.sensors
            if sensor.kind in (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)
            and abs(sensor.yaw) <= 0.5 * sensor.field_of_view - 0.05
        )
        self._lane_cameras = frozenset(
            sensor.name
            for sensor in vehicle.sensors
            if sensor.kind is SensorKind.CAMERA and abs(sensor.yaw) <= 0.5 * sensor.field_of_view
        )
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self.held = False
        self._braking_for: tuple[int, ...] = ()
        self._resolved: dict[int, Resolve] = {}
        self._settling: set[int] = set()
        self._suspects: set[int] = set()
        self._suspected: set[int] = set()

    def demand(
        self,
        road: Road,
        found: list[Obstacle],
        speed: float,
        ego: EgoMotion,
        set_speed: float,
        time_gap: float,
        mode: DriveMode,
        lost: tuple[str, ...],
        advice: tuple[Advice, ...] = (),
        stop: float = 0.0,
        shift: Shift = NO_SHIFT,
        pressing: bool = False,
    ) -> Demand:
        """The laws of the cycle. `speed` is the planned speed; for hard braking the higher of it and the car's counts.

        `advice` holds what the lanes ask for, `stop` is the deceleration of a minimum-risk stop, `shift` the room
        that is made to the side, with its deceleration; `pressing`: a change of lanes must be, see `Choice`.
        """
        laws: list[Law] = []
        entries: list[Entry] = []

        def add(name: str, law: Law, *values: float, at_speed: float = speed, **rest: Any) -> None:
            laws.append(law)
            entries.append(entry(name, law, at_speed, values, **rest))

        brisk = self._pressed if pressing else self._p.speed
        ahead = (
            i.gap
            for i in found
            if i.role is Role.IN_PATH and i.certain and i.speed > self._p.follow.restart_speed
        )
        wish = set_speed + self._p.lane_change.must_faster * pressing
        target = self._add_speeds(add, road, speed, wish, lost, brisk, max(ahead, default=0.0))
        close = self._p.lane_change.must_own_gap if pressing else 0.0
        blind = self._lane_cameras and self._lane_cameras.issubset(lost) and not road.renewed
        if not road.fresh or blind:
            # Nobody sees the lane any more: to a stand within what was seen of it, as far as comfort goes. It is no emergency,
            # and who brakes hard steers worse by a lane that is only remembered.
            gentle, gain = self._limits.comfort_deceleration / LATE, self._p.behaviour.approach_gain
            known = ApproachLaw(road.sight, 0.0, 0.0, gentle, gain)
            add("lane_lost", known, road.sight)
        for wanted in advice:
            add(wanted.name, wanted.law, *wanted.values, identity=wanted.identity, who=wanted.who)
            if wanted.name == "limit_ahead" and isinstance(wanted.law, ApproachLaw):
                place = wanted.law
                calm = self._saving.towards(
                    place.distance, place.target, 0.0, speed, self._p.speed.deceleration
                )
                if calm is not None:
                    add("glide", calm, place.target, place.distance)
        braking: list[int] = []
        p, highest = self._p.follow, max(speed, ego.speed)
        self._suspects, self._suspected = self._suspected, set()
        resolved, self._resolved = self._resolved, {}
        self._settle(found, speed, time_gap, pressing or not mode.system_drives)
        for item in found:
            believed = max(0.0, abs(item.acceleration) - p.acceleration_noise)
            lead = LeadMotion(
                item.gap, item.speed, math.copysign(believed, item.acceleration), p.acceleration_fade
            )
            who = road_user(item.identity, item.word, item.gap, item.speed)
            if item.role is Role.CUT_IN:
                if shift.passes and item.identity == shift.identity:
                    self._resolved[item.identity] = Resolve.PASS
                    continue  # room is made for going on: braking now would spoil it
                resolve = resolved.get(item.identity, Resolve.OPEN)
                self._add_cut_in(add, item, lead, who, highest, ego.acceleration, resolve, braking)
                continue
            if item.role is Role.IN_PATH:
                self._add_follow(add, item, lead, who, time_gap, speed, speed - ego.speed, close)
            if item.certain:
                self._add_brake(add, item, lead, who, highest, braking)
        if mode is DriveMode.MINIMUM_RISK:
            law = StopLaw(stop, self._p.follow.hold_deceleration)
            add("minimum_risk", law)
        if shift.deceleration > 0.0:
            law = StopLaw(shift.deceleration, self._p.follow.hold_deceleration)
            add("evade_brake", law, shift.identity, identity=shift.identity)
        self._braking_for = tuple(braking)
        self._hold(add, entries, found, speed, ego.speed, mode)
        hard = shift.deceleration > self._limits.comfort_deceleration
        return Demand(laws, entries, target, bool(braking) or hard)

    def _add_speeds(
        self,
        add: Callable[..., None],
        road: Road,
        speed: float,
        set_speed: float,
        lost: tuple[str, ...],
        p: SpeedParameters,
        led: float,
    ) -> float:
        """`led`: as far as somebody drives ahead, the lane goes on, though he hides its marks."""
        limits = self._limits
        wish = min(set_speed, limits.max_speed)
        add("set_speed", SpeedLaw(wish, p.deceleration, p, limits), wish, speed)
        targets = [wish]
        if road.speed_limit > 0.0:
            law = SpeedLaw(road.speed_limit, p.deceleration, p, limits)
            add("speed_limit", law, road.speed_limit)
            targets.append(road.speed_limit)
        lane_speed = max(road.sight, led) / p.lane_sight_time
        if lane_speed < wish:
            add(
                "lane_sight",
                SpeedLaw(lane_speed, p.deceleration, p, limits),
                max(road.sight, led),
                lane_speed,
            )
            targets.append(lane_speed)
        sight = max((reach for name, reach in self._front_sensors if name not in lost), default=0.0)
        seen_speed = sight_speed(
            sight - self._p.follow.collision_margin,
            p.object_sight_share * self._hardest,
            p.object_sight_reaction,
        )
        if seen_speed < wish:
            law = SpeedLaw(seen_speed, limits.comfort_deceleration, p, limits)
            add("object_sight", law, sight, seen_speed)
            targets.append(seen_speed)
        curve = tightest_curve(road.line, road.ego_station, speed, road.sight, p, limits)
        if curve is not None:
            bend, radius = curve
            add("curve", bend, radius, bend.distance, bend.target)
            calm = self._saving.towards(
                bend.distance, bend.target, 0.0, speed, self._limits.comfort_deceleration
            )
            if calm is not None:
                add("glide", calm, bend.target, bend.distance)
            targets.append(bend.target)
        return min(targets)

    def _add_follow(
        self,
        add: Callable[..., None],
        item: Obstacle,
        lead: LeadMotion,
        who: Both,
        time_gap: float,
        speed: float,
        ahead: float,
        close: float,
    ) -> None:
        """Behind a newcomer the gap is restored gently, but as hard as keeping clear of him takes."""
        p, most = self._p.follow, self._limits.comfort_deceleration
        if item.identity in self._settling:
            near = p.settling_time_gap * speed
            aim = min(near, 0.6 * item.gap)
            needed = needed_deceleration(
                item.gap, speed, item.speed, lead.acceleration, self._brake_delay, aim
            )
            needed = max(p.lift_off, gently(needed, p.lift_off))
            most = min(most, needed + most * max(0.0, 1.0 - item.gap / max(near, 1.0)))
        if not item.proven:
            most = min(most, self._p.relevance.doubtful_deceleration)
        law = FollowLaw(lead, time_gap, most, p, ahead, close)
        add("follow", law, law.wanted(speed), identity=item.identity, who=who)
        way = item.gap - law.wanted(item.speed)
        calm = self._saving.towards(way, item.speed, item.speed, speed, p.approach_deceleration)
        if calm is not None:
            add("glide_behind", calm, identity=item.identity, who=who)

    def _settle(self, found: list[Obstacle], speed: float, time_gap: float, close: bool) -> None:
        """Notes who came in from the side, until the wanted gap is there or he brakes.

        So with whom there is less room to than usual and none was made yet (`close`): the driver left it, from whom the
        system takes over without a jolt, or the car itself while a change of lanes had to be.
        """
        wanted = wanted_gap(speed, time_gap, self._p.follow.standstill_gap)
        self._settling = {
            item.identity
            for item in found
            if item.role is Role.IN_PATH
            and (item.entering or item.identity in self._settling or (close and item.gap < wanted))
            and (item.gap < wanted or item.speed < speed)
            and item.acceleration > -self._p.follow.settling_deceleration
        }

    def _add_cut_in(
        self,
        add: Callable[..., None],
        item: Obstacle,
        lead: LeadMotion,
        who: Both,
        speed: float,
        acceleration: float,
        resolve: Resolve,
        braking: list[int],
    ) -> None:
        """Somebody who may come into the path, where going on as we are is not safe or not right."""
        if item.coming is None:
            return
        held = item.identity in self._braking_for
        law, needed, self._resolved[item.identity] = answer(
            lead, item.coming, speed, acceleration, resolve, held, self._brakes, self._p.contingency
        )
        if law is None:
            return
        if not item.proven:
            law.soften(self._p.relevance.doubtful_deceleration)
        elif law.emergency and not (held or self._sure(item)):
            law.soften(self._brakes.comfortable)  # noise of one cycle makes nobody brake hard
        elif not item.certain or (item.gap < 0.0 and not (held or self._likely(item))):
            law.soften(
                self._brakes.comfortable
            )  # who is beside us lets us be there, until he likely does not
        elif law.emergency:
            braking.append(item.identity)
        name = "contingency" if law.emergency else "cut_in"
        add(name, law, needed, law.arrival, identity=item.identity, who=who, at_speed=speed)

    def _sure(self, item: Obstacle) -> bool:
        """Whether hard braking for somebody was called for a cycle ago as well, or he comes in likely enough."""
        self._suspected.add(item.identity)
        return self._likely(item) or item.identity in self._suspects

    def _likely(self, item: Obstacle) -> bool:
        return item.coming is not None and item.coming.chance >= self._p.contingency.likely

    def _add_brake(
        self,
        add: Callable[..., None],
        item: Obstacle,
        lead: LeadMotion,
        who: Both,
        speed: float,
        braking: list[int],
    ) -> None:
        held = item.identity in self._braking_for
        law = BrakeLaw(lead, self._brake_delay, self._hardest, held, self._p.follow, item.until)
        needed = law.needed(0.0, 0.0, speed)
        if law.bound(0.0, 0.0, speed) >= FREE:
            return
        p, held = self._p.follow, law.emergency > 0.0
        hard = needed >= p.emergency_threshold or (held and needed >= p.emergency_release)
        law.emergency = float(hard)
        if law.emergency:
            braking.append(item.identity)
        name = "emergency" if law.emergency else "crossing" if item.role is Role.CROSSING else "brake"
        add(name, law, needed, identity=item.identity, who=who, at_speed=speed)

    def _hold(
        self,
        add: Callable[..., None],
        entries: list[Entry],
        found: list[Obstacle],
        speed: float,
        measured_speed: float,
        mode: DriveMode,
    ) -> None:
        """Comes to a stand instead of creeping, and stays until there is a reason to go."""
        p = self._p.follow
        wish = min(entry.bound for entry in entries)
        lead = next((item for item in found if item.role is Role.IN_PATH), None)
        free = (
            lead is None
            or lead.speed > p.restart_speed
            or lead.gap - wanted_gap(0.0, 0.0, p.standstill_gap) > p.restart_gap
        )
        slow = speed < p.stop_speed and abs(measured_speed) < 2.0 * p.stop_speed
        if self.held:
            self.held = (slow and (wish < p.restart_acceleration or not free)) or (
                mode is DriveMode.MINIMUM_RISK and slow
            )
        else:
            self.held = slow and (wish <= 0.0 or (wish < p.restart_acceleration and not free))
        if self.held:
            law = StopLaw(p.hold_deceleration, p.hold_deceleration)
            if lead is None:
                add("hold", law)
            else:
                add("hold", law, lead.identity, sentence="hold_behind")
