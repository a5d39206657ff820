"""Lane mark points on the ground become one cubic per mark, for all marks at once.

y = c0 + c1 x + c2 x² + c3 x³ by weighted least squares with the curvature that roads have as prior, so that short marks come out
straight and only long ones may bend; where there are outliers, two rounds of Cauchy weights against them.
Shapes: Q points, M marks.
"""

from dataclasses import dataclass

import numpy as np

from pilot_detection.parameters import Parameters

ROUNDS = 2
SCALE = 50.0  # m; x is divided by it, so that the normal equations are well conditioned
UNIT = SCALE ** -np.arange(4.0)  # of the coefficients
UNIT_SQUARED = UNIT**2


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
        self._floor = np.array((parameters.offset_floor, parameters.heading_floor, 0.0, 0.0)) ** 2

    def fit(self, mark: np.ndarray, point: np.ndarray, variance: np.ndarray, count: int) -> Fitted:
        """Cubics of `count` marks from points (Q, 2) of marks `mark` (Q,) with lateral variances (Q,)."""
        total = len(mark)
        own = np.zeros((count, total), bool)
        own[mark, np.arange(total)] = True
        # Of each point: powers of x, then y; their products with the powers are all that the normal equations sum up.
        x, y = point[:, 0], point[:, 1]
        term = np.empty((total, 5))
        power = term[:, :4]
        term[:, 0] = 1.0
        scaled = np.divide(x, SCALE, out=term[:, 1])
        np.multiply(scaled, scaled, out=term[:, 2])
        np.multiply(scaled, term[:, 2], out=term[:, 3])
        term[:, 4] = y
        product = (power[:, :, None] * term[:, None]).reshape(total, 20)
        scale = self._parameters.outlier**2 * variance  # squared residuals count by it
        certain = own / variance
        doubt = np.zeros((count, total))
        for _ in range(ROUNDS + 1):
            normal = ((certain / (1.0 + doubt)) @ product).reshape(count, 4, 5)
            covariance = np.linalg.inv(normal[:, :, :4] + self._prior)
            solution = (covariance @ normal[:, :, 4:])[:, :, 0]
            doubt = y - solution @ power.T
            doubt *= doubt
            doubt /= scale
            if (doubt * own).max(initial=0.0) < 1.0:  # no outlier, nothing to weigh less
                break
        return self._result(own & (doubt < 4.0), x, covariance, solution)

    def _result(
        self, inside: np.ndarray, x: np.ndarray, covariance: np.ndarray, solution: np.ndarray
    ) -> Fitted:
        """`inside` (M, Q) are the points that each mark goes through."""
        view = np.empty((len(inside), 2))
        near = np.where(inside, x, np.inf).min(axis=1, initial=np.inf, out=view[:, 0])
        far = np.where(inside, x, -np.inf).max(axis=1, initial=-np.inf, out=view[:, 1])
        kept = (inside.sum(axis=1) >= self._parameters.fewest_points) & (far > near)
        variance = np.einsum("mii->mi", covariance[kept])
        return Fitted(
            kept=kept,
            coefficients=solution[kept] * UNIT,
            deviation=np.sqrt(variance * UNIT_SQUARED + self._floor),
            view=view[kept],
        )
