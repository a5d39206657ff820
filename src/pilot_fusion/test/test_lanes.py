"""The lane model against exact roads."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from fusion_world import lane_marks, parameters, vehicle_state

from pilot_common.geometry import Pose, advance, compose, inverse, transform_points, wrap_angle
from pilot_common.types import LaneMarks, Lanes, MarkKind
from pilot_fusion.ego_motion import EgoMotionFilter
from pilot_fusion.lanes import LaneModel

DASHED, SOLID, EDGE = MarkKind.DASHED, MarkKind.SOLID, MarkKind.ROAD_EDGE
SIGMA = (0.03, 0.002, 1e-4, 1.5e-6)  # what a mark of a camera is good for


class Road:
    """Clothoid through the origin: curvature `start` + `rate` s; lines at fixed offsets left of it."""

    def __init__(
        self, start: float = 0.0, rate: float = 0.0, lines: tuple[float, ...] = (-5.4, -1.8, 1.8, 5.4)
    ) -> None:
        self.start, self.rate, self.lines = start, rate, lines
        self.kinds = [SOLID, *[DASHED] * (len(lines) - 2), SOLID]
        self.station = np.arange(-100.0, 1500.0, 0.5)
        heading = start * self.station + 0.5 * rate * self.station**2
        middle = 0.5 * (heading[1:] + heading[:-1])
        point = np.zeros((len(self.station), 2))
        point[1:, 0] = np.cumsum(0.5 * np.cos(middle))
        point[1:, 1] = np.cumsum(0.5 * np.sin(middle))
        self.point, self.heading = point - point[200], heading

    def bend(self, start: float, rate: float, end: float) -> "Road":
        """The same road, straight up to `start` and bent evenly more from there to `end`, as it is then."""
        curvature = rate * np.clip(self.station - start, 0.0, end - start)
        self.heading = np.cumsum(0.5 * curvature)
        point = np.cumsum(0.5 * np.stack((np.cos(self.heading), np.sin(self.heading)), axis=-1), axis=0)
        self.point = point - point[200]
        return self

    def at(self, station: np.ndarray, offset: float) -> np.ndarray:
        x = np.interp(station, self.station, self.point[:, 0])
        y = np.interp(station, self.station, self.point[:, 1])
        heading = np.interp(station, self.station, self.heading)
        return np.stack((x - offset * np.sin(heading), y + offset * np.cos(heading)), axis=-1)

    def marks(
        self,
        t: float,
        pose: Pose,
        station: float,
        random: np.random.Generator | None,
        hide: tuple[int, ...] = (),
    ) -> LaneMarks:
        """Cubics of all lines in the car's frame between 5 and 70 m, as a camera fits them, with independent errors."""
        away = np.geomspace(5.0, 70.0, 30)
        coefficients, kinds = [], []
        for index, offset in enumerate(self.lines):
            seen = transform_points(inverse(pose), self.at(station + away, offset))
            if index in hide or abs(np.interp(8.0, *seen.T)) > 8.0:
                continue
            error = np.hypot(1.0, away / 30.0 * np.hypot(1.0, seen[:, 1] / 1.3))  # from 1.3 m above the road
            fit = np.polynomial.polynomial.polyfit(seen[:, 0], seen[:, 1], 3, w=1.0 / error)
            coefficients.append(fit if random is None else fit + SIGMA * random.standard_normal(4))
            kinds.append(self.kinds[index])
        return lane_marks(t, coefficients, kinds, SIGMA)


