"""The line of a lane whose curvature is given at nodes, and the cubics that cameras would tell its marks as.

Shapes: B nodes, M marks, 4 coefficients.
"""

import math
from typing import NamedTuple

import numpy as np

from pilot_common.compiled import compiled

POINTS = 10  # of a mark's view, where it is compared
LEAST = 1e-11  # so that a short view can be inverted
STEP = 3.0  # m, of the integration along the line


class ExpectedMarks(NamedTuple):
    """Marks as a camera would tell them."""

    told: np.ndarray  # (M, 4)
    by_place: np.ndarray  # (M, 4, 3) derivatives by offset, heading and width
    by_bends: np.ndarray  # (M, 4, B) by the curvature at the nodes
    correlation: np.ndarray  # (M, 4, 4) of a fit's errors


class LaneShape:
    """Nodes `spacing` apart, the first of them `behind` the car."""

    def __init__(self, count: int, spacing: float, error_doubled: float, eye_height: float) -> None:
        self._spacing, self._error_doubled, self._eye_height = spacing, error_doubled, eye_height
        self._node = spacing * np.arange(count)

    def between(self, place: float) -> tuple[int, float]:
        """The node before a place (m from the first node) and the share of the way to the next; the ends are kept."""
        last = len(self._node) - 2
        node = min(max(int(place // self._spacing), 0), last)
        return node, min(max(place / self._spacing - node, 0.0), 1.0)

    def curvature(self, station: np.ndarray, bends: np.ndarray, behind: float) -> np.ndarray:
        """Curvature (P,) at stations from the car."""
        return np.interp(station + behind, self._node, bends)

    def bent(self, x: np.ndarray, behind: float) -> np.ndarray:
        """Derivatives (…, B) by the bends of y at x (…): ∬κ from the car on, on flat angles.

        κ is the first node's and, from each node to the next, a ramp to its own: cubes of the distance from the nodes.
        """
        from_node = behind - self._node
        begun, ramp = np.maximum(from_node, 0.0), np.maximum(x[..., None] + from_node, 0.0)
        cube = ramp**3 - begun**3 - 3.0 * begun**2 * x[..., None]
        rise = (cube[..., :-1] - cube[..., 1:]) / (6.0 * self._spacing)
        derivative = np.zeros(cube.shape)
        derivative[..., 0] = 0.5 * x * x
        derivative[..., :-1] -= rise
        derivative[..., 1:] += rise
        return derivative

    def marks(
        self,
        view: np.ndarray,
        side: np.ndarray,
        place: tuple[float, float, float],
        bends: np.ndarray,
        behind: float,
    ) -> ExpectedMarks:
        """Of lines `side` (M,) widths left of the centre, seen over `view` (M, 2); `place` is offset, heading and width.

        Least squares over points that images have the denser the nearer. They err across the line of sight by a pixel of the
        distance, and along it by distance / eye height as much, which is across the line where that lies aside.
        """
        parameters = (behind, self._spacing, self._error_doubled, self._eye_height)
        fitted, correlation = _fitted(view, side, place, bends, parameters)
        return ExpectedMarks(fitted[:, :, 0], fitted[:, :, 1:4], fitted[:, :, 4:], correlation)


@compiled
def _fitted(
    view: np.ndarray,
    side: np.ndarray,
    place: tuple[float, float, float],
    bends: np.ndarray,
    parameters: tuple[float, float, float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Of marks as `LaneShape.marks` has them, their coefficients and derivatives (M, 4, 1 + 3 + B), and correlation (M, 4, 4)."""
    behind, spacing, error_doubled, eye_height = parameters
    nodes = len(bends)
    count = 4 + nodes
    fitted, correlation = np.empty((len(side), 4, count)), np.empty((len(side), 4, 4))
    value = np.empty(count)  # of a point: y and its derivatives
    for mark in range(len(side)):
        normal, right = np.zeros((4, 4)), np.zeros((4, count + 4))
        near, far = view[mark, 0], view[mark, 1]
        x, y, slope, station = 0.0, place[0], math.tan(place[1]), behind
        for index in range(POINTS):
            goal = near + (far - near) * index / (POINTS - 1.0)
            parts = int((goal - x) / STEP) + 1
            step = (goal - x) / parts
            for _ in range(parts):  # along the line, whose y'' is κ (1 + y'²)^(3/2)
                stretched = math.sqrt(1.0 + slope * slope)
                here = (station + 0.5 * step * stretched) / spacing
                low = min(max(int(here), 0), nodes - 2)
                share = min(max(here - low, 0.0), 1.0)
                bend = (
                    (bends[low] + share * (bends[low + 1] - bends[low])) * stretched * stretched * stretched
                )
                y += step * (slope + 0.5 * step * bend)
                slope += step * bend
                station += step * stretched
                x += step
            broad = side[mark] * math.sqrt(1.0 + slope * slope)  # across the car's axis, not across the line
            value[0], value[1], value[2], value[3] = y + broad * place[2], 1.0, x, broad
            value[4] = 0.5 * x * x
            before = 0.0
            for node in range(nodes):
                begun = max(behind - node * spacing, 0.0)
                ramp = max(x + behind - node * spacing, 0.0)
                cube = (ramp * ramp * ramp - begun * begun * (begun + 3.0 * x)) / (6.0 * spacing)
                if node > 0:
                    value[3 + node] -= before - cube
                    value[4 + node] = before - cube
                before = cube
            aside = value[0] / eye_height
            error = (x / error_doubled) * (x / error_doubled) * (1.0 + aside * aside)
            weight, power = 1.0 / (max(x, 1.0) * (1.0 + error)), 1.0
            for row in range(4):
                other = 1.0
                for column in range(4):
                    normal[row, column] += weight * power * other
                    other *= x / far
                for column in range(count):
                    right[row, column] += weight * power * value[column]
                power *= x / far
        for row in range(4):
            normal[row, row] += LEAST * normal[0, 0]
            right[row, count + row] = 1.0
        for pivot in range(4):  # positive definite: no rows need be exchanged
            for row in range(4):
                factor = normal[row, pivot] / normal[pivot, pivot]
                if row != pivot:
                    for column in range(4):
                        normal[row, column] -= factor * normal[pivot, column]
                    for column in range(count + 4):
                        right[row, column] -= factor * right[pivot, column]
        scale = 1.0
        for row in range(4):
            for column in range(count):
                fitted[mark, row, column] = right[row, column] / (normal[row, row] * scale)
            scale *= far
            for column in range(4):
                mine, its = (
                    right[row, count + row] / normal[row, row],
                    right[column, count + column] / normal[column, column],
                )
                correlation[mark, row, column] = right[row, count + column] / (
                    normal[row, row] * math.sqrt(mine * its)
                )
    return fitted, correlation
