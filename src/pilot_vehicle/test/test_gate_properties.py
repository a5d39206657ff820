"""Whatever comes in, nothing leaves the gate outside its limits."""

import math

import numpy as np
from gate_inputs import STOP, command, mode, state
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from pilot_common.folders import config_folder
from pilot_common.types import DriveMode, Limit
from pilot_common.vehicle import load_parameters, load_vehicle
from pilot_vehicle.gate import Gate, GateInputs, GateParameters
from pilot_vehicle.steady_turn import SteadyTurn

SEDAN = load_vehicle("sedan_ice", config_folder())
SEDAN_GATE = load_parameters(GateParameters, "gate", SEDAN, config_folder())
anything = some.one_of(
    some.floats(-2.0, 2.0),
    some.floats(-1e3, 1e3),
    some.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e300]),
)
commands = some.one_of(
    some.none(),
    some.builds(
        lambda steering, acceleration, stamp, valid, tail: command(
            stamp,
            steering,
            acceleration,
            valid=valid,
            fallback_acceleration=np.full_like(STOP, tail),
            fallback_steering_angle=np.full_like(STOP, tail),
        ),
        anything,
        anything,
        some.floats(99.0, 102.0),
        some.booleans(),
        anything,
    ),
)
states = some.one_of(
    some.none(),
    some.builds(
        lambda speed, steering, acceleration, brake, torque, valid: state(
            100.0,
            speed,
            steering=steering,
            acceleration=acceleration,
            brake=brake,
            steering_torque=torque,
            valid=valid,
        ),
        anything,
        anything,
        anything,
        some.sampled_from([0.0, 0.0, 0.5, math.nan]),
        some.sampled_from([0.0, 0.0, 20.0, math.nan]),
        some.booleans(),
    ),
)
modes = some.one_of(some.none(), some.sampled_from([mode(value) for value in DriveMode]), some.just(mode()))
steps = some.lists(some.tuples(some.floats(-0.05, 0.3), commands, states, modes), min_size=1, max_size=15)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_whatever_comes_in_nothing_leaves_outside_the_limits(steps):
    vehicle, gate = SEDAN, Gate(SEDAN, SEDAN_GATE)
    limits, actuators, turn = vehicle.facts.limits, vehicle.facts.actuators, SteadyTurn(vehicle.facts)
    time, last = 100.0, None
    for pause, given_command, given_state, given_mode in steps:
        time += pause
        elapsed = min(max(pause, 0.0), 0.1) + 1e-9
        said = gate.step(
            GateInputs(time=time, command=given_command, vehicle_state=given_state, mode=given_mode)
        ).actuation
        assert math.isfinite(said.steering_angle)
        assert math.isfinite(said.acceleration)
        assert math.isfinite(said.source_stamp)
        assert abs(said.steering_angle) <= actuators.max_steering_angle
        assert -limits.max_deceleration <= said.acceleration <= limits.max_acceleration
        if said.active and last is not None and last.active:
            change = said.acceleration - last.acceleration
            assert abs(change) <= limits.max_emergency_jerk * elapsed + 1e-6
            if min(said.acceleration, last.acceleration) >= -limits.comfort_deceleration:
                assert change <= limits.max_jerk * elapsed + 1e-6
            reach = actuators.max_steering_rate * elapsed
            assert abs(said.steering_angle - last.steering_angle) <= reach + 1e-9
            # Tighter than the lateral limit only while it steers back as fast as it can.
            across = abs(turn.lateral_acceleration(said.steering_angle, gate._speed))
            if across > limits.max_lateral_acceleration + 1e-6:
                assert abs(said.steering_angle) <= abs(last.steering_angle)
        if not said.active:
            assert said.limit in (Limit.MODE, Limit.OVERRIDE)
        last = said
