"""Who may come into the path: braked for in time, passed where that is safe, left alone where he keeps his lane."""

import itertools

import numpy as np
import pytest
from motorway import Motorway, Other, planner

from pilot_common.types import Manoeuvre
from pilot_planning.highway.contingency import Answer, Brakes, Coming, CutInLaw, Resolve, answer
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.motion import LeadMotion

BRAKES = Brakes(0.39, 5.0, 30.0, 3.5, 8.5, 0.32)
PARAMETERS = planner()._p.contingency
MARGIN, STEP = 1.5, 0.005
CASES = list(
    itertools.product((3.0, 12.0, 30.0, 70.0), (15.0, 25.0, 35.0), (3.0, 8.0, 15.0), (0.8, 2.0, 6.0))
)


def coming(chance: float, arrival: float, length: float = 9.0) -> Coming:
    return Coming(chance, arrival, arrival, 0.9 * arrival, length)


def asked(lead: LeadMotion, coming: Coming, speed: float, resolve: Resolve = Resolve.OPEN) -> Answer:
    return answer(lead, coming, speed, 0.0, resolve, False, BRAKES, PARAMETERS)


def gap_left(gap: float, speed: float, closing: float, arrival: float, needed: float, jerk: float) -> float:
    """Least gap from the arrival on when the needed deceleration is built up at a jerk after the brakes' delay."""
    own, other, acceleration, least = speed, speed - closing, 0.0, np.inf
    for time in np.arange(0.0, 20.0, STEP):
        if time >= BRAKES.delay:
            acceleration = max(-needed, acceleration - jerk * STEP)
        if time >= arrival:
            least = min(least, gap)
            if own <= other:
                break
        gap += (other - own) * STEP
        own = max(0.0, own + acceleration * STEP)
    return least


@pytest.mark.parametrize(("gap", "speed", "closing", "arrival"), CASES)
def test_the_needed_deceleration_brings_us_behind_him_when_he_arrives(gap, speed, closing, arrival):
    law = CutInLaw(LeadMotion(gap, speed - closing, 0.0, 1.5), arrival, BRAKES, False, MARGIN, 1.0)
    needed = law.needed(0.0, 0.0, speed, True)
    if needed <= BRAKES.hardest:
        assert gap_left(gap, speed, closing, arrival, needed, BRAKES.hard_jerk) > 0.4 * MARGIN


@pytest.mark.parametrize(("gap", "speed", "closing", "arrival"), CASES)
def test_who_arrives_later_or_farther_ahead_never_needs_more(gap, speed, closing, arrival):
    def needed(gap: float, arrival: float) -> float:
        law = CutInLaw(LeadMotion(gap, speed - closing, 0.0, 1.5), arrival, BRAKES, False, MARGIN, 1.0)
        return law.needed(0.0, 0.0, speed, True)

    here = needed(gap, arrival)
    assert needed(gap + 2.0, arrival) <= here + 1e-9
    assert needed(gap, arrival + 0.5) <= here + 1e-9


def test_the_law_is_nothing_but_its_numbers():
    law = CutInLaw(LeadMotion(20.0, 15.0, -1.0, 1.5), 1.2, BRAKES, True, MARGIN, 1.15)
    again: Law = CutInLaw.of((*law.numbers(), 0.0, 0.0))
    assert again.bound(0.0, 0.0, 25.0) == law.bound(0.0, 0.0, 25.0) < -3.0


def test_who_is_passed_before_he_arrives_is_not_braked_for():
    beside = LeadMotion(2.0, 15.0, 0.0, 1.5)
    assert asked(beside, coming(1.0, 2.0), 25.0).law is None


def test_what_is_decided_stays_while_lateral_speeds_are_in_doubt():
    # Past in 2.2 s: between the likely and the soonest arrival.
    ahead, doubtful = LeadMotion(1.0, 20.0, 0.0, 1.5), Coming(1.0, 2.5, 2.5, 2.0, 9.0)
    fresh = asked(ahead, doubtful, 25.0)
    assert fresh.law is not None
    assert fresh.resolve is Resolve.YIELD
    assert asked(ahead, doubtful, 25.0, Resolve.PASS).law is None
    # Past in 1.8 s when he comes in 2 s at the soonest: enough to go on, not enough to let go of the brake.
    later = Coming(1.0, 2.5, 2.5, 2.0, 8.0)
    assert asked(LeadMotion(0.5, 20.0, 0.0, 1.5), later, 25.0).law is None
    assert asked(LeadMotion(0.5, 20.0, 0.0, 1.5), later, 25.0, Resolve.YIELD).law is not None


