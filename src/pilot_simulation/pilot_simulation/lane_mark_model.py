"""Lane marks as points in the image: the true lines ahead, projected, with pixel noise, hidden behind vehicles.

Shapes: B lines, K points on each.
"""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.camera import base_from_optical, image_of
from pilot_common.compiled import compiled
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
        self._parameters, self._generator = parameters, generator
        image, self._rotation = image_of(sensor), base_from_optical(sensor)
        self._position, self._deviation = np.array(sensor.position), sensor.errors.pixel_px
        self._image = np.array((image.focal_length_px, image.width_px, image.height_px), float)
        self._distance = np.geomspace(parameters.nearest, parameters.farthest, parameters.points)
        span = parameters.farthest - parameters.nearest
        self._point_probability = (
            1.0 - (1.0 - parameters.point_probability) * (self._distance - parameters.nearest) / span
        )

    def measure(self, scene: Scene, box: np.ndarray) -> ImageMarks:
        """Lines right to left; `box` (V, 5) is how far the boxes in this image are, and their left, top, right, bottom."""
        road, place, parameters, generator = scene.road, scene.place, self._parameters, self._generator
        station = place.station + float(self._position[0])
        lines, probability = lines_in_reach(
            road.boundary,
            road.boundary_exists,
            road.index(station),
            int(parameters.farthest / SPACING),
            place.offset,
            parameters.reach,
            parameters.near_probability,
            parameters.far_probability,
        )
        lines = lines[generator.random(len(lines)) < probability]
        if len(lines) == 0:
            return ImageMarks.none()
        mark, distance, pixel = line_points(
            lines,
            generator.random((len(lines), len(self._distance))),
            self._point_probability,
            station + self._distance,
            self._distance,
            road.line.point,
            road.boundary,
            road.boundary_exists,
            np.array(scene.pose),
            self._position,
            self._rotation,
            self._image,
        )
        noise = generator.standard_normal(pixel.shape)
        mark, pixel, kept = visible_points(
            mark,
            distance,
            pixel,
            noise,
            self._deviation,
            self._image,
            box,
            len(lines),
            parameters.fewest_points,
        )
        score = SCORE + parameters.score_deviation * generator.standard_normal(len(kept))
        score = np.minimum(np.maximum(score, 0.0), 1.0)
        return ImageMarks(mark, pixel, road.boundary_kind[lines[kept]], score)


@compiled
def lines_in_reach(
    boundary: np.ndarray,
    exists: np.ndarray,
    here: int,
    ahead: int,
    offset: float,
    reach: float,
    near: float,
    far: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Lines (B,) within `reach` where they first exist, `here` or up to `ahead` points on, and the probability to see each."""
    lines, probability = np.empty(len(boundary), np.int64), np.empty(len(boundary))
    count = 0
    for line in range(len(boundary)):
        for point in range(here, min(here + max(ahead, 1), exists.shape[1])):
            if exists[line, point]:
                beside = abs(boundary[line, point] - offset)
                if beside < reach:
                    lines[count], probability[count] = line, near if beside < OWN_LANE else far
                    count += 1
                break
    return lines[:count], probability[:count]


@compiled
def line_points(
    lines: np.ndarray,
    draw: np.ndarray,
    probability: np.ndarray,
    station: np.ndarray,
    distance: np.ndarray,
    road: np.ndarray,
    boundary: np.ndarray,
    exists: np.ndarray,
    pose: np.ndarray,
    position: np.ndarray,
    rotation: np.ndarray,
    image: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Marks, distances (Q,) and pixels (Q, 2) of the points ahead of the camera that exist and are seen: `draw` (B, K) decides.

    `station` (K,) are those of the points, `road` (P, 2) the reference line in `map`.
    """
    focal, middle_u, middle_v = image[0], 0.5 * image[1], 0.5 * image[2]
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    last = len(road) - 2
    mark, far = np.empty(draw.size, np.int64), np.empty(draw.size)
    pixel = np.empty((draw.size, 2))
    count = 0
    for row in range(len(lines)):
        line = lines[row]
        for column in range(len(station)):
            place = station[column] / SPACING
            piece = min(int(max(place, 0.0)), last)
            if draw[row, column] >= probability[column]:
                continue
            if not (exists[line, piece] and exists[line, piece + 1]):
                continue
            share = place - piece
            chord_x, chord_y = road[piece + 1, 0] - road[piece, 0], road[piece + 1, 1] - road[piece, 1]
            offset = boundary[line, piece] + share * (boundary[line, piece + 1] - boundary[line, piece])
            # The chord is `SPACING` long: by that it is a unit vector.
            to_x = road[piece, 0] + share * chord_x - pose[0] - offset * chord_y / SPACING
            to_y = road[piece, 1] + share * chord_y - pose[1] + offset * chord_x / SPACING
            x = to_x * cosine + to_y * sine - position[0]
            y = to_y * cosine - to_x * sine - position[1]
            z = -position[2]
            depth = x * rotation[0, 2] + y * rotation[1, 2] + z * rotation[2, 2]
            if depth > 1.0:
                right = x * rotation[0, 0] + y * rotation[1, 0] + z * rotation[2, 0]
                down = x * rotation[0, 1] + y * rotation[1, 1] + z * rotation[2, 1]
                pixel[count, 0] = right * (focal / depth) + middle_u
                pixel[count, 1] = down * (focal / depth) + middle_v
                mark[count], far[count] = row, distance[column]
                count += 1
    return mark[:count], far[:count], pixel[:count]


@compiled
def visible_points(
    mark: np.ndarray,
    distance: np.ndarray,
    pixel: np.ndarray,
    noise: np.ndarray,
    deviation: float,
    image: np.ndarray,
    box: np.ndarray,
    lines: int,
    fewest: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Marks (Q,) and noisy pixels (Q, 2) in the image that no nearer box hides, and the lines (M,) that keep at least `fewest`.

    Marks count the lines that are kept.
    """
    seen = np.zeros(len(mark), np.bool_)
    points = np.zeros(lines, np.int64)
    noisy = np.empty((len(mark), 2))
    for row in range(len(mark)):
        u, v = pixel[row, 0] + deviation * noise[row, 0], pixel[row, 1] + deviation * noise[row, 1]
        noisy[row, 0], noisy[row, 1] = u, v
        seen[row] = 0.0 <= u <= image[1] and 0.0 <= v <= image[2]
        for other in box:
            behind = distance[row] > other[0]
            if behind and other[1] < u < other[3] and other[2] < v < other[4]:
                seen[row] = False
        points[mark[row]] += seen[row]
    kept = np.empty(lines, np.int64)
    number = np.empty(lines, np.int64)
    count = 0
    for line in range(lines):
        number[line] = count
        if points[line] >= fewest:
            kept[count] = line
            count += 1
    told, marks = 0, np.empty(len(mark), np.uint8)
    for row in range(len(mark)):
        if seen[row] and points[mark[row]] >= fewest:
            marks[told], noisy[told] = number[mark[row]], noisy[row]
            told += 1
    return marks[:told], noisy[:told], kept[:count]
