"""CommonRoad files become scenarios, and broken ones say what is broken."""

from pathlib import Path

import commonroad_samples as sample
import numpy as np
import pytest

from pilot_common.errors import ScenarioError
from pilot_common.folders import config_folder
from pilot_common.types import MarkKind, ObjectClass
from pilot_evaluation.importers.commonroad import import_commonroad
from pilot_evaluation.importers.commonroad_file import read_commonroad
from pilot_evaluation.importers.commonroad_road import road_around
from pilot_evaluation.importers.commonroad_route import ego_chain
from pilot_simulation.recording import Recording, load_recording
from pilot_simulation.road import recorded_road
from pilot_simulation.scenario import Scenario, load_scenario


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "sample.xml"
    file.write_text(text, encoding="utf-8")
    return file


def imported(tmp_path: Path, text: str) -> tuple[Scenario, Recording]:
    import_commonroad(written(tmp_path, text), tmp_path / "scenario")
    scenario = load_scenario(tmp_path / "scenario", config_folder())
    assert scenario.recording_file is not None
    return scenario, load_recording(scenario.recording_file)


@pytest.mark.parametrize("version", ["2018b", "2020a"])
def test_both_versions_give_the_same_scenario(tmp_path: Path, version: str) -> None:
    scenario, recording = imported(tmp_path, sample.three_lanes(version))
    assert scenario.duration == pytest.approx(2.0)
    assert scenario.ego.pose == pytest.approx((20.0, 0.2, 0.0))
    assert scenario.ego.speed == 18.0
    assert recording.identity.tolist() == [11, 12]
    assert recording.class_id.tolist() == [ObjectClass.CAR] * 2
    assert len(recording.left) == 3


def test_cars_are_where_they_were_recorded_and_only_while_they_were(tmp_path: Path) -> None:
    _, recording = imported(tmp_path, sample.three_lanes())
    assert recording.time == pytest.approx(np.arange(21) * 0.1)
    assert recording.present[:, 0].all()
    assert np.flatnonzero(recording.present[:, 1]).tolist() == list(range(5, 16))
    assert recording.position[10, 0] == pytest.approx((50.0, -3.5))
    assert recording.position[15, 1] == pytest.approx((110.0, 0.0))
    assert recording.speed[recording.present] == pytest.approx(20.0)


def test_lanes_are_ordered_right_to_left_with_marks_between_them(tmp_path: Path) -> None:
    _, recording = imported(tmp_path, sample.three_lanes())
    road = recorded_road(recording, 0.0)
    place = road.project(20.0, 0.2, 150.0)
    lane, offset, width = road.lane_at(place.station, place.offset)
    assert (lane, offset, width) == pytest.approx((1, 0.2, 3.5), abs=0.02)
    assert recording.left_kind.tolist() == [MarkKind.DASHED, MarkKind.DASHED, MarkKind.SOLID]
    assert recording.right_kind.tolist() == [MarkKind.SOLID, MarkKind.DASHED, MarkKind.DASHED]


def test_the_road_goes_on_beyond_the_map(tmp_path: Path) -> None:
    _, recording = imported(tmp_path, sample.three_lanes())
    for left, right in zip(recording.left, recording.right, strict=True):
        assert right[0, 0] <= -100.0
        assert left[-1, 0] >= 450.0
        assert left[:, 1] - right[0, 1] == pytest.approx(3.5)


def test_what_stands_is_there_all_the_time(tmp_path: Path) -> None:
    text = sample.document(
        sample.straight(1, 0.0), sample.standing(7, 90.0, 0.0), sample.problem(20.0, 0.0, 15.0)
    )
    scenario, recording = imported(tmp_path, text)
    assert scenario.duration == pytest.approx(2.0), "without traffic the goal's time decides"
    assert recording.present.all()
    assert recording.class_id.tolist() == [ObjectClass.UNKNOWN]


def test_a_car_seen_only_once_is_no_error(tmp_path: Path) -> None:
    once = sample.car(13, 60.0, 0.0, 10.0, [0]).replace("<trajectory></trajectory>", "")
    text = sample.document(
        sample.straight(1, 0.0),
        once,
        sample.car(14, 90.0, 0.0, 10.0, range(11)),
        sample.problem(20.0, 0.0, 15.0),
    )
    _, recording = imported(tmp_path, text)
    assert np.count_nonzero(recording.present[:, 0]) == 1


