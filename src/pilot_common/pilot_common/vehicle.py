"""What the software may know of a car: three YAML files in `config/vehicles/<name>/`, loaded and checked.

`facts.yaml` is the car, `sensors.yaml` what it sees with, `tuning.yaml` only the differences from `config/parameters/`.
No code compares a vehicle's name: a difference is a fact or a capability.
"""

import pickle
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from pilot_common.errors import ConfigError
from pilot_common.schema import build, merge, parameter, plain, read_yaml, version, versions


class PowertrainKind(Enum):
    """What drives the wheels."""

    COMBUSTION = "combustion"
    ELECTRIC = "electric"
    RANGE_EXTENDED = "range_extended"  # driven electrically, the engine only charges


class SensorKind(Enum):
    """What a sensor measures with."""

    CAMERA = "camera"
    RADAR = "radar"
    LIDAR = "lidar"
    ULTRASONIC = "ultrasonic"
    DRIVER_CAMERA = "driver_camera"


class Capability(Enum):
    """A driving function that the car's equipment allows."""

    SINGLE_LANE = "single_lane"
    LANE_CHANGE = "lane_change"
    NAVIGATION = "navigation"
    PARKING_ASSIST = "parking_assist"
    REMOTE_PARKING = "remote_parking"
    VALET_PARKING = "valet_parking"
    MOTORWAY_L3 = "motorway_l3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Outline and axles."""

    length: float = parameter("m", 2.0, 12.0, "bumper to bumper")
    width: float = parameter("m", 1.0, 2.6, "without mirrors")
    height: float = parameter("m", 1.0, 4.0, "ground to roof")
    wheelbase: float = parameter("m", 1.5, 6.0, "front to rear axle")
    rear_axle_to_front: float = parameter("m", 2.0, 9.0, "rear axle to front bumper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Mass, inertia, tyres and drag, as the single-track model of Althoff et al. (CommonRoad vehicle models) takes them."""

    mass: float = parameter("kg", 500, 5000, "kerb mass and driver")
    yaw_inertia: float = parameter("kg m²", 500, 12000, "about the vertical axis")
    front_axle_to_centre: float = parameter("m", 0.5, 4.0, "front axle to centre of gravity")
    centre_height: float = parameter("m", 0.2, 1.5, "centre of gravity above ground")
    front_cornering_stiffness: float = parameter(
        "1/rad", 3, 40, "front, normalised by axle load and friction"
    )
    rear_cornering_stiffness: float = parameter("1/rad", 3, 40, "rear, normalised by axle load and friction")
    friction: float = parameter("", 0.2, 1.2, "tyre on dry road")
    drag_area: float = parameter("m²", 0.2, 2.0, "drag coefficient times frontal area")
    rolling_resistance: float = parameter("", 0.003, 0.04, "share of the weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Powertrain:
    """How acceleration comes about. Gear shifts and creep are of combustion cars, regeneration of electric ones."""

    kind: PowertrainKind
    max_power: float = parameter("W", 15e3, 800e3, "at the wheels")
    max_acceleration: float = parameter("m/s²", 1.0, 10.0, "from standstill, traction or torque limited")
    delay: float = parameter("s", 0.0, 0.6, "dead time from request to first torque")
    time_constant: float = parameter("s", 0.01, 1.5, "first-order rise of torque")
    regeneration: float = parameter(
        "m/s²", 0.0, 3.5, "deceleration from the motor before friction brakes join"
    )
    engine_braking: float = parameter("m/s²", 0.0, 1.5, "deceleration in overrun")
    creep_speed: float = parameter("m/s", 0.0, 3.0, "idle creep with no pedal, 0: none")
    shift_speeds: tuple[float, ...] = parameter("m/s", 1.0, 70.0, "speeds of upshifts; empty: no gearbox")
    shift_time: float = parameter("s", 0.0, 0.8, "torque gap of a shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuators:
    """Steering and brakes as they answer, and what they can do."""

    steering_delay: float = parameter("s", 0.0, 0.4, "dead time")
    steering_time_constant: float = parameter("s", 0.01, 0.6, "first-order lag")
    max_steering_angle: float = parameter("rad", 0.2, 1.0, "at the road wheels")
    max_steering_rate: float = parameter("rad/s", 0.1, 1.5, "at the road wheels")
    steering_ratio: float = parameter("", 8, 25, "steering wheel to road wheels")
    brake_delay: float = parameter("s", 0.0, 0.5, "dead time")
    brake_time_constant: float = parameter("s", 0.01, 0.5, "first-order rise of pressure")
    max_deceleration: float = parameter("m/s²", 4.0, 11.0, "dry road")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLimits:
    """What the gate lets pass. These exist once: planner, control, gate, tests and metrics all read them here."""

    max_speed: float = parameter("m/s", 5, 45, "highest set speed of the driving function")
    max_acceleration: float = parameter("m/s²", 0.5, 4.0, "ISO 15622 cap at low speed is 4.0")
    max_deceleration: float = parameter("m/s²", 2.0, 10.0, "emergency braking included")
    comfort_deceleration: float = parameter("m/s²", 1.0, 3.5, "outside emergencies")
    max_jerk: float = parameter("m/s³", 1.0, 15.0, "outside emergencies")
    max_emergency_jerk: float = parameter("m/s³", 10.0, 60.0, "brake build-up in an emergency")
    max_lateral_acceleration: float = parameter("m/s²", 1.0, 3.6, "ISO 11270: 3.0")
    max_lateral_jerk: float = parameter("m/s³", 1.0, 6.0, "ISO 11270: 5.0")
    minimum_risk_deceleration: float = parameter("m/s²", 1.0, 4.0, "UN R157: aim at no more than 4.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`facts.yaml`."""

    title: str
    market: str
    capabilities: tuple[Capability, ...]
    dimensions: Dimensions
    body: Body
    powertrain: Powertrain
    actuators: Actuators
    limits: CommandLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Pinhole camera."""

    width_px: int = parameter("px", 64, 8192, "columns")
    height_px: int = parameter("px", 64, 8192, "rows")
    focal_length_px: float = parameter("px", 30, 20000, "both axes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorErrors:
    """How a sensor errs, one standard deviation each; what does not apply to its kind is 0."""

    pixel_px: float = parameter("px", 0.0, 20.0, "box edges and lane points (camera)")
    range: float = parameter("m", 0.0, 3.0, "along the beam (radar, lidar)")
    azimuth: float = parameter("rad", 0.0, 0.1, "across the beam (radar, lidar)")
    range_rate: float = parameter("m/s", 0.0, 1.0, "Doppler (radar)")
    detection_probability: float = parameter("", 0.3, 1.0, "of an unoccluded object in range")
    clutter: float = parameter("1/frame", 0.0, 20.0, "mean number of false returns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One sensor: where it sits in `base_link`, where it looks, how often, how late and how well."""

    name: str
    kind: SensorKind
    position: tuple[float, float, float]
    yaw: float = parameter("rad", -3.1416, 3.1416, "viewing direction, left positive")
    pitch: float = parameter("rad", -0.6, 0.6, "nose down positive")
    field_of_view: float = parameter("rad", 0.1, 6.2832, "full horizontal angle")
    range: float = parameter("m", 1.0, 400.0, "farthest object that it reports")
    rate: float = parameter("Hz", 1.0, 100.0, "measurements a second")
    latency: float = parameter("s", 0.0, 0.3, "from measurement to message")
    errors: SensorErrors
    image: Image | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    """`sensors.yaml`. The order is the index that messages use."""

    sensors: tuple[Sensor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A car as loaded. `tuning` maps a function's name to its differences from `config/parameters/<function>.yaml`."""

    name: str
    facts: Facts
    sensors: tuple[Sensor, ...]
    tuning: dict[str, Any]

    def fitted(self, kind: SensorKind) -> tuple[int, ...]:
        """Indices of the sensors of one kind."""
        return tuple(index for index, sensor in enumerate(self.sensors) if sensor.kind is kind)

    def latency(self, kind: SensorKind) -> float:
        """Latest of the sensors of one kind, for they report together (0 where none is fitted)."""
        return max((self.sensors[index].latency for index in self.fitted(kind)), default=0.0)


def vehicle_names(config: Path) -> tuple[str, ...]:
    """The vehicles in `config/vehicles/`."""
    return tuple(
        sorted(entry.name for entry in (config / "vehicles").iterdir() if (entry / "facts.yaml").exists())
    )


def load_vehicle(name: str, config: Path) -> Vehicle:
    """The vehicle `config/vehicles/<name>/`. Raises ConfigError for an unknown vehicle or any bad value in its files."""
    names = vehicle_names(config)
    if name not in names:
        raise ConfigError(config / "vehicles", name, f"unknown vehicle; there are {', '.join(names)}")
    folder = config / "vehicles" / name
    sensors = build(Sensors, read_yaml(folder / "sensors.yaml"), folder / "sensors.yaml").sensors
    for index, sensor in enumerate(sensors):
        if sensor.kind is SensorKind.CAMERA and sensor.image is None:
            raise ConfigError(
                folder / "sensors.yaml", f"sensors[{index}].image", "is missing: a camera needs it"
            )
        if sensor.name in {other.name for other in sensors[:index]}:
            raise ConfigError(
                folder / "sensors.yaml", f"sensors[{index}].name", f"'{sensor.name}' is given twice"
            )
    tuning = read_yaml(folder / "tuning.yaml")
    for function, differences in tuning.items():
        if not isinstance(differences, dict | None):
            raise ConfigError(
                folder / "tuning.yaml", function, f"must hold keys and values, found {differences!r}"
            )
        if not (config / "parameters" / f"{function}.yaml").exists():
            raise ConfigError(folder / "tuning.yaml", function, "is no function of config/parameters/")
    facts = build(Facts, read_yaml(folder / "facts.yaml"), folder / "facts.yaml")
    return Vehicle(name=name, facts=facts, sensors=sensors, tuning=tuning)


def load_parameters(cls: type, function: str, vehicle: Vehicle, config: Path) -> Any:
    """The parameters of a function for a vehicle: `config/parameters/<function>.yaml` with the tuning laid over it.

    Read and checked once for each version of the file and of the rule packs that it may name: thousands of drives ask for them.
    """
    file = config / "parameters" / f"{function}.yaml"
    differences = pickle.dumps(vehicle.tuning.get(function) or {})
    read = (version(file), versions(config / "rules"))
    return _parameters(cls, function, vehicle.name, config, differences, read)


@lru_cache(maxsize=64)
def _parameters(
    cls: type, function: str, vehicle_name: str, config: Path, differences: bytes, _versions: object
) -> Any:
    file = config / "parameters" / f"{function}.yaml"
    base = read_yaml(file)
    build(cls, base, file)  # so that an error names the file it is in
    tuned = merge(base, pickle.loads(differences))
    return build(cls, tuned, config / "vehicles" / vehicle_name / "tuning.yaml", function)


def resolved_yaml(vehicle: Vehicle, parameters: dict[str, Any]) -> str:
    """Everything a run depends on, in SI, as it is written beside every bag and report."""
    content = {
        "vehicle": plain(vehicle),
        "parameters": {name: plain(value) for name, value in parameters.items()},
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
