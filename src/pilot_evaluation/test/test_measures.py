"""What is measured of a drive: invariants first, then the cases that decide who caused a contact."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_run import Other, actuation, command, make_run, mode, put, state, truth, vehicle

from pilot_common.types import DriveMode, Manoeuvre
from pilot_evaluation.measures import contact, lead, motion, operation
from pilot_evaluation.run import Run

FRONT = vehicle().facts.dimensions.rear_axle_to_front


def ahead(gap, speed=20.0, start=0.0):
    """A car whose rear bumper is `gap` ahead of the ego's front one at the start."""
    return Other(station=lambda t: start + FRONT + gap + 2.25 + speed * t, speed=lambda t: speed)


@settings(max_examples=25, deadline=None)
@given(gap=st.floats(1.0, 150.0), closing=st.floats(0.5, 10.0))
def test_gap_and_time_to_collision_follow_their_definitions(gap, closing):
    run = make_run(0.1, [ahead(gap, 20.0 - closing)])
    assert lead.gap_minimum(run).value == pytest.approx(gap - 0.1 * closing, abs=1e-6)
    assert lead.time_to_collision_minimum(run).value == pytest.approx(
        (gap - 0.1 * closing) / closing, rel=1e-6
    )
    assert lead.time_gap_minimum(run).value == pytest.approx((gap - 0.1 * closing) / 20.0, rel=1e-6)


def test_a_car_in_the_next_lane_is_no_lead():
    beside = Other(station=lambda t: 60.0 + 20.0 * t, offset=lambda t: 3.75, speed=lambda t: 20.0)
    assert lead.gap_minimum(make_run(1.0, [beside])).value is None


def test_the_nearest_of_several_is_the_lead():
    run = make_run(1.0, [ahead(80.0), ahead(30.0), ahead(50.0)])
    assert lead.gap_minimum(run).value == pytest.approx(30.0)


def test_a_lead_that_drives_away_is_never_collided_with():
    assert lead.time_to_collision_minimum(make_run(1.0, [ahead(30.0, speed=25.0)])).value is None


def test_gaps_while_the_human_drives_do_not_count():
    run = make_run(4.0, [ahead(5.0, speed=25.0)], modes=((0.0, DriveMode.STANDBY), (2.0, DriveMode.ACTIVE)))
    assert lead.gap_minimum(run).value == pytest.approx(5.0 + 2.0 * 5.0, abs=0.3)


def collision(seconds, other, **ego):
    """A run that touches the other in its last truth."""
    return make_run(seconds, [other], contact_identity=lambda t: 7.0 if t > seconds - 0.01 else 0.0, **ego)


def cause(run: Run) -> tuple[bool, str]:
    found = contact.contacts(run)
    assert len(found) == 1
    return found[0].caused, found[0].reason


def test_driving_into_a_slower_car_ahead_is_caused():
    caused, reason = cause(collision(3.0, ahead(30.0, speed=10.0)))
    assert caused and "rear" in reason


def test_being_hit_from_behind_is_not_caused():
    rear = vehicle().facts.dimensions.length - FRONT
    behind = Other(station=lambda t: -rear - 2.25 - 30.0 + 30.0 * t, speed=lambda t: 30.0)
    caused, reason = cause(collision(3.0, behind))
    assert not caused and "behind" in reason


def test_changing_lanes_in_front_of_somebody_is_caused():
    rear = vehicle().facts.dimensions.length - FRONT
    behind = Other(
        station=lambda t: -rear - 2.25 - 30.0 + 30.0 * t, offset=lambda t: 3.75, speed=lambda t: 30.0
    )
    run = make_run(
        3.0,
        [behind],
        manoeuvres=((0.0, Manoeuvre.LANE_CHANGE_LEFT),),
        offset=lambda t: min(3.75, 1.3 * t),
        contact_identity=lambda t: 7.0 if t > 2.99 else 0.0,
    )
    caused, reason = cause(run)
    assert caused and "lane" in reason


@pytest.mark.parametrize("mover, caused", [("ego", True), ("other", False)])
def test_who_moves_sideways_causes_the_contact(mover, caused):
    drift = lambda t: 0.6 * t  # noqa: E731
    beside = Other(
        station=lambda t: 1.2 + 20.0 * t,
        offset=(lambda t: 3.75) if mover == "ego" else (lambda t: 3.75 - drift(t)),
        speed=lambda t: 20.0,
    )
    ego = {"offset": drift} if mover == "ego" else {}
    assert cause(collision(3.2, beside, **ego))[0] is caused


def test_a_contact_with_oncoming_traffic_is_not_caused():
    oncoming = Other(station=lambda t: 66.0 - 20.0 * t, speed=lambda t: 20.0, heading=math.pi)
    assert not cause(collision(1.5, oncoming))[0]


@pytest.mark.parametrize("time_left, caused", [(0.5, False), (2.5, True)])
def test_a_cut_in_counts_by_the_time_it_leaves(time_left, caused):
    """UN R157: at a closing speed of 10 m/s, a cut-in must be avoided from 1.18 s to collision on."""
    closing, intrusion = 10.0, 1.0
    end = intrusion + time_left
    other = Other(
        station=lambda t: FRONT + 2.25 + closing * end + (20.0 - closing) * t,
        offset=lambda t: 3.75 if t < intrusion else 0.0,
        speed=lambda t: 20.0 - closing,
    )
    assert cause(collision(end, other))[0] is caused


