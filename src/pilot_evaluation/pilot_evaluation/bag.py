"""Bags as ROS 2 writes and plays them: a rosbag2 folder with MCAP storage, our message definitions and QoS inside.

What a writer has flushed survives a kill: `BagReader` recovers every complete chunk, and `metadata.yaml` exists from the start.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from mcap.writer import CompressionType, Writer
from rosbags.rosbag2 import Reader

from pilot_common.codec import wire_name
from pilot_common.errors import BagError
from pilot_common.graph import Graph, Qos
from pilot_common.messages import Message
from pilot_evaluation.bag_recovery import RawRecord, recover
from pilot_evaluation.message_store import MessageStore, message_store

METADATA_VERSION = 9  # of rosbag2 in ROS 2 Kilted
FLUSH_INTERVAL = 1_000_000_000
METADATA_INTERVAL = 5_000_000_000
CHUNK_BYTES = 1 << 20
UNLIMITED = {"sec": 9223372036, "nsec": 854775807}  # rmw's infinite duration
STORAGE_SUFFIXES = (".mcap", ".db3")
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def offered_qos(qos: Qos) -> list[dict[str, Any]]:
    """The profile of a topic's writer in the words of rosbag2's metadata."""
    profile = qos.profile
    return [
        {
            "history": "keep_last",
            "depth": profile.depth,
            "reliability": "reliable" if profile.reliable else "best_effort",
            "durability": "transient_local" if profile.latched else "volatile",
            "deadline": UNLIMITED,
            "lifespan": UNLIMITED,
            "liveliness": "automatic",
            "liveliness_lease_duration": UNLIMITED,
            "avoid_ros_namespace_conventions": False,
        }
    ]


class BagWriter:
    """Writes the recorded topics of the graph into a new folder. Raises BagError where the folder exists already."""

    def __init__(self, folder: Path, graph: Graph, store: MessageStore | None = None) -> None:
        self.folder = folder
        self._store = store or message_store()
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise BagError(f"{folder}: exists already and is not overwritten") from None
        except OSError as error:
            raise BagError(f"{folder}: cannot be made: {error.strerror}") from None
        self._file = (folder / f"{folder.name}_0.mcap").open("wb")
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._writer.start("ros2", "highway-pilot")
        self._channels: dict[str, int] = {}
        self._topics: dict[str, dict[str, Any]] = {}
        self._schemas: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._first = self._last = self._flushed = self._described = -1
        for name in graph.recorded:
            topic = graph.topics[name]
            self.add_topic(name, wire_name(topic.message), topic.qos)
        self._write_metadata()

    def add_topic(self, name: str, type_name: str, qos: Qos = Qos.EVENT) -> None:
        """Declares a topic besides those of the graph, of any standard or own type. Raises BagError for an unknown type."""
        if type_name not in self._schemas:
            definition = self._store.definition(type_name).encode()
            self._schemas[type_name] = self._writer.register_schema(type_name, "ros2msg", definition)
        profiles, type_hash = offered_qos(qos), self._store.type_hash(type_name)
        text = yaml.dump(profiles, Dumper=_Dumper, sort_keys=False)
        self._channels[name] = self._writer.register_channel(
            f"/{name}",
            "cdr",
            self._schemas[type_name],
            {"offered_qos_profiles": text, "topic_type_hash": type_hash},
        )
        self._topics[name] = {
            "name": f"/{name}",
            "type": type_name,
            "serialization_format": "cdr",
            "offered_qos_profiles": profiles,
            "type_description_hash": type_hash,
        }
        self._counts[name] = 0

    def write(self, topic: str, message: Message, log_time: int) -> bytes:
        """Writes a message at `log_time` (ns) and returns its CDR bytes, for who wants to hash them."""
        cdr = self._store.encode(message)
        self.write_raw(topic, cdr, log_time)
        return cdr

    def write_raw(self, topic: str, cdr: bytes, log_time: int, publish_time: int | None = None) -> None:
        """Writes CDR bytes as they came; `publish_time` (ns) is the sender's, where it is known."""
        self._writer.add_message(
            self._channels[topic], log_time, cdr, log_time if publish_time is None else publish_time
        )
        self._counts[topic] += 1
        if self._first < 0:
            self._first = self._last = self._flushed = self._described = log_time
        self._first, self._last = min(self._first, log_time), max(self._last, log_time)
        if log_time - self._flushed >= FLUSH_INTERVAL:
            self.flush()

    def flush(self) -> None:
        """Hands all that was written to the operating system, where a kill cannot lose it."""
        self._writer.flush()
        self._flushed = self._last
        if self._last - self._described >= METADATA_INTERVAL:
            self._write_metadata()

    def close(self) -> None:
        """Writes the index; afterwards the bag is complete. Closing twice is harmless."""
        if self._file.closed:
            return
        self._writer.finish()
        self._file.close()
        self._write_metadata()

    def __enter__(self) -> "BagWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_metadata(self) -> None:
        """Replaces `metadata.yaml` in one step, so that a reader never sees half of it."""
        self._described = self._last
        file = Path(self._file.name).name
        start = {"nanoseconds_since_epoch": max(self._first, 0)}
        duration = {"nanoseconds": self._last - self._first}
        count = sum(self._counts.values())
        content = {
            "version": METADATA_VERSION,
            "storage_identifier": "mcap",
            "duration": duration,
            "starting_time": start,
            "message_count": count,
            "topics_with_message_count": [
                {"topic_metadata": topic, "message_count": self._counts[name]}
                for name, topic in self._topics.items()
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [file],
            "files": [{"path": file, "starting_time": start, "duration": duration, "message_count": count}],
            "custom_data": None,
            "ros_distro": "kilted",
        }
        temporary = self.folder / "metadata.yaml.new"
        text = yaml.dump({"rosbag2_bagfile_information": content}, Dumper=_NoAliasDumper, sort_keys=False)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, self.folder / "metadata.yaml")


class _NoAliasDumper(_Dumper):  # type: ignore[valid-type,misc]
    """Writes repeated values out: not every reader of metadata.yaml follows anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


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
