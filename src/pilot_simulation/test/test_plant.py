"""What makes the true car differ from its facts, and what the world does to it, shows where physics says."""

from dataclasses import replace

import numpy as np
import pytest
from test_simulation import of, play, send

from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_simulation.scenario import Environment, Plant
from pilot_simulation.simulation import Simulation


@pytest.fixture
def truths(sedan, scenario, config):
    """Truth and vehicle states of some seconds under constant commands."""

    def make(seconds=6.0, acceleration=0.0, steering=0.0, **changes):
        drive = Simulation(sedan, scenario(**changes), config)
        messages = play(drive, seconds, lambda now: send(now, acceleration, steering))
        return of(messages, "truth"), of(messages, "vehicle_state")

    return make


def acceleration(truth, first: float, last: float) -> float:
    start = truth[0].stamp
    inside = [one for one in truth if first <= one.stamp - start <= last]
    return (inside[-1].speed - inside[0].speed) / (inside[-1].stamp - inside[0].stamp)


def test_a_car_with_the_plant_of_its_facts_drives_as_ever(truths):
    usual, named = truths()[0], truths(plant=Plant(), environment=Environment())[0]
    assert [one.x for one in usual] == [one.x for one in named]


def test_a_heavier_car_accelerates_less_by_its_mass(truths):
    usual = acceleration(truths(acceleration=1.0)[0], 2.0, 4.0)
    heavy = acceleration(truths(acceleration=1.0, plant=Plant(mass=1.3))[0], 2.0, 4.0)
    assert usual == pytest.approx(1.0, abs=0.03)
    # What moves it is the force for 1 m/s² and all resistances; those of the tyres grow with the mass, that of air does not.
    assert heavy == pytest.approx(1.0 / 1.3, abs=0.05)


def test_brakes_too_push_with_the_force_for_the_believed_mass(truths):
    heavy = acceleration(truths(acceleration=-3.0, plant=Plant(mass=1.3))[0], 1.0, 3.0)
    assert heavy == pytest.approx(-3.0 / 1.3, abs=0.15)


def test_a_headwind_slows_by_its_drag(truths, sedan):
    body = sedan.facts.body
    truth = truths(environment=Environment(headwind=15.0))[0]
    speed = 20.0
    drag = 0.5 * AIR_DENSITY * body.drag_area / body.mass * ((speed + 15.0) ** 2 - speed**2)
    assert acceleration(truth, 0.0, 2.0) == pytest.approx(-drag, rel=0.1)


def test_a_tail_wind_faster_than_the_car_pushes_it(truths):
    assert acceleration(truths(environment=Environment(headwind=-35.0))[0], 0.0, 2.0) > 0.05


def test_a_slope_is_made_up_for_until_the_engine_is_at_its_limit(truths):
    level, uphill = (truths(acceleration=0.5, environment=Environment(grade=g))[0] for g in (0.0, 0.06))
    assert acceleration(uphill, 2.0, 4.0) == pytest.approx(acceleration(level, 2.0, 4.0), abs=0.03)
    steep = truths(acceleration=3.0, environment=Environment(grade=0.15))[0]
    power = 112e3 / 1640 / 20.0  # m/s² that the engine has at this speed
    assert acceleration(steep, 2.0, 4.0) < power - 0.1 * GRAVITY


def test_a_bias_turns_a_car_that_is_asked_to_go_straight_and_its_bus_does_not_know(truths):
    truth, states = truths(seconds=2.0, plant=Plant(steering_bias=0.01))
    assert truth[-1].steering_angle == pytest.approx(0.01, abs=1e-4)
    assert truth[-1].yaw > 0.05
    assert np.mean([state.steering_angle for state in states[50:]]) == pytest.approx(0.0, abs=2e-4)


def test_a_steering_ratio_too_high_steers_less_than_the_bus_says(truths):
    truth, states = truths(seconds=2.0, steering=0.01, plant=Plant(steering_ratio=1.25))
    assert truth[-1].steering_angle == pytest.approx(0.008, abs=1e-4)
    assert np.mean([state.steering_angle for state in states[60:]]) == pytest.approx(0.01, abs=2e-4)


def test_a_longer_dead_time_begins_later(truths, sedan):
    def begin(plant: Plant) -> float:
        truth, _ = truths(seconds=1.0, steering=0.02, plant=plant)
        return next(one.stamp - truth[0].stamp for one in truth if one.steering_angle > 1e-3)

    longer = 3.0 * sedan.facts.actuators.steering_delay
    assert begin(Plant(steering_delay=4.0)) - begin(Plant()) == pytest.approx(longer, abs=0.051)


def test_softer_tyres_turn_less(truths):
    usual = truths(seconds=4.0, steering=0.01)[0][-1].yaw
    assert truths(seconds=4.0, steering=0.01, plant=Plant(front_stiffness=0.7))[0][-1].yaw < 0.95 * usual


def test_what_is_believed_stays_what_it_is(sedan):
    plant = Plant(mass=1.3, steering_delay=0.7, powertrain_delay=1.3, brake_delay=0.7, rear_stiffness=0.9)
    true = plant.true(sedan.facts)
    assert true.body.mass == pytest.approx(1.3 * sedan.facts.body.mass)
    assert true.actuators.steering_delay == pytest.approx(0.7 * sedan.facts.actuators.steering_delay)
    assert (
        replace(
            true, body=sedan.facts.body, actuators=sedan.facts.actuators, powertrain=sedan.facts.powertrain
        )
        == sedan.facts
    )
    assert plant.reported(plant.road_wheels(0.02)) == pytest.approx(0.02)
