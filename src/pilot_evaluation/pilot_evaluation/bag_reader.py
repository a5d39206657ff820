"""Reads bags, ours and foreign, whole and damaged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rosbags.rosbag2 import Reader

from pilot_common.codec import wire_name
from pilot_common.errors import BagError
from pilot_common.graph import Graph
from pilot_common.messages import Message
from pilot_evaluation.bag_recovery import RawRecord, recover
from pilot_evaluation.message_store import MessageStore, message_store

STORAGE_SUFFIXES = (".mcap", ".db3")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message of a bag: the topic without its leading slash, nanoseconds of recording, content."""

    topic: str
    log_time: int
    message: Message


class BagReader:
    """Reads a rosbag2 folder, an .mcap or a .db3 file, ours or foreign. `warning` says what was wrong but could be mended.

    `types` maps each topic that holds messages (without leading slash) to its full type name. Raises BagError for what cannot
    be read at all.
    """

    def __init__(self, path: Path, graph: Graph, store: MessageStore | None = None) -> None:
        self.path = path
        self.warning = ""
        self._graph = graph
        self._store = store or message_store()
        self._reader: Reader | None = None
        self._recovered: list[RawRecord] = []
        self.types: dict[str, str] = {}
        if not path.exists():
            raise BagError(f"{path}: there is no such bag")
        try:
            self._open()
        except FileNotFoundError:
            self._recover("metadata.yaml is missing")
        except BagError:
            raise
        except (
            Exception
        ) as error:  # each storage of the library has errors of its own (struct, sqlite3, yaml, zstd)
            self._recover(str(error) or type(error).__name__)
        if self.count == 0:
            self.close()
            raise BagError(f"{path}: the bag is empty: {len(self.types)} topics, no messages")

    def _open(self) -> None:
        if self.path.is_dir() and not any(self.path.iterdir()):
            raise BagError(f"{self.path}: the folder is empty, it holds no bag")
        if self.path.is_file() and self.path.stat().st_size == 0:
            raise BagError(f"{self.path}: the file is empty")
        if self.path.is_file() and self.path.suffix not in STORAGE_SUFFIXES:
            raise BagError(
                f"{self.path}: is no bag: expected a folder with metadata.yaml, an .mcap or a .db3 file"
            )
        reader = Reader(self.path)
        reader.open()
        self._reader = reader
        spoken = [
            connection for connection in reader.connections if connection.msgcount
        ] or reader.connections
        self.types = {_plain(connection.topic): connection.msgtype for connection in spoken}
        self.count = reader.message_count
        # the library's end lies one nanosecond after the last message
        self.start, self.end = (reader.start_time, reader.end_time - 1) if self.count else (0, 0)
        self._check_definitions()

    def _recover(self, cause: str) -> None:
        self.close()
        files = [self.path] if self.path.is_file() else sorted(self.path.glob("*.mcap"))
        self._recovered, complete = recover([file for file in files if file.suffix == ".mcap"])
        self.types = {record.topic: record.type_name for record in self._recovered}
        self.count = len(self._recovered)
        if not self.count:
            raise BagError(f"{self.path}: no bag, or too damaged to recover anything ({cause})")
        self.start, self.end = self._recovered[0].log_time, self._recovered[-1].log_time
        what = "was recorded without an index" if complete else "is truncated"
        self.warning = f"{self.path}: {what}; recovered {self.count} messages, {self.duration:.1f} s"

    def _check_definitions(self) -> None:
        assert self._reader is not None
        for connection in self._reader.connections:
            ours = self._graph.topics.get(_plain(connection.topic))
            if ours is None or connection.msgtype != wire_name(ours.message) or not connection.digest:
                continue
            if connection.digest != self._store.type_hash(connection.msgtype):
                raise BagError(
                    f"{self.path}: {connection.topic} was recorded with another definition of {connection.msgtype}: "
                    "replay it with the version of Highway Pilot that recorded it"
                )

    @property
    def duration(self) -> float:
        """Seconds from the first to the last message."""
        return (self.end - self.start) * 1e-9

    @property
    def own_topics(self) -> tuple[str, ...]:
        """Topics of the graph that the bag holds with our type."""
        topics = self._graph.topics
        return tuple(n for n, topic in topics.items() if self.types.get(n) == wire_name(topic.message))

    def require(self, topics: Iterable[str]) -> None:
        """Raises BagError unless the bag holds at least one of `topics` with our type, saying what it holds instead."""
        wanted = list(topics)
        if not set(wanted) & set(self.own_topics):
            held = ", ".join(f"/{topic} ({type_name})" for topic, type_name in sorted(self.types.items()))
            missing = ", ".join(f"/{name} ({wire_name(self._graph.topics[name].message)})" for name in wanted)
            raise BagError(
                f"{self.path}: a bag of other types. It holds {held}. Of ours it would need {missing}"
            )

    def messages(self, topics: Iterable[str] | None = None) -> Iterator[Recorded]:
        """Our messages (of all topics of the graph, or those named) in order of recording."""
        wanted = set(self.own_topics if topics is None else topics) & set(self.own_topics)
        classes = {name: self._graph.topics[name].message for name in wanted}
        for record in self.raw(wanted):
            yield Recorded(
                record.topic, record.log_time, self._store.decode(classes[record.topic], record.data)
            )

    def raw(self, topics: Iterable[str] | None = None) -> Iterator[RawRecord]:
        """All messages of any type, undecoded. A file that breaks off in the middle ends there and leaves a `warning`."""
        wanted = set(self.types if topics is None else topics)
        if self._reader is None:
            yield from (record for record in self._recovered if record.topic in wanted)
            return
        connections = [c for c in self._reader.connections if _plain(c.topic) in wanted]
        if not connections:
            return
        read, last = 0, self.start
        try:
            for connection, log_time, data in self._reader.messages(connections):
                yield RawRecord(_plain(connection.topic), connection.msgtype, log_time, data)
                read, last = read + 1, log_time
        except GeneratorExit:
            raise
        except BagError:
            raise
        except Exception as error:  # as above: the library's storages raise what they like
            seconds = (last - self.start) * 1e-9
            self.warning = f"{self.path}: is damaged ({error}); read {read} messages, {seconds:.1f} s"

    def close(self) -> None:
        """Closes the files. Closing twice is harmless."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> "BagReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _plain(topic: str) -> str:
    return topic.removeprefix("/")
