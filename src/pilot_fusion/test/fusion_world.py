"""A tiny world for the tests of fusion: an ego on an arc, boxes that move, and what sensors would report of them.

Independent of the simulation, so that an error there cannot hide one here.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace

import numpy as np

from pilot_common.folders import config_folder
from pilot_common.geometry import Pose, advance, inverse, rotation, transform_points, wrap_angle
from pilot_common.near_face import near_face
from pilot_common.schema import build, read_yaml
from pilot_common.types import (
    Detections,
    DriverInput,
    Gear,
    LaneMarks,
    MarkKind,
    RadarReturns,
    Side,
    VehicleState,
)
from pilot_common.vehicle import Image, Sensor, SensorErrors, SensorKind
from pilot_fusion.fusion import Fusion, FusionInputs, FusionOutputs
from pilot_fusion.parameters import Parameters

CAMERA, FRONT, LEFT_REAR, RIGHT_REAR, LIDAR = range(5)


def sensor(
    name: str, kind: str, x: float, y: float, yaw: float, view: float, reach: float, **errors: float
) -> Sensor:
    values = {
        "pixel_px": 0.0,
        "range": 0.0,
        "azimuth": 0.0,
        "range_rate": 0.0,
        "detection_probability": 0.95,
        "clutter": 0.1,
    }
    return Sensor(
        name=name,
        kind=SensorKind(kind),
        position=(x, y, 0.6),
        yaw=yaw,
        pitch=0.0,
        field_of_view=view,
        range=reach,
        rate=20.0,
        latency=0.03,
        errors=SensorErrors(**(values | errors)),
        image=Image(width_px=1920, height_px=1080, focal_length_px=1200.0) if kind == "camera" else None,
    )


RADAR = {"range": 0.25, "azimuth": 0.01, "range_rate": 0.1, "clutter": 1.0}


class Car:
    """What fusion reads of a vehicle."""

    sensors = (
        sensor("front_camera", "camera", 1.6, 0.0, 0.0, 1.3, 120.0, pixel_px=1.0, clutter=0.02),
        sensor("front_radar", "radar", 3.3, 0.0, 0.0, 1.5, 180.0, **RADAR),
        sensor("left_rear_radar", "radar", -0.9, 0.7, 2.3, 2.2, 90.0, **RADAR),
        sensor("right_rear_radar", "radar", -0.9, -0.7, -2.3, 2.2, 90.0, **RADAR),
        sensor("lidar", "lidar", 1.2, 0.0, 0.0, 6.28, 120.0, range=0.05, azimuth=0.002, clutter=0.05),
    )

    # On rails: in this world cars do not slip.
    facts = SimpleNamespace(
        dimensions=SimpleNamespace(wheelbase=2.8),
        body=SimpleNamespace(
            centre_height=0.5,
            front_axle_to_centre=1.3,
            friction=1e6,
            front_cornering_stiffness=20.0,
            rear_cornering_stiffness=20.0,
        ),
    )

    def fitted(self, kind: SensorKind) -> tuple[int, ...]:
        return tuple(index for index, item in enumerate(self.sensors) if item.kind is kind)


@cache
def parameters() -> Parameters:
    file = config_folder() / "parameters" / "fusion.yaml"
    return build(Parameters, read_yaml(file), file)


def make_fusion() -> Fusion:
    return Fusion(Car(), parameters())  # type: ignore[arg-type]


@dataclass
class Box:
    """A road user; `path(t)` gives x, y, heading, speed in odom."""

    path: Callable[[float], tuple[float, float, float, float]]
    extent: tuple[float, float, float] = (4.5, 1.85, 1.5)
    class_id: int = 1
    seen_by: Callable[[int, float], bool] = lambda source, t: True

    @classmethod
    def straight(
        cls, x: float, y: float, speed: float, heading: float = 0.0, acceleration: float = 0.0, **rest
    ) -> "Box":
        def path(t: float) -> tuple[float, float, float, float]:
            way, now = speed * t + 0.5 * acceleration * t * t, speed + acceleration * t
            if acceleration < 0.0 and t > -speed / acceleration:
                way, now = -0.5 * speed**2 / acceleration, 0.0
            return x + way * math.cos(heading), y + way * math.sin(heading), heading, now

        return cls(path, **rest)


@dataclass
class World:
    """Ego at constant speed and yaw rate from the origin of odom, boxes, and a random generator for noise."""

    boxes: Sequence[Box] = ()
    speed: float = 25.0
    yaw_rate: float = 0.0
    noise: float = 1.0
    clutter: float = 0.0
    miss: float = 0.05
    seed: int = 0
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def ego(self, t: float) -> Pose:
        return advance((0.0, 0.0, 0.0), self.speed, self.yaw_rate, t)

    def state(self, t: float, **changes: object) -> VehicleState:
        return vehicle_state(t, self.speed, self.yaw_rate, **changes)

    def poses(self, t: float) -> np.ndarray:
        return np.array([box.path(t) for box in self.boxes]).reshape(-1, 4)

    def in_base(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Centres (N, 2), headings (N,), velocities over ground (N, 2) of the boxes in base_link."""
        pose, ego = self.poses(t), inverse(self.ego(t))
        velocity = pose[:, 3:] * np.stack((np.cos(pose[:, 2]), np.sin(pose[:, 2])), axis=-1)
        return (
            transform_points(ego, pose[:, :2]),
            wrap_angle(pose[:, 2] + ego[2]),
            velocity @ rotation(ego[2]).T,
        )

    def _visible(self, index: int, source: int, t: float) -> np.ndarray:
        mount = Car.sensors[index]
        centre, _, _ = self.in_base(t)
        relative = centre - mount.position[:2]
        aside = np.abs(wrap_angle(np.arctan2(relative[:, 1], relative[:, 0]) - mount.yaw))
        seen = (np.hypot(*relative.T) < mount.range) & (aside < 0.5 * mount.field_of_view)
        seen &= np.array([box.seen_by(source, t) for box in self.boxes], bool)
        return np.flatnonzero(seen & (self.random.random(len(seen)) > self.miss))

    def _extent(self, rows: np.ndarray) -> np.ndarray:
        return np.array([self.boxes[row].extent for row in rows]).reshape(-1, 3)

    def camera(self, t: float) -> Detections:
        """Near faces, the error along the beam growing with the square of the range."""
        rows = self._visible(CAMERA, 0, t)
        centre, heading, _ = self.in_base(t)
        viewer = np.array(Car.sensors[CAMERA].position[:2])
        extent = self._extent(rows)
        offset, _, _, _ = near_face(centre[rows], heading[rows], extent[:, 0], extent[:, 1], viewer)
        return self._detections(CAMERA, t, rows, centre[rows] + offset, viewer, 0.03, 0.0012, 0.0015, False)

    def lidar(self, t: float) -> Detections:
        rows = self._visible(LIDAR, 2, t)
        centre, _, _ = self.in_base(t)
        viewer = np.array(Car.sensors[LIDAR].position[:2])
        return self._detections(LIDAR, t, rows, centre[rows], viewer, 0.1, 0.0, 0.002, True)

    def _detections(
        self,
        index: int,
        t: float,
        rows: np.ndarray,
        position: np.ndarray,
        viewer: np.ndarray,
        floor: float,
        growth: float,
        across: float,
        whole: bool,
    ) -> Detections:
        beam = position - viewer
        distance = np.hypot(*beam.T)
        beam = beam / distance[:, None]
        left = beam[:, ::-1] * (-1.0, 1.0)
        sigma = np.stack((floor + growth * distance**2, floor + across * distance), axis=-1)
        draw = self.noise * self.random.standard_normal(sigma.shape) * sigma
        covariance = (sigma**2)[:, 0, None, None] * beam[:, :, None] * beam[:, None, :]
        covariance += (sigma**2)[:, 1, None, None] * left[:, :, None] * left[:, None, :]
        heading = self.in_base(t)[1][rows]
        count = len(rows)
        return Detections(
            stamp=t,
            sensors=[index],
            sensor=np.full(count, index),
            class_id=[self.boxes[row].class_id for row in rows],
            score=np.full(count, 0.8),
            position=np.column_stack((position + draw[:, :1] * beam + draw[:, 1:] * left, np.zeros(count))),
            position_covariance=covariance,
            heading=heading + 0.03 * self.noise * self.random.standard_normal(count) * whole,
            heading_valid=np.full(count, whole),
            extent=self._extent(rows),
            extent_valid=np.full(count, whole),
        )

    def radar(
        self, t: float, sensors: Sequence[int] = (FRONT, LEFT_REAR, RIGHT_REAR), returns: int = 1
    ) -> RadarReturns:
        """Returns from random points of the near faces, and clutter that stands on the ground."""
        parts = [np.concatenate((self._returns(i, t, returns), self._clutter(i))) for i in sensors]
        rows = np.concatenate(parts)
        return RadarReturns(
            stamp=t,
            sensors=list(sensors),
            sensor=np.concatenate([np.full(len(part), i) for i, part in zip(sensors, parts, strict=True)]),
            range=rows[:, 0],
            azimuth=rows[:, 1],
            range_rate=rows[:, 2],
            cross_section=np.zeros(len(rows)),
        )

    def _own_velocity(self, index: int) -> np.ndarray:
        x, y, _ = Car.sensors[index].position
        return np.array((self.speed - self.yaw_rate * y, self.yaw_rate * x))

    def _returns(self, index: int, t: float, returns: int) -> np.ndarray:
        mount = Car.sensors[index]
        rows = np.repeat(self._visible(index, 1, t), returns)
        centre, heading, velocity = self.in_base(t)
        viewer = np.array(mount.position[:2])
        extent = self._extent(rows)
        offset, along, half, _ = near_face(centre[rows], heading[rows], extent[:, 0], extent[:, 1], viewer)
        aside = self.noise * 0.5 * half * self.random.uniform(-1.0, 1.0, len(rows))
        relative = centre[rows] + offset + along * aside[:, None] - viewer
        distance = np.hypot(*relative.T)
        rate = np.einsum("ni,ni->n", relative, velocity[rows] - self._own_velocity(index)) / distance
        polar = np.stack((distance, np.arctan2(relative[:, 1], relative[:, 0]) - mount.yaw, rate), axis=-1)
        return self._noisy(polar, mount)

    def _clutter(self, index: int) -> np.ndarray:
        mount = Car.sensors[index]
        count = self.random.poisson(self.clutter)
        distance = mount.range * self.random.random(count)
        azimuth = mount.field_of_view * (self.random.random(count) - 0.5)
        direction = azimuth + mount.yaw
        own = self._own_velocity(index)
        return np.stack(
            (distance, azimuth, -own[0] * np.cos(direction) - own[1] * np.sin(direction)), axis=-1
        )

    def _noisy(self, polar: np.ndarray, mount: Sensor) -> np.ndarray:
        sigma = (mount.errors.range, mount.errors.azimuth, mount.errors.range_rate)
        polar = polar + self.noise * self.random.standard_normal(polar.shape) * sigma
        return (
            polar * (1.0, 1.0, 1.0)
            if len(polar) == 0
            else np.column_stack((np.maximum(polar[:, 0], 0.5), wrap_angle(polar[:, 1]), polar[:, 2]))
        )


