"""Radar: one or two returns from the outline of each object seen, with Doppler along the beam, and clutter."""

from collections.abc import Sequence

import numpy as np

from pilot_common.geometry import wrap_angle
from pilot_common.types import ObjectClass, RadarReturns
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import RadarParameters
from pilot_simulation.scene import Clutter, Scene, Viewpoints, Views, columns, from_object_frame

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
        self._clutter = Clutter(sensors)
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
        draw = generator.random((2, len(probability)))
        seen = draw[0] < probability
        first = seen.nonzero()[0]
        seen &= draw[1] < parameters.second_probability
        seen &= views.distance < parameters.second_range
        second = seen.nonzero()[0]
        rows = np.concatenate((first, second))
        local = views.nearest.take(rows, axis=0)
        self._move_on_face(local[len(first) :], scene, views, second)
        true_sensor, index = views.sensor.take(rows), views.object.take(rows)
        false_sensor = self._clutter.draw(generator)
        sensor = np.concatenate((true_sensor, false_sensor))
        polar = np.empty((len(sensor), 3))
        own = self._sensor_velocity(scene, sensor)
        true, false = slice(0, len(rows)), slice(len(rows), None)
        self._polar(scene, true_sensor, index, local, own[true], polar[true])
        self._false_returns(false_sensor, own[false], polar[false])
        noise = generator.standard_normal((len(sensor), 4))
        polar += noise[:, :3] * self._errors.take(sensor, axis=0)
        cross_section = parameters.cross_section_deviation * noise[:, 3]
        cross_section[true] += self._mean_cross_section(scene, index)
        cross_section[false] += parameters.clutter_cross_section
        inside = (polar[:, 0] > 0.1) & (polar[:, 0] <= self._viewpoints.range.take(sensor))
        inside &= np.abs(polar[:, 1]) <= self._viewpoints.half_view.take(sensor)
        order = sensor.argsort(kind="stable")
        order = order[inside.take(order)]
        polar = polar.take(order, axis=0)
        return RadarReturns(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index.take(sensor.take(order)),
            range=polar[:, 0],
            azimuth=polar[:, 1],
            range_rate=polar[:, 2],
            cross_section=cross_section.take(order),
        )

    def _mean_cross_section(self, scene: Scene, index: np.ndarray) -> np.ndarray:
        """Of objects `index` (V,): their own where they have one, else that of their kind."""
        usual = self._cross_section.take(scene.class_id.take(index))
        if scene.traits is None:
            return usual
        return np.where(scene.traits.has_cross_section[index], scene.traits.cross_section[index], usual)

    def _move_on_face(self, local: np.ndarray, scene: Scene, views: Views, rows: np.ndarray) -> None:
        """Moves the nearest points `local` of the views `rows` to random points of their face, in the object's frame."""
        half = 0.5 * scene.extent.take(views.object.take(rows), axis=0)[:, :2]
        along = self._generator.uniform(-FACE_MARGIN, FACE_MARGIN, len(rows))
        end = np.abs(local[:, 0]) >= half[:, 0] - 1e-9  # front or rear face; a corner counts to it
        half *= along[:, None]
        np.copyto(local[:, 1], half[:, 1], where=end)
        np.copyto(local[:, 0], half[:, 0], where=~end)

    def _polar(
        self,
        scene: Scene,
        sensor: np.ndarray,
        index: np.ndarray,
        local: np.ndarray,
        own: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Range, azimuth, range rate to `out` (V, 3) of reflection points of objects `index` for mounts that move with `own`."""
        relative = from_object_frame(scene, index, local)
        relative -= self._viewpoints.position.take(sensor, axis=0)[:, :2]
        x, y = relative[:, 0], relative[:, 1]
        np.maximum(np.hypot(x, y), 1e-3, out=out[:, 0])
        out[:, 1] = wrap_angle(np.arctan2(y, x) - self._viewpoints.yaw.take(sensor))
        closing = scene.velocity.take(index, axis=0)
        closing -= own
        closing *= relative
        np.add(closing[:, 0], closing[:, 1], out=out[:, 2])
        out[:, 2] /= out[:, 0]

    def _sensor_velocity(self, scene: Scene, sensor: np.ndarray) -> np.ndarray:
        """Of the mount over ground (V, 2): the rear axle's speed and the yaw rate about it."""
        mount = self._viewpoints.position
        velocity = columns(scene.speed - scene.yaw_rate * mount[:, 1], scene.yaw_rate * mount[:, 0])
        return velocity.take(sensor, axis=0)

    def _false_returns(self, sensor: np.ndarray, own: np.ndarray, out: np.ndarray) -> None:
        """Range, azimuth, range rate to `out` (V, 3) of clutter, anywhere in view; most of it stands on the ground."""
        viewpoints = self._viewpoints
        draw = self._generator.random((4, len(sensor)))
        np.multiply(draw[0], viewpoints.range.take(sensor), out=out[:, 0])
        azimuth = np.multiply(2.0 * draw[1] - 1.0, viewpoints.half_view.take(sensor), out=out[:, 1])
        direction = azimuth + viewpoints.yaw.take(sensor)
        out[:, 2] = -own[:, 0] * np.cos(direction) - own[:, 1] * np.sin(direction)
        moving = draw[2] >= self._parameters.standing_clutter
        np.copyto(out[:, 2], (2.0 * draw[3] - 1.0) * FASTEST_CLUTTER, where=moving)
