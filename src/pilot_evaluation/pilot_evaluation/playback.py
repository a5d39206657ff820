"""The order of a replay: from messages in any order of arrival to ticks with what had arrived by then.

A source message becomes available at its stamp plus the latency of its kind of sensor, whenever it was recorded. The functions
run at ticks, as in lockstep: one at each `vehicle_state`, the heartbeat of the car; where it is silent, one every period. What
becomes available between ticks arrives at the next. So neither speed nor order of arrival within the tolerance shows.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pilot_common.graph import Graph
from pilot_common.messages import Message, to_nanoseconds
from pilot_common.vehicle import Vehicle
from pilot_evaluation.message_store import message_store

TOLERANCE = 500_000_000  # ns by which arrival may be out of order
HEARTBEAT = "vehicle_state"
Arrival = tuple[str, Message]


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment at which the functions are looked at, and what has arrived since the last."""

    time: int  # ns
    arrivals: list[Arrival]


@dataclass(slots=True)
class _Waiting:
    """A message in the order of its availability, topic, stamp and content."""

    available: int
    order: int
    stamp: int
    topic: str
    message: Message

    def __lt__(self, other: "_Waiting") -> bool:
        own = (self.available, self.order, self.stamp)
        theirs = (other.available, other.order, other.stamp)
        if own != theirs:
            return own < theirs
        return message_store().encode(self.message) < message_store().encode(other.message)


class Playback:
    """Takes source messages as they come and gives ticks in order. `late` counts what came after its time, `in_flight` what was
    still on its way when the recording ended: both are not delivered. `given` are topics that are fed besides the sources.
    """

    def __init__(
        self, graph: Graph, vehicle: Vehicle, given: Iterable[str] = (), tolerance: int = TOLERANCE
    ) -> None:
        self.late = 0
        self._graph = graph
        self._tolerance = tolerance
        self._latency = {name: graph.latency(name, vehicle) for name in (*graph.sources, *given)}
        self._period = round(1e9 / graph.topics[HEARTBEAT].rate)
        self._heap: list[_Waiting] = []
        self._newest = self._released = self._last_tick = -1
        self._pending: list[_Waiting] = []

    @property
    def in_flight(self) -> int:
        """Messages that no tick has delivered."""
        return len(self._heap) + len(self._pending)

    def available(self, topic: str, message: Message) -> int:
        """When a message is there for the functions (ns)."""
        return whole_microseconds(to_nanoseconds(message.stamp)) + self._latency[topic]  # type: ignore[attr-defined]

    def add(self, topic: str, message: Message) -> Iterator[Tick]:
        """Takes one message; gives the ticks that nothing within the tolerance can change any more."""
        available = self.available(topic, message)
        if available <= self._released:
            self.late += 1
            return
        stamp = to_nanoseconds(message.stamp)  # type: ignore[attr-defined]
        heapq.heappush(self._heap, _Waiting(available, self._graph.order(topic), stamp, topic, message))
        self._newest = max(self._newest, available)
        yield from self._release(self._newest - self._tolerance)

    def end(self) -> Iterator[Tick]:
        """The ticks that are left once the recording is over."""
        yield from self._release(self._newest + 1)
        if self._pending and self._pending[-1].available - max(self._last_tick, 0) > self._tolerance:
            yield from self._fill(self._pending[-1].available)  # the heartbeat stopped long before the rest

    def _release(self, until: int) -> Iterator[Tick]:
        while self._heap and self._heap[0].available < until:
            now = self._heap[0].available
            beat = False
            while self._heap and self._heap[0].available == now:
                waiting = heapq.heappop(self._heap)
                self._pending.append(waiting)
                beat |= waiting.topic == HEARTBEAT
            self._released = now
            if beat:
                yield from self._fill(now - self._period // 2)
                yield self._tick(now)

    def _fill(self, until: int) -> Iterator[Tick]:
        """Ticks every period while the heartbeat was silent."""
        if self._last_tick < 0:
            first = self._pending[0].available
            if until - first <= self._period:
                return
            yield self._tick(first)
        while self._last_tick + self._period < until:
            yield self._tick(self._last_tick + self._period)

    def _tick(self, now: int) -> Tick:
        self._last_tick = now
        split = next(
            (i for i, waiting in enumerate(self._pending) if waiting.available > now), len(self._pending)
        )
        arrived, self._pending = self._pending[:split], self._pending[split:]
        return Tick(now, [(waiting.topic, waiting.message) for waiting in arrived])


def whole_microseconds(time: int) -> int:
    """A time in ns rounded to microseconds: float seconds since 1970 are exact to 0.24 µs only, and slots are counted in ns."""
    return (time + 500) // 1000 * 1000
