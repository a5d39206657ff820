"""What the controller finds out about its car: within bounds, only while it can be seen, kept when it matters."""

import math
from dataclasses import replace

import numpy as np
import pytest
from course import Drive, constant, make_controller, motorway_course, plant, straight, vehicle
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_common.physics import GRAVITY
from pilot_common.types import DriveMode
from pilot_control.regression import Regression
from pilot_control.track import Plant, course
from pilot_vehicle.steady_turn import SteadyTurn

FAST = 120.0 / 3.6
WINDING = course(
    (
        (60, 0, 0),
        (80, 0, 0.006),
        (80, 0.006, -0.006),
        (80, -0.006, 0.006),
        (80, 0.006, -0.006),
        (80, -0.006, 0),
        (900, 0, 0),
    )
)


@pytest.mark.parametrize("bias", [-0.02, 0.02])
def test_a_crooked_steering_is_found_at_town_speed(bias):
    drive = Drive(straight(), constant(12.0), plant=Plant(facts=vehicle().facts, steering_bias=bias)).run(20)
    assert drive.control._lateral.response.offset == pytest.approx(bias, abs=0.001)
    assert max(np.abs(drive.errors[-100:])) < 0.02 and drive.largest_error < 0.4


@pytest.mark.parametrize("bias", [-0.004, 0.004])
def test_a_crooked_steering_is_found_on_the_motorway(bias):
    drive = Drive(straight(), constant(FAST), plant=Plant(facts=vehicle().facts, steering_bias=bias)).run(15)
    assert drive.control._lateral.response.offset == pytest.approx(bias, abs=0.0005)
    assert max(np.abs(drive.errors[-100:])) < 0.02 and drive.largest_error < 0.8


@pytest.mark.parametrize("gain", [0.75, 1.3])
@pytest.mark.parametrize("speed", [9.0, 18.0])
def test_a_wrong_steering_ratio_is_found(gain, speed):
    """At one speed ratio and understeer cannot be told apart: what counts is the curvature a steering angle leads to."""
    drive = Drive(WINDING, constant(speed), plant=plant(vehicle().facts, steering_gain=gain)).run(400 / speed)
    turn = SteadyTurn(vehicle().facts)
    true = gain / (turn.wheelbase + turn.gradient * speed**2)
    assert curvature_per_angle(drive, speed) == pytest.approx(true, rel=0.1)


@pytest.mark.parametrize("front, rear", [(1.0, 1.3), (1.3, 1.0)])
def test_the_yaw_answer_at_speed_is_found(front, rear):
    stiff = {"front_cornering_stiffness": front, "rear_cornering_stiffness": rear}
    car = plant(vehicle().facts, body=stiff)
    drive = Drive(motorway_course(), constant(FAST), plant=car).run(20)
    turn = SteadyTurn(car.facts)
    true = 1.0 / (turn.wheelbase + turn.gradient * FAST**2)
    assert curvature_per_angle(drive, FAST) == pytest.approx(true, rel=0.1)
    assert 0.0 < drive.control._lateral.response.confidence <= 1.0


def curvature_per_angle(drive: Drive, speed: float) -> float:
    response, base = drive.control._lateral.response, vehicle().facts.dimensions.wheelbase
    return response.gain / (base + response.gradient * speed**2)


def test_nothing_is_learned_at_a_stand_or_while_the_driver_overrides():
    crooked = Plant(facts=vehicle().facts, steering_bias=0.01)
    standing = Drive(straight(), constant(0.0), plant=crooked).run(5)
    assert standing.control._lateral.response.offset == 0.0
    overridden = Drive(
        straight(),
        constant(20.0),
        plant=crooked,
        mode=lambda time: DriveMode.OVERRIDE,
        driver=lambda time, motion: (0.01, 0.0),
    ).run(5)
    assert overridden.control._lateral.response.offset == 0.0


def test_what_was_learned_survives_a_restart():
    crooked = Plant(facts=vehicle().facts, steering_bias=0.01)
    first = Drive(straight(), constant(15.0), plant=crooked).run(15).control
    second = make_controller(vehicle())
    second.recall(first.memory())
    assert second._lateral.response.offset == pytest.approx(0.01, abs=0.001)
    assert second.memory() == pytest.approx(first.memory())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=14))
