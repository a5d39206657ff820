"""Speed follows the plan through powertrain, gearbox and brakes; stops are stops."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from course import STEP, Drive, Plant, constant, make_controller, straight, vehicle

from pilot_common.types import DriveMode
from pilot_control.longitudinal import Profile

CARS = ("city_ev", "sedan_ice", "suv_erev", "flagship_ev")


def smooth(times: list[float], speeds: list[float]):
    """Speed through given points with cosine ramps."""

    def at(time: float) -> tuple[float, float]:
        if time <= times[0]:
            return speeds[0], 0.0
        for index in range(1, len(times)):
            if time < times[index]:
                span = times[index] - times[index - 1]
                share = (time - times[index - 1]) / span
                rise = speeds[index] - speeds[index - 1]
                speed = speeds[index - 1] + rise * 0.5 * (1.0 - math.cos(math.pi * share))
                return speed, rise * 0.5 * math.pi / span * math.sin(math.pi * share)
        return speeds[-1], 0.0

    return at


@pytest.mark.parametrize("name", CARS)
def test_speed_follows_a_plan_through_acceleration_and_braking(name):
    speeds = smooth([2, 14, 18, 26, 30], [15, 25, 25, 12, 12])
    drive = Drive(straight(), speeds, car=vehicle(name)).run(34)
    wanted = np.array([speeds(STEP * (index + 1))[0] for index in range(len(drive.true_speeds))])
    error = np.abs(np.array(drive.true_speeds) - wanted)
    assert error.max() < 0.6  # m/s, gear shifts included
    assert error[-50:].max() < 0.15


@pytest.mark.parametrize("name", CARS)
def test_the_car_stands_still_and_starts_again(name):
    speeds = smooth([1, 7, 13, 19], [8, 0, 0, 8])
    drive = Drive(straight(), speeds, car=vehicle(name)).run(22)
    standing = slice(round(8.5 / STEP), round(12.5 / STEP))
    assert max(drive.true_speeds[standing]) == 0.0  # no creeping
    assert all(command.acceleration <= -0.5 for command in drive.commands[standing])
    assert drive.true_speeds[-1] > 7.0
    assert max(np.abs(drive.errors)) < 0.02  # the steering does not work at a stand


def test_a_slope_is_learned_away():
    drive = Drive(straight(), constant(20.0), plant=Plant(facts=vehicle().facts, grade=0.04)).run(25)
    assert abs(drive.true_speeds[-1] - 20.0) < 0.1


@pytest.mark.parametrize("name", CARS)
def test_a_missing_plan_stops_the_car_in_its_lane(name):
    drive = Drive(
        straight(), constant(30.0), car=vehicle(name), plans=lambda time: time < 5.0, start_offset=0.1
    ).run(24)
    limits = vehicle(name).facts.limits
    assert drive.true_speeds[-1] == 0.0
    assert drive.largest_error <= 0.11
    assert (
        "no plan" in drive.commands[-1].reason
        and drive.commands[-1].valid
        and drive.commands[-1].hazard_lights
    )
    commands = np.array([command.acceleration for command in drive.commands])
    assert commands.min() >= -limits.minimum_risk_deceleration - 1e-9
    jerks = np.diff(commands) / STEP
    assert jerks[round(4.5 / STEP) :].min() >= -limits.max_emergency_jerk - 1e-6


def test_a_missing_plan_in_a_curve_stops_along_the_last_path():
    from course import motorway_course

    drive = Drive(motorway_course(), constant(30.0), plans=lambda time: time < 8.0).run(22)
    assert drive.true_speeds[-1] == 0.0
    assert drive.largest_error < 0.25  # m, over 130 m of clothoid and curve on one path


def test_acceleration_commands_respect_the_jerk_limits():
    speeds = smooth([1, 4, 8, 11], [20, 8, 8, 16])
    drive = Drive(straight(), speeds).run(13)
    limits = vehicle().facts.limits
    commands = np.array([command.acceleration for command in drive.commands])
    jerk = np.diff(commands) / STEP
    hard = np.minimum(commands[1:], commands[:-1]) < -limits.comfort_deceleration
    assert np.abs(jerk[~hard]).max() <= limits.max_jerk + 1e-6
    assert np.abs(jerk).max() <= limits.max_emergency_jerk + 1e-6
    assert commands.max() <= limits.max_acceleration + 1e-9


@pytest.mark.parametrize("name", CARS)
@pytest.mark.parametrize("grade", [-0.06, 0.06])
def test_the_car_starts_on_a_slope_without_rolling_back(name, grade):
    speeds = smooth([2, 10], [0, 10])
    on_slope = Plant(facts=vehicle(name).facts, grade=grade)
    drive = Drive(straight(), speeds, car=vehicle(name), plant=on_slope).run(14)
    assert min(drive.true_speeds) >= 0.0
    assert drive.true_speeds[round(1.8 / STEP)] == 0.0  # held until it shall start
    assert abs(drive.true_speeds[-1] - 10.0) < 0.3


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0, 5.0, 15.0, 36.0])
@pytest.mark.parametrize("name", ["sedan_ice", "flagship_ev"])
def test_any_speed_from_creeping_on_is_kept(name, speed):
    drive = Drive(straight(), constant(speed), car=vehicle(name)).run(10)
    wanted = np.array(drive.true_speeds[-200:])
    assert np.abs(wanted - speed).max() < 0.1


@pytest.mark.parametrize("drive_gain, brake_gain", [(0.75, 1.3), (1.25, 0.75)])
def test_wrong_answers_of_drive_and_brakes_are_learned(drive_gain, brake_gain):
    speeds = smooth([2, 10, 12, 20, 22, 30, 32, 40], [20, 14, 14, 20, 20, 14, 14, 20])
    wrong = Plant(facts=vehicle().facts, drive_gain=drive_gain, brake_gain=brake_gain)
    drive = Drive(straight(), speeds, plant=wrong).run(40)
    wanted = np.array([speeds(STEP * (index + 1))[0] for index in range(len(drive.true_speeds))])
    error = np.abs(np.array(drive.true_speeds) - wanted)
    half = len(error) // 2
    assert error[half:].max() < error[:half].max()  # the second time better than the first
    assert error[half:].max() < 1.0  # m/s


def test_nothing_about_drive_and_brakes_is_learned_while_the_driver_drives():
    drive = Drive(
        straight(),
        constant(20.0),
        mode=lambda time: DriveMode.STANDBY,
        driver=lambda time, motion: (0.0, -1.0),
    ).run(4)
    assert drive.control._longitudinal.response.gains == (1.0, 1.0)
    assert drive.control._longitudinal.response.pull == 0.0


@pytest.mark.parametrize("name", CARS)
@pytest.mark.parametrize("deceleration", [0.6, 3.0, 6.0])
def test_a_car_still_rolling_is_braked_as_planned_though_the_plan_stands_within_the_lead(name, deceleration):
    control = make_controller(vehicle(name))._longitudinal
    time = np.linspace(0.0, 4.0, 81)
    speed = np.maximum(0.1 - deceleration * time, 0.0)  # the plan has less speed than the car
    profile = Profile(
        SimpleNamespace(time=time, speed=speed, acceleration=np.where(speed > 0.0, -deceleration, 0.0))
    )
    for _ in range(100):
        command = control.track(profile, 0.0, 0.8, STEP)
    assert command <= -deceleration
