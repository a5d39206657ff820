"""Messages of all sensor kinds become one form: positions in `odom` with covariance, and what else the sensor knows.

Shapes: M measurements, S sensors of the vehicle.
"""

import math
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from pilot_common.compiled import as_record, compiled
from pilot_common.types import Detections, RadarReturns
from pilot_common.vehicle import Sensor, SensorKind, Vehicle
from pilot_fusion.ego_motion import EgoState
from pilot_fusion.parameters import ExistenceParameters, MeasurementParameters


class Source(IntEnum):
    """Kinds of sensor that report objects; bit `1 << source` of `Tracks.sensors`."""

    CAMERA = 0
    RADAR = 1
    LIDAR = 2


LEAST_SCORE = 0.05
LEAST_NEWS = 1e-3  # share of its information that a repeated camera range keeps
KINDS = (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)
NEUTRAL_SCORE = 0.5  # of a radar return, which carries none
NEAREST = 1.0  # m; clutter is even over range and angle, so its density per area grows towards the sensor, down to here
DOPPLER_SPAN = 80.0  # m/s; moving clutter is taken as even over this interval of range rates
STANDING_SPREAD = 0.3  # m/s; standard deviation of the speed over ground of standing clutter as radar sees it

SENSOR = np.dtype(
    [
        ("mount", np.float64, (2,)),
        ("yaw", np.float64),
        ("half_view", np.float64),
        ("range", np.float64),
        ("detection", np.float64),  # probability, at most what is believed
        ("clutter", np.float64),  # per frame
        ("density", np.float64),  # of clutter, per metre of range and radian
        ("along", np.float64),  # m²; variance of a radar's range
        ("azimuth", np.float64),  # rad; deviation
        ("range_rate", np.float64),  # m²/s²; variance
    ],
    align=True,
)
MEASUREMENT = np.dtype(
    [
        ("sensor", np.int64),
        ("position", np.float64, (2,)),
        ("covariance", np.float64, (3,)),  # xx, xy, yy
        ("whole", np.bool_),  # position is that of the box centre, else of the near face
        ("viewer", np.float64, (2,)),  # where the sensor stood
        ("beam", np.float64, (2,)),  # unit vector from there to the position
        ("clutter", np.float64),  # density of false measurements there: per m², for radar also per m/s
        ("explained", np.float64),  # the same of what known tracks are expected to send there
        ("score", np.float64),
        # Of radar: relative to the sensor; over ground along the beam; its variance.
        ("range_rate", np.float64),
        ("ground_speed", np.float64),
        ("ground_speed_variance", np.float64),
        # Of cameras and lidars: class, heading in base_link, size, height of the base.
        ("class_id", np.int64),
        ("heading", np.float64),
        ("heading_valid", np.bool_),
        ("extent", np.float64, (3,)),
        ("base", np.float64),
    ],
    align=True,
)


class Measurements(NamedTuple):
    """What one message reports, placed in `odom`."""

    source: Source
    time: float
    sensors: np.ndarray  # (s,) that measured
    rows: np.ndarray  # (M,) of MEASUREMENT
    yaw: float  # of base_link in odom


class MeasurementModel:
    """Holds mounts and errors of the `sensors` (S,) of SENSOR."""

    def __init__(
        self, vehicle: Vehicle, parameters: MeasurementParameters, existence: ExistenceParameters
    ) -> None:
        self.sensors = np.array([_sensor(item, parameters, existence) for item in vehicle.sensors], SENSOR)
        self.parameters = as_record(parameters)
        self._parameters = parameters
        self._standing_clutter = existence.standing_clutter

    def of_detections(self, message: Detections, source: Source, ego: EgoState) -> Measurements:
        """Detections of cameras or lidars, taken when the ego was at `ego`."""
        parameters = self._parameters
        inflation = parameters.camera_inflation if source is Source.CAMERA else parameters.lidar_inflation
        columns = np.empty((len(message.score), 16))
        columns[:, 0], columns[:, 1], columns[:, 2] = message.sensor, message.class_id, message.score
        columns[:, 3:6] = message.position
        columns[:, 6:10] = message.position_covariance.reshape(-1, 4)
        columns[:, 10], columns[:, 11] = message.heading, message.heading_valid
        columns[:, 12:15], columns[:, 15] = message.extent, message.extent_valid
        rows = _placed(columns, self.sensors, *_motion(ego), inflation, self.parameters)
        return Measurements(source, message.stamp, message.sensors.astype(np.int64), rows, ego.pose[2])

    def of_radar(self, message: RadarReturns, ego: EgoState) -> Measurements:
        """Radar returns, taken when the ego was at `ego`."""
        columns = np.empty((len(message.range), 4))
        columns[:, 0], columns[:, 1] = message.sensor, message.range
        columns[:, 2], columns[:, 3] = message.azimuth, message.range_rate
        rows = _placed_returns(columns, self.sensors, *_motion(ego), self._standing_clutter, self.parameters)
        return Measurements(Source.RADAR, message.stamp, message.sensors.astype(np.int64), rows, ego.pose[2])


