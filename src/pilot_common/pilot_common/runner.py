"""One function at work: the same runner stands in a ROS node, in a bag replay and in the lockstep loop.

It keeps the newest messages, checks their age, decides when the core steps, hands it its inputs and reports its health. It has
no clock: the time of everything is an argument, in integer nanoseconds.
"""

import copy
import importlib
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from pilot_common.errors import ConfigError
from pilot_common.graph import HEALTH, HEALTH_RATE, Function, Graph, Take
from pilot_common.messages import Message, to_nanoseconds, to_seconds
from pilot_common.types import Health
from pilot_common.vehicle import Vehicle, load_parameters

# Clocks of two computers agree better than this; a message stamped later than so is wrong, or the clock was set back.
CLOCK_TOLERANCE = 50_000_000  # ns


class FunctionRunner:
    """Runs `core`, an object with `step(inputs) -> outputs` and `reset()`, as row `function` of the graph says.

    The core's class names its `Inputs` (a dataclass with `time` in seconds and a field per input topic) and `Outputs` (a
    field per output topic, None where it says nothing, and perhaps a `reason` for that). A missing or too old input is None, a
    message from the future is dropped, `health/*` is a mapping.
    """

    def __init__(self, function: Function, graph: Graph, core: Any) -> None:
        self.function = function
        self.core = core
        self._age_limit = {name: graph.topics[name].maximum_age for name in function.inputs}
        self._expected = {name: round(1e9 / graph.topics[name].rate) for name in function.inputs}
        self._outputs = tuple(name for name in function.outputs if not name.startswith(HEALTH))
        self._newest_inputs = tuple(
            n for n, t in function.inputs.items() if t is Take.NEWEST and not n.startswith(HEALTH)
        )
        self._queue_inputs = tuple(n for n, t in function.inputs.items() if t is Take.ALL)
        self._health_inputs = tuple(n for n in function.inputs if n.startswith(HEALTH))
        self.reset()

    def reset(self) -> None:
        """Forgets all messages and resets the core."""
        self.core.reset()
        self._newest: dict[str, Message] = {}
        self._queue: dict[str, list[Message]] = {name: [] for name in self._queue_inputs}
        self._triggered = False
        self._last_step: int | None = None
        self._last_slot: int | None = None
        self._health_slot: int | None = None
        self._clear_health()

    def _clear_health(self) -> None:
        self._worst_age, self._worst_compute, self._steps, self._missed = 0.0, 0.0, 0, 0

    def deliver(self, topic: str, message: Message) -> None:
        """Takes one message. The newest is the one with the latest stamp, so the order of arrival does not matter."""
        newest = self._newest.get(topic)
        if newest is None or message.stamp >= newest.stamp:  # type: ignore[attr-defined]
            self._newest[topic] = message
        if topic in self._queue:
            self._queue[topic].append(message)
        if topic == self.function.trigger:
            self._triggered = True

    def due(self, now: int) -> bool:
        """Whether the core shall step at `now`: its trigger came, its period began, or its watchdog ran out."""
        if self._triggered:
            return True
        if self.function.period:
            return now // self.function.period != self._last_slot
        if self.function.watchdog:
            if self._last_step is None:
                self._last_step = now  # the watchdog runs from the first look
            return not 0 <= now - self._last_step < self.function.watchdog  # negative: the clock was set back
        return False

    def step(self, now: int) -> dict[str, Message]:
        """Steps the core and returns what it has to say, by topic."""
        self._count_step(now)
        outputs = self.core.step(self._inputs(now))
        self._triggered = False
        said = {}
        for name in self._outputs:
            message = getattr(outputs, name)
            if message is not None:
                said[name] = message
        invalid = [message for message in said.values() if not getattr(message, "valid", True)]
        # A core that refuses its input says nothing but why.
        silent = "" if said else str(getattr(outputs, "reason", ""))
        self._valid = not invalid and not silent
        self._reason = str(getattr(invalid[0], "reason", "")) if invalid else silent
        return said

    def _count_step(self, now: int) -> None:
        period = self.function.period or (
            self._expected[self.function.trigger] if self.function.trigger else 0
        )
        if self._last_step is not None and period and now - self._last_step > 2 * period:
            self._missed += 1
        self._last_step = now
        self._last_slot = now // self.function.period if self.function.period else None
        self._steps += 1

    def _inputs(self, now: int) -> Any:
        ports: dict[str, Any] = {name: self._fresh(name, now) for name in self._newest_inputs}
        for name in self._queue_inputs:
            messages = self._queue[name]
            if not messages:
                ports[name] = ()
                continue
            if len(messages) > 1:
                messages.sort(key=_stamp)
            while messages and _age(messages[-1], now) < -CLOCK_TOLERANCE:
                messages.pop()
            ports[name] = tuple(messages)
            messages.clear()
        if self._health_inputs:
            ports["health"] = {
                name.removeprefix(HEALTH): self._fresh(name, now) for name in self._health_inputs
            }
        return self.core.Inputs(time=to_seconds(now), **ports)

    def _fresh(self, name: str, now: int) -> Message | None:
        message = self._newest.get(name)
        if message is None:
            return None
        age = now - to_nanoseconds(message.stamp)  # type: ignore[attr-defined]
        if age < -CLOCK_TOLERANCE:  # it would count as the newest until the clock has caught up with it
            del self._newest[name]
            return None
        self._worst_age = max(self._worst_age, age * 1e-9)
        return message if age <= self._age_limit[name] else None

    def spent(self, seconds: float) -> None:
        """Notes the time a step took (a node measures it; in lockstep it is not known and not part of the result)."""
        self._worst_compute = max(self._worst_compute, seconds)

    def health(self, now: int, slot: int | None = None) -> Health | None:
        """The report, once every tenth of a second (`slot` is that of `now`, where it is known), else None."""
        if slot is None:
            slot = health_slot(now)
        if slot == self._health_slot:
            return None
        self._health_slot = slot
        stepped = self._steps > 0
        report = Health(
            stamp=to_seconds(now),
            function=self.function.name,
            valid=stepped and self._valid,
            reason=self._reason if stepped else "no step since the last report",
            input_age=self._worst_age,
            compute_time=self._worst_compute,
            steps=self._steps,
            missed=self._missed,
        )
        self._clear_health()
        return report

    _valid = False
    _reason = "has not stepped yet"

    def snapshot(self) -> dict[str, Any]:
        """The whole state, to be handed to `restore` later (a copy: what runs on does not change it)."""
        return copy.deepcopy(self.__dict__ | {"function": None}, {id(self.function): None})

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `snapshot`."""
        self.__dict__.update(copy.deepcopy(state) | {"function": self.function})


def health_slot(now: int) -> int:
    """The tenth of a second that holds a time."""
    return int(now * HEALTH_RATE) // 1_000_000_000


_stamp = attrgetter("stamp")


def _age(message: Message, now: int) -> int:
    return now - to_nanoseconds(message.stamp)  # type: ignore[attr-defined]


def make_core(function: Function, vehicle: Vehicle, parameters: Any) -> Any:
    """The core of a function for a vehicle. Raises ConfigError where its class cannot be found."""
    return core_class(function)(vehicle, parameters)


def core_class(function: Function) -> Any:
    """The class named in the graph table. Raises ConfigError where it cannot be found."""
    module, name = function.class_path.split(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            "config/graph.yaml", f"functions.{function.name}.class", f"{function.class_path}: {error}"
        ) from None


class Executor:
    """All functions of a vehicle in graph order, without middleware: the lockstep loop and bag replay."""

    def __init__(self, graph: Graph, runners: Sequence[FunctionRunner]) -> None:
        self.graph = graph
        self.runners = tuple(runners)
        self._readers: dict[str, list[FunctionRunner]] = {}
        for runner in self.runners:
            for name in runner.function.inputs:
                self._readers.setdefault(name, []).append(runner)

    def advance(self, now: int, arrivals: Iterable[tuple[str, Message]]) -> list[tuple[str, Message]]:
        """Delivers what arrives at `now`, then lets each function that is due step once, in order; returns all they said.

        What a function says reaches those after it in the same call, those before it (feedback) in the next.
        """
        for topic, message in sorted(arrivals, key=lambda arrival: self.graph.order(arrival[0])):
            self._deliver(topic, message)
        said: list[tuple[str, Message]] = []
        slot = health_slot(now)
        for runner in self.runners:
            if runner.due(now):
                for topic, message in runner.step(now).items():
                    self._deliver(topic, message)
                    said.append((topic, message))
            report = runner.health(now, slot)
            if report is not None:
                topic = HEALTH + runner.function.name
                self._deliver(topic, report)
                said.append((topic, report))
        return said

    def _deliver(self, topic: str, message: Message) -> None:
        for runner in self._readers.get(topic, ()):
            runner.deliver(topic, message)


def make_executor(graph: Graph, vehicle: Vehicle, config: Path) -> Executor:
    """All functions that fit a vehicle, each with its parameters, ready to run. Raises ConfigError."""
    runners = []
    for function in graph.fitted(vehicle):
        core = core_class(function)
        parameters = load_parameters(core.Parameters, function.name, vehicle, config)
        runners.append(FunctionRunner(function, graph, core(vehicle, parameters)))
    return Executor(graph, runners)