class Drive:
    """A car along a road at `offset(station)` from its line, seen by the lane model 20 times a second."""

    def __init__(
        self,
        road: Road,
        offset: Callable[[float], float] = lambda s: 0.0,
        speed: float = 30.0,
        noise: bool = True,
    ) -> None:
        self.road, self.offset, self.speed = road, offset, speed
        self.random = np.random.default_rng(0) if noise else None
        self.model = LaneModel(parameters().lane)
        self.ego = EgoMotionFilter(parameters().ego)
        self.station, self.time = 0.0, 0.0
        self.pose: Pose = self._true_pose()
        self.origin = self.pose

    def _true_pose(self) -> Pose:
        here, ahead = (
            self.road.at(np.array((s,)), self.offset(s))[0] for s in (self.station, self.station + 0.2)
        )
        return float(here[0]), float(here[1]), math.atan2(ahead[1] - here[1], ahead[0] - here[0])

    def step(self, see: bool = True, hide: tuple[int, ...] = (), askew: float = 0.0) -> Lanes:
        """50 ms; the car points `askew` into the bend against the way it goes."""
        states = []
        for _ in range(5):
            before = self.pose
            self.station += 0.01 * self.speed
            self.time += 0.01
            self.pose = self._true_pose()
            x, y, turn = compose(inverse(before), self.pose)
            states.append(vehicle_state(round(self.time, 6), math.hypot(x, y) / 0.01, turn / 0.01))
        self.pose = (self.pose[0], self.pose[1], self.pose[2] + askew)
        self.ego.update(states)
        frames = (
            [self.road.marks(round(self.time, 6), self.pose, self.station, self.random, hide)] if see else []
        )
        self.model.update(frames, self.ego)
        return self.model.lanes()

    def error(self, lanes: Lanes, ahead: float) -> float:
        """Lateral distance between the ego lane's line and the true middle of the lane the car is in, `ahead` metres on."""
        lines = np.array(self.road.lines)
        lane = int(np.clip(np.searchsorted(lines, self.offset(self.station)) - 1, 0, len(lines) - 2))
        centre = 0.5 * (lines[lane] + lines[lane + 1])
        truth = transform_points(inverse(self.pose), self.road.at(np.array((self.station + ahead,)), centre))[
            0
        ]
        distance = np.hypot(*(lanes.point - truth).T)
        nearest = int(distance.argmin())
        heading = lanes.heading[nearest]
        across = truth - lanes.point[nearest]
        return float(across[1] * math.cos(heading) - across[0] * math.sin(heading))


def test_before_the_first_mark_there_are_no_lanes() -> None:
    lanes = LaneModel(parameters().lane).lanes()
    assert not lanes.valid
    assert "no lane mark" in lanes.reason
    assert len(lanes.point) == 0


@pytest.mark.parametrize(
    ("start", "rate"), [(0.0, 0.0), (1.0 / 600.0, 0.0), (-1.0 / 800.0, 4e-6), (0.0, 8e-6)]
)
def test_the_lane_centre_is_exact_to_centimetres_here_and_decimetres_at_50_m(
    start: float, rate: float
) -> None:
    drive = Drive(Road(start, rate), lambda s: 0.3 * math.sin(s / 60.0))
    here, far = [], []
    for step in range(160):
        lanes = drive.step()
        if step > 20:
            assert lanes.valid
            here.append(drive.error(lanes, 0.0))
            far.append(drive.error(lanes, 50.0))
    assert np.percentile(np.abs(here), 95) < 0.06
    assert np.percentile(np.abs(far), 95) < 0.35


def test_a_bend_is_told_where_it_is_also_when_it_begins_and_ends_in_sight() -> None:
    # A straight, 60 m of clothoid, then R 250: one cubic over the view is off by 8 mrad and 0.0009/m at the car.
    road = Road().bend(200.0, 1.0 / 250.0 / 60.0, 260.0)
    drive = Drive(road, speed=22.0, noise=False)
    here = drive.model._station.tolist().index(0.0)
    offsets, headings, bends = [], [], []
    for step in range(320):
        lanes = drive.step()
        if step > 20:
            truth = np.interp(drive.station + lanes.station[here : here + 2], road.station, road.heading)
            offsets.append(drive.error(lanes, 0.0))
            headings.append(wrap_angle(lanes.heading[here] + drive.pose[2] - truth[0]))
            bends.append(lanes.curvature[here] - (truth[1] - truth[0]) / 5.0)
    assert np.abs(offsets).max() < 0.03
    assert np.abs(headings).max() < 0.002
    assert np.abs(bends).max() < 0.0003


