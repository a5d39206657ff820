"""Replays a bag: what sensors and car said goes through all functions again, and what these say is hashed and compared.

Only source topics are fed (never the simulator's truth); everything else, the mode included, is said anew.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.errors import BagError
from pilot_common.graph import Graph, load_graph
from pilot_common.messages import Message
from pilot_common.runner import Executor, make_executor
from pilot_common.vehicle import Vehicle
from pilot_evaluation.bag import BagReader, BagWriter
from pilot_evaluation.differences import Comparison, Difference
from pilot_evaluation.digest import Digest
from pilot_evaluation.importers.foreign import adapter_for
from pilot_evaluation.message_store import MessageStore, message_store
from pilot_evaluation.playback import TOLERANCE, Playback, Tick

TRUTH_SOURCE = "simulation"  # topics from the simulator are no input of any function
PROGRESS_STEP = 0.01
Source = tuple[str, Message]
Progress = Callable[[float], None]
Listener = Callable[[int, str, Message], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """Hash of all outputs, how many there were of each topic, and how they differ from recorded ones, where there are any."""

    hash: str
    seconds: float
    fed: dict[str, int]
    outputs: dict[str, int]
    differences: dict[str, Difference]
    notes: tuple[str, ...]
    foreign: str  # what kind of foreign recording it was, empty for ours
    damaged: bool  # the bag broke off: only what could be read was replayed

    @property
    def identical(self) -> bool:
        """Whether there was something recorded to compare with, and nothing differs."""
        return bool(self.differences) and all(difference.none for difference in self.differences.values())

    def plain(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "hash": self.hash,
            "seconds": self.seconds,
            "fed": self.fed,
            "outputs": self.outputs,
            "identical": self.identical,
            "differences": {
                name: {
                    "recorded": difference.recorded,
                    "replayed": difference.replayed,
                    "matched": difference.matched,
                    "identical": difference.identical,
                    "largest": difference.largest,
                    "mean": difference.mean,
                }
                for name, difference in self.differences.items()
            },
            "notes": list(self.notes),
            "foreign": self.foreign,
            "damaged": self.damaged,
        }


def replay(
    bag: Path,
    vehicle: Vehicle,
    config: Path,
    shuffle_seed: int | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
    listener: Listener | None = None,
) -> ReplayResult:
    """Replays a bag for a vehicle; `out` becomes a bag of inputs and outputs, `listener` hears every output.

    With a `shuffle_seed` the messages arrive in random order within the tolerance, which must not change anything. Raises
    BagError for a bag that cannot be read, is empty, or holds neither our sources nor those of a recording we know.
    """
    graph = load_graph(config)
    with BagReader(bag, graph) as reader:
        sources = source_topics(graph)
        foreign = None if set(sources) & set(reader.own_topics) else adapter_for(reader.types)
        if foreign is None:
            reader.require(sources)
        with _Session(graph, vehicle, config, foreign.withheld if foreign else (), out, listener) as session:
            if foreign is not None:
                messages: Iterable[Source] = foreign.sources(reader, vehicle)
            else:
                messages = _own_sources(reader, graph, session.comparison, progress)
            if shuffle_seed is not None:
                messages = _shuffled(list(messages), session.playback, shuffle_seed)
            session.run(messages)
        if not session.fed:
            raise BagError(f"{bag}: holds nothing that could be fed: no message of {', '.join(sources)}")
        notes = [reader.warning] if reader.warning else []
        title = foreign.title if foreign else ""
        return session.result([*notes, *(foreign.notes if foreign else ())], title, bool(reader.warning))


def source_topics(graph: Graph) -> tuple[str, ...]:
    """What a replay feeds."""
    return tuple(name for name in graph.sources if graph.topics[name].source != TRUTH_SOURCE)


def _own_sources(
    reader: BagReader, graph: Graph, comparison: Comparison, progress: Progress | None
) -> Iterator[Source]:
    """The source messages of our own bag as they were recorded; what functions said goes to the comparison on the way."""
    store, sources, told = message_store(), set(source_topics(graph)), 0.0
    for record in reader.raw(
        [name for name in reader.own_topics if graph.topics[name].source != TRUTH_SOURCE]
    ):
        if record.topic in sources:
            yield record.topic, store.decode(graph.topics[record.topic].message, record.data)
        else:
            comparison.add_recorded(record.topic, record.data)
        done = (record.log_time - reader.start) / max(reader.end - reader.start, 1)
        if progress is not None and done >= told + PROGRESS_STEP:
            told = done
            progress(done)


def _shuffled(messages: list[Source], playback: Playback, seed: int) -> list[Source]:
    """The messages in a random order of arrival, none later than the tolerance allows."""
    delay = np.random.default_rng(seed).uniform(0.0, 0.99 * TOLERANCE, len(messages))
    times = [playback.available(topic, message) for topic, message in messages]
    order = np.argsort(np.array(times, np.int64) + delay.astype(np.int64), kind="stable")
    return [messages[index] for index in order]


def _without(executor: Executor, functions: tuple[str, ...]) -> Executor:
    """The executor without some functions."""
    return Executor(
        executor.graph, [runner for runner in executor.runners if runner.function.name not in functions]
    )


class _Session:
    """One replay at work: executor, digest, comparison and the bag that is written."""

    def __init__(
        self,
        graph: Graph,
        vehicle: Vehicle,
        config: Path,
        withheld: tuple[str, ...],
        out: Path | None,
        listener: Listener | None,
    ) -> None:
        given = {name for function in withheld for name in graph.function(function).outputs}
        self.playback = Playback(graph, vehicle, given)
        self.comparison = Comparison(graph)
        self._store: MessageStore = message_store()
        self._digest = Digest(graph)
        self._executor = _without(make_executor(graph, vehicle, config), withheld)
        self._writer = BagWriter(out, graph) if out is not None else None
        self._listener = listener
        self.fed: dict[str, int] = {}
        self._outputs: dict[str, int] = {}
        self._first: int | None = None
        self._last = 0

    def __enter__(self) -> "_Session":
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def run(self, messages: Iterable[Source]) -> None:
        """Feeds all messages."""
        for topic, message in messages:
            for tick in self.playback.add(topic, message):
                self._step(tick)
        for tick in self.playback.end():
            self._step(tick)

    def _step(self, tick: Tick) -> None:
        self._first = tick.time if self._first is None else self._first
        self._last = tick.time
        for topic, message in tick.arrivals:
            self.fed[topic] = self.fed.get(topic, 0) + 1
            if self._writer is not None:
                self._writer.write(topic, message, tick.time)
        for topic, message in self._executor.advance(tick.time, tick.arrivals):
            cdr = self._store.encode(message)
            self._outputs[topic] = self._outputs.get(topic, 0) + 1
            self._digest.add(topic, message, cdr)
            self.comparison.add_replayed(topic, message, cdr)
            if self._writer is not None:
                self._writer.write_raw(topic, cdr, tick.time)
            if self._listener is not None:
                self._listener(tick.time, topic, message)

    def result(self, notes: list[str], foreign: str, damaged: bool) -> ReplayResult:
        """What came of it."""
        if self.playback.late:
            notes.append(
                f"{self.playback.late} messages came more than {TOLERANCE * 1e-9:g} s out of order and were passed over"
            )
        return ReplayResult(
            hash=self._digest.hexdigest(),
            seconds=0.0 if self._first is None else (self._last - self._first) * 1e-9,
            fed=self.fed,
            outputs=self._outputs,
            differences=self.comparison.result(),
            notes=tuple(notes),
            foreign=foreign,
            damaged=damaged,
        )
