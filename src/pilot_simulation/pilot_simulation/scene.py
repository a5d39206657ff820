"""What there is to be seen at one instant, and how much of it each sensor sees. Shapes: N objects, S sensors, K rays, V views."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilot_common.geometry import Pose, box_corners, wrap_angle
from pilot_common.vehicle import Sensor
from pilot_simulation.actors import SENSOR_BITS, Others, Traits
from pilot_simulation.parameters import Detectability
from pilot_simulation.road import Place, TrueRoad

RAYS = 8  # over the angle of an object: visible shares come in eighths
RAY_SHARES = (np.arange(RAYS) + 0.5) / RAYS


@dataclass(frozen=True, slots=True)
class Scene:
    """N objects in `base_link` of the ego at `stamp`; velocities over ground. `pose` and `place` are of the ego's rear axle."""

    stamp: float
    road: TrueRoad
    pose: Pose  # map_from_base
    place: Place
    speed: float
    yaw_rate: float
    class_id: np.ndarray  # (N,)
    extent: np.ndarray  # (N, 3)
    centre: np.ndarray  # (N, 2)
    heading: np.ndarray  # (N,), in (−π, π]
    velocity: np.ndarray  # (N, 2)
    corner: np.ndarray  # (N, 4, 2)
    traits: Traits | None  # none: all are ordinary road users

    @property
    def elevation(self) -> np.ndarray:
        """Of the lower edges (N,), m above the road."""
        return np.zeros(len(self.class_id)) if self.traits is None else self.traits.elevation


def make_scene(
    stamp: float, road: TrueRoad, pose: Pose, place: Place, speed: float, yaw_rate: float, others: Others
) -> Scene:
    """The others as seen from the ego."""
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    delta = others.position - np.array(pose[:2])
    centre = delta @ np.array(((cosine, -sine), (sine, cosine)))
    heading = wrap_angle(others.heading - pose[2])
    way = heading if others.traits is None else others.way - pose[2]
    velocity = columns(others.speed * np.cos(way), others.speed * np.sin(way))
    corner = box_corners(centre, heading, others.extent[:, 0], others.extent[:, 1])
    return Scene(
        stamp,
        road,
        pose,
        place,
        speed,
        yaw_rate,
        others.class_id,
        others.extent,
        centre,
        heading,
        velocity,
        corner,
        others.traits,
    )


def columns(*vectors: np.ndarray) -> np.ndarray:
    """Vectors (V,) side by side as (V, C): `np.stack` along the last axis at a third of its cost for short vectors."""
    side_by_side = np.empty((len(vectors[0]), len(vectors)))
    for column, vector in enumerate(vectors):
        side_by_side[:, column] = vector
    return side_by_side


@dataclass(frozen=True, slots=True)
class Views:
    """V pairs of a sensor (row among those given) and an object, ordered by sensor, then object.

    `nearest` is the point of the object's outline nearest to the sensor, in the object's own frame; `visible` the share of the
    object's angle that lies in the field of view and is not behind others.
    """

    sensor: np.ndarray  # (V,)
    object: np.ndarray  # (V,)
    distance: np.ndarray  # (V,) m, to the nearest point
    nearest: np.ndarray  # (V, 2)
    visible: np.ndarray  # (V,)

    def of_sensors(self, first: int, end: int) -> "Views":
        """Those of the sensors in rows `first` to `end` (exclusive), which become the rows from 0 on."""
        low, high = self.sensor.searchsorted(np.array((first, end))).tolist()
        own = slice(low, high)
        return Views(
            self.sensor[own] - first,
            self.object[own],
            self.distance[own],
            self.nearest[own],
            self.visible[own],
        )


