"""The signals that rules speak of: one table, and how each follows from the messages.

In the car they come from what the functions say. Over a recording with truth, `truth` replaces what is measured of the car and of
the others (`pilot_evaluation/audit.py`); clauses that need what only truth knows are never exercised in the car.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot_common.rule_language import Name
from pilot_common.rule_memories import Kind
from pilot_common.types import (
    Actuation,
    DriveMode,
    Gear,
    Manoeuvre,
    Mode,
    Plan,
    Side,
    VehicleState,
    World,
)
from pilot_common.vehicle import Capability, Vehicle

SIDES = {Side.NONE: 0.0, Side.LEFT: 1.0, Side.RIGHT: -1.0}
CHANGES = {Manoeuvre.LANE_CHANGE_LEFT: 1.0, Manoeuvre.LANE_CHANGE_RIGHT: -1.0}
EXISTS = 0.5  # probability from which a track counts
FACTS, CAR, MODE, PLAN, TRAFFIC, LANE, ACTUATORS, TRUTH = (1 << bit for bit in range(8))
TOPIC_NAMES = {
    FACTS: "the car's facts",
    CAR: "vehicle_state",
    MODE: "mode",
    PLAN: "plan",
    TRAFFIC: "plan and world, or truth",
    LANE: "world, or truth",
    ACTUATORS: "actuation",
    TRUTH: "truth",
}
NUMBER, CONDITION = Kind.NUMBER, Kind.CONDITION

# Name, what it is, unit, meaning; in blocks by where they come from. The functions below fill the blocks in this order.
_BLOCKS: dict[int, tuple[tuple[str, Kind, str, str], ...]] = {
    FACTS: (
        ("hands_free", CONDITION, "", "the car is fitted for hands-free driving (L3)"),
        ("car_max_speed", NUMBER, "m/s", "highest speed of the driving function"),
        ("car_max_deceleration", NUMBER, "m/s²", "the hardest braking that the command gate passes"),
        ("plan_valid", CONDITION, "", "there is a fresh and valid plan"),
        ("functions_well", CONDITION, "", "vehicle state, world, plan and actuation are all there and valid"),
    ),
    CAR: (
        ("speed", NUMBER, "m/s", "of the rear axle"),
        ("acceleration", NUMBER, "m/s²", "along the car"),
        ("lateral_acceleration", NUMBER, "m/s²", "across the car, left positive"),
        ("indicator", NUMBER, "", "direction indicator: 1 left, −1 right, 0 off"),
        ("lever", NUMBER, "", "the driver's wish to change lanes: 1 left, −1 right, 0 none"),
        ("hands_on", CONDITION, "", "the driver's hands are on the wheel"),
        ("eyes_on", CONDITION, "", "the driver looks at the road"),
        ("set_speed", NUMBER, "m/s", "the driver's wish"),
        ("parked", CONDITION, "", "the selector is in park"),
    ),
    MODE: (
        ("system_drives", CONDITION, "", "the system's commands move the car"),
        ("active", CONDITION, "", "the system drives and demands nothing"),
        ("takeover", CONDITION, "", "the driver is told to take over"),
        ("minimum_risk", CONDITION, "", "the system stops the car by itself"),
        ("warning", NUMBER, "", "0 none, 1 visual, 2 and acoustic, 3 and haptic"),
    ),
    PLAN: (
        ("changing", NUMBER, "", "the plan moves to the next lane: 1 left, −1 right, 0 not"),
        ("evading", CONDITION, "", "the plan evades within or out of the lane"),
        ("emergency", CONDITION, "", "the plan is to brake in an emergency"),
    ),
    TRAFFIC: (
        ("lead", CONDITION, "", "somebody is ahead in the way"),
        ("lead_identity", NUMBER, "", "who"),
        ("lead_gap", NUMBER, "m", "bumper to bumper"),
        ("lead_speed", NUMBER, "m/s", "of the one ahead"),
        ("rear", CONDITION, "", "during a lane change: somebody comes from behind in the lane it leads to"),
        ("rear_gap", NUMBER, "m", "to it, bumper to bumper"),
        ("rear_speed", NUMBER, "m/s", "its speed"),
    ),
    LANE: (
        ("beyond_lane", NUMBER, "m", "how far the body is over a marking, negative inside the lane"),
        ("lateral_speed", NUMBER, "m/s", "across the lane, left positive"),
    ),
    ACTUATORS: (
        ("demand", NUMBER, "m/s²", "acceleration sent to the actuators, 0 while the driver drives"),
        ("hazard_lights", NUMBER, "", "1 on, 0 off"),
        ("age", NUMBER, "s", "of the oldest sensor data behind what the actuators were told"),
    ),
    TRUTH: (
        ("contact", NUMBER, "", "1 where the car touches somebody"),
        ("contact_caused", NUMBER, "", "1 where it touches somebody by its own fault"),
        (
            "cut_in",
            CONDITION,
            "",
            "somebody has come 0.3 m over the marking into the lane ahead, and is slower",
        ),
        ("cut_in_gap", NUMBER, "m", "to it then, bumper to bumper"),
        ("cut_in_closing", NUMBER, "m/s", "how much faster the car was then"),
    ),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the table."""

    name: str
    slot: int
    kind: Kind
    unit: str
    topic: int
    meaning: str


def _table() -> dict[str, Signal]:
    rows = [(*row, topic) for topic, block in _BLOCKS.items() for row in block]
    return {
        name: Signal(name, slot, kind, unit, topic, meaning)
        for slot, (name, kind, unit, meaning, topic) in enumerate(rows)
    }


SIGNALS = _table()
NAMES = {signal.name: Name(signal.slot, signal.kind, signal.topic) for signal in SIGNALS.values()}
_ABSENT = {topic: (0.0,) * len(block) for topic, block in _BLOCKS.items()}


