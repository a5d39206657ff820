"""Lidar: boxes of the objects seen, as a network reports them from the points of a sweep."""

from collections.abc import Sequence

import numpy as np

from pilot_common.geometry import wrap_angle
from pilot_common.types import Detections, ObjectClass
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import LidarParameters
from pilot_simulation.scene import Clutter, Scene, Viewpoints, Views, columns, from_object_frame

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

    def measure(self, scene: Scene, views: Views | None = None) -> Detections:
        """One sweep of all of them. Far away only the near face is seen: neither heading nor extent is valid there.

        `views` of the scene are given where they are known already.
        """
        generator, parameters, viewpoints = self._generator, self._parameters, self._viewpoints
        views = viewpoints.look(scene) if views is None else views
        probability = viewpoints.probabilities(views, parameters.detectability)
        rows = np.flatnonzero(generator.random(len(probability)) < probability)
        sensor, index = views.sensor[rows], views.object[rows]
        whole = views.distance[rows] <= parameters.box_range * viewpoints.range[sensor]
        local = np.where(whole[:, None], 0.0, _face_centres(scene, views, rows))
        position = from_object_frame(scene, index, local)
        noise = generator.standard_normal((len(rows), 7))
        relative = position - viewpoints.position[sensor, :2]
        distance = np.hypot(relative[:, 0], relative[:, 1])
        beam = relative / np.maximum(distance, 1e-3)[:, None]
        across = columns(-beam[:, 1], beam[:, 0])
        centre = parameters.centre_deviation**2
        deviation_along = np.sqrt(self._errors[sensor, 0] ** 2 + centre)
        deviation_across = np.sqrt((self._errors[sensor, 1] * distance) ** 2 + centre)
        position = position + beam * (deviation_along * noise[:, 0])[:, None]
        position += across * (deviation_across * noise[:, 1])[:, None]
        covariance = deviation_along[:, None, None] ** 2 * beam[:, :, None] * beam[:, None, :]
        covariance += deviation_across[:, None, None] ** 2 * across[:, :, None] * across[:, None, :]
        extent = np.maximum(scene.extent[index] + parameters.extent_deviation * noise[:, 3:6], 0.2)
        score = np.minimum(np.maximum(SCORE + parameters.score_deviation * noise[:, 6], 0.0), 1.0)
        detections = Detections(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index[sensor],
            class_id=scene.class_id[index],
            score=score,
            position=np.column_stack((position, scene.elevation.take(index))),
            position_covariance=covariance,
            heading=wrap_angle(scene.heading[index] + parameters.heading_deviation * noise[:, 2]),
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


def _face_centres(scene: Scene, views: Views, rows: np.ndarray) -> np.ndarray:
    """Centres of the faces nearest to the sensor (V, 2), in the frames of the objects."""
    half = 0.5 * scene.extent[views.object[rows], :2]
    nearest = views.nearest[rows]
    end = np.abs(nearest[:, 0]) >= half[:, 0] - 1e-9
    return np.where(columns(end, ~end) > 0.0, np.sign(nearest) * half, 0.0)
