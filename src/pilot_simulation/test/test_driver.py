"""The human at the wheel."""

import math

import pytest

from pilot_common.types import DriveMode, Mode, Side
from pilot_simulation.driver import BRAKE_PRESS, PATIENCE, PRESS, RESTING, Driver, View
from pilot_simulation.scenario import DriverPlan, LaneChangeWish


def plan(**changes) -> DriverPlan:
    return DriverPlan(**({"set_speed": 30.0, "time_gap": 1.5} | changes))


def mode(kind: DriveMode) -> Mode:
    return Mode(stamp=0.0, mode=kind, reason="", warning=0)


def view(**changes) -> View:
    base = {
        "speed": 25.0,
        "lane_offset": 0.0,
        "heading_error": 0.0,
        "curvature": 0.0,
        "gap": math.inf,
        "lead_speed": 0.0,
    }
    return View(**(base | changes))


@pytest.fixture
def driver(sedan):
    return lambda **changes: Driver(plan(**changes), sedan.facts)


def buttons(driver: Driver, time: float, kind: DriveMode):
    driver.watch(time, mode(kind))
    return driver.inputs(time, mode(kind), RESTING, (0.0, 0.0))


def test_he_drives_until_the_system_does(driver):
    man = driver()
    man.watch(0.0, None)
    assert man.drives(0.0)
    man.watch(1.0, mode(DriveMode.ACTIVE))
    assert not man.drives(1.0)


def test_he_speeds_up_on_a_free_road_holds_his_speed_and_slows_down_behind_others(driver):
    man = driver()
    assert man.hands(view(speed=20.0)).acceleration > 0.3
    assert man.hands(view(speed=30.0)).acceleration == pytest.approx(0.0)
    assert man.hands(view(gap=20.0, lead_speed=15.0)).acceleration < -2.0


def test_he_steers_into_the_bend_and_back_to_the_middle(driver):
    man = driver()
    assert man.hands(view(curvature=0.004)).steering_angle > 0.0
    assert man.hands(view(lane_offset=0.5)).steering_angle < 0.0
    assert man.hands(view(heading_error=0.05)).steering_angle < 0.0
    assert man.hands(view()).steering_angle == 0.0


def test_he_presses_the_button_again_until_the_system_drives(driver):
    man = driver(engage_at=2.0)
    pressed = {
        time: buttons(man, time, DriveMode.STANDBY).engage for time in (1.9, 2.1, 2.1 + PRESS, 2.1 + PATIENCE)
    }
    assert list(pressed.values()) == [False, True, False, True]
    assert not buttons(man, 2.0 + 2 * PATIENCE, DriveMode.ACTIVE).engage
    assert not buttons(man, 2.0 + 3 * PATIENCE, DriveMode.STANDBY).engage  # once is enough


def test_a_driver_who_never_engages_presses_nothing(driver):
    man = driver(engage_at=None)
    assert not any(buttons(man, 0.5 * k, DriveMode.STANDBY).engage for k in range(40))


def test_he_answers_a_takeover_demand_after_his_reaction_time(driver):
    man = driver(takes_over_after=3.0, hands_on=False)
    assert buttons(man, 1.0, DriveMode.ACTIVE).steering_torque == 0.0
    assert buttons(man, 5.0, DriveMode.TAKEOVER).steering_torque == 0.0
    assert not man.drives(7.9)
    answer = buttons(man, 8.0, DriveMode.TAKEOVER)
    assert answer.hands_on and answer.steering_torque > 2.0
    assert man.drives(8.0)


def test_a_demand_that_ends_is_forgotten(driver):
    man = driver(takes_over_after=3.0)
    for time, kind in ((1.0, DriveMode.ACTIVE), (2.0, DriveMode.TAKEOVER), (4.0, DriveMode.ACTIVE)):
        man.watch(time, mode(kind))
    man.watch(6.0, mode(DriveMode.TAKEOVER))
    assert not man.drives(6.5)


def test_a_driver_who_never_takes_over_does_nothing_when_the_system_lets_go(driver):
    man = driver(takes_over_after=None)
    man.watch(1.0, mode(DriveMode.ACTIVE))
    for time, kind in ((5.0, DriveMode.TAKEOVER), (60.0, DriveMode.MINIMUM_RISK), (90.0, DriveMode.STANDBY)):
        man.watch(time, mode(kind))
        assert not man.drives(time + 0.1)


def test_he_drives_on_by_himself_when_the_system_hands_over(driver):
    man = driver()
    man.watch(1.0, mode(DriveMode.ACTIVE))
    man.watch(20.0, mode(DriveMode.OVERRIDE))
    assert not man.drives(20.1)
    assert man.drives(21.0)


def test_levers_and_pedals_are_worked_when_planned(driver):
    wishes = (LaneChangeWish(time=5.0, side=Side.LEFT), LaneChangeWish(time=9.0, side=Side.RIGHT))
    man = driver(lane_changes=wishes, cancel_at=12.0, brakes_at=14.0)
    man.watch(0.0, mode(DriveMode.ACTIVE))
    told = {
        time: buttons(man, time, DriveMode.ACTIVE)
        for time in (4.9, 5.1, 6.0, 9.1, 12.1, 14.1, 14.1 + BRAKE_PRESS)
    }
    sides = [one.lane_change for one in told.values()]
    assert sides == [Side.NONE, Side.LEFT, Side.NONE, Side.RIGHT, Side.NONE, Side.NONE, Side.NONE]
    assert [time for time, one in told.items() if one.cancel] == [12.1]
    assert [time for time, one in told.items() if one.brake > 0.0] == [14.1]