@dataclass(frozen=True, slots=True)
class Signals:
    """All signals at one time, in the order of the table; `topics` are the bits of those that are known."""

    values: tuple[Any, ...]
    topics: int

    def with_truth(self, truth: Mapping[str, Any]) -> "Signals":
        """The same with what is truly so in place of what was measured."""
        values, topics = list(self.values), self.topics | TRUTH | LANE | TRAFFIC
        for name, value in truth.items():
            values[SIGNALS[name].slot] = value
        return Signals(tuple(values), topics)


class SignalReader:
    """Turns messages (None where missing or stale) into signals for one car."""

    def __init__(self, vehicle: Vehicle) -> None:
        facts = vehicle.facts
        self._facts = (
            Capability.MOTORWAY_L3 in facts.capabilities,
            facts.limits.max_speed,
            facts.limits.max_deceleration,
        )
        dimensions = facts.dimensions
        self._width, self._back = dimensions.width, dimensions.rear_axle_to_front - dimensions.length

    def read(
        self,
        state: VehicleState | None,
        mode: Mode | None,
        plan: Plan | None,
        world: World | None,
        actuation: Actuation | None,
    ) -> Signals:
        """The signals of now."""
        known = FACTS
        if state is not None and not (state.valid and math.isfinite(state.speed)):
            state = None
        planned, seen = plan is not None and plan.valid, world is not None and world.valid
        well = planned and seen and state is not None and actuation is not None
        values: list[Any] = [*self._facts, planned, well]
        for topic, block in (
            (CAR, _of_car(state) if state is not None else None),
            (MODE, _of_mode(mode) if mode is not None else None),
            (PLAN, _of_plan(plan) if plan is not None and planned else None),
            (
                TRAFFIC,
                self._of_traffic(plan, world)
                if plan is not None and world is not None and planned and seen
                else None,
            ),
            (LANE, self._of_lane(world) if world is not None and seen and _has_lane(world) else None),
            (ACTUATORS, _of_actuators(actuation) if actuation is not None else None),
        ):
            if block is None:
                values += _ABSENT[topic]
            else:
                values += block
                known |= topic
        values += _ABSENT[TRUTH]
        return Signals(tuple(values), known)

    def _of_traffic(self, plan: Plan, world: World) -> tuple[Any, ...]:
        tracks, identity = world.tracks, plan.lead_identity
        ahead = (False, 0.0, 0.0, 0.0)
        if identity:
            rows = (tracks.identity == identity).nonzero()[0]
            if len(rows):
                ahead = (True, float(identity), plan.lead_gap, float(tracks.velocity[rows[0], 0]))
        side = CHANGES.get(plan.manoeuvre, 0.0)
        return (*ahead, *(self._behind(world, side) if side else (False, 0.0, 0.0)))

    def _behind(self, world: World, side: float) -> tuple[bool, float, float]:
        """The nearest behind in the lane on that side."""
        lanes, tracks = world.lanes, world.tracks
        target = lanes.ego_lane + int(side)
        if not 0 <= target < len(lanes.offset):
            return False, 0.0, 0.0
        gap = self._back - tracks.position[:, 0] - 0.5 * tracks.extent[:, 0]
        there = (np.abs(tracks.offset - lanes.offset[target]) < 0.5 * lanes.width[target]) & (gap > 0.0)
        there &= tracks.existence >= EXISTS
        if not there.any():
            return False, 0.0, 0.0
        row = int(np.where(there, gap, np.inf).argmin())
        return True, float(gap[row]), float(tracks.velocity[row, 0])

    def _of_lane(self, world: World) -> tuple[float, float]:
        lanes = world.lanes
        x = lanes.point[:, 0]
        after = min(max(int(x.searchsorted(0.0)), 1), len(x) - 1)
        (x_0, y_0), (x_1, y_1) = lanes.point[after - 1].tolist(), lanes.point[after].tolist()
        heading = math.atan2(y_1 - y_0, x_1 - x_0)
        offset = (x_0 * (y_1 - y_0) - y_0 * (x_1 - x_0)) / max(math.hypot(x_1 - x_0, y_1 - y_0), 1e-9)
        room = 0.5 * (float(lanes.width[lanes.ego_lane]) - self._width)
        return abs(offset) - room, -world.ego.speed * math.sin(heading)


def _has_lane(world: World) -> bool:
    lanes = world.lanes
    return lanes.valid and len(lanes.point) >= 2 and 0 <= lanes.ego_lane < len(lanes.width)


def _of_car(state: VehicleState) -> tuple[Any, ...]:
    driver = state.driver
    return (
        state.speed,
        state.acceleration,
        state.lateral_acceleration,
        SIDES[state.indicator],
        SIDES[driver.lane_change],
        driver.hands_on,
        driver.eyes_on,
        driver.set_speed,
        state.gear is Gear.PARK,
    )


def _of_mode(mode: Mode) -> tuple[Any, ...]:
    now = mode.mode
    return (
        now.system_drives,
        now is DriveMode.ACTIVE,
        now is DriveMode.TAKEOVER,
        now is DriveMode.MINIMUM_RISK,
        float(mode.warning),
    )


def _of_plan(plan: Plan) -> tuple[Any, ...]:
    manoeuvre = plan.manoeuvre
    return (
        CHANGES.get(manoeuvre, 0.0),
        manoeuvre is Manoeuvre.EVADE,
        manoeuvre is Manoeuvre.EMERGENCY_BRAKE,
    )


def _of_actuators(actuation: Actuation) -> tuple[Any, ...]:
    if not actuation.active:
        return 0.0, float(actuation.hazard_lights), math.nan
    return actuation.acceleration, float(actuation.hazard_lights), actuation.stamp - actuation.source_stamp
