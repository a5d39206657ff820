"""Messages of all sensor kinds become one form: positions in `odom` with covariance, and what else the sensor knows.

Shapes: M measurements, S sensors of the vehicle.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pilot_common.geometry import rotation
from pilot_common.near_face import Faces
from pilot_common.types import Detections, RadarReturns
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_fusion.ego_motion import EgoState
from pilot_fusion.parameters import MeasurementParameters


class Source(IntEnum):
    """Kinds of sensor that report objects; bit `1 << source` of `Tracks.sensors`."""

    CAMERA = 0
    RADAR = 1
    LIDAR = 2


LEAST_SCORE = 0.05
LEAST_NEWS = 1e-3  # share of its information that a repeated camera range keeps
KINDS = (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What one message reports, placed in `odom`."""

    source: Source
    time: float
    sensors: np.ndarray  # (s,) that measured
    sensor: np.ndarray  # (M,)
    position: np.ndarray  # (M, 2)
    covariance: np.ndarray  # (M, 2, 2)
    whole: np.ndarray  # (M,) position is that of the box centre, else of the near face
    viewer: np.ndarray  # (M, 2) where the sensor stood
    beam: np.ndarray  # (M, 2) unit vector from there to the position
    viewer_velocity: np.ndarray  # (M, 2) over ground
    range_rate: np.ndarray | None  # (M,) relative to the sensor
    range_rate_variance: np.ndarray | None  # (M,)
    looks: Detections | None  # class, size, heading (in base_link), score; row by row the same
    yaw: float  # of base_link in odom


