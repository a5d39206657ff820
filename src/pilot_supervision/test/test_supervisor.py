"""The modes: who may drive, when the driver must, and when the car stops by itself."""

import copy
import math
from dataclasses import replace
from functools import cache

import pytest

from pilot_common.folders import config_folder
from pilot_common.messages import empty_arrays
from pilot_common.types import (
    Actuation,
    DriveMode,
    DriverInput,
    EgoMotion,
    Gear,
    Health,
    Lanes,
    Ledger,
    Limit,
    Manoeuvre,
    Plan,
    Side,
    Tracks,
    Trajectory,
    VehicleState,
    World,
)
from pilot_common.vehicle import load_parameters, load_vehicle
from pilot_supervision.supervisor import (
    ACTIVE,
    MINIMUM_RISK,
    OFF,
    OVERRIDE,
    STANDBY,
    TAKEOVER,
    TRANSITIONS,
    Situation,
    SupervisionInputs,
    SupervisionParameters,
    Supervisor,
)

TICK = 0.05
FUNCTIONS = ("detection", "fusion", "planning", "control", "gate")
RESTING = DriverInput(
    accelerator=0.0,
    brake=0.0,
    steering_torque=0.0,
    hands_on=True,
    eyes_on=True,
    engage=False,
    cancel=False,
    lane_change=Side.NONE,
    set_speed=30.0,
    time_gap=1.5,
)
STATE = VehicleState(
    stamp=0.0,
    valid=True,
    speed=25.0,
    acceleration=0.0,
    lateral_acceleration=0.0,
    yaw_rate=0.0,
    steering_angle=0.0,
    gear=Gear.DRIVE,
    indicator=Side.NONE,
    driver=RESTING,
)
LANES = Lanes(valid=True, reason="", ego_lane=0, sight=100.0, speed_limit=0.0, **empty_arrays(Lanes))
WORLD = World(
    stamp=0.0,
    source_stamp=0.0,
    valid=True,
    reason="",
    sensors_lost=(),
    ego=EgoMotion(x_odom=0.0, y_odom=0.0, yaw_odom=0.0, speed=25.0, acceleration=0.0, yaw_rate=0.0),
    lanes=LANES,
    tracks=Tracks(**empty_arrays(Tracks)),
)
LEDGER = Ledger(name=(), sentence=(), binding=0, runner_up=0, **empty_arrays(Ledger))
PLAN = Plan(
    stamp=0.0,
    source_stamp=0.0,
    valid=True,
    reason="",
    manoeuvre=Manoeuvre.CRUISE,
    indicator=Side.NONE,
    target_speed=30.0,
    lead_identity=0,
    lead_gap=0.0,
    trajectory=Trajectory(**empty_arrays(Trajectory)),
    ledger=LEDGER,
    **empty_arrays(Plan),
)
ACTUATION = Actuation(
    stamp=0.0,
    source_stamp=0.0,
    active=False,
    steering_angle=0.0,
    acceleration=0.0,
    gear=Gear.DRIVE,
    indicator=Side.NONE,
    hazard_lights=False,
    limit=Limit.NONE,
    reason="",
)
GOOD = {"vehicle_state": STATE, "world": WORLD, "plan": PLAN, "actuation": ACTUATION}
PRESS, LET_GO = {"engage": True}, {"engage": False}
BLIND = {"world": replace(WORLD, lanes=replace(LANES, valid=False, reason="no marks seen"))}
LOST = {"world": replace(WORLD, sensors_lost=("front_radar",))}


def report(time, name, valid=True, reason=""):
    return Health(
        stamp=time,
        function=name,
        valid=valid,
        reason=reason,
        input_age=0.0,
        compute_time=0.0,
        steps=2,
        missed=0,
    )


@cache
def car(name):
    vehicle = load_vehicle(name, config_folder())
    return vehicle, load_parameters(SupervisionParameters, "supervision", vehicle, config_folder())


class Drive:
    """Steps a supervisor; what is not given is well."""

    def __init__(self, name="sedan_ice"):
        vehicle, self.parameters = car(name)
        self.supervisor, self.time = Supervisor(vehicle, self.parameters), 50.0
        self.reports = {}

    def step(self, *, driver=None, car=None, silent=(), invalid=(), **given):
        self.time = round(self.time + TICK, 6)
        for name in FUNCTIONS:
            if name not in silent:
                self.reports[name] = report(
                    self.time, name, name not in invalid, "no plan" if name in invalid else ""
                )
        health = {
            name: self.reports[name]
            if name in self.reports and self.time - self.reports[name].stamp <= 0.5
            else None
            for name in FUNCTIONS
        }
        state = replace(STATE, stamp=self.time, driver=replace(RESTING, **(driver or {})), **(car or {}))
        inputs = GOOD | {"vehicle_state": state} | given
        return self.supervisor.step(SupervisionInputs(time=self.time, health=health, **inputs)).mode

    def run(self, seconds, **given):
        return [self.step(**given) for _ in range(round(seconds / TICK))]

    def engaged(self):
        self.run(1.0)
        self.step(driver=PRESS)
        mode = self.run(1.0)[-1]
        assert mode.mode is ACTIVE, mode
        return self


@pytest.fixture
def drive():
    return Drive().engaged()


@pytest.fixture
def standing_by():
    drive = Drive()
    drive.run(1.0)
    return drive


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
