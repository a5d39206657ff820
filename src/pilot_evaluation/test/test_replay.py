"""A drive that is replayed says the same again, byte by byte, whatever the order of arrival."""

import shutil
from pathlib import Path

import pytest
from rosbags.rosbag2 import Writer

from pilot_common.errors import BagError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.bag import BagReader, BagWriter
from pilot_evaluation.digest import Digest
from pilot_evaluation.message_store import message_store
from pilot_evaluation.replay import replay
from pilot_simulation.lockstep import drive
from pilot_simulation.scenario import load_scenario

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)
SEDAN = load_vehicle("sedan_ice", CONFIG)
SECONDS = 1.6


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A bag of a short drive behind a braking car, and the hash of its outputs."""
    bag = tmp_path_factory.mktemp("replay") / "bag"
    digest = Digest(GRAPH)
    with BagWriter(bag, GRAPH) as writer:
        scenario = load_scenario("follow_and_stop", CONFIG)
        drive(
            SEDAN,
            scenario,
            CONFIG,
            lambda time, topic, message: digest.add(topic, message, writer.write(topic, message, time)),
            seconds=SECONDS,
        )
    return bag, digest.hexdigest()


def test_a_lockstep_drive_replays_without_any_difference(recorded: tuple[Path, str]) -> None:
    bag, expected = recorded
    result = replay(bag, SEDAN, CONFIG)
    assert {name: d.sentence() for name, d in result.differences.items() if not d.none} == {}
    assert result.identical
    assert result.hash == expected
    assert result.seconds == pytest.approx(SECONDS)
    assert {"world", "plan", "command", "actuation", "mode"} <= set(result.differences)
    assert result.outputs["command"] == round(SECONDS * 50) + 1
    assert "truth" not in result.fed


@pytest.mark.parametrize("seed", [1, 2])
def test_the_hash_does_not_depend_on_the_order_of_arrival(recorded: tuple[Path, str], seed: int) -> None:
    bag, expected = recorded
    assert replay(bag, SEDAN, CONFIG, shuffle_seed=seed).hash == expected


def test_another_vehicle_says_something_else(recorded: tuple[Path, str]) -> None:
    bag, expected = recorded
    result = replay(bag, load_vehicle("suv_erev", CONFIG), CONFIG)
    assert result.hash != expected
    assert not result.identical
    assert result.differences["command"].largest["acceleration"] > 0.0


def test_the_bag_of_a_replay_replays_to_the_same_hash(recorded: tuple[Path, str], tmp_path: Path) -> None:
    bag, expected = recorded
    heard: list[str] = []
    done: list[float] = []
    replay(
        bag,
        SEDAN,
        CONFIG,
        out=tmp_path / "out",
        progress=done.append,
        listener=lambda _t, topic, _m: heard.append(topic),
    )
    assert done == sorted(done) and done[-1] > 0.98
    with BagReader(tmp_path / "out", GRAPH) as reader:
        topics = [record.topic for record in reader.messages()]
    again = replay(tmp_path / "out", SEDAN, CONFIG)
    assert topics.count("plan") == again.outputs["plan"]
    assert topics.count("vehicle_state") == again.fed["vehicle_state"]
    assert again.hash == expected
    assert again.identical
    assert heard.count("command") == again.outputs["command"]


def test_a_truncated_bag_is_replayed_as_far_as_it_goes(recorded: tuple[Path, str], tmp_path: Path) -> None:
    bag, _ = recorded
    cut = tmp_path / "cut"
    shutil.copytree(bag, cut)
    file = next(cut.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[: int(0.7 * file.stat().st_size)])
    result = replay(cut, SEDAN, CONFIG)
    assert any("truncated" in note or "damaged" in note for note in result.notes)
    assert 0.0 < result.seconds < SECONDS
    assert result.outputs["command"] > 0


def test_empty_and_foreign_bags_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="no such bag"):
        replay(tmp_path / "nowhere", SEDAN, CONFIG)
    BagWriter(tmp_path / "empty", GRAPH).close()
    with pytest.raises(BagError, match="empty"):
        replay(tmp_path / "empty", SEDAN, CONFIG)
    hello = b"\x00\x01\x00\x00\x03\x00\x00\x00hi\x00"
    with Writer(tmp_path / "other", version=9) as other:
        connection = other.add_connection("/chatter", "std_msgs/msg/String", typestore=message_store().types)
        other.write(connection, 1_000_000_000, hello)
    with pytest.raises(BagError, match=r"of other types. It holds /chatter \(std_msgs/msg/String\)"):
        replay(tmp_path / "other", SEDAN, CONFIG)
    with BagWriter(tmp_path / "silent", GRAPH) as writer:
        writer.add_topic("chatter", "std_msgs/msg/String")
        writer.write_raw("chatter", hello, 1_000_000_000)
    with pytest.raises(BagError, match="of other types"):
        replay(tmp_path / "silent", SEDAN, CONFIG)
