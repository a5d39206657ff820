"""Few numbers followed as slow random walks by a scalar measurement that is linear in them: a Kalman filter in plain floats."""

import math
from collections.abc import Sequence
from operator import mul


class Regression:
    """Memory: `estimate` and covariance.

    Where a direction is not excited its uncertainty grows no further than at the beginning, and the estimate stays within
    `low` and `high`. With `recoveries` (1/s) it goes back to nominal: where two directions cannot be told apart, noise in the
    regressors would otherwise push one against the other.
    """

    def __init__(
        self,
        nominal: Sequence[float],
        deviations: Sequence[float],
        walks: Sequence[float],
        low: Sequence[float],
        high: Sequence[float],
        recoveries: Sequence[float],
    ) -> None:
        """`deviations` at the beginning, `walks` a square root of a second."""
        self._nominal, self._low, self._high = list(nominal), list(low), list(high)
        self._recovery = list(recoveries)
        self._prior = [value * value for value in deviations]
        self._walk = [value * value for value in walks]
        self.reset()

    def reset(self) -> None:
        """Nominal, nothing seen."""
        self.estimate = list(self._nominal)
        self._covariance = _diagonal(self._prior)

    def confidence(self, index: int) -> float:
        """From 0, nothing seen, to 1."""
        return 1.0 - math.sqrt(min(1.0, self._covariance[index][index] / self._prior[index]))

    def correct(self, regressor: Sequence[float], innovation: float, error: float, elapsed: float) -> None:
        """One measurement: what it differs from the estimate by, and its standard deviation; `elapsed` since the last."""
        covariance, estimate = self._covariance, self.estimate
        projected = [sum(map(mul, row, regressor)) for row in covariance]
        scale = 1.0 / (sum(map(mul, regressor, projected)) + error * error)
        for index, (row, share) in enumerate(zip(covariance, projected, strict=True)):
            weight = share * scale
            back = self._recovery[index] * elapsed * (self._nominal[index] - estimate[index])
            moved = estimate[index] + weight * innovation + back
            estimate[index] = min(max(moved, self._low[index]), self._high[index])
            covariance[index] = [old - weight * other for old, other in zip(row, projected, strict=True)]
            if covariance[index][index] < self._prior[index]:
                covariance[index][index] += self._walk[index] * elapsed

    def memory(self) -> tuple[float, ...]:
        """What is worth keeping over a restart: estimates and variances."""
        return (*self.estimate, *(row[index] for index, row in enumerate(self._covariance)))

    def recall(self, memory: Sequence[float]) -> None:
        """Goes on from a memory; passes over one that cannot be."""
        count = len(self._nominal)
        if len(memory) != 2 * count or not all(map(math.isfinite, memory)) or min(memory[count:]) <= 0.0:
            return
        self.estimate = [
            min(max(value, low), high)
            for value, low, high in zip(memory[:count], self._low, self._high, strict=True)
        ]
        self._covariance = _diagonal([min(pair) for pair in zip(memory[count:], self._prior, strict=True)])


def _diagonal(values: Sequence[float]) -> list[list[float]]:
    return [
        [value if row == column else 0.0 for column in range(len(values))] for row, value in enumerate(values)
    ]
