"""A reference line read between its samples as arcs: exact where heading and curvature are known, also with sparse samples.

`ReferenceLine` itself follows chords; a controller that differentiates the offset feels their corners, so planning and control
read the line with these functions (third order in the distance to the nearest sample).
"""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.road import ReferenceLine


def foot(line: ReferenceLine, x: float, y: float) -> tuple[float, float, float, float]:
    """Station, offset, and the line's heading and curvature at the foot of one point; ends are prolonged as arcs."""
    return foot_on(line.point, line.station, line.heading, line.curvature, float(x), float(y))


@compiled
def foot_on(
    point: np.ndarray, station: np.ndarray, heading: np.ndarray, curvature: np.ndarray, x: float, y: float
) -> tuple[float, float, float, float]:
    """`foot` on the arrays of a line, for other kernels.

    With the nearest sample's frame (along, across) and curvature c, the arc has its centre at (0, 1/c):
    offset = (2 across − c (along² + across²)) / (1 + q) with q = hypot(c along, 1 − c across), and
    distance = atan2(c along, 1 − c across) / c.
    """
    nearest, least = 0, math.inf
    for index in range(len(station)):
        right, down = point[index, 0] - x, point[index, 1] - y
        squared = right * right + down * down
        if squared < least:
            nearest, least = index, squared
    own = curvature[nearest]
    right, down = point[nearest, 0] - x, point[nearest, 1] - y
    cosine, sine = math.cos(heading[nearest]), math.sin(heading[nearest])
    along, across = -right * cosine - down * sine, right * sine - down * cosine
    bent, remaining = own * along, 1.0 - own * across
    q = math.hypot(bent, remaining)
    offset = (2.0 * across - own * (along * along + across * across)) / (1.0 + q)
    distance = math.atan2(bent, remaining) / own if abs(own) > 1e-7 else along
    other = nearest + 1 if distance > 0.0 else nearest - 1
    there = own
    if 0 <= other < len(station):
        share = min(1.0, distance / (station[other] - station[nearest]))
        there = own + share * (curvature[other] - own)
    turned = 0.5 * (own + there) * distance
    return station[nearest] + distance, offset, heading[nearest] + turned, there


def along(line: ReferenceLine, station: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (K, 2), headings and curvatures (K,) at stations (K,): chords bulged to arcs, prolonged straight beyond the ends."""
    return along_on(line.point, line.station, line.heading, line.curvature, station)


@compiled
def along_on(
    point: np.ndarray, own: np.ndarray, heading: np.ndarray, curvature: np.ndarray, station: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`along` on the arrays of a line with stations `own` (P,), for other kernels."""
    count = len(station)
    points, headings, curvatures = np.empty((count, 2)), np.empty(count), np.zeros(count)
    for index in range(count):
        low, share = place_on(own, station[index])
        length = own[low + 1] - own[low]
        inside = min(max(share, 0.0), 1.0)
        turned = heading[low] + inside * (heading[low + 1] - heading[low])
        bend = curvature[low] + inside * (curvature[low + 1] - curvature[low])
        cosine, sine = math.cos(turned), math.sin(turned)
        bulge = -0.5 * bend * inside * (1.0 - inside) * length * length
        beyond = (share - inside) * length
        x, y = point[low, 0], point[low, 1]
        points[index, 0] = x + inside * (point[low + 1, 0] - x) - bulge * sine + beyond * cosine
        points[index, 1] = y + inside * (point[low + 1, 1] - y) + bulge * cosine + beyond * sine
        headings[index] = turned
        if beyond == 0.0:
            curvatures[index] = bend
    return points, headings, curvatures


@compiled
def place_on(own: np.ndarray, station: float) -> tuple[int, float]:
    """Between which of the stations `own` (P,) one lies: the first of the two, and the share of the way to the next; below 0 and
    above 1 beyond the ends.
    """
    low, high = 0, len(own) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if own[middle] < station:
            low = middle
        else:
            high = middle
    return low, (station - own[low]) / (own[low + 1] - own[low])


@compiled
def linear_on(own: np.ndarray, value: np.ndarray, station: float) -> float:
    """A value (P,) given at the stations `own` (P,), read at one station: linear between, held beyond the ends."""
    low, share = place_on(own, station)
    return value[low] + min(max(share, 0.0), 1.0) * (value[low + 1] - value[low])
