"""Dead time, lag, rate and range of steering and brakes."""

import math

import pytest

from pilot_vehicle.actuators import Brake, DeadTime, Lag, Steering

STEP = 0.005


def test_dead_time_gives_what_was_asked_exactly_so_long_ago():
    dead_time = DeadTime(0.05)
    given = [dead_time.step(float(count), STEP) for count in range(100)]
    # What is asked at the beginning of step n shows at the end of the step that ends 0.05 s later.
    assert given[:9] == [0.0] * 9
    assert given[9:] == [float(count) for count in range(91)]


def test_no_dead_time_gives_the_request_at_once():
    assert DeadTime(0.0).step(3.0, STEP) == 3.0


def test_a_lag_has_gone_63_percent_of_the_way_after_its_time_constant():
    lag = Lag(0.1)
    for _ in range(20):
        lag.step(1.0, STEP)
    assert lag.value == pytest.approx(1.0 - math.exp(-1.0), abs=1e-12)


def test_a_lag_does_not_depend_on_the_step():
    fine, coarse = Lag(0.1), Lag(0.1)
    for _ in range(10):
        fine.step(1.0, 0.002)
    coarse.step(1.0, 0.02)
    assert fine.value == pytest.approx(coarse.value, abs=1e-12)


def test_steering_stays_within_rate_and_angle(facts):
    steering, last = Steering(facts.actuators), 0.0
    for count in range(1200):
        angle = steering.step(9.0 if count < 400 else -9.0, STEP)
        assert abs(angle - last) <= facts.actuators.max_steering_rate * STEP + 1e-12
        assert abs(angle) <= facts.actuators.max_steering_angle
        last = angle
    assert last < 0.0


def test_small_steering_steps_answer_after_dead_time_with_the_lag(facts):
    actuators, steering, target = facts.actuators, Steering(facts.actuators), 0.01
    after = actuators.steering_delay + actuators.steering_time_constant
    times = [(count + 1) * STEP for count in range(100)]
    angles = [steering.step(target, STEP) for _ in times]
    assert all(
        angle == 0.0
        for time, angle in zip(times, angles, strict=True)
        if time < actuators.steering_delay - 1e-9
    )
    reached = next(time for time, angle in zip(times, angles, strict=True) if angle >= 0.632 * target)
    assert reached == pytest.approx(after, abs=2 * STEP)  # the resolution of the dead time
    assert angles[-1] == pytest.approx(target, rel=0.01)


def test_brakes_build_up_after_their_dead_time_and_never_beyond_what_they_can(facts):
    brake, actuators = Brake(facts.actuators), facts.actuators
    given = [brake.step(50.0, STEP) for _ in range(400)]
    quiet = round(actuators.brake_delay / STEP) - 1
    assert given[:quiet] == [0.0] * quiet
    assert given == sorted(given)
    assert given[-1] == pytest.approx(actuators.max_deceleration, rel=1e-3)


def test_brakes_never_push(facts):
    brake = Brake(facts.actuators)
    assert all(brake.step(-5.0, STEP) == 0.0 for _ in range(100))
