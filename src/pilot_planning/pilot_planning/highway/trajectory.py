"""From laws and a path to positions over time."""

from collections.abc import Sequence

import numpy as np

from pilot_common.arc import linear_on
from pilot_common.compiled import compiled
from pilot_common.types import Trajectory
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.path import Path


def roll_out(
    laws: Sequence[Law], speed: float, acceleration: float, up: float, down: float, step: float, samples: int
) -> tuple[list[float], list[float], list[float]]:
    """Distance, speed and acceleration (T each) when all laws are obeyed from `speed` and `acceleration` on, within the jerks."""
    distance = 0.0
    bounds = [law.bound for law in laws]
    fall, rise, half = down * step, up * step, 0.5 * step
    distances, speeds, accelerations = [0.0], [speed], [acceleration]
    for index in range(1, samples):
        time = index * step
        # where the present acceleration leads to, then the laws there: half-explicit, stable for the gains used at this step.
        # Comparisons instead of min and max: this is done at every step of every plan.
        ahead = speed + acceleration * step
        ahead = ahead if ahead > 0.0 else 0.0
        travelled = distance + half * (speed + ahead)
        following = acceleration + rise
        for bound in bounds:
            wanted = bound(time, travelled, ahead)
            following = wanted if wanted < following else following
        lowest = acceleration - fall
        following = following if following > lowest else lowest
        reached = speed + half * (acceleration + following)
        if reached <= 0.0:
            reached, following = 0.0, following if following > 0.0 else 0.0
        distance += half * (speed + reached)
        speed, acceleration = reached, following
        distances.append(distance)
        speeds.append(speed)
        accelerations.append(acceleration)
    return distances, speeds, accelerations


def along_path(
    path: Path, step: float, distances: list[float], speeds: list[float], accelerations: list[float]
) -> Trajectory:
    """The rollout laid along the path."""
    position, heading, curvature = _at_distances(
        path.point, path.heading, path.curvature, path.distance, np.array(distances)
    )
    return Trajectory(
        time=step * np.arange(len(distances)),
        position=position,
        heading=heading,
        curvature=curvature,
        speed=np.array(speeds),
        acceleration=np.array(accelerations),
    )


@compiled
def _at_distances(
    point: np.ndarray, heading: np.ndarray, curvature: np.ndarray, distance: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (T, 2), heading and curvature (T,) at wanted distances (T,), linear between those of a path (P,), held beyond."""
    points, headings, curvatures = np.empty((len(wanted), 2)), np.empty(len(wanted)), np.empty(len(wanted))
    for index in range(len(wanted)):
        points[index, 0] = linear_on(distance, point[:, 0], wanted[index])
        points[index, 1] = linear_on(distance, point[:, 1], wanted[index])
        headings[index] = linear_on(distance, heading, wanted[index])
        curvatures[index] = linear_on(distance, curvature, wanted[index])
    return points, headings, curvatures
