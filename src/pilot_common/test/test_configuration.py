"""Bad configuration refuses, and says which file, key and rule."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.rules import Pack
from pilot_common.schema import build, merge, parameter, plain
from pilot_common.vehicle import Capability, SensorKind, load_parameters, load_vehicle, vehicle_names


@dataclass(frozen=True)
class Example:
    """Two parameters."""

    speed: float = parameter("m/s", 0, 50, "set speed")
    kinds: tuple[SensorKind, ...] = ()


@pytest.mark.parametrize(
    ("mapping", "rule"),
    [
        ({"spede": 3.0}, r"spede: unknown key, did you mean 'speed'\?"),
        ({}, r"speed: is missing"),
        ({"speed": "fast"}, r"speed: must be a float, found 'fast'"),
        ({"speed": True}, r"speed: must be a float, found True"),
        ({"speed": float("nan")}, r"speed: must be finite"),
        ({"speed": 51.0}, r"speed: must lie in \[0, 50\] m/s, found 51 \(set speed\)"),
        ({"speed_kph": 190}, r"speed_kph: must lie in"),
        ({"speed": 1.0, "speed_kph": 3.6}, r"'speed' is given twice"),
        ({"speed": 1.0, "kinds": ["sonar"]}, r"kinds\[0\]: must be one of camera, radar"),
    ],
)
def test_every_kind_of_bad_value_refuses(mapping, rule):
    with pytest.raises(ConfigError, match=rule) as caught:
        build(Example, mapping, "example.yaml")
    assert caught.value.file == "example.yaml"


def test_people_write_kilometres_an_hour_and_code_reads_si():
    assert build(Example, {"speed_kph": 90, "kinds": ["radar"]}, "x").speed == pytest.approx(25.0)


def test_what_was_built_can_be_written_and_built_again():
    example = build(Example, {"speed": 3, "kinds": ["radar", "lidar"]}, "x")
    assert build(Example, plain(example), "x") == example


def test_differences_win_and_leave_the_rest():
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}) == {"a": {"b": 1, "c": 3}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(config_folder(), tmp_path / "config")
    return tmp_path / "config"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("trigger: world", "trigger: word", "planning.trigger: unknown topic word"),
        ("outputs: [plan]", "outputs: [plan, world]", "world is also written by fusion"),
        ("  plan: {type: Plan", "  plan: {type: Plane", "topics.plan.type: no message type Plane"),
        (", feedback: true, maximum_age_ms: 300", ", maximum_age_ms: 300", "mode flows against the order"),
        ("budget_ms: 25", "budget_s: 25", "unknown key"),
        ("qos: stream", "qos: streaming", "must be one of stream, state, latched, event"),
        (
            "source: lidar",
            "source: lidr",
            "lidar_detections.source: must be one of vehicle, navigation, simulation",
        ),
        ("requires: [camera]", "requires: [camra]", "detection.requires: must be one of camera, radar"),
        ("rate: 20\n", "rate: -20\n", r"supervision.rate: must lie in \[0.1, 1000\] Hz"),
        ("watchdog_ms: 40", "watchdog_ms: 0", r"gate.watchdog_ms: must lie in \[1, 10000\] ms"),
        ("functions:\n", "functions:\n  idle:\n", "functions.idle: must hold keys and values, found None"),
    ],
)
def test_a_graph_that_breaks_a_rule_refuses(config, old, new, rule):
    edit(config / "graph.yaml", old, new)
    with pytest.raises(ConfigError, match=rule):
        load_graph(config)


@dataclass(frozen=True)
class Watching:
    """Parameters that name rule packs."""

    patience: float
    rules: tuple[Pack, ...]


def change(file: Path, old: str, new: str) -> None:
    """An edit a second later than the one before, however coarse the file system's clock."""
    time = file.stat().st_mtime_ns + 1_000_000_000
    edit(file, old, new)
    os.utime(file, ns=(time, time))


def test_files_are_read_once_for_each_version_of_them(config):
    vehicle, file = load_vehicle("sedan_ice", config), config / "parameters" / "watching.yaml"
    file.write_text("patience: 2.0\nrules: [house]\n")

    def parameters(car=vehicle):
        return load_parameters(Watching, "watching", car, config)

    graph, first = load_graph(config), parameters()
    assert load_graph(config) is graph and parameters() is first
    change(config / "graph.yaml", "rate: 20", "rate: 25")
    assert load_graph(config) != graph
    change(file, "2.0", "3.0")
    assert parameters().patience == 3.0
    change(config / "rules" / "house.yaml", "title: ", "title: New ")
    assert parameters().rules[0].title.startswith("New ")
    assert parameters(replace(vehicle, tuning={"watching": {"patience": 4.0}})).patience == 4.0


def test_an_unknown_vehicle_is_refused_with_the_list(config):
    with pytest.raises(ConfigError, match="unknown vehicle; there are city_ev, flagship_ev"):
        load_vehicle("tank", config)


def test_tuning_of_an_unknown_function_is_refused(config):
    (config / "vehicles" / "city_ev" / "tuning.yaml").write_text("plannning: {}\n")
    with pytest.raises(ConfigError, match="plannning: is no function"):
        load_vehicle("city_ev", config)


def test_tuning_that_is_no_mapping_is_refused(config):
    (config / "vehicles" / "city_ev" / "tuning.yaml").write_text("planning: 5\n")
    with pytest.raises(ConfigError, match="planning: must hold keys and values, found 5"):
        load_vehicle("city_ev", config)


def test_every_vehicle_runs_the_functions_it_is_fitted_for(config):
    graph = load_graph(config)
    for name in vehicle_names(config):
        vehicle = load_vehicle(name, config)
        fitted = {function.name for function in graph.fitted(vehicle)}
        assert {"fusion", "control", "gate", "supervision"} <= fitted
        assert ("planning" in fitted) == (Capability.SINGLE_LANE in vehicle.facts.capabilities)
        assert ("detection" in fitted) == bool(vehicle.fitted(SensorKind.CAMERA))
