"""The simulated car: who moves it, what it reports, and what it does when nobody commands it."""

from dataclasses import replace

import numpy as np
import pytest

from pilot_common.types import Actuation, DriverInput, Gear, Limit, Side
from pilot_vehicle.drivers.simulated import WATCHDOG, SimulatedCar

TICK = 0.02
NOBODY = DriverInput(
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


def actuation(time, steering=0.0, acceleration=0.0, *, active=True, indicator=Side.NONE):
    return Actuation(
        stamp=time,
        source_stamp=time,
        active=active,
        steering_angle=steering,
        acceleration=acceleration,
        gear=Gear.DRIVE,
        indicator=indicator,
        hazard_lights=False,
        limit=Limit.NONE,
        reason="",
    )


def _car(facts, speed=20.0, seed=1):
    car = SimulatedCar(facts, np.random.default_rng(seed))
    car.reset(0.0, 0.0, 0.0, speed)
    return car


def test_the_driver_drives_while_the_system_is_inactive(facts):
    car = _car(facts)
    car.actuate(actuation(0.0, 0.2, -8.0, active=False))
    for count in range(100):
        accelerator, brake = car.pedals_for(0.5)
        car.step(count * TICK, TICK, replace(NOBODY, accelerator=accelerator, brake=brake), 0.01)
    assert car.true.speed == pytest.approx(20.0 + 0.5 * 2.0, abs=0.3)
    assert car.true.steering_angle == pytest.approx(0.01, abs=1e-4)


def test_the_system_drives_while_it_is_active(facts):
    car = _car(facts)
    for count in range(100):
        car.actuate(actuation(count * TICK, 0.01, -1.0, indicator=Side.LEFT))
        state = car.step(count * TICK, TICK, replace(NOBODY, accelerator=1.0), -0.1)
    assert car.true.speed == pytest.approx(18.0, abs=0.4)
    assert car.true.steering_angle == pytest.approx(0.01, abs=1e-4)
    assert state.indicator is Side.LEFT


def test_the_brake_pedal_works_even_against_the_system(facts):
    car = _car(facts)
    for count in range(100):
        car.actuate(actuation(count * TICK, 0.0, 1.0))
        car.step(count * TICK, TICK, replace(NOBODY, brake=0.5))
    assert car.true.acceleration == pytest.approx(-0.5 * facts.actuators.max_deceleration, rel=0.05)


def test_without_actuation_the_actuators_stop_the_car_by_themselves(facts):
    car = _car(facts)
    for count in range(50):
        car.actuate(actuation(count * TICK, 0.005))
        car.step(count * TICK, TICK, NOBODY)
    last, silent_since = car.true, 49 * TICK
    for count in range(50, 1000):
        car.step(count * TICK, TICK, NOBODY, 0.3)
        assert car.watchdog_acts == (count * TICK - silent_since > WATCHDOG)
        assert car.true.steering_angle == pytest.approx(last.steering_angle, abs=0.001)
        if count == 100:
            assert car.true.acceleration == pytest.approx(-3.0, abs=0.1)
            assert car.hazard_lights
    assert car.true.speed == 0.0


def test_an_older_actuation_does_not_replace_a_newer_one(facts):
    car = _car(facts)
    for count in range(50):
        car.actuate(actuation(count * TICK, 0.0, -2.0))
        car.actuate(actuation(count * TICK - 0.01, 0.0, 2.0))
        car.step(count * TICK, TICK, NOBODY)
    assert car.true.acceleration < -1.5


@pytest.mark.parametrize("wanted", [-6.0, -2.0, 0.0, 1.0])
def test_pedals_for_an_acceleration_ask_for_it(facts, wanted):
    car = _car(facts)
    accelerator, brake = car.pedals_for(wanted)
    assert min(accelerator, brake) == 0.0
    asked = car.pedal_request(replace(NOBODY, accelerator=accelerator, brake=brake))
    assert asked == pytest.approx(wanted, abs=1e-9)


def test_equal_seeds_report_equal_states_and_others_do_not(facts):
    def drive(seed):
        car = _car(facts, seed=seed)
        return [car.step(count * TICK, TICK, NOBODY, 0.01) for count in range(50)]

    assert drive(3) == drive(3)
    assert drive(3) != drive(4)


def test_the_noise_is_small_without_bias_and_gone_at_rest(facts):
    car = _car(facts)
    errors = []
    for count in range(2000):
        accelerator, brake = car.pedals_for(0.0)
        state = car.step(count * TICK, TICK, replace(NOBODY, accelerator=accelerator, brake=brake))
        assert state.stamp == pytest.approx((count + 1) * TICK)
        errors.append((state.speed - car.true.speed, state.acceleration - car.true.acceleration))
    mean, deviation = np.mean(errors, axis=0), np.std(errors, axis=0)
    assert abs(mean[0]) < 0.15  # m/s: the speed is wrong by 0.2 % (one standard deviation), seldom by 0.6 %
    assert abs(mean[1]) < 0.01
    assert deviation == pytest.approx([0.02, 0.05], rel=0.1)
    car.reset(0.0, 0.0, 0.0, 0.0)
    for count in range(100):
        state = car.step(count * TICK, TICK, replace(NOBODY, brake=0.3))
        assert state.speed == 0.0
        assert state.yaw_rate == 0.0
