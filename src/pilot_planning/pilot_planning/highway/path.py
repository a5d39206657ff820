"""One smooth path: a quintic in the offset from where the car is (or was planned to be) to a lane centre, then along it."""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.arc import along, foot
from pilot_common.geometry import Pose, wrap
from pilot_common.road import ReferenceLine
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

    def line(self) -> ReferenceLine:
        """The path as a reference line by distance."""
        return ReferenceLine(self.point, self.distance, self.heading, self.curvature)


def start_on(last: Path, last_from_now: Pose, yaw_rate: float, speed: float, p: PathParameters) -> Start:
    """The point of the last path beside the car, or the car itself where it has strayed."""
    x, y, yaw = last_from_now
    _, offset, heading, curvature = foot(last.line(), x, y)
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
    """The path from `start` to the offset `target`, reached after `seconds` at `speed`.

    Quintic d(s) with d, d', d'' given at the start and d = target, d' = d'' = 0 at the end. With the line's curvature κ and
    D = atan(d' / (1 − κd)):
    path curvature = (((d'' + κ d' tan D) cos² D / (1 − κ d)) + κ) cos D / (1 − κ d)  (Werling et al. 2010, κ' neglected).
    """
    station, offset, line_heading, line_curvature = foot(road.line, start.x, start.y)
    askew = wrap(start.heading - line_heading)
    remaining = 1.0 - line_curvature * offset
    tangent, cosine = math.tan(max(-0.7, min(0.7, askew))), math.cos(askew)
    slope = tangent * remaining
    bend = (
        start.curvature * remaining / cosine - line_curvature
    ) * remaining / cosine**2 - line_curvature * slope * tangent
    length = max(p.shortest_centring, speed * seconds)

    d = _quintic(offset, slope, bend, target, length, grid)
    stations = station + grid
    base, heading, curvature = along(road.line, stations)
    point = base + d[0][:, None] * np.stack((-np.sin(heading), np.cos(heading)), axis=-1)
    shrunk = 1.0 - curvature * d[0]
    tilt = d[1] / shrunk
    squared = 1.0 / (1.0 + tilt * tilt)
    path_curvature = (
        ((d[2] + curvature * d[1] * tilt) * squared / shrunk + curvature) * np.sqrt(squared) / shrunk
    )
    step = point[1:] - point[:-1]
    distance = np.empty(len(grid))
    distance[0] = 0.0
    np.cumsum(np.sqrt(np.einsum("pi,pi->p", step, step)), out=distance[1:])
    return Path(point, heading + np.arctan(tilt), path_curvature, distance, stations, d[0])


def _quintic(
    offset: float, slope: float, bend: float, target: float, length: float, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offset and its first two derivatives by distance on the grid; constant beyond the length."""
    gap = target - offset - slope * length - 0.5 * bend * length**2
    rest = -slope - bend * length
    c3 = (10.0 * gap - 4.0 * rest * length + 0.5 * -bend * length**2) / length**3
    c4 = (-15.0 * gap + 7.0 * rest * length - -bend * length**2) / length**4
    c5 = (6.0 * gap - 3.0 * rest * length + 0.5 * -bend * length**2) / length**5
    s = np.minimum(grid, length)
    value = offset + s * (slope + s * (0.5 * bend + s * (c3 + s * (c4 + s * c5))))
    first = slope + s * (bend + s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)))
    second = bend + s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5))
    return value, first, second
