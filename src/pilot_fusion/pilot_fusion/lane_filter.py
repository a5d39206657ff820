"""Kalman filter of the ego lane, in base_link: offset and heading of its centre line at the car, curvature, its rate, width.

The centre line is y(x) = y0 + ψ x + κ x²/2 + κ' x³/6. The car's motion moves it, camera marks measure it. Shapes: state 5.
"""

import math

import numpy as np
from scipy.linalg.lapack import dgesv

from pilot_common.compiled import as_record, compiled
from pilot_fusion.parameters import LaneParameters

OFFSET, HEADING, CURVATURE, RATE, WIDTH = range(5)
# A mark's cubic coefficients c0 … c3 in terms of offset, heading, curvature and rate.
SCALE = np.array((1.0, 1.0, 2.0, 6.0))
LEAST_NOISE = 1e-9  # share of a coefficient's expected variance, so that the system stays well conditioned
IDENTITY = np.eye(5)
NO_STATEMENT = 1e6  # m²; variance of an offset that says nothing


class LaneFilter:
    """State (5,) and covariance (5, 5)."""

    def __init__(self, parameters: LaneParameters) -> None:
        self._parameters = parameters
        self._record = as_record(parameters)
        self.state = np.zeros(5)
        self.covariance = np.eye(5)

    def start(self, offset: float, deviation: float, width: float, width_deviation: float) -> None:
        """Begins with a lane centre at `offset`."""
        parameters = self._parameters
        self.state = np.array((offset, 0.0, 0.0, 0.0, width))
        self.covariance = np.diag(
            np.square(
                (
                    deviation,
                    parameters.start_deviation_heading,
                    parameters.start_deviation_curvature,
                    parameters.start_deviation_rate,
                    width_deviation,
                )
            )
        )

    def move(self, x: float, y: float, turn: float, duration: float) -> None:
        """The car moved by (x, y) in its old frame and turned by `turn`."""
        _move(self.state, self.covariance, x, y, turn, duration, self._record)

    def centre_at(self, x: float) -> float:
        """Y of the centre line at x."""
        offset, heading, curvature, rate, _ = self.state.tolist()
        return offset + x * (heading + x * (0.5 * curvature + x * rate / 6.0))

    def deviation_at(self, x: float) -> float:
        """Standard deviation of the centre line's y at x."""
        row = np.array((1.0, x, 0.5 * x * x, x * x * x / 6.0, 0.0))
        return math.sqrt(max(float(row @ self.covariance @ row), 0.0))

    def update(
        self, coefficients: np.ndarray, deviation: np.ndarray, side: np.ndarray, offset_known: np.ndarray
    ) -> np.ndarray:
        """Takes the cubics (M, 4) of marks that run `side` (M,) widths left of the centre (±0.5: the ego lane's own marks).

        Marks of other lanes have `offset_known` (M,) False: they tell the shape of the road, not the place of the lane. Returns
        which marks (M,) were used: not those that are too far from what is expected.
        """
        marks = np.empty((len(side), 10))
        marks[:, :4], marks[:, 4:8], marks[:, 8], marks[:, 9] = coefficients, deviation, side, offset_known
        used, information, news = _news(self.state, self.covariance, marks, self._record)
        if used.any():
            # P (1 + I P)⁻¹ for information I: a system of the size of the state, however many marks there are.
            # LAPACK itself: the checks around it take three times as long for a system of five.
            _, _, covariance, _ = dgesv(IDENTITY + self.covariance @ information, self.covariance)
            self.covariance = 0.5 * (covariance + covariance.T)
            self.state = self.state + self.covariance @ news
        return used

    def shift(self, offset: float, width: float, deviation: float) -> None:
        """The ego lane is now the one `offset` to the left, of that width."""
        self.state[OFFSET] += offset
        self.state[WIDTH] = width
        self.covariance[WIDTH, :] = self.covariance[:, WIDTH] = 0.0
        self.covariance[WIDTH, WIDTH] = deviation**2
        self.covariance[OFFSET, OFFSET] += deviation**2


