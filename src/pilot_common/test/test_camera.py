"""The shared pinhole projection."""

import numpy as np
import pytest

from pilot_common.camera import Cameras, base_from_optical, ground_points, project, rays
from pilot_common.vehicle import Image, Sensor, SensorErrors, SensorKind


def camera(
    yaw: float = 0.0,
    pitch: float = 0.0,
    image: bool = True,
    position: tuple[float, float, float] = (1.8, 0.1, 1.4),
) -> Sensor:
    errors = SensorErrors(
        pixel_px=1.0, range=0.0, azimuth=0.0, range_rate=0.0, detection_probability=0.9, clutter=0.0
    )
    return Sensor(
        name="front",
        kind=SensorKind.CAMERA,
        position=position,
        yaw=yaw,
        pitch=pitch,
        field_of_view=1.0,
        range=150.0,
        rate=20.0,
        latency=0.05,
        errors=errors,
        image=Image(width_px=1920, height_px=1080, focal_length_px=1800.0) if image else None,
    )


@pytest.mark.parametrize("yaw", [-2.9, -0.7, 0.0, 1.1, 3.1])
@pytest.mark.parametrize("pitch", [-0.2, 0.0, 0.3])
def test_ground_points_are_the_inverse_of_the_projection(yaw: float, pitch: float) -> None:
    sensor = camera(yaw, pitch)
    random = np.random.default_rng(1)
    ahead = random.uniform((8.0, -4.0), (120.0, 4.0), (50, 2))
    cosine, sine = np.cos(yaw), np.sin(yaw)
    ground = ahead @ np.array(((cosine, sine), (-sine, cosine))) + sensor.position[:2]
    pixels, depth = project(sensor, np.column_stack((ground, np.zeros(50))))
    assert np.all(depth > 0.0)
    again, valid = ground_points(sensor, pixels)
    assert valid.all()
    np.testing.assert_allclose(again, ground, rtol=1e-9, atol=1e-8)


def test_rotation_is_proper_and_its_columns_are_right_down_forward() -> None:
    np.testing.assert_allclose(
        base_from_optical(camera()), np.array(((0, 0, 1), (-1, 0, 0), (0, -1, 0))), atol=1e-12
    )
    turned = base_from_optical(camera(0.8, 0.2))
    np.testing.assert_allclose(turned.T @ turned, np.eye(3), atol=1e-12)
    assert np.linalg.det(turned) == pytest.approx(1.0)


def test_a_point_to_the_left_appears_left_and_a_higher_point_higher() -> None:
    left, _ = project(camera(), np.array(((20.0, 2.0, 1.4),)))
    high, _ = project(camera(), np.array(((20.0, 0.1, 2.4),)))
    assert left[0, 0] < 960.0
    assert high[0, 1] < 540.0
    assert high[0, 0] == pytest.approx(960.0)


def test_yaw_to_the_left_moves_the_view_left_and_pitch_moves_it_down() -> None:
    ahead = np.array(((40.0, 0.1, 1.4),))
    assert project(camera(yaw=0.1), ahead)[0][0, 0] > 960.0
    assert project(camera(pitch=0.1), ahead)[0][0, 1] < 540.0


def test_pixels_above_the_horizon_meet_no_ground_and_stay_finite() -> None:
    points, valid = ground_points(camera(), np.array(((960.0, 539.0), (960.0, 541.0), (960.0, 900.0))))
    assert valid.tolist() == [False, False, True]
    assert np.isfinite(points).all()


def test_points_behind_the_camera_have_negative_depth_and_finite_pixels() -> None:
    pixels, depth = project(camera(), np.array(((-10.0, 0.0, 0.0), (1.8, 0.0, 0.0))))
    assert depth[0] < 0.0
    assert np.isfinite(pixels).all()


def test_a_ray_has_unit_depth() -> None:
    sensor = camera(0.5, 0.1)
    ray = rays(sensor, np.array(((100.0, 900.0), (1500.0, 700.0))))
    np.testing.assert_allclose(ray @ base_from_optical(sensor)[:, 2], 1.0)


def test_a_sensor_without_image_is_refused() -> None:
    with pytest.raises(ValueError, match="front"):
        project(camera(image=False), np.zeros((1, 3)))


def test_several_cameras_at_once_project_like_each_alone():
    sensors = [camera(), camera(yaw=2.0, pitch=0.1, position=(-0.5, 0.9, 1.1))]
    points = np.random.default_rng(4).uniform(-40.0, 40.0, (6, 8, 3))
    which = (0, 1, 1, 0, 1, 0)
    pixels, depth = Cameras(sensors).project(np.array(which), points)
    for row, index in enumerate(which):
        own_pixels, own_depth = project(sensors[index], points[row])
        assert np.allclose(pixels[row], own_pixels, rtol=1e-12, atol=1e-6)
        assert np.allclose(depth[row], own_depth, rtol=1e-12, atol=1e-9)
