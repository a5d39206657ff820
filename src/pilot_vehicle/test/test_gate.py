"""The gate: what passes, what is bounded, what replaces a missing command, and that nothing ever gets out of the limits."""

import copy
import math

import numpy as np
import pytest
from gate_inputs import STOP, TICK, command, mode, state

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.types import DriveMode, Gear, Limit, Side
from pilot_common.vehicle import load_parameters
from pilot_vehicle.gate import PASSING, Gate, GateInputs, GateParameters
from pilot_vehicle.steady_turn import SteadyTurn


@pytest.fixture
def gate(vehicle):
    return Gate(vehicle, load_parameters(GateParameters, "gate", vehicle, config_folder()))


@pytest.fixture
def limits(vehicle):
    return vehicle.facts.limits


class Bench:
    """Steps a gate tick by tick; what is not given is as it was."""

    def __init__(self, gate):
        self.gate, self.time = gate, 100.0
        self.speed, self.mode = 20.0, mode()

    def step(self, steering=0.0, acceleration=0.0, **given):
        self.time += TICK
        inputs = {
            "time": self.time,
            "command": command(self.time, steering, acceleration),
            "vehicle_state": state(self.time, self.speed),
            "mode": self.mode,
        }
        return self.gate.step(GateInputs(**(inputs | given))).actuation

    def run(self, seconds, *arguments, **given):
        return [self.step(*arguments, **given) for _ in range(round(seconds / TICK))]


@pytest.fixture
def bench(gate):
    return Bench(gate)


def test_a_good_command_passes_unchanged(bench):
    said = bench.run(1.0, 0.01, 0.3)[-1]
    assert (said.active, said.steering_angle, said.acceleration) == (True, 0.01, 0.3)
    assert (said.limit, said.reason) == (Limit.NONE, "")
    assert said.stamp == bench.time
    assert said.source_stamp == pytest.approx(bench.time - 0.1)


def test_the_modes_that_pass_are_those_in_which_the_system_drives():
    assert set(PASSING) == {drive_mode for drive_mode in DriveMode if drive_mode.system_drives}


@pytest.mark.parametrize("drive_mode", list(DriveMode))
def test_only_three_modes_let_commands_pass(bench, drive_mode):
    bench.mode = mode(drive_mode)
    said = bench.run(1.0, 0.01, -2.5)[-1]
    assert said.active == (drive_mode in PASSING)
    if not said.active:
        assert said.limit is Limit.MODE
        assert said.reason == f"mode {drive_mode.name.lower()}: test"


def test_without_a_mode_it_never_starts(bench):
    assert not any(said.active for said in bench.run(1.0, mode=None))


def test_when_the_mode_is_lost_it_stops_the_car(bench, gate):
    bench.run(0.5, 0.0, 0.5)
    said = bench.run(3.0, 0.0, 0.5, mode=None)
    assert all(one.active and one.limit is Limit.MODE and one.hazard_lights for one in said)
    assert said[-1].acceleration == pytest.approx(-bench.gate._parameters.least_stop_deceleration)
    assert "no mode reported" in said[-1].reason


def test_nothing_passes_before_the_car_was_seen(bench):
    said = bench.step(vehicle_state=None)
    assert not said.active
    assert said.reason == "no vehicle state yet"
    assert bench.step().active


@pytest.mark.parametrize("speed", [0.0, 0.3, 3.0, 7.0, 15.0, 36.0])
@pytest.mark.parametrize("wanted", [-9.0, 0.05])
def test_steering_sweep_stays_within_angle_rate_lateral_acceleration_and_jerk(
    vehicle, bench, limits, speed, wanted
):
    turn, actuators = SteadyTurn(vehicle.facts), vehicle.facts.actuators
    bench.speed, last = speed, 0.0
    bench.run(0.1)
    for said in bench.run(2.0, wanted):
        angle = said.steering_angle
        assert abs(angle) <= actuators.max_steering_angle
        assert abs(angle - last) <= actuators.max_steering_rate * TICK + 1e-12
        assert abs(turn.lateral_acceleration(angle, speed)) <= limits.max_lateral_acceleration + 1e-9
        change = turn.lateral_acceleration(angle, speed) - turn.lateral_acceleration(last, speed)
        assert abs(change) <= limits.max_lateral_jerk * TICK + 1e-9
        last = angle
    largest = min(
        abs(wanted),
        actuators.max_steering_angle,
        turn.steering_limit(limits.max_lateral_acceleration, speed),
    )
    assert last == pytest.approx(math.copysign(largest, wanted), abs=1e-6)