class MeasurementModel:
    """Holds mounts and errors of the sensors as arrays."""

    def __init__(self, vehicle: Vehicle, parameters: MeasurementParameters) -> None:
        self._parameters = parameters
        self._mount = np.array([sensor.position[:2] for sensor in vehicle.sensors]).reshape(-1, 2)
        self._yaw = np.array([sensor.yaw for sensor in vehicle.sensors])
        errors = [sensor.errors for sensor in vehicle.sensors]
        inflation = parameters.radar_inflation
        self._range = np.array([inflation * error.range for error in errors])
        self._azimuth = np.array([inflation * error.azimuth for error in errors])
        self._range_rate = np.array([inflation * error.range_rate for error in errors])

    def of_detections(self, message: Detections, source: Source, ego: EgoState) -> Measurements:
        """Detections of cameras or lidars, taken when the ego was at `ego`."""
        parameters = self._parameters
        turn = rotation(ego.pose[2])
        inflation = parameters.camera_inflation if source is Source.CAMERA else parameters.lidar_inflation
        covariance = inflation**2 * (turn @ message.position_covariance @ turn.T)
        # A detector that is not sure of the object is not sure of its place.
        covariance *= (
            np.maximum(parameters.sure_score / np.maximum(message.score, LEAST_SCORE), 1.0)[:, None, None]
            ** 2
        )
        covariance += parameters.position_floor**2 * np.eye(2)
        viewer, velocity = self._viewers(message.sensor, ego, turn)
        position = message.position[:, :2] @ turn.T + ego.pose[:2]
        beam = position - viewer
        return Measurements(
            source=source,
            time=message.stamp,
            sensors=message.sensors,
            sensor=message.sensor,
            position=position,
            covariance=covariance,
            whole=message.extent_valid,
            viewer=viewer,
            beam=beam / np.maximum(np.sqrt(np.einsum("mi,mi->m", beam, beam)), 1e-3)[:, None],
            viewer_velocity=velocity,
            range_rate=None,
            range_rate_variance=None,
            looks=message,
            yaw=ego.pose[2],
        )

    def of_radar(self, message: RadarReturns, ego: EgoState) -> Measurements:
        """Radar returns, taken when the ego was at `ego`."""
        parameters = self._parameters
        sensor = message.sensor
        turn = rotation(ego.pose[2])
        viewer, velocity = self._viewers(sensor, ego, turn)
        bearing = message.azimuth + self._yaw[sensor] + ego.pose[2]
        beam = np.stack((np.cos(bearing), np.sin(bearing)), axis=-1)
        along = self._range[sensor] ** 2 + parameters.position_floor**2
        across = (message.range * self._azimuth[sensor]) ** 2 + parameters.position_floor**2
        covariance = (along - across)[:, None, None] * beam[:, :, None] * beam[:, None, :]
        covariance[:, (0, 1), (0, 1)] += across[:, None]
        return Measurements(
            source=Source.RADAR,
            time=message.stamp,
            sensors=message.sensors,
            sensor=sensor,
            position=viewer + message.range[:, None] * beam,
            covariance=covariance,
            whole=np.zeros(len(sensor), bool),
            viewer=viewer,
            beam=beam,
            viewer_velocity=velocity,
            range_rate=message.range_rate,
            range_rate_variance=self._range_rate[sensor] ** 2 + parameters.range_rate_floor**2,
            looks=None,
            yaw=ego.pose[2],
        )

    def _viewers(self, sensor: np.ndarray, ego: EgoState, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each measurement's sensor stood in odom and how it moved over ground (a lever arm turns with the car)."""
        mount = self._mount.take(sensor, axis=0)
        velocity = mount[:, ::-1] * (-ego.yaw_rate, ego.yaw_rate)
        velocity[:, 0] += ego.speed
        return mount @ turn.T + ego.pose[:2], velocity @ turn.T

    def without_repetition(self, noise: np.ndarray, beam: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Camera noise (K, 2, 2), raised along beams (K, 2) where the range is already `known` (K, 2, 2) that well.

        The camera's range errs the same way in every frame (the object is taller than its class, the road not flat), so frames
        may bring the variance of the range down to the systematic share and no further: 1/noise = 1/bias − 1/known.
        """
        variance = np.einsum("ki,kij,kj->k", beam, noise, beam)
        prior = np.einsum("ki,kij,kj->k", beam, known, beam)
        news = 1.0 / np.maximum(self._parameters.camera_bias * variance, 1e-6) - 1.0 / prior
        raised = 1.0 / np.maximum(news, LEAST_NEWS / variance)
        return noise + np.maximum(raised - variance, 0.0)[:, None, None] * beam[:, :, None] * beam[:, None, :]

    def reflection(
        self, centre: np.ndarray, face: Faces, viewer: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where a radar at `viewer` (K, 2) is reflected on faces with centres (K, 2): shift from the centre (K, 2), covariance.

        At a front or rear part of the way to the nearest point; along a side, which is long and slides by, at its nearest point,
        wherever that is.
        """
        parameters = self._parameters
        aside = np.einsum("ki,ki->k", viewer - centre, face.along)
        reach = np.where(face.end, parameters.radar_nearest, 1.0) * face.half
        shift = face.along * np.minimum(np.maximum(aside, -reach), reach)[:, None]
        depth = parameters.radar_depth**2
        share = np.where(face.end, parameters.radar_spread, parameters.radar_spread_side)
        spread = (share * face.half) ** 2 - depth
        covariance = spread[:, None, None] * face.along[:, :, None] * face.along[:, None, :]
        covariance[:, (0, 1), (0, 1)] += depth
        return shift, covariance


def sensor_arrays(vehicle: Vehicle) -> dict[str, np.ndarray]:
    """Mount (S, 2), yaw, field of view, range, detection probability and clutter (each (S,)) of all sensors."""
    sensors = vehicle.sensors
    return {
        "mount": np.array([sensor.position[:2] for sensor in sensors]).reshape(-1, 2),
        "yaw": np.array([sensor.yaw for sensor in sensors]),
        "field_of_view": np.array([sensor.field_of_view for sensor in sensors]),
        "range": np.array([sensor.range for sensor in sensors]),
        "detection": np.array([sensor.errors.detection_probability for sensor in sensors]),
        "clutter": np.array([sensor.errors.clutter for sensor in sensors]),
    }


def wrap_half(angle: np.ndarray) -> np.ndarray:
    """The angle in (−π/2, π/2]: difference of axes that have no front."""
    return -((-angle + 0.5 * math.pi) % math.pi - 0.5 * math.pi)
