"""From the track bank to the tracks that planning sees: in base_link at one time, in road coordinates, with intentions."""

import math

import numpy as np
from scipy.special import ndtr

from pilot_common.geometry import inverse, wrap_angle
from pilot_common.messages import empty_arrays
from pilot_common.road import ReferenceLine
from pilot_common.types import Lanes, Tracks
from pilot_fusion.ego_motion import EgoState
from pilot_fusion.parameters import IntentionParameters, MeasurementParameters, Parameters
from pilot_fusion.track_bank import TrackBank

SENSOR_BITS = np.array((1, 2, 4), np.uint8)  # of camera, radar, lidar


def reported_tracks(
    bank: TrackBank, ego: EgoState, lanes: Lanes, parameters: Parameters, radar_alone: bool = False
) -> Tracks:
    """The tracks of `bank` that are reported, predicted to the time of `ego` and in its base_link.

    Their existence is that of something solid; with `radar_alone` (cameras or lidars are missing) radar is believed as it is.
    """
    rows = bank.reported.nonzero()[0]
    if len(rows) == 0:
        return Tracks(**empty_arrays(Tracks))
    existence = bank.existence.take(rows)
    if not radar_alone:
        existence *= bank.solid.take(rows)
    base_from_odom = inverse(ego.pose)
    state, covariance = bank.predicted(ego.time, rows, ego.pose[2])
    heading, extent = bank.heading.take(rows) + base_from_odom[2], bank.extent.take(rows, axis=0)
    cosine, sine = np.cos(heading), np.sin(heading)
    along = state[:, 4] * cosine + state[:, 5] * sine
    across = state[:, 5] * cosine - state[:, 4] * sine
    speed = state[:, 2] * cosine + state[:, 3] * sine
    moving = np.abs(speed) > parameters.motion.moving_speed
    position = np.empty((len(rows), 3))
    position[:, :2] = state[:, :2] + base_from_odom[:2]
    position[:, 2] = bank.base.take(rows) + 0.5 * extent[:, 2]
    velocity = state[:, 2:4].copy()
    # Of a long vehicle in a bend, the near end is known well and its heading less so: who drives along the road has the same
    # offset at both ends, so that of the near end is told. The velocity is that of the centre, as is the heading of the line.
    ahead = np.where(moving, position[:, 0] * cosine + position[:, 1] * sine, 0.0)
    half = 0.5 * extent[:, 0]
    back = np.minimum(np.maximum(ahead, -half), half)
    near = position[:, :2] - back[:, None] * np.column_stack((cosine, sine))
    station, offset, line_heading = _road_coordinates(lanes, near, back)
    offset_rate = velocity[:, 1] * np.cos(line_heading) - velocity[:, 0] * np.sin(line_heading)
    unseen = ego.time - bank.seen.take(rows, axis=0)
    recent = unseen <= parameters.looks.sensor_memory
    in_base = covariance[:, :4, :4].copy()
    in_base[:, :2, :2] += _systematic(position[:, :2], parameters.measurement)
    return Tracks(
        identity=bank.identity[rows],
        class_id=_classes(bank.class_weight[rows]),
        existence=existence,
        position=position,
        velocity=velocity,
        acceleration=along,
        heading=wrap_angle(heading),
        yaw_rate=np.where(moving, bank.yaw_rate(rows) + across / np.where(moving, speed, 1.0), 0.0),
        extent=extent,
        covariance=in_base,
        age=np.maximum(ego.time - bank.born[rows], 0.0),
        unseen=np.maximum(np.minimum.reduce(unseen, axis=1), 0.0),
        sensors=recent.view(np.uint8) @ SENSOR_BITS,
        station=station,
        offset=offset,
        offset_rate=offset_rate,
        intention=intentions(lanes, offset, offset_rate, in_base[:, 3, 3], parameters.intention),
    )


def _systematic(position: np.ndarray, parameters: MeasurementParameters) -> np.ndarray:
    """Covariance (N, 2, 2) of errors that all measurements of an object share: mounts, shape, where on it sensors look."""
    covariance = np.empty((len(position), 2, 2))
    x, y = parameters.systematic_angle * position.T
    even = parameters.systematic**2
    covariance[:, 0, 0] = y * y + even
    covariance[:, 1, 1] = x * x + even
    covariance[:, 0, 1] = covariance[:, 1, 0] = -x * y
    return covariance


def _classes(weight: np.ndarray) -> np.ndarray:
    """The class with most votes; UNKNOWN (0) only where no other has any."""
    best = 1 + weight[:, 1:].argmax(axis=1)
    return np.where(weight[:, 1:].max(axis=1) > 0.0, best, 0).astype(np.uint8)


def _road_coordinates(
    lanes: Lanes, point: np.ndarray, further: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Station `further` (N,) along the line, offset at points (N, 2), the line's heading at that station; without lanes the
    car's own axis is the line.
    """
    if len(lanes.point) < 2:
        return point[:, 0] + further, point[:, 1].copy(), np.zeros(len(point))
    line = ReferenceLine(lanes.point, lanes.station, lanes.heading, lanes.curvature)
    station, offset, _ = line.to_road(point)
    station = station + further
    return station, offset, np.interp(station, line.station, line.heading)


def intentions(
    lanes: Lanes,
    offset: np.ndarray,
    rate: np.ndarray,
    rate_variance: np.ndarray,
    parameters: IntentionParameters,
) -> np.ndarray:
    """Probabilities (N, 3) to be in its lane, left of it, right of it at the horizon, if the lateral motion goes on.

    The offset then is normally distributed about offset + rate · horizon; what lies beyond a marking is a change of lane.
    """
    result = np.zeros((len(offset), 3))
    if len(lanes.offset) == 0:
        result[:, 0] = 1.0
        return result
    lane = np.abs(offset[:, None] - lanes.offset).argmin(axis=1)
    half = 0.5 * lanes.width[lane]
    # Most keep their lane: a lateral speed that is hardly known yet is taken as small.
    variance = rate_variance + parameters.rate_deviation**2
    trust = parameters.rate_usual**2 / (parameters.rate_usual**2 + variance)
    later = offset - lanes.offset[lane] + trust * rate * parameters.horizon
    variance = trust * variance
    deviation = np.sqrt(parameters.offset_deviation**2 + parameters.horizon**2 * variance)
    left = ndtr((later - half) / deviation)
    right = ndtr((-half - later) / deviation)
    # Far off the known lanes the lateral motion says nothing of lanes.
    known = np.abs(offset - lanes.offset[lane]) <= 2.0 * half
    result[:, 1] = np.where(known, left, 0.0)
    result[:, 2] = np.where(known, right, 0.0)
    result[:, 0] = 1.0 - result[:, 1] - result[:, 2]
    return result


def age_of(ego: EgoState | None, time: float) -> float:
    """Seconds since the newest ego state; infinite before the first."""
    return math.inf if ego is None else time - ego.time
