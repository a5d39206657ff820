"""Energy at the wheels: the balance closes, and what brakes softly recovers what hard braking burns."""

import numpy as np
import pytest

from pilot_common.folders import config_folder
from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_common.vehicle import vehicle_names
from pilot_evaluation.measures.energy import at_wheels
from pilot_vehicle.feasibility import load_checked_vehicle


def facts(name: str):
    return load_checked_vehicle(name, config_folder()).facts


def braking(deceleration: float, begin: float = 25.0, end: float = 5.0):
    time = np.linspace(0.0, (begin - end) / deceleration, 2001)
    return time, begin - deceleration * time, np.full(len(time), -deceleration)


@pytest.mark.parametrize("name", vehicle_names(config_folder()))
def test_what_goes_in_is_what_the_motion_and_the_losses_take(name):
    car = facts(name)
    time = np.linspace(0.0, 60.0, 6001)
    speed = 15.0 + 8.0 * np.sin(0.3 * time)
    acceleration = 2.4 * np.cos(0.3 * time)
    found = at_wheels(car, time, speed, acceleration)
    mass = car.body.mass
    drag = 0.5 * AIR_DENSITY * car.body.drag_area * speed**2 + mass * GRAVITY * car.body.rolling_resistance
    losses = np.trapezoid(drag * speed, time)
    kinetic = 0.5 * mass * (speed[-1] ** 2 - speed[0] ** 2)
    assert found.driven - found.recovered - found.overrun - found.friction == pytest.approx(
        losses + kinetic, rel=1e-4
    )


@pytest.mark.parametrize("name", ["flagship_ev", "city_ev", "suv_erev"])
def test_an_electric_car_that_brakes_within_its_regeneration_burns_nothing(name):
    car = facts(name)
    soft = at_wheels(car, *braking(0.9 * car.powertrain.regeneration))
    hard = at_wheels(car, *braking(car.powertrain.regeneration + 2.0))
    assert soft.friction == pytest.approx(0.0, abs=1.0)
    assert hard.friction > 0.2 * hard.recovered
    assert soft.recovered > hard.recovered


def test_a_combustion_car_recovers_nothing_and_saves_only_by_its_overrun():
    car = facts("sedan_ice")
    soft, hard = at_wheels(car, *braking(0.6)), at_wheels(car, *braking(2.5))
    assert soft.recovered == hard.recovered == 0.0
    assert soft.friction < 0.1 * hard.friction
