"""The graph table `config/graph.yaml`: topics, functions, and the rules it must keep."""

import builtins
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Mapping

from pilot_common import types as vocabulary
from pilot_common.errors import ConfigError
from pilot_common.messages import Message
from pilot_common.schema import Range, build, parameter, read_yaml, version
from pilot_common.types import Health
from pilot_common.vehicle import Capability, SensorKind, Vehicle

HEALTH = "health/"
HEALTH_RATE = 10.0
EQUIPMENT = tuple(kind.value for kind in SensorKind)
SOURCES = ("vehicle", "navigation", "simulation", *EQUIPMENT)


@dataclass(frozen=True, slots=True)
class QosProfile:
    """How many messages a topic keeps, whether lost ones are sent again, whether a late reader gets the last one."""

    depth: int
    reliable: bool
    latched: bool


class Qos(Enum):
    """Names of the four profiles that topics use."""

    STREAM = "stream"
    STATE = "state"
    LATCHED = "latched"
    EVENT = "event"

    @property
    def profile(self) -> QosProfile:
        """What the name stands for; `ros/qos.py` says it to rclpy, a bag to the official player."""
        return QOS_PROFILES[self]


QOS_PROFILES = {
    Qos.STREAM: QosProfile(depth=5, reliable=False, latched=False),
    Qos.STATE: QosProfile(depth=1, reliable=True, latched=False),
    Qos.LATCHED: QosProfile(depth=1, reliable=True, latched=True),
    Qos.EVENT: QosProfile(depth=10, reliable=True, latched=False),
}


class Take(Enum):
    """How a function takes an input."""

    NEWEST = "newest"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One row of `topics`."""

    type: str
    rate: float = parameter("Hz", 0.1, 1000, "messages a second")
    qos: Qos
    recorded: bool
    maximum_age_ms: float = parameter("ms", 1, 10000, "older messages are not used")
    source: str | None = None
    feedback: bool = False

    @property
    def message(self) -> "builtins.type[Message]":
        """The dataclass it carries."""
        return getattr(vocabulary, self.type)

    @property
    def maximum_age(self) -> int:
        """In nanoseconds."""
        return round(self.maximum_age_ms * 1e6)


def _optional(unit: str, minimum: float, maximum: float, meaning: str) -> Any:
    return field(default=None, metadata={"range": Range(unit, minimum, maximum, meaning)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """One row of `functions` as written."""

    package: str
    inputs: dict[str, Take]
    outputs: tuple[str, ...]
    budget_ms: float = parameter("ms", 0.1, 1000, "time one step may take")
    trigger: str | None = None
    rate: float | None = _optional("Hz", 0.1, 1000, "steps a second")
    watchdog_ms: float | None = _optional("ms", 1, 10000, "the longest time between two steps")
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the graph, resolved. Times in nanoseconds; `watchdog` and `period` are 0 where there is none."""

    name: str
    class_path: str
    package: str
    inputs: Mapping[str, Take]
    outputs: tuple[str, ...]
    trigger: str | None
    period: int
    watchdog: int
    budget: int
    requires: tuple[str, ...]

    @property
    def executable(self) -> str:
        """Name of the node's executable and of the node."""
        return f"{self.name}_node"

    def fits(self, vehicle: Vehicle) -> bool:
        """Whether the vehicle has all that the function requires."""
        equipment = {sensor.kind.value for sensor in vehicle.sensors} | {
            c.value for c in vehicle.facts.capabilities
        }
        return equipment.issuperset(self.requires)


