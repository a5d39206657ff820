"""From the track bank to the tracks that planning sees: in base_link at one time, in road coordinates, with intentions."""

import math

import numpy as np

from pilot_common.compiled import as_record, compiled
from pilot_common.geometry import inverse, wrap
from pilot_common.messages import empty_arrays
from pilot_common.road import HEADING, STATION, at_station, chord_foot
from pilot_common.types import Lanes, Tracks
from pilot_fusion.course import samples_of
from pilot_fusion.ego_motion import EgoState
from pilot_fusion.parameters import IntentionParameters, Parameters
from pilot_fusion.track_bank import TrackBank, last_seen, move, yaw_rate

# Rows of what `_reported` tells of tracks.
EXISTENCE, ACCELERATION, YAW, YAW_RATE, AGE, UNSEEN, STATION_OF, OFFSET, OFFSET_RATE = range(9)
_wrap = compiled(wrap)
IDENTITY, CLASS, SENSORS = range(3)


class WorldView:
    """Tells the tracks of a bank as messages."""

    def __init__(self, parameters: Parameters) -> None:
        self._motion = as_record(parameters.motion)
        self._measurement = as_record(parameters.measurement)
        self._intention = as_record(parameters.intention)
        self._sensor_memory = parameters.looks.sensor_memory

    def tracks(self, bank: TrackBank, ego: EgoState, lanes: Lanes, radar_alone: bool = False) -> Tracks:
        """The tracks of `bank` that are reported, predicted to the time of `ego` and in its base_link.

        Their existence is that of something solid; with `radar_alone` (cameras or lidars are missing) radar is believed as it is.
        """
        rows = bank.tracks["reported"].nonzero()[0]
        if len(rows) == 0:
            return Tracks(**empty_arrays(Tracks))
        samples = samples_of(lanes) if len(lanes.point) > 1 else np.empty((0, 5))
        tracks, base_from_odom = bank.tracks.take(rows), np.array(inverse(ego.pose))
        numbers, codes, position, velocity, extent, covariance, intention = _reported(
            *(tracks, bank.time, ego.time, base_from_odom, radar_alone, self._sensor_memory),
            *(samples, lanes.offset, lanes.width, self._motion, self._measurement, self._intention),
        )
        return Tracks(
            identity=codes[IDENTITY].astype(np.uint32),
            class_id=codes[CLASS].astype(np.uint8),
            existence=numbers[EXISTENCE],
            position=position,
            velocity=velocity,
            acceleration=numbers[ACCELERATION],
            heading=numbers[YAW],
            yaw_rate=numbers[YAW_RATE],
            extent=extent,
            covariance=covariance,
            age=numbers[AGE],
            unseen=numbers[UNSEEN],
            sensors=codes[SENSORS].astype(np.uint8),
            station=numbers[STATION_OF],
            offset=numbers[OFFSET],
            offset_rate=numbers[OFFSET_RATE],
            intention=intention,
        )


