"""A foreign car's bag becomes our sources, is replayed in its shadow and laid beside what it did."""

import re
from pathlib import Path

import comma_sample as sample
import numpy as np
import pytest
from real_data import real_data

from pilot_common.errors import BagError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.types import DriveMode, LaneMarks, Mode, RadarReturns, VehicleState
from pilot_common.vehicle import SensorKind, load_vehicle
from pilot_evaluation.bag import BagReader
from pilot_evaluation.importers.comma import CommaCar, polar, read_car
from pilot_evaluation.importers.foreign import adapter_for
from pilot_evaluation.importers.lane_from_path import LANE_WIDTH, lane_marks, smoothed
from pilot_evaluation.replay import ReplayResult, replay
from pilot_evaluation.shadow import Shadow, ShadowLog, lay_beside
from pilot_evaluation.shadow_page import write_shadow_page

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)
SEDAN = load_vehicle("sedan_ice", CONFIG)


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.write_comma_bag(tmp_path_factory.mktemp("comma") / "bag")


@pytest.fixture(scope="module")
def replayed(bag: Path) -> tuple[ReplayResult, ShadowLog, Shadow]:
    log = ShadowLog()
    result = replay(bag, SEDAN, CONFIG, listener=log)
    return result, log, lay_beside(bag, log, SEDAN, CONFIG)


def test_a_bag_is_known_by_its_topics_and_types(bag: Path) -> None:
    with BagReader(bag, GRAPH) as reader:
        assert isinstance(adapter_for(reader.types), CommaCar)
        others = {topic: name for topic, name in reader.types.items() if "radar" not in topic}
    assert adapter_for(others) is None
    assert adapter_for({**others, "sensing/radar/front/tracks": "std_msgs/msg/String"}) is None


def test_sources_say_what_the_car_measured(bag: Path) -> None:
    with BagReader(bag, GRAPH) as reader:
        found = CommaCar().sources(reader, SEDAN)
    stamps = [message.stamp for _, message in found]  # type: ignore[attr-defined]
    assert stamps == sorted(stamps)
    states = [m for _, m in found if isinstance(m, VehicleState)]
    assert np.diff([state.stamp for state in states]) == pytest.approx(0.02, abs=1e-6)
    assert {state.speed for state in states} == {sample.SPEED_VALUE}
    assert {state.acceleration for state in states} == {0.0}
    assert {state.driver.set_speed for state in states} == {sample.SPEED_VALUE}
    radar = next(m for _, m in found if isinstance(m, RadarReturns))
    assert radar.range[0] == pytest.approx(40.0)
    assert radar.range_rate[0] == pytest.approx(sample.LEAD_SPEED - sample.SPEED_VALUE)
    assert SEDAN.sensors[int(radar.sensor[0])].kind is SensorKind.RADAR
    modes = [m for _, m in found if isinstance(m, Mode)]
    first_active = next(m.stamp for m in modes if m.mode is DriveMode.ACTIVE)
    assert first_active - sample.START * 1e-9 == pytest.approx(sample.ENGAGED, abs=0.1)


def test_polar_returns_against_points_worked_out_by_hand() -> None:
    tracks = [sample.track(30.0, 40.0, -10.0), sample.track(20.0, 0.0, 3.0), sample.track(0.0, -5.0, 1.0)]
    expected = [(50.0, np.arctan2(4.0, 3.0), -6.0), (20.0, 0.0, 3.0), (5.0, -np.pi / 2, 0.0)]
    assert polar(tracks) == pytest.approx(np.array(expected))
    assert polar([]).shape == (0, 3)


