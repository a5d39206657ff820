"""What only radar sees: covers, signs, rails and mirror images are no obstacle; a car is one from the first look on."""

from dataclasses import replace

import numpy as np
import pytest
from fusion_world import Box, World, drive

from pilot_common.types import Detections
from pilot_fusion.fusion import FusionOutputs

BRAKES = 0.9  # existence from which planning brakes for what one kind of sensor sees
REGARDED = 0.5  # and from which it regards it at all


def radar_only(source: int, t: float) -> bool:
    return source == 1


def existence_over_time(box: Box, seconds: float, sensors: str = "camera radar", seed: int = 1, **more):
    """Times, distances and the existence of the track at the box (0 where there is none)."""
    world = World([box], seed=seed, **more)
    rows: list[tuple[float, float, float]] = []

    def note(t: float, out: FusionOutputs) -> None:
        point = world.in_base(t)[0][0]
        tracks = out.world.tracks
        near = np.hypot(*(tracks.position[:, :2] - point).T) < 6.0
        rows.append((t, point[0], float(tracks.existence[near].max(initial=0.0))))

    drive(world, seconds, sensors, each=note)
    return np.array(rows).T


@pytest.mark.parametrize("seed", range(4))
def test_a_cover_in_the_road_is_never_sure_and_soon_not_regarded(seed):
    cover = Box.straight(170.0, 0.2, 0.0, extent=(0.8, 0.8, 0.1), seen_by=radar_only)
    _, distance, existence = existence_over_time(cover, 6.0, seed=seed)
    assert existence.max() < BRAKES
    # The camera of this car sees 120 m; a second later it has looked often enough.
    near = (distance < 75.0) & (distance > 10.0)
    assert existence[near].max() < REGARDED


@pytest.mark.parametrize("seed", range(4))
def test_a_mirror_image_that_moves_along_is_soon_not_regarded(seed):
    ghost = Box.straight(40.0, 0.0, 21.0, seen_by=radar_only)
    time, _, existence = existence_over_time(ghost, 6.0, seed=seed)
    assert existence[time > 2.0].max() < REGARDED


@pytest.mark.parametrize("seed", range(4))
def test_a_standing_car_is_sure_well_before_the_camera_s_nominal_range_is_driven_through(seed):
    car = Box.straight(170.0, 0.0, 0.0)
    _, distance, existence = existence_over_time(car, 6.0, seed=seed)
    assert existence[(distance < 105.0) & (distance > 10.0)].min() > BRAKES


def test_a_standing_car_that_the_camera_loses_again_stays_sure():
    # Seen for two seconds from 110 m on, then by radar alone (dirt, glare): it has been shown to be solid.
    car = Box.straight(110.0, 0.0, 0.0, seen_by=lambda source, t: source == 1 or t < 2.0)
    time, distance, existence = existence_over_time(car, 4.0)
    assert existence[(time > 1.5) & (distance > 15.0)].min() > BRAKES


def test_without_camera_and_lidar_radar_is_believed():
    car = Box.straight(170.0, 0.0, 0.0)
    time, distance, existence = existence_over_time(car, 5.0, sensors="radar")
    assert existence[(time > 1.5) & (distance > 15.0)].min() > BRAKES


def test_a_thing_that_radar_alone_sees_hides_nobody():
    sign = Box.straight(60.0, 0.0, 25.0, extent=(0.5, 6.0, 1.0), seen_by=radar_only)
    car = Box.straight(80.0, 0.0, 25.0)
    world = World([sign, car], seed=3)
    _, out = drive(world, 6.0)
    tracks = out.world.tracks
    behind = np.abs(tracks.position[:, 0] - 80.0) < 6.0
    assert tracks.existence[behind].max() > BRAKES


@pytest.mark.parametrize("seed", range(3))
def test_standing_things_do_not_seem_to_drift_into_the_way(seed):
    parked = Box.straight(170.0, -3.3, 0.0)
    world = World([parked], seed=seed)
    rates: list[float] = []

    def note(t: float, out: FusionOutputs) -> None:
        point = world.in_base(t)[0][0]
        tracks = out.world.tracks
        near = np.hypot(*(tracks.position[:, :2] - point).T) < 8.0
        rates.extend(np.abs(tracks.velocity[near, 1]).tolist())

    drive(world, 4.0, each=note)
    assert np.percentile(rates, 95) < 1.2  # m/s


class UnderABridge(World):
    """Lidar sees everything 5.2 m above the road."""

    def lidar(self, t: float) -> Detections:
        found = super().lidar(t)
        return replace(found, position=found.position + (0.0, 0.0, 5.2))


@pytest.mark.parametrize("seed", range(3))
def test_what_lidar_sees_above_the_road_and_no_camera_shows_is_not_regarded(seed):
    sign = Box.straight(170.0, 0.5, 0.0, extent=(0.6, 4.0, 1.5), seen_by=lambda source, t: source != 0)
    world = UnderABridge([sign], seed=seed)
    existence: list[float] = []

    def note(t: float, out: FusionOutputs) -> None:
        point = world.in_base(t)[0][0]
        tracks = out.world.tracks
        near = np.hypot(*(tracks.position[:, :2] - point).T) < 6.0
        if 10.0 < point[0] < 80.0:
            existence.append(float(tracks.existence[near].max(initial=0.0)))

    drive(world, 6.0, "camera radar lidar", each=note)
    assert len(existence) > 20
    assert max(existence) < REGARDED


def test_a_car_on_a_rise_that_the_camera_shows_is_one():
    car = Box.straight(90.0, 0.0, 0.0)
    world = UnderABridge([car], seed=2)
    _, out = drive(world, 2.0, "camera radar lidar")
    assert out.world.tracks.existence.max() > BRAKES
