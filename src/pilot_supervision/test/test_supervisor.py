"""Engaging, overriding, failures: who may drive, and when the car stops by itself."""

import math

import pytest
from supervised import BLIND, FUNCTIONS, LET_GO, LOST, PRESS, TICK, Drive

from pilot_common.types import DriveMode, Gear
from pilot_supervision.supervisor import (
    ACTIVE,
    MINIMUM_RISK,
    OFF,
    OVERRIDE,
    STANDBY,
    TAKEOVER,
    TRANSITIONS,
    Situation,
)


def test_every_transition_of_the_table_looks_at_something_that_exists():
    known = set(Situation.__slots__)
    assert {when for _, when, _ in TRANSITIONS} <= known
    assert known == {when for _, when, _ in TRANSITIONS}
    assert {before for before, _, _ in TRANSITIONS} == set(DriveMode)


def test_no_driving_mode_is_reached_but_through_the_drivers_button():
    reachable = {OFF, STANDBY}
    for _ in TRANSITIONS:
        reachable |= {
            after for before, when, after in TRANSITIONS if before in reachable and when != "engages"
        }
    assert reachable == {OFF, STANDBY}


def test_it_is_off_until_the_car_is_in_drive():
    drive = Drive()
    assert drive.step(vehicle_state=None).mode is OFF
    assert drive.step(car={"gear": Gear.PARK}).mode is OFF
    assert drive.step().mode is STANDBY


def test_invalid_functions_at_the_start_are_no_failure_and_only_delay_engaging():
    drive = Drive()
    said = drive.run(2.0, invalid=FUNCTIONS, driver=LET_GO)
    assert all(mode.mode is STANDBY for mode in said)
    assert "not ready: control is invalid: no plan" in said[-1].reason
    assert drive.step(invalid=FUNCTIONS, driver=PRESS).mode is STANDBY
    assert drive.step(driver=PRESS).mode is ACTIVE  # still pressed when all is well


def test_engaging_says_so(standing_by):
    mode = standing_by.step(driver=PRESS)
    assert (mode.mode, mode.reason, mode.warning) == (ACTIVE, "engaged by the driver", 0)


REFUSALS = {
    "fusion silent": ({"silent": ("fusion",)}, "fusion has not reported"),
    "planning silent": ({"silent": ("planning",)}, "planning has not reported"),
    "control silent": ({"silent": ("control",)}, "control has not reported"),
    "gate silent": ({"silent": ("gate",)}, "gate has not reported"),
    "detection silent": ({"silent": ("detection",)}, "detection has not reported"),
    "planning invalid": ({"invalid": ("planning",)}, "planning is invalid: no plan"),
    "no world": ({"world": None}, "no fresh world"),
    "no plan": ({"plan": None}, "no fresh plan"),
    "no actuation": ({"actuation": None}, "no fresh actuation"),
    "lanes lost": (BLIND, "lanes lost: no marks seen"),
    "sensor lost": (LOST, "sensors lost: front_radar"),
    "too fast": ({"car": {"speed": 40.0}}, "faster than 130 km/h"),
    "backwards": ({"car": {"speed": -1.0}}, "the car rolls backwards"),
    "invalid state": ({"car": {"valid": False}}, "no valid vehicle state"),
    "speed not a number": ({"car": {"speed": math.nan}}, "no valid vehicle state"),
    "brake": ({"driver": {"brake": 0.2}}, "the driver brakes"),
    "torque": ({"driver": {"steering_torque": -5.0}}, "the driver steers"),
    "hands off": ({"driver": {"hands_on": False}}, "hands off the wheel"),
}


