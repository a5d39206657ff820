"""Kalman filter of the ego lane, in base_link: offset and heading of its centre line at the car, curvature, its rate, width.

The centre line is y(x) = y0 + ψ x + κ x²/2 + κ' x³/6. The car's motion moves it, camera marks measure it. Shapes: state 5.
"""

import math

import numpy as np
from scipy.linalg.lapack import dgesv

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
        parameters = self._parameters
        distance = math.hypot(x, y)
        fade = math.exp(-distance / parameters.rate_length)
        transition = IDENTITY.copy()
        transition[OFFSET, HEADING] = transition[HEADING, CURVATURE] = transition[CURVATURE, RATE] = x
        transition[OFFSET, CURVATURE] = transition[HEADING, RATE] = 0.5 * x * x
        transition[OFFSET, RATE] = x * x * x / 6.0
        transition[RATE, RATE] = fade
        self.state = transition @ self.state
        self.state[OFFSET] -= y
        self.state[HEADING] -= turn
        covariance = transition @ self.covariance @ transition.T
        covariance[OFFSET, OFFSET] += (
            parameters.offset_noise**2 * distance + parameters.time_noise**2 * duration
        )
        covariance[HEADING, HEADING] += parameters.heading_noise**2 * distance
        covariance[RATE, RATE] += parameters.rate_noise**2 * distance
        covariance[WIDTH, WIDTH] += parameters.width_noise**2 * distance
        self.covariance = covariance

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
        noise = np.square(deviation * (SCALE * self._parameters.deviation_inflation))
        innovation = coefficients * SCALE - self.state[:4]
        innovation[:, 0] -= side * self.state[WIDTH]
        unknown = ~offset_known
        noise[unknown, 0] = NO_STATEMENT
        innovation[unknown, 0] = 0.0
        covariance = self.covariance
        expected = noise + covariance.diagonal()[:4]
        expected[:, 0] += side * (2.0 * covariance[OFFSET, WIDTH] + side * covariance[WIDTH, WIDTH])
        used = np.maximum.reduce(innovation * innovation / expected, axis=1) <= self._parameters.gate
        if used.any():
            self._correct(used[:, None] / np.maximum(noise, LEAST_NOISE * expected), innovation, side)
        return used

    def _correct(self, weight: np.ndarray, innovation: np.ndarray, side: np.ndarray) -> None:
        """Kalman update with all coefficients of marks at once, of information `weight` (M, 4): P (1 + I P)⁻¹ for information I,
        a system of the size of the state, however many marks there are.
        """
        weighted = weight * innovation
        total = np.add.reduce(weight, axis=0)
        information = np.zeros((5, 5))
        information.reshape(-1)[:24:6] = total
        information[OFFSET, WIDTH] = information[WIDTH, OFFSET] = side @ weight[:, 0]
        information[WIDTH, WIDTH] = (side * side) @ weight[:, 0]
        news = np.empty(5)
        np.add.reduce(weighted, axis=0, out=news[:4])
        news[WIDTH] = side @ weighted[:, 0]
        # LAPACK itself: the checks around it take three times as long for a system of five.
        _, _, covariance, _ = dgesv(IDENTITY + self.covariance @ information, self.covariance)
        self.covariance = 0.5 * (covariance + covariance.T)
        self.state = self.state + self.covariance @ news

    def shift(self, offset: float, width: float, deviation: float) -> None:
        """The ego lane is now the one `offset` to the left, of that width."""
        self.state[OFFSET] += offset
        self.state[WIDTH] = width
        self.covariance[WIDTH, :] = self.covariance[:, WIDTH] = 0.0
        self.covariance[WIDTH, WIDTH] = deviation**2
        self.covariance[OFFSET, OFFSET] += deviation**2
