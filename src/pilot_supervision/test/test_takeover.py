"""Demands on the driver, the minimum-risk stop and what comes after, restarts."""

import copy
import math
from dataclasses import replace

import pytest
from supervised import ACTUATION, BLIND, PRESS, TICK, Drive, car

from pilot_common.folders import config_folder
from pilot_common.types import Gear
from pilot_common.vehicle import load_vehicle
from pilot_supervision.supervisor import ACTIVE, MINIMUM_RISK, OFF, STANDBY, TAKEOVER, Supervisor


def test_the_demand_escalates_and_ends_in_a_stop(drive):
    drive.run(0.35, **BLIND)
    said = drive.run(drive.parameters.takeover_time + 0.1, **BLIND)
    levels = [mode.warning for mode in said]
    assert levels == sorted(levels)
    assert levels[0] == 2
    assert 2 in levels[: round(3.9 / TICK)]
    assert levels[round(4.1 / TICK)] == 3
    assert (said[-1].mode, said[-1].reason) == (MINIMUM_RISK, "the driver did not take over within 5 s")


def test_hands_free_driving_gives_the_driver_ten_seconds():
    drive = Drive("flagship_ev").engaged()
    said = drive.run(9.9, **BLIND)
    assert said[-1].mode is TAKEOVER
    assert drive.run(1.0, **BLIND)[-1].mode is MINIMUM_RISK


def test_a_demand_whose_cause_is_gone_is_withdrawn(drive):
    drive.run(1.0, **BLIND)
    said = drive.run(1.5)
    assert said[0].mode is TAKEOVER
    assert (said[-1].mode, said[-1].reason) == (ACTIVE, "the cause of the takeover demand is gone")


@pytest.mark.parametrize(
    "act", [{"brake": 0.1}, {"steering_torque": 4.0}, {"accelerator": 0.2}, {"cancel": True}]
)
def test_the_driver_answers_a_demand_by_acting(drive, act):
    drive.run(1.0, **BLIND)
    assert drive.step(driver=act, **BLIND).mode is STANDBY


def test_an_accelerator_under_a_driver_without_hands_is_no_answer(drive):
    drive.run(1.0, **BLIND)
    assert drive.step(driver={"accelerator": 0.2, "hands_on": False}, **BLIND).mode is TAKEOVER


def test_a_driver_who_is_back_in_the_last_moment_is_not_stopped(drive):
    drive.run(0.35, **BLIND)
    drive.run(drive.parameters.takeover_time - 0.1, **BLIND)
    assert {mode.mode for mode in drive.run(1.5)} == {TAKEOVER, ACTIVE}


def test_a_failure_cuts_the_demand_short(drive):
    drive.run(1.0, **BLIND)
    assert drive.run(0.7, silent=("control",), **BLIND)[-1].mode is MINIMUM_RISK


def test_hands_off_climbs_from_sign_to_sound_to_demand_to_stop(drive):
    away, own = {"driver": {"hands_on": False}}, drive.parameters
    said = drive.run(own.hands_off.takeover + own.takeover_time + 0.2, **away)
    first = {}
    for index, mode in enumerate(said):
        first.setdefault((mode.mode, mode.warning), index * TICK)
    assert first[ACTIVE, 1] == pytest.approx(own.hands_off.visual, abs=0.1)
    assert first[ACTIVE, 2] == pytest.approx(own.hands_off.acoustic, abs=0.1)
    assert first[TAKEOVER, 2] == pytest.approx(own.hands_off.takeover, abs=0.1)
    assert first[MINIMUM_RISK, 3] == pytest.approx(own.hands_off.takeover + own.takeover_time, abs=0.2)
    assert said[round(16.0 / TICK)].reason == "hands off the wheel for 15 s"


def test_hands_back_on_end_the_ladder(drive):
    away = {"driver": {"hands_on": False}}
    drive.run(40.0, **away)
    assert drive.step().warning == 0
    assert drive.run(14.0, **away)[-1].warning == 0
    drive.run(35.0, **away)
    assert drive.run(1.5)[-1].mode is ACTIVE


def test_hands_free_cars_ask_for_no_hands_and_cars_without_driver_camera_for_no_eyes():
    flagship = Drive("flagship_ev").engaged()
    away = {"driver": {"hands_on": False, "eyes_on": False}}
    assert all((mode.mode, mode.warning) == (ACTIVE, 0) for mode in flagship.run(60.0, **away))
    city = Drive("city_ev").engaged()
    assert all((mode.mode, mode.warning) == (ACTIVE, 0) for mode in city.run(14.0, driver={"eyes_on": False}))


def test_eyes_off_the_road_count_where_they_are_seen():
    vehicle = load_vehicle("flagship_ev", config_folder())
    hands_on_only = tuple(c for c in vehicle.facts.capabilities if c.value != "motorway_l3")
    vehicle = replace(vehicle, facts=replace(vehicle.facts, capabilities=hands_on_only))
    drive = Drive("flagship_ev")
    drive.supervisor = Supervisor(vehicle, drive.parameters)
    drive.engaged()
    said = drive.run(12.0, driver={"eyes_on": False})
    assert said[round(4.0 / TICK)].reason == "eyes off the road for 3 s"
    assert said[-1].mode is TAKEOVER


