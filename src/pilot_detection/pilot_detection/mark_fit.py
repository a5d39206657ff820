"""Lane mark points on the ground become one cubic per mark, for all marks at once.

y = c0 + c1 x + c2 x² + c3 x³ by weighted least squares with the curvature that roads have as prior, so that short marks come out
straight and only long ones may bend; two rounds of Cauchy weights against outliers. Shapes: Q points, M marks.
"""

from dataclasses import dataclass

import numpy as np

from pilot_detection.parameters import Parameters

ROUNDS = 2
SCALE = 50.0  # m; x is divided by it, so that the normal equations are well conditioned


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
        self._prior = np.diag((deviation * SCALE ** np.arange(4)) ** -2.0)
        self._floor = np.array((parameters.offset_floor, parameters.heading_floor, 0.0, 0.0))

    def fit(self, mark: np.ndarray, point: np.ndarray, deviation: np.ndarray, count: int) -> Fitted:
        """Cubics of `count` marks from points (Q, 2) of marks `mark` (Q,) with lateral deviations (Q,)."""
        member = np.zeros((count, len(mark)))
        member[mark, np.arange(len(mark))] = 1.0
        power = np.ones((len(mark), 4))
        power[:, 1:] = point[:, :1] / SCALE
        np.cumprod(power, axis=1, out=power)
        square = (power[:, :, None] * power[:, None, :]).reshape(-1, 16)
        load = power * point[:, 1:]
        weight = deviation**-2.0
        precision, solution = self._solve(member, weight, square, load, count)
        for _ in range(ROUNDS):
            residual = point[:, 1] - np.einsum("qi,qi->q", power, solution.take(mark, axis=0))
            doubt = (residual / (self._parameters.outlier * deviation)) ** 2
            precision, solution = self._solve(member, weight / (1.0 + doubt), square, load, count)
        residual = point[:, 1] - np.einsum("qi,qi->q", power, solution.take(mark, axis=0))
        inlier = np.abs(residual) < 2.0 * self._parameters.outlier * deviation
        return self._result(member, inlier, point[:, 0], precision, solution)

    def _solve(
        self, member: np.ndarray, weight: np.ndarray, square: np.ndarray, load: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        weighted = member * weight
        precision = (weighted @ square).reshape(count, 4, 4) + self._prior
        return precision, np.linalg.solve(precision, (weighted @ load)[:, :, None])[:, :, 0]

    def _result(
        self,
        member: np.ndarray,
        inlier: np.ndarray,
        x: np.ndarray,
        precision: np.ndarray,
        solution: np.ndarray,
    ) -> Fitted:
        inside = (member > 0.0) & inlier
        near = np.where(inside, x, np.inf).min(axis=1, initial=np.inf)
        far = np.where(inside, x, -np.inf).max(axis=1, initial=-np.inf)
        kept = inside.sum(axis=1) >= self._parameters.fewest_points
        kept &= far > near
        unit = SCALE ** -np.arange(4.0)
        variance = np.einsum("mii->mi", np.linalg.inv(precision[kept]))
        return Fitted(
            kept=kept,
            coefficients=solution[kept] * unit,
            deviation=np.sqrt(variance * unit**2 + self._floor**2),
            view=np.stack((near[kept], far[kept]), axis=1),
        )
