"""Roads, scenes and vehicles that the tests are about."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.types import ObjectClass
from pilot_common.vehicle import Sensor, SensorErrors, SensorKind, Vehicle, load_parameters, load_vehicle
from pilot_simulation.actors import Others
from pilot_simulation.parameters import Parameters
from pilot_simulation.road import TrueRoad, synthetic_road
from pilot_simulation.scenario import (
    ActorPlan,
    DriverPlan,
    Ego,
    RoadPlan,
    Scenario,
    Segment,
)
from pilot_simulation.scene import Scene, make_scene
from pilot_simulation.scripted_actors import EXTENTS


@pytest.fixture(scope="session")
def config() -> Path:
    return config_folder()


@pytest.fixture(scope="session")
def graph(config):
    return load_graph(config)


@pytest.fixture(scope="session")
def vehicle(config):
    """A vehicle by name."""
    return lambda name: load_vehicle(name, config)


@pytest.fixture(scope="session")
def sedan(vehicle) -> Vehicle:
    return vehicle("sedan_ice")


@pytest.fixture(scope="session")
def flagship(vehicle) -> Vehicle:
    return vehicle("flagship_ev")


@pytest.fixture(scope="session")
def parameters(config, sedan) -> Parameters:
    return load_parameters(Parameters, "simulation", sedan, config)


def road_plan(*segments: Segment, lanes: int = 3, lane_width: float = 3.75) -> RoadPlan:
    return RoadPlan(
        lanes=lanes, lane_width=lane_width, speed_limit=33.0, segments=segments or (Segment(length=100.0),)
    )


@pytest.fixture(scope="session")
def straight() -> TrueRoad:
    return synthetic_road(road_plan(), 3000.0)


@pytest.fixture
def scenario():
    """A drive on a straight road with three lanes, ego in the middle one; keywords change it."""

    def make(**changes) -> Scenario:
        base = Scenario(
            title="test",
            duration=10.0,
            seed=5,
            ego=Ego(speed=20.0, lane=1, station=200.0),
            driver=DriverPlan(set_speed=20.0, time_gap=1.5, engage_at=None),
            criteria={},
            road=road_plan(),
            name="test",
        )
        return replace(base, **changes)

    return make


@pytest.fixture
def actor():
    """A scripted car in lane 1; keywords change it."""

    def make(**changes) -> ActorPlan:
        return ActorPlan(**({"station": 300.0, "speed": 20.0, "lane": 1} | changes))

    return make


@pytest.fixture
def others(straight):
    """Others on the straight road from (kind, station, offset, speed) each."""

    def make(*rows: tuple[ObjectClass, float, float, float]) -> Others:
        kinds = [row[0] for row in rows]
        columns = np.array([row[1:] for row in rows], float).reshape(-1, 3)
        return Others(
            straight,
            np.arange(1, len(rows) + 1, dtype=np.uint32),
            np.array(kinds, np.uint8),
            np.array([EXTENTS[kind] for kind in kinds], float).reshape(-1, 3),
            columns[:, 0],
            columns[:, 1],
            np.zeros(len(rows)),
            columns[:, 2],
        )

    return make


@pytest.fixture
def scene(straight, others):
    """The ego at station 1000 in the middle of lane 1, heading along the road, and others relative to its rear axle."""

    def make(
        *rows: tuple[ObjectClass, float, float, float], speed: float = 25.0, yaw_rate: float = 0.0
    ) -> Scene:
        x, y = straight.line.to_cartesian(np.array([1000.0]), np.array([3.75]))[0].tolist()
        shifted = [(kind, 1000.0 + ahead, 3.75 + left, pace) for kind, ahead, left, pace in rows]
        place = straight.project(x, y, 1000.0)
        return make_scene(100.0, straight, (x, y, 0.0), place, speed, yaw_rate, others(*shifted))

    return make


@pytest.fixture
def sensor():
    """A sensor that sees everything exactly; keywords change it, those of its errors too."""

    def make(kind: SensorKind, **changes) -> Sensor:
        errors = {
            "pixel_px": 0.0,
            "range": 0.0,
            "azimuth": 0.0,
            "range_rate": 0.0,
            "detection_probability": 1.0,
            "clutter": 0.0,
        }
        errors |= {name: changes.pop(name) for name in list(changes) if name in errors and name != "range"}
        if "range_error" in changes:
            errors["range"] = changes.pop("range_error")
        base = {
            "name": "sensor",
            "kind": kind,
            "position": (0.0, 0.0, 1.3),
            "yaw": 0.0,
            "pitch": 0.0,
            "field_of_view": 1.6,
            "range": 200.0,
            "rate": 20.0,
            "latency": 0.05,
        }
        return Sensor(**(base | changes), errors=SensorErrors(**errors))

    return make
