"""Mistakes of people: each command says in one line what is wrong and where, ends with code 2, and shows no traceback."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [str(package) for package in sorted((ROOT / "src").iterdir())]


@dataclass
class Outcome:
    code: int
    out: str
    error: str

    @property
    def answer(self):
        """The JSON object on the last line of standard output."""
        return json.loads(self.out.splitlines()[-1])


def pilot(*words, folder=None, sources=None):
    """Runs the command line as people do, but for the set-up, which is done by now."""
    path = os.pathsep.join([*(sources or SOURCES), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pilot_bringup.cli", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def refused(outcome, *words):
    """Code 2, no traceback, and a message that holds all the words."""
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.out + outcome.error
    for word in words:
        assert word in outcome.error, outcome.error
    return True


@pytest.fixture
def own_house(tmp_path):
    """A copy of the sources and the configuration, to be spoilt. Returns (run, configuration folder)."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(
        ROOT / "src",
        tmp_path / "src",
        ignore=shutil.ignore_patterns("test", "__pycache__", "config", "launch"),
    )
    sources = [str(package) for package in sorted((tmp_path / "src").iterdir())]
    return lambda *words: pilot(*words, folder=tmp_path, sources=sources), tmp_path / "config"


def spoil(file, *keys, value):
    """Sets one value of a YAML file, or removes it where the value is None."""
    content = yaml.safe_load(file.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    file.write_text(yaml.safe_dump(content))


COMMANDS = [("drive",), ("simulate",)]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_vehicle(command, tmp_path):
    outcome = pilot(*command, "--vehicle", "hovercraft", "--json", folder=tmp_path)
    assert refused(outcome, "hovercraft", "unknown vehicle", "sedan_ice")
    assert outcome.answer["verdict"] == "fail"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_scenario(command, tmp_path):
    outcome = pilot(*command, "--scenario", "moon", folder=tmp_path)
    assert refused(outcome, "moon", "busy_motorway")
    assert not list(tmp_path.iterdir())


def test_a_misspelt_parameter(own_house):
    run, config = own_house
    spoil(config / "vehicles" / "sedan_ice" / "tuning.yaml", "planning", value={"time_gapp": 1.0})
    assert refused(run("simulate"), "tuning.yaml", "planning.time_gapp", "unknown key")


def test_a_parameter_of_the_wrong_type(own_house):
    run, config = own_house
    spoil(config / "vehicles" / "sedan_ice" / "facts.yaml", "dimensions", "length", value="long")
    assert refused(run("simulate"), "facts.yaml", "dimensions.length", "must be a float", "'long'")


def test_a_missing_parameter(own_house):
    run, config = own_house
    spoil(config / "vehicles" / "sedan_ice" / "facts.yaml", "body", "mass", value=None)
    assert refused(run("simulate"), "facts.yaml", "body.mass", "missing")


def test_a_value_out_of_range(own_house):
    run, config = own_house
    spoil(config / "vehicles" / "sedan_ice" / "facts.yaml", "body", "mass", value=50)
    assert refused(run("simulate"), "facts.yaml", "body.mass", "[500, 5000] kg")


def test_broken_yaml_names_the_line(own_house):
    run, config = own_house
    (config / "vehicles" / "sedan_ice" / "sensors.yaml").write_text("sensors:\n  - {name: one\nkind: [\n")
    assert refused(run("simulate"), "sensors.yaml", "line", "not valid YAML")


def test_a_vehicle_that_is_faster_than_it_can_see(own_house):
    """130 km/h with 60 m of sight."""
    run, config = own_house
    file = config / "vehicles" / "sedan_ice" / "sensors.yaml"
    content = yaml.safe_load(file.read_text())
    for sensor in content["sensors"]:
        sensor["range"] = min(sensor["range"], 60)
    file.write_text(yaml.safe_dump(content))
    outcome = run("simulate", "--json")
    assert refused(outcome, "facts.yaml", "max_speed", "130 km/h")
    listed = run("vehicles", "--json")
    assert listed.code == 2
    assert set(listed.answer["errors"]) == {"sedan_ice"}


def test_a_misspelt_criterion(own_house):
    run, config = own_house
    spoil(config / "scenarios" / "cut_in.yaml", "criteria", value={"minimal_gap": 3})
    assert refused(run("simulate", "--scenario", "cut_in"), "minimal_gap", "minimum_gap")


def test_a_wrong_key_in_a_scenario(own_house):
    run, config = own_house
    spoil(config / "scenarios" / "cut_in.yaml", "ego", "spead", value=3)
    assert refused(run("drive", "--scenario", "cut_in"), "cut_in.yaml", "ego.spead", "speed")


def test_results_are_never_written_over_something_else(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert refused(pilot("simulate", "--out", tmp_path), "something else")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A short drive, simulated."""
    folder = tmp_path_factory.mktemp("drive")
    outcome = pilot(
        "simulate", "--scenario", "free_motorway", "--seconds", "4", "--no-report", "--out", folder / "out"
    )
    assert outcome.code in (0, 1), outcome
    return folder / "out" / "bag"


def test_a_bag_that_is_not_there(tmp_path):
    assert refused(pilot("replay", tmp_path / "nothing", folder=tmp_path), "no such bag")
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_an_empty_bag(tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused(pilot("replay", tmp_path / "empty", folder=tmp_path), "empty")


def test_a_file_that_is_no_bag(tmp_path):
    (tmp_path / "letter.mcap").write_text("dear reader " * 50)
    assert refused(pilot("replay", tmp_path / "letter.mcap", folder=tmp_path), "letter.mcap", "no bag")


def test_a_bag_of_other_types(tmp_path):
    sys.path[:0] = [path for path in SOURCES if path not in sys.path]
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_KILTED)
    with Writer(tmp_path / "foreign", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/chatter", "std_msgs/msg/String", typestore=store)
        text = store.types["std_msgs/msg/String"](data="hello")
        writer.write(connection, 10, store.serialize_cdr(text, "std_msgs/msg/String"))
    outcome = pilot("replay", tmp_path / "foreign", folder=tmp_path)
    assert refused(outcome, "other types", "/chatter (std_msgs/msg/String)", "pilot_msgs/msg/VehicleState")


def test_a_truncated_bag_is_replayed_as_far_as_it_goes(bag, tmp_path):
    (file,) = bag.glob("*.mcap")
    shutil.copytree(bag, tmp_path / "cut")
    cut = tmp_path / "cut" / file.name
    cut.write_bytes(file.read_bytes()[: int(0.6 * file.stat().st_size)])
    outcome = pilot("replay", tmp_path / "cut", "--vehicle", "sedan_ice", "--out", tmp_path / "out", "--json")
    assert refused(outcome, "truncated", "recovered")
    assert outcome.answer["hash"] and outcome.answer["outputs"]
    assert outcome.answer["criteria"]["complete"]["pass"] is False
    assert (tmp_path / "out" / "bag" / "metadata.yaml").exists()


def test_the_whole_bag_replays_to_what_was_recorded(bag, tmp_path):
    outcomes = [
        pilot("replay", bag, "--out", tmp_path / name, "--json", *words)
        for name, words in (("plain", ()), ("shuffled", ("--shuffle", "5")))
    ]
    outcomes.append(pilot("replay", bag.parent, "--out", tmp_path / "by the folder of the results", "--json"))
    assert [outcome.code for outcome in outcomes] == [0, 0, 0]
    summary = json.loads((bag.parent / "summary.json").read_text())
    assert {outcome.answer["hash"] for outcome in outcomes} == {summary["hash"]}
    assert all(outcome.answer["identical"] for outcome in outcomes)


def test_a_replay_with_another_car_says_so(bag, tmp_path):
    outcome = pilot("replay", bag, "--vehicle", "city_ev", "--out", tmp_path / "out")
    assert outcome.code == 0
    assert "recorded with sedan_ice, replayed with city_ev" in outcome.out


@pytest.mark.parametrize(
    "words, expected",
    [
        (("import", "commonroad", "nowhere.xml"), "nowhere.xml"),
        (("import", "kitti", "nowhere", "--sequence", "0000"), "nowhere"),
        (("import", "kitti", "nowhere"), "--sequence"),
        (("import", "waymo", "file"), "waymo"),
        (("import",), "commonroad"),
    ],
)
def test_imports_of_what_is_not_there(words, expected, tmp_path):
    assert refused(pilot(*words, folder=tmp_path), expected)


def test_an_xml_file_that_is_no_scenario(tmp_path):
    (tmp_path / "menu.xml").write_text("<menu><soup/></menu>")
    assert refused(pilot("import", "commonroad", tmp_path / "menu.xml", folder=tmp_path), "menu.xml")
