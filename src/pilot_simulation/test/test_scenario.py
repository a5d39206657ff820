"""Scenarios load strictly, say what is wrong in words, and can be driven by every vehicle."""

import pytest
import yaml

from pilot_common.errors import ConfigError, ScenarioError
from pilot_common.folders import config_folder
from pilot_common.vehicle import vehicle_names
from pilot_simulation.field_tables import page
from pilot_simulation.scenario import (
    DEFAULT_SCENARIO,
    Event,
    Fault,
    FaultKind,
    load_scenario,
    scenario_names,
)
from pilot_simulation.simulation import Simulation

CONFIG = config_folder()


@pytest.fixture
def write(tmp_path):
    """A scenario file, the free motorway with some keys changed (None: left out)."""

    def make(**changes):
        content = yaml.safe_load((CONFIG / "scenarios" / "free_motorway.yaml").read_text(encoding="utf-8"))
        content = {key: value for key, value in (content | changes).items() if value is not None}
        file = tmp_path / "mine.yaml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return file

    return make


@pytest.mark.parametrize("name", scenario_names(CONFIG))
@pytest.mark.parametrize("vehicle_name", vehicle_names(CONFIG))
def test_every_vehicle_can_start_every_scenario(name, vehicle_name, vehicle):
    scenario = load_scenario(name, CONFIG)
    simulation = Simulation(vehicle(vehicle_name), scenario, CONFIG)
    try:
        messages = [due for _ in range(6) for due in simulation.step(None, None)]
    finally:
        simulation.close()
    topics = {topic for _, topic, _ in messages}
    assert {"vehicle_state", "truth", "camera_objects", "radar_returns"} <= topics
    truth = next(message for _, topic, message in messages if topic == "truth")
    assert truth.lane == scenario.ego.lane
    assert truth.contact_identity == 0
    assert abs(truth.lane_offset) < 0.01


def test_the_default_scenario_is_there():
    assert DEFAULT_SCENARIO in scenario_names(CONFIG)


def test_an_unknown_scenario_names_those_that_there_are():
    with pytest.raises(ScenarioError, match=r"no scenario 'moon'.*busy_motorway.*free_motorway"):
        load_scenario("moon", CONFIG)


def test_a_scenario_loads_from_a_file_and_from_a_folder(write, tmp_path):
    file = write(title="Mine")
    assert load_scenario(file, CONFIG).name == "mine"
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_scenario(folder, CONFIG).name == "recorded"


def test_a_misspelt_key_is_named_with_its_near_neighbour(write):
    with pytest.raises(ConfigError, match=r"drivr.*did you mean 'driver'"):
        load_scenario(write(driver=None, drivr={}), CONFIG)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ego": {"lane": 5, "station": 100, "speed": 20}}, "lane 5, but the road has 3 lanes"),
        ({"ego": {"speed": 20}}, "either a pose or both lane and station"),
        ({"duration": -3}, r"duration: must lie in \[0.5"),
        ({"road": None}, "either a road or a recording"),
        ({"actors": [{"station": 10, "speed": 3}]}, r"actors\[0\].*either a lane or an offset"),
        ({"faults": [{"time": 1, "kind": "sensor_lost"}]}, "needs a sensor"),
        ({"faults": [{"time": 1, "kind": "burnt"}]}, "must be one of sensor_lost, function_killed"),
        ({"road": {"lanes": 2, "lane_width": 3.5, "speed_limit": 0, "segments": []}}, "at least one segment"),
    ],
)
def test_what_is_wrong_is_said_in_words(write, changes, words):
    with pytest.raises(ConfigError, match=words):
        load_scenario(write(**changes), CONFIG)


def test_a_recording_that_is_not_there_is_named(write):
    with pytest.raises(ScenarioError, match=r"no such file.*gone\.npz"):
        load_scenario(write(road=None, recording={"file": "gone.npz", "source": "nothing"}), CONFIG)


def test_an_event_needs_one_trigger_and_something_to_do():
    with pytest.raises(ValueError, match="either a time or a gap"):
        Event(time=1.0, gap=20.0, speed=3.0)
    with pytest.raises(ValueError, match="a speed, a lane or both"):
        Event(time=1.0)


def test_a_sensor_or_function_that_does_not_exist_cannot_fail(scenario, sedan):
    lost = Fault(time=1.0, kind=FaultKind.SENSOR_LOST, sensor="roof_lidar")
    with pytest.raises(ScenarioError, match="sedan_ice has no sensor 'roof_lidar'; it has front_camera"):
        Simulation(sedan, scenario(faults=(lost,)), CONFIG)
    killed = Fault(time=1.0, kind=FaultKind.FUNCTION_KILLED, function="thinking")
    with pytest.raises(ScenarioError, match="no function 'thinking' to kill; there are detection"):
        Simulation(sedan, scenario(faults=(killed,)), CONFIG)


def test_the_page_of_fields_is_that_of_the_dataclasses():
    file = CONFIG.parent / "docs" / "scenarios.md"
    assert file.read_text(encoding="utf-8") == page(), (
        "python -m pilot_simulation.field_tables docs/scenarios.md"
    )
