"""The vehicle model: physics first, then its agreement with the published model."""

import copy
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from pilot_common.physics import GRAVITY
from pilot_vehicle.model import KINEMATIC_SPEED, VehicleModel
from pilot_vehicle.steady_turn import SteadyTurn

TICK = 0.02


def _model(facts, speed=0.0):
    model = VehicleModel(facts)
    model.reset(0.0, 0.0, 0.0, speed)
    return model


def _drive(model, seconds, steering=0.0, acceleration=0.0, **road):
    return [model.step(steering, acceleration, TICK, **road) for _ in range(round(seconds / TICK))]


def test_constant_speed_is_held_without_a_dip(facts):
    states = _drive(_model(facts, 30.0), 5.0)
    assert all(abs(state.speed - 30.0) < 0.02 for state in states)
    assert states[-1].x == pytest.approx(150.0, abs=0.1)
    assert states[-1].y == 0.0


def test_a_standing_car_stands_perfectly_still(facts):
    for grade in (0.0, 0.1, -0.1):
        model = _model(facts)
        assert all(
            (s.x, s.y, s.speed, s.acceleration, s.yaw_rate) == (0, 0, 0, 0, 0)
            for s in _drive(model, 5.0, 0.1, -1.0, grade=grade)
        )


def test_braking_ends_at_rest_and_stays_there(facts):
    model = _model(facts, 20.0)
    _drive(model, 8.0, 0.0, -4.0)
    place = model.state.x
    states = _drive(model, 5.0, 0.02, -1.0) + _drive(model, 5.0, 0.0, 0.0)
    assert all(state.speed == 0.0 and state.acceleration == 0.0 and state.x == place for state in states)


def test_speed_falls_monotonically_to_rest(facts):
    states = _drive(_model(facts, 5.0), 5.0, 0.0, -2.0)
    speeds = [state.speed for state in states]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == 0.0


def test_a_creeping_car_does_not_creep_through_the_brake(load):
    model = _model(load("sedan_ice").facts)
    assert all(state.speed == 0.0 for state in _drive(model, 10.0, 0.0, 0.0))


def test_with_no_pedal_only_the_combustion_car_creeps(facts):
    model = _model(facts)
    for _ in range(2000):
        model.step(0.0, model.coasting_acceleration(), TICK)
    creep = facts.powertrain.creep_speed
    assert model.state.speed == 0.0 if creep == 0.0 else 0.7 * creep < model.state.speed < creep


def test_coasting_slows_a_fast_car(facts):
    model = _model(facts, 30.0)
    for _ in range(250):
        model.step(0.0, model.coasting_acceleration(), TICK)
    assert model.state.speed < 29.0


@pytest.mark.parametrize("grade", [0.0, 0.04, -0.04])
def test_what_the_wheels_deliver_is_stored_climbed_or_dissipated(facts, grade):
    model, body = _model(facts, 15.0), facts.body
    before = 0.5 * body.mass * model.state.speed**2
    resisted, climbed = 0.0, 0.0
    for count in range(1500):
        start = model.state.x
        speed = model.state.speed
        state = model.step(0.0, 1.0 if count < 500 else -1.0 if count < 1000 else 0.0, TICK, grade=grade)
        cosine = 1.0 / math.hypot(1.0, grade)
        travelled = state.x - start
        middle = 0.5 * (speed + state.speed)
        force = (
            0.5 * 1.225 * body.drag_area * middle**2 + body.mass * GRAVITY * cosine * body.rolling_resistance
        )
        resisted += force * travelled
        climbed += body.mass * GRAVITY * grade * cosine * travelled
    energy = model.energy
    after = 0.5 * body.mass * model.state.speed**2
    assert energy.driven == pytest.approx(
        after - before + energy.dissipated + energy.regenerated + energy.climbed, rel=1e-9
    )
    assert energy.climbed == pytest.approx(climbed, rel=1e-3, abs=1.0)
    assert energy.dissipated >= resisted * 0.999  # the rest went into brakes and overrun
    assert min(energy.driven, energy.regenerated, energy.dissipated) >= 0.0


def test_an_electric_car_gets_most_of_a_gentle_stop_back(load):
    for name, recovers in (("flagship_ev", True), ("sedan_ice", False)):
        facts = load(name).facts
        model = _model(facts, 20.0)
        _drive(model, 25.0, 0.0, -1.0)
        share = model.energy.regenerated / (0.5 * facts.body.mass * 400.0)
        assert 0.6 < share < 1.0 if recovers else share == 0.0