def test_one_touch_over_many_frames_is_one_contact():
    run = make_run(4.0, [ahead(1.0)], contact_identity=lambda t: 7.0 if 1.0 < t < 3.0 else 0.0)
    assert contact.contact_count(run).value == 1.0


def test_contacts_cannot_be_denied_without_truth():
    empty = Run(vehicle(), make_run(0.1).graph)
    assert contact.contact_count(empty).value is None


def test_lateral_error_counts_only_lane_keeping_by_the_system():
    run = make_run(
        30.0,
        modes=((0.0, DriveMode.STANDBY), (10.0, DriveMode.ACTIVE)),
        manoeuvres=((0.0, Manoeuvre.CRUISE), (20.0, Manoeuvre.LANE_CHANGE_LEFT)),
        lane_offset=lambda t: 1.5 if t < 10.0 else 0.1 if t < 19.99 else 1.8,
    )
    assert motion.lateral_error_95(run).value == pytest.approx(0.1)
    assert motion.out_of_lane(run).value == 0.0


def test_a_wheel_over_the_marking_is_out_of_lane():
    room = 0.5 * (3.75 - vehicle().facts.dimensions.width)
    run = make_run(10.0, lane_offset=lambda t: room + 0.01 if t < 2.5 else room - 0.01)
    assert motion.out_of_lane(run).value == pytest.approx(0.25, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(jerk=st.floats(0.2, 8.0))
def test_jerk_of_a_ramp_is_its_slope(jerk):
    run = make_run(6.0, acceleration=lambda t: jerk * t)
    assert motion.jerk_maximum(run).value == pytest.approx(jerk, rel=1e-6)
    assert motion.jerk_95(run).value == pytest.approx(jerk, rel=1e-6)


def test_jerk_of_an_emergency_does_not_count():
    def braking(t):
        return 0.0 if t < 5.0 else -8.0

    calm = make_run(10.0, acceleration=braking)
    emergency = make_run(
        10.0,
        acceleration=braking,
        manoeuvres=((0.0, Manoeuvre.CRUISE), (4.5, Manoeuvre.EMERGENCY_BRAKE), (6.0, Manoeuvre.CRUISE)),
    )
    assert motion.jerk_maximum(calm).value == pytest.approx(8.0, rel=0.01)
    assert motion.jerk_maximum(emergency).value == pytest.approx(0.0, abs=1e-9)


def test_speed_excess_gives_time_to_slow_down_but_not_for_ever():
    def run(speed):
        made = make_run(30.0, speed=speed)
        put(made, "vehicle_state", state(5.0, set_speed=20.0))
        return made

    assert motion.speed_excess(run(lambda t: 28.0 if t < 15.0 else 20.0)).value == pytest.approx(0.0)
    assert motion.speed_excess(run(lambda t: 28.0)).value == pytest.approx(8.0)


def test_stopped_in_lane_needs_both():
    assert motion.stopped_in_lane(make_run(1.0)).value == 0.0
    assert motion.stopped_in_lane(make_run(1.0, speed=lambda t: 0.0)).value == 1.0
    assert motion.stopped_in_lane(make_run(1.0, speed=lambda t: 0.0, lane_offset=lambda t: 1.6)).value == 0.0


def test_engaged_is_counted_from_the_press_of_the_button():
    run = Run(vehicle(), make_run(0.1).graph)
    for time in np.arange(0.0, 20.0, 0.05):
        put(run, "truth", truth(time))
        put(run, "vehicle_state", state(time, engage=10.0 <= time < 10.2))
    put(run, "mode", mode(0.0, DriveMode.STANDBY))
    put(run, "mode", mode(12.5, DriveMode.ACTIVE))
    assert operation.engaged(run).value == pytest.approx(0.75, abs=0.01)


def test_takeovers_are_counted_once_each():
    changes = (
        (0.0, DriveMode.ACTIVE),
        (1.0, DriveMode.TAKEOVER),
        (1.1, DriveMode.TAKEOVER),
        (2.0, DriveMode.ACTIVE),
    )
    run = make_run(10.0, modes=(*changes, (5.0, DriveMode.TAKEOVER), (6.0, DriveMode.MINIMUM_RISK)))
    assert operation.takeovers(run).value == 2.0
    assert operation.minimum_risk(run).value == 1.0


def test_deadline_forgives_one_missed_period_and_no_more():
    run = Run(vehicle(), make_run(0.1).graph)
    moment = 0.0
    for index in range(101):
        put(run, "command", command(moment))
        moment += {10: 0.04, 20: 0.041}.get(index, 0.02)
    assert operation.control_deadline(run).value == pytest.approx(0.99)


def test_age_is_that_of_the_oldest_sensor_data_while_driving():
    run = Run(vehicle(), make_run(0.1).graph)
    for index in range(100):
        put(run, "actuation", actuation(0.02 * index, age=0.1 if index < 50 else 9.0, active=index < 50))
    assert operation.sensor_to_actuation_age(run).value == pytest.approx(0.1)


def test_every_measure_copes_with_a_run_without_messages():
    from pilot_evaluation.criteria import RULES

    empty = Run(vehicle(), make_run(0.1).graph)
    for rule in RULES.values():
        assert rule.measure(empty).sentence
