"""A suite as data: `config/proving/<suite>.yaml`.

    title: what a page shows
    source: the document the cases are from
    families:
      stationary_target:
        title: in words
        grid:                       # every combination is a case; `subset` is what CI drives, `full` everything
          speed_kph: {subset: [50, 80], full: [30, 40, 50, 60, 70, 80]}
          overlap: {full: [-0.5, 0, 0.5]}          # without `subset`, the same in both
        let: {front: 100 + ego_front}              # further numbers, in order
        where: speed_kph <= max_speed_kph          # combinations for which this does not hold are no cases
        scenario:                                  # as in config/scenarios, with `= expression` wherever a value may stand
          duration: 20
          ego: {lane: 0, station: 100, speed_kph: = speed_kph}
          …                         # `title`, `seed` and `criteria` are given by the suite
        end: {standstill: 1.0}                     # see case.End
        judge_from: 2.0                            # s; the car settles before
        limits:                                    # of measures (outcome.MEASURES) and criteria (criteria.RULES)
          contact: {at_most: 0}
          peak_deceleration: {at_most: = 6.0}

Expressions (expression.py) know the parameters of the grid, what `let` gave, and of the car: `ego_front` (rear axle to front
bumper), `ego_rear` (rear axle to rear bumper), `ego_length`, `ego_width` in m, `max_speed_kph` (what the car drives at most),
`can_change_lane`, `can_navigate` (1 or 0), and what decides whether a contact can be avoided at all: `sight` and `second_sight`
(from the bumper to where the best and the second-best kind of front sensor see, m), `rear_sight` (m), `reaction` (first
measurement to half of the deceleration, s) and `hardest` (what it may brake with on a dry road, m/s²).
"""

import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pilot_common.errors import ConfigError
from pilot_common.schema import build, read_yaml
from pilot_common.vehicle import Capability, Vehicle
from pilot_evaluation.criteria import RULES
from pilot_evaluation.proving.case import Case, End, Limit, Setting, Suite
from pilot_evaluation.proving.expression import evaluate, fill
from pilot_evaluation.proving.outcome import MEASURES
from pilot_evaluation.proving.spread import spread
from pilot_simulation.scenario import Scenario
from pilot_vehicle.sight import (
    derived_max_speed,
    reaction_time,
    rear_sight_distance,
    second_sight_distance,
    sight_distance,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Of one parameter: all, and those of the CI subset."""

    full: tuple[float, ...]
    subset: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.full:
            raise ValueError("full needs at least one value")
        if not set(self.subset or ()) <= set(self.full):
            raise ValueError("subset holds values that full does not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Cases that differ in numbers only."""

    title: str
    grid: dict[str, Values]
    scenario: dict[str, Any]
    limits: dict[str, Any]
    source: str = ""
    let: dict[str, Any] = field(default_factory=dict)
    where: str = "1"
    end: End = field(default_factory=End)
    judge_from: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A suite file."""

    title: str
    families: dict[str, Family]
    source: str = ""


class DataSuite(Suite):
    """The suite of a file. Raises ConfigError for anything wrong in it, with file, key and rule."""

    def __init__(self, file: Path) -> None:
        self.file, self.key = file, file.stem
        self.content = build(Content, read_yaml(file), file)
        self.title = self.content.title
        for name, family in self.content.families.items():
            for limit in family.limits:
                self._check_measure(limit, f"families.{name}.limits.{limit}")

    def _check_measure(self, name: str, place: str) -> None:
        known = (*MEASURES, *RULES)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f", did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"
            raise ConfigError(self.file, place, f"unknown measure{hint}")

    def cases(self, setting: Setting) -> Sequence[Case]:
        """Every combination of every family, as far as the car can drive it."""
        cases = [
            case
            for name, family in self.content.families.items()
            for case in self._of_family(name, family, setting)
        ]
        return spread(cases, setting.sample, setting.seed)

    def _of_family(self, name: str, family: Family, setting: Setting) -> Iterator[Case]:
        axes = [
            values.full if setting.full or values.subset is None else values.subset
            for values in family.grid.values()
        ]
        facts = car_facts(setting.vehicle)
        for combination in itertools.product(*axes):
            parameters = dict(zip(family.grid, combination, strict=True))
            case = self._case(name, family, parameters, facts)
            if case is not None:
                yield case

    def _case(
        self, name: str, family: Family, parameters: Mapping[str, float], facts: Mapping[str, float]
    ) -> Case | None:
        place = f"families.{name}"
        try:
            names: dict[str, Any] = {**facts, **parameters}
            for key, text in family.let.items():
                names[key] = evaluate(str(text), names)
            if not evaluate(family.where, names):
                return None
            content = fill(family.scenario, names)
            limits = fill(family.limits, names)
        except ValueError as error:
            raise ConfigError(self.file, place, str(error)) from None
        told = [f"{key.removesuffix('_kph')}={value:g}" for key, value in parameters.items()]
        full_name = ",".join((name, *told))
        fixed = {"title": f"{self.title}: {family.title}", "seed": 1, "criteria": {}}
        scenario = build(Scenario, {**fixed, **content}, self.file, f"{place}.scenario")
        return Case(
            suite=self.key,
            family=name,
            name=full_name,
            parameters=parameters,
            scenario=replace(scenario, name=full_name, folder=str(self.file.parent)),
            limits={
                key: build(Limit, value, self.file, f"{place}.limits.{key}") for key, value in limits.items()
            },
            end=family.end,
            judge_from=family.judge_from,
        )


def car_facts(vehicle: Vehicle) -> dict[str, float]:
    """What expressions know of the car."""
    dimensions, capabilities = vehicle.facts.dimensions, vehicle.facts.capabilities
    fastest = min(vehicle.facts.limits.max_speed, derived_max_speed(vehicle))
    return {
        "ego_front": dimensions.rear_axle_to_front,
        "ego_rear": dimensions.length - dimensions.rear_axle_to_front,
        "ego_length": dimensions.length,
        "ego_width": dimensions.width,
        "max_speed_kph": round(3.6 * fastest, 3),
        "can_change_lane": float(Capability.LANE_CHANGE in capabilities),
        "can_navigate": float(Capability.NAVIGATION in capabilities),
        "sight": sight_distance(vehicle),
        "second_sight": second_sight_distance(vehicle),
        "rear_sight": rear_sight_distance(vehicle, 1),
        "reaction": reaction_time(vehicle),
        "hardest": vehicle.facts.limits.max_deceleration,
    }