def test_lanelets_are_joined_and_a_split_goes_towards_the_goal(tmp_path: Path) -> None:
    parts = [
        sample.lanelet(1, [(0.0, 0.0), (100.0, 0.0)], '<successor ref="2"/><successor ref="3"/>'),
        sample.lanelet(2, [(100.0, 0.0), (300.0, 0.0)], '<predecessor ref="1"/>'),
        sample.lanelet(3, [(100.0, 0.0), (200.0, -10.0), (300.0, -30.0)], '<predecessor ref="1"/>'),
    ]
    for goal, expected in ((2, [1, 2]), (3, [1, 3])):
        text = sample.document(*parts, sample.problem(20.0, 0.0, 15.0, f'<lanelet ref="{goal}"/>'))
        content = read_commonroad(written(tmp_path, text))
        assert [lanelet.identity for lanelet in ego_chain(content, content.problems[0])] == expected


def test_a_turn_at_a_crossing_is_not_taken(tmp_path: Path) -> None:
    text = sample.document(
        sample.lanelet(1, [(0.0, 0.0), (100.0, 0.0)], '<successor ref="2"/><successor ref="3"/>'),
        sample.lanelet(2, [(100.0, 0.0), (300.0, 0.0)]),
        sample.lanelet(3, [(100.0, 0.0), (105.0, -2.0), (107.0, -10.0)]),
        sample.problem(20.0, 0.0, 15.0, '<lanelet ref="3"/>'),
    )
    content = read_commonroad(written(tmp_path, text))
    assert [lanelet.identity for lanelet in ego_chain(content, content.problems[0])] == [1, 2]


def test_oncoming_lanes_are_no_lanes_of_the_road(tmp_path: Path) -> None:
    oncoming = sample.lanelet(2, [(200.0, 3.5), (0.0, 3.5)], across=(0.0, -1.0))
    text = sample.document(sample.straight(1, 0.0), oncoming, sample.problem(20.0, 0.0, 15.0))
    content = read_commonroad(written(tmp_path, text))
    assert len(road_around(content, content.problems[0]).left) == 1


GOOD = sample.three_lanes()
BROKEN = {
    "no complete XML": GOOD[: len(GOOD) // 2],
    "root element": sample.document(root="lanelet2"),
    "version 1999": GOOD.replace("2018b", "1999"),
    "timeStepSize": GOOD.replace('timeStepSize="0.1"', 'timeStepSize="0"'),
    "holds no lanelet": sample.document(sample.problem(0.0, 0.0, 1.0)),
    "planningProblem": sample.document(sample.straight(1, 0.0)),
    "must be a number": GOOD.replace("<exact>18.0</exact>", "<exact>fast</exact>"),
    "must be finite": GOOD.replace("<exact>18.0</exact>", "<exact>nan</exact>"),
    "the bounds have": GOOD.replace("<leftBound><point><x>0.0</x><y>-1.75</y></point>", "<leftBound>", 1),
    "has no velocity": GOOD.replace("<velocity><exact>18.0</exact></velocity>", ""),
    "length must be positive": GOOD.replace("<length>4.5</length>", "<length>-1</length>"),
    "must increase": GOOD.replace("<time><exact>6</exact></time>", "<time><exact>5</exact></time>"),
    "does not hold": GOOD.replace('<lanelet ref="2"/>', '<lanelet ref="77"/>'),
    "set of occupancies": GOOD.replace("<trajectory>", "<occupancySet></occupancySet><trajectory>", 1),
    "role must be": GOOD.replace("<role>dynamic</role>", "<role>ghost</role>", 1),
    "no lanelet runs": GOOD.replace("<x>20.0</x><y>0.2</y>", "<x>20.0</x><y>60.0</y>"),
    "are recorded, too few": sample.document(
        sample.straight(1, 0.0), sample.car(3, 40.0, 0.0, 5.0, [0, 1]), sample.problem(20.0, 0.0, 15.0)
    ),
}


@pytest.mark.parametrize("complaint", BROKEN)
def test_a_broken_file_is_refused_with_its_name_and_the_rule(tmp_path: Path, complaint: str) -> None:
    file = written(tmp_path, BROKEN[complaint])
    with pytest.raises(ScenarioError, match=complaint) as refused:
        import_commonroad(file, tmp_path / "scenario")
    assert "sample" in str(refused.value).lower()
    assert not (tmp_path / "scenario").exists(), "nothing half-made is left behind"


def test_a_missing_file_and_an_existing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        import_commonroad(tmp_path / "nowhere.xml", tmp_path / "scenario")
    with pytest.raises(ScenarioError, match="exists already"):
        import_commonroad(written(tmp_path, GOOD), tmp_path)
    with pytest.raises(ScenarioError, match="there are 9"):
        import_commonroad(written(tmp_path, GOOD), tmp_path / "scenario", problem=3)