@pytest.mark.parametrize("wanted", [-99.0, -2.0, 99.0])
@pytest.mark.parametrize("before", [-8.0, -1.0, 1.0])
def test_acceleration_sweep_stays_within_range_and_jerk(bench, limits, wanted, before):
    last = bench.run(3.0, 0.0, before)[-1].acceleration
    for said in bench.run(2.5, 0.0, wanted):
        change = said.acceleration - last
        hard = said.acceleration < -limits.comfort_deceleration or last < -limits.comfort_deceleration
        jerk = limits.max_emergency_jerk if hard or wanted < -limits.comfort_deceleration else limits.max_jerk
        assert abs(change) <= jerk * TICK + 1e-9
        assert -limits.max_deceleration <= said.acceleration <= limits.max_acceleration
        last = said.acceleration
    assert last == pytest.approx(max(-limits.max_deceleration, min(wanted, limits.max_acceleration)))


def test_emergency_braking_is_there_fast_and_comfort_braking_is_not(bench, limits):
    bench.run(0.2)
    hard = [said.acceleration for said in bench.run(0.5, 0.0, -limits.max_deceleration)]
    assert hard[-1] == -limits.max_deceleration
    bench.gate.reset()
    bench.run(0.2)
    soft = [said.acceleration for said in bench.run(0.2, 0.0, -limits.comfort_deceleration)]
    assert soft[-1] == pytest.approx(-limits.max_jerk * 0.2)


@pytest.mark.parametrize(
    ("speed", "steering", "acceleration", "after", "limit"),
    [
        (2.0, 2.0, 0.0, 2.0, Limit.STEERING_ANGLE),
        (2.0, 0.5, 0.0, 0.1, Limit.STEERING_RATE),
        (25.0, 0.02, 0.0, 0.1, Limit.LATERAL_JERK),
        (25.0, 0.2, 0.0, 2.0, Limit.LATERAL_ACCELERATION),
        (20.0, 0.0, 9.0, 2.0, Limit.ACCELERATION),
        (20.0, 0.0, -20.0, 2.0, Limit.DECELERATION),
        (20.0, 0.0, 1.0, 0.1, Limit.JERK),
    ],
)
def test_the_tightest_limit_is_named_with_numbers(bench, speed, steering, acceleration, after, limit):
    bench.speed = speed
    bench.step()
    said = bench.run(after, steering, acceleration)[-1]
    assert said.limit is limit
    assert "bounded to" in said.reason


def test_a_gate_that_restarts_in_mid_drive_begins_where_the_car_is(bench):
    said = bench.step(-0.5, 2.0, vehicle_state=state(bench.time, steering=0.02, acceleration=-1.0))
    assert (said.active, said.steering_angle, said.acceleration) == (True, 0.02, -1.0)


def test_no_acceleration_above_the_highest_speed(bench, limits):
    bench.speed = limits.max_speed + 1.0  # within the margin
    assert bench.run(1.0, 0.0, 0.2)[-1].acceleration == 0.2
    bench.speed = limits.max_speed + 3.0
    bench.run(0.5, 0.0, 1.0)
    assert all(said.acceleration <= 0.0 for said in bench.run(1.0, 0.0, 1.0))
    assert bench.run(1.0, 0.0, -1.0)[-1].acceleration == -1.0


@pytest.mark.parametrize("act", [{"brake": 0.1}, {"steering_torque": 6.0}, {"steering_torque": -6.0}])
@pytest.mark.parametrize("drive_mode", PASSING)
def test_the_driver_wins_at_once_and_keeps_the_car_a_while(bench, act, drive_mode):
    bench.mode = mode(drive_mode)
    bench.run(0.5)
    said = bench.step(vehicle_state=state(bench.time, **act))
    assert not said.active
    assert said.limit is Limit.OVERRIDE
    assert not any(one.active for one in bench.run(0.9))
    assert bench.run(0.3)[-1].active


