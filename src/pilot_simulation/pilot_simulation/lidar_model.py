"""Lidar: boxes of the objects seen, as a network reports them from the points of a sweep."""

from collections.abc import Sequence

import numpy as np

from pilot_common.types import Detections, ObjectClass
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import LidarParameters
from pilot_simulation.scene import Clutter, Scene, Viewpoints
from pilot_simulation.sensor_kernels import lidar_boxes

CAR = (4.6, 1.85, 1.5)  # m, what false boxes look like
SCORE = 0.9
CLUTTER_SCORE = 0.5  # highest of a false box


class LidarModel:
    """All lidars given, by their index in the vehicle; every measurement draws from `generator`."""

    def __init__(
        self,
        sensors: Sequence[Sensor],
        indices: Sequence[int],
        parameters: LidarParameters,
        generator: np.random.Generator,
    ) -> None:
        self._parameters, self._generator = parameters, generator
        self._index = np.array(indices, np.uint8)
        self._viewpoints = Viewpoints(sensors)
        self._errors = np.array([(sensor.errors.range, sensor.errors.azimuth) for sensor in sensors])
        self._clutter = Clutter(sensors)

    def measure(self, scene: Scene) -> Detections:
        """One sweep of all of them. Far away only the near face is seen: neither heading nor extent is valid there."""
        generator, parameters, viewpoints = self._generator, self._parameters, self._viewpoints
        views = viewpoints.look(scene)
        probability = viewpoints.probabilities(views, parameters.detectability)
        rows = (generator.random(len(probability)) < probability).nonzero()[0]
        sensor, index, whole, position, covariance, heading, extent, score = lidar_boxes(
            views.table,
            rows,
            generator.standard_normal((len(rows), 7)),
            scene.objects,
            viewpoints.mounts,
            self._errors,
            parameters.box_range,
            parameters.centre_deviation,
            parameters.heading_deviation,
            parameters.extent_deviation,
            SCORE,
            parameters.score_deviation,
        )
        detections = Detections(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index.take(sensor),
            class_id=scene.class_id.take(index),
            score=score,
            position=position,
            position_covariance=covariance,
            heading=heading,
            heading_valid=whole,
            extent=extent,
            extent_valid=whole,
        )
        return self._with_false_boxes(detections)

    def _with_false_boxes(self, seen: Detections) -> Detections:
        generator, viewpoints = self._generator, self._viewpoints
        sensor = self._clutter.draw(generator)
        count = len(sensor)
        if count == 0:
            return seen
        draw = generator.random((count, 4))
        distance = draw[:, 0] * viewpoints.range[sensor] * self._parameters.box_range
        direction = viewpoints.yaw[sensor] + (2.0 * draw[:, 1] - 1.0) * viewpoints.half_view[sensor]
        position = viewpoints.position[sensor].copy()
        position[:, 2] = 0.0
        position[:, 0] += distance * np.cos(direction)
        position[:, 1] += distance * np.sin(direction)
        variance = self._errors[sensor, 0] ** 2 + self._parameters.centre_deviation**2
        added = {
            "sensor": self._index[sensor],
            "class_id": np.full(count, ObjectClass.CAR, np.uint8),
            "score": CLUTTER_SCORE * draw[:, 2],
            "position": position,
            "position_covariance": variance[:, None, None] * np.eye(2),
            "heading": (2.0 * draw[:, 3] - 1.0) * np.pi,
            "heading_valid": np.ones(count, bool),
            "extent": np.tile(CAR, (count, 1)),
            "extent_valid": np.ones(count, bool),
        }
        joined = {name: np.concatenate((getattr(seen, name), rows)) for name, rows in added.items()}
        return Detections(stamp=seen.stamp, sensors=seen.sensors, **joined)
