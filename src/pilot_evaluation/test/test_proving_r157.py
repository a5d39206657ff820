"""UN R157's cases: the published geometry and grids, the reference drivers beside ours, and other values from a file."""

import csv

import numpy as np
import pytest

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Row, Setting
from pilot_evaluation.proving.forks import approach_of
from pilot_evaluation.proving.r157 import R157, verdict_of
from pilot_evaluation.proving.r157_cases import CAR, STANDING_CAR, car_following, cut_in, cut_out, hit_after
from pilot_evaluation.proving.r157_grid import load_grid, parameters
from pilot_evaluation.proving.r157_references import DRIVERS, known
from pilot_evaluation.proving.r157_summary import summary
from pilot_simulation.actors import EgoOnRoad
from pilot_simulation.road import synthetic_road
from pilot_simulation.scripted_actors import ScriptedActors

CONFIG = config_folder()
VEHICLE = load_vehicle("sedan_ice", CONFIG)
DIMENSIONS = VEHICLE.facts.dimensions
STEP = 0.02


def setting(**more) -> Setting:
    return Setting(**{"vehicle": VEHICLE, "config": CONFIG, **more})


def drive_past(scenario, seconds):
    """Times and others (T, N, [station, offset]) beside an ego that holds its speed and lane, and its front (T,)."""
    road = synthetic_road(scenario.road, 9000.0)
    actors = ScriptedActors(scenario.actors, road)
    middle, speed = road.lane_centre(scenario.ego.lane, 0.0), scenario.ego.speed
    times = np.arange(0.0, seconds, STEP)
    fronts = scenario.ego.station + DIMENSIONS.rear_axle_to_front + speed * times
    states = []
    for time, front in zip(times.tolist(), fronts.tolist(), strict=True):
        actors.advance(time, EgoOnRoad(front, middle, speed, DIMENSIONS.length, DIMENSIONS.width))
        others = actors.at(time)
        states.append(np.stack((others.station, others.offset), axis=-1))
    return times, np.array(states), fronts, middle


@pytest.mark.parametrize(
    ("ego", "other", "gap", "lateral"),
    [(60, 30, 46, 0.6), (130, 10, 119, 1.7), (20, 10, 1, 0.1), (70, 40, 33.3, 1.23)],
)
def test_a_cut_in_is_one_metre_sixty_beside_exactly_at_its_gap(ego, other, gap, lateral):
    values = {"ego_speed_kph": ego, "cutin_speed_kph": other, "long_dist_m": gap, "lat_vel_mps": lateral}
    drive = cut_in(VEHICLE, values, 1.6)
    times, states, fronts, middle = drive_past(drive.scenario, 12.0)
    bumper = states[:, 0, 0] - 0.5 * CAR[0] - fronts
    edges = middle - states[:, 0, 1] - 0.5 * (CAR[1] + DIMENSIONS.width)
    assert np.interp(-gap, -bumper, edges) == pytest.approx(
        1.6, abs=2e-3
    )  # m; a step at the ramp's end is 20 ms
    rate = -np.diff(edges) / STEP
    assert rate.max() == pytest.approx(lateral, rel=1e-3)
    assert np.diff(rate).max() <= 1.5 * STEP + 1e-6  # m/s a step: no more than 1.5 m/s²
    before = times < times[np.argmin(np.abs(bumper - gap))] - lateral / 1.5 - STEP
    assert np.ptp(edges[before]) == pytest.approx(0.0, abs=1e-9)  # it keeps its place until the ramp begins


def test_without_lateral_speed_the_other_never_comes_nearer():
    values = {"ego_speed_kph": 50, "cutin_speed_kph": 30, "long_dist_m": 20, "lat_vel_mps": 0.0}
    drive = cut_in(VEHICLE, values, 1.6)
    _, states, _, _ = drive_past(drive.scenario, 12.0)
    assert np.ptp(states[:, 0, 1]) == 0.0


def test_a_leader_leaves_before_the_standing_car_at_his_distance():
    values = {"speed_kph": 70.0, "front_distance_m": 47.0, "lateral_speed_mps": 1.1}
    drive = cut_out(VEHICLE, values, 1.6, 35.0)
    _, states, _, _ = drive_past(drive.scenario, 12.0)
    leader, standing = states[:, 0], states[:, 1]
    starts = int(np.argmax(np.abs(leader[:, 1] - leader[0, 1]) > 1e-6))
    apart = standing[starts - 1, 0] - leader[starts - 1, 0]
    assert apart == pytest.approx(CAR[0] + 47.0, abs=70 / 3.6 * 2 * STEP)
    assert np.diff(leader[:, 1]).max() / STEP == pytest.approx(1.1, rel=1e-3)


