"""A reference line read between its samples as arcs: exact where heading and curvature are known, also with sparse samples.

`ReferenceLine` itself follows chords; a controller that differentiates the offset feels their corners, so planning and control
read the line with these functions (third order in the distance to the nearest sample).
"""

import math

import numpy as np

from pilot_common.road import ReferenceLine


def foot(line: ReferenceLine, x: float, y: float) -> tuple[float, float, float, float]:
    """Station, offset, and the line's heading and curvature at the foot of one point; ends are prolonged as arcs.

    With the nearest sample's frame (along, across) and curvature c, the arc has its centre at (0, 1/c):
    offset = (2 across − c (along² + across²)) / (1 + q) with q = hypot(c along, 1 − c across), and
    distance = atan2(c along, 1 − c across) / c.
    """
    point, station = line.point, line.station
    delta_x, delta_y = point[:, 0] - x, point[:, 1] - y
    nearest = int((delta_x * delta_x + delta_y * delta_y).argmin())
    heading, curvature = float(line.heading[nearest]), float(line.curvature[nearest])
    cosine, sine = math.cos(heading), math.sin(heading)
    right, down = float(delta_x[nearest]), float(delta_y[nearest])
    along, across = -right * cosine - down * sine, right * sine - down * cosine
    bent, remaining = curvature * along, 1.0 - curvature * across
    q = math.hypot(bent, remaining)
    offset = (2.0 * across - curvature * (along * along + across * across)) / (1.0 + q)
    distance = math.atan2(bent, remaining) / curvature if abs(curvature) > 1e-7 else along
    other = nearest + 1 if distance > 0.0 else nearest - 1
    curvature_there = curvature
    if 0 <= other < len(station):
        share = min(1.0, distance / float(station[other] - station[nearest]))
        curvature_there = curvature + share * (float(line.curvature[other]) - curvature)
    turned = 0.5 * (curvature + curvature_there) * distance
    return float(station[nearest]) + distance, offset, heading + turned, curvature_there


def along(line: ReferenceLine, station: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (K, 2), headings and curvatures (K,) at stations (K,): chords bulged to arcs, prolonged straight beyond the ends."""
    own = line.station
    low = np.minimum(np.maximum(own.searchsorted(station) - 1, 0), len(own) - 2)
    length = own[low + 1] - own[low]
    share = (station - own[low]) / length
    inside = np.minimum(np.maximum(share, 0.0), 1.0)
    heading = line.heading[low] + inside * (line.heading[low + 1] - line.heading[low])
    curvature = line.curvature[low] + inside * (line.curvature[low + 1] - line.curvature[low])
    cosine, sine = np.cos(heading), np.sin(heading)
    bulge = -0.5 * curvature * inside * (1.0 - inside) * length * length
    beyond = (share - inside) * length
    first, second = line.point[low], line.point[low + 1]
    x = first[:, 0] + inside * (second[:, 0] - first[:, 0]) - bulge * sine + beyond * cosine
    y = first[:, 1] + inside * (second[:, 1] - first[:, 1]) + bulge * cosine + beyond * sine
    points = np.empty((len(x), 2))
    points[:, 0], points[:, 1] = x, y
    return points, heading, np.where(beyond == 0.0, curvature, 0.0)
