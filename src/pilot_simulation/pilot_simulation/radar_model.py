"""Radar: one or two returns from the outline of each object seen, with Doppler along the beam, and clutter."""

from collections.abc import Sequence

import numpy as np

from pilot_common.types import ObjectClass, RadarReturns
from pilot_common.vehicle import Sensor
from pilot_simulation.parameters import RadarParameters
from pilot_simulation.scene import Clutter, Scene, Viewpoints
from pilot_simulation.sensor_kernels import radar_returns, reflections

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
        deviation = parameters.cross_section_deviation
        self._errors = np.array(
            [(s.errors.range, s.errors.azimuth, s.errors.range_rate, deviation) for s in sensors]
        )
        self._clutter = Clutter(sensors)
        by_class = dict.fromkeys(ObjectClass, parameters.small_cross_section)
        by_class |= {
            ObjectClass.CAR: parameters.car_cross_section,
            ObjectClass.TRUCK: parameters.truck_cross_section,
        }
        self._cross_section = np.array([by_class[kind] for kind in ObjectClass])

    def measure(self, scene: Scene) -> RadarReturns:
        """One cycle of all of them, ordered by sensor; clutter of a sensor comes after its objects."""
        generator, parameters, viewpoints = self._generator, self._parameters, self._viewpoints
        views = viewpoints.look(scene)
        probability = viewpoints.probabilities(views, parameters.detectability, parameters.under_ride)
        draw = generator.random((2, len(probability)))
        rows, first = reflections(
            views.table, probability, draw, parameters.second_probability, parameters.second_range
        )
        along = generator.uniform(-FACE_MARGIN, FACE_MARGIN, len(rows) - first)
        false_sensor = self._clutter.draw(generator)
        sensor, told = radar_returns(
            views.table,
            rows,
            along,
            scene.objects,
            viewpoints.mounts,
            self._mean_cross_section(scene),
            parameters.clutter_cross_section,
            false_sensor,
            generator.random((4, len(false_sensor))),
            generator.standard_normal((len(rows) + len(false_sensor), 4)),
            self._errors,
            scene.speed,
            scene.yaw_rate,
            parameters.standing_clutter,
            FASTEST_CLUTTER,
        )
        distance, azimuth, range_rate, cross_section = told
        return RadarReturns(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index.take(sensor),
            range=distance,
            azimuth=azimuth,
            range_rate=range_rate,
            cross_section=cross_section,
        )

    def _mean_cross_section(self, scene: Scene) -> np.ndarray:
        """Of the objects (N,): their own where they have one, else that of their kind."""
        usual, traits = self._cross_section.take(scene.class_id), scene.traits
        return usual if traits is None else np.where(traits.has_cross_section, traits.cross_section, usual)
