"""Assembles this cycle's constraints: which laws hold, and what each says in words."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from pilot_common.regulation import LARGEST_REGULATION_GAP, regulation_gap
from pilot_common.types import DriveMode
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_planning.highway.following import FollowLaw
from pilot_planning.highway.ledger import Entry
from pilot_planning.highway.longitudinal import (
    FREE,
    BrakeLaw,
    Law,
    SpeedLaw,
    StopLaw,
    sight_speed,
    tightest_curve,
)
from pilot_planning.highway.motion import LeadMotion
from pilot_planning.highway.parameters import PlanningParameters
from pilot_planning.highway.relevance import Obstacle, Role
from pilot_planning.highway.road import Road

FOLLOW_NAME = {Role.IN_PATH: "follow", Role.CUT_IN: "cut_in"}


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
        self._hardest = min(self._limits.max_deceleration, actuators.max_deceleration)
        self._front_sensors = tuple(
            (sensor.name, sensor.range + sensor.position[0] - vehicle.facts.dimensions.rear_axle_to_front)
            for sensor in vehicle.sensors
            if sensor.kind in (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)
            and abs(sensor.yaw) <= 0.5 * sensor.field_of_view - 0.05
        )
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self.held = False
        self._braking_for: tuple[int, ...] = ()

    def demand(
        self,
        road: Road,
        found: list[Obstacle],
        speed: float,
        measured_speed: float,
        set_speed: float,
        time_gap: float,
        mode: DriveMode,
        lost: tuple[str, ...],
    ) -> Demand:
        """The laws of the cycle. `speed` is the planned speed, `measured_speed` the car's: for hard braking the higher counts."""
        laws: list[Law] = []
        entries: list[Entry] = []

        def add(name: str, law: Law, sentence: str, identity: int = 0, at_speed: float = speed) -> None:
            bound = law.bound(0.0, 0.0, at_speed)
            laws.append(law)
            entries.append(Entry(name, bound, f"{sentence}: at most {bound:.2f} m/s²", identity))

        target = self._add_speeds(add, road, speed, set_speed, lost)
        wanted = self._wanted_gap(time_gap)
        braking: list[int] = []
        p = self._p.follow
        for item in found:
            believed = max(0.0, abs(item.acceleration) - p.acceleration_noise)
            lead = LeadMotion(
                item.gap, item.speed, math.copysign(believed, item.acceleration), p.acceleration_fade
            )
            who = f"track {item.identity}, {item.word} {item.gap:.0f} m ahead at {item.speed:.1f} m/s"
            if item.role is not Role.CROSSING:
                self._add_follow(add, item, lead, who, time_gap, wanted, speed)
            if item.certain:
                self._add_brake(add, item, lead, who, max(speed, measured_speed), braking)
        if mode is DriveMode.MINIMUM_RISK:
            law = StopLaw(self._limits.minimum_risk_deceleration, self._p.follow.hold_deceleration)
            add("minimum_risk", law, "minimum-risk manoeuvre, stop in the lane")
        self._braking_for = tuple(braking)
        self._hold(add, entries, found, wanted, speed, measured_speed, mode)
        return Demand(laws, entries, target, bool(braking))

    def _wanted_gap(self, time_gap: float) -> Callable[[float], float]:
        standstill = self._p.follow.standstill_gap

        def wanted(speed: float) -> float:
            own = standstill + time_gap * speed
            return own if own > LARGEST_REGULATION_GAP else max(own, regulation_gap(speed))

        return wanted

    def _add_speeds(
        self, add: Callable[..., None], road: Road, speed: float, set_speed: float, lost: tuple[str, ...]
    ) -> float:
        p, limits = self._p.speed, self._limits
        wish = min(set_speed, limits.max_speed)
        add(
            "set_speed",
            SpeedLaw(wish, p.deceleration, p, limits),
            f"set speed {wish:.1f} m/s, now {speed:.1f}",
        )
        targets = [wish]
        if road.speed_limit > 0.0:
            add(
                "speed_limit",
                SpeedLaw(road.speed_limit, p.deceleration, p, limits),
                f"speed limit {road.speed_limit:.1f} m/s",
            )
            targets.append(road.speed_limit)
        lane_speed = road.sight / p.lane_sight_time
        if lane_speed < wish:
            sentence = f"lane seen for {road.sight:.0f} m, enough for {lane_speed:.1f} m/s"
            add("lane_sight", SpeedLaw(lane_speed, p.deceleration, p, limits), sentence)
            targets.append(lane_speed)
        sight = max((reach for name, reach in self._front_sensors if name not in lost), default=0.0)
        seen_speed = sight_speed(
            sight - self._p.follow.collision_margin,
            p.object_sight_share * self._hardest,
            p.object_sight_reaction,
        )
        if seen_speed < wish:
            sentence = f"sensors see {sight:.0f} m, enough to stop from {seen_speed:.1f} m/s"
            add("object_sight", SpeedLaw(seen_speed, limits.comfort_deceleration, p, limits), sentence)
            targets.append(seen_speed)
        curve = tightest_curve(road.line, road.ego_station, speed, road.sight, p, limits)
        if curve is not None:
            law, radius = curve
            add(
                "curve",
                law,
                f"curve of radius {radius:.0f} m in {law.distance:.0f} m, for {law.target:.1f} m/s",
            )
            targets.append(law.target)
        return min(targets)

    def _add_follow(
        self,
        add: Callable[..., None],
        item: Obstacle,
        lead: LeadMotion,
        who: str,
        time_gap: float,
        wanted: Callable[[float], float],
        speed: float,
    ) -> None:
        most = self._limits.comfort_deceleration
        when = ""
        if item.role is Role.CUT_IN:
            foreseen = self._p.relevance
            most = min(
                most, foreseen.cut_in_deceleration if item.speed <= speed else foreseen.cut_in_lift_off
            )
            when = f" cuts in within {item.arrival:.1f} s,"
        law = FollowLaw(lead, time_gap, wanted, most, self._p.follow)
        add(FOLLOW_NAME[item.role], law, f"{who},{when} gap wanted {wanted(speed):.0f} m", item.identity)

    def _add_brake(
        self,
        add: Callable[..., None],
        item: Obstacle,
        lead: LeadMotion,
        who: str,
        speed: float,
        braking: list[int],
    ) -> None:
        law = BrakeLaw(
            lead, self._brake_delay, self._hardest, item.identity in self._braking_for, self._p.follow
        )
        needed = law.needed(0.0, 0.0, speed)
        if law.bound(0.0, 0.0, speed) >= FREE:
            return
        law.emergency = needed >= self._p.follow.emergency_threshold or (
            law.emergency and needed >= self._p.follow.emergency_release
        )
        if law.emergency:
            braking.append(item.identity)
        name = "emergency" if law.emergency else "crossing" if item.role is Role.CROSSING else "brake"
        add(name, law, f"{who}, needs {needed:.1f} m/s²", item.identity, at_speed=speed)

    def _hold(
        self,
        add: Callable[..., None],
        entries: list[Entry],
        found: list[Obstacle],
        wanted: Callable[[float], float],
        speed: float,
        measured_speed: float,
        mode: DriveMode,
    ) -> None:
        """Comes to a stand instead of creeping, and stays until there is a reason to go."""
        p = self._p.follow
        wish = min(entry.bound for entry in entries)
        lead = next((item for item in found if item.role is Role.IN_PATH), None)
        free = lead is None or lead.speed > p.restart_speed or lead.gap - wanted(0.0) > p.restart_gap
        slow = speed < p.stop_speed and abs(measured_speed) < 2.0 * p.stop_speed
        if self.held:
            self.held = (slow and (wish < p.restart_acceleration or not free)) or (
                mode is DriveMode.MINIMUM_RISK and slow
            )
        else:
            self.held = slow and (wish <= 0.0 or (wish < p.restart_acceleration and not free))
        if self.held:
            why = f"behind track {lead.identity}" if lead is not None else "no reason to go"
            add("hold", StopLaw(p.hold_deceleration, p.hold_deceleration), f"held at standstill, {why}")
