"""What the steering's limits take away from the unconstrained optimum: a quadratic program over the coming changes of command.

With the changes Δu = d + M c of `lateral_design.py` (d: unconstrained, M: Toeplitz of their answer to one c) the cost of a
deviation is (R + BᵀPB) Σ c², so the program is the smallest c that keeps

    low ≤ Δu_i ≤ high                 steering rate and lateral jerk
    −m_i ≤ u_i ≤ M_i                  angle and lateral acceleration; opened to what can be reached, so that a solution exists

Its first change is applied. c = 0 where no limit is near: then this is the linear-quadratic optimum itself.
"""

from typing import NamedTuple

import daqp
import numpy as np

STEPS = np.arange(40)
BACK = STEPS[:, None] - STEPS[None, :]  # periods from c_j to Δu_i
CAUSAL = BACK >= 0
BACK = np.where(CAUSAL, BACK, 0)
UNIT, ZERO = np.eye(len(STEPS)), np.zeros(len(STEPS))
KINDS = np.zeros(2 * len(STEPS), dtype=np.int32)  # all are inequalities


class Bounds(NamedTuple):
    """Of the change of command in one period and of the command; `last` is the command now."""

    low: float
    high: float
    least: float
    most: float
    last: float


def holds(forecast: np.ndarray, bounds: Bounds) -> bool:
    """Whether changes and their sums (2, N) keep all limits."""
    high, above = forecast.max(axis=1).tolist()
    low, below = forecast.min(axis=1).tolist()
    last = bounds.last
    return bool(
        high <= bounds.high
        and low >= bounds.low
        and last + above <= bounds.most
        and last + below >= bounds.least
    )


def first_change(changes: np.ndarray, impulse: np.ndarray, bounds: Bounds) -> float | None:
    """First of the best changes within the limits, from the unconstrained ones (N,) and their answer (N,); None: not solved."""
    answer = np.where(CAUSAL, impulse[BACK], 0.0)
    reach = (STEPS + 1.0) * bounds.high, (STEPS + 1.0) * bounds.low
    most = np.maximum(bounds.most, bounds.last + reach[1])
    least = np.minimum(bounds.least, bounds.last + reach[0])
    total = changes.cumsum() + bounds.last
    upper = np.concatenate((bounds.high - changes, most - total))
    lower = np.concatenate((bounds.low - changes, least - total))
    matrix = np.concatenate((answer, answer.cumsum(axis=0)))
    deviation, _, status, _ = daqp.solve(UNIT, ZERO, matrix, upper, lower, KINDS)
    return float(changes[0] + deviation[0]) if status == 1 else None
