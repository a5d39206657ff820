"""Every rule refuses what breaks it, with file, key and reason; and nothing else breaks with it unnoticed."""

import math
import re

import pytest

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.vehicle import Capability, SensorKind
from pilot_vehicle.feasibility import check_feasible, findings

FRONT_ONLY = "sensors.0", "sensors.1"
CASES = [
    (
        "sedan_ice",
        {"sensors.1.range": 60.0, "sensors.0.range": 60.0},
        "limits.max_speed",
        "130 km/h is too fast.* 60 m",
    ),
    ("sedan_ice", {"sensors.1.range": 60.0}, "limits.max_speed", "130 km/h is too fast"),
    ("sedan_ice", {"sensors.0.range": 60.0}, "limits.max_speed", "second-best"),
    ("city_ev", {"facts.limits.max_speed": 130 / 3.6}, "limits.max_speed", "enough for 105 km/h"),
    ("sedan_ice", {"sensors.2.range": 40.0}, "capabilities", "lane_change needs 60 m .* left"),
    ("sedan_ice", {"sensors.3.yaw": 0.0}, "capabilities", "right"),
    (
        "city_ev",
        {"facts.capabilities": (Capability.SINGLE_LANE, Capability.LANE_CHANGE)},
        "capabilities",
        "not 0 m",
    ),
    ("sedan_ice", {"facts.capabilities": (Capability.LANE_CHANGE,)}, "capabilities", "builds on single_lane"),
    (
        "sedan_ice",
        {"facts.capabilities": (Capability.SINGLE_LANE, Capability.MOTORWAY_L3)},
        "capabilities",
        "needs a lidar",
    ),
    ("sedan_ice", {"facts.capabilities": (Capability.PARKING_ASSIST,)}, "capabilities", "needs ultrasonics"),
    ("sedan_ice", {"sensors.0.yaw": math.pi}, "capabilities", "camera that looks ahead"),
    (
        "sedan_ice",
        {"facts.dimensions.rear_axle_to_front": 2.5},
        "dimensions.rear_axle_to_front",
        "inside the body",
    ),
    (
        "sedan_ice",
        {"facts.dimensions.rear_axle_to_front": 5.0},
        "dimensions.rear_axle_to_front",
        "inside the body",
    ),
    ("sedan_ice", {"facts.body.front_axle_to_centre": 0.5}, "body.front_axle_to_centre", "wheelbase"),
    ("sedan_ice", {"facts.body.centre_height": 1.0}, "body.centre_height", "height"),
    ("sedan_ice", {"facts.body.yaw_inertia": 500.0}, "body.yaw_inertia", "kg m²"),
    (
        "sedan_ice",
        {"facts.limits.comfort_deceleration": 3.0, "facts.limits.max_deceleration": 3.0},
        "limits.comfort_deceleration",
        "below",
    ),
    ("sedan_ice", {"facts.limits.max_deceleration": 3.4}, "limits.minimum_risk_deceleration", "below"),
    ("sedan_ice", {"facts.limits.max_jerk": 30.0}, "limits.max_jerk", "below max_emergency_jerk"),
    ("sedan_ice", {"facts.limits.max_deceleration": 9.8}, "limits.max_deceleration", "brakes give"),
    ("sedan_ice", {"facts.body.friction": 0.8}, "actuators.max_deceleration", "tyres hold"),
    ("city_ev", {"facts.limits.max_acceleration": 4.0}, "limits.max_acceleration", "powertrain gives"),
    ("flagship_ev", {"facts.powertrain.max_acceleration": 10.4}, "powertrain.max_acceleration", "tyres hold"),
    ("sedan_ice", {"facts.powertrain.max_power": 30e3}, "powertrain.max_power", "30 kW are too little"),
    (
        "city_ev",
        {"facts.body.mass": 4900.0, "facts.powertrain.max_acceleration": 6.0},
        "powertrain.max_acceleration",
        "too much for power and mass",
    ),
    ("sedan_ice", {"facts.powertrain.regeneration": 1.0}, "powertrain.regeneration", "recovers nothing"),
    ("sedan_ice", {"facts.powertrain.shift_time": 0.0}, "powertrain.shift_time", "exactly where"),
    ("sedan_ice", {"facts.powertrain.shift_speeds": (5.0, 5.0)}, "powertrain.shift_speeds", "increase"),
    ("sedan_ice", {"facts.powertrain.creep_speed": 5.0}, "powertrain.creep_speed", "below the first shift"),
    ("city_ev", {"facts.powertrain.shift_speeds": (5.0,)}, "powertrain.shift_speeds", "only combustion"),
    (
        "city_ev",
        {"facts.powertrain.engine_braking": 0.5},
        "powertrain.engine_braking",
        "combustion cars only",
    ),
    ("suv_erev", {"facts.powertrain.creep_speed": 1.0}, "powertrain.creep_speed", "combustion cars only"),
    ("sedan_ice", {"facts.body.rear_cornering_stiffness": 15.0}, "body.rear_cornering_stiffness", "unstable"),
    ("sedan_ice", {"facts.actuators.max_steering_angle": 0.15}, "actuators.max_steering_angle", "tighter"),
    (
        "sedan_ice",
        {"facts.actuators.max_steering_angle": 0.07},
        "limits.max_lateral_acceleration",
        "out of reach",
    ),
    ("sedan_ice", {"facts.body.friction": 0.45}, "limits.max_lateral_acceleration", "must lie between"),
    (
        "sedan_ice",
        {"facts.limits.max_lateral_acceleration": 0.7},
        "limits.max_lateral_acceleration",
        "UN R79",
    ),
    (
        "sedan_ice",
        {"facts.actuators.max_steering_rate": 0.1},
        "actuators.max_steering_rate",
        "max_lateral_jerk",
    ),
    ("sedan_ice", {"sensors.1.position": (9.0, 0.0, 0.5)}, "sensors[1].position", "not on the car"),
    ("sedan_ice", {"sensors.1.latency": 0.2}, "sensors[1].latency", "three|3 measurements late"),
    ("sedan_ice", {"sensors.0.field_of_view": 1.0}, "sensors[0].field_of_view", "does not fit the image"),
    ("sedan_ice", {"sensors.0.range": 350.0}, "sensors[0].range", "px wide"),
]