def vehicle_state(t: float, speed: float, yaw_rate: float = 0.0, **changes: object) -> VehicleState:
    driver = DriverInput(
        accelerator=0.0,
        brake=0.0,
        steering_torque=0.0,
        hands_on=True,
        eyes_on=True,
        engage=False,
        cancel=False,
        lane_change=Side.NONE,
        set_speed=speed,
        time_gap=1.8,
    )
    content = {
        "stamp": t,
        "valid": True,
        "speed": speed,
        "acceleration": 0.0,
        "lateral_acceleration": speed * yaw_rate,
        "yaw_rate": yaw_rate,
        "steering_angle": 0.0,
        "gear": Gear.DRIVE,
        "indicator": Side.NONE,
        "driver": driver,
    }
    return VehicleState(**(content | changes))  # type: ignore[arg-type]


def lane_marks(
    t: float,
    coefficients: Sequence[Sequence[float]],
    kinds: Sequence[MarkKind],
    deviation: Sequence[float] = (0.03, 0.002, 1e-4, 1e-6),
    view: tuple[float, float] = (5.0, 70.0),
) -> LaneMarks:
    count = len(coefficients)
    return LaneMarks(
        stamp=t,
        sensors=[CAMERA],
        coefficients=np.array(coefficients, float).reshape(count, 4),
        deviation=np.tile(deviation, (count, 1)),
        view=np.tile(view, (count, 1)),
        kind=np.array(kinds, np.uint8),
        score=np.full(count, 0.9),
    )


