"""Rule packs: clauses of regulations and standards as data (`config/rules/<pack>.yaml`), and the monitor that watches them.

The same monitor runs in the car (supervision), over a recording (`./pilot audit`) and in the proving ground. A clause applies
`when` its condition holds, and then its `formula`, a comparison `measure <= limit` or `measure >= limit`, must. What no source
confirms (marks M and M?) may warn, it never gates: the loader refuses such a clause with severity `violation`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pilot_common.errors import ConfigError
from pilot_common.rule_language import Expression, FormulaError, Program, Table
from pilot_common.rule_memories import Kind, Memory
from pilot_common.rule_signals import NAMES, Signals
from pilot_common.schema import build, read_yaml

FOLDER = "rules"
LONGEST_STEP = 1.0  # s between two steps: after a longer silence, or a clock set back, memories begin anew
MARKETS = ("UNECE", "EU", "CN", "all")


class Mark(Enum):
    """How well a number is known."""

    F = "found in a public source"
    F2 = "found through a secondary source"
    M = "from memory, to be checked against the text"
    UNVERIFIED = "from memory, uncertain"
    HOUSE = "our own"

    @property
    def written(self) -> str:
        """As the sources' table writes it."""
        return {"UNVERIFIED": "M?", "HOUSE": "house"}.get(self.name, self.name)

    @property
    def verified(self) -> bool:
        """Whether a clause with this mark may decide anything."""
        return self not in (Mark.M, Mark.UNVERIFIED)