def test_a_clock_that_is_set_back_neither_lets_go_nor_keeps_the_driver_longer(bench, limits):
    bench.run(0.5)
    bench.step(vehicle_state=state(bench.time, brake=0.1))
    bench.time -= 30.0
    assert not any(one.active for one in bench.run(0.9))
    said = bench.run(0.3)
    assert said[-1].active
    bench.time -= 30.0
    lost = bench.step(command=None, vehicle_state=None)
    assert lost.active and lost.limit is Limit.STALE_COMMAND
    assert bench.run(3.0, command=None)[-1].acceleration == pytest.approx(-limits.minimum_risk_deceleration)


def test_the_drivers_pedal_counts_in_an_invalid_state_too(bench):
    bench.run(0.5)
    assert not bench.step(vehicle_state=state(bench.time, valid=False, brake=0.5)).active


def test_the_system_takes_over_from_where_the_driver_is(bench):
    bench.mode = mode(DriveMode.STANDBY)
    bench.step(vehicle_state=state(bench.time, steering=0.02, acceleration=-0.8))
    bench.mode = mode()
    said = bench.step(0.02, -0.8, vehicle_state=state(bench.time, steering=0.02))
    assert (said.steering_angle, said.acceleration) == (0.02, -0.8)


def test_a_missing_command_is_replaced_by_the_stop_that_control_planned(bench, limits):
    bench.run(0.5)
    said = bench.run(2.0, command=None)
    assert all(one.active and one.limit is Limit.STALE_COMMAND for one in said)
    assert said[-1].steering_angle == pytest.approx(0.01)
    assert said[-1].acceleration == pytest.approx(-2.0)
    assert "as control planned 2.00 s ago" in said[-1].reason
    assert not said[-1].hazard_lights


def test_the_planned_stop_is_played_from_the_stamp_of_its_command(bench):
    bench.run(0.5)
    plan = command(bench.time + TICK, fallback_acceleration=-0.1 * STOP)
    bench.step(command=plan)
    for said in bench.run(2.0, command=None):
        assert said.acceleration == pytest.approx(-0.1 * (said.stamp - plan.stamp))


def test_when_the_planned_stop_runs_out_it_brakes_with_the_steering_held(bench, limits):
    bench.run(0.5)
    said = bench.run(8.0, command=None)
    late = [one for one in said if one.stamp > said[0].stamp + 5.0]
    assert all(one.acceleration == -limits.minimum_risk_deceleration for one in late)
    assert all(one.steering_angle == pytest.approx(0.01) and one.hazard_lights for one in late)
    assert "holding the steering" in late[-1].reason


def test_without_any_command_it_brakes_straight_on(bench, limits):
    said = bench.run(2.0, command=None)
    assert said[0].reason.startswith("no fresh command: holding the steering")
    assert said[-1].active
    assert said[-1].acceleration == -limits.minimum_risk_deceleration
    assert said[-1].steering_angle == 0.0


BAD = {
    "marked invalid": {"valid": False, "reason": "no plan"},
    "steering not a number": {"steering_angle": math.nan},
    "acceleration infinite": {"acceleration": math.inf},
    "stamp not a number": {"source_stamp": math.nan},
    "from the future": {"stamp": 1e6},
    "fallback not a number": {"fallback_acceleration": np.full_like(STOP, np.nan)},
    "fallback out of order": {"fallback_time": STOP[::-1].copy()},
    "fallback out of order at its end": {"fallback_time": np.append(STOP[:-1], STOP[-3])},
    "fallback twice at a time": {"fallback_time": np.append(STOP[:-1], STOP[-2])},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD.keys())
def test_a_bad_command_is_replaced_by_the_last_good_ones_stop(bench, fields):
    bench.run(0.5)
    said = [bench.step(command=command(bench.time + TICK, **fields)) for _ in range(100)]
    assert all(one.limit is Limit.INVALID_COMMAND for one in said)
    assert said[-1].acceleration == pytest.approx(-2.0)
    assert bench.step().limit is not Limit.INVALID_COMMAND


def test_a_command_without_a_stop_ahead_is_good_but_leaves_only_braking(bench, limits):
    none = {"fallback_time": [], "fallback_steering_angle": [], "fallback_acceleration": []}
    bench.step()
    assert bench.step(command=command(bench.time + TICK, **none)).limit is Limit.NONE
    said = bench.run(2.0, command=None)[-1]
    assert said.acceleration == -limits.minimum_risk_deceleration


