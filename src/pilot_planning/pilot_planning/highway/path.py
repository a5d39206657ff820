"""One smooth path: a quintic in the offset from where the car is (or was planned to be) to a lane centre, then along it."""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.arc import along_on, foot_on
from pilot_common.compiled import compiled
from pilot_common.geometry import Pose, wrap
from pilot_planning.highway.parameters import PathParameters
from pilot_planning.highway.road import Road

REST_TO_REST_PEAK = 5.7735  # peak of the second derivative of the unit quintic from rest to rest, 10/√3


@dataclass(frozen=True, slots=True)
class Start:
    """Where the path begins, in `base_link`; `continued` when on the last path, else at the car as measured."""

    x: float
    y: float
    heading: float
    curvature: float
    continued: bool


@dataclass(frozen=True, slots=True)
class Path:
    """Points (P, 2) with heading, curvature and distance (P,), and the same points in road coordinates."""

    point: np.ndarray
    heading: np.ndarray
    curvature: np.ndarray
    distance: np.ndarray
    station: np.ndarray
    offset: np.ndarray


def start_on(last: Path, last_from_now: Pose, yaw_rate: float, speed: float, p: PathParameters) -> Start:
    """The point of the last path beside the car, or the car itself where it has strayed."""
    x, y, yaw = last_from_now
    _, offset, heading, curvature = foot_on(last.point, last.distance, last.heading, last.curvature, x, y)
    heading = wrap(heading - yaw)
    if abs(offset) > p.deviation or abs(heading) > p.heading_deviation:
        return start_at_car(yaw_rate, speed)
    return Start(offset * math.sin(heading), -offset * math.cos(heading), heading, curvature, True)


def start_at_car(yaw_rate: float, speed: float) -> Start:
    """The car as measured."""
    return Start(0.0, 0.0, 0.0, max(-0.1, min(0.1, yaw_rate / speed)) if speed > 2.0 else 0.0, False)


def sampling(p: PathParameters) -> np.ndarray:
    """Distances (P,) of the path's points: steps of a fifth of the mean near the car, almost double at its end."""
    share = np.linspace(0.0, 1.0, p.points)
    return p.length * (0.2 * share + 0.8 * share * share)


def comfortable_time(change: float, p: PathParameters) -> float:
    """Time for a sideways change of offset within the comfortable lateral acceleration, at least the centring time."""
    return max(p.centring_time, math.sqrt(REST_TO_REST_PEAK * abs(change) / p.lateral_acceleration))


def plan_path(
    road: Road, start: Start, target: float, seconds: float, speed: float, grid: np.ndarray, p: PathParameters
) -> Path:
    """The path from `start` to the offset `target`, reached after `seconds` at `speed`."""
    line, length = road.line, max(p.shortest_centring, speed * seconds)
    own = (start.x, start.y, start.heading, start.curvature)
    return Path(*_lay(line.point, line.station, line.heading, line.curvature, own, target, length, grid))


@compiled
def _lay(
    line_point: np.ndarray,
    line_station: np.ndarray,
    line_heading: np.ndarray,
    line_curvature: np.ndarray,
    start: tuple[float, float, float, float],
    target: float,
    length: float,
    grid: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The fields of a `Path` from `start` (x, y, heading, curvature) along the arrays of a line.

    Quintic d(s) with d, d', d'' given at the start and d = target, d' = d'' = 0 at the end. With the line's curvature κ and
    D = atan(d' / (1 − κd)):
    path curvature = (((d'' + κ d' tan D) cos² D / (1 − κ d)) + κ) cos D / (1 − κ d)  (Werling et al. 2010, κ' neglected).
    """
    x, y, begin, bent = start
    station, offset, direction, turning = foot_on(
        line_point, line_station, line_heading, line_curvature, x, y
    )
    askew = -((direction - begin + math.pi) % (2.0 * math.pi) - math.pi)  # in (−π, π]
    remaining = 1.0 - turning * offset
    tangent, cosine = math.tan(max(-0.7, min(0.7, askew))), math.cos(askew)
    slope = tangent * remaining
    bend = (bent * remaining / cosine - turning) * remaining / cosine**2 - turning * slope * tangent
    gap = target - offset - slope * length - 0.5 * bend * length**2
    rest = -slope - bend * length
    c3 = (10.0 * gap - 4.0 * rest * length + 0.5 * -bend * length**2) / length**3
    c4 = (-15.0 * gap + 7.0 * rest * length - -bend * length**2) / length**4
    c5 = (6.0 * gap - 3.0 * rest * length + 0.5 * -bend * length**2) / length**5

    stations = np.empty(len(grid))
    for index in range(len(grid)):
        stations[index] = station + grid[index]
    point, heading, curvature = along_on(line_point, line_station, line_heading, line_curvature, stations)
    offsets, distance = np.empty(len(grid)), np.zeros(len(grid))
    for index in range(len(grid)):
        s = min(grid[index], length)
        value = offset + s * (slope + s * (0.5 * bend + s * (c3 + s * (c4 + s * c5))))
        first = slope + s * (bend + s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)))
        second = bend + s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5))
        point[index, 0] -= value * math.sin(heading[index])
        point[index, 1] += value * math.cos(heading[index])
        own = curvature[index]
        shrunk = 1.0 - own * value
        tilt = first / shrunk
        squared = 1.0 / (1.0 + tilt * tilt)
        curvature[index] = (
            ((second + own * first * tilt) * squared / shrunk + own) * math.sqrt(squared) / shrunk
        )
        heading[index] += math.atan(tilt)
        offsets[index] = value
        if index:
            forward = point[index, 0] - point[index - 1, 0]
            left = point[index, 1] - point[index - 1, 1]
            distance[index] = distance[index - 1] + math.sqrt(forward * forward + left * left)
    return point, heading, curvature, distance, stations, offsets
