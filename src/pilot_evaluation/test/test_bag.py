"""Bags: what is written is read, the official tools understand it, and damage costs at most what was not yet flushed."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_run import graph, make_run
from rosbags.rosbag2 import Reader
from rosbags.typesys import get_types_from_msg

from pilot_common.codec import wire_name
from pilot_common.errors import BagError
from pilot_common.messages import field_plans, to_nanoseconds
from pilot_evaluation.bag import BagReader, BagWriter
from pilot_evaluation.digest import Digest
from pilot_evaluation.message_store import definition_folder, message_store
from pilot_evaluation.run import Run


def write(folder: Path, run: Run) -> int:
    count = 0
    with BagWriter(folder, run.graph) as writer:
        messages = [(to_nanoseconds(m.stamp), topic, m) for topic in run.topics for m in run.messages(topic)]
        for time, topic, message in sorted(messages, key=lambda item: item[0]):
            writer.write(topic, message, time)
            count += 1
    return count


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags") / "drive"
    write(folder, make_run(8.0))
    return folder


def same(one, other) -> bool:
    for field in field_plans(type(one)):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.kind == "array":
            if not np.array_equal(a, b) or a.dtype != b.dtype:
                return False
        elif field.kind == "message":
            if not same(a, b):
                return False
        elif field.kind == "time":
            if abs(a - b) > 1e-9:  # messages carry whole nanoseconds
                return False
        elif a != b:
            return False
    return True


def test_every_message_comes_back_as_it_was_written(tmp_path):
    from synthetic_drive import make_run as make_drive

    drive = make_drive(3.0)
    count = write(tmp_path / "bag", drive)
    back = Run.from_bag(tmp_path / "bag", drive.vehicle, drive.graph)
    assert sum(len(back.messages(topic)) for topic in back.topics) == count
    for topic in drive.topics:
        assert all(same(a, b) for a, b in zip(drive.messages(topic), back.messages(topic), strict=True))


def test_a_bag_reads_alike_by_folder_and_by_file(bag):
    by_folder, by_file = (
        [(r.topic, r.log_time) for r in BagReader(path, graph()).messages()]
        for path in (bag, bag / "drive_0.mcap")
    )
    assert by_folder == by_file


def test_metadata_says_what_the_official_player_needs(bag):
    content = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (content["version"], content["storage_identifier"]) == (9, "mcap")
    topics = {row["topic_metadata"]["name"]: row for row in content["topics_with_message_count"]}
    assert content["message_count"] == sum(row["message_count"] for row in topics.values())
    for name, topic in graph().topics.items():
        row = topics[f"/{name}"]["topic_metadata"]
        assert (row["type"], row["serialization_format"]) == (wire_name(topic.message), "cdr")
        assert row["type_description_hash"].startswith("RIHS01_")
        assert row["offered_qos_profiles"][0]["reliability"] in ("reliable", "best_effort")


def test_a_stranger_can_decode_the_bag_by_the_definitions_inside(bag):
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_KILTED)
    with Reader(bag) as reader:
        for connection in reader.connections:
            store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        speeds = [
            store.deserialize_cdr(data, connection.msgtype).speed
            for connection, _, data in reader.messages()
            if connection.topic == "/truth"
        ]
    assert len(speeds) == 161
    assert set(speeds) == {20.0}


def test_type_hashes_are_those_that_ros_computes():
    shares = [
        Path(prefix) / "share" / "pilot_msgs" for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(":")
    ]
    built = next((file for share in shares for file in share.glob("msg/World.json")), None)
    if built is None:
        pytest.skip("pilot_msgs is not built here")
    told = {row["type_name"]: row["hash_string"] for row in json.loads(built.read_text())["type_hashes"]}
    assert message_store().type_hash("pilot_msgs/msg/World") == told["pilot_msgs/msg/World"]


def test_no_recording_is_overwritten(bag):
    with pytest.raises(BagError, match="exists already"):
        BagWriter(bag, graph())


def test_killed_in_the_middle_a_recording_keeps_all_but_the_last_second(tmp_path):
    program = textwrap.dedent(f"""
        import os, signal
        from plain_run import make_run
        from pilot_evaluation.bag import BagWriter
        from pathlib import Path
        run = make_run(6.0)
        writer = BagWriter(Path({str(tmp_path / "bag")!r}), run.graph)
        for message in run.messages("truth"):
            writer.write("truth", message, round(message.stamp * 1e9))
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == -9
    assert (tmp_path / "bag" / "metadata.yaml").exists()
    with BagReader(tmp_path / "bag", graph()) as reader:
        stamps = [record.message.stamp for record in reader.messages()]
        assert "truncated" in reader.warning
        assert f"{len(stamps)} messages" in reader.warning
    assert stamps == sorted(stamps)
    assert stamps[-1] >= 50.0 + 6.0 - 1.0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0))