@compiled
def _reported(
    tracks: np.ndarray,
    before: float,
    time: float,
    base_from_odom: np.ndarray,
    radar_alone: bool,
    sensor_memory: float,
    samples: np.ndarray,
    lane_offset: np.ndarray,
    lane_width: np.ndarray,
    motion: np.ndarray,
    measurement: np.ndarray,
    intention: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers (9, N), codes (3, N), position, velocity, extent, covariance, intention of `tracks`, which are changed."""
    count = len(tracks)
    numbers, codes = np.empty((9, count)), np.empty((3, count), np.int64)
    position, velocity, extent = np.empty((count, 3)), np.empty((count, 2)), np.empty((count, 3))
    covariance, intentions_of = np.empty((count, 4, 4)), np.empty((count, 3))
    for row in range(count):
        track = tracks[row]
        codes[IDENTITY, row], codes[CLASS, row] = track["identity"], _class_of(track["class_weight"])
        numbers[EXISTENCE, row] = track["existence"] * (1.0 if radar_alone else track["solid"])
        numbers[AGE, row] = max(time - track["born"], 0.0)
        numbers[UNSEEN, row] = max(time - last_seen(track), 0.0)
        codes[SENSORS, row] = 0
        for kind in range(3):
            if time - track["seen"][kind] <= sensor_memory:
                codes[SENSORS, row] += 1 << kind
        turning = yaw_rate(track)
        move(track, time - before, motion[0])
        _turn_axes(track, base_from_odom)
        state, heading = track["state"], track["heading"]
        cosine, sine = math.cos(heading), math.sin(heading)
        along, across = state[4] * cosine + state[5] * sine, state[5] * cosine - state[4] * sine
        speed = state[2] * cosine + state[3] * sine
        moving = abs(speed) > motion[0]["moving_speed"]
        numbers[ACCELERATION, row], numbers[YAW, row] = along, _wrap(heading)
        numbers[YAW_RATE, row] = turning + across / speed if moving else 0.0
        for axis in range(3):
            extent[row, axis] = track["extent"][axis]
        position[row, 0], position[row, 1] = state[0], state[1]
        position[row, 2] = track["base"] + 0.5 * extent[row, 2]
        velocity[row, 0], velocity[row, 1] = state[2], state[3]
        for one in range(4):
            for two in range(4):
                covariance[row, one, two] = track["covariance"][one, two]
        _add_systematic(covariance[row], state[0], state[1], measurement[0])
        # Of a long vehicle in a bend, the near end is known well and its heading less so: who drives along the road has the same
        # offset at both ends, so that of the near end is told. The velocity is that of the centre, as is the heading of the line.
        ahead, half = state[0] * cosine + state[1] * sine if moving else 0.0, 0.5 * extent[row, 0]
        back = min(max(ahead, -half), half)
        station, offset, line = _road_coordinates(
            samples, state[0] - back * cosine, state[1] - back * sine, back
        )
        rate = state[3] * math.cos(line) - state[2] * math.sin(line)
        numbers[STATION_OF, row], numbers[OFFSET, row], numbers[OFFSET_RATE, row] = station, offset, rate
        _intend(
            intentions_of[row], lane_offset, lane_width, offset, rate, covariance[row, 3, 3], intention[0]
        )
    return numbers, codes, position, velocity, extent, covariance, intentions_of


@compiled
def _turn_axes(track: np.void, pose: np.ndarray) -> None:
    """State, covariance and heading from odom into the axes of the car at `pose`, base_from_odom."""
    state, covariance = track["state"], track["covariance"]
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    for x in (0, 2, 4):
        state[x], state[x + 1] = (
            cosine * state[x] - sine * state[x + 1],
            sine * state[x] + cosine * state[x + 1],
        )
        for other in range(6):
            one, two = covariance[x, other], covariance[x + 1, other]
            covariance[x, other], covariance[x + 1, other] = (
                cosine * one - sine * two,
                sine * one + cosine * two,
            )
    for x in (0, 2, 4):
        for other in range(6):
            one, two = covariance[other, x], covariance[other, x + 1]
            covariance[other, x], covariance[other, x + 1] = (
                cosine * one - sine * two,
                sine * one + cosine * two,
            )
    state[0] += pose[0]
    state[1] += pose[1]
    track["heading"] += pose[2]


@compiled
def _add_systematic(covariance: np.ndarray, x: float, y: float, parameters: np.void) -> None:
    """Errors that all measurements of an object share: mounts, shape, where on it sensors look."""
    x, y, even = (
        parameters["systematic_angle"] * x,
        parameters["systematic_angle"] * y,
        parameters["systematic"] ** 2,
    )
    covariance[0, 0] += y * y + even
    covariance[1, 1] += x * x + even
    covariance[0, 1] -= x * y
    covariance[1, 0] -= x * y


@compiled
def _class_of(weight: np.ndarray) -> int:
    """The class with most votes; UNKNOWN (0) only where no other has any."""
    best, most = 0, 0.0
    for index in range(1, len(weight)):
        if weight[index] > most:
            best, most = index, weight[index]
    return best


@compiled
def _road_coordinates(samples: np.ndarray, x: float, y: float, further: float) -> tuple[float, float, float]:
    """Station `further` along the line, offset at a point, the line's heading at that station; without a line the car's own
    axis is it.
    """
    if len(samples) == 0:
        return x + further, y, 0.0
    nearest, share, offset = chord_foot(samples, x, y)
    first = samples[nearest, STATION]
    station = first + share * (samples[nearest + 1, STATION] - first) + further
    return station, offset, at_station(samples, HEADING, station)


def intentions(
    lanes: Lanes,
    offset: np.ndarray,
    rate: np.ndarray,
    rate_variance: np.ndarray,
    parameters: IntentionParameters,
) -> np.ndarray:
    """Probabilities (N, 3) to be in its lane, left of it, right of it at the horizon, if the lateral motion goes on."""
    motion = np.column_stack((offset, rate, rate_variance))
    return _intentions(lanes.offset, lanes.width, motion, as_record(parameters))


@compiled
def _intentions(
    lane_offset: np.ndarray, lane_width: np.ndarray, motion: np.ndarray, intention: np.ndarray
) -> np.ndarray:
    result = np.empty((len(motion), 3))
    for row in range(len(motion)):
        offset, rate, variance = motion[row, 0], motion[row, 1], motion[row, 2]
        _intend(result[row], lane_offset, lane_width, offset, rate, variance, intention[0])
    return result


@compiled
def _intend(
    result: np.ndarray,
    lane_offset: np.ndarray,
    lane_width: np.ndarray,
    offset: float,
    rate: float,
    rate_variance: float,
    parameters: np.void,
) -> None:
    """The offset at the horizon is normally distributed about offset + rate · horizon; what lies beyond a marking is a change of
    lane.
    """
    result[0], result[1], result[2] = 1.0, 0.0, 0.0
    if len(lane_offset) == 0:
        return
    lane = 0
    for other in range(1, len(lane_offset)):
        if abs(offset - lane_offset[other]) < abs(offset - lane_offset[lane]):
            lane = other
    half, aside = 0.5 * lane_width[lane], offset - lane_offset[lane]
    if abs(aside) > 2.0 * half:
        return  # far off the known lanes the lateral motion says nothing of lanes
    # Most keep their lane: a lateral speed that is hardly known yet is taken as small.
    variance = rate_variance + parameters["rate_deviation"] ** 2
    trust = parameters["rate_usual"] ** 2 / (parameters["rate_usual"] ** 2 + variance)
    horizon = parameters["horizon"]
    later = aside + trust * rate * horizon
    deviation = math.sqrt(parameters["offset_deviation"] ** 2 + horizon**2 * trust * variance)
    result[1] = 0.5 * math.erfc((half - later) / deviation / math.sqrt(2.0))
    result[2] = 0.5 * math.erfc((half + later) / deviation / math.sqrt(2.0))
    result[0] = 1.0 - result[1] - result[2]


def age_of(ego: EgoState | None, time: float) -> float:
    """Seconds since the newest ego state; infinite before the first."""
    return math.inf if ego is None else time - ego.time
