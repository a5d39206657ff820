"""Lane marks as points in the image: the true lines ahead, projected, with pixel noise, hidden behind vehicles.

Shapes: B lines, K points on each.
"""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.camera import OneCamera, image_of
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import MarkParameters
from pilot_simulation.road import SPACING, TrueRoad
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
        self._camera = OneCamera(sensor)
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
        beside, there = self._beside(road, here)
        beside -= place.offset
        lines = (there & (np.abs(beside) < parameters.reach)).nonzero()[0]
        probability = np.where(
            np.abs(beside[lines]) < OWN_LANE, parameters.near_probability, parameters.far_probability
        )
        lines = lines[generator.random(len(lines)) < probability]
        if len(lines) == 0:
            return ImageMarks.none()
        pixel, there = self._project_lines(scene, lines)
        there &= generator.random(there.shape) < self._point_probability
        point = there.ravel().nonzero()[0]
        row, column = np.divmod(point, there.shape[1])
        pixel = pixel.reshape(-1, 2).take(point, axis=0)
        pixel += self._sensor.errors.pixel_px * generator.standard_normal(pixel.shape)
        inside = pixel >= 0.0
        inside &= pixel <= self._size
        seen = inside[:, 0] & inside[:, 1]
        seen &= ~self._hidden(pixel, self._distance.take(column), box, box_distance)
        kept = np.bincount(row[seen], minlength=len(lines)) >= parameters.fewest_points
        seen &= kept.take(row)
        mark = row[seen].astype(np.uint8)
        if not kept.all():
            lines, mark = lines[kept], (np.cumsum(kept) - 1).astype(np.uint8).take(mark)
        score = SCORE + parameters.score_deviation * generator.standard_normal(len(lines))
        score = np.minimum(np.maximum(score, 0.0), 1.0)
        return ImageMarks(mark, pixel[seen], road.boundary_kind[lines], score)

    def _beside(self, road: TrueRoad, here: int) -> tuple[np.ndarray, np.ndarray]:
        """Offset of each line (B,) where it is first seen, at the camera or ahead of it, and whether it is in sight at all."""
        if road.even:
            return road.boundary[:, here].copy(), road.boundary_exists[:, here]
        ahead = road.boundary_exists[:, here : here + int(self._parameters.farthest / SPACING)]
        first = here + ahead.argmax(axis=1)
        return road.boundary[np.arange(len(first)), first], np.logical_or.reduce(ahead, axis=1)

    def _project_lines(self, scene: Scene, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (B, K, 2) and which points of the lines exist (B, K)."""
        road, pose = scene.road, scene.pose
        place = (scene.place.station + self._sensor.position[0] + self._distance) / SPACING
        last = len(road.line.station) - 1
        piece = np.minimum(np.maximum(place, 0.0).astype(np.intp), last - 1)
        point = road.line.point.take(piece, axis=0)
        chord = road.line.point.take(piece + 1, axis=0)
        chord -= point
        point += (place - piece)[:, None] * chord
        cosine, sine = math.cos(pose[2]), math.sin(pose[2])
        base_from_map = np.array(((cosine, -sine), (sine, cosine)))
        point -= pose[:2]
        point = point @ base_from_map
        along = chord @ base_from_map / SPACING  # unit vector: points are `SPACING` apart
        if road.even:
            offset, there = road.boundary[lines, :1], True
        else:
            begin, end = (lines[:, None], piece), (lines[:, None], piece + 1)
            offset = road.boundary[begin] + (place - piece) * (road.boundary[end] - road.boundary[begin])
            there = road.boundary_exists[begin] & road.boundary_exists[end]
        base = np.zeros((len(lines), len(piece), 3))
        np.subtract(point[:, 0], offset * along[:, 1], out=base[:, :, 0])
        np.add(point[:, 1], offset * along[:, 0], out=base[:, :, 1])
        pixel, depth = self._camera.project(base)
        return pixel, (depth > 1.0) & there

    @staticmethod
    def _hidden(
        pixel: np.ndarray, distance: np.ndarray, box: np.ndarray, box_distance: np.ndarray
    ) -> np.ndarray:
        """Points (Q,), in the image and so far away, that lie in the box of a nearer vehicle."""
        if len(box) == 0:
            return np.zeros(len(pixel), bool)
        x, y = pixel[:, :1], pixel[:, 1:]
        inside = x > box[:, 0]
        inside &= x < box[:, 2]
        inside &= y > box[:, 1]
        inside &= y < box[:, 3]
        inside &= distance[:, None] > box_distance
        return np.logical_or.reduce(inside, axis=1)