def test_full_power_ends_where_power_equals_resistance(facts):
    body, low, high = facts.body, 30.0, 150.0
    for _ in range(50):  # bisection for the speed at which power and resistance balance
        speed = 0.5 * (low + high)
        power = speed * (
            0.5 * 1.225 * body.drag_area * speed**2 + body.mass * GRAVITY * body.rolling_resistance
        )
        low, high = (speed, high) if power < facts.powertrain.max_power else (low, speed)
    below, above = _model(facts, speed - 2.0), _model(facts, speed + 2.0)
    slower, faster = _drive(below, 40.0, 0.0, 9.0), _drive(above, 40.0, 0.0, 9.0)
    assert slower[0].speed < slower[-1].speed < speed < faster[-1].speed < faster[0].speed
    assert faster[-1].speed - slower[-1].speed < 3.0


def test_acceleration_follows_a_step_after_delay_and_lag(facts):
    for request, delay, lag in (
        (1.0, facts.powertrain.delay, facts.powertrain.time_constant),
        (-6.0, facts.actuators.brake_delay, facts.actuators.brake_time_constant),
    ):
        model = _model(facts, 20.0)
        states = _drive(model, 3.0, 0.0, request)
        reached = next(i for i, state in enumerate(states) if state.acceleration / request >= 0.63)
        quiet = [
            state
            for i, state in enumerate(states)
            if (i + 1) * TICK < min(delay, facts.powertrain.delay) - 1e-9
        ]
        assert all(abs(state.acceleration) < 0.02 for state in quiet)
        # Motor and brakes share a hard stop, so it may answer sooner than the brakes alone.
        assert reached * TICK <= delay + lag + 0.04
        if request > 0.0:
            assert reached * TICK >= delay + lag - 0.04
            assert (
                states[-1].acceleration == pytest.approx(request, abs=0.02)
                or facts.powertrain.shift_time > 0.0
            )


def test_requested_deceleration_is_reached_and_held(facts):
    states = _drive(_model(facts, 35.0), 5.0, 0.0, -5.0)
    assert all(state.acceleration == pytest.approx(-5.0, abs=0.05) for state in states[60:])


@pytest.mark.parametrize("friction", [0.3, 0.6, 1.0])
def test_total_acceleration_never_leaves_the_friction_circle(facts, friction):
    generator = np.random.default_rng(7)
    grip = facts.body.friction * friction * GRAVITY
    model = _model(facts, 35.0)
    for _ in range(60):
        steering, acceleration = generator.uniform(-0.3, 0.3), generator.uniform(-12.0, 5.0)
        for _ in range(60):
            speed = model._speed  # of the centre of gravity: a spinning car's rear axle has another
            state = model.step(steering, acceleration, 0.005, friction=friction)
            along = abs(state.acceleration + model.resistance(speed)) if model._speed > 0.0 else 0.0
            assert along <= grip
            if speed > KINEMATIC_SPEED + 1.0:
                assert (
                    math.hypot(along, state.lateral_acceleration) <= grip * 1.02
                )  # one substep between the two
        if model.state.speed < 8.0:
            model.reset(0.0, 0.0, 0.0, 35.0)


def test_less_grip_takes_longer_to_stop(facts):
    way = []
    for friction in (1.0, 0.5, 0.25):
        model = _model(facts, 20.0)
        _drive(model, 30.0, 0.0, -10.0, friction=friction)
        assert model.state.speed == 0.0
        way.append(model.state.x)
        assert model.state.x >= 20.0**2 / (2.0 * (friction * facts.body.friction * GRAVITY + 0.5))
    assert way == sorted(way)


def test_a_steady_turn_has_the_curvature_that_control_computes(facts):
    turn = SteadyTurn(facts)
    for speed in (5.0, 15.0, 30.0):
        for lateral in (0.5, 1.5):
            angle = turn.steering_angle(lateral / speed**2, speed)
            state = _drive(_model(facts, speed), 6.0, angle)[-1]
            assert state.yaw_rate / state.speed == pytest.approx(turn.curvature(angle, speed), rel=0.02)
            assert state.lateral_acceleration == pytest.approx(lateral, rel=0.02)


def test_left_and_right_mirror_each_other(facts):
    left, right = _drive(_model(facts, 20.0), 3.0, 0.03), _drive(_model(facts, 20.0), 3.0, -0.03)
    for one, other in zip(left, right, strict=True):
        assert (one.x, one.y, one.yaw, one.slip_angle) == pytest.approx(
            (other.x, -other.y, -other.yaw, -other.slip_angle)
        )
    assert left[-1].y > 5.0


