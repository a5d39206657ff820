"""One drive as arrays: what was recorded or simulated, by topic, ready for criteria and the report."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.graph import Graph
from pilot_common.messages import Message
from pilot_common.types import DriveMode, Manoeuvre
from pilot_common.vehicle import Vehicle
from pilot_evaluation.bag import BagReader

# The modes in which the system's commands reach the actuators.
DRIVING = tuple(mode for mode in DriveMode if mode.system_drives)
CHANGING = (Manoeuvre.LANE_CHANGE_LEFT, Manoeuvre.LANE_CHANGE_RIGHT)
EMERGENCY = (Manoeuvre.EMERGENCY_BRAKE,)


@dataclass(frozen=True, slots=True)
class Others:
    """All other road users at all times in one table of R rows, in order of time. `row` indexes the times of `truth`."""

    row: np.ndarray
    identity: np.ndarray
    class_id: np.ndarray
    position: np.ndarray  # (R, 2), box centre in `map`
    heading: np.ndarray
    speed: np.ndarray
    length: np.ndarray
    width: np.ndarray
    station: np.ndarray
    offset: np.ndarray


class Run:
    """The messages of one drive. Fill it with `add` or `from_bag`; columns are made on demand and kept.

    `real_time` says whether it was driven against the clock, so that ages and deadlines mean something.
    """

    def __init__(self, vehicle: Vehicle, graph: Graph, real_time: bool = True) -> None:
        self.vehicle = vehicle
        self.graph = graph
        self.real_time = real_time
        self.notes: list[str] = []
        self._messages: dict[str, list[Message]] = {}
        self._log_times: dict[str, list[int]] = {}
        self._columns: dict[tuple[str, str], np.ndarray] = {}

    @classmethod
    def from_bag(
        cls,
        path: Path,
        vehicle: Vehicle,
        graph: Graph,
        topics: Iterable[str] | None = None,
        real_time: bool = True,
    ) -> "Run":
        """The run in a bag (all our topics, or those named). Raises BagError; a truncated bag leaves a line in `notes`."""
        run = cls(vehicle, graph, real_time)
        with BagReader(path, graph) as reader:
            for record in reader.messages(topics):
                run.add(record.topic, record.log_time, record.message)
            if reader.warning:
                run.notes.append(reader.warning)
        return run

    def add(self, topic: str, log_time: int, message: Message) -> None:
        """Takes one message; `log_time` in nanoseconds."""
        self._messages.setdefault(topic, []).append(message)
        self._log_times.setdefault(topic, []).append(log_time)

    def messages(self, topic: str) -> list[Any]:
        """The messages of a topic in the order they came (an empty list where there were none)."""
        return self._messages.get(topic, [])

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that hold messages."""
        return tuple(self._messages)

    def column(self, topic: str, path: str) -> np.ndarray:
        """One field of every message of a topic as an array, `path` as in `ego.speed`. Only for scalar fields."""
        key = (topic, path)
        if key not in self._columns:
            values = map(attrgetter(path), self.messages(topic))
            self._columns[key] = np.array(list(values))
        return self._columns[key]

    def time(self, topic: str) -> np.ndarray:
        """Stamps of a topic's messages, in seconds since the start of the run."""
        return self.column(topic, "stamp") - self.start if self.messages(topic) else np.empty(0)

    def log_time(self, topic: str) -> np.ndarray:
        """Nanoseconds at which a topic's messages were recorded."""
        return np.array(self._log_times.get(topic, ()), np.int64)

    def held(self, topic: str, path: str, at: np.ndarray, before: float = 0) -> np.ndarray:
        """A field as it stood at times `at` (s since start): the latest message's value, `before` ahead of the first."""
        if not self.messages(topic):
            return np.full(len(at), before)
        index = np.searchsorted(self.time(topic), at + 1e-9, side="right") - 1
        values = self.column(topic, path)[np.maximum(index, 0)]
        return np.where(index >= 0, values, before)

    @cached_property
    def start(self) -> float:
        """Stamp of the first truth, or of the first message where there is no truth."""
        first = self.messages("truth")[:1] or [
            messages[0] for messages in self._messages.values() if messages
        ]
        return min((message.stamp for message in first), default=0.0)

    @property
    def duration(self) -> float:
        """Seconds from the first to the last truth (or vehicle state, where there is no truth)."""
        time = self.time("truth") if self.messages("truth") else self.time("vehicle_state")
        return float(time[-1] - time[0]) if len(time) else 0.0

    @cached_property
    def driving(self) -> np.ndarray:
        """Whether the system drove, at each time of `truth`."""
        return np.isin(self.held("mode", "mode", self.time("truth"), DriveMode.OFF), DRIVING)

    @cached_property
    def changing_lane(self) -> np.ndarray:
        """Whether the car was changing lanes, at each time of `truth`."""
        return self.driving & np.isin(self.held("plan", "manoeuvre", self.time("truth")), CHANGING)

    @cached_property
    def emergency(self) -> np.ndarray:
        """Whether the plan was to brake in an emergency, at each time of `truth`."""
        return np.isin(self.held("plan", "manoeuvre", self.time("truth")), EMERGENCY)

    @cached_property
    def others(self) -> Others:
        """All other road users of `truth` in one table."""
        truths = self.messages("truth")

        def joined(name: str, shape: tuple[int, ...] = (0,)) -> np.ndarray:
            return np.concatenate([getattr(truth, name) for truth in truths]) if truths else np.empty(shape)

        counts = np.array([len(truth.identity) for truth in truths], np.int64)
        extent = joined("extent", (0, 3))
        return Others(
            row=np.repeat(np.arange(len(truths)), counts),
            identity=joined("identity"),
            class_id=joined("class_id"),
            position=joined("position", (0, 2)),
            heading=joined("heading"),
            speed=joined("speed_other"),
            length=extent[:, 0],
            width=extent[:, 1],
            station=joined("station_other"),
            offset=joined("offset_other"),
        )
