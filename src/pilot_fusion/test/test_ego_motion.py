"""Dead reckoning of the car's own motion."""

import math

import numpy as np
import pytest
from fusion_world import parameters, vehicle_state

from pilot_fusion.ego_motion import EgoMotionFilter


def driven(speed: float, yaw_rate: float, seconds: float, step: float = 0.01) -> EgoMotionFilter:
    ego = EgoMotionFilter(parameters().ego)
    for k in range(round(seconds / step) + 1):
        ego.update([vehicle_state(k * step, speed, yaw_rate)])
    return ego


def test_a_full_circle_ends_where_it_began() -> None:
    ego = driven(10.0, 0.5, 2.0 * math.pi / 0.5)
    assert ego.newest is not None
    assert math.hypot(*ego.newest.pose[:2]) < 0.1  # of a way of 126 m; the last step is cut off


def test_standing_still_does_not_creep() -> None:
    ego = EgoMotionFilter(parameters().ego)
    random = np.random.default_rng(0)
    for k in range(2000):
        ego.update([vehicle_state(0.01 * k, 0.0, 0.0, acceleration=float(random.normal(0.05, 0.2)))])
    assert ego.newest is not None
    assert ego.newest.pose == (0.0, 0.0, 0.0)


def test_order_of_states_within_a_step_does_not_matter() -> None:
    states = [vehicle_state(0.01 * k, 20.0 + k, 0.01 * k) for k in range(10)]
    one, other = EgoMotionFilter(parameters().ego), EgoMotionFilter(parameters().ego)
    one.update(states)
    other.update(states[::-1])
    assert one.newest == other.newest


def test_a_repeated_or_late_state_changes_nothing() -> None:
    ego = driven(20.0, 0.1, 0.5)
    before = ego.newest
    ego.update([vehicle_state(0.5, 99.0), vehicle_state(0.3, 99.0)])
    assert ego.newest == before


def test_the_past_can_be_looked_up_and_the_near_future_is_prolonged() -> None:
    ego = driven(20.0, 0.0, 2.0)
    assert ego.at(1.5).pose[0] == pytest.approx(30.0, abs=1e-6)
    assert ego.at(1.5043).pose[0] == pytest.approx(30.086, abs=1e-6)
    assert ego.at(2.05).pose[0] == pytest.approx(41.0, abs=1e-6)


def test_history_is_as_long_as_the_parameter_says() -> None:
    ego = driven(20.0, 0.0, 5.0)
    assert ego.oldest_time == pytest.approx(5.0 - parameters().ego.history, abs=0.011)


@pytest.mark.parametrize("jump", [10.0, -3.0])
def test_a_gap_forward_or_backward_is_a_restart_that_keeps_the_pose(jump: float) -> None:
    ego = driven(20.0, 0.0, 1.0)
    ego.update([vehicle_state(1.0 + jump, 20.0)])
    assert ego.restarts == 1
    assert ego.newest is not None
    assert ego.newest.pose[0] == pytest.approx(20.0, abs=1e-6)
    assert ego.oldest_time == 1.0 + jump


def test_noisy_speed_is_smoothed_without_lag_when_accelerating() -> None:
    ego = EgoMotionFilter(parameters().ego)
    random = np.random.default_rng(2)
    errors = []
    for k in range(500):
        t = 0.01 * k
        speed = 10.0 + 2.0 * t
        ego.update([vehicle_state(t, speed + float(random.normal(0.0, 0.1)), acceleration=2.0)])
        assert ego.newest is not None
        errors.append(ego.newest.speed - speed)
    late = np.array(errors[100:])
    assert abs(late.mean()) < 0.02
    assert late.std() < 0.05  # half of what was put in


def test_before_the_first_state_there_is_no_pose() -> None:
    with pytest.raises(ValueError, match="no vehicle state"):
        EgoMotionFilter(parameters().ego).at(0.0)