def test_where_braking_is_too_late_and_going_on_brings_us_past_we_go_on():
    beside = LeadMotion(-2.0, 20.0, 0.0, 1.5)
    assert asked(beside, coming(1.0, 0.8), 30.0).law is None


def test_where_braking_is_too_late_and_going_on_does_not_help_we_brake_hardest():
    close = LeadMotion(3.0, 15.0, 0.0, 1.5)
    law = asked(close, coming(1.0, 0.4), 25.0).law
    assert law is not None
    assert law.bound(0.0, 0.0, 25.0) == -BRAKES.hardest


def test_what_is_likely_is_braked_for_before_what_is_only_possible():
    ahead, soon = LeadMotion(45.0, 18.0, 0.0, 1.5), 2.0
    assert asked(ahead, coming(0.9, soon), 28.0).law is not None
    assert asked(ahead, coming(0.12, soon), 28.0).law is None


def cuts_in(begin: float, rate: float, way: float = 3.6):
    return lambda time: (0.0, -rate if begin <= time < begin + way / rate else 0.0)


@pytest.mark.parametrize(
    ("gap", "closing", "rate"), [(25.0, 8.0, 1.0), (45.0, 14.0, 1.5), (12.0, 3.0, 0.6), (60.0, 12.0, 0.3)]
)
def test_a_slower_car_that_cuts_in_is_never_touched(gap, closing, rate):
    other = Other(7, 4.0 + gap + 2.3 + closing, 3.6, 30.0 - closing, drive=cuts_in(1.0, rate))
    road = Motorway(speed=30.0, set_speed=30.0, others=[other])
    road.drive(12.0)
    assert min(road.gaps) > 0.0


@pytest.mark.parametrize("closing", [2.0, 8.0, 15.0])
@pytest.mark.parametrize("sway", [0.0, 0.3])
def test_a_neighbour_that_stays_in_its_lane_is_not_braked_for(closing, sway):
    other = Other(7, 60.0, -3.6, 30.0 - closing, drive=lambda time: (0.0, sway * np.cos(1.3 * time)))
    road = Motorway(speed=30.0, set_speed=30.0, others=[other])
    road.drive(10.0)
    assert road.accelerations().min() > -0.4


def test_who_comes_in_behind_our_front_is_left_behind_without_braking():
    other = Other(7, 8.0, -3.6, 18.0, drive=cuts_in(0.0, -0.8))
    road = Motorway(speed=30.0, set_speed=30.0, others=[other])
    road.drive(3.0)
    assert road.accelerations().min() > -0.4


def test_the_car_that_cuts_in_is_named_and_is_why_we_brake():
    def road(others: list[Other]) -> Motorway:
        drive = Motorway(speed=30.0, set_speed=30.0, others=others)
        drive.drive(1.8)
        return drive

    with_him = road([Other(7, 4.0 + 30.0 + 10.0, 3.6, 20.0, drive=cuts_in(1.0, 1.2))])
    plan = with_him.log[-1][-1]
    ledger = plan.ledger
    causes = {ledger.name[index] for index in (ledger.binding, ledger.runner_up)}
    assert causes & {"cut_in", "contingency"}
    assert 7 in ledger.identity[[ledger.binding, ledger.runner_up]]
    assert plan.trajectory.acceleration[0] < -0.5
    assert plan.manoeuvre in (Manoeuvre.FOLLOW, Manoeuvre.EMERGENCY_BRAKE)
    assert road([]).accelerations()[-1] > -0.05


def test_behind_a_newcomer_the_gap_is_restored_without_harsh_braking():
    other = Other(7, 4.0 + 25.0 + 3.0, 3.6, 27.5, drive=cuts_in(1.0, 1.0))
    road = Motorway(speed=30.0, set_speed=30.0, others=[other])
    road.drive(25.0)
    assert road.accelerations().min() > -1.0
    assert road.gaps[-1] > 30.0
