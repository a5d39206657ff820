"""Few numbers followed as slow random walks by a scalar measurement that is linear in them: a Kalman filter."""

import math
from collections.abc import Sequence

import numpy as np

from pilot_common.compiled import compiled

NOMINAL, LOW, HIGH, RECOVERY, PRIOR, WALK = range(6)  # rows of the model


class Regression:
    """Memory: `estimate` and covariance, of N numbers.

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
        self._model = np.array(
            (nominal, low, high, recoveries, np.square(deviations), np.square(walks)), float
        )
        self.reset()

    def reset(self) -> None:
        """Nominal, nothing seen."""
        self._start(self._model[NOMINAL], self._model[PRIOR])

    def _start(self, estimate: np.ndarray, variance: np.ndarray) -> None:
        self.estimate: list[float] = estimate.tolist()
        self._state = np.vstack((estimate, np.diag(variance)))  # (1 + N, N): estimate, then covariance

    def confidence(self, index: int) -> float:
        """From 0, nothing seen, to 1."""
        return 1.0 - math.sqrt(min(1.0, float(self._state[1 + index, index] / self._model[PRIOR, index])))

    def correct(self, regressor: tuple[float, ...], innovation: float, error: float, elapsed: float) -> None:
        """One measurement: what it differs from the estimate by, and its standard deviation; `elapsed` since the last."""
        _correct(self._state, self._model, regressor, innovation, error, elapsed)
        self.estimate = self._state[0].tolist()

    def memory(self) -> tuple[float, ...]:
        """What is worth keeping over a restart: estimates and variances."""
        return (*self.estimate, *self._state[1:].diagonal().tolist())

    def recall(self, memory: Sequence[float]) -> None:
        """Goes on from a memory; passes over one that cannot be."""
        count = len(self.estimate)
        if len(memory) != 2 * count or not all(map(math.isfinite, memory)) or min(memory[count:]) <= 0.0:
            return
        estimate = np.clip(memory[:count], self._model[LOW], self._model[HIGH])
        self._start(estimate, np.minimum(memory[count:], self._model[PRIOR]))


@compiled
def _correct(
    state: np.ndarray,
    model: np.ndarray,
    regressor: tuple[float, ...],
    innovation: float,
    error: float,
    elapsed: float,
) -> None:
    """Kalman's correction of `state`, then the walk of each number whose variance is below its prior."""
    count = state.shape[1]
    projected, scale = np.zeros(count), error * error
    for row in range(count):
        for column in range(count):
            projected[row] += state[1 + row, column] * regressor[column]
        scale += regressor[row] * projected[row]
    for row in range(count):
        weight = projected[row] / scale
        back = model[RECOVERY, row] * elapsed * (model[NOMINAL, row] - state[0, row])
        moved = state[0, row] + weight * innovation + back
        state[0, row] = min(max(moved, model[LOW, row]), model[HIGH, row])
        for column in range(count):
            state[1 + row, column] -= weight * projected[column]
        if state[1 + row, row] < model[PRIOR, row]:
            state[1 + row, row] += model[WALK, row] * elapsed