class Viewpoints:
    """S sensors of one kind, their mounts as arrays."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self.position = np.array([sensor.position for sensor in sensors])
        self.yaw = np.array([sensor.yaw for sensor in sensors])
        self.half_view = np.array([0.5 * sensor.field_of_view for sensor in sensors])
        self.range = np.array([sensor.range for sensor in sensors])
        self.probability = np.array([sensor.errors.detection_probability for sensor in sensors])
        self._bit = np.array([[SENSOR_BITS[sensor.kind.value]] for sensor in sensors], np.uint8)
        # The same as columns (S, 1).
        self._x, self._y = self.position[:, :1], self.position[:, 1:2]
        self._cosine, self._sine = np.cos(self.yaw)[:, None], np.sin(self.yaw)[:, None]
        self._half_view, self._range = self.half_view[:, None], self.range[:, None]

    def look(self, scene: Scene) -> Views:
        """Who is in range and in the field of view, and how much of each is visible."""
        # All up to the pairs are (S, N).
        x, y = scene.centre[:, 0] - self._x, scene.centre[:, 1] - self._y
        cosine, sine = np.cos(scene.heading), np.sin(scene.heading)
        half_length, half_width = 0.5 * scene.extent[:, 0], 0.5 * scene.extent[:, 1]
        local_x = -(x * cosine + y * sine)  # the sensor in the object's frame
        local_y = x * sine - y * cosine
        nearest_x = np.minimum(np.maximum(local_x, -half_length), half_length)
        nearest_y = np.minimum(np.maximum(local_y, -half_width), half_width)
        distance = np.hypot(local_x - nearest_x, local_y - nearest_y)
        bearing = np.arctan2(y * self._cosine - x * self._sine, x * self._cosine + y * self._sine)
        # Half of the angle that an object fills is less than this.
        slack = (half_length + half_width) / np.maximum(distance, 0.1)
        near = (distance <= self._range) & (np.abs(bearing) <= self._half_view + slack)
        if scene.traits is not None:
            near &= (scene.traits.seen_by & self._bit) > 0
        pair = near.ravel().nonzero()[0]
        sensor, index = np.divmod(pair, near.shape[1])
        centre = x.take(pair)[:, None], y.take(pair)[:, None]
        nearest = columns(nearest_x.take(pair), nearest_y.take(pair))
        return self._visible(scene, sensor, index, centre, distance.take(pair), bearing.take(pair), nearest)

    def _visible(
        self,
        scene: Scene,
        sensor: np.ndarray,
        index: np.ndarray,
        centre: tuple[np.ndarray, np.ndarray],
        distance: np.ndarray,
        bearing: np.ndarray,
        nearest: np.ndarray,
    ) -> Views:
        """Clips each pair's angle to the field of view and casts rays over it, past all nearer objects of the same sensor.

        `centre` is the object's, relative to the sensor: x and y (V, 1).
        """
        x, y = centre
        mount = self.position.take(sensor, axis=0)
        corner = scene.corner.take(index, axis=0)
        corner_x, corner_y = corner[:, :, 0] - mount[:, :1], corner[:, :, 1] - mount[:, 1:2]
        swing = np.arctan2(x * corner_y - y * corner_x, x * corner_x + y * corner_y)  # left of the centre
        low, high = bearing + swing.min(1, initial=0.0), bearing + swing.max(1, initial=0.0)
        view = self.half_view.take(sensor)
        low_seen, high_seen = np.maximum(low, -view), np.minimum(high, view)
        width = high_seen - low_seen
        seen = width > 0.0
        share = np.maximum(width, 0.0) / np.maximum(high - low, 1e-6)
        height, eye = scene.extent[:, 2].take(index), mount[:, 2]
        far = np.maximum(distance, 0.1)
        raised = scene.traits is not None
        if raised:
            eye = eye - scene.elevation.take(index)
        top, middle = (height - eye) / far, (0.5 * height - eye) / far
        rays = low_seen[:, None] + width[:, None] * RAY_SHARES
        hides = distance < distance[:, None]
        hides &= sensor[:, None] == sensor
        hides &= top >= middle[:, None]
        if raised:  # one sees below an overhead sign
            hides &= -eye / far <= middle[:, None]
        hides &= low < high_seen[:, None]
        hides &= high > low_seen[:, None]
        behind, before = hides.nonzero()
        visible = share
        if len(behind):
            ray = rays.take(behind, axis=0)
            blocked = ray >= low.take(before)[:, None]
            blocked &= ray <= high.take(before)[:, None]
            starts = np.empty(len(behind), bool)
            starts[0] = True
            np.not_equal(behind[1:], behind[:-1], out=starts[1:])
            first = starts.nonzero()[0]
            hidden = np.logical_or.reduceat(blocked, first, axis=0)
            visible[behind.take(first)] *= 1.0 - hidden.sum(axis=1) / RAYS
        if not seen.all():
            return Views(sensor[seen], index[seen], distance[seen], nearest[seen], visible[seen])
        return Views(sensor, index, distance, nearest, visible)

    def probabilities(self, views: Views, rule: Detectability, hidden_factor: float = 0.0) -> np.ndarray:
        """Of detection (V,); one that is hidden keeps `hidden_factor` of it."""
        share = views.distance / self.range.take(views.sensor)
        fall = (1.0 - rule.probability_at_range) / (1.0 - rule.full_range)
        by_range = 1.0 - fall * np.maximum(share - rule.full_range, 0.0)
        by_view = np.minimum(
            np.maximum((views.visible - rule.hidden) / (rule.clear - rule.hidden), hidden_factor), 1.0
        )
        return self.probability.take(views.sensor) * by_range * by_view


class Clutter:
    """How many false measurements each of S sensors makes in a cycle: independent Poisson numbers, drawn as one."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        mean = np.array([sensor.errors.clutter for sensor in sensors])
        self._total = float(mean.sum())
        self._borders = np.cumsum(mean)[:-1]  # between the sensors' parts of the total

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """The sensor's row of each false measurement, in rising order."""
        count = generator.poisson(self._total)
        if count == 0:
            return np.empty(0, np.intp)
        rows = self._borders.searchsorted(self._total * generator.random(count), side="right")
        rows.sort()
        return rows


def from_object_frame(scene: Scene, index: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Points (V, 2) given in the frames of objects `index` (V,), in `base_link`."""
    heading = scene.heading.take(index)
    cosine, sine = np.cos(heading), np.sin(heading)
    x = local[:, 0] * cosine - local[:, 1] * sine
    y = local[:, 0] * sine + local[:, 1] * cosine
    return scene.centre.take(index, axis=0) + columns(x, y)
