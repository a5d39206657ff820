"""Writes bags: a rosbag2 folder with MCAP storage, our message definitions, type hashes and QoS inside.

What has been flushed survives a kill, and `metadata.yaml` exists from the start.
"""

import os
import textwrap
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from pilot_common.codec import wire_name
from pilot_common.errors import BagError
from pilot_common.graph import Graph, Qos
from pilot_common.messages import Message
from pilot_evaluation.mcap_file import McapWriter
from pilot_evaluation.message_store import MessageStore, message_store

METADATA_VERSION = 9  # of rosbag2 in ROS 2 Kilted
FLUSH_INTERVAL = 1_000_000_000
METADATA_INTERVAL = 5_000_000_000
CHUNK_BYTES = 1 << 20
UNLIMITED = {"sec": 9223372036, "nsec": 854775807}  # rmw's infinite duration
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
        self._writer = McapWriter(self._file, "ros2", "highway-pilot", CHUNK_BYTES)
        self._channels: dict[str, int] = {}
        self._topics: dict[str, str] = {}  # of each its text in metadata.yaml, where only the count changes
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
        metadata = {
            "name": f"/{name}",
            "type": type_name,
            "serialization_format": "cdr",
            "offered_qos_profiles": profiles,
            "type_description_hash": type_hash,
        }
        self._topics[name] = _yaml([{"topic_metadata": metadata}])
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
        elif log_time > self._last:
            self._last = log_time
        elif log_time < self._first:
            self._first = log_time
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
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [file],
            "files": [{"path": file, "starting_time": start, "duration": duration, "message_count": count}],
            "custom_data": None,
            "ros_distro": "kilted",
        }
        temporary = self.folder / "metadata.yaml.new"
        topics = "".join(
            f"{text}  message_count: {self._counts[name]}\n" for name, text in self._topics.items()
        )
        text = _yaml(content) + f"topics_with_message_count:{'' if topics else ' []'}\n{topics}"
        text = "rosbag2_bagfile_information:\n" + textwrap.indent(text, "  ")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, self.folder / "metadata.yaml")


class _NoAliasDumper(_Dumper):  # type: ignore[valid-type,misc]
    """Writes repeated values out: not every reader of metadata.yaml follows anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(content: Any) -> str:
    text: str = yaml.dump(content, Dumper=_NoAliasDumper, sort_keys=False)
    return text