def test_how_far_the_car_slips_outwards_is_learned_in_a_bend() -> None:
    slip = 0.005  # rad per m/s², what a road half as grippy adds
    drive = Drive(Road(1.0 / 400.0), speed=27.0)
    aside = slip * 27.0**2 / 400.0
    for _ in range(160):
        drive.pose = drive._true_pose()
        lanes = drive.step(askew=aside)
        drive.ego.slip = drive.model.slip
    assert drive.model.slip == pytest.approx(slip, rel=0.25)
    assert abs(drive.error(lanes, 0.0)) < 0.03


def test_width_and_neighbours_are_found_right_to_left() -> None:
    drive = Drive(Road(lines=(-5.1, -1.8, 1.8, 5.6)))
    for _ in range(60):
        lanes = drive.step()
    assert lanes.ego_lane == 1
    np.testing.assert_allclose(lanes.width, (3.3, 3.6, 3.8), atol=0.08)
    np.testing.assert_allclose(lanes.offset, (-3.45, 0.0, 3.7), atol=0.08)
    assert lanes.left_mark.tolist() == [DASHED, DASHED, SOLID]
    assert lanes.right_mark.tolist() == [SOLID, DASHED, DASHED]
    assert np.all(lanes.confidence > 0.9)


def test_the_line_has_the_points_that_the_contract_says() -> None:
    lanes = Drive(Road(1.0 / 700.0)).step()
    np.testing.assert_allclose(lanes.station, np.arange(-50.0, 201.0, 5.0))
    np.testing.assert_allclose(np.hypot(*np.diff(lanes.point, axis=0).T), 5.0, atol=1e-9)
    along = np.arctan2(*np.diff(lanes.point, axis=0).T[::-1])
    np.testing.assert_allclose(
        wrap_angle(along - 0.5 * (lanes.heading[1:] + lanes.heading[:-1])), 0.0, atol=1e-9
    )
    np.testing.assert_allclose(
        np.diff(lanes.heading) / 5.0, 0.5 * (lanes.curvature[1:] + lanes.curvature[:-1]), atol=2e-5
    )
    assert lanes.speed_limit == 0.0
    assert 65.0 < lanes.sight <= 71.0


def test_where_a_leader_hides_the_marks_of_the_lane_those_beside_it_show_the_road() -> None:
    drive = Drive(Road(1.0 / 700.0))
    for _ in range(20):
        drive.step()
    for _ in range(60):  # 90 m, more than was seen before
        lanes = drive.step(hide=(1, 2))
    assert lanes.sight > 65.0
    assert abs(drive.error(lanes, 50.0)) < 0.5


def test_crossing_a_mark_makes_the_next_lane_the_ego_lane_without_a_jump_of_the_road() -> None:
    drive = Drive(Road(1.0 / 1500.0), lambda s: 3.6 / (1.0 + math.exp(-(s - 150.0) / 15.0)))
    lanes, worst, seen = drive.step(), 0.0, []
    for step in range(200):
        lanes = drive.step()
        seen.append((lanes.ego_lane, len(lanes.offset)))
        over = drive.offset(drive.station)
        if step > 20 and abs(over - 1.8) > 0.25:  # away from the mark, where either lane may be told
            worst = max(worst, abs(drive.error(lanes, 0.0)))
    assert worst < 0.12
    assert seen[30] == (1, 3)
    assert seen[-1] == (2, 3)
    changes = sum(1 for one, other in pairwise(seen) if one[0] != other[0])
    assert changes == 1


def test_driving_along_a_mark_does_not_flicker() -> None:
    drive = Drive(Road(), lambda s: 1.8 + 0.05 * math.sin(s))
    seen = [drive.step().ego_lane for _ in range(150)]
    assert sum(1 for one, other in pairwise(seen[10:]) if one != other) <= 1


