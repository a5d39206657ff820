"""The world made from the truth equals it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pilot_common.types import DriveMode
from pilot_simulation.lockstep import drive
from pilot_simulation.scenario import LaneSpan, Perception, load_scenario

pytest.importorskip("pilot_supervision")


@pytest.fixture
def told(vehicle, config):
    """Messages by topic of a drive with perfect perception."""

    def make(name: str, seconds: float, vehicle_name: str = "sedan_ice", **changes):
        topics: dict[str, list] = {}
        scenario = replace(load_scenario(name, config), perception=Perception.PERFECT, **changes)
        drive(
            vehicle(vehicle_name),
            scenario,
            config,
            lambda _, topic, message: topics.setdefault(topic, []).append(message),
            seconds=seconds,
        )
        return topics

    return make


def pairs(topics):
    """Worlds with the truth of the same instant."""
    truth = {round(one.stamp, 6): one for one in topics["truth"]}
    found = [
        (world, truth[round(world.stamp, 6)]) for world in topics["world"] if round(world.stamp, 6) in truth
    ]
    assert len(found) > 10
    return found


def test_the_loop_engages_and_drives_without_sensors(told):
    topics = told("cut_in", 8.0)
    assert "camera_objects" not in topics and "lane_marks" not in topics
    assert topics["mode"][-1].mode is DriveMode.ACTIVE
    assert len(topics["world"]) == pytest.approx(160, abs=2)
    assert all(plan.valid for plan in topics["plan"][2:])


@pytest.mark.parametrize("name", ["cut_in", "curves", "busy_motorway"])
def test_tracks_are_where_the_others_are(told, name):
    for world, truth in pairs(told(name, 6.0)):
        row = {identity: index for index, identity in enumerate(truth.identity.tolist())}
        cosine, sine = math.cos(truth.yaw), math.sin(truth.yaw)
        turn = np.array(((cosine, sine), (-sine, cosine)))
        tracks = world.tracks
        for index, identity in enumerate(tracks.identity.tolist()):
            other = row[identity]
            place = turn @ (truth.position[other] - (truth.x, truth.y))
            assert tracks.position[index, :2] == pytest.approx(place, abs=1e-6)
            assert np.hypot(*tracks.velocity[index]) == pytest.approx(truth.speed_other[other], abs=1e-9)
        assert (tracks.existence == 1.0).all()
        # Whoever is near and in view of the camera is there.
        ahead = [np.degrees(np.arctan2(*(turn @ (p - (truth.x, truth.y)))[::-1])) for p in truth.position]
        near = np.hypot(*(truth.position - (truth.x, truth.y)).T) < 100.0
        for identity, angle, close in zip(truth.identity.tolist(), ahead, near, strict=True):
            assert not (close and abs(angle) < 20.0) or identity in tracks.identity


@pytest.mark.parametrize("name", ["cut_in", "curves", "busy_motorway"])
def test_road_coordinates_and_line_agree_with_the_points(told, name):
    from pilot_common.road import ReferenceLine

    for world, truth in pairs(told(name, 6.0))[::5]:
        lanes, tracks = world.lanes, world.tracks
        line = ReferenceLine(lanes.point, lanes.station, lanes.heading, lanes.curvature)
        step = np.hypot(*np.diff(lanes.point, axis=0).T)
        assert step == pytest.approx(5.0, abs=0.01)
        _, offset, _ = line.to_road(np.zeros((1, 2)))
        assert offset[0] == pytest.approx(truth.lane_offset, abs=0.02)
        near = (tracks.station > -40.0) & (tracks.station < 190.0)
        station, offset, heading = line.to_road(tracks.position[near, :2])
        assert station == pytest.approx(tracks.station[near], abs=0.1)
        assert offset == pytest.approx(tracks.offset[near], abs=0.05)
        rate = tracks.velocity[near, 1] * np.cos(heading) - tracks.velocity[near, 0] * np.sin(heading)
        assert rate == pytest.approx(tracks.offset_rate[near], abs=0.15)
        tangent = np.arctan2(*np.diff(lanes.point, axis=0).T[::-1])
        assert 0.5 * (lanes.heading[1:] + lanes.heading[:-1]) == pytest.approx(tangent, abs=1e-3)
        assert np.diff(lanes.heading) / 5.0 == pytest.approx(
            0.5 * (lanes.curvature[1:] + lanes.curvature[:-1]), abs=1e-4
        )


def test_the_ego_lane_changes_where_the_car_crosses_the_marking(told):
    for world, truth in pairs(told("lane_change", 18.0)):
        lanes = world.lanes
        assert lanes.ego_lane == truth.lane
        assert lanes.offset[lanes.ego_lane] == 0.0
        assert len(lanes.offset) == 3


def test_a_lane_that_ends_leaves_the_lanes(told, config):
    scenario = load_scenario("free_motorway", config)
    road = replace(scenario.road, lane_spans=(LaneSpan(lane=2, end=200.0, taper=60.0),))
    counts = [len(world.lanes.offset) for world, _ in pairs(told("free_motorway", 8.0, road=road))]
    assert counts[0] == 3 and counts[-1] == 2
    assert counts == sorted(counts, reverse=True)


def test_acceleration_is_that_of_the_other(told):
    topics = told("emergency_brake", 14.0)
    start = topics["truth"][0].stamp
    braking = [world for world in topics["world"] if 12.3 < world.stamp - start < 13.5]
    assert [world.tracks.acceleration[0] for world in braking] == pytest.approx(
        [-7.5] * len(braking), abs=0.01
    )
