"""From laws and a path to positions over time."""

from collections.abc import Sequence

import numpy as np

from pilot_common.types import Trajectory
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.path import Path


def roll_out(
    laws: Sequence[Law], speed: float, acceleration: float, up: float, down: float, step: float, samples: int
) -> tuple[list[float], list[float], list[float]]:
    """Distance, speed and acceleration (T each) when all laws are obeyed from `speed` and `acceleration` on, within the jerks."""
    distance = 0.0
    bounds = [law.bound for law in laws]
    fall, rise = down * step, up * step
    distances, speeds, accelerations = [0.0], [speed], [acceleration]
    for index in range(1, samples):
        time = index * step
        # where the present acceleration leads to, then the laws there: half-explicit, stable for the gains used at this step
        ahead = max(0.0, speed + acceleration * step)
        travelled = distance + 0.5 * (speed + ahead) * step
        wanted = min([bound(time, travelled, ahead) for bound in bounds])
        following = max(acceleration - fall, min(acceleration + rise, wanted))
        reached = max(0.0, speed + 0.5 * (acceleration + following) * step)
        distance += 0.5 * (speed + reached) * step
        speed, acceleration = reached, following if reached > 0.0 or following > 0.0 else 0.0
        distances.append(distance)
        speeds.append(speed)
        accelerations.append(acceleration)
    return distances, speeds, accelerations


def along_path(
    path: Path, step: float, distances: list[float], speeds: list[float], accelerations: list[float]
) -> Trajectory:
    """The rollout laid along the path."""
    distance = np.array(distances)
    position = np.empty((len(distances), 2))
    position[:, 0] = np.interp(distance, path.distance, path.point[:, 0])
    position[:, 1] = np.interp(distance, path.distance, path.point[:, 1])
    return Trajectory(
        time=step * np.arange(len(distances)),
        position=position,
        heading=np.interp(distance, path.distance, path.heading),
        curvature=np.interp(distance, path.distance, path.curvature),
        speed=np.array(speeds),
        acceleration=np.array(accelerations),
    )