def test_a_leader_who_cannot_get_by_stops_where_he_hits():
    values = {"speed_kph": 70.0, "front_distance_m": 7.0, "lateral_speed_mps": 0.3}
    assert hit_after(values) is not None
    drive = cut_out(VEHICLE, values, 1.6, 35.0)
    _, states, _, _ = drive_past(drive.scenario, 12.0)
    leader, standing = states[:, 0], states[:, 1]
    touching = 0.5 * (CAR[0] + STANDING_CAR[0])
    assert leader[-1, 0] == pytest.approx(standing[-1, 0] - touching, abs=0.1 + 70 / 3.6 * STEP)
    assert leader[-1, 1] - standing[-1, 1] == pytest.approx(0.3 * hit_after(values), abs=0.02)
    assert hit_after({**values, "front_distance_m": 147.0}) is None


def test_a_leader_brakes_to_a_stop_at_his_deceleration():
    drive = car_following(VEHICLE, {"speed_kph": 60.0, "leader_decel_g": 0.5}, 1.6, 30.0)
    _, states, _, _ = drive_past(drive.scenario, 12.0)
    speed = np.diff(states[:, 0, 0]) / STEP
    assert speed[0] == pytest.approx(60 / 3.6)
    assert -np.diff(speed).min() / STEP == pytest.approx(0.5 * 9.81, rel=1e-3)
    assert speed[-1] == pytest.approx(0.0, abs=1e-9)


def test_the_whole_grids_have_as_many_cases_as_published():
    chosen = parameters(load_grid(CONFIG), setting(full=True), fastest=130.0)
    counted = {family: len(rows) for family, rows in chosen.items()}
    assert counted == {"cut_in": 29_970, "cut_out": 5_850, "car_following": 1_121}
    for rows in chosen.values():
        assert len({tuple(row.values()) for row in rows}) == len(rows)


def test_the_subset_has_500_cases_and_reaches_every_pair_of_speeds():
    suite = R157(CONFIG)
    assert len(suite.cases(setting())) >= 500
    cases = [case for case in suite.cases(setting()) if case.suite == "r157"]
    pairs = {
        (case.parameters["ego_speed_kph"], case.parameters["cutin_speed_kph"])
        for case in cases
        if case.family == "cut_in"
    }
    assert len(pairs) == 28
    again = [case.name for case in suite.cases(setting()) if case.suite == "r157"]
    other = [case.name for case in suite.cases(setting(seed=2)) if case.suite == "r157"]
    assert [case.name for case in cases] == again != other


def test_a_slow_car_is_proved_only_as_fast_as_it_drives():
    city = load_vehicle("city_ev", CONFIG)
    for case in R157(CONFIG).cases(setting(vehicle=city)):
        assert case.scenario.ego.speed <= city.facts.limits.max_speed + 1e-9


def test_cases_share_an_approach_that_does_not_know_their_own_numbers():
    suite = R157(CONFIG)
    cases = [case for case in suite.cases(setting(sample=1000)) if case.family == "cut_in"]
    groups = suite.groups(cases)
    assert sorted(case.name for group in groups for case in group) == sorted(case.name for case in cases)
    assert max(map(len, groups)) > 1
    for group in groups:
        assert len({str(approach_of(case)).replace(case.name, "") for case in group}) == 1


def test_preventable_is_what_any_reference_driver_avoids():
    rows = [
        {"ego_speed_kph": 110.0, "cutin_speed_kph": 10.0, "long_dist_m": gap, "lat_vel_mps": 1.0}
        for gap in (5.0, 30.0, 60.0, 100.0, 119.0)
    ]
    beside = known("cut_in", rows)
    for row in beside:
        assert row["preventable"] == any(not row[f"{driver}_contact"] for driver in DRIVERS)
        assert all(
            (row[f"{driver}_impact_speed"] > 0) <= bool(row[f"{driver}_contact"]) for driver in DRIVERS
        )
    assert {row["preventable"] for row in beside} == {0.0, 1.0}


@pytest.mark.parametrize("family", ["cut_in", "cut_out", "car_following"])
def test_a_case_is_found_again_by_its_name(family):
    suite = R157(CONFIG)
    case = next(case for case in suite.cases(setting()) if case.family == family)
    assert suite.find(setting(), case.name) == case


def test_a_name_may_hold_values_that_are_in_no_grid_but_must_make_sense():
    suite = R157(CONFIG)
    found = suite.find(setting(), "cut_in-57-23-31.5-0.85")
    assert list(found.parameters.values()) == [57.0, 23.0, 31.5, 0.85]
    for name in (
        "cut_in-23-57-31-1",
        "cut_in-57-23-31",
        "cut_in-57-23-x-1",
        "cut_in-57-23-3100-1",
        "ghost",
        "",
    ):
        assert suite.find(setting(), name) is None
    city = setting(vehicle=load_vehicle("city_ev", CONFIG))
    assert suite.find(city, "cut_in-130-40-45-0.9") is None  # faster than it drives


def driven(name, beside, contact=0.0, braked=1.0, peak=3.0, impact=0.0, verdict=PASS):
    measures = {
        "contact": contact,
        "braked": braked,
        "friction_braked": braked,
        "peak_deceleration": peak,
        **beside,
    }
    if contact:
        measures["impact_speed"] = impact
    row = Row(
        suite="r157", family="cut_in", name=name, parameters={}, verdict=verdict, reason="", measures=measures
    )
    return verdict_of(row)


