"""Lane marks as points in the image: the true lines ahead, projected, with pixel noise, hidden behind vehicles.

Shapes: B lines, K points on each.
"""

from dataclasses import dataclass

import numpy as np

from pilot_common.camera import image_of, project
from pilot_common.geometry import inverse, transform_points
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import MarkParameters
from pilot_simulation.road import SPACING
from pilot_simulation.scene import Scene

SCORE = 0.9
OWN_LANE = 2.6  # m: nearer lines bound the own lane


@dataclass(frozen=True, slots=True)
class ImageMarks:
    """The part of `CameraObjects` that tells of lines."""

    mark: np.ndarray  # (Q,) uint8
    point_px: np.ndarray  # (Q, 2)
    kind: np.ndarray  # (M,) uint8
    score: np.ndarray  # (M,)

    @classmethod
    def none(cls) -> "ImageMarks":
        """No lines."""
        return cls(np.empty(0, np.uint8), np.empty((0, 2)), np.empty(0, np.uint8), np.empty(0))


class LaneMarkModel:
    """One camera."""

    def __init__(self, sensor: Sensor, parameters: MarkParameters, generator: np.random.Generator) -> None:
        self._sensor, self._parameters, self._generator = sensor, parameters, generator
        image = image_of(sensor)
        self._size = np.array((image.width_px, image.height_px), float)
        self._distance = np.geomspace(parameters.nearest, parameters.farthest, parameters.points)
        span = parameters.farthest - parameters.nearest
        self._point_probability = (
            1.0 - (1.0 - parameters.point_probability) * (self._distance - parameters.nearest) / span
        )

    def measure(self, scene: Scene, box: np.ndarray, box_distance: np.ndarray) -> ImageMarks:
        """Lines right to left; `box` (V, 4) are the boxes in this image and how far they are (V,)."""
        road, place, parameters, generator = scene.road, scene.place, self._parameters, self._generator
        here = road.index(place.station + self._sensor.position[0])
        beside = road.boundary[:, here] - place.offset
        lines = np.flatnonzero(road.boundary_exists[:, here] & (np.abs(beside) < parameters.reach))
        probability = np.where(
            np.abs(beside[lines]) < OWN_LANE, parameters.near_probability, parameters.far_probability
        )
        lines = lines[generator.random(len(lines)) < probability]
        count = len(self._distance)
        if len(lines) == 0:
            return ImageMarks.none()
        pixel, there = self._project_lines(scene, lines)
        pixel = pixel + self._sensor.errors.pixel_px * generator.standard_normal(pixel.shape)
        there &= np.all((pixel >= 0.0) & (pixel <= self._size), axis=-1)
        there &= generator.random((len(lines), count)) < self._point_probability
        there &= ~self._hidden(pixel, box, box_distance)
        kept = there.sum(1) >= parameters.fewest_points
        there, lines = there[kept], lines[kept]
        row, _ = np.nonzero(there)
        score = np.clip(SCORE + parameters.score_deviation * generator.standard_normal(len(lines)), 0.0, 1.0)
        return ImageMarks(row.astype(np.uint8), pixel[kept][there], road.boundary_kind[lines], score)

    def _project_lines(self, scene: Scene, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (B, K, 2) and which points of the lines exist (B, K)."""
        road = scene.road
        station = scene.place.station + self._sensor.position[0] + self._distance
        point, heading, _ = road.line.at(station)
        normal = np.stack((-np.sin(heading), np.cos(heading)), axis=-1)
        column = np.clip((station / SPACING + 0.5).astype(int), 0, len(road.line.station) - 1)
        offset = road.boundary[lines][:, column]
        point_map = point + offset[..., None] * normal
        point_base = transform_points(inverse(scene.pose), point_map.reshape(-1, 2))
        flat = np.zeros((len(point_base), 3))
        flat[:, :2] = point_base
        pixel, depth = project(self._sensor, flat)
        shape = (len(lines), len(station))
        there = road.boundary_exists[lines][:, column] & (depth.reshape(shape) > 1.0)
        return pixel.reshape(*shape, 2), there

    def _hidden(self, pixel: np.ndarray, box: np.ndarray, box_distance: np.ndarray) -> np.ndarray:
        """Points (B, K) that lie in the box of a nearer vehicle."""
        if len(box) == 0:
            return np.zeros(pixel.shape[:2], bool)
        x, y = pixel[..., 0, None], pixel[..., 1, None]
        inside = (x > box[:, 0]) & (x < box[:, 2]) & (y > box[:, 1]) & (y < box[:, 3])
        return np.any(inside & (self._distance[:, None] > box_distance), axis=-1)
