"""The multi-sensor tracker on a small exact world."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fusion_world import (
    CAMERA,
    FRONT,
    LEFT_REAR,
    LIDAR,
    RIGHT_REAR,
    Box,
    Car,
    World,
    drive,
    inputs,
    make_fusion,
    parameters,
)

from pilot_common.messages import take
from pilot_common.types import RadarReturns, Tracks
from pilot_fusion.fusion import Fusion, FusionOutputs


def nearest(tracks: Tracks, point: np.ndarray, within: float = 3.0) -> int | None:
    """Row of the track nearest to a point, if it is near."""
    if len(tracks.identity) == 0:
        return None
    distance = np.hypot(*(tracks.position[:, :2] - point).T)
    row = int(distance.argmin())
    return row if distance[row] < within else None


class Watch:
    """Collects identities, errors and normalised errors per object over a drive."""

    def __init__(self, world: World, after: float = 1.5) -> None:
        self.world, self.after = world, after
        self.identities: list[set[int]] = [set() for _ in world.boxes]
        self.missed = [0] * len(world.boxes)
        self.extra: list[int] = []
        self.error: list[np.ndarray] = []
        self.squared: list[float] = []

    def __call__(self, t: float, out: FusionOutputs) -> None:
        if t < self.after:
            return
        centre, _, velocity = self.world.in_base(t)
        tracks = out.world.tracks
        found = set()
        for index in range(len(centre)):
            row = nearest(tracks, centre[index])
            if row is None:
                self.missed[index] += 1
                continue
            found.add(row)
            self.identities[index].add(int(tracks.identity[row]))
            error = np.concatenate(
                (tracks.position[row, :2] - centre[index], tracks.velocity[row] - velocity[index])
            )
            self.error.append(error)
            self.squared.append(float(error @ np.linalg.solve(tracks.covariance[row], error)))
        self.extra.append(len(tracks.identity) - len(found))


TRAFFIC = [
    Box.straight(40.0, 0.0, 25.0),
    Box.straight(70.0, 3.5, 29.0),
    Box.straight(25.0, -3.5, 24.0),
    Box.straight(-30.0, 3.5, 27.0),
    Box.straight(-25.0, -3.5, 25.5),
]


@pytest.mark.parametrize("sensors", ["camera radar", "radar", "lidar", "camera radar lidar"])
@pytest.mark.parametrize("yaw_rate", [0.0, 0.03])
def test_everyone_around_is_tracked_under_one_identity(sensors: str, yaw_rate: float) -> None:
    world = World(TRAFFIC, yaw_rate=yaw_rate, seed=3)
    if yaw_rate:  # others drive straight on: the ego turns away, so stay short
        world.boxes = TRAFFIC[:3]
    watch = Watch(world)
    drive(world, 4.0, sensors, each=watch)
    visible = range(len(world.boxes))
    assert all(len(watch.identities[i]) == 1 for i in visible), watch.identities
    assert sum(watch.missed) == 0
    assert max(watch.extra) == 0
    error = np.abs(watch.error)
    assert np.percentile(error[:, 0], 95) < 0.5  # m
    assert np.percentile(error[:, 2], 95) < 0.7  # m/s


def test_camera_alone_tracks_what_is_ahead_less_exactly() -> None:
    world = World(TRAFFIC[:1], seed=4)
    watch = Watch(world, after=2.0)
    drive(world, 5.0, "camera", each=watch)
    assert len(watch.identities[0]) == 1
    assert np.percentile(np.abs(watch.error)[:, 1], 95) < 0.3


@pytest.mark.parametrize("sensors", ["camera radar", "lidar"])
def test_errors_agree_with_the_reported_covariance(sensors: str) -> None:
    squared = []
    for seed in range(4):
        boxes = [
            Box.straight(30.0 + 15.0 * i, (i % 3 - 1) * 3.5, 22.0 + i, acceleration=(-1.0, 0.5, 0.0)[i % 3])
            for i in range(5)
        ]
        world = World(boxes, seed=seed)
        watch = Watch(world, after=1.5)
        drive(world, 4.0, sensors, each=watch)
        squared += watch.squared
    # Four degrees of freedom. What is reported must not be bolder than it is, nor useless: the model allows for
    # systematic errors that this world does not have.
    assert 0.6 < np.mean(squared) < 6.0
    assert np.percentile(squared, 99) < 25.0


def test_a_braking_lead_shows_its_deceleration_soon() -> None:
    def path(t: float) -> tuple[float, float, float, float]:
        braking = max(t - 3.0, 0.0)
        return 40.0 + 25.0 * t - 3.0 * braking**2, 0.0, 0.0, 25.0 - 6.0 * braking

    world = World([Box(path)], seed=1)
    seen: dict[float, float] = {}

    def note(t: float, out: FusionOutputs) -> None:
        seen[round(t, 2)] = float(out.world.tracks.acceleration[0])

    drive(world, 4.5, each=lambda t, out: note(t, out) if t > 2.0 else None)
    assert abs(seen[2.95]) < 1.0
    assert seen[3.4] < -2.0
    assert seen[4.0] == pytest.approx(-6.0, abs=1.5)


@pytest.mark.parametrize("deceleration", [4.0, 7.0, 9.0])
def test_a_lead_that_brakes_hard_at_once_keeps_its_identity(deceleration: float) -> None:
    def path(t: float) -> tuple[float, float, float, float]:
        since = min(max(t - 3.0, 0.0), 25.0 / deceleration)
        way = 25.0 * min(t, 3.0) + 25.0 * since - 0.5 * deceleration * since**2
        return 60.0 + way, 0.0, 0.0, 25.0 - deceleration * since

    world = World([Box(path)], seed=4)
    watch = Watch(world, after=1.0)
    drive(world, 4.5, "camera radar", each=watch)
    assert len(watch.identities[0]) == 1
    assert watch.missed == [0]
    assert max(watch.extra) == 0


def test_a_turning_car_shows_its_yaw_rate_and_heading() -> None:
    def path(t: float) -> tuple[float, float, float, float]:
        turn = 0.25 * t
        return 60.0 + 40.0 * math.sin(turn), -20.0 + 40.0 * (1.0 - math.cos(turn)), turn, 10.0

    world = World([Box(path)], speed=8.0, seed=2)
    _, out = drive(world, 4.0, "camera radar lidar")
    _, heading, _ = world.in_base(4.0)
    assert out.world.tracks.heading[0] == pytest.approx(heading[0], abs=0.1)
    assert out.world.tracks.yaw_rate[0] == pytest.approx(0.25, abs=0.12)


def test_an_oncoming_car_is_known_to_come() -> None:
    world = World([Box.straight(110.0, 5.0, 20.0, heading=math.pi)], seed=2)
    _, out = drive(world, 1.6)
    assert out.world.tracks.velocity[0, 0] == pytest.approx(-20.0, abs=0.5)
    assert abs(abs(out.world.tracks.heading[0]) - math.pi) < 0.15


def test_a_standing_car_ahead_is_tracked_by_radar_alone() -> None:
    world = World([Box.straight(170.0, 0.0, 0.0)], seed=7, clutter=0.5)
    _, out = drive(world, 3.0, "radar")
    row = nearest(out.world.tracks, world.in_base(3.0)[0][0])
    assert row is not None
    assert abs(out.world.tracks.velocity[row, 0]) < 0.5


def test_crossing_neighbours_keep_their_identities() -> None:
    """A fast and a slow car pass a third one, in the lanes beside it, at the same time."""
    boxes = [Box.straight(35.0, 0.0, 25.0), Box.straight(20.0, 3.5, 31.0), Box.straight(55.0, -3.5, 20.0)]
    for seed in range(3):
        watch = Watch(World(boxes, seed=seed))
        drive(watch.world, 6.0, each=watch)
        assert all(len(identities) == 1 for identities in watch.identities)
        assert len(set.union(*watch.identities)) == 3


def test_a_car_hidden_for_a_second_keeps_its_identity() -> None:
    hidden = Box.straight(50.0, 0.0, 25.0, seen_by=lambda source, t: not 2.5 < t < 3.4)
    watch = Watch(World([hidden], seed=5))
    drive(watch.world, 5.0, each=watch)
    assert len(watch.identities[0]) == 1
    assert watch.missed[0] < 12  # at most the last part of the gap


def test_a_car_behind_another_outlives_one_that_should_be_seen() -> None:
    front = Box.straight(25.0, 0.0, 25.0)

    def vanishing(y: float) -> Box:
        return Box.straight(45.0, y, 25.0, seen_by=lambda source, t: t < 2.0)

    def lifetime(box: Box) -> float:
        last = 0.0
        world = World([front, box], seed=6)

        def note(t: float, out: FusionOutputs) -> None:
            nonlocal last
            if nearest(out.world.tracks, world.in_base(t)[0][1]) is not None:
                last = t

        drive(world, 7.0, each=note)
        return last

    hidden, open_to_view = lifetime(vanishing(0.0)), lifetime(vanishing(7.0))
    assert hidden > open_to_view + 0.3
    assert 2.2 < open_to_view < 3.5


def test_ghosts_of_one_frame_are_never_reported() -> None:
    world = World(TRAFFIC, clutter=2.0, seed=8)
    watch = Watch(world, after=0.0)
    drive(world, 10.0, each=watch)
    assert np.mean(watch.extra) < 0.05


def test_a_vanished_object_is_gone_within_four_seconds() -> None:
    world = World([Box.straight(40.0, 0.0, 25.0, seen_by=lambda source, t: t < 2.0)], seed=1)
    fusion, out = drive(world, 6.0)
    assert len(out.world.tracks.identity) == 0
    assert len(fusion._tracker.bank) == 0


def test_several_returns_of_a_truck_are_one_track() -> None:
    truck = Box.straight(30.0, -3.5, 24.0, extent=(16.0, 2.5, 3.8), class_id=2)
    world = World([truck], seed=9)
    counts = []
    _, out = drive(world, 4.0, each=lambda t, o: counts.append(len(o.world.tracks.identity)), radar_returns=4)
    assert max(counts) == 1
    assert out.world.tracks.class_id[0] == 2


def test_the_truck_ahead_stays_in_its_lane() -> None:
    """Heading and centre must not drive one another aside where only the rear face is seen."""
    truck = Box.straight(40.0, -3.5, 24.0, extent=(16.0, 2.5, 3.8), class_id=2)
    aside = []
    drive(
        World([truck], seed=9),
        12.0,
        each=lambda t, o: aside.append(o.world.tracks.position[0, 1]) if t > 1 else None,
    )
    assert np.abs(np.array(aside) + 3.5).max() < 0.6


def test_two_cameras_on_one_object_make_one_track() -> None:
    world = World([Box.straight(40.0, 0.0, 25.0)], seed=3, miss=0.0)
    fusion = make_fusion()
    for step in range(40):
        now = 0.05 * (step + 1)
        one, two = world.camera(now - 0.03), world.camera(now - 0.03)
        frames = (one, replace(two, position=two.position + (1.0, 0.1, 0.0)))
        out = fusion.step(inputs(now, vehicle_state=(world.state(now),), camera_detections=frames))
    assert len(out.world.tracks.identity) == 1


def test_two_that_one_camera_sees_side_by_side_stay_two_though_their_boxes_overlap() -> None:
    """After a crash one car stands half in the other."""
    crashed = [Box.straight(90.0, 0.0, 0.0), Box.straight(87.2, 1.2, 0.0)]
    world = World(crashed, speed=10.0, seed=4)
    missed = []

    def note(t: float, out: FusionOutputs) -> None:
        if t > 2.0:
            missed.append(nearest(out.world.tracks, world.in_base(t)[0][1], 1.0) is None)

    drive(world, 6.0, each=note)
    assert np.mean(missed) < 0.05


class WithoutLidar(Car):
    """Nothing looks beside it."""

    sensors = Car.sensors[:LIDAR]


def test_who_is_in_a_blind_spot_is_still_there() -> None:
    passed = Box.straight(9.0, 3.0, 23.8)
    world = World([passed], seed=2, miss=0.0)
    _, out = drive(world, 6.2, fusion=Fusion(WithoutLidar(), parameters()))  # type: ignore[arg-type]
    assert out.world.tracks.unseen[0] > 2.2
    assert out.world.tracks.existence[0] > 0.9


def test_what_a_cut_box_errs_the_same_way_every_time_is_not_believed_for_being_repeated() -> None:
    """Beside the car the camera sees his front part: he may be turned, or stand elsewhere along a line aslant."""
    beside = Box.straight(7.0, -3.0, 25.0)
    world = World([beside], seed=3, miss=0.0)
    fusion, before = drive(world, 2.0)
    long, short = np.array((0.95, -0.32)), np.array((0.32, 0.95))
    for step in range(20):
        now = 2.0 + 0.05 * (step + 1)
        seen = world.camera(now - 0.03)
        covariance = 9.0 * np.outer(long, long) + 0.06 * np.outer(short, short)
        cut = replace(
            seen, position=seen.position + (*(1.5 * long), 0.0), position_covariance=covariance[None]
        )
        out = fusion.step(inputs(now, vehicle_state=(world.state(now),), camera_detections=(cut,)))
    moved = out.world.tracks.position[0, :2] - before.world.tracks.position[0, :2]
    assert np.hypot(*moved) < 0.7


def test_clutter_beside_who_was_not_measured_lately_does_not_stop_him() -> None:
    """A return that stands, at the corner of a car 3 m away: he would have braked with more than any car can."""
    slow = Box.straight(8.5, -3.5, 8.3, seen_by=lambda source, t: source == 0 or t < 1.8)
    world = World([slow], speed=8.3, seed=6)
    fusion, before = drive(world, 2.0)
    mount = Car.sensors[FRONT]
    state, now = world.state(2.05), 2.03
    x, y = world.in_base(now)[0][0] + (-2.25, 0.9) - mount.position[:2]
    azimuth = math.atan2(y, x)
    clutter = RadarReturns(
        stamp=now,
        sensors=[FRONT],
        sensor=[FRONT],
        range=[math.hypot(x, y)],
        azimuth=[azimuth],
        range_rate=[-8.3 * math.cos(azimuth)],
        cross_section=[0.0],
    )
    after = fusion.step(inputs(2.05, vehicle_state=(state,), radar_returns=(clutter,)))
    change = after.world.tracks.velocity[0] - before.world.tracks.velocity[0]
    assert np.abs(change).max() < 0.5


def test_arrival_order_within_a_step_changes_no_bit() -> None:
    def run(reverse: bool) -> bytes:
        world, fusion = World(TRAFFIC, seed=11, clutter=1.0), make_fusion()
        content = b""
        for step in range(40):
            now = 0.05 * (step + 1)
            camera, radar, lidar = world.camera(now - 0.03), world.radar(now - 0.02), world.lidar(now - 0.05)
            second = replace(camera, stamp=camera.stamp - 0.02)
            states = tuple(world.state(now - 0.01 * k) for k in range(5))
            ports = {
                "vehicle_state": states,
                "camera_detections": (camera, second, camera),
                "radar_returns": (radar, replace(radar, **take(radar, np.arange(len(radar.range) // 2)))),
                "lidar_detections": (lidar,),
            }
            if reverse:
                ports = {name: messages[::-1] for name, messages in reversed(ports.items())}
            tracks = fusion.step(inputs(now, **ports)).world.tracks
            content += tracks.position.tobytes() + tracks.existence.tobytes() + tracks.covariance.tobytes()
        return content

    assert run(False) == run(True)


def test_a_late_frame_helps_and_does_no_harm() -> None:
    world, fusion = World(TRAFFIC[:1], seed=12, miss=0.0), make_fusion()
    for step in range(60):
        now = 0.05 * (step + 1)
        late = (world.lidar(now - 0.12),)  # older than the radar frame of the step before
        states = tuple(world.state(now - 0.01 * k) for k in range(5))
        out = fusion.step(
            inputs(now, vehicle_state=states, radar_returns=(world.radar(now - 0.01),), lidar_detections=late)
        )
    centre, _, velocity = world.in_base(now)
    assert len(out.world.tracks.identity) == 1
    np.testing.assert_allclose(out.world.tracks.position[0, :2], centre[0], atol=0.2)
    np.testing.assert_allclose(out.world.tracks.velocity[0], velocity[0], atol=0.4)


@pytest.mark.parametrize(
    ("index", "x", "y"), [(FRONT, 50.0, -3.5), (LEFT_REAR, -25.0, 6.0), (RIGHT_REAR, -25.0, -6.0)]
)
def test_radar_mounts_are_turned_into_the_car_s_frame(index: int, x: float, y: float) -> None:
    world = World([Box.straight(x, y, 25.0)], noise=0.0, miss=0.0)
    fusion = make_fusion()
    for step in range(30):
        now = 0.05 * (step + 1)
        out = fusion.step(
            inputs(now, vehicle_state=(world.state(now),), radar_returns=(world.radar(now, (index,)),))
        )
    assert Car.sensors[index].yaw == 0.0 or index != FRONT
    np.testing.assert_allclose(
        out.world.tracks.position[0, :2], (x, y), atol=0.7
    )  # the reflection is not the face's centre
    np.testing.assert_allclose(out.world.tracks.velocity[0], (25.0, 0.0), atol=0.3)


def test_sensors_that_contributed_are_told() -> None:
    for sensors, bits in (("camera", 1), ("radar", 2), ("lidar", 4), ("camera radar lidar", 7)):
        _, out = drive(World(TRAFFIC[:1], seed=1), 2.0, sensors)
        assert out.world.tracks.sensors[0] == bits
        assert out.world.tracks.unseen[0] < 0.06


def test_measured_extent_heading_and_class_come_through() -> None:
    world = World([Box.straight(30.0, 3.5, 25.0, extent=(5.2, 2.0, 2.2), class_id=2)], seed=1)
    _, out = drive(world, 3.0, "lidar")
    np.testing.assert_allclose(out.world.tracks.extent[0], (5.2, 2.0, 2.2), atol=0.05)
    assert out.world.tracks.class_id[0] == 2
    assert out.world.tracks.position[0, 2] == pytest.approx(1.1, abs=0.05)


def test_identities_are_never_used_again() -> None:
    seen: set[int] = set()
    world = World([Box.straight(40.0, 0.0, 25.0, seen_by=lambda source, t: (t % 6.0) < 1.5)], seed=1)
    lives: list[int] = []

    def note(t: float, out: FusionOutputs) -> None:
        for identity in out.world.tracks.identity.tolist():
            if identity not in seen:
                lives.append(identity)
            seen.add(identity)

    drive(world, 14.0, each=note)
    assert lives == sorted(lives)
    assert len(lives) == 3


def test_camera_index_is_that_of_the_vehicle() -> None:
    assert Car.sensors[CAMERA].kind.value == "camera"
