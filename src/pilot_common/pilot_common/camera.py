"""The pinhole camera on the car: one projection for detection, simulation and evaluation.

The principal point is the image centre, the focal length the same on both axes, no distortion. Pixels are (right, down) from the
upper left corner. In the optical frame z is forward, x right, y down. A mount is its position in `base_link`, then yaw (left
positive), then pitch (nose down positive); cameras are mounted without roll. Shapes: N points.
"""

import math
from collections.abc import Sequence

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.vehicle import Image, Sensor

# Pixels are computed for at least this depth, so that points beside or behind the camera stay finite (their depth tells), m.
SMALLEST_DEPTH = 1e-3
# Rays must fall at least this much per metre of length to meet the ground: within 1,000 m from 1 m height.
SMALLEST_FALL = 1e-3


def base_from_optical(sensor: Sensor) -> np.ndarray:
    """Rotation (3, 3) from the optical frame to base_link: its columns are right, down and forward of the camera."""
    cosine_yaw, sine_yaw = math.cos(sensor.yaw), math.sin(sensor.yaw)
    cosine_pitch, sine_pitch = math.cos(sensor.pitch), math.sin(sensor.pitch)
    return np.array(
        (
            (sine_yaw, -cosine_yaw * sine_pitch, cosine_yaw * cosine_pitch),
            (-cosine_yaw, -sine_yaw * sine_pitch, sine_yaw * cosine_pitch),
            (0.0, -cosine_pitch, -sine_pitch),
        )
    )


def image_of(sensor: Sensor) -> Image:
    """The sensor's image. Raises ValueError where it has none."""
    if sensor.image is None:
        raise ValueError(f"sensor {sensor.name} has no image")
    return sensor.image


class OneCamera:
    """One camera, its geometry computed once."""

    def __init__(self, sensor: Sensor) -> None:
        image = image_of(sensor)
        self._rotation = base_from_optical(sensor)
        self._shift = np.array(sensor.position) @ self._rotation
        self._focal_length = np.array(image.focal_length_px)
        self._centre = np.array((0.5 * image.width_px, 0.5 * image.height_px))

    def project(self, points_base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (…, 2) and depth (…) of points (…, 3).

        Pixels mean something at positive depth only; they may lie outside the image.
        """
        optical = points_base @ self._rotation
        optical -= self._shift
        return _pixels(optical, self._focal_length, self._centre)


class Cameras:
    """Several cameras as arrays, to project points of all of them at once."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        images = [image_of(sensor) for sensor in sensors]
        self._position = np.array([sensor.position for sensor in sensors])
        self._rotation = np.array([base_from_optical(sensor) for sensor in sensors])
        self._focal_length = np.array([image.focal_length_px for image in images])
        self._centre = 0.5 * np.array([(image.width_px, image.height_px) for image in images])

    def project(self, camera: np.ndarray, points_base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `OneCamera.project`, for groups of K points (N, K, 3), each group in the image of one `camera` (N,).

        Returns pixels (N, K, 2) and depth (N, K).
        """
        optical = (points_base - self._position[camera, None]) @ self._rotation[camera]
        return _pixels(optical, self._focal_length[camera, None], self._centre[camera, None])


def _pixels(
    optical: np.ndarray, focal_length: np.ndarray, centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (…, 2) and depth (…) of points (…, 3) in the optical frame."""
    depth = optical[..., 2]
    scale = focal_length / np.maximum(depth, SMALLEST_DEPTH)
    pixels = optical[..., :2] * scale[..., None]
    pixels += centre
    return pixels, depth


class GroundView:
    """One camera's view of the ground, its geometry computed once."""

    def __init__(self, sensor: Sensor) -> None:
        image, rotation = image_of(sensor), base_from_optical(sensor)
        self._per_pixel = np.ascontiguousarray(rotation[:, :2].T) / image.focal_length_px
        self._corner = rotation[:, 2] - (0.5 * image.width_px, 0.5 * image.height_px) @ self._per_pixel
        self._place, self._height = np.array(sensor.position[:2]), sensor.position[2]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Directions (N, 3) in base_link through pixels (N, 2), of unit depth: a point at depth d lies at position + d · ray."""
        ray = pixels @ self._per_pixel
        ray += self._corner
        return ray

    def points(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 2) in base_link where the rays through pixels (N, 2) meet the ground plane z = 0, and which do (N,).

        A pixel on or above the horizon meets it nowhere: its point is that of a ray just below the horizon, and not valid.
        """
        return _ground_points(
            np.ascontiguousarray(pixels), self._per_pixel, self._corner, self._place, self._height
        )


@compiled
def _ground_points(
    pixels: np.ndarray, per_pixel: np.ndarray, corner: np.ndarray, place: np.ndarray, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """See `GroundView.points`."""
    points, meets = np.empty((len(pixels), 2)), np.empty(len(pixels), np.bool_)
    for row in range(len(pixels)):
        across, down = pixels[row, 0], pixels[row, 1]
        ahead = across * per_pixel[0, 0] + down * per_pixel[1, 0] + corner[0]
        left = across * per_pixel[0, 1] + down * per_pixel[1, 1] + corner[1]
        fall = -(across * per_pixel[0, 2] + down * per_pixel[1, 2] + corner[2])
        smallest = SMALLEST_FALL * math.sqrt(ahead * ahead + left * left + fall * fall)
        depth = height / max(fall, smallest)
        points[row, 0], points[row, 1] = place[0] + ahead * depth, place[1] + left * depth
        meets[row] = fall > smallest
    return points, meets


def project(sensor: Sensor, points_base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `OneCamera.project`, of a camera looked up once."""
    return OneCamera(sensor).project(np.asarray(points_base, float))


def rays(sensor: Sensor, pixels: np.ndarray) -> np.ndarray:
    """As `GroundView.rays`, of a camera looked up once."""
    return GroundView(sensor).rays(np.asarray(pixels, float))


def ground_points(sensor: Sensor, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `GroundView.points`, of a camera looked up once."""
    return GroundView(sensor).points(np.asarray(pixels, float))
