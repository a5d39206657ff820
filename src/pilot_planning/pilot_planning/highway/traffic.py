"""Others in road coordinates, as flat arrays: what relevance and lane changes look at."""

from dataclasses import dataclass

import numpy as np

from pilot_common.types import Tracks
from pilot_planning.highway.parameters import RelevanceParameters
from pilot_planning.highway.road import Road

CAMERA, RADAR, LIDAR = 1, 2, 4  # bits of Tracks.sensors
SENSOR_COUNT = np.array([bin(bits).count("1") for bits in range(256)])


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
    sound = np.isfinite(
        tracks.position.sum(1)
        + tracks.velocity.sum(1)
        + tracks.extent.sum(1)
        + tracks.heading
        + tracks.covariance.sum((1, 2))
        + tracks.acceleration
    )
    sound &= tracks.existence >= p.existence
    if road.fresh:
        sound &= np.isfinite(tracks.station + tracks.offset + tracks.offset_rate + tracks.intention.sum(1))
    rows = np.flatnonzero(sound)
    velocity = tracks.velocity[rows]
    if road.fresh:
        station, offset = tracks.station[rows], tracks.offset[rows]
        line_heading = np.interp(station, road.line.station, road.line.heading)
        rate, intention = tracks.offset_rate[rows], tracks.intention[rows]
    else:
        station, offset, line_heading = road.line.to_road(tracks.position[rows, :2])
        rate = velocity[:, 1] * np.cos(line_heading) - velocity[:, 0] * np.sin(line_heading)
        intention = np.zeros((len(rows), 3))
    turned = tracks.heading[rows] - line_heading
    cosine, sine = np.cos(turned), np.abs(np.sin(turned))
    across = np.abs(cosine)
    extent = 0.5 * tracks.extent[rows, :2]
    existence = tracks.existence[rows]
    variance = np.maximum(np.einsum("nii->ni", tracks.covariance[rows]), 0.0)
    alone = (existence >= p.existence_brake) & (tracks.age[rows] >= p.confirmation_time)
    proven = alone | ((SENSOR_COUNT[tracks.sensors[rows]] >= 2) & (existence >= p.existence_both))
    return Traffic(
        identity=tracks.identity[rows],
        class_id=tracks.class_id[rows],
        station=station,
        offset=offset,
        offset_rate=rate,
        offset_deviation=np.sqrt(variance[:, 1]),
        rate_deviation=np.sqrt(variance[:, 3]),
        half_length=extent[:, 0] * across + extent[:, 1] * sine,
        half_width=extent[:, 1] * across + extent[:, 0] * sine,
        speed=velocity[:, 0] * np.cos(line_heading) + velocity[:, 1] * np.sin(line_heading),
        acceleration=tracks.acceleration[rows] * cosine,
        left=intention[:, 1],
        right=intention[:, 2],
        proven=proven,
        confirmed=proven & (tracks.unseen[rows] <= p.unseen),
        sideways=sine > 0.7,
    )
