"""What every vehicle in `config/vehicles/` must keep, whoever adds one."""

import copy
import math
from dataclasses import replace

import pytest
import yaml

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.runner import core_class, make_executor
from pilot_common.schema import build
from pilot_common.vehicle import (
    Capability,
    Facts,
    SensorKind,
    load_parameters,
    resolved_yaml,
    vehicle_names,
)
from pilot_vehicle.feasibility import check_feasible, load_checked_vehicle
from pilot_vehicle.sight import derived_max_speed

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)
NAMES = vehicle_names(CONFIG)


@pytest.fixture(params=NAMES)
def vehicle(request):
    return load_checked_vehicle(request.param, CONFIG)


def test_there_are_vehicles_of_every_kind_of_drive():
    kinds = {load_checked_vehicle(name, CONFIG).facts.powertrain.kind.value for name in NAMES}
    assert kinds == {"combustion", "electric", "range_extended"}


def test_its_files_hold_nothing_but_facts(vehicle):
    folder = CONFIG / "vehicles" / vehicle.name
    assert {file.name for file in folder.iterdir()} == {"facts.yaml", "sensors.yaml", "tuning.yaml"}


def test_every_function_that_fits_finds_its_parameters(vehicle):
    functions = GRAPH.fitted(vehicle)
    assert {"fusion", "planning", "control", "gate", "supervision"} <= {
        function.name for function in functions
    }
    for function in functions:
        load_parameters(core_class(function).Parameters, function.name, vehicle, CONFIG)


def test_its_functions_step_on_nothing_at_all_without_an_exception(vehicle):
    """A car whose bus and sensors are silent must not crash the software."""
    executor = make_executor(GRAPH, vehicle, CONFIG)
    said = [item for tick in range(100) for item in executor.advance(1_000_000_000 + tick * 20_000_000, ())]
    assert {topic for topic, _ in said if topic == "mode"} == {"mode"}
    assert not any(message.active for topic, message in said if topic == "actuation")


def test_what_it_resolves_to_can_be_loaded_again(vehicle):
    content = yaml.safe_load(resolved_yaml(vehicle, {}))
    assert build(Facts, content["vehicle"]["facts"], "resolved") == vehicle.facts


def test_it_can_stop_within_its_sight_from_its_highest_speed(vehicle):
    assert vehicle.facts.limits.max_speed <= derived_max_speed(vehicle) + 1e-9


def test_its_limits_keep_to_the_standards(vehicle):
    limits = vehicle.facts.limits
    assert limits.max_lateral_acceleration <= 3.0  # ISO 11270
    assert limits.max_lateral_jerk <= 5.0  # ISO 11270
    assert limits.max_acceleration <= 4.0  # ISO 15622, cap at low speed
    assert limits.comfort_deceleration <= 3.5  # ISO 15622, cap above 20 m/s
    assert limits.minimum_risk_deceleration <= 4.0  # UN R157
    assert limits.max_speed <= 130.0 / 3.6 + 1e-9  # UN R157, 01 series


def test_its_actuators_can_do_what_its_limits_allow(vehicle):
    facts = vehicle.facts
    wheelbase, speed = facts.dimensions.wheelbase, 10.0
    angle = math.atan(wheelbase * facts.limits.max_lateral_acceleration / speed**2)
    assert angle < facts.actuators.max_steering_angle
    assert facts.limits.max_deceleration <= facts.actuators.max_deceleration <= facts.body.friction * 9.81
    assert facts.limits.max_acceleration <= facts.powertrain.max_acceleration


def test_its_sensors_stand_on_the_car(vehicle):
    dimensions = vehicle.facts.dimensions
    rear = dimensions.rear_axle_to_front - dimensions.length
    for sensor in vehicle.sensors:
        x, y, z = sensor.position
        assert rear - 0.1 <= x <= dimensions.rear_axle_to_front + 0.1, sensor.name
        assert abs(y) <= 0.5 * dimensions.width + 0.2, sensor.name
        assert 0.0 < z <= dimensions.height + 0.3, sensor.name


def test_lane_changes_need_eyes_to_the_rear(vehicle):
    if Capability.LANE_CHANGE in vehicle.facts.capabilities:
        rear = [
            sensor
            for sensor in vehicle.sensors
            if abs(sensor.yaw) > math.pi / 2 and sensor.kind is SensorKind.RADAR
        ]
        assert len(rear) >= 2


def test_half_its_sight_would_not_be_accepted(vehicle):
    """The check has teeth: the same car with sensors that see a fourth as far is refused."""
    shorter = tuple(replace(sensor, range=max(0.25 * sensor.range, 1.0)) for sensor in vehicle.sensors)
    with pytest.raises(ConfigError):
        check_feasible(replace(vehicle, sensors=shorter))


def test_it_is_not_changed_by_being_used(vehicle):
    before = copy.deepcopy(vehicle)
    make_executor(GRAPH, vehicle, CONFIG).advance(1_000_000_000, ())
    assert before == vehicle
