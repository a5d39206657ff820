"""The file we write is the file that the format's own library writes."""

import io
from typing import Any

import numpy as np
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from pilot_evaluation.mcap_file import McapWriter

CHUNK_BYTES = 4000


def filled(writer: Any, seed: int = 1) -> None:
    """Two topics, some hundred messages out of order in time, a flush in between."""
    draw = np.random.default_rng(seed)
    schema = writer.register_schema("pilot_msgs/msg/Any", "ros2msg", b"float64 x\n")
    channels = [writer.register_channel(f"/{name}", "cdr", schema, {"a": "b"}) for name in ("one", "two")]
    for number in range(300):
        time = 10_000 + 100 * number + int(draw.integers(500))
        channel = channels[0 if number == 0 else int(draw.integers(2))]
        writer.add_message(channel, time, draw.bytes(int(draw.integers(200))), time - 5)
        if number == 120:
            writer.flush()
    writer.register_channel("/silent", "cdr", schema, {})


def ours() -> bytes:
    """The file by our writer."""
    stream = io.BytesIO()
    writer = McapWriter(stream, "ros2", "test", CHUNK_BYTES)
    filled(writer)
    writer.finish()
    return stream.getvalue()


def theirs() -> bytes:
    """The file by the library."""
    stream = io.BytesIO()
    writer = Writer(stream, chunk_size=CHUNK_BYTES, compression=CompressionType.LZ4)
    writer.start("ros2", "test")
    filled(writer)
    writer.finish()
    return stream.getvalue()


def test_every_byte_is_that_of_the_library() -> None:
    assert ours() == theirs()


def test_all_messages_are_read_back_in_order_of_time_and_with_right_checksums() -> None:
    reader = make_reader(io.BytesIO(ours()), validate_crcs=True)
    times = [message.log_time for _, _, message in reader.iter_messages()]
    assert len(times) == 300 and times == sorted(times)
    summary = reader.get_summary()
    assert summary is not None and summary.statistics is not None
    assert summary.statistics.message_count == 300


def test_a_file_without_messages_can_be_read() -> None:
    stream = io.BytesIO()
    McapWriter(stream, "ros2", "test", CHUNK_BYTES).finish()
    stream.seek(0)
    assert list(make_reader(stream).iter_messages()) == []