def test_no_memory_whatever_it_holds_leads_out_of_bounds(numbers):
    SHARED.reset()
    SHARED.recall(tuple(numbers))
    response = SHARED._lateral.response
    assert abs(response.offset) <= 0.03 and 0.6 < response.gain < 1.6 and math.isfinite(response.gradient)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-5, 5)), min_size=1, max_size=60))
def test_the_estimate_stays_in_its_bounds_whatever_is_measured(measurements):
    estimate = Regression((0.0, 1.0), (0.1, 0.1), (0.01, 0.01), (-0.2, 0.8), (0.2, 1.2), (0.0, 0.1))
    for one, other, innovation in measurements:
        estimate.correct((one, other), innovation, 0.1, 0.02)
        assert -0.2 <= estimate.estimate[0] <= 0.2 and 0.8 <= estimate.estimate[1] <= 1.2
        assert 0.0 <= estimate.confidence(0) <= 1.0


def test_what_is_not_excited_is_not_changed():
    estimate = Regression((0.0, 1.0), (0.1, 0.1), (0.01, 0.01), (-0.2, 0.8), (0.2, 1.2), (0.0, 0.0))
    for _ in range(100):
        estimate.correct((1.0, 0.0), 0.05 - estimate.estimate[0], 0.1, 0.02)
    assert estimate.estimate[1] == 1.0 and estimate.estimate[0] == pytest.approx(0.05, abs=0.01)


def test_an_oversteering_car_is_kept_on_the_road_and_slowed_down():
    stiff = {"front_cornering_stiffness": 1.3, "rear_cornering_stiffness": 0.8}
    for name in ("city_ev", "sedan_ice", "suv_erev", "flagship_ev"):
        car = vehicle(name)
        drive = Drive(
            motorway_course(), constant(FAST), car=car, plant=plant(car.facts, body=stiff), noise=0.33
        )
        drive.run(25)
        assert drive.largest_error < 0.25, name
        if drive.motions[-1].speed < FAST - 0.5:
            assert any("oversteers" in command.reason for command in drive.commands)


@pytest.mark.parametrize("name", ["city_ev", "sedan_ice", "flagship_ev"])
def test_all_errors_at_once_on_a_slippery_road_slow_the_car_below_its_critical_speed(name):
    car, speed = vehicle(name), 100.0 / 3.6
    body = {"front_cornering_stiffness": 1.3, "rear_cornering_stiffness": 0.7}
    wrong = plant(car.facts, body=body, delay=1.3, steering_gain=0.7, friction=0.4)
    drive = Drive(motorway_course(speed), constant(speed), car=car, plant=wrong).run(30)
    assert drive.largest_error < 0.3
    tyres = 0.4 * car.facts.body.friction * GRAVITY
    gradient = 1.0 / (1.3 * car.facts.body.front_cornering_stiffness)
    gradient -= 1.0 / (0.7 * car.facts.body.rear_cornering_stiffness)
    assert drive.true_speeds[-1] ** 2 < car.facts.dimensions.wheelbase * tyres / -gradient


def test_a_car_that_steers_too_weakly_for_a_curve_slows_down_and_says_so():
    weak = plant(
        vehicle().facts,
        body={"front_cornering_stiffness": 0.7, "rear_cornering_stiffness": 1.3},
        steering_gain=0.7,
    )
    drive = Drive(motorway_course(), constant(FAST), plant=weak).run(30)
    assert drive.largest_error < 0.5
    assert any("too weakly" in command.reason for command in drive.commands)
    assert min(drive.true_speeds) < FAST - 1.0


def test_lateral_acceleration_that_is_not_a_number_teaches_nothing():
    drive = Drive(
        straight(),
        constant(20.0),
        change_state=lambda state: replace(state, lateral_acceleration=math.nan),
    ).run(2)
    assert drive.control._lateral.response.offset == 0.0
    assert all(math.isfinite(command.steering_angle) for command in drive.commands)


SHARED = make_controller(vehicle())
