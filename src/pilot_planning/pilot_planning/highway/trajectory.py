"""From laws and a path to positions over time."""

from collections.abc import Sequence

import numpy as np

from pilot_common.arc import place_on
from pilot_common.compiled import compiled
from pilot_common.types import Trajectory
from pilot_planning.highway.adaptation import AlignLaw, ApproachLaw, align_bound, approach_bound
from pilot_planning.highway.contingency import CutInLaw, cut_in_bound
from pilot_planning.highway.following import FollowLaw, follow_bound
from pilot_planning.highway.ledger import ARGUMENTS
from pilot_planning.highway.longitudinal import (
    BrakeLaw,
    CurveLaw,
    Law,
    SpeedLaw,
    StopLaw,
    brake_bound,
    curve_bound,
    speed_bound,
    stop_bound,
)
from pilot_planning.highway.path import Path

KINDS: dict[type[Law], int] = {
    kind: code
    for code, kind in enumerate(
        (SpeedLaw, CurveLaw, BrakeLaw, StopLaw, FollowLaw, CutInLaw, ApproachLaw, AlignLaw)
    )
}


def roll_out(
    laws: Sequence[Law], speed: float, acceleration: float, up: float, down: float, step: float, samples: int
) -> np.ndarray:
    """Distance, speed and acceleration (3, T) when all laws are obeyed from `speed` and `acceleration` on, within the jerks."""
    numbers = np.zeros((len(laws), ARGUMENTS - 1))
    for row, law in zip(numbers, laws, strict=True):
        own = law.numbers()
        row[: len(own)] = own
    kinds = np.array([KINDS[type(law)] for law in laws])
    return _rolled(kinds, numbers, speed, acceleration, up * step, down * step, step, samples)


@compiled
def rolled_bound(kind: int, n: np.ndarray, time: float, travelled: float, speed: float) -> float:
    """The bound of a law by its place in KINDS and its numbers."""
    if kind == 0:
        return speed_bound(n[0], n[1], n[2], n[3], n[4], time, travelled, speed)
    if kind == 1:
        return curve_bound(n[0], n[1], n[2], n[3], time, travelled, speed)
    if kind == 2:
        return brake_bound(
            n[0],
            n[1],
            n[2],
            n[3],
            n[4],
            n[5],
            n[6],
            n[7],
            n[8],
            n[9],
            n[10],
            n[11],
            n[12],
            time,
            travelled,
            speed,
        )
    if kind == 3:
        return stop_bound(n[0], n[1], time, travelled, speed)
    if kind == 4:
        return follow_bound(
            n[0],
            n[1],
            n[2],
            n[3],
            n[4],
            n[5],
            n[6],
            n[7],
            n[8],
            n[9],
            n[10],
            n[11],
            n[12],
            n[13],
            n[14],
            n[15],
            n[16],
            n[17],
            n[18],
            time,
            travelled,
            speed,
        )
    if kind == 5:
        return cut_in_bound(
            n[0],
            n[1],
            n[2],
            n[3],
            n[4],
            n[5],
            n[6],
            n[7],
            n[8],
            n[9],
            n[10],
            n[11],
            n[12],
            n[13],
            time,
            travelled,
            speed,
        )
    if kind == 6:
        return approach_bound(n[0], n[1], n[2], n[3], n[4], time, travelled, speed)
    return align_bound(n[0], n[1], n[2], time, travelled, speed)


@compiled
def _rolled(
    kinds: np.ndarray,
    numbers: np.ndarray,
    speed: float,
    acceleration: float,
    rise: float,
    fall: float,
    step: float,
    samples: int,
) -> np.ndarray:
    """`roll_out` of K laws by kinds (K,) and numbers (K, A), with the change of acceleration allowed in a step."""
    rolled, half, distance = np.zeros((3, samples)), 0.5 * step, 0.0
    rolled[1, 0], rolled[2, 0] = speed, acceleration
    for index in range(1, samples):
        time = index * step
        # where the present acceleration leads to, then the laws there: half-explicit, stable for the gains used at this step
        ahead = max(speed + acceleration * step, 0.0)
        travelled = distance + half * (speed + ahead)
        following = acceleration + rise
        for row in range(len(kinds)):
            following = min(following, rolled_bound(kinds[row], numbers[row], time, travelled, ahead))
        following = max(following, acceleration - fall)
        reached = speed + half * (acceleration + following)
        if reached <= 0.0:
            reached, following = 0.0, max(following, 0.0)
        distance += half * (speed + reached)
        speed, acceleration = reached, following
        rolled[0, index], rolled[1, index], rolled[2, index] = distance, speed, acceleration
    return rolled


def along_path(
    path: Path, step: float, distance: np.ndarray, speed: np.ndarray, acceleration: np.ndarray
) -> Trajectory:
    """The rollout laid along the path."""
    position, heading, curvature = _at_distances(
        path.point, path.heading, path.curvature, path.distance, distance
    )
    return Trajectory(
        time=step * np.arange(len(distance)),
        position=position,
        heading=heading,
        curvature=curvature,
        speed=speed,
        acceleration=acceleration,
    )


@compiled
def _at_distances(
    point: np.ndarray, heading: np.ndarray, curvature: np.ndarray, distance: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (T, 2), heading and curvature (T,) at wanted distances (T,), linear between those of a path (P,), held beyond."""
    points, headings, curvatures = np.empty((len(wanted), 2)), np.empty(len(wanted)), np.empty(len(wanted))
    for index in range(len(wanted)):
        low, share = place_on(distance, wanted[index])
        share = min(max(share, 0.0), 1.0)
        points[index, 0] = point[low, 0] + share * (point[low + 1, 0] - point[low, 0])
        points[index, 1] = point[low, 1] + share * (point[low + 1, 1] - point[low, 1])
        headings[index] = heading[low] + share * (heading[low + 1] - heading[low])
        curvatures[index] = curvature[low] + share * (curvature[low + 1] - curvature[low])
    return points, headings, curvatures
