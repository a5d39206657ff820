"""What the proving ground is made of: a setting, cases, rows, and the interface of a suite.

A *case* is one drive: a scenario, the numbers it was made from, when it is over, and the limits its measures must hold.
A *row* is what came of it. A *suite* makes cases for a vehicle, runs them, and sums the rows up. There are two ways to write one:

1. **as data** – `config/proving/<suite>.yaml`, read by `data_suite.py`; no Python. The format is described there.
2. **as a module** – a class derived from `Suite`, named in `suites.py` (`REGISTRY`). It must survive pickling,
   for worker processes get a copy. The engine calls, in this order:

   - `cases(setting)` in the main process: all cases for `setting.vehicle`; the CI subset, or all of them with `setting.full`;
   - `groups(cases)`: lists of cases that share work (a common approach); one by one unless overridden;
   - `run(setting, group)` in a worker process: yields one `Row` per case, in the order of the group. `engine.run_case` drives a
     case's scenario through the whole loop and judges it; a suite may do anything else that is deterministic. An exception
     becomes a row `error` for every case of the group that has no row yet, and fails the suite;
   - `summary(setting, rows)` in the main process: a mapping with at least `verdict` (`pass` or `fail`), `sentence` (one line) and
     numbers by name.

Units in `parameters` are those of their names (`ego_speed_kph`), everything else is SI.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilot_common.vehicle import Vehicle
from pilot_simulation.scenario import Scenario

PASS, FAIL, ERROR = "pass", "fail", "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a measure must hold; a measure that does not exist in a row (no leader, so no gap) holds every limit."""

    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if self.at_most is None and self.at_least is None:
            raise ValueError("a limit needs at_most, at_least or both")

    def broken_by(self, value: float) -> str:
        """In words how a value breaks the limit, empty where it holds."""
        if self.at_most is not None and value > self.at_most:
            return f"{value:.3g} above {self.at_most:.3g}"
        if self.at_least is not None and value < self.at_least:
            return f"{value:.3g} below {self.at_least:.3g}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """When a case is over before its scenario's time: nothing more can happen. Contact and standstill of the ego count always."""

    contact: bool = True  # the first contact ends it
    standstill: float | None = None  # s after which an ego at rest ends it; none: it does not
    passed: bool = False  # the ego has left everybody else behind
    opening: bool = False  # nobody moves across, and the ego is slower than whoever is ahead in its way
    settled: bool = False  # the same, or nothing harder is to come behind him (engine.Watch)
    after: float = 0.0  # s of the scenario before which nothing but a contact ends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drive. `judge_from`: seconds from the start before which nothing is measured (the car settles).

    `known` are measures that stand before the drive (what a reference driver makes of the case); the row has them too.
    """

    suite: str
    family: str
    name: str  # unique in the suite, fit for a file name
    parameters: Mapping[str, float]
    scenario: Scenario | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    end: End = field(default_factory=End)
    judge_from: float = 2.0
    approach: str = ""  # name of what it shares with others (forks.py); empty: it is driven by itself
    lasts: float = 0.0  # s from the moment it leaves the approach
    known: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a case. `measures` by name, SI; one that could not be measured is left out."""

    suite: str
    family: str
    name: str
    parameters: Mapping[str, float]
    verdict: str  # pass, fail or error
    reason: str  # why it failed; empty where it passed
    measures: Mapping[str, float]
    note: str = ""  # in words: with whom, how


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is to be proved, and how. `sample`: only so many cases, spread evenly; `cases_file`: other values for a suite."""

    vehicle: Vehicle
    config: Path
    full: bool = False
    perfect: bool = False  # the sensors tell the truth
    seed: int = 1
    sample: int | None = None
    cases_file: Path | None = None
    hours: float | None = None  # of driving, for suites that are measured by time


class Suite(ABC):
    """A named set of cases. `key` is what `--suite` takes, `title` what a page shows."""

    key: str
    title: str

    @abstractmethod
    def cases(self, setting: Setting) -> Sequence[Case]:
        """All cases for the vehicle of the setting."""

    def find(self, setting: Setting, name: str) -> Case | None:
        """The case of a name, None where there is none."""
        return next((case for case in self.cases(setting) if case.name == name), None)

    def groups(self, cases: Sequence[Case]) -> list[list[Case]]:
        """Cases that are run together."""
        return [[case] for case in cases]

    def run(self, setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
        """One row for each case of a group, in order."""
        from pilot_evaluation.proving.engine import run_case

        for case in group:
            yield self.judged(run_case(setting, case))

    def judged(self, row: Row) -> Row:
        """The row with the suite's own verdict, where limits alone do not say it."""
        return row

    def summary(self, setting: Setting, rows: Sequence[Row]) -> dict[str, Any]:
        """Cases, failures, errors, contacts; by family beside it. Passes where no case failed and there was one."""
        return summary_of(rows)


def summary_of(rows: Sequence[Row]) -> dict[str, Any]:
    """What holds for every suite whose rows pass or fail each on its own."""
    families = {row.family: [other for other in rows if other.family == row.family] for row in rows}
    counts = _counts(rows)
    bad = [row for row in rows if row.verdict != PASS]
    passed = bool(rows) and not bad
    told = f"{len(rows)} cases hold" if passed else f"{len(bad)} of {len(rows)} cases do not hold"
    if bad:
        told += f", first {bad[0].name}: {bad[0].reason}"
    return {
        "verdict": PASS if passed else FAIL,
        "sentence": told,
        **counts,
        "families": {family: _counts(of_family) for family, of_family in families.items()},
        "failed_cases": [f"{row.name}: {row.reason}" for row in bad],
    }


def _counts(rows: Sequence[Row]) -> dict[str, float]:
    return {
        "cases": len(rows),
        "failed": sum(row.verdict == FAIL for row in rows),
        "errors": sum(row.verdict == ERROR for row in rows),
        "contacts": sum(bool(row.measures.get("contact", 0.0)) for row in rows),
        "braked": sum(bool(row.measures.get("braked", 0.0)) for row in rows),
    }