def _motion(ego: EgoState) -> tuple[float, float, float, float, float]:
    """Pose, speed and yaw rate, as plain numbers."""
    x, y, yaw = ego.pose
    return float(x), float(y), float(yaw), float(ego.speed), float(ego.yaw_rate)


def _sensor(
    sensor: Sensor, parameters: MeasurementParameters, existence: ExistenceParameters
) -> tuple[Any, ...]:
    """The record of a sensor."""
    errors, inflation, half_view = sensor.errors, parameters.radar_inflation, 0.5 * sensor.field_of_view
    clutter = max(errors.clutter, existence.fewest_clutter)
    return (
        sensor.position[:2],
        sensor.yaw,
        half_view,
        sensor.range,
        min(errors.detection_probability, existence.detection_limit),
        clutter,
        clutter / (2.0 * half_view * sensor.range),
        (inflation * errors.range) ** 2 + parameters.position_floor**2,
        inflation * errors.azimuth,
        (inflation * errors.range_rate) ** 2 + parameters.range_rate_floor**2,
    )


@compiled
def _placed(
    columns: np.ndarray,
    sensors: np.ndarray,
    ego_x: float,
    ego_y: float,
    yaw: float,
    _speed: float,
    _turn: float,
    inflation: float,
    measurement: np.ndarray,
) -> np.ndarray:
    """Detections, by `columns` (M, 16), as measurements (M,)."""
    parameters = measurement[0]
    cosine, sine = math.cos(yaw), math.sin(yaw)
    placed = np.empty(len(columns), MEASUREMENT)
    for index in range(len(columns)):
        row, seen = placed[index], columns[index]
        row["sensor"], row["class_id"], score = int(seen[0]), int(seen[1]), seen[2]
        mounted = sensors[row["sensor"]]
        row["position"][0] = cosine * seen[3] - sine * seen[4] + ego_x
        row["position"][1] = sine * seen[3] + cosine * seen[4] + ego_y
        # A detector that is not sure of the object is not sure of its place.
        unsure = inflation * max(parameters["sure_score"] / max(score, LEAST_SCORE), 1.0)
        wider, floor = unsure * unsure, parameters["position_floor"] ** 2
        a, b, c, d = seen[6], seen[7], seen[8], seen[9]
        row["covariance"][0] = (
            wider * (cosine * cosine * a - cosine * sine * (b + c) + sine * sine * d) + floor
        )
        row["covariance"][1] = wider * (cosine * sine * (a - d) + cosine * cosine * b - sine * sine * c)
        row["covariance"][2] = (
            wider * (sine * sine * a + cosine * sine * (b + c) + cosine * cosine * d) + floor
        )
        row["viewer"][0] = cosine * mounted["mount"][0] - sine * mounted["mount"][1] + ego_x
        row["viewer"][1] = sine * mounted["mount"][0] + cosine * mounted["mount"][1] + ego_y
        beam_x, beam_y = row["position"][0] - row["viewer"][0], row["position"][1] - row["viewer"][1]
        distance = math.hypot(beam_x, beam_y)
        row["beam"][0], row["beam"][1] = beam_x / max(distance, 1e-3), beam_y / max(distance, 1e-3)
        row["clutter"] = mounted["density"] / max(distance, NEAREST)
        row["explained"], row["score"] = 0.0, score
        row["range_rate"] = row["ground_speed"] = row["ground_speed_variance"] = 0.0
        row["heading"], row["heading_valid"] = seen[10], seen[11] > 0.0
        row["extent"][0], row["extent"][1], row["extent"][2] = seen[12], seen[13], seen[14]
        row["whole"], row["base"] = seen[15] > 0.0, seen[5]
    return placed


