"""The suites that are data: every car finds its cases, and a few are driven – a real car is stopped for, an echo is not."""

from functools import cache

import pytest

from pilot_common.folders import config_folder
from pilot_evaluation.proving.case import Case, Setting
from pilot_evaluation.proving.engine import run_case
from pilot_evaluation.proving.suites import load_suite
from pilot_vehicle.feasibility import load_checked_vehicle

SUITES = ("annex5", "ncap", "false_activation", "iso", "robustness")
VEHICLES = ("city_ev", "sedan_ice", "suv_erev", "flagship_ev")


def setting(vehicle: str, full: bool = True) -> Setting:
    config = config_folder()
    return Setting(vehicle=load_checked_vehicle(vehicle, config), config=config, full=full)


@cache
def cases(suite: str, vehicle: str, full: bool = True) -> dict[str, Case]:
    made = load_suite(suite, config_folder()).cases(setting(vehicle, full))
    named = {case.name: case for case in made}
    assert len(named) == len(made)
    return named


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("vehicle", ("city_ev", "flagship_ev"))
def test_the_subset_is_part_of_the_whole_and_leaves_out_no_family_the_car_can_drive(suite, vehicle):
    full, subset = cases(suite, vehicle), cases(suite, vehicle, False)
    assert set(subset) <= set(full)
    assert len(subset) < len(full)
    assert {case.family for case in subset.values()} == {case.family for case in full.values()}


@pytest.mark.parametrize("suite", SUITES)
def test_every_case_is_judged_by_a_contact_or_by_what_must_not_happen(suite):
    for case in cases(suite, "flagship_ev").values():
        assert case.limits
        assert case.judge_from < case.scenario.duration


@pytest.mark.parametrize("suite", SUITES)
def test_no_car_is_asked_to_drive_faster_than_it_does(suite):
    for vehicle in ("city_ev", "sedan_ice"):
        limit = load_checked_vehicle(vehicle, config_folder()).facts.limits.max_speed
        for case in cases(suite, vehicle).values():
            assert case.scenario.ego.speed <= limit + 0.01, case.name


def test_what_is_excused_as_unavoidable_is_the_smaller_part():
    ncap = cases("ncap", "sedan_ice").values()
    excused = [case.name for case in ncap if case.limits["contact"].at_most != 0]
    asked = [case.name for case in ncap if case.family == "cut_out_standing" and case.name not in excused]
    assert all(name.startswith("cut_out_standing") for name in excused)
    assert len(asked) > len(excused) > 0


def chosen(suite: str, vehicle: str, family: str, **parameters: float) -> Case:
    return next(
        case
        for case in cases(suite, vehicle).values()
        if case.family == family and all(case.parameters[name] == value for name, value in parameters.items())
    )


@pytest.mark.parametrize(
    ("vehicle", "speed"),
    [("sedan_ice", 60), ("city_ev", 100), ("sedan_ice", 130), ("flagship_ev", 130)],
)
def test_a_standing_car_is_stopped_for(vehicle, speed):
    row = run_case(setting(vehicle), chosen("annex5", vehicle, "full_blocking", speed_kph=speed))
    assert row.verdict == "pass", row.reason
    assert row.measures["min_speed"] < 0.2
    assert row.measures["min_gap"] > 1.0


@pytest.mark.parametrize(
    ("vehicle", "family", "speed"),
    [
        ("sedan_ice", "manhole", 100),
        ("city_ev", "ghost", 80),
        ("flagship_ev", "overhead_sign", 130),
        ("sedan_ice", "parked_row", 80),
    ],
)
def test_nobody_brakes_for_what_is_no_obstacle(vehicle, family, speed):
    row = run_case(setting(vehicle), chosen("false_activation", vehicle, family, speed_kph=speed))
    assert row.verdict == "pass", row.reason
