"""Frames cancel, roads project back, boxes touch when they should."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_common.geometry import (
    advance,
    box_corners,
    boxes_overlap,
    compose,
    inverse,
    transform_points,
    wrap,
)
from pilot_common.road import ReferenceLine

coordinate = st.floats(-1e3, 1e3)
pose = st.tuples(coordinate, coordinate, st.floats(-3.1, 3.1))


@given(pose, pose)
def test_a_pose_and_its_inverse_cancel(one, other):
    there_and_back = compose(compose(one, other), inverse(other))
    assert there_and_back[:2] == pytest.approx(one[:2], abs=1e-9)
    assert wrap(there_and_back[2] - one[2]) == pytest.approx(0.0, abs=1e-12)


@given(pose, coordinate, coordinate)
def test_points_transform_as_poses_do(a_from_b, x, y):
    moved = transform_points(a_from_b, np.array([[x, y]]))
    assert moved[0] == pytest.approx(compose(a_from_b, (x, y, 0.0))[:2], abs=1e-9)


@given(st.floats(-50, 50))
def test_wrapped_angles_are_equal_and_in_range(angle):
    wrapped = wrap(angle)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)


def test_driving_a_full_circle_returns_to_the_start():
    here = (1.0, 2.0, 0.5)
    for _ in range(100):
        here = advance(here, 10.0, 2.0 * math.pi / 10.0, 0.1)
    assert here == pytest.approx((1.0, 2.0, 0.5), abs=1e-9)


@settings(deadline=None)  # the first example may have to compile
@given(st.floats(-0.003, 0.003), st.floats(20, 380), st.floats(-12, 12))
def test_road_coordinates_come_back(curvature, station, offset):
    arc = np.arange(0.0, 401.0, 5.0)
    angle = curvature * arc
    points = np.stack(
        (arc * np.sinc(angle / np.pi), arc * np.sinc(angle / 2 / np.pi) * np.sin(angle / 2)), axis=-1
    )
    line = ReferenceLine.from_points(points)
    back_station, back_offset, _ = line.to_road(line.to_cartesian(np.array([station]), np.array([offset])))
    assert back_offset[0] == pytest.approx(
        offset, abs=0.02
    )  # chord error of 5 m points at radius 333 m: 9 mm
    assert back_station[0] == pytest.approx(station, abs=0.1)


def test_a_line_goes_on_straight_beyond_its_ends():
    line = ReferenceLine.from_points(np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]))
    station, offset, heading = line.to_road(np.array([[-5.0, 1.0], [30.0, -2.0]]))
    assert station == pytest.approx([-5.0, 30.0])
    assert offset == pytest.approx([1.0, -2.0])
    assert heading == pytest.approx([0.0, 0.0])
    assert line.to_cartesian(np.array([30.0]), np.array([1.0]))[0] == pytest.approx([30.0, 1.0])


@pytest.mark.parametrize(
    ("x", "y", "heading", "touching"), [(4.9, 0, 0, True), (5.1, 0, 0, False), (0, 2.1, 0, False)]
)
def test_boxes_touch_exactly_when_they_overlap(x, y, heading, touching):
    one = box_corners(np.zeros((1, 2)), np.zeros(1), np.array([5.0]), np.array([2.0]))[0]
    other = box_corners(np.array([[x, y]]), np.array([heading]), np.array([5.0]), np.array([2.0]))
    assert boxes_overlap(one, other)[0] == touching


def test_a_turned_box_passes_a_corner_that_its_outline_would_not():
    one = box_corners(np.zeros((1, 2)), np.zeros(1), np.array([2.0]), np.array([2.0]))[0]
    turned = box_corners(np.array([[2.0, 2.0]]), np.array([math.pi / 4]), np.array([2.0]), np.array([2.0]))
    assert not boxes_overlap(one, turned)[0]