def test_a_minimum_risk_stop_brakes_whatever_the_command_says(bench):
    bench.mode = mode(DriveMode.MINIMUM_RISK)
    said = bench.run(2.0, 0.0, 1.5)[-1]
    assert said.acceleration == -bench.gate._parameters.least_stop_deceleration
    assert said.limit is Limit.ACCELERATION
    assert said.hazard_lights


def test_a_standing_car_is_held_until_the_command_drives_off(bench):
    bench.speed = 0.0
    assert bench.run(2.0, 0.0, 0.0)[-1].acceleration == -2.0
    assert bench.run(2.0, 0.0, 0.5)[-1].acceleration == 0.5


def test_a_held_car_is_not_let_go_by_noise_of_its_speed(bench):
    bench.speed = 0.04
    bench.run(1.0, 0.0, -0.3)
    bench.speed = 0.06
    assert bench.run(0.5, 0.0, -0.3)[-1].acceleration == -2.0
    bench.speed = 0.5
    assert bench.run(1.0, 0.0, -0.3)[-1].acceleration == -0.3


def test_a_car_stopped_at_minimum_risk_does_not_drive_off(bench):
    bench.speed, bench.mode = 0.0, mode(DriveMode.MINIMUM_RISK)
    assert bench.run(2.0, 0.0, 1.5)[-1].acceleration == -2.0


def test_a_missing_vehicle_state_does_not_stop_the_bounding(bench, limits):
    bench.run(0.5, 0.0, -1.0)
    said = bench.run(3.0, 0.5, -1.0, vehicle_state=None)
    assert all(one.active for one in said)
    assert all(abs(one.steering_angle) < 0.1 for one in said)


def test_a_missing_vehicle_state_is_dead_reckoned_to_rest(bench):
    bench.speed = 5.0
    bench.run(0.5, 0.0, -2.0)
    bench.run(2.0, 0.0, -2.0, vehicle_state=None)
    assert (
        bench.run(0.5, 0.0, 0.0, vehicle_state=None)[-1].acceleration == 0.0
    )  # still rolling at about 1 m/s
    bench.run(1.0, 0.0, -2.0, vehicle_state=None)
    assert bench.run(1.0, 0.0, 0.0, vehicle_state=None)[-1].acceleration == -2.0  # held


def test_a_reported_jump_of_speed_is_followed_no_faster_than_a_car_can_go(bench):
    bench.run(0.5)
    bench.speed = 0.0
    said = bench.step(0.0, 0.0)
    assert said.acceleration == 0.0  # not held as if it stood


def test_gears_change_at_rest_only(bench):
    backwards = {"command": command(bench.time, gear=Gear.REVERSE)}
    assert bench.step(**backwards).gear is Gear.DRIVE
    bench.gate.reset()
    bench.speed = 0.0
    assert bench.step(command=command(bench.time + TICK, gear=Gear.REVERSE)).gear is Gear.REVERSE


def test_lamps_pass_with_a_good_command(bench):
    said = bench.step(command=command(bench.time, indicator=Side.LEFT, hazard_lights=True))
    assert (said.indicator, said.hazard_lights) == (Side.LEFT, True)


def test_an_infeasible_car_gets_no_gate(load, changed):
    broken = changed(load("sedan_ice"), {"sensors.0.range": 60.0, "sensors.1.range": 60.0})
    with pytest.raises(ConfigError, match=r"limits\.max_speed"):
        Gate(broken, load_parameters(GateParameters, "gate", broken, config_folder()))


def test_a_copy_goes_on_exactly_alike(bench):
    bench.run(0.5, 0.01, 0.5)
    other = copy.deepcopy(bench)
    assert bench.run(1.0, 0.02, -4.0) == other.run(1.0, 0.02, -4.0)
    assert bench.run(1.0, command=None) == other.run(1.0, command=None)


def test_reset_forgets_everything(bench, vehicle):
    bench.run(0.5, 0.05, 0.5)
    bench.gate.reset()
    fresh = Bench(Gate(vehicle, bench.gate._parameters))
    fresh.time = bench.time
    assert bench.run(1.0, 0.02, -4.0) == fresh.run(1.0, 0.02, -4.0)
