"""The room's test track with a car of the repository and a fixed seed."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from pilot_common.folders import config_folder
from pilot_common.road import ReferenceLine
from pilot_common.vehicle import Facts, Vehicle, load_parameters, load_vehicle
from pilot_control import track
from pilot_control.controller import Controller
from pilot_control.track import STEP, Plant, constant, integrate, motorway_course  # noqa: F401 - for the tests


@cache
def vehicle(name: str = "sedan_ice") -> Vehicle:
    return load_vehicle(name, config_folder())


def with_actuator(lag: float, delay: float, base: Vehicle | None = None) -> Vehicle:
    car = base or vehicle()
    actuators = replace(car.facts.actuators, steering_time_constant=lag, steering_delay=delay)
    return replace(car, facts=replace(car.facts, actuators=actuators))


def make_controller(car: Vehicle) -> Controller:
    return Controller(car, load_parameters(Controller.Parameters, "control", car, config_folder()))


@cache
def straight(length: float = 3000.0) -> ReferenceLine:
    return integrate(np.zeros(round(length)), 1.0)


def plant(facts: Facts, *, body: dict[str, float] | None = None, delay: float = 1.0, **differences) -> Plant:
    """The car with values of its body, and its steering's delay and lag, times factors."""
    changed = replace(
        facts.body, **{name: getattr(facts.body, name) * factor for name, factor in (body or {}).items()}
    )
    actuators = replace(
        facts.actuators,
        steering_delay=facts.actuators.steering_delay * delay,
        steering_time_constant=facts.actuators.steering_time_constant * delay,
    )
    return Plant(facts=replace(facts, body=changed, actuators=actuators), **differences)


@dataclass
class Drive(track.Drive):
    """The drive of one car, by itself if no other plant is given."""

    control: Controller | None = None
    plant: Plant | None = None
    chance: np.random.Generator | None = None
    car: Vehicle | None = None

    def __post_init__(self) -> None:
        car = self.car or vehicle()
        self.control = self.control or make_controller(car)
        self.plant = self.plant or Plant(facts=car.facts)
        self.chance = self.chance or np.random.default_rng(7)
        super().__post_init__()

    @property
    def true_speeds(self) -> list[float]:
        return [motion.speed for motion in self.motions]

    @property
    def true_accelerations(self) -> list[float]:
        return [motion.acceleration for motion in self.motions]
