"""Fusion as a whole: the contract of the world, loss of sensors, bad data."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
from fusion_world import (
    CAMERA,
    FRONT,
    LIDAR,
    Box,
    Car,
    World,
    drive,
    inputs,
    lane_marks,
    make_fusion,
    parameters,
)

from pilot_common.messages import Message, field_plans
from pilot_common.types import Detections, LaneMarks, MarkKind, RadarReturns, VehicleState
from pilot_common.types import World as WorldMessage
from pilot_fusion.fusion import Fusion

TRAFFIC = [Box.straight(40.0, 0.0, 25.0), Box.straight(60.0, 3.5, 28.0), Box.straight(-30.0, -3.5, 27.0)]
MARKS = [(-5.25, 0.0, 0.0, 0.0), (-1.75, 0.0, 0.0, 0.0), (1.75, 0.0, 0.0, 0.0), (5.25, 0.0, 0.0, 0.0)]
KINDS = [MarkKind.SOLID, MarkKind.DASHED, MarkKind.DASHED, MarkKind.SOLID]


def ports(world: World, now: float, silent: str = "") -> dict[str, tuple]:
    """All messages of one step."""
    everything = {
        "vehicle_state": tuple(world.state(now - 0.02 * k) for k in range(3)),
        "camera_detections": (world.camera(now - 0.03),),
        "radar_returns": (world.radar(now - 0.02),),
        "lidar_detections": (world.lidar(now - 0.025),),
        "lane_marks": (lane_marks(now - 0.03, MARKS, KINDS),),
    }
    return {name: messages for name, messages in everything.items() if not silent or silent not in name}


def run(fusion: Fusion, world: World, seconds: float, start: float = 0.0, silent: str = "") -> WorldMessage:
    for step in range(round(20 * seconds)):
        now = round(start + 0.05 * (step + 1), 6)
        out = fusion.step(inputs(now, **ports(world, now, silent)))
    return out.world


def finite(message: Message) -> bool:
    for plan in field_plans(type(message)):
        value = getattr(message, plan.name)
        if plan.kind == "message":
            if not finite(value):
                return False
        elif plan.kind in ("array", "float", "time") and not np.all(np.isfinite(value)):
            return False
    return True


def test_without_vehicle_state_the_world_is_invalid_and_says_why() -> None:
    world = make_fusion().step(inputs(1.0)).world
    assert not world.valid
    assert "vehicle state" in world.reason
    assert world.stamp == 1.0


def test_before_any_sensor_the_world_is_valid_and_empty() -> None:
    fusion, world = make_fusion(), World()
    seen = fusion.step(inputs(0.05, vehicle_state=(world.state(0.05),))).world
    assert seen.valid
    assert not seen.lanes.valid
    assert len(seen.tracks.identity) == 0
    assert seen.sensors_lost == ()


def test_an_old_vehicle_state_makes_the_world_invalid() -> None:
    fusion, world = make_fusion(), World()
    fusion.step(inputs(0.05, vehicle_state=(world.state(0.05),)))
    late = fusion.step(inputs(0.4)).world
    assert not late.valid
    assert "0.35 s old" in late.reason


def test_stamps_are_those_of_the_newest_state_and_the_oldest_alive_kind() -> None:
    fusion, world = make_fusion(), World(TRAFFIC)
    seen = run(fusion, world, 2.0)
    assert seen.stamp == 2.0
    assert seen.source_stamp == pytest.approx(1.97)
    seen = run(fusion, world, 1.0, start=2.0, silent="camera")
    assert seen.source_stamp == pytest.approx(2.975)  # the camera is lost and no longer counts


def test_tracks_are_in_the_car_s_frame_at_the_world_s_stamp() -> None:
    world = World(TRAFFIC, yaw_rate=0.02, noise=0.2, miss=0.0)
    _, out = drive(world, 3.0, "camera radar lidar")
    centre, _, velocity = world.in_base(3.0)
    for row in range(len(out.world.tracks.identity)):
        distance = np.hypot(*(centre - out.world.tracks.position[row, :2]).T)
        index = int(distance.argmin())
        assert distance[index] < 0.3
        np.testing.assert_allclose(out.world.tracks.velocity[row], velocity[index], atol=0.4)


@pytest.mark.parametrize(
    ("silent", "names"),
    [
        ("camera", ("front_camera",)),
        ("radar", ("front_radar", "left_rear_radar", "right_rear_radar")),
        ("lidar", ("lidar",)),
    ],
)
def test_a_kind_that_falls_silent_is_named_after_the_limit_and_not_before(
    silent: str, names: tuple[str, ...]
) -> None:
    fusion, world = make_fusion(), World(TRAFFIC)
    assert run(fusion, world, 1.0).sensors_lost == ()
    assert run(fusion, world, 0.25, start=1.0, silent=silent).sensors_lost == ()
    assert run(fusion, world, 0.25, start=1.25, silent=silent).sensors_lost == names
    assert run(fusion, world, 0.1, start=1.5).sensors_lost == ()


def test_one_radar_of_three_that_falls_silent_is_named() -> None:
    fusion, world = make_fusion(), World(TRAFFIC)
    for step in range(20):
        now = 0.05 * (step + 1)
        radar = (world.radar(now - 0.02, (FRONT, 3)),)
        seen = fusion.step(inputs(now, vehicle_state=(world.state(now),), radar_returns=radar)).world
    assert "left_rear_radar" in seen.sensors_lost
    assert "front_radar" not in seen.sensors_lost


def test_lanes_and_tracks_share_road_coordinates() -> None:
    seen = run(make_fusion(), World(TRAFFIC, noise=0.2), 3.0)
    assert seen.lanes.valid
    assert (seen.lanes.ego_lane, len(seen.lanes.offset)) == (1, 3)
    np.testing.assert_allclose(seen.tracks.station, seen.tracks.position[:, 0], atol=0.5)
    np.testing.assert_allclose(seen.tracks.offset, seen.tracks.position[:, 1], atol=0.2)
    assert np.abs(seen.tracks.offset_rate).max() < 0.5
    assert np.all(seen.tracks.intention[:, 0] > 0.9)


def test_who_drifts_over_the_marking_shows_the_intention() -> None:
    def path(t: float) -> tuple[float, float, float, float]:
        """Lateral acceleration of 1 m/s² from 2 s on, until 0.9 m/s are reached."""
        rate = min(max(t - 2.0, 0.0), 0.9)
        return 30.0 + 25.0 * t, 3.5 - 0.5 * rate**2 - 0.9 * max(t - 2.9, 0.0), -rate / 25.0, 25.0

    fusion, world = make_fusion(), World([Box(path)])
    assert run(fusion, world, 2.0).tracks.intention[0, 2] < 0.1
    seen = run(fusion, world, 1.5, start=2.0)
    assert seen.tracks.intention[0, 2] > 0.5
    assert seen.tracks.offset_rate[0] == pytest.approx(
        -0.9, abs=0.45
    )  # it overshoots where the acceleration ends
    assert seen.tracks.intention[0].sum() == pytest.approx(1.0)


def test_only_lidar_or_only_radar_is_enough() -> None:
    for name in ("lidar", "radar"):
        world = World(TRAFFIC, seed=2)
        _, out = drive(world, 3.0, name)
        assert out.world.valid
        assert len(out.world.tracks.identity) == len(TRAFFIC)


def broken_messages() -> dict[str, tuple[str, Message]]:
    world = World(TRAFFIC, miss=0.0)
    camera, radar, marks = world.camera(1.0), world.radar(1.0), lane_marks(1.0, MARKS, KINDS)

    def spoilt(message: Message, name: str, value: float) -> Message:
        array = getattr(message, name).copy()
        array.flat[0] = value
        return replace(message, **{name: array})

    many = 10_000
    huge = Detections(
        stamp=1.0,
        sensors=[CAMERA],
        sensor=np.full(many, CAMERA),
        class_id=np.ones(many),
        score=np.ones(many),
        position=np.ones((many, 3)),
        position_covariance=np.tile(np.eye(2), (many, 1, 1)),
        heading=np.zeros(many),
        heading_valid=np.zeros(many),
        extent=np.ones((many, 3)),
        extent_valid=np.zeros(many),
    )
    return {
        "position not finite": ("camera_detections", spoilt(camera, "position", math.nan)),
        "covariance infinite": ("camera_detections", spoilt(camera, "position_covariance", math.inf)),
        "covariance negative": ("camera_detections", spoilt(camera, "position_covariance", -1.0)),
        "position on the moon": ("camera_detections", spoilt(camera, "position", 3.8e8)),
        "unknown class": ("camera_detections", replace(camera, class_id=np.full(len(camera.score), 200))),
        "sensor of another kind": (
            "camera_detections",
            replace(camera, sensors=[FRONT], sensor=[FRONT] * len(camera.score)),
        ),
        "sensor that is not there": (
            "camera_detections",
            replace(camera, sensors=[77], sensor=[77] * len(camera.score)),
        ),
        "stamp not finite": ("camera_detections", replace(camera, stamp=math.nan)),
        "from the future": ("camera_detections", replace(camera, stamp=9.0)),
        "from long ago": ("camera_detections", replace(camera, stamp=-50.0)),
        "10,000 objects": ("camera_detections", huge),
        "range not finite": ("radar_returns", spoilt(radar, "range", math.nan)),
        "range negative": ("radar_returns", spoilt(radar, "range", -3.0)),
        "Doppler of a rocket": ("radar_returns", spoilt(radar, "range_rate", 3000.0)),
        "lidar by a camera": ("lidar_detections", camera),
        "mark not finite": ("lane_marks", spoilt(marks, "coefficients", math.nan)),
        "deviation negative": ("lane_marks", spoilt(marks, "deviation", -0.1)),
    }


@pytest.mark.parametrize("name", broken_messages())
def test_bad_messages_are_refused_with_a_reason_and_change_nothing(name: str) -> None:
    port, message = broken_messages()[name]
    world = World(TRAFFIC, seed=1)
    fusion = make_fusion()
    run(fusion, world, 1.0)
    untouched = copy.deepcopy(fusion)
    state = (world.state(1.02),)
    expected = untouched.step(inputs(1.05, vehicle_state=state))
    out = fusion.step(inputs(1.05, vehicle_state=state, **{port: (message,)}))
    assert len(out.refused) == 1
    assert out.refused[0] in out.world.reason
    assert out.world.valid
    assert out.world.tracks.position.tobytes() == expected.world.tracks.position.tobytes()
    assert out.world.tracks.existence.tobytes() == expected.world.tracks.existence.tobytes()
    assert out.world.lanes.point.tobytes() == expected.world.lanes.point.tobytes()


@pytest.mark.parametrize(
    "changes",
    [{"speed": math.nan}, {"yaw_rate": math.inf}, {"stamp": math.nan}, {"speed": 900.0}, {"valid": False}],
)
def test_a_bad_vehicle_state_is_not_driven_on(changes: dict) -> None:
    fusion, world = make_fusion(), World(TRAFFIC)
    run(fusion, world, 1.0)
    bad: VehicleState = replace(world.state(1.05), **changes)
    out = fusion.step(inputs(1.05, vehicle_state=(bad,)))
    assert out.refused
    assert out.world.stamp == 1.0
    assert finite(out.world)


def test_random_garbage_never_raises_and_never_poisons() -> None:
    random = np.random.default_rng(0)
    fusion, world = make_fusion(), World(TRAFFIC, seed=4)
    values = np.array((math.nan, math.inf, -math.inf, 1e300, -1e300, 0.0, -1.0, 1e-300))
    for step in range(80):
        now = round(0.05 * (step + 1), 6)
        content = ports(world, now)
        for name, messages in content.items():
            message = messages[0]
            arrays = [
                plan
                for plan in field_plans(type(message))
                if plan.kind == "array" and plan.layout.dtype == "float64"
            ]
            if name != "vehicle_state" and arrays and random.random() < 0.5:
                plan = arrays[random.integers(len(arrays))]
                array = getattr(message, plan.name).copy()
                if array.size:
                    array.flat[random.integers(array.size)] = random.choice(values)
                content[name] = (replace(message, **{plan.name: array}),)
        out = fusion.step(inputs(now, **content))
        assert finite(out.world)
    seen = run(fusion, world, 1.5, start=4.0)
    assert seen.valid
    assert seen.lanes.valid
    assert len(seen.tracks.identity) >= 2


@pytest.mark.parametrize("jump", [-4.0, 60.0])
def test_a_jump_of_the_clock_forgets_and_starts_again(jump: float) -> None:
    fusion, world = make_fusion(), World([Box.straight(40.0, 0.0, 0.0)], speed=0.0)
    identity = int(run(fusion, world, 4.5).tracks.identity[0])
    first = run(fusion, world, 0.05, start=4.5 + jump)
    assert first.valid
    assert np.all(first.tracks.age < 0.05)
    later = run(fusion, world, 1.5, start=4.55 + jump)
    assert len(later.tracks.identity) == 1
    assert int(later.tracks.identity[0]) > identity
    assert later.tracks.age[0] < 1.56


def test_reset_is_as_new() -> None:
    used, new = make_fusion(), make_fusion()
    run(used, World(TRAFFIC, seed=5), 1.0)
    used.reset()
    one, other = run(used, World(TRAFFIC, seed=6), 1.0), run(new, World(TRAFFIC, seed=6), 1.0)
    assert one.tracks.position.tobytes() == other.tracks.position.tobytes()
    assert one.tracks.identity.tolist() == other.tracks.identity.tolist()


def test_a_copy_goes_on_to_the_same_bits() -> None:
    fusion, one, other = make_fusion(), World(TRAFFIC, seed=7), World(TRAFFIC, seed=7)
    run(fusion, one, 1.0)
    for step in range(20):
        ports(other, round(0.05 * (step + 1), 6))  # draws the same random numbers
    twin = copy.deepcopy(fusion)
    seen, again = run(fusion, one, 1.0, start=1.0), run(twin, other, 1.0, start=1.0)
    assert seen.tracks.covariance.tobytes() == again.tracks.covariance.tobytes()
    assert seen.lanes.point.tobytes() == again.lanes.point.tobytes()


def test_the_number_of_tracks_is_bounded() -> None:
    fusion, world = make_fusion(), World(clutter=0.0)
    random = np.random.default_rng(1)
    for step in range(10):
        now = 0.05 * (step + 1)
        count = 500
        returns = RadarReturns(
            stamp=now,
            sensors=[FRONT],
            sensor=np.full(count, FRONT),
            range=random.uniform(5.0, 175.0, count),
            azimuth=random.uniform(-0.7, 0.7, count),
            range_rate=random.uniform(-40.0, 20.0, count),
            cross_section=np.zeros(count),
        )
        fusion.step(inputs(now, vehicle_state=(world.state(now),), radar_returns=(returns,)))
    assert len(fusion._tracker.bank) <= parameters().maximum_tracks


def test_the_lidar_counts_only_where_it_is_fitted() -> None:
    assert Car.sensors[LIDAR].kind.value == "lidar"
    marks: LaneMarks = lane_marks(1.0, MARKS, KINDS)
    assert marks.sensors.tolist() == [CAMERA]


@pytest.mark.parametrize(("radius", "offset", "length"), [(-300.0, 3.5, 4.5), (500.0, -3.5, 16.5)])
def test_who_keeps_his_lane_in_a_bend_has_no_speed_across_it(
    radius: float, offset: float, length: float
) -> None:
    speed = 20.0

    def path(t: float) -> tuple[float, float, float, float]:
        turn = (40.0 + 16.0 * t) / radius
        away = radius - offset
        return away * math.sin(turn), radius - away * math.cos(turn), turn, 16.0 * away / radius

    box = Box(path, extent=(length, 2.0, 1.5))
    world = World([box], speed=speed, yaw_rate=speed / radius, noise=0.3)
    marks = [(y, 0.0, 0.5 / (radius - y), 0.0) for y, *_ in MARKS]
    rates, fusion = [], make_fusion()
    for step in range(90):
        now = round(0.05 * (step + 1), 6)
        seen = ports(world, now) | {"lane_marks": (lane_marks(now - 0.03, marks, KINDS),)}
        tracks = fusion.step(inputs(now, **seen)).world.tracks
        if now > 2.0:
            rates.append(tracks.offset_rate[0])
    assert np.sqrt(np.mean(np.square(rates))) < 0.2
