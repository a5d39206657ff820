"""What each kind of powertrain does behind the same interface."""

import itertools

import pytest

from pilot_common.vehicle import PowertrainKind
from pilot_vehicle.powertrain import REGENERATION_BEGINS, make_powertrain

STEP = 0.005


def _settle(powertrain, request, speed, seconds=4.0):
    given = 0.0
    for _ in range(round(seconds / STEP)):
        given = powertrain.step(request, speed, STEP)
    return given


@pytest.mark.parametrize("speed", [0.0, 0.5, 2.0, 10.0, 25.0, 40.0])
@pytest.mark.parametrize("request_", [-20.0, -1.0, 0.0, 1.0, 20.0])
def test_it_settles_on_the_request_within_floor_and_ceiling(facts, speed, request_):
    powertrain = make_powertrain(facts)
    powertrain.reset(0.0, speed)
    low, high = powertrain.floor(speed), powertrain.ceiling(speed)
    assert low <= high
    assert _settle(powertrain, request_, speed) == pytest.approx(max(low, min(request_, high)), abs=1e-3)


@pytest.mark.parametrize("speed", [5.0, 15.0, 30.0, 50.0, 80.0])
def test_power_is_never_exceeded(facts, speed):
    powertrain = make_powertrain(facts)
    powertrain.reset(0.0, speed)
    given = _settle(powertrain, 20.0, speed)
    assert given * facts.body.mass * speed <= facts.powertrain.max_power * (1.0 + 1e-9)
    assert given <= facts.powertrain.max_acceleration


def test_only_combustion_cars_creep_and_only_electric_ones_recover(facts):
    powertrain = make_powertrain(facts)
    combustion = facts.powertrain.kind is PowertrainKind.COMBUSTION
    assert (powertrain.floor(0.0) > 0.0) == combustion
    assert powertrain.floor(20.0) == pytest.approx(
        -(facts.powertrain.engine_braking if combustion else facts.powertrain.regeneration)
    )


def test_regeneration_fades_out_towards_standstill(load):
    powertrain = make_powertrain(load("city_ev").facts)
    speeds = [0.01 * count for count in range(500)]
    floors = [powertrain.floor(speed) for speed in speeds]
    assert all(
        floor == 0.0 for speed, floor in zip(speeds, floors, strict=True) if speed <= REGENERATION_BEGINS
    )
    assert floors == sorted(floors, reverse=True)


def test_a_shift_interrupts_the_drive_for_its_time_and_no_longer(load):
    facts = load("sedan_ice").facts
    powertrain = make_powertrain(facts)
    shift = facts.powertrain.shift_speeds[1]
    powertrain.reset(2.0, shift - 0.1)
    assert powertrain.step(2.0, shift - 0.1, STEP) == pytest.approx(2.0)
    given = [powertrain.step(2.0, shift + 0.1, STEP) for _ in range(100)]
    weak = [value for value in given if value < 1.99]
    assert min(given) < 0.1
    assert len(weak) * STEP == pytest.approx(facts.powertrain.shift_time, abs=2 * STEP)
    assert given[-1] == pytest.approx(2.0)
    assert powertrain.gear == 3


def test_gears_do_not_hunt_around_a_shift_speed(load):
    facts = load("sedan_ice").facts
    powertrain, shift, gears = make_powertrain(facts), facts.powertrain.shift_speeds[2], []
    powertrain.reset(0.0, shift - 1.0)
    for count in range(2000):
        powertrain.step(0.5, shift + (0.5 if count // 100 % 2 else -0.5), STEP)
        gears.append(powertrain.gear)
    assert sum(after != before for before, after in itertools.pairwise(gears)) == 1


def test_torque_comes_later_from_an_engine_than_from_a_motor(load):
    rise = {}
    for name in ("sedan_ice", "flagship_ev"):
        powertrain = make_powertrain(load(name).facts)
        powertrain.reset(0.0, 20.0)
        rise[name] = next(count for count in range(1000) if powertrain.step(1.0, 20.0, STEP) > 0.63) * STEP
    assert rise["flagship_ev"] < 0.12 < 0.35 < rise["sedan_ice"]
