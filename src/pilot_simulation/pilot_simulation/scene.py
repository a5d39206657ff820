"""What there is to be seen at one instant, and how much of it each sensor sees. Shapes: N objects, S sensors, K rays, V views."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilot_common.geometry import Pose
from pilot_common.vehicle import Sensor
from pilot_simulation.actors import SEEN_BY_ALL, SENSOR_BITS, Others, Traits
from pilot_simulation.parameters import Detectability
from pilot_simulation.road import Place, TrueRoad
from pilot_simulation.sensor_kernels import (
    DISTANCE,
    NEAREST_X,
    NEAREST_Y,
    OBJECT,
    RAYS,
    SENSOR,
    VISIBLE,
    detection_probability,
    look,
    object_table,
)

__all__ = ["RAYS", "Clutter", "Scene", "Viewpoints", "Views", "columns", "make_scene"]


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
    seen_by: np.ndarray  # (N,) uint8, bit set of `SENSOR_BITS`
    objects: np.ndarray  # (N, 11), columns as in `sensor_kernels.py`
    traits: Traits | None  # none: all are ordinary road users


def make_scene(
    stamp: float, road: TrueRoad, pose: Pose, place: Place, speed: float, yaw_rate: float, others: Others
) -> Scene:
    """The others as seen from the ego."""
    traits, count = others.traits, len(others.class_id)
    objects = object_table(
        *pose,
        others.position,
        others.heading,
        others.way,
        others.speed,
        others.extent,
        np.zeros(count) if traits is None else traits.elevation,
    )
    seen_by = np.full(count, SEEN_BY_ALL, np.uint8) if traits is None else traits.seen_by
    return Scene(stamp, road, pose, place, speed, yaw_rate, others.class_id, seen_by, objects, traits)


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

    table: np.ndarray  # (V, 6), columns as in `sensor_kernels.py`

    @property
    def sensor(self) -> np.ndarray:
        """(V,)."""
        return self.table[:, SENSOR].astype(np.intp)

    @property
    def object(self) -> np.ndarray:
        """(V,)."""
        return self.table[:, OBJECT].astype(np.intp)

    @property
    def distance(self) -> np.ndarray:
        """(V,) m, to the nearest point."""
        return self.table[:, DISTANCE]

    @property
    def nearest(self) -> np.ndarray:
        """(V, 2)."""
        return self.table[:, NEAREST_X : NEAREST_Y + 1]

    @property
    def visible(self) -> np.ndarray:
        """(V,)."""
        return self.table[:, VISIBLE]


class Viewpoints:
    """S sensors of one kind, their mounts as arrays."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self.position = np.array([sensor.position for sensor in sensors])
        self.yaw = np.array([sensor.yaw for sensor in sensors])
        self.half_view = np.array([0.5 * sensor.field_of_view for sensor in sensors])
        self.range = np.array([sensor.range for sensor in sensors])
        self.probability = np.array([sensor.errors.detection_probability for sensor in sensors])
        turn = np.cos(self.yaw), np.sin(self.yaw)
        self.mounts = np.column_stack((self.position, self.yaw, *turn, self.half_view, self.range))
        self._bits = np.array([SENSOR_BITS[sensor.kind.value] for sensor in sensors], np.uint8)

    def look(self, scene: Scene) -> Views:
        """Who is in range and in the field of view, and how much of each is visible."""
        return Views(look(scene.objects, self.mounts, scene.seen_by, self._bits))

    def probabilities(self, views: Views, rule: Detectability, hidden_factor: float = 0.0) -> np.ndarray:
        """Of detection (V,); one that is hidden keeps `hidden_factor` of it."""
        fall = (1.0 - rule.probability_at_range) / (1.0 - rule.full_range)
        return detection_probability(
            views.table,
            self.mounts,
            self.probability,
            rule.full_range,
            fall,
            rule.hidden,
            rule.clear,
            hidden_factor,
        )


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
