"""Others in road coordinates, as flat arrays: what relevance and lane changes look at."""

import math
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from pilot_common.arc import linear_on
from pilot_common.compiled import compiled
from pilot_common.types import Tracks
from pilot_planning.highway.parameters import RelevanceParameters
from pilot_planning.highway.road import Road

CAMERA, RADAR, LIDAR = 1, 2, 4  # bits of Tracks.sensors
EXISTS = attrgetter("existence", "existence_brake", "existence_both", "confirmation_time", "unseen")


@dataclass(frozen=True, slots=True)
class Traffic:
    """N tracks that exist well enough, each (N,). Half extents are along and across the road, speeds along it,
    deviations are the standard errors of offset and offset rate.

    `left`, `right` are the probabilities to go there; `proven` tells which are sure to be there, `confirmed` which of them are
    seen just now and may make the car brake beyond comfort, `sideways` which head across the road.
    """

    identity: np.ndarray
    class_id: np.ndarray
    station: np.ndarray
    offset: np.ndarray
    offset_rate: np.ndarray
    offset_deviation: np.ndarray
    rate_deviation: np.ndarray
    half_length: np.ndarray
    half_width: np.ndarray
    speed: np.ndarray
    acceleration: np.ndarray
    left: np.ndarray
    right: np.ndarray
    proven: np.ndarray
    confirmed: np.ndarray
    sideways: np.ndarray


def see_traffic(tracks: Tracks, road: Road, p: RelevanceParameters) -> Traffic:
    """The tracks that exist well enough and whose numbers are finite; without fresh lanes, road coordinates are recomputed."""
    station, offset = tracks.station, tracks.offset
    if not road.fresh:
        station, offset, _ = road.line.to_road(tracks.position[:, :2])
    names, numbers, flags = _along_road(
        tracks.identity,
        tracks.class_id,
        tracks.position,
        tracks.velocity,
        tracks.extent,
        tracks.heading,
        tracks.covariance,
        tracks.acceleration,
        tracks.existence,
        tracks.age,
        tracks.unseen,
        tracks.sensors,
        station,
        offset,
        tracks.offset_rate,
        tracks.intention,
        road.line.station,
        road.line.heading,
        road.fresh,
        EXISTS(p),
    )
    return Traffic(*names, *numbers, *flags)


@compiled
def _along_road(
    identity: np.ndarray,
    class_id: np.ndarray,
    position: np.ndarray,
    velocity: np.ndarray,
    extent: np.ndarray,
    heading: np.ndarray,
    covariance: np.ndarray,
    acceleration: np.ndarray,
    existence: np.ndarray,
    age: np.ndarray,
    unseen: np.ndarray,
    sensors: np.ndarray,
    station: np.ndarray,
    offset: np.ndarray,
    offset_rate: np.ndarray,
    intention: np.ndarray,
    line_station: np.ndarray,
    line_heading: np.ndarray,
    fresh: bool,
    thresholds: tuple[float, float, float, float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names, numbers and flags of the tracks that count, as `Traffic` has them: (2, N), (11, N) and (3, N)."""
    exists, exists_alone, exists_for_both, confirmation_time, longest_unseen = thresholds
    rows, total = np.empty(len(existence), np.int64), 0
    for row in range(len(existence)):
        known = heading[row] + acceleration[row]
        for axis in range(3):
            known += position[row, axis] + extent[row, axis]
            if fresh:
                known += intention[row, axis]
        for axis in range(2):
            known += velocity[row, axis]
        for axis in range(16):
            known += covariance[row, axis // 4, axis % 4]
        if fresh:
            known += station[row] + offset[row] + offset_rate[row]
        if math.isfinite(known) and existence[row] >= exists:
            rows[total] = row
            total += 1
    names, numbers, flags = (
        np.empty((2, total), np.int64),
        np.empty((11, total)),
        np.empty((3, total), np.bool_),
    )
    for count in range(total):
        row = rows[count]
        direction = linear_on(line_station, line_heading, station[row])
        cosine, sine = math.cos(direction), math.sin(direction)
        forward, left = velocity[row, 0], velocity[row, 1]
        turned = heading[row] - direction
        along, across = math.cos(turned), abs(math.sin(turned))
        half_length, half_width = 0.5 * extent[row, 0], 0.5 * extent[row, 1]
        numbers[0, count] = station[row]
        numbers[1, count] = offset[row]
        numbers[2, count] = offset_rate[row] if fresh else left * cosine - forward * sine
        numbers[3, count] = math.sqrt(max(covariance[row, 1, 1], 0.0))
        numbers[4, count] = math.sqrt(max(covariance[row, 3, 3], 0.0))
        numbers[5, count] = half_length * abs(along) + half_width * across
        numbers[6, count] = half_width * abs(along) + half_length * across
        numbers[7, count] = forward * cosine + left * sine
        numbers[8, count] = acceleration[row] * along
        numbers[9, count] = intention[row, 1] if fresh else 0.0
        numbers[10, count] = intention[row, 2] if fresh else 0.0
        proven = existence[row] >= exists_alone and age[row] >= confirmation_time
        both = sensors[row] & (sensors[row] - 1)  # more than one bit
        proven |= both > 0 and existence[row] >= exists_for_both
        flags[0, count] = proven
        flags[1, count] = proven and unseen[row] <= longest_unseen
        flags[2, count] = across > 0.7
        names[0, count], names[1, count] = identity[row], class_id[row]
    return names, numbers, flags
