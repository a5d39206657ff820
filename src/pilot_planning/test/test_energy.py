"""Driving ahead: early and gentle towards what is slower, within what the powertrain does alone, never against safety."""

import math
from dataclasses import replace

import pytest
from motorway import Motorway, Other, vehicle

from pilot_common.folders import config_folder
from pilot_common.vehicle import load_parameters
from pilot_planning.highway.energy import Saving
from pilot_planning.highway.planner import HighwayPlanner


def saving(name: str) -> Saving:
    car = vehicle(name)
    parameters = load_parameters(HighwayPlanner.Parameters, "planning", car, config_folder())
    return Saving(car.facts, parameters.energy)


def test_a_combustion_car_slows_by_its_overrun_and_an_electric_one_by_its_motor():
    assert 0.5 < saving("sedan_ice").deceleration(15.0) < 0.8
    for name in ("city_ev", "flagship_ev", "suv_erev"):
        regeneration = vehicle(name).facts.powertrain.regeneration
        assert 0.7 * regeneration < saving(name).deceleration(15.0) < regeneration + 0.3


def test_the_law_asks_for_no_more_than_the_powertrain_and_air_give():
    law = saving("sedan_ice").towards(90.0, 20.0, 20.0, 24.0, 1.8)
    assert law is not None
    travelled, time, speed, strongest = 0.0, 0.0, 24.0, 0.0
    while time < 60.0:
        wanted = min(0.0, law.bound(time, travelled, speed))
        travelled, time, speed = travelled + speed * 0.05, time + 0.05, speed + wanted * 0.05
        strongest = min(strongest, wanted)
    assert speed == pytest.approx(20.0, abs=0.5)
    assert 90.0 + 20.0 * time - travelled > -1.0
    assert strongest > -1.3 * saving("sedan_ice").deceleration(24.0)


def test_nothing_is_asked_where_nothing_is_gained():
    car = saving("sedan_ice")
    assert car.towards(80.0, 24.5, 24.5, 25.0, 1.8) is None  # hardly slower
    assert car.towards(-3.0, 20.0, 20.0, 25.0, 1.8) is None  # the gap is short already: others decide
    assert saving("flagship_ev").towards(80.0, 20.0, 20.0, 25.0, 1.0) is None  # its motor does that anyway


def burnt_behind(name: str, horizon: float) -> tuple[float, float]:
    """Work of the friction brakes behind somebody slower (J/kg), and the smallest gap, with the horizon set."""
    drive = Motorway(speed=27.0, set_speed=27.0, time_gap=1.5, car=vehicle(name), lanes=1, start_lane=0)
    drive.others = [Other(7, 150.0, 0.0, 18.0)]
    car = drive.planner._speeds._saving
    car._p = replace(car._p, horizon=horizon)
    drive.drive(20.0)
    spent = [
        max(0.0, -acceleration - car.deceleration(speed)) * speed * 0.05
        for acceleration, speed in zip(drive.accelerations(), drive.speeds(), strict=True)
    ]
    return sum(spent), min(drive.gaps)


def test_behind_a_slower_car_the_friction_brakes_have_less_to_do_and_the_gap_is_no_smaller():
    burnt, near = burnt_behind("sedan_ice", 0.0)
    spared, gap = burnt_behind("sedan_ice", 15.0)
    assert spared < 0.6 * burnt
    assert gap >= near - 0.5


def test_lifting_off_early_never_raises_the_acceleration():
    """The wish stands beside the laws of safety; the lowest bound counts, with or without it."""
    drive = Motorway(speed=27.0, set_speed=27.0, car=vehicle("sedan_ice"), lanes=1, start_lane=0)
    drive.others = [Other(7, 150.0, 0.0, 18.0)]
    found = False
    for _ in range(120):
        ledger = drive.step().ledger
        command = ledger.bound[ledger.binding]
        physical = [bound for name, bound in zip(ledger.name, ledger.bound, strict=True) if name != "jerk"]
        found |= "glide_behind" in ledger.name
        if ledger.name[ledger.binding] != "jerk":
            assert math.isclose(command, min(physical))
    assert found
