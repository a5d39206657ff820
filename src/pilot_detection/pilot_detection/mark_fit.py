"""Lane mark points on the ground become one cubic per mark, for all marks at once.

y = c0 + c1 x + c2 x² + c3 x³ by weighted least squares with the curvature that roads have as prior, so that short marks come out
straight and only long ones may bend; where there are outliers, two rounds of Cauchy weights against them.
Shapes: Q points, M marks.
"""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.compiled import compiled
from pilot_detection.normal_equations import inverse_of_positive
from pilot_detection.parameters import Parameters

ROUNDS = 2
SCALE = 50.0  # m; x is divided by it, so that the normal equations are well conditioned
UNIT = SCALE ** -np.arange(4.0)  # of the coefficients
OUTSIDE = 4.0  # doubt from which a point is none of the mark's


@dataclass(frozen=True, slots=True)
class Fitted:
    """Cubics of the marks that could be fitted: `kept` (M,) says which; the arrays have the kept rows only."""

    kept: np.ndarray
    coefficients: np.ndarray  # (m, 4)
    deviation: np.ndarray  # (m, 4)
    view: np.ndarray  # (m, 2)


class MarkFit:
    """Fits marks; holds only the prior."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        deviation = np.array(
            (20.0, 1.0, parameters.curvature_deviation / 2.0, parameters.curvature_rate_deviation / 6.0)
        )
        self._prior = (deviation * SCALE ** np.arange(4)) ** -2.0
        self._floor = np.array((parameters.offset_floor, parameters.heading_floor, 0.0, 0.0)) ** 2

    def fit(self, mark: np.ndarray, point: np.ndarray, variance: np.ndarray, count: int) -> Fitted:
        """Cubics of `count` marks from points (Q, 2) of marks `mark` (Q,) with lateral variances (Q,)."""
        coefficients, deviation, view, inside = _cubics(
            mark, point, variance, count, self._prior, self._floor, self._parameters.outlier
        )
        kept = (inside >= self._parameters.fewest_points) & (view[:, 1] > view[:, 0])
        return Fitted(kept, coefficients[kept], deviation[kept], view[kept])


@compiled
def _cubics(
    mark: np.ndarray,
    point: np.ndarray,
    variance: np.ndarray,
    count: int,
    prior: np.ndarray,
    floor: np.ndarray,
    outlier: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients and their deviations (M, 4), view (M, 2) and the number of points (M,) that each mark goes through.

    `prior` (4,) weighs the scaled coefficients, `floor` (4,) is added to the variance of the coefficients. Doubt is the squared
    residual over that of an `outlier`.
    """
    power, doubt = np.empty((len(mark), 4)), np.zeros(len(mark))
    for row in range(len(mark)):
        scaled = point[row, 0] / SCALE
        power[row, 0], power[row, 1], power[row, 2], power[row, 3] = (
            1.0,
            scaled,
            scaled * scaled,
            scaled * scaled * scaled,
        )
    solution, covariance = np.zeros((count, 4)), np.empty((count, 4, 4))
    for _ in range(ROUNDS + 1):
        normal, gradient = np.zeros((count, 4, 4)), np.zeros((count, 4))
        for row in range(len(mark)):
            own, certain = mark[row], 1.0 / (variance[row] * (1.0 + doubt[row]))
            for i in range(4):
                share = certain * power[row, i]
                gradient[own, i] += share * point[row, 1]
                for j in range(4):
                    normal[own, i, j] += share * power[row, j]
        for own in range(count):
            for i in range(4):
                normal[own, i, i] += prior[i]
            inverse_of_positive(normal[own], covariance[own])
            for i in range(4):
                solution[own, i] = 0.0
                for j in range(4):
                    solution[own, i] += covariance[own, i, j] * gradient[own, j]
        most = 0.0
        for row in range(len(mark)):
            residual = point[row, 1]
            for i in range(4):
                residual -= solution[mark[row], i] * power[row, i]
            doubt[row] = residual * residual / (outlier * outlier * variance[row])
            most = max(most, doubt[row])
        if most < 1.0:  # no outlier, nothing to weigh less
            break
    view, inside = np.empty((count, 2)), np.zeros(count, np.int64)
    for own in range(count):
        view[own, 0], view[own, 1] = np.inf, -np.inf
    for row in range(len(mark)):
        if doubt[row] < OUTSIDE:
            own, x = mark[row], point[row, 0]
            inside[own] += 1
            view[own, 0], view[own, 1] = min(view[own, 0], x), max(view[own, 1], x)
    deviation = np.empty((count, 4))
    for own in range(count):
        for i in range(4):
            deviation[own, i] = math.sqrt(covariance[own, i, i] * UNIT[i] ** 2 + floor[i])
            solution[own, i] *= UNIT[i]
    return solution, deviation, view, inside
