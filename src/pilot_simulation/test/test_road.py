"""The true road against hand geometry."""

import math

import numpy as np
import pytest

from conftest import road_plan
from pilot_simulation.recording import Recording
from pilot_simulation.road import recorded_road, synthetic_road
from pilot_simulation.scenario import Segment

WINDING = road_plan(
    Segment(length=300.0), Segment(length=120.0, end_radius=250.0), Segment(length=200.0, end_radius=250.0)
)


def test_a_quarter_circle_ends_where_geometry_says():
    radius = 400.0
    tiny = Segment(length=1.0, end_radius=radius)  # the shortest transition
    road = synthetic_road(road_plan(tiny, Segment(length=0.6 * math.pi * radius, end_radius=radius)), 700.0)
    station = 0.5 + 0.5 * math.pi * radius  # the transition turns by half of its length
    point, heading, curvature = road.line.at(np.array([station]))
    assert heading[0] == pytest.approx(0.5 * math.pi, abs=1e-4)
    assert curvature[0] == pytest.approx(1.0 / radius)
    assert point[0] == pytest.approx((radius + 0.5, radius), abs=0.02)


def test_curvature_of_a_clothoid_is_linear_and_heading_its_integral():
    road = synthetic_road(WINDING, 900.0)
    station, curvature = road.line.station, road.line.curvature
    clothoid = (station >= 300.0) & (station <= 420.0)
    assert curvature[clothoid] == pytest.approx((station[clothoid] - 300.0) / 120.0 / 250.0)
    integral = np.concatenate(((0.0,), np.cumsum(0.5 * (curvature[1:] + curvature[:-1]) * np.diff(station))))
    # trapezoids are exact but where a piece of linear curvature ends between two points
    assert road.line.heading == pytest.approx(integral, abs=2e-3)


def test_segments_repeat_until_the_road_is_long_enough():
    road = synthetic_road(WINDING, 5000.0)
    assert road.length >= 5000.0
    assert road.lanes == 3


def test_projection_is_the_inverse_of_placing():
    road = synthetic_road(WINDING, 3000.0)
    generator = np.random.default_rng(1)
    station = generator.uniform(5.0, road.length - 5.0, 300)
    offset = generator.uniform(-10.0, 20.0, 300)
    for s, o, (x, y) in zip(station, offset, road.line.to_cartesian(station, offset), strict=True):
        place = road.project(float(x), float(y), float(s + generator.uniform(-40.0, 40.0)))
        assert (place.station, place.offset) == pytest.approx(
            (s, o), abs=5e-3
        )  # 20 m inside a curve of 250 m


def test_projection_finds_the_nearest_point_without_a_hint_and_goes_on_straight_beyond_the_ends():
    road = synthetic_road(road_plan(), 500.0)
    assert road.nearest_station(123.0, 8.0) == pytest.approx(123.0, abs=2.0)
    before, after = road.project(-30.0, 2.0, 0.0), road.project(road.length + 50.0, -1.0, road.length)
    assert (before.station, before.offset) == pytest.approx((-30.0, 2.0))
    assert (after.station, after.offset) == pytest.approx((road.length + 50.0, -1.0))


def test_lanes_are_counted_from_the_right_and_the_nearest_middle_decides(straight):
    assert straight.lane_at(100.0, 0.0) == (0, 0.0, 3.75)
    assert straight.lane_at(100.0, 3.75 + 0.4)[:2] == pytest.approx((1, 0.4))
    assert straight.lane_at(100.0, 5.7)[0] == 2
    assert straight.boundary[:, 0] == pytest.approx((-1.875, 1.875, 5.625, 9.375))


def recorded(left: list[np.ndarray], right: list[np.ndarray]) -> Recording:
    lanes = len(left)
    return Recording(
        left=tuple(left),
        right=tuple(right),
        left_kind=np.array([1] * (lanes - 1) + [2], np.uint8),
        right_kind=np.array([2] + [1] * (lanes - 1), np.uint8),
        time=np.array([0.0]),
        identity=np.empty(0, np.uint32),
        class_id=np.empty(0, np.uint8),
        extent=np.empty((0, 3)),
        position=np.empty((1, 0, 2)),
        heading=np.empty((1, 0)),
        speed=np.empty((1, 0)),
        present=np.empty((1, 0), bool),
    )


def arc(radius: float, start: float, end: float, count: int) -> np.ndarray:
    angle = np.linspace(start, end, count)
    return np.stack((radius * np.sin(angle), 300.0 - radius * np.cos(angle)), axis=-1)


def test_a_recorded_arc_keeps_its_lanes_and_its_radius():
    right = [arc(300.0 - 3.5 * lane, 0.0, 1.0, 30 + 11 * lane) for lane in range(3)]
    left = [arc(300.0 - 3.5 * (lane + 1), 0.0, 1.0, 37 + 5 * lane) for lane in range(3)]
    road = recorded_road(recorded(left, right), 0.0)
    inner = slice(20, -20)  # the smoothing straightens the ends
    assert road.width[:, inner] == pytest.approx(3.5, abs=0.05)
    assert road.line.curvature[inner] == pytest.approx(1.0 / 298.25, rel=0.03)
    assert road.exists.all()
    assert list(road.boundary_kind) == [2, 1, 1, 2]


def test_a_lane_that_ends_is_not_there_afterwards_and_its_outer_line_goes_over():
    x = np.linspace(0.0, 400.0, 81)
    line = [np.stack((x, np.full_like(x, 3.5 * number)), axis=-1) for number in range(4)]
    short = [bound[:41] for bound in line]
    road = recorded_road(recorded([short[1], line[2], line[3]], [short[0], line[1], line[2]]), 0.0)
    early, late = road.project(100.0, 1.75, 100.0), road.project(300.0, 5.25, 300.0)
    assert road.lane_at(early.station, early.offset)[0] == 0
    assert road.lane_at(late.station, late.offset)[0] == 1
    assert road.lane_at(late.station, late.offset - 3.5)[0] == 1  # nothing is left to its right
    column = road.index(late.station)
    assert not road.exists[0, column] and not road.boundary_exists[0, column]
    assert road.boundary_exists[1, column]
