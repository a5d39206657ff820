"""The page in a real browser: it paints, plays, jumps and answers the keyboard, without an error and without a network."""

from pathlib import Path

import pytest
from browser import PROGRAM, WHY_NOT, Browser
from synthetic_drive import CHANGE_AT, make_road, make_run

from pilot_evaluation.criteria import judge
from pilot_evaluation.report import ReportHeader, write_report
from pilot_evaluation.run import Run

SECONDS = 30.0

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)


def use_page(file: Path, run: Run, width: int = 1400, **header) -> dict:
    """Writes the page of a run, opens it from the disk, uses it and returns what came of it."""
    base = {"title": "A drive", "scenario": "synthetic", "command": "./pilot drive", "version": "0.1.0"}
    write_report(file, run, judge(run, {}, SECONDS), ReportHeader(**base | header))
    checks = (Path(__file__).parent / "report_page_checks.js").read_text(encoding="utf-8")
    with Browser(file.parent / f"profile-{file.stem}", width) as browser:
        browser.open(file.as_uri())
        found = browser.evaluate(checks)
        return found | {"errors": browser.complaints, "requests": browser.requests}


@pytest.fixture(scope="module")
def drive() -> Run:
    return make_run(SECONDS)


@pytest.fixture(scope="module")
def found(drive: Run, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return use_page(
        tmp_path_factory.mktemp("page") / "report.html", drive, road=make_road(), seed=3, hash="ab12"
    )


def test_page_raises_no_error_and_asks_for_nothing_but_itself(found: dict) -> None:
    assert found["errors"] == []
    assert [address.rsplit("/", 1)[-1] for address in found["requests"]] == ["report.html"]


def test_scene_is_painted_from_above_and_from_behind(found: dict) -> None:
    assert found["scene_colours"] > 30
    assert found["behind"] and found["behind_colours"] > 30


def test_every_curve_is_painted(found: dict) -> None:
    assert len(found["curve_titles"]) == 8
    assert min(found["curve_colours"]) > 5


def test_slider_moves_the_time_and_the_picture(found: dict) -> None:
    assert found["slider_time"] == 12.0
    assert found["slider_clock"].startswith("12.0 s")
    assert found["slider_changes_picture"]
    assert "12.0 seconds" in found["slider_words"]


def test_speed_shown_is_the_speed_driven(found: dict, drive: Run) -> None:
    speeds = [
        message.speed for message in drive.messages("vehicle_state") if abs(message.stamp - 112.0) < 0.011
    ]
    assert abs(found["speed_shown"] / 3.6 - speeds[0]) < 0.2  # the display rounds to 1 km/h


def test_clicking_a_decision_jumps_to_it(found: dict) -> None:
    assert found["decision_time"] == pytest.approx(CHANGE_AT - 3.0, abs=0.06)  # plans come every 0.05 s
    assert found["decision_current"] == "true" and found["current_count"] == 1
    assert found["why"].startswith("Lane change to the left: ")


def test_story_tells_modes_interventions_and_lost_sensors(found: dict) -> None:
    for words in ("Active: the system drives", "Gate limits: jerk", "Sensor lost: rear_left_radar"):
        assert words in found["story"]


def test_keyboard_steps_and_plays(found: dict) -> None:
    assert found["keys_time"] == pytest.approx(10.0 + 0.1 + 5.0 - 0.1)
    assert found["space_plays"] and found["space_stops"]
    assert (
        0.0 < found["played"] < 1.5
    )  # 0.7 s pass between the two presses, in as few frames as the browser likes


def test_zoom_and_drag_move_the_view(found: dict) -> None:
    assert found["zoom_changes_picture"] and found["drag_changes_picture"]


def test_pressing_on_a_curve_goes_to_its_time(found: dict) -> None:
    assert found["curve_press_time"] == pytest.approx(0.5 * SECONDS, abs=0.3)  # a pixel is 0.1 s


def test_events_can_be_hidden(found: dict) -> None:
    assert found["events_hidden"]


def test_everything_that_can_be_used_has_a_name(found: dict) -> None:
    assert found["nameless"] == []


def test_criteria_table_is_the_verdict(found: dict, drive: Run) -> None:
    verdict = judge(drive, {}, SECONDS)
    expected = {
        criterion.name: "pass" if criterion.passed else "fail"
        for criterion in verdict.criteria
        if criterion.gates
    }
    assert dict(found["criteria"]) == expected


def test_page_of_a_real_drive_without_truth_on_a_narrow_screen(drive: Run, tmp_path: Path) -> None:
    real = Run(drive.vehicle, drive.graph)
    for topic in set(drive.topics) - {"truth"}:
        for time, message in zip(drive.log_time(topic).tolist(), drive.messages(topic), strict=True):
            real.add(topic, time, message)
    found = use_page(tmp_path / "real.html", real, width=500)
    assert found["errors"] == []
    assert found["scene_colours"] > 30
    assert found["wider_than_window"] <= 0


def test_page_of_a_run_that_holds_almost_nothing(drive: Run, tmp_path: Path) -> None:
    bare = Run(drive.vehicle, drive.graph)
    for message in drive.messages("truth")[:100]:
        bare.add("truth", round(message.stamp * 1e9), message)
    found = use_page(tmp_path / "bare.html", bare)
    assert found["errors"] == []
    assert found["story"] == []
