"""An MCAP file of LZ4 chunks (https://mcap.dev/spec) with indices and summary, as the format's own library writes it.

All records but one are that library's; the message, which there are hundreds of in a second of a drive, is packed here in one
step, in a fifth of the time.
"""

import zlib
from struct import Struct
from typing import IO

import lz4.frame
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    Schema,
    Statistics,
    SummaryOffset,
)

MAGIC = b"\x89MCAP0\r\n"
MESSAGE = Struct("<BQHIQQ")  # opcode, length of what follows, channel, sequence, log time, publish time
MESSAGE_HEAD = MESSAGE.size - 9  # bytes of a message's record that its length counts, before the data
INDEX_HEAD = Struct("<BQHI")  # opcode, length, channel, bytes of entries
INDEX_ENTRY = Struct("<QQ")  # log time, offset within the chunk
SUMMARY_START = Struct("<BQQQ")  # the footer up to its checksum, which covers it


class McapWriter:
    """Writes into an open binary stream, which stays the caller's."""

    def __init__(self, stream: IO[bytes], profile: str, library: str, chunk_bytes: int) -> None:
        self._stream = stream
        self._chunk_bytes = chunk_bytes
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self._counts: list[int] = [0]  # by channel; there is no channel 0
        self._chunk_indices: list[ChunkIndex] = []
        self._first = self._last = 0  # log times of all messages
        self._empty_chunk()
        stream.write(MAGIC + _records(Header(profile, library)))

    def _empty_chunk(self) -> None:
        self._chunk = bytearray()
        self._entries: dict[int, bytearray] = {}
        self._chunk_first = self._chunk_last = -1

    def register_schema(self, name: str, encoding: str, data: bytes) -> int:
        """Declares a type; returns its number."""
        self._schemas.append(Schema(id=len(self._schemas) + 1, data=data, encoding=encoding, name=name))
        self._chunk += _records(self._schemas[-1])
        return len(self._schemas)

    def register_channel(
        self, topic: str, message_encoding: str, schema_id: int, metadata: dict[str, str]
    ) -> int:
        """Declares a topic; returns its number."""
        number = len(self._channels) + 1
        self._channels.append(
            Channel(
                id=number,
                topic=topic,
                message_encoding=message_encoding,
                schema_id=schema_id,
                metadata=metadata,
            )
        )
        self._counts.append(0)
        self._chunk += _records(self._channels[-1])
        return number

    def add_message(self, channel: int, log_time: int, data: bytes, publish_time: int) -> None:
        """Takes a message; times in ns. It is in the file after the next `flush`, or once a chunk is full."""
        chunk = self._chunk
        entries = self._entries.get(channel)
        if entries is None:
            entries = self._entries[channel] = bytearray()
        entries += INDEX_ENTRY.pack(log_time, len(chunk))
        chunk += MESSAGE.pack(Opcode.MESSAGE, MESSAGE_HEAD + len(data), channel, 0, log_time, publish_time)
        chunk += data
        self._counts[channel] += 1
        if self._chunk_first < 0:
            self._chunk_first = self._chunk_last = log_time
        elif log_time > self._chunk_last:
            self._chunk_last = log_time
        elif log_time < self._chunk_first:
            self._chunk_first = log_time
        if len(chunk) > self._chunk_bytes:
            self._end_chunk()

    def flush(self) -> None:
        """Ends the chunk and hands all to the operating system."""
        self._end_chunk()
        self._stream.flush()

    def _end_chunk(self) -> None:
        """Writes the chunk with its message indices; without messages it waits for some."""
        if not self._entries:
            return
        content, first, last = bytes(self._chunk), self._chunk_first, self._chunk_last
        compressed = lz4.frame.compress(content)
        chunk = _records(
            Chunk(
                compression="lz4",
                data=compressed,
                message_start_time=first,
                message_end_time=last,
                uncompressed_crc=zlib.crc32(content),
                uncompressed_size=len(content),
            )
        )
        start = self._stream.tell()
        offsets, indices = {}, bytearray()
        for channel, entries in self._entries.items():
            offsets[channel] = start + len(chunk) + len(indices)
            indices += INDEX_HEAD.pack(Opcode.MESSAGE_INDEX, 6 + len(entries), channel, len(entries))
            indices += entries
        self._stream.write(chunk)
        self._stream.write(indices)
        self._first = min(self._first, first) if self._chunk_indices else first
        self._last = max(self._last, last)
        self._chunk_indices.append(
            ChunkIndex(
                message_start_time=first,
                message_end_time=last,
                chunk_start_offset=start,
                chunk_length=len(chunk),
                message_index_offsets=offsets,
                message_index_length=len(indices),
                compression="lz4",
                compressed_size=len(compressed),
                uncompressed_size=len(content),
            )
        )
        self._empty_chunk()

    def finish(self) -> None:
        """Writes the summary; nothing can be added afterwards."""
        self._end_chunk()
        self._stream.write(_records(DataEnd(0)))
        start = self._stream.tell()
        summary, offsets = bytearray(), []
        groups: list[tuple[Opcode, list[McapRecord]]] = [
            (Opcode.SCHEMA, [*self._schemas]),
            (Opcode.CHANNEL, [*self._channels]),
            (Opcode.STATISTICS, [self._statistics()]),
            (Opcode.CHUNK_INDEX, [*self._chunk_indices]),
            (Opcode.ATTACHMENT_INDEX, []),  # none of these two, but the library names their place
            (Opcode.METADATA_INDEX, []),
        ]
        for opcode, records in groups:
            content = _records(*records)
            offsets.append(SummaryOffset(opcode, start + len(summary), len(content)))
            summary += content
        offset_start = start + len(summary)
        summary += _records(*offsets)
        checked = bytes(summary) + SUMMARY_START.pack(Opcode.FOOTER, 20, start, offset_start)
        footer = Footer(
            summary_start=start, summary_offset_start=offset_start, summary_crc=zlib.crc32(checked)
        )
        self._stream.write(bytes(summary) + _records(footer) + MAGIC)

    def _statistics(self) -> Statistics:
        counts = {channel: count for channel, count in enumerate(self._counts) if count}
        return Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=counts,
            chunk_count=len(self._chunk_indices),
            message_count=sum(self._counts),
            metadata_count=0,
            message_start_time=self._first,
            message_end_time=self._last,
            schema_count=len(self._schemas),
        )


def _records(*records: McapRecord) -> bytes:
    builder = RecordBuilder()
    for record in records:
        record.write(builder)
    content: bytes = builder.end()
    return content
