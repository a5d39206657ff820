"""Radar: one or two returns from the outline of each object seen, with Doppler along the beam, and clutter."""

from collections.abc import Sequence

import numpy as np

from pilot_common.geometry import wrap_angle
from pilot_common.types import ObjectClass, RadarReturns
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import RadarParameters
from pilot_simulation.scene import Scene, Viewpoints, Views, columns, from_object_frame

FACE_MARGIN = 0.9  # share of a face over which second returns are spread
FASTEST_CLUTTER = 40.0  # m/s, largest range rate of clutter that moves


class RadarModel:
    """All radars given, by their index in the vehicle; every measurement draws from `generator`."""

    def __init__(
        self,
        sensors: Sequence[Sensor],
        indices: Sequence[int],
        parameters: RadarParameters,
        generator: np.random.Generator,
    ) -> None:
        self._parameters, self._generator = parameters, generator
        self._index = np.array(indices, np.uint8)
        self._viewpoints = Viewpoints(sensors)
        self._errors = np.array([(s.errors.range, s.errors.azimuth, s.errors.range_rate) for s in sensors])
        self._clutter = np.array([sensor.errors.clutter for sensor in sensors])
        by_class = dict.fromkeys(ObjectClass, parameters.small_cross_section)
        by_class |= {
            ObjectClass.CAR: parameters.car_cross_section,
            ObjectClass.TRUCK: parameters.truck_cross_section,
        }
        self._cross_section = np.array([by_class[kind] for kind in ObjectClass])

    def measure(self, scene: Scene, views: Views | None = None) -> RadarReturns:
        """One cycle of all of them, ordered by sensor; clutter of a sensor comes after its objects.

        `views` of the scene are given where they are known already.
        """
        generator, parameters = self._generator, self._parameters
        views = self._viewpoints.look(scene) if views is None else views
        probability = self._viewpoints.probabilities(views, parameters.detectability, parameters.under_ride)
        seen = generator.random(len(probability)) < probability
        twice = seen & (views.distance < parameters.second_range)
        twice &= generator.random(len(seen)) < parameters.second_probability
        rows = np.concatenate((np.flatnonzero(seen), np.flatnonzero(twice)))
        local = views.nearest.take(rows, axis=0)
        second = np.arange(len(rows)) >= np.count_nonzero(seen)
        local[second] = self._elsewhere_on_face(scene, views, rows[second])
        polar, sensor = self._polar(scene, views, rows, local)
        cross_section = self._cross_section[scene.class_id[views.object[rows]]]
        false_polar, false_sensor = self._false_returns(scene)
        polar, sensor = np.concatenate((polar, false_polar)), np.concatenate((sensor, false_sensor))
        cross_section = np.concatenate(
            (cross_section, np.full(len(false_sensor), parameters.clutter_cross_section))
        )
        noise = generator.standard_normal((len(sensor), 4))
        polar += noise[:, :3] * self._errors.take(sensor, axis=0)
        inside = (polar[:, 0] > 0.1) & (polar[:, 0] <= self._viewpoints.range[sensor])
        inside &= np.abs(polar[:, 1]) <= self._viewpoints.half_view[sensor]
        order = np.flatnonzero(inside)
        order = order[np.argsort(sensor[order], kind="stable")]
        return RadarReturns(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index[sensor[order]],
            range=polar[order, 0],
            azimuth=polar[order, 1],
            range_rate=polar[order, 2],
            cross_section=(cross_section + parameters.cross_section_deviation * noise[:, 3])[order],
        )

    def _elsewhere_on_face(self, scene: Scene, views: Views, rows: np.ndarray) -> np.ndarray:
        """Random points of the face that holds the nearest point, in the object's frame."""
        local = views.nearest[rows].copy()
        half = 0.5 * scene.extent[views.object[rows], :2]
        along = self._generator.uniform(-FACE_MARGIN, FACE_MARGIN, len(rows))
        end = np.abs(local[:, 0]) >= half[:, 0] - 1e-9  # front or rear face; a corner counts to it
        local[end, 1] = along[end] * half[end, 1]
        local[~end, 0] = along[~end] * half[~end, 0]
        return local

    def _polar(
        self, scene: Scene, views: Views, rows: np.ndarray, local: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Range, azimuth, range rate (V, 3) of reflection points, and the sensor's row (V,)."""
        sensor, index = views.sensor[rows], views.object[rows]
        mount = self._viewpoints.position.take(sensor, axis=0)
        relative = from_object_frame(scene, index, local) - mount[:, :2]
        distance = np.maximum(np.hypot(relative[:, 0], relative[:, 1]), 1e-3)
        azimuth = np.arctan2(relative[:, 1], relative[:, 0]) - self._viewpoints.yaw[sensor]
        own = self._sensor_velocity(scene, sensor)
        closing = np.einsum("vi,vi->v", scene.velocity.take(index, axis=0) - own, relative) / distance
        return columns(distance, wrap_angle(azimuth), closing), sensor

    def _sensor_velocity(self, scene: Scene, sensor: np.ndarray) -> np.ndarray:
        """Of the mount over ground (V, 2): the rear axle's speed and the yaw rate about it."""
        mount = self._viewpoints.position[sensor]
        return columns(scene.speed - scene.yaw_rate * mount[:, 1], scene.yaw_rate * mount[:, 0])

    def _false_returns(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """Range, azimuth, range rate (V, 3) of clutter, anywhere in view; most of it stands on the ground."""
        generator, viewpoints = self._generator, self._viewpoints
        sensor = np.repeat(np.arange(len(self._clutter)), generator.poisson(self._clutter))
        draw = generator.random((len(sensor), 4))
        distance = draw[:, 0] * viewpoints.range[sensor]
        azimuth = (2.0 * draw[:, 1] - 1.0) * viewpoints.half_view[sensor]
        direction = azimuth + viewpoints.yaw[sensor]
        own = self._sensor_velocity(scene, sensor)
        standing = -own[:, 0] * np.cos(direction) - own[:, 1] * np.sin(direction)
        moving = (2.0 * draw[:, 3] - 1.0) * FASTEST_CLUTTER
        rate = np.where(draw[:, 2] < self._parameters.standing_clutter, standing, moving)
        return columns(distance, azimuth, rate), sensor
