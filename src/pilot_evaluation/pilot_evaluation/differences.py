"""What a replay says beside what was recorded, topic by topic."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pilot_common.graph import Graph
from pilot_common.messages import Message, to_nanoseconds
from pilot_evaluation.message_store import MessageStore, message_store

# What of a message is worth a number, by the name of its class.
FIELDS: Mapping[str, Mapping[str, Callable[[Any], float]]] = {
    "Detections": {"objects": lambda m: len(m.score)},
    "LaneMarks": {"marks": lambda m: len(m.score)},
    "World": {
        "tracks": lambda m: len(m.tracks.identity),
        "ego.speed": lambda m: m.ego.speed,
        "lanes.ego_lane": lambda m: m.lanes.ego_lane,
        "valid": lambda m: m.valid,
    },
    "Plan": {
        "target_speed": lambda m: m.target_speed,
        "lead_gap": lambda m: m.lead_gap,
        "manoeuvre": lambda m: m.manoeuvre,
        "valid": lambda m: m.valid,
    },
    "Command": {"steering_angle": lambda m: m.steering_angle, "acceleration": lambda m: m.acceleration},
    "Actuation": {"steering_angle": lambda m: m.steering_angle, "acceleration": lambda m: m.acceleration},
    "Mode": {"mode": lambda m: m.mode},
    "Health": {"valid": lambda m: m.valid, "missed": lambda m: m.missed},
}

_Unpaired = dict[tuple[str, int], deque[bytes]]  # by topic and stamp, in the order they came


@dataclass(slots=True)
class Difference:
    """One topic: messages recorded and replayed, how many form pairs, and which of these say the same in every field.

    A pair has one stamp, or stamps within half a period where processes ran on clocks of their own. `largest` and `mean` are of
    the differences of each field over all pairs.
    """

    recorded: int = 0
    replayed: int = 0
    matched: int = 0
    identical: int = 0
    largest: dict[str, float] = field(default_factory=dict)
    mean: dict[str, float] = field(default_factory=dict)

    @property
    def none(self) -> bool:
        """Whether the topic is the same in every byte."""
        return self.recorded == self.replayed == self.identical

    def sentence(self) -> str:
        """In words."""
        if self.none:
            return f"{self.replayed} messages, all as recorded"
        told = [
            f"{self.recorded} recorded, {self.replayed} replayed, {self.matched} pairs, {self.identical} identical"
        ]
        told += [f"{name} off by up to {value:.3g}" for name, value in self.largest.items() if value > 0.0]
        return "; ".join(told)


class Comparison:
    """Takes recorded and replayed outputs in any order and pairs them by topic and stamp."""

    def __init__(self, graph: Graph, store: MessageStore | None = None) -> None:
        self._graph = graph
        self._store = store or message_store()
        self._recorded: _Unpaired = {}
        self._replayed: _Unpaired = {}
        self._topics: dict[str, Difference] = {}
        self._gaps: dict[str, dict[str, list[float]]] = {}

    def add_recorded(self, topic: str, cdr: bytes) -> None:
        """Takes a message of the bag."""
        self._topic(topic).recorded += 1
        message = self._decode(topic, cdr)
        self._pair(topic, to_nanoseconds(message.stamp), cdr, self._recorded, self._replayed)  # type: ignore[attr-defined]

    def add_replayed(self, topic: str, message: Message, cdr: bytes) -> None:
        """Takes a message that a function said now."""
        self._topic(topic).replayed += 1
        self._pair(topic, to_nanoseconds(message.stamp), cdr, self._replayed, self._recorded)  # type: ignore[attr-defined]

    def result(self) -> dict[str, Difference]:
        """The topics that were recorded, in the order of the graph. To be called once, at the end."""
        self._pair_nearest()
        for topic, fields in self._gaps.items():
            difference = self._topics[topic]
            for name, values in fields.items():
                total = np.asarray(values)
                difference.largest[name] = float(total.max())
                difference.mean[name] = float(total.sum() / max(difference.matched, 1))
        names = sorted(self._topics, key=self._graph.order)
        return {name: self._topics[name] for name in names if self._topics[name].recorded}

    def _topic(self, topic: str) -> Difference:
        return self._topics.setdefault(topic, Difference())

    def _pair(self, topic: str, stamp: int, cdr: bytes, own: _Unpaired, others: _Unpaired) -> None:
        waiting = others.get((topic, stamp))
        if not waiting:
            own.setdefault((topic, stamp), deque()).append(cdr)
            return
        other = waiting.popleft()
        if not waiting:
            del others[topic, stamp]
        self._compare(topic, cdr, other)

    def _pair_nearest(self) -> None:
        """Pairs what is left with the nearest stamp within half a period."""
        for topic in self._topics:
            left = sorted(stamp for name, stamp in self._replayed if name == topic)
            reach = 0.5e9 / self._graph.topics[topic].rate
            for stamp in sorted(stamp for name, stamp in self._recorded if name == topic):
                place = bisect_left(left, stamp)
                near = min(
                    left[max(place - 1, 0) : place + 1], key=lambda other: abs(other - stamp), default=None
                )
                if near is not None and abs(near - stamp) <= reach:
                    left.remove(near)
                    self._compare(topic, self._recorded[topic, stamp][0], self._replayed[topic, near][0])

    def _compare(self, topic: str, cdr: bytes, other: bytes) -> None:
        difference = self._topic(topic)
        difference.matched += 1
        if other == cdr:
            difference.identical += 1
            return
        one, two = self._decode(topic, cdr), self._decode(topic, other)
        if self._store.encode(one) == self._store.encode(two):  # writers of CDR differ in padding
            difference.identical += 1
            return
        for name, value in FIELDS.get(type(one).__name__, {}).items():
            gaps = self._gaps.setdefault(topic, {}).setdefault(name, [])
            gaps.append(abs(float(value(one)) - float(value(two))))

    def _decode(self, topic: str, cdr: bytes) -> Message:
        return self._store.decode(self._graph.topics[topic].message, cdr)