def test_off_the_road_edge_there_is_no_lane_to_jump_to() -> None:
    road = Road(lines=(-1.8, 1.8))
    road.kinds = [EDGE, EDGE]
    drive = Drive(road, lambda s: min(s / 40.0, 3.0))
    for _ in range(100):
        lanes = drive.step()
    assert (lanes.ego_lane, len(lanes.offset)) == (0, 1)
    assert drive.model._filter.state[0] == pytest.approx(-3.0, abs=0.15)


def test_gaps_in_the_marks_are_bridged_and_grow_doubtful() -> None:
    drive = Drive(Road(1.0 / 900.0))
    for _ in range(60):
        lanes = drive.step()
    confidence, sight = lanes.confidence[lanes.ego_lane], lanes.sight
    for _ in range(20):  # one second, 30 m
        lanes = drive.step(see=False)
    assert lanes.valid
    assert abs(drive.error(lanes, 0.0)) < 0.15
    assert lanes.confidence[lanes.ego_lane] < confidence
    assert lanes.sight == pytest.approx(sight - 30.0, abs=1.0)
    for _ in range(300):
        lanes = drive.step(see=False)
    assert not lanes.valid
    assert lanes.reason
    for _ in range(30):
        lanes = drive.step()
    assert lanes.valid
    assert abs(drive.error(lanes, 0.0)) < 0.1


def test_one_mark_is_enough_to_stay_in_the_middle() -> None:
    drive = Drive(Road(1.0 / 900.0))
    for _ in range(40):
        drive.step()
    for _ in range(100):
        lanes = drive.step(hide=(0, 2, 3))
    assert lanes.valid
    assert abs(drive.error(lanes, 0.0)) < 0.15


def test_a_wild_mark_is_ignored() -> None:
    drive = Drive(Road(), noise=False)
    for _ in range(40):
        drive.step()
    before = drive.model.lanes()
    wild = lane_marks(
        round(drive.time, 6), [(1.8, 0.3, 0.01, 0.0), (-1.8, 0.3, 0.01, 0.0)], [DASHED, DASHED], SIGMA
    )
    drive.model.update([wild], drive.ego)
    np.testing.assert_allclose(drive.model.lanes().point, before.point, atol=1e-9)


def test_a_lane_behind_a_dashed_line_is_guessed_with_little_confidence() -> None:
    drive = Drive(Road())
    for _ in range(40):
        lanes = drive.step(hide=(3,))
    assert len(lanes.offset) == 3
    assert lanes.confidence[2] <= parameters().lane.guessed_confidence
    assert lanes.left_mark[2] == MarkKind.UNKNOWN


def test_behind_a_solid_line_no_lane_is_guessed() -> None:
    road = Road(lines=(-1.8, 1.8))
    drive = Drive(road)
    for _ in range(40):
        lanes = drive.step()
    assert (len(lanes.offset), lanes.ego_lane) == (1, 0)


def test_lanes_do_not_depend_on_the_order_of_frames_in_a_step() -> None:
    results = []
    for reverse in (False, True):
        model, ego = LaneModel(parameters().lane), EgoMotionFilter(parameters().ego)
        road, random = Road(1.0 / 800.0), np.random.default_rng(5)
        pose: Pose = (0.0, 0.0, 0.0)
        for step in range(30):
            frames = []
            for k in range(3):
                t = round(0.05 * step + 0.015 * k, 6)
                pose = advance((0.0, 0.0, 0.0), 30.0, 30.0 / 800.0, t)
                ego.update([vehicle_state(t, 30.0, 30.0 / 800.0)])
                frames.append(road.marks(t, pose, 30.0 * t, random))
            model.update(frames[::-1] if reverse else frames, ego)
        results.append(model.lanes().point.tobytes())
    assert results[0] == results[1]