def beside_us(contact: bool) -> dict:
    beside = {"preventable": float(not contact)}
    for driver in (*DRIVERS, "full_brake"):
        beside |= {
            f"{driver}_contact": float(contact),
            f"{driver}_impact_speed": 4.0 * contact,
            f"{driver}_braked": 1.0,
            f"{driver}_peak_deceleration": 6.0,
        }
    return beside


def test_a_contact_fails_only_where_a_reference_driver_avoids_it():
    assert driven("a", beside_us(contact=False), contact=1.0, impact=5.0).verdict == FAIL
    assert driven("b", beside_us(contact=True), contact=1.0, impact=5.0).verdict == PASS
    assert driven("c", beside_us(contact=False)).verdict == PASS


def test_the_figures_are_those_of_the_published_tables():
    rows = [
        driven("braked hard", beside_us(False), peak=8.0),
        driven("braked little", beside_us(False), peak=2.0),
        driven("not braked", beside_us(False), braked=0.0, peak=0.1),
        driven("unavoidable", beside_us(True), contact=1.0, peak=9.0, impact=3.0),
    ]
    figures = summary(rows)
    assert figures["verdict"] == PASS
    assert (figures["cases"], figures["contacts"], figures["preventable_contacts"]) == (4, 1, 0)
    assert figures["share_braked"] == 0.75
    assert figures["mean_peak_deceleration"] == 5.0  # of those braked without a contact
    family = figures["families"]["cut_in"]
    assert family["unpreventable_impact_speed"] == 3.0
    assert family["unpreventable_best_reference_impact_speed"] == 4.0
    assert family["reference_drivers"]["fsm"]["contacts"] == 1


@pytest.mark.parametrize("what", ["preventable", "error", "false activation"])
def test_a_preventable_contact_an_error_or_a_false_activation_fails_the_suite(what):
    rows = [driven("fine", beside_us(False))]
    if what == "preventable":
        rows.append(driven("bad", beside_us(False), contact=1.0, impact=2.0))
    elif what == "error":
        rows.append(
            Row(
                suite="r157", family="cut_in", name="e", parameters={}, verdict=ERROR, reason="x", measures={}
            )
        )
    else:
        rows.append(
            Row(
                suite="false_activation",
                family="ghost",
                name="g",
                parameters={},
                verdict=FAIL,
                reason="braked",
                measures={},
            )
        )
    figures = summary(rows)
    assert figures["verdict"] == FAIL
    assert figures["false_activations"] == (what == "false activation")
    assert figures["failed_cases"]


def write_csv(file, rows):
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_other_values_come_from_a_file_with_the_published_columns(tmp_path):
    rows = [
        {
            "range": "own",
            "ego_speed_kph": 57,
            "cutin_speed_kph": 23,
            "long_dist_m": 31.5,
            "lat_vel_mps": 0.85,
            "FSM": 1,
        },
        {
            "range": "own",
            "ego_speed_kph": 999 / 10,
            "cutin_speed_kph": 23,
            "long_dist_m": 31.5,
            "lat_vel_mps": 0.85,
            "FSM": 0,
        },
    ]
    file = write_csv(tmp_path / "own.csv", rows)
    cases = R157(CONFIG).cases(setting(cases_file=file))
    assert [case.parameters["ego_speed_kph"] for case in cases] == [57.0, 99.9]
    assert all("preventable" in case.known for case in cases)
    out = write_csv(
        tmp_path / "out.csv", [{"speed_kph": 50, "front_distance_m": 40, "lateral_speed_mps": -0.9}]
    )
    (case,) = R157(CONFIG).cases(setting(cases_file=out))
    assert (case.family, case.parameters["lateral_speed_mps"]) == ("cut_out", 0.9)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"ego_speed_kph": 50, "cutin_speed_kph": 20, "gap": 3}, "needs the columns"),
        (
            {"ego_speed_kph": 50, "cutin_speed_kph": 20, "long_dist_m": "far", "lat_vel_mps": 1},
            "line 2, long_dist_m",
        ),
        (
            {"ego_speed_kph": 50, "cutin_speed_kph": 20, "long_dist_m": -3, "lat_vel_mps": 1},
            "line 2, long_dist_m",
        ),
        (
            {"ego_speed_kph": 50, "cutin_speed_kph": 60, "long_dist_m": 3, "lat_vel_mps": 1},
            "below ego_speed_kph",
        ),
        ({"ego_speed_kph": 149, "cutin_speed_kph": 60, "long_dist_m": 3, "lat_vel_mps": 1}, "no case"),
    ],
)
def test_a_bad_file_of_cases_is_refused_with_line_and_rule(tmp_path, row, words):
    file = write_csv(tmp_path / "bad.csv", [row])
    with pytest.raises(ConfigError, match=r"bad\.csv") as error:
        R157(CONFIG).cases(setting(cases_file=file))
    assert words in str(error.value)


def test_a_file_of_cases_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        R157(CONFIG).cases(setting(cases_file=tmp_path / "none.csv"))