@pytest.mark.parametrize(("given", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_it_cannot_be_engaged_while_something_is_missing(standing_by, given, reason):
    standing_by.run(0.7, **given)
    pressed = given | {"driver": given.get("driver", {}) | PRESS}
    mode = standing_by.step(**pressed)
    assert mode.mode is STANDBY
    assert f"not ready: {reason}" in mode.reason
    assert mode.warning == 1


def test_a_button_stuck_from_the_start_never_engages():
    drive = Drive()
    assert all(mode.mode is not ACTIVE for mode in drive.run(5.0, driver=PRESS))


def test_one_press_engages_once(standing_by):
    standing_by.step(driver=PRESS)
    standing_by.step(driver=PRESS | {"brake": 0.2})
    assert all(mode.mode is STANDBY for mode in standing_by.run(2.0, driver=PRESS))
    standing_by.step()
    assert standing_by.step(driver=PRESS).mode is ACTIVE


def test_the_accelerator_may_stay_down_for_a_moment_after_engaging(standing_by):
    held = {"accelerator": 0.3}
    standing_by.run(0.5, driver=held)
    assert standing_by.step(driver=held | PRESS).mode is ACTIVE
    assert standing_by.run(0.3, driver=held)[-1].mode is ACTIVE
    assert standing_by.run(1.0)[-1].mode is ACTIVE
    assert standing_by.step(driver=held).mode is OVERRIDE


@pytest.mark.parametrize("act", [{"brake": 0.1}, {"cancel": True}])
def test_brake_and_cancel_hand_the_car_back_at_once(drive, act):
    assert drive.step(driver=act).mode is STANDBY
    assert drive.run(5.0)[-1].mode is STANDBY


def test_the_accelerator_overrides_and_gives_back(drive):
    mode = drive.step(driver={"accelerator": 0.2})
    assert (mode.mode, mode.reason) == (OVERRIDE, "the driver accelerates")
    assert all(mode.mode is OVERRIDE for mode in drive.run(3.0, driver={"accelerator": 0.2}))
    modes = [mode.mode for mode in drive.run(1.0)]
    assert modes[0] is OVERRIDE
    assert modes[-1] is ACTIVE


def test_a_short_pull_at_the_wheel_overrides_and_a_long_one_takes_over(drive):
    assert drive.step(driver={"steering_torque": 4.0}).mode is OVERRIDE
    assert drive.run(1.0)[-1].mode is ACTIVE
    said = drive.run(2.0, driver={"steering_torque": -4.0})
    assert [said[0].mode, said[-1].mode] == [OVERRIDE, STANDBY]
    assert said[-1].reason.startswith("the driver keeps steering")


@pytest.mark.parametrize("name", ["fusion", "planning", "control", "gate"])
def test_a_silent_critical_function_stops_the_car_as_soon_as_its_report_is_overdue(drive, name):
    said = drive.run(1.0, silent=(name,))
    stopping = next(index for index, mode in enumerate(said) if mode.mode is MINIMUM_RISK)
    assert 0.5 <= (stopping + 1) * TICK <= 0.6
    assert said[stopping].reason == f"{name} has not reported for 0.6 s"
    assert said[stopping].warning == 3


@pytest.mark.parametrize("name", ["fusion", "planning", "control", "gate"])
def test_a_critical_function_that_stays_invalid_stops_the_car(drive, name):
    said = drive.run(0.6, invalid=(name,))
    assert said[4].mode is ACTIVE  # persistence
    assert (said[-1].mode, said[-1].reason) == (MINIMUM_RISK, f"{name} is invalid: no plan")


def test_one_invalid_report_is_forgiven(drive):
    for _ in range(20):
        drive.run(0.2, invalid=("planning",))
        assert drive.run(0.1)[-1].mode is ACTIVE


@pytest.mark.parametrize("name", ["vehicle_state", "world", "plan", "actuation"])
def test_a_stream_that_stops_stops_the_car(drive, name):
    said = drive.run(0.6, **{name: None})
    assert said[-1].mode is MINIMUM_RISK
    assert said[-1].reason == f"no fresh {name.replace('_', ' ')}"


def test_a_silent_function_that_is_not_critical_asks_the_driver(drive):
    said = drive.run(0.7, silent=("detection",))
    assert said[-1].mode is TAKEOVER
    assert said[-1].reason == "detection has not reported for 0.6 s"


def test_a_function_that_was_never_fitted_is_not_missed():
    drive = Drive()
    for _ in range(20):
        drive.step(silent=("detection",))
    assert drive.step(silent=("detection",), driver=PRESS).mode is ACTIVE
    assert all(mode.mode is ACTIVE for mode in drive.run(3.0, silent=("detection",)))


@pytest.mark.parametrize(
    ("given", "reason"), [(BLIND, "lanes lost: no marks seen"), (LOST, "sensors lost: front_radar")]
)
def test_what_the_car_no_longer_sees_the_driver_must(drive, given, reason):
    said = drive.run(0.6, **given)
    assert (said[-1].mode, said[-1].reason, said[-1].warning) == (TAKEOVER, reason, 2)


def test_functions_that_turn_invalid_for_lost_lanes_do_not_cut_the_drivers_time(drive):
    said = drive.run(4.0, invalid=("detection", "fusion", "planning", "control"), **BLIND)
    assert {mode.mode for mode in said} == {ACTIVE, TAKEOVER}


def test_a_flicker_of_the_lanes_is_no_demand(drive):
    for _ in range(20):
        drive.run(0.2, **BLIND)
        assert drive.step().mode is ACTIVE
