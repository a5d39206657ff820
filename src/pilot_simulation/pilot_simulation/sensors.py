"""All sensors of a vehicle: one message per kind and cycle, from those of its sensors that are due and not lost."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pilot_common.graph import Graph
from pilot_common.messages import Message
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_simulation.camera_model import CameraModel
from pilot_simulation.lidar_model import LidarModel
from pilot_simulation.parameters import Parameters
from pilot_simulation.radar_model import RadarModel
from pilot_simulation.scene import Scene

KINDS = (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)


class SensorSuite:
    """Measures for the topics of the graph whose source is a kind of sensor, one seeded generator for each kind."""

    def __init__(self, vehicle: Vehicle, graph: Graph, parameters: Parameters, seed: int) -> None:
        self._vehicle, self._parameters = vehicle, parameters
        self._generators = {
            kind: np.random.default_rng((seed, 1, number)) for number, kind in enumerate(KINDS)
        }
        self._topics = {
            kind: name for name, topic in graph.topics.items() for kind in KINDS if topic.source == kind.value
        }
        self._rates = {kind: graph.topics[name].rate for kind, name in self._topics.items()}
        self._latency = {kind: graph.latency(name, vehicle) for kind, name in self._topics.items()}
        self._models: dict[tuple[int, ...], Any] = {}
        self._build: dict[SensorKind, Callable[[tuple[int, ...]], Any]] = {
            SensorKind.CAMERA: self._cameras,
            SensorKind.RADAR: self._radars,
            SensorKind.LIDAR: self._lidars,
        }
        self.fitted = tuple(
            (kind, vehicle.fitted(kind)) for kind in KINDS if kind in self._topics and vehicle.fitted(kind)
        )
        self.rate = max((self._rates[kind] for kind, _ in self.fitted), default=20.0)  # cycles a second
        self._share = [min(sensor.rate / self.rate, 1.0) for sensor in vehicle.sensors]
        # Kinds with a sensor that misses cycles.
        self._slow = frozenset(
            kind for kind, fitted in self.fitted if any(self._share[index] < 1.0 for index in fitted)
        )

    def reseed(self, seed: int) -> None:
        """All noise from now on comes from `seed`."""
        for number, kind in enumerate(KINDS):  # in place: the models hold the generators too
            fresh = np.random.default_rng((seed, 1, number))
            self._generators[kind].bit_generator.state = fresh.bit_generator.state

    def measure(self, cycle: int, scene: Scene, lost: frozenset[int]) -> list[tuple[int, str, Message]]:
        """Latency (ns), topic and message of each kind that measures in a cycle; `lost` are silent sensors by index."""
        due = []
        for kind, fitted in self.fitted:
            active = fitted
            if lost or kind in self._slow:
                active = tuple(index for index in fitted if index not in lost and self._due(index, cycle))
            if active:
                due.append((kind, active))
        messages = []
        for kind, active in due:
            model = self._models.get(active)
            if model is None:
                model = self._models[active] = self._build[kind](active)
            messages.append((self._latency[kind], self._topics[kind], model.measure(scene)))
        return messages

    def _due(self, index: int, cycle: int) -> bool:
        """A sensor slower than the cycles takes part in its share of them."""
        share = self._share[index]
        return share == 1.0 or int((cycle + 1) * share + 1e-9) > int(cycle * share + 1e-9)

    def _cameras(self, active: tuple[int, ...]) -> CameraModel:
        sensors = [self._vehicle.sensors[index] for index in active]
        generator = self._generators[SensorKind.CAMERA]
        return CameraModel(sensors, active, self._parameters.camera, self._parameters.marks, generator)

    def _radars(self, active: tuple[int, ...]) -> RadarModel:
        sensors = [self._vehicle.sensors[index] for index in active]
        return RadarModel(sensors, active, self._parameters.radar, self._generators[SensorKind.RADAR])

    def _lidars(self, active: tuple[int, ...]) -> LidarModel:
        sensors = [self._vehicle.sensors[index] for index in active]
        return LidarModel(sensors, active, self._parameters.lidar, self._generators[SensorKind.LIDAR])