def test_a_car_without_a_driving_function_cannot_be_engaged():
    vehicle, parameters = car("sedan_ice")
    drive = Drive()
    drive.supervisor = Supervisor(replace(vehicle, facts=replace(vehicle.facts, capabilities=())), parameters)
    drive.run(1.0)
    assert "this car has no driving function" in drive.step(driver=PRESS).reason


def _stopped(drive):
    drive.run(0.7, silent=("planning",))
    assert drive.step().mode is MINIMUM_RISK
    return drive


def test_a_minimum_risk_stop_is_latched_when_all_is_well_again(drive):
    assert all(mode.mode is MINIMUM_RISK for mode in _stopped(drive).run(20.0))


def test_a_tap_does_not_end_a_stop_in_motion_but_acting_does(drive):
    _stopped(drive)
    assert drive.run(0.3, driver={"brake": 0.2})[-1].mode is MINIMUM_RISK
    drive.run(0.5)
    assert drive.run(0.7, driver={"steering_torque": 4.0})[-1].mode is STANDBY


@pytest.mark.parametrize("act", [{"brake": 0.2}, {"cancel": True}, {"accelerator": 0.2}])
def test_at_rest_one_act_of_the_driver_ends_the_stop(drive, act):
    _stopped(drive)
    standing = {"car": {"speed": 0.0}}
    assert drive.run(30.0, **standing)[-1].mode is MINIMUM_RISK
    assert drive.step(driver=act, **standing).mode is STANDBY


def test_after_a_minimum_risk_stop_the_system_is_locked_until_the_car_was_parked(drive):
    _stopped(drive)
    drive.run(1.0, driver={"brake": 0.5})
    drive.run(1.0)
    mode = drive.step(driver=PRESS)
    assert mode.mode is STANDBY
    assert "locked after a minimum-risk stop" in mode.reason
    drive.step(car={"gear": Gear.PARK, "speed": 0.0})
    drive.run(1.0)
    assert drive.step(driver=PRESS).mode is ACTIVE


@pytest.mark.parametrize("gear", [Gear.PARK, Gear.NEUTRAL, Gear.REVERSE])
def test_leaving_drive_switches_the_system_off(drive, gear):
    mode = drive.step(car={"gear": gear})
    assert (mode.mode, mode.reason) == (OFF, f"selector in {gear.name.lower()}")


def test_a_failure_while_the_driver_overrides_ends_the_assistance(drive):
    drive.step(driver={"accelerator": 0.2})
    said = drive.run(0.8, driver={"accelerator": 0.2}, silent=("planning",))
    assert said[-1].mode is STANDBY


def test_every_mode_has_a_reason_and_the_time_of_its_step(drive):
    for given in ({}, BLIND, {"silent": ("gate",)}, {"driver": {"brake": 1.0}}):
        for mode in drive.run(1.0, **given):
            assert mode.reason
            assert mode.stamp <= drive.time


def test_a_copy_goes_on_exactly_alike(drive):
    drive.run(0.2, **BLIND)
    other = copy.deepcopy(drive)
    assert drive.run(8.0, **BLIND) == other.run(8.0, **BLIND)


def test_reset_begins_anew(drive):
    _stopped(drive)
    drive.supervisor.reset()
    assert drive.step().mode is STANDBY
    drive.run(1.0)
    assert drive.step(driver=PRESS).mode is ACTIVE


DRIVING = {"actuation": replace(ACTUATION, active=True)}


def test_restarted_while_the_system_drives_it_goes_on_with_the_stop():
    """The gate has begun it, for want of a mode: to say OFF now would let go of a car that nobody holds."""
    restarted = Drive()
    first = restarted.step(**DRIVING)
    assert (first.mode, first.warning) == (MINIMUM_RISK, 3)
    assert first.reason == "supervision was restarted while the system drove"
    assert all(mode.mode is MINIMUM_RISK for mode in restarted.run(20.0, **DRIVING))
    assert restarted.run(0.7, driver={"brake": 0.2})[-1].mode is STANDBY
    assert "locked" in restarted.step(driver=PRESS).reason


def test_restarted_it_says_nothing_before_it_knows_whether_the_system_drives():
    restarted = Drive()
    assert restarted.run(3.0, actuation=None, vehicle_state=None) == [None] * 60
    assert restarted.run(1.0, actuation=None) == [None] * 20
    assert restarted.step(**DRIVING).mode is MINIMUM_RISK


def test_without_a_gate_it_begins_all_the_same():
    said = Drive().run(6.0, actuation=None)
    assert {mode.mode for mode in said if mode is not None} == {STANDBY}
    assert "not ready: no fresh actuation" in said[-1].reason


def test_a_clock_that_is_set_back_begins_the_drivers_time_anew_at_most(drive):
    drive.run(0.5, **BLIND)
    drive.time -= 30.0
    drive.reports = {}
    said = drive.run(drive.parameters.takeover_time + 0.5, **BLIND)
    assert said[0].mode is TAKEOVER
    assert said[-1].mode is MINIMUM_RISK


def test_inputs_that_are_not_numbers_leave_no_trace(drive):
    nonsense = {"brake": math.nan, "steering_torque": math.nan, "accelerator": math.nan}
    assert all(mode.mode is ACTIVE for mode in drive.run(1.0, driver=nonsense))
