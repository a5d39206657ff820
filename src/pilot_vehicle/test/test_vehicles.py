"""The four vehicles: each loads, is feasible, and is fitted as the architecture says."""

import math
from collections import Counter

import pytest

from pilot_common.folders import config_folder
from pilot_common.vehicle import Capability, PowertrainKind, SensorKind, vehicle_names
from pilot_vehicle import sight
from pilot_vehicle.feasibility import findings, load_checked_vehicle

FITTED = {
    "city_ev": {SensorKind.CAMERA: 1, SensorKind.RADAR: 1, SensorKind.ULTRASONIC: 8},
    "sedan_ice": {SensorKind.CAMERA: 1, SensorKind.RADAR: 3},
    "suv_erev": {SensorKind.CAMERA: 5, SensorKind.RADAR: 5, SensorKind.ULTRASONIC: 12},
    "flagship_ev": {
        SensorKind.CAMERA: 7,
        SensorKind.RADAR: 5,
        SensorKind.LIDAR: 1,
        SensorKind.DRIVER_CAMERA: 1,
    },
}
DRIVEN = {
    "city_ev": PowertrainKind.ELECTRIC,
    "sedan_ice": PowertrainKind.COMBUSTION,
    "suv_erev": PowertrainKind.RANGE_EXTENDED,
    "flagship_ev": PowertrainKind.ELECTRIC,
}


def test_the_table_names_every_vehicle_folder():
    assert set(vehicle_names(config_folder())) == set(FITTED)


def test_every_vehicle_is_feasible(vehicle):
    assert list(findings(vehicle)) == []
    assert load_checked_vehicle(vehicle.name, config_folder()) == vehicle


def test_every_vehicle_is_fitted_as_the_table_says(vehicle):
    assert Counter(sensor.kind for sensor in vehicle.sensors) == FITTED[vehicle.name]
    assert vehicle.facts.powertrain.kind is DRIVEN[vehicle.name]


def test_the_front_camera_comes_first_and_the_front_radar_second(vehicle):
    assert [sensor.name for sensor in vehicle.sensors[:2]] == ["front_camera", "front_radar"]


def test_sensors_report_at_20_hz_and_soon_enough_for_150_ms_to_the_actuators(vehicle):
    latest = {SensorKind.CAMERA: 0.030, SensorKind.RADAR: 0.020, SensorKind.LIDAR: 0.025}
    for sensor in vehicle.sensors:
        if sensor.kind in latest:
            assert sensor.rate == 20.0
            assert sensor.latency <= latest[sensor.kind]


def test_motorway_cars_reach_130_and_the_city_car_what_its_sight_allows(vehicle):
    derived = sight.derived_max_speed(vehicle) * 3.6
    assert vehicle.facts.limits.max_speed <= derived / 3.6
    if vehicle.name == "city_ev":
        assert 95.0 < derived < 115.0
    else:
        assert vehicle.facts.limits.max_speed * 3.6 == pytest.approx(130.0)


def test_cars_that_change_lanes_see_behind_on_both_sides(vehicle):
    behind = min(sight.rear_sight_distance(vehicle, side) for side in (1, -1))
    assert (Capability.LANE_CHANGE in vehicle.facts.capabilities) == (behind >= 60.0)


def test_the_derived_speed_stops_exactly_within_sight(vehicle):
    limits, speed = vehicle.facts.limits, sight.derived_max_speed(vehicle)
    planned = sight.stopping_distance(vehicle, speed, limits.minimum_risk_deceleration, limits.max_jerk)
    urgent = sight.stopping_distance(vehicle, speed, limits.max_deceleration, limits.max_emergency_jerk)
    assert planned <= sight.sight_distance(vehicle) + 1e-9
    assert urgent <= sight.second_sight_distance(vehicle) + 1e-9
    assert min(sight.sight_distance(vehicle) - planned, sight.second_sight_distance(vehicle) - urgent) < 1e-9


def test_less_sight_never_allows_more_speed(load, changed):
    vehicle, last = load("sedan_ice"), math.inf
    for reach in range(240, 5, -5):
        speed = sight.derived_max_speed(changed(vehicle, {"sensors.1.range": float(reach)}))
        assert speed <= last
        last = speed