def inputs(time: float, **ports: tuple) -> FusionInputs:
    empty: dict[str, tuple] = dict.fromkeys(
        ("vehicle_state", "camera_detections", "radar_returns", "lidar_detections", "lane_marks"), ()
    )
    return FusionInputs(time=time, **(empty | ports))


def drive(
    world: World,
    seconds: float,
    sensors: str = "camera radar",
    fusion: Fusion | None = None,
    start: float = 0.0,
    each: Callable[[float, FusionOutputs], None] | None = None,
    radar_returns: int = 1,
) -> tuple[Fusion, FusionOutputs]:
    """Steps at 20 Hz; vehicle states at 100 Hz, sensors measured 20–30 ms before the step. Returns the last outputs."""
    fusion = fusion or make_fusion()
    out: FusionOutputs | None = None
    for step in range(round(seconds * 20)):
        now = start + 0.05 * (step + 1)
        ports: dict[str, tuple] = {
            "vehicle_state": tuple(world.state(now - 0.01 * k) for k in (4, 3, 2, 1, 0))
        }
        if "camera" in sensors:
            ports["camera_detections"] = (world.camera(now - 0.03),)
        if "radar" in sensors:
            ports["radar_returns"] = (world.radar(now - 0.02, returns=radar_returns),)
        if "lidar" in sensors:
            ports["lidar_detections"] = (world.lidar(now - 0.025),)
        out = fusion.step(inputs(now, **ports))
        if each is not None:
            each(now, out)
    assert out is not None
    return fusion, out