@compiled
def _placed_returns(
    columns: np.ndarray,
    sensors: np.ndarray,
    ego_x: float,
    ego_y: float,
    yaw: float,
    speed: float,
    turn: float,
    standing_clutter: float,
    measurement: np.ndarray,
) -> np.ndarray:
    """Radar returns, by `columns` (M, 4), as measurements (M,). A lever arm turns with the car.

    Much of a radar's clutter stands on the ground (rails, signs), so a standing object has to be seen more often to be
    believed than a moving one; it is not left out.
    """
    floor = measurement[0]["position_floor"] ** 2
    cosine, sine = math.cos(yaw), math.sin(yaw)
    highest = standing_clutter / (STANDING_SPREAD * math.sqrt(2.0 * math.pi))
    placed = np.empty(len(columns), MEASUREMENT)
    for index in range(len(columns)):
        row = placed[index]
        row["sensor"], distance = int(columns[index, 0]), columns[index, 1]
        mounted = sensors[row["sensor"]]
        arm_x = cosine * mounted["mount"][0] - sine * mounted["mount"][1]
        arm_y = sine * mounted["mount"][0] + cosine * mounted["mount"][1]
        row["viewer"][0], row["viewer"][1] = arm_x + ego_x, arm_y + ego_y
        bearing = columns[index, 2] + mounted["yaw"] + yaw
        beam_x, beam_y = math.cos(bearing), math.sin(bearing)
        row["beam"][0], row["beam"][1] = beam_x, beam_y
        row["position"][0] = row["viewer"][0] + distance * beam_x
        row["position"][1] = row["viewer"][1] + distance * beam_y
        across = (distance * mounted["azimuth"]) ** 2 + floor
        longer = mounted["along"] - across
        row["covariance"][0] = longer * beam_x * beam_x + across
        row["covariance"][1] = longer * beam_x * beam_y
        row["covariance"][2] = longer * beam_y * beam_y + across
        row["range_rate"] = range_rate = columns[index, 3]
        ground_speed = (
            range_rate + beam_x * (speed * cosine - turn * arm_y) + beam_y * (speed * sine + turn * arm_x)
        )
        row["ground_speed"], row["ground_speed_variance"] = ground_speed, mounted["range_rate"]
        peak = highest * math.exp(ground_speed * ground_speed * (-0.5 / STANDING_SPREAD**2))
        even = (1.0 - standing_clutter) / DOPPLER_SPAN
        row["clutter"] = mounted["density"] / max(distance, NEAREST) * (peak + even)
        row["explained"], row["score"] = 0.0, NEUTRAL_SCORE
        row["whole"] = row["heading_valid"] = False
        row["class_id"], row["heading"], row["base"] = 0, 0.0, 0.0
        row["extent"][0] = row["extent"][1] = row["extent"][2] = 0.0
    return placed


@compiled
def repetition(
    xx: float, xy: float, yy: float, known: np.ndarray, parameters: np.void
) -> tuple[float, float, float]:
    """Direction in which camera noise (xx, xy, yy) is largest, and by how much it is raised there: the place is already `known`
    (6, 6) that well.

    There the camera errs the same way in every frame (the object is taller than its class, the road not flat, a box that the
    image's border cuts off is turned), so frames may bring the variance down to the systematic share and no further:
    1/noise = 1/bias − 1/known. Of a whole object that is the range.
    """
    half = 0.5 * (xx - yy)
    variance = 0.5 * (xx + yy) + math.sqrt(half * half + xy * xy)
    angle = 0.5 * math.atan2(xy, half)
    x, y = math.cos(angle), math.sin(angle)
    prior = known[0, 0] * x * x + 2.0 * known[0, 1] * x * y + known[1, 1] * y * y
    news = 1.0 / max(parameters["camera_bias"] * variance, 1e-6) - 1.0 / prior
    raised = 1.0 / max(news, LEAST_NEWS / variance)
    return x, y, max(raised - variance, 0.0)


@compiled
def reflection(
    aside: float, half: float, end: bool, along_x: float, along_y: float, parameters: np.void
) -> tuple[float, float, float, float]:
    """Where a radar is reflected on a face of half width `half` whose centre it stands `aside` of, in the direction `along`:
    shift from the centre in that direction, covariance (xx, xy, yy).

    At a front or rear part of the way to the nearest point; along a side, which is long and slides by, at its nearest point,
    wherever that is.
    """
    reach = (parameters["radar_nearest"] if end else 1.0) * half
    shift = min(max(aside, -reach), reach)
    depth = parameters["radar_depth"] ** 2
    longer = ((parameters["radar_spread"] if end else parameters["radar_spread_side"]) * half) ** 2 - depth
    return (
        shift,
        longer * along_x * along_x + depth,
        longer * along_x * along_y,
        longer * along_y * along_y + depth,
    )


@compiled
def wrap_half(angle: float) -> float:
    """The angle in (−π/2, π/2]: difference of axes that have no front."""
    return -((-angle + 0.5 * math.pi) % math.pi - 0.5 * math.pi)
