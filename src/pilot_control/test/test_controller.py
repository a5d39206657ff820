"""What goes out: fallback, modes, engagement, bad input, repetition."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from course import STEP, Drive, constant, make_controller, motorway_course, straight, vehicle
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_common.types import DriveMode, Mode
from pilot_control.controller import ControlInputs
from pilot_vehicle.model import VehicleModel
from pilot_vehicle.steady_turn import SteadyTurn


def finite(command):
    values = (command.steering_angle, command.acceleration, command.lateral_error, command.heading_error)
    arrays = (command.fallback_time, command.fallback_steering_angle, command.fallback_acceleration)
    return np.isfinite(values).all() and all(np.isfinite(array).all() for array in arrays)


def test_without_any_plan_there_is_no_command():
    drive = Drive(straight(), constant(20.0), plans=lambda time: False).run(0.2)
    assert not any(command.valid for command in drive.commands)
    assert "no plan" in drive.commands[-1].reason


def test_the_fallback_alone_stops_the_car_in_its_lane():
    """As the gate plays it: open loop from the last command, in a curve."""
    drive = Drive(motorway_course(), constant(30.0)).run(10)
    last = drive.commands[-1]
    plant: VehicleModel = drive.model
    start = drive.time - STEP
    for index in range(600):
        age = start + index * STEP - last.stamp
        motion = plant.step(
            float(np.interp(age, last.fallback_time, last.fallback_steering_angle)),
            float(np.interp(age, last.fallback_time, last.fallback_acceleration)),
            STEP,
        )
    from pilot_common.arc import foot

    assert motion.speed == 0.0
    assert (
        abs(foot(drive.line, motion.x, motion.y)[1]) < 0.8
    )  # m, so the car's side stays within a 3.5 m lane


def test_the_fallback_begins_with_the_command():
    drive = Drive(motorway_course(), constant(30.0)).run(8)
    for command in drive.commands[100:]:
        assert command.fallback_steering_angle[0] == pytest.approx(command.steering_angle, abs=1e-12)
        assert command.fallback_acceleration[0] == pytest.approx(command.acceleration, abs=1e-12)
        assert np.all(np.diff(command.fallback_time) > 0.0)


def test_engaging_has_no_jolt():
    """Before, the commands are what the driver does; after, they leave it within the jerk limits."""
    engage = 3.0
    drive = Drive(
        motorway_course(),
        constant(25.0),
        mode=lambda time: DriveMode.ACTIVE if time >= engage else DriveMode.STANDBY,
    )
    at = round(engage / STEP)
    for _ in range(at):
        drive.step()
    before = drive.commands[-1]
    motion = drive.model.state
    first = drive.step()
    assert abs(first.steering_angle - motion.steering_angle) < 0.002
    assert abs(first.acceleration - motion.acceleration) <= vehicle().facts.limits.max_jerk * STEP + 1e-9
    assert before.valid


def test_a_controller_restarted_in_a_curve_goes_on_without_a_jolt():
    drive = Drive(motorway_course(), constant(30.0)).run(12)
    before = drive.commands[-1].steering_angle
    assert abs(before) > 0.004
    drive.control.reset()
    after = [command.steering_angle for command in (drive.step() for _ in range(10)) if command.valid]
    assert len(after) >= 5
    assert after == pytest.approx([before] * len(after), abs=0.001)


def test_a_clock_that_is_set_back_costs_no_more_than_the_next_plan():
    drive = Drive(motorway_course(), constant(30.0)).run(5)
    largest = drive.largest_error
    set_back = 60.0
    drive.change_state = lambda state: replace(state, stamp=state.stamp - set_back)
    drive.change_plan = lambda plan: replace(plan, stamp=plan.stamp - set_back)
    step = drive.control.step
    drive.control = SimpleNamespace(step=lambda inputs: step(replace(inputs, time=inputs.time - set_back)))
    drive.waiting.clear()
    drive.plan = None
    first = drive.step()
    assert not first.valid and first.reason
    drive.run(3)
    assert all(command.valid for command in drive.commands[-140:])
    assert drive.commands[-1].stamp == pytest.approx(drive.time - STEP - set_back)
    assert drive.largest_error < largest + 0.1


def test_minimum_risk_lights_the_hazards():
    drive = Drive(straight(), constant(20.0), mode=lambda time: DriveMode.MINIMUM_RISK).run(1)
    assert drive.commands[-1].hazard_lights
    assert not Drive(straight(), constant(20.0)).run(1).commands[-1].hazard_lights


def test_a_lost_mode_while_driving_stops_the_car():
    drive = Drive(straight(), constant(20.0), mode=lambda time: DriveMode.ACTIVE if time < 2.0 else None).run(
        14
    )
    assert drive.true_speeds[-1] == 0.0
    assert "no mode" in drive.commands[-1].reason and drive.commands[-1].hazard_lights


def test_vehicle_states_that_stop_coming_invalidate_the_command():
    drive = Drive(straight(), constant(20.0)).run(1)
    mode = Mode(stamp=1.0, mode=DriveMode.ACTIVE, reason="", warning=0)
    soon = drive.control.step(ControlInputs(time=1.05, vehicle_state=(), plan=drive.plan, mode=mode)).command
    late = drive.control.step(ControlInputs(time=1.5, vehicle_state=(), plan=drive.plan, mode=mode)).command
    assert soon.valid and not late.valid and "vehicle state" in late.reason


@settings(max_examples=25, deadline=None)
@given(
    field=st.sampled_from(["speed", "yaw_rate", "steering_angle", "acceleration", "lateral_acceleration"]),
    value=st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    start=st.floats(0.2, 0.6),
)
def test_broken_vehicle_states_do_not_poison_the_controller(field, value, start):
    def spoil(state):
        return replace(state, **{field: value}) if start <= state.stamp < start + 0.06 else state

    drive = Drive(SHORT, constant(20.0), change_state=spoil, control=SHARED).run(1.4)
    assert all(finite(command) for command in drive.commands)
    assert drive.commands[-1].valid and drive.largest_error < 0.05


@settings(max_examples=15, deadline=None)
@given(
    field=st.sampled_from(["path", "path_heading", "path_curvature"]),
    value=st.sampled_from([float("nan"), float("inf")]),
)
def test_broken_plans_are_refused_and_the_last_good_one_is_driven(field, value):
    def spoil(plan):
        if not 0.3 <= plan.stamp < 0.6:
            return plan
        array = getattr(plan, field).copy()
        array[3] = value
        return replace(plan, **{field: array})

    drive = Drive(SHORT, constant(20.0), change_plan=spoil, control=SHARED).run(1.4)
    assert all(finite(command) and command.valid for command in drive.commands[10:])
    assert any("not finite" in command.reason for command in drive.commands)
    assert drive.commands[-1].reason == "cruise"


@pytest.mark.parametrize("field", ["path", "time"])
def test_plans_that_stand_still_in_place_or_time_are_refused(field):
    def spoil(plan):
        if not 0.3 <= plan.stamp < 0.6:
            return plan
        if field == "path":
            path = plan.path.copy()
            path[1:5] = path[0]
            return replace(plan, path=path)
        time = plan.trajectory.time.copy()
        time[1:5] = time[0]
        return replace(plan, trajectory=replace(plan.trajectory, time=time))

    drive = Drive(SHORT, constant(20.0), change_plan=spoil, control=SHARED).run(1.4)
    assert all(finite(command) and command.valid for command in drive.commands[10:])
    assert any("stands still" in command.reason for command in drive.commands)
    assert drive.commands[-1].reason == "cruise"


def test_a_copy_of_the_controller_goes_on_alike():
    drive = Drive(motorway_course(), constant(30.0)).run(6)
    twin = copy.deepcopy(drive)
    one = [drive.step() for _ in range(100)]
    other = [twin.step() for _ in range(100)]
    assert [c.steering_angle for c in one] == [c.steering_angle for c in other]
    assert [c.acceleration for c in one] == [c.acceleration for c in other]


def test_states_that_come_twice_as_often_steer_alike():
    drive = Drive(motorway_course(), constant(30.0)).run(5)
    controller, plan = drive.control, drive.plan
    mode = Mode(stamp=drive.time, mode=DriveMode.ACTIVE, reason="", warning=0)
    before = len(controller._lateral._pending)
    first = controller.step(
        ControlInputs(time=drive.time, vehicle_state=(drive.state(),), plan=plan, mode=mode)
    ).command
    between = replace(drive.state(), stamp=drive.time + 0.5 * STEP - 1e-4)
    second = controller.step(
        ControlInputs(time=between.stamp, vehicle_state=(between,), plan=plan, mode=mode)
    ).command
    assert second.steering_angle == first.steering_angle
    assert len(controller._lateral._pending) == before


SHORT = straight(300.0)
SHARED = make_controller(vehicle())


@pytest.mark.parametrize("after", [DriveMode.ACTIVE, DriveMode.MINIMUM_RISK])
def test_taking_over_from_an_overriding_driver_has_no_jolt(after):
    """He steers 0.4 m aside and brakes; then the command begins where he leaves off, and the path is not overshot."""
    limits, release = vehicle().facts.limits, 5.0

    def mode(time):
        return DriveMode.ACTIVE if time < 2.0 else DriveMode.OVERRIDE if time < release else after

    def aside(time, motion):
        if not 2.0 <= time < release:
            return None
        wanted = 0.02 * (0.4 - motion.y) - 0.25 * motion.yaw
        return float(np.clip(wanted, -0.004, 0.004)), -0.8 if time < 3.0 else 0.0

    drive = Drive(straight(), constant(25.0), mode=mode, driver=aside)
    drive.run(release)
    motion = drive.model.state
    assert 0.2 < drive.errors[-1] < 0.6
    first = drive.step()
    turn = SteadyTurn(vehicle().facts)
    step = turn.lateral_acceleration(first.steering_angle, motion.speed) - turn.lateral_acceleration(
        motion.steering_angle, motion.speed
    )
    assert abs(step) <= limits.max_lateral_jerk * STEP + 1e-9
    assert abs(first.acceleration - motion.acceleration) <= limits.max_jerk * STEP + 1e-9
    drive.run(8.0)
    assert min(drive.errors[round(release / STEP) :]) > -0.1  # m


@pytest.mark.parametrize("later", [DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK])
def test_a_change_of_mode_alone_changes_no_command(later):
    plain = Drive(motorway_course(), constant(28.0)).run(9)
    other = Drive(
        motorway_course(), constant(28.0), mode=lambda time: DriveMode.ACTIVE if time < 7.0 else later
    ).run(9)
    assert [c.steering_angle for c in plain.commands] == [c.steering_angle for c in other.commands]
    assert [c.acceleration for c in plain.commands] == [c.acceleration for c in other.commands]
