"""Which of the others are in our way: in the swept path, coming into it, or about to cross it.

Everything is judged in road coordinates against the offset of our own path at the object's station, with both widths, so that a
car in the neighbouring lane never counts, in a curve as little as on a straight road.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from pilot_common.types import ObjectClass
from pilot_planning.highway.parameters import RelevanceParameters
from pilot_planning.highway.traffic import Traffic

WORDS = {
    ObjectClass.UNKNOWN: "object",
    ObjectClass.CAR: "car",
    ObjectClass.TRUCK: "truck",
    ObjectClass.TWO_WHEELER: "two-wheeler",
    ObjectClass.PEDESTRIAN: "pedestrian",
}
SLOW = 0.5  # m/s, closing speeds are not taken below, so that times stay finite


class Role(Enum):
    """Why an object matters."""

    IN_PATH = "in path"
    CUT_IN = "cut-in"
    CROSSING = "crossing"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One object that matters. `gap` is bumper to bumper along the road, `arrival` the time until it comes into the path.

    `certain` objects may make the car brake beyond comfort: confirmed, and still in the path when the car gets there. For
    one that is not `proven` to be there it only lifts off.
    """

    identity: int
    word: str
    role: Role
    gap: float
    speed: float
    acceleration: float
    certain: bool
    arrival: float
    proven: bool = True


def obstacles(
    traffic: Traffic,
    front_station: float,
    ego_speed: float,
    half_width: float,
    length: float,
    path_station: np.ndarray,
    path_offset: np.ndarray,
    members: np.ndarray,
    p: RelevanceParameters,
) -> list[Obstacle]:
    """The objects that matter, nearest first. `members` are the identities that were in the path a cycle ago (hysteresis)."""
    if not len(traffic.identity):
        return []
    gap = traffic.station - traffic.half_length - front_station
    across = traffic.offset - np.interp(traffic.station, path_station, path_offset)
    clearance = np.abs(across) - traffic.half_width - half_width
    toward = np.where(across > 0.0, -traffic.offset_rate, traffic.offset_rate)
    ahead = traffic.station + traffic.half_length > front_station
    closing = np.maximum(ego_speed - traffic.speed, SLOW)
    meeting = np.maximum(gap, 0.0) / closing

    was_in = (traffic.identity[:, None] == members[None, :]).any(1)
    in_path = ahead & (clearance < np.where(was_in, p.margin_release, p.margin))
    still_there = clearance - toward * np.minimum(meeting, 1.0) < 0.0

    speed_toward = np.maximum(toward, 1e-3)
    arrival = np.maximum(clearance - p.margin, 0.0) / speed_toward
    crossing = np.zeros(len(gap), bool)
    walks = (traffic.class_id == ObjectClass.PEDESTRIAN) | (traffic.class_id == ObjectClass.TWO_WHEELER)
    walks |= traffic.sideways
    if walks.any():  # on most roads at most times there is none
        crossing = ahead & ~in_path & walks & (toward > np.maximum(np.abs(traffic.speed), p.drift_rate))
        leaving = arrival + 2.0 * (traffic.half_width + half_width + p.margin) / speed_toward
        passing = (gap + 2.0 * traffic.half_length + length) / closing
        crossing &= (arrival < passing + p.crossing_margin) & (leaving > meeting - p.crossing_margin)

    intends = np.where(across > 0.0, traffic.right, traffic.left) >= p.intention
    ahead_then = traffic.station + traffic.half_length + (traffic.speed - ego_speed) * arrival > front_station
    cut_in = ~in_path & ~crossing & (toward > p.drift_rate) & (toward <= np.abs(traffic.speed)) & ahead_then
    cut_in &= traffic.confirmed & ((arrival < p.drift_certain) | ((arrival < p.drift_horizon) & intends))

    rows = np.flatnonzero(in_path | cut_in | crossing)
    rows = rows[np.argsort(gap[rows], kind="stable")][: p.most]
    return [
        Obstacle(
            identity=int(traffic.identity[row]),
            word=WORDS[ObjectClass(int(traffic.class_id[row]))],
            role=Role.IN_PATH if in_path[row] else Role.CUT_IN if cut_in[row] else Role.CROSSING,
            gap=max(float(gap[row]), 0.0),
            speed=float(traffic.speed[row]),
            acceleration=float(traffic.acceleration[row]),
            certain=bool(traffic.confirmed[row] and (still_there[row] or crossing[row])),
            arrival=0.0 if in_path[row] else float(arrival[row]),
            proven=bool(traffic.proven[row]),
        )
        for row in rows
    ]
