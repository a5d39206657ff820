"""UN R157: cut-in, cut-out and car-following on the published grids, beside the regulation's reference drivers.

A contact counts against the car where any of the four reference drivers avoids it (`preventable`); their outcome is computed for
every case. Numbers as the published tables define them: `share_braked` counts cut-ins in which more than 0.4 m/s² was commanded,
`mean_peak_deceleration` is over cut-ins that were braked without a contact.

A case lasts as long as in the reference simulation, 35 s from the moment the lateral speed is reached (cut-in) or the leader
acts. It ends earlier at a contact, and where nothing can change any more: the ego has passed, stands, or `engine.Watch` finds it
settled.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pilot_evaluation.proving import r157_grid, r157_summary
from pilot_evaluation.proving.case import FAIL, Case, End, Row, Setting, Suite
from pilot_evaluation.proving.data_suite import DataSuite, car_facts
from pilot_evaluation.proving.forks import run_forked
from pilot_evaluation.proving.r157_cases import Drive, car_following, cut_in, cut_out
from pilot_evaluation.proving.r157_references import DRIVERS, known

END = End(standstill=0.2, passed=True, settled=True)
FALSE_ACTIVATION = "false_activation"  # a suite of data whose cases count here too


class R157(Suite):
    """The suite, with the false-activation cases beside it: who brakes always has no contact."""

    key = "r157"

    def __init__(self, config: Path) -> None:
        self.grid = r157_grid.load_grid(config)
        self.title = self.grid.title
        file = config / "proving" / f"{FALSE_ACTIVATION}.yaml"
        self._false = DataSuite(file) if file.exists() else None

    def cases(self, setting: Setting) -> Sequence[Case]:
        """The grids (or the values of a file), as far as the car drives that fast, with the outcome of the reference drivers."""
        chosen = r157_grid.parameters(self.grid, setting, _fastest(setting))
        cases = [
            case
            for family, rows in chosen.items()
            for case in map(self._maker(setting, family), rows, known(family, rows))
        ]
        if self._false is not None and setting.cases_file is None and setting.sample is None:
            false = self._false.cases(setting)
            cases += false if setting.full else {case.family: case for case in false}.values()  # one of each
        return cases

    def find(self, setting: Setting, name: str) -> Case | None:
        """The case of a name: of any values, in the grids or not, or one of the false activations."""
        of_name = r157_grid.from_name(name)
        if of_name is None:
            return self._false.find(setting, name) if self._false is not None else None
        family, parameters = of_name
        if next(iter(parameters.values())) > _fastest(setting):
            return None
        return self._maker(setting, family)(parameters, known(family, [parameters])[0])

    def _maker(
        self, setting: Setting, family: str
    ) -> Callable[[Mapping[str, float], Mapping[str, float]], Case]:
        def make(parameters: Mapping[str, float], beside: Mapping[str, float]) -> Case:
            drive = self._drive(setting, family, parameters)
            name = f"{family}-" + "-".join(f"{value:g}" for value in parameters.values())
            return Case(
                suite=self.key,
                family=family,
                name=name,
                parameters=parameters,
                scenario=replace(drive.scenario, name=name),
                end=END,
                known=beside,
                approach=drive.approach,
                lasts=drive.lasts,
            )

        return make

    def _drive(self, setting: Setting, family: str, parameters: Mapping[str, float]) -> Drive:
        time_gap = self.grid.time_gap
        if family == "cut_in":
            return cut_in(setting.vehicle, parameters, time_gap)
        speed = parameters["speed_kph"] / 3.6
        gap = speed * time_gap + self.grid.standstill_gap  # near our own; the rest settles
        make = cut_out if family == "cut_out" else car_following
        return make(setting.vehicle, parameters, time_gap, gap)

    def groups(self, cases: Sequence[Case]) -> list[list[Case]]:
        """Cases that leave the same approach."""
        groups: dict[str, list[Case]] = {}
        for case in cases:
            groups.setdefault(case.approach or case.name, []).append(case)
        return list(groups.values())

    def run(self, setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
        """Drives the cases of an approach; a contact that a reference driver avoids fails."""
        if group[0].approach:
            yield from map(self.judged, run_forked(setting, group))
        else:
            yield from super().run(setting, group)

    def judged(self, row: Row) -> Row:
        """Fails a contact that was preventable."""
        return verdict_of(row)

    def summary(self, setting: Setting, rows: Sequence[Row]) -> dict[str, Any]:
        """See `r157_summary`."""
        return r157_summary.summary(rows)


def _fastest(setting: Setting) -> float:
    """km/h that the car drives; grids hold round numbers."""
    return car_facts(setting.vehicle)["max_speed_kph"] + 1e-6


def verdict_of(row: Row) -> Row:
    """Fails a contact that was preventable."""
    if not row.measures.get("contact") or "preventable" not in row.measures:
        return row
    avoided_by = [driver for driver in DRIVERS if not row.measures[f"{driver}_contact"]]
    if not avoided_by:
        return row
    reason = f"contact at {3.6 * row.measures['impact_speed']:.1f} km/h, avoided by {', '.join(avoided_by)}"
    return replace(row, verdict=FAIL, reason=reason)