class Severity(Enum):
    """What a clause that does not hold means."""

    VIOLATION = "decides against a drive"
    WARNING = "is reported"
    INFORMATION = "is counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """In English and Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a clause's numbers come from."""

    mark: Mark
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseParameter:
    """A number or a table of points (x, value) that a formula names."""

    unit: str
    meaning: str
    value: float | None = None
    table: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.table is None):
            raise ValueError("a parameter has either a value or a table")
        if self.table is not None:
            x = [point[0] for point in self.table]
            if len(x) < 2 or any(b <= a for a, b in pairwise(x)):
                raise ValueError("a table needs two or more points with x increasing")

    @property
    def content(self) -> float | Table:
        """What a formula gets."""
        return self.table if self.table is not None else self.value  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause as data. `clause` is its place in the text it comes from."""

    id: str
    clause: str
    market: str
    title: Title
    when: str
    formula: str
    parameters: dict[str, ClauseParameter]
    provenance: Provenance
    severity: Severity
    unit: str  # of what the formula measures

    def __post_init__(self) -> None:
        if self.market not in MARKETS:
            raise ValueError(f"market must be one of {', '.join(MARKETS)}, found {self.market!r}")
        if self.severity is Severity.VIOLATION and not self.provenance.mark.verified:
            raise ValueError("a clause that no source confirms may warn or inform, never be a violation")

    @property
    def gates(self) -> bool:
        """Whether it decides against a drive."""
        return self.severity is Severity.VIOLATION


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEvaluated:
    """What a text asks that our signals cannot tell."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pack:
    """One file of `config/rules/`. `definitions` are conditions and numbers by name that its clauses share."""

    title: str
    clauses: tuple[Clause, ...]
    definitions: dict[str, str]
    not_evaluated: tuple[NotEvaluated, ...] = ()
    name: str = ""
    file: str = ""

    @classmethod
    def named(cls, name: str, file: object, place: str) -> "Pack":
        """The pack that a configuration file names, from the folder of rules of the same configuration. Raises ConfigError."""
        config = next((folder for folder in Path(str(file)).parents if (folder / FOLDER).is_dir()), None)
        if config is None:
            raise ConfigError(file, place, f"there is no folder '{FOLDER}' to find the pack '{name}' in")
        if name not in pack_names(config):
            raise ConfigError(file, place, _no_pack(name, config))
        return load_packs(config, (name,))[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """A clause that does not hold now: what was measured, what was allowed. `new` at its first step."""

    clause: Clause
    time: float
    value: float
    limit: float
    new: bool

    def sentence(self) -> str:
        """In words."""
        unit = f" {self.clause.unit}" if self.clause.unit else ""
        return f"{self.clause.id}: {self.clause.title.en}: {self.value:.2f}{unit}, allowed {self.limit:.2f}"


@dataclass(slots=True)
class Record:
    """What became of a clause so far. `worst` and `limit` are of the moment it was nearest to its limit or farthest beyond."""

    exercised: int = 0
    violated: int = 0
    spells: int = 0
    first: float = math.nan
    worst: float = math.nan
    limit: float = math.nan
    margin: float = math.inf
    known: bool = False  # whether all its signals were ever there
    violating: bool = False

    @property
    def outcome(self) -> str:
        """pass, violated or not exercised."""
        return "violated" if self.violated else "pass" if self.exercised else "not exercised"


def pack_names(config: Path) -> tuple[str, ...]:
    """The packs in `config/rules/`."""
    return tuple(sorted(file.stem for file in (config / FOLDER).glob("*.yaml")))


def load_packs(config: Path, names: Iterable[str] | None = None) -> tuple[Pack, ...]:
    """The packs named, or all. Raises ConfigError with file, key and rule."""
    known = pack_names(config)
    packs = []
    for name in known if names is None else names:
        if name not in known:
            raise ConfigError(config / FOLDER, "", _no_pack(name, config))
        file = config / FOLDER / f"{name}.yaml"
        packs.append(_parsed(str(file), file.stat().st_mtime_ns))
    return tuple(packs)


def _no_pack(name: str, config: Path) -> str:
    return f"there is no rule pack '{name}'; there are {', '.join(pack_names(config))}"


@lru_cache(maxsize=64)
def _parsed(file: str, version: int) -> Pack:
    """A pack is read once for each version of its file: every drive of thousands asks for it."""
    return pack_from(read_yaml(Path(file)), file)


def pack_from(content: Mapping[str, Any], file: str) -> Pack:
    """A pack from the content of its file, every formula checked. Raises ConfigError."""
    for key in ("name", "file"):
        if key in content:
            raise ConfigError(file, key, "is given by where the file lies; leave it out")
    pack = build(Pack, {**content, "name": Path(file).stem, "file": file}, file)
    compiled((pack,))
    return pack


@dataclass(frozen=True, slots=True)
class Watch:
    """A clause translated. `topics` are the bits of all that its formula and condition look at."""

    clause: Clause
    when: Expression
    measure: Expression
    limit: Expression
    at_most: bool
    topics: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """All clauses of some packs, the memories they share in the state they begin in, and one step of all as one function.

    `step(time, unknown, v, memories, records, weigh)`: `unknown` are the bits of topics that are not known, `v` is the list of
    signals, to which the memories' values are added; `weigh(row, value, limit)` is called for each clause that applies.
    """

    watches: tuple[Watch, ...]
    memories: tuple[Memory, ...]
    step: Callable[..., None]


@lru_cache(maxsize=64)
def compiled(packs: tuple[Pack, ...]) -> Compiled:
    """All clauses of the packs. Raises ConfigError."""
    program, watches, seen = Program(NAMES), [], set()
    for pack in packs:
        for index, clause in enumerate(pack.clauses):
            place = f"clauses[{index}] ({clause.id})"
            if clause.id in seen:
                raise ConfigError(pack.file, f"{place}.id", "is given twice")
            seen.add(clause.id)
            watches.append(_watch(program, pack, clause, place))
    lines = ["def step(time, unknown, v, memories, records, weigh):"]
    for row, memory in enumerate(program.memories):
        lines += [
            f" if unknown & {memory.topics}: memories[{row}].reset(); v.append({memory.unknown!r})",
            f" else: v.append(memories[{row}].step(time, {memory.text}))",
        ]
    for row, watch in enumerate(watches):
        lines += [
            f" if unknown & {watch.topics}: records[{row}].violating = False",
            " else:",
            f"  records[{row}].known = True",
            f"  if {watch.when.text}: weigh({row}, {watch.measure.text}, {watch.limit.text})",
            f"  else: records[{row}].violating = False",
        ]
    return Compiled(tuple(watches), tuple(program.memories), program.function("step", lines))


def _watch(program: Program, pack: Pack, clause: Clause, place: str) -> Watch:
    constants = {name: parameter.content for name, parameter in clause.parameters.items()}
    for name in (*constants, *pack.definitions):
        if name in NAMES:
            raise ConfigError(pack.file, f"{place}: {name}", "is the name of a signal already")
    key = "when"
    try:
        when = program.translate(clause.when, constants, pack.definitions)
        if when.kind is not Kind.CONDITION:
            raise FormulaError("must be a condition, it is a number")
        key = "formula"
        measure, sign, limit = program.comparison(clause.formula, constants, pack.definitions)
    except FormulaError as error:
        raise ConfigError(pack.file, f"{place}.{key}", str(error)) from None
    return Watch(clause, when, measure, limit, sign == "<=", when.topics | measure.topics | limit.topics)


class RuleMonitor:
    """Watches all clauses of some packs. Looks only back, costs the same at every step, and can be copied in mid-drive."""

    def __init__(self, packs: tuple[Pack, ...]) -> None:
        self._compiled = compiled(packs)
        self._watches = self._compiled.watches
        self.reset()

    def reset(self) -> None:
        """Forgets everything, records included."""
        self._memories = [memory.copy() for memory in self._compiled.memories]
        self._time = -math.inf
        self._records = [Record() for _ in self._watches]

    @property
    def records(self) -> dict[str, Record]:
        """What became of each clause, by its id."""
        return {watch.clause.id: record for watch, record in zip(self._watches, self._records, strict=True)}

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """In the order of the packs."""
        return tuple(watch.clause for watch in self._watches)

    def step(self, time: float, signals: Signals) -> tuple[Finding, ...]:
        """What does not hold at `time` (s). A clause whose signals are not all known is left out."""
        if not 0.0 <= time - self._time <= LONGEST_STEP:
            for memory in self._memories:
                memory.reset()
        self._time = time
        self._findings: list[Finding] = []
        self._compiled.step(
            time, ~signals.topics, list(signals.values), self._memories, self._records, self._weigh
        )
        return tuple(self._findings)

    def _weigh(self, row: int, value: float, limit: float) -> None:
        watch, record = self._watches[row], self._records[row]
        margin = limit - value if watch.at_most else value - limit
        if math.isnan(margin):
            record.violating = False
            return
        record.exercised += 1
        if margin < record.margin:
            record.margin, record.worst, record.limit = margin, value, limit
        if margin >= 0.0:
            record.violating = False
            return
        new = not record.violating
        record.violating = True
        record.violated += 1
        record.spells += new
        if math.isnan(record.first):
            record.first = self._time
        self._findings.append(Finding(watch.clause, self._time, value, limit, new))

    def __deepcopy__(self, memo: dict[int, Any]) -> "RuleMonitor":
        """Clauses are shared, for they never change; memories and records go their own way."""
        twin = object.__new__(RuleMonitor)
        twin._compiled, twin._watches, twin._time = self._compiled, self._watches, self._time
        twin._memories = [memory.copy() for memory in self._memories]
        twin._records = [replace(record) for record in self._records]
        return twin
