"""Which of the others are in our way: in the swept path, coming into it, or about to cross it.

Everything is judged in road coordinates against the offset of our own path at the object's station, with both widths, so that a
car in the neighbouring lane never counts, in a curve as little as on a straight road.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum
from operator import attrgetter

import numpy as np

from pilot_common.arc import linear_on
from pilot_common.compiled import compiled
from pilot_common.types import ObjectClass
from pilot_planning.highway.contingency import Coming
from pilot_planning.highway.parameters import ContingencyParameters, RelevanceParameters
from pilot_planning.highway.prediction import Comings, comings
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
PEDESTRIAN, TWO_WHEELER = int(ObjectClass.PEDESTRIAN), int(ObjectClass.TWO_WHEELER)
MARGINS = attrgetter(
    "margin", "margin_release", "margin_far", "drift_rate", "leave_margin", "crossing_margin"
)


class Role(Enum):
    """Why an object matters."""

    IN_PATH = "in path"
    CUT_IN = "cut-in"
    CROSSING = "crossing"


ROLES = tuple(Role)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One object that matters. `gap` is bumper to bumper along the road (negative only beside us), `coming` how it may come into
    the path where it is not in it.

    `certain` objects may make the car brake beyond comfort: confirmed, and still in the path when the car gets there. For
    one that is not `proven` to be there it only lifts off. Who is `entering` is in the path with one side only. `until` (s)
    our path leads past him, if he stays where he is across the road.
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
    until: float = math.inf


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
    gap, across, clearance = _beside_path(
        traffic.station,
        traffic.offset,
        traffic.half_length,
        traffic.half_width,
        path_station,
        path_offset,
        front_station,
        half_width,
    )
    coming = comings(traffic, road, across, clearance, change, q)
    role, certain, entering = _roles(
        traffic.identity,
        traffic.class_id,
        traffic.station,
        traffic.offset_rate,
        traffic.half_length,
        traffic.half_width,
        traffic.speed,
        traffic.confirmed,
        traffic.sideways,
        gap,
        across,
        clearance,
        coming.probability,
        coming.likely,
        members,
        (half_width, length, ego_speed, road.ego_station + road.sight, q.possible),
        MARGINS(p),
    )
    rows = sorted((role >= 0).nonzero()[0].tolist(), key=gap.__getitem__)[: p.most]
    found = [
        _obstacle(
            traffic, row, ROLES[role[row]], gap, coming, length, bool(certain[row]), bool(entering[row])
        )
        for row in rows
    ]
    touching = traffic.half_width + half_width + p.margin
    ways = [_left_after(path_station, path_offset, traffic.offset[row], touching[row]) for row in rows]
    return [
        replace(item, until=max(way - front_station, 0.0) / max(ego_speed, 1.0))
        for item, way in zip(found, ways, strict=True)
    ]


@compiled
def _left_after(path_station: np.ndarray, path_offset: np.ndarray, offset: float, touching: float) -> float:
    """Station from which on a path (P,) is farther than `touching` from an offset, infinite where it never is again."""
    for point in range(len(path_station) - 1, -1, -1):
        if abs(offset - path_offset[point]) < touching:
            return path_station[point + 1] if point + 1 < len(path_station) else np.inf
    return np.inf


def _obstacle(
    traffic: Traffic,
    row: int,
    role: Role,
    gap: np.ndarray,
    coming: Comings,
    length: float,
    certain: bool,
    entering: bool,
) -> Obstacle:
    cuts_in = role is Role.CUT_IN
    return Obstacle(
        identity=int(traffic.identity[row]),
        word=WORDS[ObjectClass(int(traffic.class_id[row]))],
        role=role,
        gap=float(gap[row]) if cuts_in else max(float(gap[row]), 0.0),
        speed=float(traffic.speed[row]),
        acceleration=float(traffic.acceleration[row]),
        certain=certain,
        coming=Coming(
            float(coming.probability[row]),
            float(coming.touching[row]),
            float(coming.likely[row]),
            float(coming.soonest[row]),
            2.0 * float(traffic.half_length[row]) + length,
        )
        if cuts_in
        else None,
        proven=bool(traffic.proven[row]),
        entering=entering,
    )


@compiled
def _beside_path(
    station: np.ndarray,
    offset: np.ndarray,
    half_length: np.ndarray,
    half_width: np.ndarray,
    path_station: np.ndarray,
    path_offset: np.ndarray,
    front_station: float,
    own_half_width: float,
) -> np.ndarray:
    """Gap ahead, offset from our path and room between the sides of N objects, (3, N)."""
    beside = np.empty((3, len(station)))
    for row in range(len(station)):
        across = offset[row] - linear_on(path_station, path_offset, station[row])
        beside[0, row] = station[row] - half_length[row] - front_station
        beside[1, row] = across
        beside[2, row] = abs(across) - half_width[row] - own_half_width
    return beside


@compiled
def _roles(
    identity: np.ndarray,
    class_id: np.ndarray,
    station: np.ndarray,
    offset_rate: np.ndarray,
    half_length: np.ndarray,
    half_width: np.ndarray,
    speed: np.ndarray,
    confirmed: np.ndarray,
    sideways: np.ndarray,
    gap: np.ndarray,
    across: np.ndarray,
    clearance: np.ndarray,
    probability: np.ndarray,
    likely: np.ndarray,
    members: np.ndarray,
    own: tuple[float, float, float, float, float],
    margins: tuple[float, float, float, float, float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of N objects the place of their role in ROLES (−1: none), and whether they are certain and entering."""
    own_half_width, length, ego_speed, seen, possible = own
    margin, margin_release, margin_far, drift_rate, leave_margin, crossing_margin = margins
    role = np.full(len(gap), -1)
    certain, entering = np.zeros(len(gap), np.bool_), np.zeros(len(gap), np.bool_)
    for row in range(len(gap)):
        toward = -offset_rate[row] if across[row] > 0.0 else offset_rate[row]
        ahead, closing = gap[row] > -BESIDE, max(ego_speed - speed[row], SLOW)
        meeting, widths = max(gap[row], 0.0) / closing, half_width[row] + own_half_width
        # Beyond the lane that is seen, the path is a guess: there an object must lie the farther in it.
        beyond = min(max(station[row] - seen, 0.0) / FAR, 1.0)
        enough = margin
        for member in members:
            if member == identity[row]:
                enough = margin_release
        in_path = ahead and clearance[row] < enough - margin_far * beyond
        gone = crossing = False
        walks = class_id[row] == PEDESTRIAN or class_id[row] == TWO_WHEELER or sideways[row]
        if walks:
            across_road = max(abs(speed[row]), drift_rate)
            # He has left our path well before the car comes; one who stops is back in it at the next look.
            left = (
                -across[row] if offset_rate[row] > 0.0 else across[row]
            )  # still to go to the middle of our path
            leaving = max(widths + margin_release + left, 0.0) / max(abs(offset_rate[row]), 1e-3)
            gone = abs(offset_rate[row]) > across_road and leaving + leave_margin < meeting
            in_path = in_path and not gone
            arrival = max(clearance[row] - margin, 0.0) / max(toward, 1e-3)
            passed = arrival + 2.0 * (widths + margin) / max(toward, 1e-3)
            passing = (gap[row] + 2.0 * half_length[row] + length) / closing
            crossing = ahead and not in_path and toward > across_road
            crossing &= arrival < passing + crossing_margin and passed > meeting - crossing_margin
        near = speed[row] > SLOW and gap[row] > -(2.0 * half_length[row] + length)
        # Whose nose is behind ours comes in beside or behind us, and has to see to it: braking would only bring us nearer to
        # him. Unless he is past us by then.
        nose = gap[row] + 2.0 * half_length[row]
        near = near and (nose > 0.0 or gap[row] + (speed[row] - ego_speed) * likely[row] > 0.0)
        if in_path:
            role[row] = 0
        elif crossing:
            role[row] = 2
        elif near and not gone and probability[row] >= possible:
            role[row] = 1
        still_there = clearance[row] - toward * min(meeting, 1.0) < 0.0
        certain[row] = confirmed[row] and (still_there or not in_path)
        entering[row] = in_path and clearance[row] > -ENTERING
    return role, certain, entering