@compiled
def _move(
    state: np.ndarray,
    covariance: np.ndarray,
    x: float,
    y: float,
    turn: float,
    duration: float,
    lane: np.ndarray,
) -> None:
    """State and covariance, in place, after the car moved by (x, y) in its old frame and turned by `turn`."""
    parameters = lane[0]
    distance = math.hypot(x, y)
    fade = math.exp(-distance / parameters["rate_length"])
    half, sixth = 0.5 * x * x, x * x * x / 6.0
    state[OFFSET] += x * state[HEADING] + half * state[CURVATURE] + sixth * state[RATE] - y
    state[HEADING] += x * state[CURVATURE] + half * state[RATE] - turn
    state[CURVATURE] += x * state[RATE]
    state[RATE] *= fade
    # F P Fᵀ: rows, then columns, each from those that are still as before.
    for other in range(5):
        heading, curvature = covariance[HEADING, other], covariance[CURVATURE, other]
        rate = covariance[RATE, other]
        covariance[OFFSET, other] += x * heading + half * curvature + sixth * rate
        covariance[HEADING, other] += x * curvature + half * rate
        covariance[CURVATURE, other] += x * rate
        covariance[RATE, other] *= fade
    for other in range(5):
        heading, curvature = covariance[other, HEADING], covariance[other, CURVATURE]
        rate = covariance[other, RATE]
        covariance[other, OFFSET] += x * heading + half * curvature + sixth * rate
        covariance[other, HEADING] += x * curvature + half * rate
        covariance[other, CURVATURE] += x * rate
        covariance[other, RATE] *= fade
    covariance[OFFSET, OFFSET] += (
        parameters["offset_noise"] ** 2 * distance + parameters["time_noise"] ** 2 * duration
    )
    covariance[HEADING, HEADING] += parameters["heading_noise"] ** 2 * distance
    covariance[RATE, RATE] += parameters["rate_noise"] ** 2 * distance
    covariance[WIDTH, WIDTH] += parameters["width_noise"] ** 2 * distance


@compiled
def _news(
    state: np.ndarray, covariance: np.ndarray, marks: np.ndarray, lane: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `marks` (M, 10), coefficients, deviations, side and whether the offset is known, tell: which were used (M,), and of
    these together the information (5, 5) and the weighted innovation (5,).
    """
    parameters = lane[0]
    used = np.empty(len(marks), np.bool_)
    information, news = np.zeros((5, 5)), np.zeros(5)
    innovation, noise, expected = np.empty(4), np.empty(4), np.empty(4)
    for row in range(len(marks)):
        side, worst = marks[row, 8], 0.0
        for index in range(4):
            innovation[index] = marks[row, index] * SCALE[index] - state[index]
            deviation = marks[row, 4 + index] * (SCALE[index] * parameters["deviation_inflation"])
            noise[index] = deviation * deviation
            expected[index] = covariance[index, index]
        innovation[OFFSET] -= side * state[WIDTH]
        expected[OFFSET] += side * (2.0 * covariance[OFFSET, WIDTH] + side * covariance[WIDTH, WIDTH])
        if marks[row, 9] == 0.0:
            innovation[OFFSET], noise[OFFSET] = 0.0, NO_STATEMENT
        for index in range(4):
            expected[index] += noise[index]
            worst = max(worst, innovation[index] * innovation[index] / expected[index])
        used[row] = worst <= parameters["gate"]
        if not used[row]:
            continue
        for index in range(4):
            weight = 1.0 / max(noise[index], LEAST_NOISE * expected[index])
            information[index, index] += weight
            news[index] += weight * innovation[index]
            if index == OFFSET:
                information[OFFSET, WIDTH] += side * weight
                information[WIDTH, OFFSET] += side * weight
                information[WIDTH, WIDTH] += side * side * weight
                news[WIDTH] += side * weight * innovation[OFFSET]
    return used, information, news
