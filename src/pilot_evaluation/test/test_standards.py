"""What ISO 15622, UN R157 and UN R79 allow, and by how much a drive oversteps it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_run import Other, make_run, vehicle

from pilot_common.regulation import (
    braking_jerk,
    following_acceleration,
    following_deceleration,
    rear_distance,
    regulation_gap,
)
from pilot_common.types import DriveMode, Manoeuvre
from pilot_evaluation.measures import standards

DIMENSIONS = vehicle().facts.dimensions
LANE = 3.75


def braking_run(deceleration, speed=25.0, seconds=5.0, **more):
    return make_run(
        seconds,
        speed=lambda t: max(speed - deceleration * t, 0.0),
        acceleration=lambda t: -deceleration,
        **more,
    )


@settings(max_examples=20, deadline=None)
@given(deceleration=st.floats(0.1, 4.5))
def test_braking_is_compared_with_what_is_allowed_at_its_lowest_allowance(deceleration):
    # From 25 m/s the allowance is 3.5 m/s² until 20 m/s, so the first seconds decide.
    value = standards.braking_excess(braking_run(deceleration)).value
    assert value == pytest.approx(deceleration - following_deceleration(24.0), abs=0.02)


def test_allowances_grow_towards_standstill_and_are_constant_beyond_their_ends():
    for allowed, slow, fast in (
        (following_deceleration, 5.0, 3.5),
        (following_acceleration, 4.0, 2.0),
        (braking_jerk, 5.0, 2.5),
    ):
        values = [allowed(0.5 * step) for step in range(120)]
        assert values[0] == pytest.approx(slow, abs=0.01)
        assert values[-1] == pytest.approx(fast, abs=0.01)
        assert values == sorted(values, reverse=True)


def test_an_emergency_and_a_driving_human_are_not_judged():
    emergency = braking_run(8.0, manoeuvres=((0.0, Manoeuvre.EMERGENCY_BRAKE),))
    assert standards.braking_excess(emergency).value is None
    assert standards.braking_jerk_excess(emergency).value is None
    human = braking_run(8.0, modes=((0.0, DriveMode.STANDBY),))
    assert standards.braking_excess(human).value is None


def test_a_peak_shorter_than_the_window_is_averaged():
    def acceleration(time):
        return -5.0 if 2.0 <= time < 2.2 else 0.0

    run = make_run(
        5.0,
        speed=lambda t: 25.0 - 5.0 * min(max(t - 2.0, 0.0), 0.2),
        acceleration=acceleration,
    )
    assert standards.braking_excess(run).value == pytest.approx(0.5 - 3.5, abs=0.01)


def test_speeding_up_and_jerking_are_told_beyond_what_is_allowed():
    faster = make_run(5.0, speed=lambda t: 20.0 + 2.6 * t, acceleration=lambda t: 2.6)
    assert standards.acceleration_excess(faster).value == pytest.approx(0.6, abs=0.02)
    biting = make_run(5.0, speed=lambda t: 25.0, acceleration=lambda t: -3.0 * max(t - 2.0, 0.0))
    assert standards.braking_jerk_excess(biting).value == pytest.approx(0.5, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(gap=st.floats(5.0, 60.0))
def test_a_steady_gap_is_compared_with_the_regulation_s(gap):
    front = DIMENSIONS.rear_axle_to_front
    leader = Other(station=lambda t: front + gap + 2.25 + 20.0 * t, speed=lambda t: 20.0)
    value = standards.gap_shortfall(make_run(6.0, [leader])).value
    assert value == pytest.approx(regulation_gap(20.0) - gap, abs=1e-6)


def test_a_gap_that_closes_or_opens_is_not_steady():
    leader = Other(station=lambda t: 40.0 + 17.0 * t, speed=lambda t: 17.0)
    assert standards.gap_shortfall(make_run(6.0, [leader])).value is None


def offset(time, start=4.0, duration=4.0):
    share = min(max((time - start) / duration, 0.0), 1.0)
    return LANE * share * share * (3.0 - 2.0 * share)


def changing(seconds=12.0, others=(), way=offset):
    def lane(time):
        return 1.0 + (way(time) > 0.5 * LANE)

    return make_run(
        seconds,
        others,
        offset=way,
        lane=lane,
        lane_offset=lambda t: way(t) - LANE * (lane(t) - 1.0),
        manoeuvres=((0.0, Manoeuvre.CRUISE), (3.0, Manoeuvre.LANE_CHANGE_LEFT), (9.0, Manoeuvre.CRUISE)),
    )


def test_a_lane_change_starts_when_it_moves_and_lies_over_the_marking_as_long_as_its_width():
    run = changing()
    start = standards.lane_change_start(run).value
    assert 4.0 < start < 4.6
    # Around the middle the car moves at 1.5 lane widths in 4 s; it is over the marking for its own width.
    speed = 1.5 * LANE / 4.0
    assert standards.lane_change_crossing(run).value == pytest.approx(
        DIMENSIONS.width / speed, rel=0.1, abs=0.1
    )
    assert standards.lane_change_reversal(run).value == pytest.approx(0.0, abs=1e-9)


def test_a_lane_change_that_goes_back_on_its_way_says_so():
    def hesitating(time):
        return offset(time) - 1.0 * max(0.0, 1.0 - abs(time - 5.5) / 0.5)

    assert standards.lane_change_reversal(changing(way=hesitating)).value > 0.1


def test_who_keeps_its_lane_changes_none():
    run = make_run(5.0)
    for measure in (
        standards.lane_change_start,
        standards.lane_change_crossing,
        standards.lane_change_reversal,
        standards.rear_shortfall,
    ):
        assert measure(run).value is None


@pytest.mark.parametrize(("distance", "speed"), [(30.0, 30.0), (80.0, 30.0), (15.0, 18.0)])
def test_the_rear_distance_is_judged_when_the_lane_change_begins(distance, speed):
    rear = DIMENSIONS.rear_axle_to_front - DIMENSIONS.length
    behind = Other(
        station=lambda t: 20.0 * 3.0 + rear - distance - 2.25 + speed * (t - 3.0),
        offset=lambda t: LANE,
        speed=lambda t: speed,
    )
    value = standards.rear_shortfall(changing(others=[behind])).value
    assert value == pytest.approx(rear_distance(20.0, speed) - distance, abs=0.6)


def test_a_car_behind_in_another_lane_does_not_matter():
    elsewhere = Other(station=lambda t: -10.0 + 25.0 * t, offset=lambda t: -LANE, speed=lambda t: 25.0)
    assert standards.rear_shortfall(changing(others=[elsewhere])).value is None