def test_no_jolt_where_the_kinematic_model_takes_over(facts):
    model = _model(facts, 6.0)
    states = _drive(model, 8.0, 0.2, -1.0)
    turning = [
        (a, b) for a, b in itertools.pairwise(states) if abs(b.steering_angle - a.steering_angle) < 1e-6
    ]
    # At 2 m/s and 0.2 rad the car turns by 0.14 rad/s; both models must agree on that to a few percent.
    assert all(abs(b.yaw_rate - a.yaw_rate) < 0.012 for a, b in turning)
    assert states[-1].speed == 0.0


def test_equal_requests_give_bitwise_equal_motion_also_from_a_copy(facts):
    model = _model(facts, 25.0)
    _drive(model, 1.0, 0.02, 0.5)
    other = copy.deepcopy(model)
    assert _drive(model, 2.0, -0.02, -2.0) == _drive(other, 2.0, -0.02, -2.0)


def test_the_step_may_be_cut(facts):
    whole, halves = _model(facts, 25.0), _model(facts, 25.0)
    for _ in range(100):
        whole.step(0.02, -1.0, 0.02)
        halves.step(0.02, -1.0, 0.01)
        halves.step(0.02, -1.0, 0.01)
    assert (whole.state.x, whole.state.y) == pytest.approx((halves.state.x, halves.state.y), abs=1e-6)


def test_driving_backwards_is_refused(facts):
    with pytest.raises(ValueError, match="forward only"):
        VehicleModel(facts).reset(0.0, 0.0, 0.0, -1.0)


@pytest.mark.parametrize("acceleration", [0.0, -2.0, 1.0])
def test_it_agrees_with_the_commonroad_single_track_model(load, changed, acceleration):
    reference = pytest.importorskip("vehiclemodels.vehicle_dynamics_st").vehicle_dynamics_st
    # The published model has one cornering stiffness, so give the car the same at both axles.
    facts = changed(
        load("flagship_ev").facts,
        {
            "body.front_cornering_stiffness": 20.0,
            "body.rear_cornering_stiffness": 20.0,
            "actuators.steering_delay": 0.0,
            "actuators.max_steering_rate": 1.5,
        },
    )
    body, wheelbase = facts.body, facts.dimensions.wheelbase
    rear = wheelbase - body.front_axle_to_centre
    parameters = SimpleNamespace(
        tire=SimpleNamespace(p_dy1=body.friction, p_ky1=-20.0 * body.friction),
        a=body.front_axle_to_centre,
        b=rear,
        h_s=body.centre_height,
        m=body.mass,
        I_z=body.yaw_inertia,
        steering=SimpleNamespace(min=-1.0, max=1.0, v_min=-9.0, v_max=9.0),
        longitudinal=SimpleNamespace(v_min=-10.0, v_max=80.0, v_switch=80.0, a_max=20.0),
    )
    model, step = _model(facts, 25.0), 0.005
    state = np.array([rear, 0.0, 0.0, 25.0, 0.0, 0.0, 0.0])
    for count in range(800):
        angle, speed = model.state.steering_angle, state[3]
        ours = model.step(0.012 * math.sin(2.0 * math.pi * 0.3 * count * step), acceleration, step)
        inputs = [(ours.steering_angle - angle) / step, (model._speed - speed) / step]
        state = _runge_kutta(reference, state, inputs, parameters, step)
        assert ours.yaw_rate == pytest.approx(state[5], abs=0.003)  # rad/s; the peaks are 0.1
        assert ours.slip_angle == pytest.approx(state[6], abs=0.0005)  # rad; the peaks are 0.01
    position = (state[0] - rear * math.cos(state[4]), state[1] - rear * math.sin(state[4]))
    # 4 s, up to 2.4 m/s²: a tyre that saturates by 0.2 % and half a substep of steering leave centimetres.
    assert (ours.x, ours.y) == pytest.approx(position, abs=0.06)
    assert abs(ours.y) > 0.5


def _runge_kutta(derivative, state, inputs, parameters, step):
    def rate(at):
        return np.array(derivative(list(at), list(inputs), parameters))

    first = rate(state)
    second = rate(state + 0.5 * step * first)
    third = rate(state + 0.5 * step * second)
    fourth = rate(state + step * third)
    return state + step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
