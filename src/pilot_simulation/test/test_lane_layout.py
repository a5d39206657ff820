"""Lanes that begin, end and leave; what the navigation tells of them."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import road_plan
from pilot_common.types import MarkKind
from pilot_simulation.navigation import Navigation
from pilot_simulation.road import TrueRoad, synthetic_road
from pilot_simulation.scenario import LaneSpan, RoutePlan, RouteStretch, Segment, SpeedLimit, WidthChange

ON_RAMP = LaneSpan(lane=0, start=400.0, end=800.0, taper=60.0, entry_radius=500.0)
EXIT = LaneSpan(lane=0, start=1500.0, end=1900.0, taper=80.0, exit_radius=400.0)
DROP = LaneSpan(lane=3, end=1200.0, taper=100.0)


def road_of(*spans: LaneSpan, lanes: int = 4, **changes) -> TrueRoad:
    plan = replace(
        road_plan(Segment(length=500.0), Segment(length=200.0, end_radius=1500.0), lanes=lanes), **changes
    )
    return synthetic_road(replace(plan, lane_spans=spans), 3000.0)


def at(road: TrueRoad, station: float, offset: float):
    x, y = road.line.to_cartesian(np.array([station]), np.array([offset]))[0].tolist()
    return road.project(x, y, station)


def test_lanes_lie_beside_one_another_wherever_they_are():
    road = road_of(ON_RAMP, EXIT, DROP)
    assert road.on_ramp is not None
    for column in range(0, len(road.line.station), 7):
        lanes = np.flatnonzero(road.exists[:, column] & ~road.on_ramp[:, column])
        right = road.centre[lanes, column] - 0.5 * road.width[lanes, column]
        left = road.centre[lanes, column] + 0.5 * road.width[lanes, column]
        assert right[1:] == pytest.approx(left[:-1])


def test_lanes_that_stay_do_not_move_while_others_come_and_go():
    road = road_of(ON_RAMP, EXIT, DROP)
    assert np.ptp(road.centre[1]) == 0.0 and np.ptp(road.centre[2]) == 0.0
    assert road.exists[1:3].all()


def test_a_lane_that_ends_narrows_over_its_taper_until_it_is_gone():
    road = road_of(DROP)
    width = [float(road.width[3, road.index(station)]) for station in (1000.0, 1150.0, 1190.0)]
    assert width == pytest.approx([3.75, 0.5 * 3.75, 0.1 * 3.75])
    assert not road.exists[3, road.index(1202.0) :].any()
    assert road.lane_at(1300.0, 11.25)[0] == 2


def test_wherever_a_lane_is_both_of_its_edges_are_marked():
    road = road_of(ON_RAMP, EXIT, DROP)
    for column in range(0, len(road.line.station), 5):
        lines = road.boundary[road.boundary_exists[:, column], column]
        for lane in np.flatnonzero(road.exists[:, column]):
            for side in (-0.5, 0.5):
                edge = road.centre[lane, column] + side * road.width[lane, column]
                assert np.abs(lines - edge).min() < 0.11, (column, lane, side)


def test_an_edge_line_goes_on_in_one_piece_and_without_a_jump():
    road = road_of(ON_RAMP, EXIT, DROP)
    for offset, there in zip(road.boundary, road.boundary_exists, strict=True):
        columns = np.flatnonzero(there)
        pieces = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
        for piece in pieces:
            assert np.abs(np.diff(offset[piece])).max(initial=0.0) < 2.0


def test_the_outermost_line_is_an_edge_and_lines_between_lanes_are_not():
    road = road_of(DROP)
    for station in (100.0, 1150.0, 1500.0):
        column = road.index(station)
        there = np.flatnonzero(road.boundary_exists[:, column])
        order = there[np.argsort(road.boundary[there, column])]
        kinds = road.boundary_kind[order].tolist()
        assert kinds == [MarkKind.SOLID, *[MarkKind.DASHED] * (len(kinds) - 2), MarkKind.SOLID]


def test_a_ramp_leaves_with_its_radius():
    road = road_of(EXIT, segments=(Segment(length=1000.0),))
    rows = np.flatnonzero(road.on_ramp[0])
    bend = np.diff(road.centre[0, rows], 2) / 2.0**2
    assert bend[-20:] == pytest.approx(-1.0 / 400.0, rel=0.01)
    assert road.centre[0, rows[0]] == pytest.approx(0.0, abs=0.01)


def test_narrower_lanes_keep_their_right_edge():
    road = road_of(lanes=3, widths=(WidthChange(start=500.0, width=3.0, taper=50.0),))
    column = road.index(600.0)
    assert road.width[:, column] == pytest.approx(3.0)
    assert road.boundary[0, column] == pytest.approx(-1.875)
    assert road.boundary[3, column] == pytest.approx(-1.875 + 9.0)


def test_without_a_route_every_lane_is_good_up_to_where_it_ends():
    road = road_of(DROP, shoulder_width=2.5)
    route = Navigation(road, None).route(1.0, at(road, 100.0, 3.75))
    assert route.lane_distance == pytest.approx([2000.0, 2000.0, 2000.0, 1000.0])
    assert route.lane_ends.tolist() == [False, False, False, True]
    assert route.shoulder_width == 2.5
    assert Navigation(road, None).route(1.0, at(road, 1300.0, 3.75)).lane_distance == pytest.approx(
        [2000.0] * 3
    )


def test_in_its_taper_a_lane_is_at_its_end():
    road = road_of(DROP)
    route = Navigation(road, None).route(1.0, at(road, 1150.0, 10.0))
    assert (route.lane_distance[3], route.lane_ends[3]) == (0.0, True)


def test_an_exit_is_on_the_route_only_where_the_route_says_so():
    road = road_of(EXIT)
    stretches = (RouteStretch(start=1900.0, lanes=(0,), guidance="take the exit"),)
    leave, stay = Navigation(road, RoutePlan(stretches=stretches)), Navigation(road, None)
    place = at(road, 1700.0, 3.75)
    assert leave.route(1.0, place).lane_distance == pytest.approx([2000.0, 200.0, 200.0, 200.0])
    assert stay.route(1.0, place).lane_distance == pytest.approx([200.0, 2000.0, 2000.0, 2000.0])
    assert not leave.route(1.0, place).lane_ends.any() and not stay.route(1.0, place).lane_ends.any()
    assert leave.route(1.0, place).guidance == "take the exit in 200 m"
    on_ramp = leave.route(1.0, at(road, 2000.0, float(road.lane_centre(0, 2000.0))))
    assert on_ramp.lane_distance == pytest.approx([2000.0])


def test_lanes_closed_by_the_route_are_ends():
    plan = RoutePlan(
        stretches=(
            RouteStretch(start=500.0, lanes=(0, 1), closed=True),
            RouteStretch(start=900.0, lanes=(0, 1, 2)),
        )
    )
    road = road_of(lanes=3)
    route = Navigation(road, plan).route(1.0, at(road, 100.0, 3.75))
    assert route.lane_distance == pytest.approx([2000.0, 2000.0, 400.0])
    assert route.lane_ends.tolist() == [False, False, True]
    assert Navigation(road, plan).route(1.0, at(road, 950.0, 3.75)).lane_distance == pytest.approx(
        [2000.0] * 3
    )


def test_speed_limits_are_told_from_where_they_hold():
    road = road_of(
        lanes=3, speed_limits=(SpeedLimit(start=400.0, speed=22.0), SpeedLimit(start=9000.0, speed=10.0))
    )
    route = Navigation(road, None).route(1.0, at(road, 100.0, 3.75))
    assert route.limit_distance == pytest.approx([0.0, 300.0])
    assert route.limit_speed == pytest.approx([33.0, 22.0])
    assert Navigation(road, None).route(1.0, at(road, 500.0, 3.75)).limit_speed == pytest.approx([22.0])


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ((LaneSpan(lane=1, end=500.0),), "next to one another"),
        (tuple(LaneSpan(lane=lane, end=500.0) for lane in range(3)), "next to one another"),
        ((LaneSpan(lane=3, end=500.0),), "uses lane 3, but the road has 3"),
    ],
)
def test_a_lane_in_the_middle_cannot_end_alone(spans, words):
    with pytest.raises(ValueError, match=words):
        replace(road_plan(), lane_spans=spans)


def test_the_middle_of_a_lane_that_leaves_is_smooth():
    road = road_of(EXIT, segments=(Segment(length=1000.0),))
    station = np.arange(1950.0, 2100.0, 0.1)
    middle = np.array([road.lane_centre(0, one) for one in station])
    assert (
        np.abs(np.diff(middle)).max() < 0.1 * 0.65
    )  # its slope; with steps it would be twenty times as much
    assert [road.lane_at(s, m)[1] for s, m in zip(station, middle, strict=True)] == pytest.approx(
        [0.0] * len(station), abs=1e-9
    )