@pytest.mark.parametrize(
    ("name", "values", "key", "rule"), CASES, ids=[f"{c[2]}-{i}" for i, c in enumerate(CASES)]
)
def test_an_impossible_car_is_refused_with_key_and_rule(load, changed, name, values, key, rule):
    broken = changed(load(name), values)
    said = [(k, r) for _, k, r in findings(broken)]
    assert any(k == key and re.search(rule, r) for k, r in said), said
    with pytest.raises(ConfigError):
        check_feasible(broken)


def test_the_message_names_file_key_and_rule(load, changed):
    broken = changed(load("sedan_ice"), {"sensors.0.range": 60.0, "sensors.1.range": 60.0})
    folder = config_folder() / "vehicles" / "sedan_ice"
    with pytest.raises(ConfigError) as caught:
        check_feasible(broken, folder)
    assert str(caught.value).startswith(f"{folder / 'facts.yaml'}: limits.max_speed: 130 km/h is too fast")
    assert caught.value.exit_code == 2


def test_a_sensor_fault_names_the_sensor_file(load, changed):
    broken = changed(load("sedan_ice"), {"sensors.1.latency": 0.2})
    with pytest.raises(ConfigError, match=r"sensors\.yaml: sensors\[1\]\.latency: front_radar: "):
        check_feasible(broken)


@pytest.mark.parametrize("kind", [SensorKind.LIDAR, SensorKind.DRIVER_CAMERA])
def test_hands_free_driving_needs_lidar_and_driver_camera(load, changed, kind):
    vehicle = load("flagship_ev")
    without = changed(
        vehicle, {"sensors": tuple(sensor for sensor in vehicle.sensors if sensor.kind is not kind)}
    )
    assert ("facts.yaml", "capabilities", f"motorway_l3 needs a {kind.value}") in list(findings(without))