def test_a_file_cut_anywhere_gives_its_first_messages_or_a_reason(bag, tmp_path, share):
    whole = (bag / "drive_0.mcap").read_bytes()
    file = tmp_path / "cut.mcap"
    file.write_bytes(whole[: int(share * (len(whole) - 1))])
    full = [(r.topic, r.log_time) for r in BagReader(bag, graph()).messages()]
    try:
        with BagReader(file, graph()) as reader:
            read = [(r.topic, r.log_time) for r in reader.messages()]
            assert read and reader.warning
            assert sorted(read) == sorted(full[: len(read)]) or len(read) == len(full)
    except BagError as error:
        assert "cut.mcap" in str(error)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda folder: folder / "nothing", "no such bag"),
        (lambda folder: folder, "empty"),
        (lambda folder: touched(folder / "file.mcap", b""), "empty"),
        (lambda folder: touched(folder / "file.txt", b"words"), "is no bag"),
        (lambda folder: touched(folder / "file.mcap", b"words" * 100), "too damaged"),
        (lambda folder: touched(folder / "file.db3", b"words" * 100), "too damaged"),
        (lambda folder: touched(folder / "metadata.yaml", b"a: [").parent, "too damaged"),
    ],
)
def test_what_is_no_bag_is_refused_in_words(tmp_path, make, words):
    with pytest.raises(BagError, match=words):
        BagReader(make(tmp_path), graph())


def touched(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def test_a_bag_without_messages_is_refused(tmp_path):
    BagWriter(tmp_path / "bag", graph()).close()
    with pytest.raises(BagError, match="no messages"):
        BagReader(tmp_path / "bag", graph())


def test_a_bag_of_other_types_says_what_it_holds_and_what_is_missing(tmp_path):
    with BagWriter(tmp_path / "bag", graph()) as writer:
        writer.add_topic("imu", "std_msgs/msg/Header")
        header = message_store().types.types["std_msgs/msg/Header"]
        time = message_store().types.types["builtin_interfaces/msg/Time"]
        content = header(stamp=time(sec=1, nanosec=0), frame_id="base_link")
        cdr = bytes(message_store().types.serialize_cdr(content, "std_msgs/msg/Header"))
        writer.write_raw("imu", cdr, 1_000_000_000)
    with BagReader(tmp_path / "bag", graph()) as reader:
        with pytest.raises(BagError, match=r"other types.*pilot_msgs/msg/CameraObjects") as caught:
            reader.require(["camera_objects"])
        assert [record.topic for record in reader.raw()] == ["imu"]
    assert "/imu (std_msgs/msg/Header)" in str(caught.value)


def test_a_changed_definition_is_noticed_before_anything_is_misread(bag, tmp_path):
    from pilot_evaluation.message_store import MessageStore

    for file in definition_folder().glob("*.msg"):
        text = file.read_text()
        (tmp_path / file.name).write_text(text + "float64 new_field\n" if file.stem == "Truth" else text)
    with pytest.raises(BagError, match="another definition of pilot_msgs/msg/Truth"):
        BagReader(bag, graph(), MessageStore(tmp_path))


def test_the_digest_does_not_depend_on_the_order_of_arrival():
    run = make_run(2.0)
    entries = [(topic, message) for topic in run.topics for message in run.messages(topic)]
    digests = []
    for order in (entries, entries[::-1], sorted(entries, key=lambda e: e[1].stamp)):
        digest = Digest(run.graph)
        for topic, message in order:
            digest.add(topic, message)
        digests.append(digest.hexdigest())
    assert len(set(digests)) == 1


def test_the_digest_depends_on_every_output_and_on_no_input():
    from dataclasses import replace

    run = make_run(1.0)

    def digest(change_topic="", **change):
        made = Digest(run.graph)
        for topic in run.topics:
            for index, message in enumerate(run.messages(topic)):
                changed = replace(message, **change) if topic == change_topic and index == 3 else message
                made.add(topic, changed)
        return made.hexdigest()

    assert digest("command", acceleration=1e-300) != digest()
    assert digest("truth", speed=1.0) == digest()
