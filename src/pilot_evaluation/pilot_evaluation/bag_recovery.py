"""What is left of a recording that was never closed: every complete chunk of an MCAP file."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mcap.exceptions import McapError
from mcap.records import Channel, Footer, Message, Schema
from mcap.stream_reader import StreamReader


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One message as its bytes. `topic` has no leading slash; `log_time` in nanoseconds."""

    topic: str
    type_name: str
    log_time: int
    data: bytes


def recover(files: Sequence[Path]) -> tuple[list[RawRecord], bool]:
    """All readable messages in order of recording, and whether every file went on to its proper end."""
    records: list[RawRecord] = []
    complete = bool(files)
    for file in files:
        complete &= _recover_file(file, records)
    records.sort(key=lambda record: record.log_time)
    return records, complete


def _recover_file(file: Path, records: list[RawRecord]) -> bool:
    schemas: dict[int, str] = {}
    channels: dict[int, tuple[str, str]] = {}
    with file.open("rb") as stream:
        try:
            for record in StreamReader(
                stream, validate_crcs=True, record_size_limit=file.stat().st_size
            ).records:
                if isinstance(record, Schema):
                    schemas[record.id] = record.name
                elif isinstance(record, Channel):
                    channels[record.id] = (record.topic.removeprefix("/"), schemas.get(record.schema_id, ""))
                elif isinstance(record, Message) and record.channel_id in channels:
                    records.append(RawRecord(*channels[record.channel_id], record.log_time, record.data))
                elif isinstance(record, Footer):
                    return True
        except (McapError, EOFError, ValueError, struct.error, RuntimeError):
            return False  # the file breaks off here; what came before is kept
    return False
