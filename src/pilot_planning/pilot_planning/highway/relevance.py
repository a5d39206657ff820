"""Which of the others are in our way: in the swept path, coming into it, or about to cross it.

Everything is judged in road coordinates against the offset of our own path at the object's station, with both widths, so that a
car in the neighbouring lane never counts, in a curve as little as on a straight road.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from pilot_common.types import ObjectClass
from pilot_planning.highway.contingency import Coming
from pilot_planning.highway.parameters import ContingencyParameters, RelevanceParameters
from pilot_planning.highway.prediction import comings
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

WORDS = {
    ObjectClass.UNKNOWN: "object",
    ObjectClass.CAR: "car",
    ObjectClass.TRUCK: "truck",
    ObjectClass.TWO_WHEELER: "two-wheeler",
    ObjectClass.PEDESTRIAN: "pedestrian",
}
FAR = 100.0  # m beyond the lane seen, over which the doubt grows
BESIDE = 1.0  # m; who overlaps with us by more along the road is beside us, not ahead
ENTERING = 0.8  # m; of less overlap across the road somebody is on his way in (or out)
SLOW = 0.5  # m/s, closing speeds are not taken below, so that times stay finite


class Role(Enum):
    """Why an object matters."""

    IN_PATH = "in path"
    CUT_IN = "cut-in"
    CROSSING = "crossing"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One object that matters. `gap` is bumper to bumper along the road (negative only beside us), `coming` how it may come into
    the path where it is not in it.

    `certain` objects may make the car brake beyond comfort: confirmed, and still in the path when the car gets there. For
    one that is not `proven` to be there it only lifts off. Who is `entering` is in the path with one side only.
    """

    identity: int
    word: str
    role: Role
    gap: float
    speed: float
    acceleration: float
    certain: bool
    proven: bool = True
    coming: Coming | None = None
    entering: bool = False


def obstacles(
    traffic: Traffic,
    road: Road,
    front_station: float,
    ego_speed: float,
    half_width: float,
    length: float,
    path_station: np.ndarray,
    path_offset: np.ndarray,
    members: np.ndarray,
    change: np.ndarray,
    p: RelevanceParameters,
    q: ContingencyParameters,
) -> list[Obstacle]:
    """The objects that matter, nearest first. `members` are the identities that were in the path a cycle ago (hysteresis),
    `change` (N,) lateral accelerations.
    """
    if not len(traffic.identity):
        return []
    gap = traffic.station - traffic.half_length - front_station
    across = traffic.offset - np.interp(traffic.station, path_station, path_offset)
    clearance = np.abs(across) - traffic.half_width - half_width
    toward = np.where(across > 0.0, -traffic.offset_rate, traffic.offset_rate)
    ahead = gap > -BESIDE
    closing = np.maximum(ego_speed - traffic.speed, SLOW)
    meeting = np.maximum(gap, 0.0) / closing

    was_in = (traffic.identity[:, None] == members[None, :]).any(1)
    # Beyond the lane that is seen, the path is a guess: there an object must lie the farther in it.
    beyond = np.minimum(np.maximum(traffic.station - road.ego_station - road.sight, 0.0) / FAR, 1.0)
    margin = np.where(was_in, p.margin_release, p.margin)
    in_path = ahead & (clearance < margin - p.margin_far * beyond)
    still_there = clearance - toward * np.minimum(meeting, 1.0) < 0.0

    speed_toward = np.maximum(toward, 1e-3)
    arrival = np.maximum(clearance - p.margin, 0.0) / speed_toward
    crossing, gone = np.zeros(len(gap), bool), np.zeros(len(gap), bool)
    walks = (traffic.class_id == ObjectClass.PEDESTRIAN) | (traffic.class_id == ObjectClass.TWO_WHEELER)
    walks |= traffic.sideways
    if walks.any():  # on most roads at most times there is none
        gone = walks & _gone_before(traffic, across, half_width, meeting, p)
        in_path &= ~gone
        crossing = ahead & ~in_path & walks & (toward > np.maximum(np.abs(traffic.speed), p.drift_rate))
        leaving = arrival + 2.0 * (traffic.half_width + half_width + p.margin) / speed_toward
        passing = (gap + 2.0 * traffic.half_length + length) / closing
        crossing &= (arrival < passing + p.crossing_margin) & (leaving > meeting - p.crossing_margin)

    coming = comings(traffic, road, across, clearance, change, q)
    both = 2.0 * traffic.half_length + length
    cut_in = (
        ~in_path
        & ~crossing
        & ~gone
        & (traffic.speed > SLOW)
        & (gap > -both)
        & (coming.probability >= q.possible)
    )

    rows = np.flatnonzero(in_path | cut_in | crossing)
    rows = rows[np.argsort(gap[rows], kind="stable")][: p.most]
    return [
        Obstacle(
            identity=int(traffic.identity[row]),
            word=WORDS[ObjectClass(int(traffic.class_id[row]))],
            role=Role.IN_PATH if in_path[row] else Role.CUT_IN if cut_in[row] else Role.CROSSING,
            gap=float(gap[row]) if cut_in[row] else max(float(gap[row]), 0.0),
            speed=float(traffic.speed[row]),
            acceleration=float(traffic.acceleration[row]),
            certain=bool(traffic.confirmed[row] and (still_there[row] or ~in_path[row])),
            coming=Coming(
                float(coming.probability[row]),
                float(coming.touching[row]),
                float(coming.likely[row]),
                float(coming.soonest[row]),
                float(both[row]),
            )
            if cut_in[row]
            else None,
            proven=bool(traffic.proven[row]),
            entering=bool(in_path[row] and clearance[row] > -ENTERING),
        )
        for row in rows
    ]


def _gone_before(
    traffic: Traffic, across: np.ndarray, half_width: float, meeting: np.ndarray, p: RelevanceParameters
) -> np.ndarray:
    """Who crosses and has left our path well before the car comes, bool (N,); one who stops is back in it at the next look."""
    rate = np.abs(traffic.offset_rate)
    left = np.where(traffic.offset_rate > 0.0, -across, across)  # still to go to the middle of our path
    way = traffic.half_width + half_width + p.margin_release + left
    leaving = np.maximum(way, 0.0) / np.maximum(rate, 1e-3)
    walking = rate > np.maximum(np.abs(traffic.speed), p.drift_rate)
    return walking & (leaving + p.leave_margin < meeting)