@dataclass(frozen=True)
class Graph:
    """The table, checked: every input is written by somebody, one writer a topic, no cycle but the feedback edges."""

    file: Path
    topics: Mapping[str, Topic]
    functions: tuple[Function, ...]
    _order: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_order", {name: index for index, name in enumerate(self.topics)})
        writers: dict[str, str] = {name: "a driver" for name, topic in self.topics.items() if topic.source}
        for function in self.functions:
            for name in function.outputs:
                if name in writers:
                    raise ConfigError(
                        self.file,
                        f"functions.{function.name}.outputs",
                        f"{name} is also written by {writers[name]}",
                    )
                self._known(name, function, "outputs")
                writers[name] = function.name
        seen = {name for name, topic in self.topics.items() if topic.source or topic.feedback}
        for function in self.functions:
            for name in function.inputs:
                self._known(name, function, "inputs")
                if name not in writers:
                    raise ConfigError(self.file, f"functions.{function.name}.inputs", f"nobody writes {name}")
                if name not in seen:
                    raise ConfigError(
                        self.file,
                        f"functions.{function.name}.inputs",
                        f"{name} flows against the order but is no feedback",
                    )
            if (function.trigger is None) == (function.period == 0):
                raise ConfigError(self.file, f"functions.{function.name}", "needs either a trigger or a rate")
            if function.trigger is not None and function.trigger not in function.inputs:
                raise ConfigError(
                    self.file,
                    f"functions.{function.name}.trigger",
                    f"{function.trigger} is not among its inputs",
                )
            seen.update(function.outputs)

    def _known(self, name: str, function: Function, key: str) -> None:
        if name not in self.topics:
            raise ConfigError(self.file, f"functions.{function.name}.{key}", f"unknown topic {name}")

    def order(self, topic: str) -> int:
        """Place of a topic in the table: it breaks ties between equal stamps."""
        return self._order.get(topic, len(self._order))

    def function(self, name: str) -> Function:
        """The function of that name. Raises ConfigError."""
        for function in self.functions:
            if function.name == name:
                return function
        raise ConfigError(
            self.file,
            "functions",
            f"no function {name}; there are {', '.join(f.name for f in self.functions)}",
        )

    def fitted(self, vehicle: Vehicle) -> tuple[Function, ...]:
        """The functions that run on a vehicle, in order."""
        return tuple(function for function in self.functions if function.fits(vehicle))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Topics that no function writes: what a replay feeds."""
        return tuple(name for name, topic in self.topics.items() if topic.source)

    @cached_property
    def recorded(self) -> tuple[str, ...]:
        """Topics that go into a bag."""
        return tuple(name for name, topic in self.topics.items() if topic.recorded)

    def latency(self, topic: str, vehicle: Vehicle) -> int:
        """Nanoseconds from a source's measurement to its message on this vehicle."""
        source = self.topics[topic].source
        kinds = {kind.value: kind for kind in SensorKind}
        return round(vehicle.latency(kinds[source]) * 1e9) if source in kinds else 0


def load_graph(config: Path) -> Graph:
    """The graph of `config/graph.yaml`, read once a version. Raises ConfigError naming the row that breaks a rule."""
    file = config / "graph.yaml"
    return _read_graph(file, version(file))


@lru_cache(maxsize=16)
def _read_graph(file: Path, _version: int) -> Graph:
    content = read_yaml(file)
    for key in ("topics", "functions"):
        if not isinstance(content.get(key), dict):
            raise ConfigError(file, key, "is missing")
    topics = {name: build(Topic, row, file, f"topics.{name}") for name, row in content["topics"].items()}
    for name, topic in topics.items():
        if not isinstance(getattr(vocabulary, topic.type, None), type):
            raise ConfigError(file, f"topics.{name}.type", f"no message type {topic.type}")
        if topic.source is not None:
            _one_of(topic.source, SOURCES, file, f"topics.{name}.source")
    functions = tuple(_function(name, row, file, topics) for name, row in content["functions"].items())
    health = Topic(
        type=Health.__name__,
        rate=HEALTH_RATE,
        qos=Qos.STATE,
        recorded=True,
        maximum_age_ms=500,
        feedback=True,
    )
    topics |= {HEALTH + function.name: health for function in functions}
    return Graph(file, MappingProxyType(topics), functions)


def _one_of(value: str, known: tuple[str, ...], file: Path, key: str) -> None:
    if value not in known:
        raise ConfigError(file, key, f"must be one of {', '.join(known)}, found '{value}'")


def _function(name: str, row: Any, file: Path, topics: Mapping[str, Topic]) -> Function:
    if not isinstance(row, Mapping):
        raise ConfigError(file, f"functions.{name}", f"must hold keys and values, found {row!r}")
    row = dict(row)
    class_path = row.pop("class", None)
    if not isinstance(class_path, str) or class_path.count(":") != 1:
        raise ConfigError(file, f"functions.{name}.class", "must be module:Class")
    if row.get("trigger") is not None and row["trigger"] not in topics:
        raise ConfigError(file, f"functions.{name}.trigger", f"unknown topic {row['trigger']}")
    read = build(_Function, row, file, f"functions.{name}")
    for wish in read.requires:  # misspelt, the function would run on no car
        _one_of(wish, (*EQUIPMENT, *(c.value for c in Capability)), file, f"functions.{name}.requires")
    inputs = {key: take for key, take in read.inputs.items() if key != HEALTH + "*"}
    if HEALTH + "*" in read.inputs:
        others = (other for other in read_yaml(file)["functions"] if other != name)
        inputs |= {HEALTH + other: Take.NEWEST for other in others}
    return Function(
        name=name,
        class_path=class_path,
        package=read.package,
        inputs=MappingProxyType(inputs),
        outputs=(*read.outputs, HEALTH + name),
        trigger=read.trigger,
        period=round(1e9 / read.rate) if read.rate else 0,
        watchdog=round((read.watchdog_ms or 0.0) * 1e6),
        budget=round(read.budget_ms * 1e6),
        requires=read.requires,
    )
