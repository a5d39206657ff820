"""Steering holds the course of the published comparison, under wrong assumptions too."""

import math
from dataclasses import replace

import numpy as np
import pytest
from course import (
    Drive,
    Plant,
    constant,
    make_controller,
    motorway_course,
    plant,
    straight,
    vehicle,
    with_actuator,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_are

from pilot_control.lateral_design import ERROR_STATES, SPEEDS, design, riccati
from pilot_control.lateral_program import Bounds, first_change, holds
from pilot_vehicle.steady_turn import SteadyTurn

FAST = 120.0 / 3.6
SLOW_STEERING = with_actuator(lag=0.1, delay=0.1)
CARS = ("city_ev", "sedan_ice", "suv_erev", "flagship_ev")


def test_error_at_120_kph_stays_below_three_centimetres_with_lag_and_delay():
    drive = Drive(motorway_course(), constant(FAST), car=SLOW_STEERING).run(50)
    assert drive.root_mean_square < 0.03  # m; 0.005 measured, peers with the same method 0.005
    assert drive.largest_error < 0.05


def test_noise_of_sensors_and_lanes_does_not_add_much():
    drive = Drive(motorway_course(), constant(FAST), car=SLOW_STEERING, noise=1.0).run(50)
    assert drive.root_mean_square < 0.03
    steering = np.array([command.steering_angle for command in drive.commands])
    assert np.std(np.diff(steering, 2)) < 0.0012  # rad a period, no chatter


@pytest.mark.parametrize("name", CARS)
def test_every_car_holds_the_course(name):
    drive = Drive(motorway_course(), constant(FAST), car=vehicle(name)).run(45)
    assert drive.root_mean_square < 0.03


@pytest.mark.parametrize("front, rear", [(0.7, 0.7), (1.3, 1.3), (0.7, 1.0), (1.0, 1.3)])
def test_thirty_percent_wrong_tyres_stay_stable(front, rear):
    body = SLOW_STEERING.facts.body
    tyres = replace(
        body,
        front_cornering_stiffness=front * body.front_cornering_stiffness,
        rear_cornering_stiffness=rear * body.rear_cornering_stiffness,
    )
    plant = replace(SLOW_STEERING.facts, body=tyres)
    drive = Drive(motorway_course(), constant(FAST), car=SLOW_STEERING, plant=Plant(facts=plant)).run(55)
    assert drive.largest_error < 0.3  # m, the lane has 0.8 m to spare
    assert max(np.abs(drive.errors[-100:])) < 0.02  # and it calms down on the straight


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_thirty_percent_wrong_delay_mass_and_inertia_stay_stable(factor):
    facts = SLOW_STEERING.facts
    actuators = replace(facts.actuators, steering_delay=0.1 * factor, steering_time_constant=0.1 * factor)
    body = replace(facts.body, mass=facts.body.mass * factor, yaw_inertia=facts.body.yaw_inertia / factor)
    plant = replace(facts, actuators=actuators, body=body)
    drive = Drive(motorway_course(), constant(FAST), car=SLOW_STEERING, plant=Plant(facts=plant)).run(50)
    assert drive.root_mean_square < 0.05


def test_crooked_steering_is_learned():
    drive = Drive(straight(), constant(25.0), plant=Plant(facts=vehicle().facts, steering_bias=0.003)).run(20)
    assert max(np.abs(drive.errors[-100:])) < 0.02
    assert drive.largest_error < 0.8


@pytest.mark.parametrize("speed", [1.0, 3.0, 8.0, 15.0, 25.0, 36.0])
def test_starting_beside_the_path_returns_to_it_at_any_speed(speed):
    drive = Drive(straight(), constant(speed), start_offset=0.4).run(25)
    assert abs(drive.errors[-1]) < 0.03
    assert min(drive.errors) > -0.15  # m of overshoot


def test_lateral_acceleration_and_jerk_of_commands_stay_within_the_gate():
    drive = Drive(straight(), constant(FAST), start_offset=1.5).run(15)
    assert abs(drive.errors[-1]) < 0.05
    limits, actuators = vehicle().facts.limits, vehicle().facts.actuators
    turn = SteadyTurn(vehicle().facts)
    angles = [command.steering_angle for command in drive.commands]
    across = np.array([turn.lateral_acceleration(angle, FAST) for angle in angles])
    assert np.max(np.abs(across)) <= limits.max_lateral_acceleration + 1e-3
    assert np.max(np.abs(np.diff(across))) / 0.02 <= limits.max_lateral_jerk * 1.02  # speed wanders a little
    assert np.max(np.abs(np.diff(angles))) / 0.02 <= actuators.max_steering_rate + 1e-6


def test_feedback_loop_is_stable_at_every_speed_of_the_table():
    controller = make_controller(vehicle())
    table = design(vehicle().facts, controller._p)
    for speed in SPEEDS:
        for gradient in table.gradients:
            gains = table.gains(float(speed), gradient)
            assert np.isfinite(gains.feedback).all() and np.isfinite(gains.preview).all()
            assert gains.feedback[0] > 0.0 and gains.feedback[1] > 0.0  # left of the path: steer right


@settings(max_examples=60, deadline=None)
@given(speed=st.floats(3.0, 38.0), radius=st.floats(150.0, 5000.0), left=st.booleans())
def test_in_a_steady_turn_nothing_changes(speed, radius, left):
    """Feedback and preview cancel for the steady turn of the model: no lasting error on any curvature."""
    car = vehicle()
    index = int(np.argmin(np.abs(SPEEDS - speed)))
    speed = float(
        SPEEDS[index]
    )  # between table speeds the gains are interpolated, at them the design is exact
    table = DESIGN
    curvature = (1.0 if left else -1.0) / radius
    turn = SteadyTurn(car.facts)
    angle = curvature * (turn.wheelbase + turn.gradient * speed * speed)
    rear = car.facts.dimensions.wheelbase - car.facts.body.front_axle_to_centre
    body = car.facts.body
    slip = -speed * speed * curvature / (body.rear_cornering_stiffness * body.friction * 9.81)
    x = np.zeros(ERROR_STATES + table.pending)
    x[1:5] = -slip, slip * speed + rear * speed * curvature, speed * curvature, angle
    x[5:] = angle
    gains = table.gains(speed, turn.gradient)
    change = -gains.feedback @ x - gains.preview.sum() * curvature
    assert math.isclose(change, 0.0, abs_tol=1e-7)


DESIGN = design(vehicle().facts, make_controller(vehicle())._p)


def test_where_no_limit_is_near_the_program_is_the_linear_quadratic_optimum():
    random, gains = np.random.default_rng(3), DESIGN.gains(30.0, DESIGN.gradients[3])
    wide = Bounds(-1.0, 1.0, -9.0, 9.0, 0.0)
    for _ in range(50):
        x = random.standard_normal(ERROR_STATES + DESIGN.pending + DESIGN.horizon) * 0.01
        forecast = DESIGN.coming(gains, x)
        assert holds(forecast, wide)
        first = first_change(forecast[0], DESIGN.answer(gains), wide)
        assert first == pytest.approx(forecast[0, 0], abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    state=st.lists(st.floats(-0.3, 0.3), min_size=5, max_size=5),
    last=st.floats(-0.03, 0.03),
    reach=st.floats(1e-4, 1e-2),
    most=st.floats(1e-3, 0.02),
)
def test_whatever_the_state_a_change_within_the_limits_is_found(state, last, reach, most):
    gains = DESIGN.gains(30.0, DESIGN.gradients[3])
    x = np.zeros(ERROR_STATES + DESIGN.pending + DESIGN.horizon)
    x[:ERROR_STATES], x[ERROR_STATES : ERROR_STATES + DESIGN.pending] = state, last
    changes = DESIGN.coming(gains, x)[0]
    first = first_change(changes, DESIGN.answer(gains), Bounds(-reach, reach, -most, most, last))
    assert first is not None and abs(first) <= reach + 1e-9
    assert abs(last + first) <= max(most, abs(last) - reach) + 1e-9


def test_looking_ahead_at_the_limits_overshoots_less_than_cutting_off():
    """The same optimum, its first change merely bounded, against the program, where little lateral jerk is allowed."""
    overshoot = {}
    for name, solve in (("cut off", lambda *_: None), ("program", first_change)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pilot_control.lateral.first_change", solve)
            drive = Drive(straight(), constant(FAST), car=gentle(), start_offset=0.4).run(12)
        overshoot[name] = -min(drive.errors)
    assert overshoot["program"] < 0.1 < 0.5 < overshoot["cut off"]  # m; 0.05 and 1.7 measured


def gentle():
    facts = SLOW_STEERING.facts
    return replace(SLOW_STEERING, facts=replace(facts, limits=replace(facts.limits, max_lateral_jerk=1.0)))


def test_every_node_of_the_table_closes_a_stable_loop():
    """Propagated by the design's own forecast: the answer to one change dies out."""
    tail = np.abs(DESIGN.impulse[..., -1])
    assert (tail < 0.2 * np.abs(DESIGN.impulse).max(axis=-1)).all()


def test_the_riccati_solution_is_that_of_scipy():
    random = np.random.default_rng(5)
    a, b = np.eye(6) + 0.2 * random.standard_normal((4, 6, 6)), random.standard_normal((4, 6))
    q = np.stack([root @ root.T for root in random.standard_normal((4, 6, 6))])
    for ours, *one in zip(riccati(a, b, q), a, b, q, strict=True):
        assert ours == pytest.approx(solve_discrete_are(one[0], one[1][:, None], one[2], np.eye(1)), rel=1e-6)


@pytest.mark.parametrize(
    "stiffness, gain, slowness", [(0.7, 1.3, 1.3), (0.7, 0.77, 1.3), (1.3, 1.3, 0.7), (0.7, 0.77, 0.7)]
)
def test_thirty_percent_errors_and_noise_keep_six_centimetres(stiffness, gain, slowness):
    facts = SLOW_STEERING.facts
    both = {"front_cornering_stiffness": stiffness, "rear_cornering_stiffness": stiffness}
    wrong = plant(facts, body=both, steering_gain=gain, delay=slowness)
    drive = Drive(motorway_course(), constant(FAST), car=SLOW_STEERING, plant=wrong, noise=1.0).run(48)
    assert drive.root_mean_square < 0.06  # m; 0.05 measured over all corners
