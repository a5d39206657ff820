"""Suite of recorded traffic: goals are read in full and reached or missed as CommonRoad says, and who caused a contact counts."""

import math
from dataclasses import replace
from pathlib import Path

import commonroad_samples as sample
import numpy as np
import pytest
from plain_run import Other, make_run
from real_data import real_data

from pilot_common.errors import ScenarioError
from pilot_common.folders import config_folder
from pilot_common.types import Manoeuvre
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.importers.commonroad import import_commonroad
from pilot_evaluation.importers.commonroad_file import read_commonroad
from pilot_evaluation.importers.commonroad_goal import Goal, inside
from pilot_evaluation.measures.contact import contacts
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Setting
from pilot_evaluation.proving.engine import row, run_group
from pilot_evaluation.proving.recorded import GOAL, OTHER, Recorded, goal, problem_files
from pilot_simulation.scenario import load_scenario

CONFIG = config_folder()
FLAGSHIP = load_vehicle("flagship_ev", CONFIG)
RECTANGLE = (
    "<rectangle><length>6</length><width>2</width><orientation>0</orientation>"
    "<center><x>120</x><y>3.5</y></center></rectangle>"
)
LATE = "<time><intervalStart>40</intervalStart><intervalEnd>60</intervalEnd></time>"
SPEEDS = "<velocity><intervalStart>10</intervalStart><intervalEnd>25</intervalEnd></velocity>"


def problem(where: str, extra: str = LATE) -> str:
    start = sample.state("initialState", 0, 20.0, 0.0, 18.0)
    return f'<planningProblem id="9">{start}<goalState><position>{where}</position>{extra}</goalState></planningProblem>'


def written(tmp_path: Path, name: str, *parts: str) -> Path:
    file = tmp_path / f"{name}.xml"
    file.write_text(sample.document(*parts), encoding="utf-8")
    return file


def two_lanes(tmp_path: Path, name: str = "two", goal_state: str = "") -> Path:
    lanes = (
        sample.straight(2, 0.0, '<adjacentLeft ref="3" drivingDir="same"/>', length=600.0),
        sample.straight(3, 3.5, length=600.0),
    )
    traffic = sample.car(12, 400.0, 0.0, 20.0, range(0, 61))
    return written(tmp_path, name, *lanes, traffic, goal_state or problem(RECTANGLE, LATE + SPEEDS))


def test_a_goal_is_read_with_region_time_and_speed(tmp_path):
    (wanted,) = read_commonroad(two_lanes(tmp_path)).problems[0].goals
    assert (wanted.first_step, wanted.last_step, wanted.speed, wanted.heading) == (
        40.0,
        60.0,
        (10.0, 25.0),
        None,
    )
    assert wanted.middle == pytest.approx((120.0, 3.5))
    assert wanted.holds((122.9, 4.4), 0.0, 18.0)
    assert not wanted.holds((123.1, 3.5), 0.0, 18.0), "beyond its length"
    assert not wanted.holds((120.0, 4.6), 0.0, 18.0), "beyond its width"
    assert not wanted.holds((120.0, 3.5), 0.0, 26.0), "too fast"


@pytest.mark.parametrize("turn", [0.0, 0.7, math.pi, -2.5])
def test_a_heading_interval_knows_that_angles_wrap(turn):
    wanted = Goal(
        outlines=(), lanelets=(), first_step=0, last_step=1, speed=None, heading=(turn - 0.1, turn + 0.1)
    )
    assert wanted.holds((0.0, 0.0), turn + 0.05 + 2.0 * math.pi, 10.0)
    assert not wanted.holds((0.0, 0.0), turn + 0.2, 10.0)
    assert wanted.middle is None


def test_a_point_is_inside_what_surrounds_it():
    outline = np.array([(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 1.0), (0.0, 2.0)])
    assert inside(outline, (1.0, 1.0)) and inside(outline, (3.5, 1.6))
    assert not inside(outline, (2.0, 1.5)) and not inside(outline, (5.0, 1.0))


def test_the_goal_becomes_a_route_and_a_time_to_be_there(tmp_path):
    imported = import_commonroad(two_lanes(tmp_path), tmp_path / "out")
    scenario = load_scenario(imported.path, CONFIG)
    assert scenario.route is not None and scenario.driver.arrival is not None
    (stretch,) = scenario.route.stretches
    assert stretch.lanes == (1,), "the left one"
    assert scenario.driver.arrival.time == pytest.approx(4.5), "early in the time allowed, 4 to 6 s"
    assert scenario.driver.arrival.station == pytest.approx(stretch.start)
    assert scenario.driver.set_speed >= 100.0 / 4.5


def test_a_lanelet_as_goal_asks_for_no_appointment(tmp_path):
    file = two_lanes(tmp_path, goal_state=problem('<lanelet ref="3"/>'))
    scenario = load_scenario(import_commonroad(file, tmp_path / "out").path, CONFIG)
    assert scenario.driver.arrival is None
    assert scenario.route is not None and scenario.route.stretches[0].lanes == (1,)


