"""What a drive is judged by: named measures with limits. A scenario may set any limit; what it sets decides the verdict."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pilot_common.errors import ScenarioError
from pilot_common.vehicle import Vehicle
from pilot_evaluation.measures import contact, energy, lead, ledger, motion, operation, standards
from pilot_evaluation.measures.measure import Measure
from pilot_evaluation.run import Run

AT_MOST, AT_LEAST = "at most", "at least"


@dataclass(frozen=True, slots=True)
class Rule:
    """A criterion as such. Without a `limit` it only informs, unless the scenario sets one.

    `gates`: decides the verdict even where the scenario does not name it. `real_time`: does so only in a drive against the clock.
    `needs_data`: fails where there was nothing to measure.
    """

    title: str
    unit: str
    bound: str
    measure: Callable[[Run], Measure]
    limit: Callable[[Vehicle], float] | float | None = None
    gates: bool = False
    real_time: bool = False
    needs_data: bool = False


RULES: dict[str, Rule] = {
    "contact": Rule("Contacts", "", AT_MOST, contact.contact_count, 0.0, gates=True, needs_data=True),
    "contact_caused": Rule("Contacts caused", "", AT_MOST, contact.contact_caused, 0.0, needs_data=True),
    "lateral_error_95": Rule(
        "Off the lane centre, 95 %", "m", AT_MOST, motion.lateral_error_95, 0.3, gates=True
    ),
    "out_of_lane": Rule("Time over a marking", "share", AT_MOST, motion.out_of_lane),
    "minimum_gap": Rule("Smallest gap", "m", AT_LEAST, lead.gap_minimum),
    "minimum_time_gap": Rule("Smallest time gap", "s", AT_LEAST, lead.time_gap_minimum),
    "minimum_time_to_collision": Rule(
        "Smallest time to collision", "s", AT_LEAST, lead.time_to_collision_minimum
    ),
    "jerk_95": Rule("Jerk, 95 %", "m/s³", AT_MOST, motion.jerk_95),
    "jerk_maximum": Rule(
        "Largest jerk", "m/s³", AT_MOST, motion.jerk_maximum, lambda car: car.facts.limits.max_jerk
    ),
    "deceleration_maximum": Rule("Hardest braking", "m/s²", AT_MOST, motion.deceleration_maximum),
    "lateral_acceleration_maximum": Rule(
        "Largest lateral acceleration",
        "m/s²",
        AT_MOST,
        motion.lateral_acceleration_maximum,
        lambda car: car.facts.limits.max_lateral_acceleration,
    ),
    "lateral_jerk_maximum": Rule(
        "Largest lateral jerk",
        "m/s³",
        AT_MOST,
        motion.lateral_jerk_maximum,
        lambda car: car.facts.limits.max_lateral_jerk,
    ),
    "braking_excess": Rule("Braking beyond ISO 15622", "m/s²", AT_MOST, standards.braking_excess),
    "braking_jerk_excess": Rule(
        "Braking jerk beyond ISO 15622", "m/s³", AT_MOST, standards.braking_jerk_excess
    ),
    "acceleration_excess": Rule(
        "Acceleration beyond ISO 15622", "m/s²", AT_MOST, standards.acceleration_excess
    ),
    "gap_shortfall": Rule("Steady gap below UN R157's", "m", AT_MOST, standards.gap_shortfall),
    "lane_change_start": Rule(
        "First lane change moves from", "s", AT_LEAST, standards.lane_change_start, needs_data=True
    ),
    "lane_change_crossing": Rule(
        "First lane change over the marking", "s", AT_MOST, standards.lane_change_crossing, needs_data=True
    ),
    "lane_change_reversal": Rule(
        "First lane change going back", "m", AT_MOST, standards.lane_change_reversal, needs_data=True
    ),
    "rear_shortfall": Rule("Rear distance below UN R79's", "m", AT_MOST, standards.rear_shortfall),
    "speed_mean": Rule("Mean speed", "m/s", AT_LEAST, motion.speed_mean, needs_data=True),
    "speed_excess": Rule("Above the allowed speed", "m/s", AT_MOST, motion.speed_excess),
    "distance": Rule("Distance", "m", AT_LEAST, motion.distance, needs_data=True),
    "stopped_in_lane": Rule("Stopped in its lane", "", AT_LEAST, motion.stopped_in_lane, needs_data=True),
    "engaged": Rule("Driven since engaged", "share", AT_LEAST, operation.engaged, 0.9, gates=True),
    "active_share": Rule("Driven of all the time", "share", AT_LEAST, operation.active_share),
    "takeovers": Rule("Takeover demands", "", AT_MOST, operation.takeovers),
    "minimum_risk": Rule("Minimum-risk manoeuvres", "", AT_MOST, operation.minimum_risk),
    "control_deadline": Rule(
        "Commands in time", "share", AT_LEAST, operation.control_deadline, 0.99, gates=True, real_time=True
    ),
    "sensor_to_actuation_age": Rule(
        "Sensor to actuation, 99 %",
        "s",
        AT_MOST,
        operation.sensor_to_actuation_age,
        0.15,
        gates=True,
        real_time=True,
    ),
    "energy": Rule("Energy at the wheels", "kWh/100 km", AT_MOST, energy.energy),
    "friction_energy": Rule("Lost in friction brakes", "kWh/100 km", AT_MOST, energy.friction_energy),
    "ledger_error": Rule(
        "Command against its ledger", "", AT_MOST, ledger.ledger_error, ledger.SAME, gates=True
    ),
    "unexplained_changes": Rule("Changes without an entry", "", AT_MOST, ledger.unexplained_changes, 0.0),
    "completed": Rule("Driven to the end", "s", AT_LEAST, operation.completed, needs_data=True),
}
# A scenario that asks only for contacts of the ego's own making does not forbid the others.
REPLACED_BY = {"contact": "contact_caused"}
END_TOLERANCE = 1.0  # s: start-up and the last period do not count against the length of a drive


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the verdict. `passed` is also told where `gates` is false, but does not count then."""

    name: str
    title: str
    value: float | None
    limit: float | None
    bound: str
    unit: str
    gates: bool
    passed: bool
    sentence: str

    def plain(self) -> dict[str, Any]:
        """As it stands in summary.json."""
        return {
            "value": self.value,
            "limit": self.limit,
            "pass": self.passed,
            "bound": self.bound,
            "unit": self.unit,
            "gates": self.gates,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """All criteria of a drive; it passed if every one that gates does."""

    criteria: tuple[Criterion, ...]

    @property
    def passed(self) -> bool:
        """Whether the drive holds all that was asked of it."""
        return all(criterion.passed for criterion in self.criteria if criterion.gates)

    @property
    def failed(self) -> tuple[Criterion, ...]:
        """The criteria that decided against the drive."""
        return tuple(criterion for criterion in self.criteria if criterion.gates and not criterion.passed)

    @property
    def word(self) -> str:
        """`pass` or `fail`."""
        return "pass" if self.passed else "fail"

    def sentence(self) -> str:
        """The verdict in one line."""
        if not self.passed:
            return "FAIL: " + "; ".join(f"{c.title.lower()}: {c.sentence}" for c in self.failed)
        told = {criterion.name: criterion.sentence for criterion in self.criteria}
        names = ("contact", "lateral_error_95", "minimum_gap")
        return "PASS: " + "; ".join(told[name] for name in names if name in told)

    def plain(self) -> dict[str, dict[str, Any]]:
        """As it stands in summary.json, by name."""
        return {criterion.name: criterion.plain() for criterion in self.criteria}


def check_criteria(limits: Mapping[str, float], scenario: str) -> None:
    """Raises ScenarioError where a scenario names a criterion that does not exist."""
    for name in limits:
        if name not in RULES:
            near = difflib.get_close_matches(name, RULES, n=1)
            hint = f", did you mean '{near[0]}'?" if near else f"; known are {', '.join(RULES)}"
            raise ScenarioError(f"scenario {scenario}: criteria.{name}: unknown criterion{hint}")


def judge(run: Run, limits: Mapping[str, float], duration: float | None = None) -> Verdict:
    """The verdict on a run by a scenario's limits; `duration` is how long it should have been (s), where that is known."""
    asked = dict(limits)
    if duration is not None:
        asked.setdefault("completed", duration - END_TOLERANCE)
    return Verdict(tuple(_criterion(name, rule, run, asked) for name, rule in RULES.items()))


def _criterion(name: str, rule: Rule, run: Run, asked: Mapping[str, float]) -> Criterion:
    measure = rule.measure(run)
    default = rule.limit(run.vehicle) if callable(rule.limit) else rule.limit
    limit = asked.get(name, default)
    gates = (name in asked) or (rule.gates and REPLACED_BY.get(name) not in asked)
    gates &= run.real_time or not rule.real_time
    if limit is None:
        passed = True
    elif measure.value is None:
        passed = not rule.needs_data
    else:
        passed = measure.value <= limit if rule.bound == AT_MOST else measure.value >= limit
    return Criterion(
        name=name,
        title=rule.title,
        value=measure.value,
        limit=limit,
        bound=rule.bound,
        unit=rule.unit,
        gates=gates,
        passed=passed,
        sentence=measure.sentence,
    )
