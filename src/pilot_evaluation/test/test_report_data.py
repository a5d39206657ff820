"""What the page is given: true to the run, small, and safe to put into a page."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_drive import CHANGE_AT, ENGAGED_AT, START, make_road, make_run

from pilot_common.errors import BagError
from pilot_common.types import Plan
from pilot_evaluation.criteria import judge
from pilot_evaluation.report import ExtraCurve, ReportHeader, report_data, write_report
from pilot_evaluation.report.columns import pack, unpack
from pilot_evaluation.report.story import decisions
from pilot_evaluation.run import Run

HEADER = ReportHeader(
    title="A drive", scenario="synthetic", command="./pilot drive", version="0.1.0", road=make_road()
)


@pytest.fixture(scope="module")
def drive() -> Run:
    return make_run(32.0)


@pytest.fixture(scope="module")
def data(drive: Run) -> dict:
    return report_data(drive, road=HEADER.road)


def places(stretches: list[dict], index: int) -> dict[int, tuple[float, float]]:
    """Places of the objects in one picture, by identity."""
    found = {}
    for stretch in stretches:
        row = index - stretch["first"]
        if 0 <= row < stretch["count"]:
            x, y = unpack(stretch["x"]), unpack(stretch["y"])
            found[stretch["id"]] = (
                x[min(row, len(x) - 1)],
                y[min(row, len(y) - 1)],
            )  # one value: never changes
    return found


@given(
    st.lists(st.floats(-1e5, 1e5) | st.just(math.nan), max_size=30), st.sampled_from((0.001, 0.01, 0.1, 1))
)
def test_packing_keeps_every_value_to_half_a_resolution(values: list[float], resolution: float) -> None:
    again = unpack(json.loads(json.dumps(pack(values, resolution))))
    assert len(again) == len(values)
    for value, back in zip(values, again, strict=True):
        assert math.isnan(back) if math.isnan(value) else abs(value - back) <= 0.501 * resolution + 1e-9


def test_page_of_a_minute_stays_below_6_megabytes(tmp_path: Path) -> None:
    run = make_run(60.0)
    write_report(tmp_path / "out" / "report.html", run, judge(run, {}), HEADER)
    assert (tmp_path / "out" / "report.html").stat().st_size < 6_000_000


def test_page_refers_to_nothing_outside_itself(drive: Run, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", drive, judge(drive, {}), HEADER)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for outside in ("http://", "https://", " src=", "<link", "@import", "url("):
        assert outside not in text
    assert "{{" not in text


def test_true_cars_stand_where_the_truth_says(data: dict, drive: Run) -> None:
    index = 80
    truth = next(
        message for message in drive.messages("truth") if abs(message.stamp - START - 0.1 * index) < 0.01
    )
    shown = places(data["others"], index)
    for identity, position in zip(truth.identity.tolist(), truth.position, strict=True):
        if identity in shown:
            assert np.hypot(*(position - shown[identity])) < 0.02  # 1 cm resolution in both axes
    assert len(shown) >= 10


def test_tracks_in_base_link_land_on_the_cars_in_the_map(data: dict) -> None:
    for index in (20, 150, 230, 300):
        truth, tracks = places(data["others"], index), places(data["tracks"], index)
        errors = [math.dist(place, truth[identity]) for identity, place in tracks.items()]
        assert len(errors) >= 3
        assert np.median(errors) < 0.6  # the synthetic tracks err by 0.25 m along and 0.12 m across


def test_a_track_that_is_lost_and_found_makes_two_stretches(data: dict) -> None:
    stretches = [stretch for stretch in data["tracks"] if stretch["id"] == 10]
    assert len(stretches) >= 2
    for one, other in itertools.pairwise(stretches):
        assert other["first"] > one["first"] + one["count"]


def test_trajectory_begins_at_the_car(data: dict) -> None:
    trajectory, ego = data["trajectory"], data["ego"]
    index = 120
    first = sum(trajectory["count"][:index])
    place = unpack(trajectory["x"])[first], unpack(trajectory["y"])[first]
    assert math.dist(place, (unpack(ego["x"])[index], unpack(ego["y"])[index])) < 0.1


def test_lanes_seen_lie_on_the_true_road(data: dict) -> None:
    road = make_road()
    picture = data["lanes"][10]
    points = np.stack((unpack(picture["x"]), unpack(picture["y"])), axis=-1)
    _, offset, _ = road.line.to_road(points)
    assert np.abs(offset - 3.75).max() < 0.05


def test_decisions_are_merged_while_nothing_changes(data: dict, drive: Run) -> None:
    titles = [entry["title"] for entry in data["decisions"]]
    assert titles == ["Cruise", "Follow", "Lane change to the left", "Cruise"]
    assert data["decisions"][2]["t"] == pytest.approx(CHANGE_AT - 3.0, abs=0.06)
    assert len(drive.messages("plan")) == 640


def test_short_flicker_of_the_reason_is_counted_not_listed(drive: Run) -> None:
    plans: list[Plan] = drive.messages("plan")[200:260]
    ledger = replace(plans[30].ledger, binding=1, runner_up=0)
    plans = [*plans[:30], *(replace(plan, ledger=ledger) for plan in plans[30:33]), *plans[33:]]
    merged = decisions(plans)
    assert len(merged) == 1 and merged[0]["brief"] == 1
    assert merged[0]["end"] == plans[-1].stamp


def test_a_jerk_limit_is_not_the_reason_but_what_it_leads_to(drive: Run) -> None:
    plan: Plan = drive.messages("plan")[200]
    ledger = replace(
        plan.ledger,
        name=("jerk", *plan.ledger.name),
        bound=np.array((-9.0, *plan.ledger.bound)),
        identity=np.array((0, *plan.ledger.identity), np.uint32),
        argument=np.vstack((np.zeros(20), plan.ledger.argument)),
        sentence=("jerk limit", *plan.ledger.sentence),
        sentence_zh=("", *plan.ledger.sentence_zh),
    )
    told = decisions([replace(plan, ledger=ledger)])
    assert (told[0]["why"], told[0]["next"]) == plan.ledger.sentence
    assert told[0]["why_zh"] == plan.ledger.sentence_zh[0]


def test_mode_changes_and_interventions_are_told_once(data: dict) -> None:
    assert [(entry["title"].split(":")[0], entry["t"]) for entry in data["modes"]] == [
        ("Standby", 0.0),
        ("Active", pytest.approx(ENGAGED_AT, abs=0.05)),
    ]
    gate = [entry for entry in data["events"] if entry["kind"] == "gate"]
    assert len(gate) == 1 and gate[0]["end"] - gate[0]["t"] == pytest.approx(0.38, abs=0.05)
    sensors = [entry["title"] for entry in data["events"] if entry["kind"] == "sensor"]
    assert sensors == ["Sensor lost: rear_left_radar", "Sensor back: rear_left_radar"]


def test_an_extra_curve_joins_its_panel(drive: Run) -> None:
    time = START + np.arange(0.0, 5.0, 0.1)
    extra = ExtraCurve("steering", "recorded car", time, np.full(len(time), math.pi / 180.0))
    panels = report_data(drive, extra=[extra])["curves"]["panels"]
    curve = next(panel for panel in panels if panel["key"] == "steering")["curves"][-1]
    assert curve["label"] == "recorded car"
    assert unpack(curve["values"])[20] == pytest.approx(1.0)  # degrees


def test_words_from_a_bag_cannot_leave_the_data(drive: Run, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    run = Run(drive.vehicle, drive.graph)
    for topic in ("truth", "vehicle_state", "mode"):
        for time, message in zip(drive.log_time(topic).tolist(), drive.messages(topic), strict=True):
            run.add(topic, time, replace(message, reason=evil) if topic == "mode" else message)
    write_report(tmp_path / "report.html", run, judge(run, {}), replace(HEADER, title=evil))
    assert "<script>alert" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_run_without_any_place_is_refused_with_a_reason(drive: Run) -> None:
    with pytest.raises(BagError, match="nothing to report"):
        report_data(Run(drive.vehicle, drive.graph))