def test_the_lane_lies_along_the_driven_path() -> None:
    """On a circle the marks curve as it does; what a driver weaves within 20 m is smoothed away."""
    radius, speed = 800.0, 20.0
    angle = np.arange(0.0, 20.0, 0.05) * speed / radius
    weave = 0.2 * np.sin(2.0 * np.pi * angle * radius / 20.0)
    path = np.stack(((radius - weave) * np.sin(angle), radius - (radius - weave) * np.cos(angle)), axis=-1)
    time = (np.arange(len(path)) * 50_000_000).astype(np.int64)
    marks = list(lane_marks(time, path, camera=0, ahead=0.0))
    middle: LaneMarks = marks[len(marks) // 2]
    left, right = middle.coefficients
    assert left[0] - right[0] == pytest.approx(LANE_WIDTH)
    assert 2.0 * left[2] == pytest.approx(1.0 / radius, rel=0.05)
    assert abs(left[0] + right[0]) / 2.0 < 0.3, "the car is in its lane"
    assert list(lane_marks(time, np.zeros_like(path), camera=0, ahead=0.0)) == []


def test_smoothing_leaves_a_straight_line_as_it_is() -> None:
    line = np.stack((np.arange(200.0), 0.1 * np.arange(200.0)), axis=-1)
    assert smoothed(line) == pytest.approx(line, abs=1e-6)


def test_the_shadow_sees_the_slower_car_and_wants_to_slow_down(
    replayed: tuple[ReplayResult, ShadowLog, Shadow],
) -> None:
    result, _, shadow = replayed
    assert result.foreign
    assert not result.differences, "a foreign bag holds nothing of ours to compare with"
    late = shadow.time > 4.0
    assert shadow.lead_gap[late] == pytest.approx(shadow.radar_gap[late], abs=1.5)
    assert shadow.lead_speed[late] == pytest.approx(sample.LEAD_SPEED, abs=0.7)
    assert np.nanmean(shadow.planned_acceleration[late]) < 0.0
    assert np.abs(shadow.our_curvature[late]).max() < 1e-3, "straight on"
    assert shadow.true_speed[late] == pytest.approx(sample.SPEED_VALUE)
    assert shadow.commanded_acceleration[late] == pytest.approx(-0.3)
    assert {"acceleration, planned and commanded", "curvature, planned and true"} <= set(shadow.likeness())


def test_the_page_needs_nothing_else_and_says_what_was_given(
    bag: Path, replayed: tuple[ReplayResult, ShadowLog, Shadow], tmp_path: Path
) -> None:
    result, log, _ = replayed
    numbers = write_shadow_page(tmp_path / "shadow.html", log, result, bag, SEDAN, CONFIG)
    page = (tmp_path / "shadow.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=|https?://|@import|url\(", page)
    assert "lane is laid along the path" in page
    assert result.hash in page
    assert page.count("<svg") == 5
    assert "NaN" not in page and "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", page)
    assert numbers["speed, wheels and true"]["root_mean_square"] == pytest.approx(0.0, abs=1e-6)


def test_the_hash_of_a_foreign_bag_does_not_depend_on_the_order_of_arrival(
    bag: Path, replayed: tuple[ReplayResult, ShadowLog, Shadow]
) -> None:
    assert replay(bag, SEDAN, CONFIG, shuffle_seed=3).hash == replayed[0].hash


def test_a_bag_with_too_little_in_it_is_refused(tmp_path: Path) -> None:
    short = sample.write_comma_bag(tmp_path / "short", seconds=0.5)
    with BagReader(short, GRAPH) as reader:
        assert read_car(reader).engaged is None
    with pytest.raises(BagError, match=r"only 0\.5 s"):
        replay(short, SEDAN, CONFIG)


def test_a_real_cars_drive_is_followed_in_its_shadow() -> None:
    """30 s of motorway: we see the car ahead that its radar sees, bend as the road does, and never want anything violent."""
    real = real_data("bags", "comma2k19_ex1_first30s")
    log = ShadowLog()
    result = replay(real, SEDAN, CONFIG, listener=log)
    shadow = lay_beside(real, log, SEDAN, CONFIG)
    likeness = shadow.likeness()
    assert result.seconds > 29.0
    assert likeness["acceleration, planned and true"].root_mean_square < 0.6
    # The road is nearly straight (0.3 /km), so the difference tells and a correlation would not; 0.5 /km is 0.4 m/s² here.
    assert likeness["curvature, planned and true"].root_mean_square < 0.5e-3
    assert np.nanmedian(np.abs(shadow.lead_gap - shadow.radar_gap)) < 1.0
    assert np.nanmin(shadow.our_acceleration) > -2.5