def arrives(offset: float, speed: float = 20.0):
    """A run along x at 20 m/s whose box is at (120, offset) after about five seconds."""
    return make_run(
        6.0,
        station=lambda t: 20.0 + 20.0 * t,
        offset=lambda t: offset,
        speed=lambda t: speed,
        yaw=lambda t: 0.0,
    )


def test_a_goal_is_reached_by_the_middle_of_the_box_at_the_right_time_only(tmp_path):
    wanted = read_commonroad(two_lanes(tmp_path)).problems[0]
    assert goal(arrives(3.5), wanted, 0.1)["goal_reached"] == 1.0
    missed = goal(arrives(0.0), wanted, 0.1)
    assert missed["goal_reached"] == 0.0
    assert missed["goal_miss"] == pytest.approx(3.5, abs=0.2)
    early = replace(wanted, goals=(replace(wanted.goals[0], first_step=0.0, last_step=30.0),))
    assert goal(arrives(3.5), early, 0.1)["goal_reached"] == 0.0
    assert goal(arrives(3.5, speed=30.0), wanted, 0.1)["goal_reached"] == 0.0


def suite_and(setting_files: Path):
    return Recorded(CONFIG), Setting(vehicle=FLAGSHIP, config=CONFIG, cases_file=setting_files)


def test_a_road_with_one_lane_is_no_motorway(tmp_path):
    two_lanes(tmp_path, "a_two")
    lane = sample.straight(1, 0.0, length=400.0)
    written(
        tmp_path, "b_one", lane, sample.car(5, 90.0, 0.0, 15.0, range(0, 61)), sample.problem(20.0, 0.0, 16.0)
    )
    suite, setting = suite_and(tmp_path)
    assert [(case.name, case.family) for case in suite.cases(setting)] == [("a_two", GOAL), ("b_one", OTHER)]


def test_a_drive_is_a_row_and_a_broken_file_an_error(tmp_path):
    two_lanes(tmp_path, "drives")
    (tmp_path / "broken.xml").write_text("<commonRoad", encoding="utf-8")
    suite, setting = suite_and(tmp_path)
    rows = {done.name: done for done in run_group(suite, setting, list(suite.cases(setting)))}
    assert rows["broken"].verdict == ERROR and "broken.xml" in rows["broken"].reason
    driven = rows["drives"].measures
    assert (driven["contact"], driven["goal_asked"]) == (0.0, 1.0)
    assert driven["driving"] > 0.9
    summary = suite.summary(setting, list(rows.values()))
    assert (summary["cases"], summary["errors"], summary["goal_problems"]) == (2, 1, 1)
    assert summary["verdict"] == FAIL


def test_nine_goals_of_ten_are_enough_and_one_contact_is_too_much(tmp_path):
    two_lanes(tmp_path)
    suite, setting = suite_and(tmp_path)
    (case,) = suite.cases(setting)
    good = row(case, PASS, "", {"goal_asked": 1.0, "goal_reached": 1.0})
    missed = row(case, FAIL, "goal missed", {"goal_asked": 1.0, "goal_reached": 0.0, "goal_miss": 2.0})
    caused = row(
        case, FAIL, "caused", {"goal_asked": 1.0, "goal_reached": 1.0, "contact": 1.0, "contact_caused": 1.0}
    )
    hit = row(case, PASS, "", {"goal_asked": 1.0, "goal_reached": 1.0, "contact": 1.0, "hit": 1.0})

    def verdict(*rows):
        return suite.summary(setting, rows)["verdict"]

    assert verdict(*[good] * 9, missed) == PASS
    assert verdict(*[good] * 8, missed, missed) == FAIL
    assert verdict(*[good] * 9, hit) == PASS
    assert verdict(*[good] * 9, caused) == FAIL
    assert verdict() == FAIL


def test_a_folder_without_recordings_is_refused_when_it_was_named(tmp_path):
    with pytest.raises(ScenarioError, match="no CommonRoad files; --cases names"):
        problem_files(Setting(vehicle=FLAGSHIP, config=CONFIG, cases_file=tmp_path))


@pytest.mark.parametrize(("gap", "caused"), [(42.0, False), (6.0, True)])
def test_who_is_hit_after_a_lawful_lane_change_has_not_caused_it(gap, caused):
    dimensions = load_vehicle("sedan_ice", CONFIG).facts.dimensions
    rear, speed, seconds = dimensions.rear_axle_to_front - dimensions.length, 30.0, gap / 10.0
    # UN R79 asks for 40.7 m at 20 and 30 m/s.
    follower = Other(station=lambda t: rear - gap - 2.25 + speed * t, speed=lambda t: speed)
    run = make_run(
        seconds,
        [follower],
        manoeuvres=((0.0, Manoeuvre.LANE_CHANGE_LEFT),),
        contact_identity=lambda t: 7.0 if t > seconds - 0.01 else 0.0,
    )
    (found,) = contacts(run)
    assert found.caused is caused
    assert "UN R79" in found.reason


def test_all_real_problems_have_a_family_and_the_goals_their_lanes():
    folder = real_data("commonroad")
    suite, setting = suite_and(folder)
    cases = suite.cases(setting)
    assert len(cases) == len(list(folder.glob("*.xml")))
    assert sum(case.family == GOAL for case in cases) >= 14
