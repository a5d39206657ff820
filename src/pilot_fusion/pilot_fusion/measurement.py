"""Messages of all sensor kinds become one form: positions in `odom` with covariance, and what else the sensor knows.

Shapes: M measurements, S sensors of the vehicle.
"""

import math
from enum import IntEnum
from typing import NamedTuple

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


class Measurements(NamedTuple):
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
    distance: np.ndarray  # (M,) between the two
    range_rate: np.ndarray | None  # (M,) relative to the sensor
    range_rate_variance: np.ndarray | None  # (M,)
    looks: Detections | None  # class, size, heading (in base_link), score; row by row the same
    yaw: float  # of base_link in odom
    columns: (
        np.ndarray
    )  # (4, M) position and viewer, of radar (8, M) beam, ground speed and its variance too: one look-up
    ground_speed: np.ndarray | None  # (M,) over ground along the beam, where the range rate is measured


class MeasurementModel:
    """Holds mounts and errors of the sensors as arrays."""

    def __init__(self, vehicle: Vehicle, parameters: MeasurementParameters) -> None:
        self._parameters = parameters
        self._mount = np.ones((len(vehicle.sensors), 3))  # (S, 3): x, y and 1
        self._mount[:, :2] = np.array([sensor.position[:2] for sensor in vehicle.sensors]).reshape(-1, 2)
        self._yaw = np.array([sensor.yaw for sensor in vehicle.sensors])
        errors = [sensor.errors for sensor in vehicle.sensors]
        inflation = parameters.radar_inflation
        floor, rate_floor = parameters.position_floor**2, parameters.range_rate_floor**2
        self._along = np.array([(inflation * error.range) ** 2 + floor for error in errors])
        self._azimuth = np.array([inflation * error.azimuth for error in errors])
        self._range_rate = np.array([(inflation * error.range_rate) ** 2 + rate_floor for error in errors])
        self._floor = floor * np.eye(2)

    def of_detections(self, message: Detections, source: Source, ego: EgoState) -> Measurements:
        """Detections of cameras or lidars, taken when the ego was at `ego`."""
        parameters = self._parameters
        turn = rotation(ego.pose[2])
        inflation = parameters.camera_inflation if source is Source.CAMERA else parameters.lidar_inflation
        # Turned as a flat product: stacks of small matrices are multiplied one by one.
        both = (turn[:, None, :, None] * turn[None, :, None, :]).reshape(4, 4)
        covariance = (message.position_covariance.reshape(-1, 4) @ both.T).reshape(-1, 2, 2)
        # A detector that is not sure of the object is not sure of its place.
        unsure = inflation * np.maximum(parameters.sure_score / np.maximum(message.score, LEAST_SCORE), 1.0)
        covariance *= (unsure * unsure)[:, None, None]
        covariance += self._floor
        viewer, _ = self._viewers(message.sensor, ego)
        position = message.position[:, :2] @ turn.T + ego.pose[:2]
        beam = position - viewer
        distance = np.hypot(beam[:, 0], beam[:, 1])
        return Measurements(
            source=source,
            time=message.stamp,
            sensors=message.sensors,
            sensor=message.sensor,
            position=position,
            covariance=covariance,
            whole=message.extent_valid,
            viewer=viewer,
            beam=beam / np.maximum(distance, 1e-3)[:, None],
            distance=distance,
            range_rate=None,
            range_rate_variance=None,
            looks=message,
            yaw=ego.pose[2],
            columns=np.concatenate((position, viewer), axis=1).T,
            ground_speed=None,
        )

    def of_radar(self, message: RadarReturns, ego: EgoState) -> Measurements:
        """Radar returns, taken when the ego was at `ego`."""
        parameters = self._parameters
        sensor = message.sensor
        viewer, velocity = self._viewers(sensor, ego)
        bearing = message.azimuth + self._yaw.take(sensor) + ego.pose[2]
        beam = np.empty((len(sensor), 2))
        np.cos(bearing, out=beam[:, 0])
        np.sin(bearing, out=beam[:, 1])
        across = np.square(message.range * self._azimuth.take(sensor)) + parameters.position_floor**2
        longer = (self._along.take(sensor) - across)[:, None] * beam
        covariance = longer[:, :, None] * beam[:, None, :]
        covariance[:, 0, 0] += across
        covariance[:, 1, 1] += across
        position = viewer + message.range[:, None] * beam
        ground_speed = message.range_rate + beam[:, 0] * velocity[:, 0] + beam[:, 1] * velocity[:, 1]
        variance = self._range_rate.take(sensor)
        columns = np.empty((8, len(sensor)))
        columns[:2], columns[2:4], columns[4:6] = position.T, viewer.T, beam.T
        columns[6], columns[7] = ground_speed, variance
        return Measurements(
            source=Source.RADAR,
            time=message.stamp,
            sensors=message.sensors,
            sensor=sensor,
            position=position,
            covariance=covariance,
            whole=np.zeros(len(sensor), bool),
            viewer=viewer,
            beam=beam,
            distance=message.range,
            range_rate=message.range_rate,
            range_rate_variance=variance,
            looks=None,
            yaw=ego.pose[2],
            columns=columns,
            ground_speed=ground_speed,
        )

    def _viewers(self, sensor: np.ndarray, ego: EgoState) -> tuple[np.ndarray, np.ndarray]:
        """Where each measurement's sensor stood in odom and how it moved over ground (a lever arm turns with the car)."""
        x, y, yaw = ego.pose
        cosine, sine, turn = math.cos(yaw), math.sin(yaw), ego.yaw_rate
        # Columns: position x, y and velocity x, y, each of the mount's x, y and 1.
        placed = self._mount @ (
            (cosine, sine, -turn * sine, turn * cosine),
            (-sine, cosine, -turn * cosine, -turn * sine),
            (x, y, ego.speed * cosine, ego.speed * sine),
        )
        placed = placed.take(sensor, axis=0)
        return placed[:, :2], placed[:, 2:]

    def without_repetition(self, noise: np.ndarray, beam: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Camera noise (K, 2, 2), raised along beams (K, 2) where the range is already `known` (K, 2, 2) that well.

        The camera's range errs the same way in every frame (the object is taller than its class, the road not flat), so frames
        may bring the variance of the range down to the systematic share and no further: 1/noise = 1/bias − 1/known.
        """
        x, y = beam[:, 0], beam[:, 1]
        xx, xy, yy = x * x, 2.0 * x * y, y * y
        variance = noise[:, 0, 0] * xx + noise[:, 0, 1] * xy + noise[:, 1, 1] * yy
        prior = known[:, 0, 0] * xx + known[:, 0, 1] * xy + known[:, 1, 1] * yy
        news = 1.0 / np.maximum(self._parameters.camera_bias * variance, 1e-6) - 1.0 / prior
        raised = 1.0 / np.maximum(news, LEAST_NEWS / variance)
        longer = np.maximum(raised - variance, 0.0)[:, None] * beam
        return noise + longer[:, :, None] * beam[:, None, :]

    def reflection(
        self, centre: np.ndarray, face: Faces, viewer: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where a radar at `viewer` (K, 2) is reflected on faces with centres (K, 2): shift from the centre (K, 2), covariance.

        At a front or rear part of the way to the nearest point; along a side, which is long and slides by, at its nearest point,
        wherever that is.
        """
        parameters = self._parameters
        along = face.along
        aside = (viewer[:, 0] - centre[:, 0]) * along[:, 0] + (viewer[:, 1] - centre[:, 1]) * along[:, 1]
        reach = np.where(face.end, parameters.radar_nearest, 1.0) * face.half
        shift = along * np.minimum(np.maximum(aside, -reach), reach)[:, None]
        depth = parameters.radar_depth**2
        share = np.where(face.end, parameters.radar_spread, parameters.radar_spread_side)
        spread = (np.square(share * face.half) - depth)[:, None] * along
        covariance = spread[:, :, None] * along[:, None, :]
        covariance[:, 0, 0] += depth
        covariance[:, 1, 1] += depth
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
