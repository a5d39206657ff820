"""Suite of SUMO motorways: hours become drives, SUMO's driver stands beside ours, a plan must be explained by its ledger."""

from dataclasses import replace

import numpy as np
import pytest
from plain_run import Other, make_run, mode, plan, put

from pilot_common.folders import config_folder
from pilot_common.types import DriveMode, Ledger, Trajectory
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.proving.case import FAIL, PASS, Setting
from pilot_evaluation.proving.engine import row, seed_of
from pilot_evaluation.proving.motorway import (
    DENSITIES,
    DRIVE,
    Motorway,
    chooses_lanes,
    disengagements,
    explained,
    motorway_scenario,
    traffic_speed,
    without_arrays,
)
from pilot_simulation.sumo_driver import sumo_driver_speed

CONFIG = config_folder()
FLAGSHIP, SEDAN, CITY = (load_vehicle(name, CONFIG) for name in ("flagship_ev", "sedan_ice", "city_ev"))
SUITE = Motorway(CONFIG)


def setting(vehicle=FLAGSHIP, **more) -> Setting:
    return Setting(vehicle=vehicle, config=CONFIG, **more)


def test_ten_hours_are_driven_by_four_cars_over_three_densities():
    cases = SUITE.cases(setting(full=True))
    assert 4 * sum(case.parameters["seconds"] for case in cases) == pytest.approx(36_000.0)
    assert {case.family for case in cases} == set(DENSITIES)
    assert len({seed_of(setting(), case.suite, case.name) for case in cases}) == len(cases)


def test_hours_can_be_asked_for_and_the_subset_is_short():
    hours = SUITE.cases(setting(hours=0.5))
    assert sum(case.parameters["seconds"] for case in hours) == pytest.approx(1800.0)
    assert all(case.parameters["seconds"] == DRIVE for case in hours)
    assert sum(case.parameters["seconds"] for case in SUITE.cases(setting())) <= 180.0


def test_no_car_wishes_for_more_than_it_does():
    for vehicle in (FLAGSHIP, SEDAN, CITY):
        scenario = motorway_scenario(setting(vehicle), 15.0, 60.0)
        assert scenario.driver.set_speed <= vehicle.facts.limits.max_speed


def test_only_a_car_that_chooses_lanes_is_held_against_a_driver_who_does():
    assert [chooses_lanes(vehicle) for vehicle in (FLAGSHIP, SEDAN, CITY)] == [True, False, False]


@pytest.fixture
def sumo():
    pytest.importorskip("libsumo")


@pytest.mark.usefixtures("sumo")
def test_sumos_driver_is_the_same_in_every_run_and_no_faster_than_its_wish():
    scenario = motorway_scenario(setting(), 12.0, 30.0)
    speeds = [sumo_driver_speed(FLAGSHIP, scenario, 5, True, 10.0) for _ in range(2)]
    assert speeds[0] == speeds[1]
    assert 10.0 < speeds[0] <= scenario.driver.set_speed + 0.1


@pytest.mark.usefixtures("sumo")
def test_sumos_driver_reaches_its_wish_on_an_empty_road_and_is_held_up_in_its_lane_behind_others():
    empty = motorway_scenario(setting(), 0.0, 60.0)
    assert sumo_driver_speed(FLAGSHIP, empty, 5, True, 40.0) == pytest.approx(empty.driver.set_speed, abs=1.0)
    dense = motorway_scenario(setting(), 25.0, 60.0)
    dense = replace(dense, traffic=replace(dense.traffic, speed=20.0))
    assert sumo_driver_speed(FLAGSHIP, dense, 5, False, 20.0) < 24.0


def commanded(acceleration: float, bound: float):
    ledger = replace(
        Ledger.empty(),
        name=("set_speed",),
        sentence=("",),
        sentence_zh=("",),
        bound=np.array([bound]),
        identity=np.zeros(1, np.uint32),
        argument=np.zeros((1, Ledger.empty().argument.shape[1])),
    )
    one = np.zeros(1)
    trajectory = Trajectory(
        time=one,
        position=np.zeros((1, 2)),
        heading=one,
        curvature=one,
        speed=one,
        acceleration=np.array([acceleration]),
    )
    return replace(plan(0.0), ledger=ledger, trajectory=trajectory)


@pytest.mark.parametrize(("bound", "right"), [(-1.2, True), (-1.2 + 5e-7, True), (-1.3, False)])
def test_a_plan_is_explained_by_the_bound_that_binds(bound, right):
    assert explained(commanded(-1.2, bound)) is right
    light = without_arrays(commanded(-1.2, bound))
    assert light.manoeuvre == plan(0.0).manoeuvre and not len(light.trajectory.acceleration)


def test_giving_up_is_told_with_its_reason():
    assert disengagements(make_run(6.0)) == []
    run = make_run(6.0)
    put(run, "mode", replace(mode(2.0, DriveMode.TAKEOVER), reason="lanes lost"))
    put(run, "mode", mode(4.0, DriveMode.ACTIVE))
    assert disengagements(run) == ["gave up at 2.0 s: lanes lost"]


def test_the_speed_of_traffic_is_that_of_the_cars_around():
    near = Other(station=lambda t: 60.0 + 25.0 * t, offset=lambda t: 3.75, speed=lambda t: 25.0, identity=7)
    far = Other(station=lambda t: 900.0 + 35.0 * t, offset=lambda t: 3.75, speed=lambda t: 35.0, identity=8)
    run = make_run(2.0, [near, far])
    everything = np.ones(len(run.time("truth")), bool)
    assert traffic_speed(run, everything) == pytest.approx(25.0)
    assert traffic_speed(make_run(2.0), everything) == pytest.approx(20.0)


def figures(name="light_000", **measures):
    case = next(case for case in SUITE.cases(setting()) if case.name == name)
    known = {"seconds": 60.0, "mean_speed": 30.0, "twin_speed": 29.0, **measures}
    bad = known.get("contact") or known.get("disengagements")
    return row(case, FAIL if bad else PASS, "", known)


def verdict(*rows) -> str:
    return SUITE.summary(setting(), rows)["verdict"]


def test_speed_is_weighed_over_all_drives_and_contacts_and_giving_up_fail():
    slower = figures("dense_000", mean_speed=25.0, twin_speed=25.5)
    assert verdict(figures(), slower) == PASS, "0.5 m/s lost in one, 1 m/s gained in the other"
    assert verdict(slower) == FAIL
    assert verdict(figures(), figures("medium_000", contact=1.0)) == FAIL
    assert verdict(figures(), figures("medium_000", disengagements=1.0)) == FAIL
    assert verdict() == FAIL
    assert SUITE.summary(setting(), [figures()] * 3)["hours"] == pytest.approx(0.05)
