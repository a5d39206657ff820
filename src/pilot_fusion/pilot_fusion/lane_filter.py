"""Kalman filter of the ego lane, in base_link: offset and heading of its centre line at the car, width, and its bends; also of
how far the rear axle slips outwards beyond what the facts of the car tell (rad per m/s² of lateral acceleration: a wet road).

The bends are curvatures at nodes that stand on the road, `node_spacing` apart, and change evenly between them; before the first
and behind the last they stay. So a straight that runs into a clothoid and on into an arc is told as what it is, which one cubic
cannot. The car's motion moves it; a camera's mark is the cubic that fits the line best over the mark's view, and is compared with
the cubic that fits the filter's own line there (`lane_shape.py`). Shapes: B nodes, state 4 + B, M marks.
"""

import math

import numpy as np
from scipy.linalg.lapack import dgesv

from pilot_fusion.lane_shape import LaneShape
from pilot_fusion.parameters import LaneParameters

OFFSET, HEADING, WIDTH, SLIP, BENDS = range(5)
BACK = 10.0  # m that a late frame may go back: a node is forgotten only that far behind
LEAST_NOISE = 3e-5  # share of a coefficient's expected deviation, so that the system stays well conditioned
NO_STATEMENT = 1e6  # m²; variance of an offset that says nothing


class LaneFilter:
    """State and covariance; `behind` is how far the first node lies behind the car."""

    def __init__(self, parameters: LaneParameters) -> None:
        self._parameters = parameters
        self._spacing = parameters.node_spacing
        self._count = 2 + math.ceil((BACK + parameters.farthest_node) / self._spacing)
        self._shape = LaneShape(self._count, self._spacing, parameters.error_doubled, parameters.eye_height)
        self._identity = np.eye(BENDS + self._count)
        self.state, self.covariance = np.zeros(BENDS + self._count), self._identity
        self.behind = BACK

    def start(self, offset: float, deviation: float, width: float, width_deviation: float) -> None:
        """Begins with a lane centre at `offset`; what is known of the slip is of the road, not of the lane."""
        parameters, step = self._parameters, np.arange(self._count)
        self.state = np.array((offset, 0.0, width, self.state[SLIP], *np.zeros(self._count)))
        own = (deviation, parameters.start_deviation_heading, width_deviation, parameters.slip_deviation)
        self.covariance = np.diag(np.square((*own, *np.zeros(self._count))))
        walk = parameters.bend_change**2 * self._spacing * np.minimum.outer(step, step)
        self.covariance[BENDS:, BENDS:] = parameters.start_deviation_curvature**2 + walk
        self.behind = BACK

    def move(
        self, x: float, y: float, turn: float, duration: float, across: float = 0.0, slip: float = 0.0
    ) -> None:
        """The car moved by (x, y) in its old frame and turned by `turn`, under a lateral acceleration `across`.

        The motion was told with a slip beyond the facts of `slip`; the state may know better.
        """
        parameters, distance = self._parameters, math.hypot(x, y)
        transition = self._identity.copy()
        transition[OFFSET, HEADING], transition[OFFSET, SLIP] = x, across * x
        # ∫κ is that of the middle of the way, ∬κ that of a third of it, times what a constant one would give.
        for row, share, whole in ((OFFSET, x / 3.0, 0.5 * x * x), (HEADING, 0.5 * x, x)):
            node, part = self._shape.between(self.behind + share)
            transition[row, BENDS + node] = whole * (1.0 - part)
            transition[row, BENDS + node + 1] = whole * part
        self.state = transition @ self.state
        self.state[OFFSET] -= y + across * x * slip
        self.state[HEADING] -= turn
        covariance = transition @ self.covariance @ transition.T
        covariance[OFFSET, OFFSET] += (
            parameters.offset_noise**2 * distance + parameters.time_noise**2 * duration
        )
        covariance[HEADING, HEADING] += parameters.heading_noise**2 * distance
        covariance[WIDTH, WIDTH] += parameters.width_noise**2 * distance
        # What is not seen of the slip makes it no more doubtful than it was at first.
        known = max(parameters.slip_deviation**2 - covariance[SLIP, SLIP], 0.0)
        covariance[SLIP, SLIP] += min(parameters.slip_noise**2 * distance, known)
        self.covariance = covariance
        self.behind += x
        while self.behind >= self._spacing + BACK:
            self._pass_node()

    def _pass_node(self) -> None:
        """Forgets the first node and adds one at the far end, where the curvature stays but for its usual change."""
        last = len(self.state) - 1
        rows = np.array((OFFSET, HEADING, WIDTH, SLIP, *range(BENDS + 1, last + 1), last))
        self.state, self.covariance = self.state[rows], self.covariance[np.ix_(rows, rows)]
        self.covariance[last, last] += self._parameters.bend_change**2 * self._spacing
        self.behind -= self._spacing

    def _row(self, x: float) -> np.ndarray:
        """Derivatives (4 + B,) of the centre line's y at x."""
        return np.concatenate(((1.0, x, 0.0, 0.0), self._shape.bent(np.array(x), self.behind)))

    def centre_at(self, x: float) -> float:
        """Y of the centre line at x."""
        return float(self._row(x) @ self.state)

    def deviation_at(self, x: float) -> float:
        """Standard deviation of the centre line's y at x."""
        row = self._row(x)
        return math.sqrt(max(float(row @ self.covariance @ row), 0.0))

    def curvature_at(self, station: np.ndarray) -> np.ndarray:
        """Curvature (P,) of the centre line at stations from the car."""
        return self._shape.curvature(station, self.state[BENDS:], self.behind)

    def update(
        self,
        coefficients: np.ndarray,
        deviation: np.ndarray,
        view: np.ndarray,
        side: np.ndarray,
        own: np.ndarray,
    ) -> np.ndarray:
        """Takes the cubics (M, 4) of marks seen over `view` (M, 2), that run `side` (M,) widths left of the centre.

        Marks of other lanes have `own` (M,) False: they tell the shape of the road, not the place of the lane. Returns which
        marks (M,) were used: not those that are too far from what is expected.
        """
        parameters, state = self._parameters, self.state
        marks = self._shape.marks(
            view, side, (state[OFFSET], state[HEADING], state[WIDTH]), state[BENDS:], self.behind
        )
        rows = np.zeros((*coefficients.shape, len(state)))
        rows[:, :, [OFFSET, HEADING, WIDTH]], rows[:, :, BENDS:] = marks.by_place, marks.by_bends
        innovation = coefficients - marks.told
        spread = ((rows @ self.covariance) * rows).sum(axis=2)
        error = np.maximum(deviation * parameters.deviation_inflation, LEAST_NOISE * np.sqrt(spread))
        shared = (1.0 - parameters.independent) * marks.correlation
        shared[:, range(4), range(4)] = 1.0
        noise = shared * error[:, :, None] * error[:, None, :]
        # Whose offset says nothing may have any.
        other = ~own
        innovation[other, 0], noise[other, 0], noise[other, :, 0] = 0.0, 0.0, 0.0
        noise[other, 0, 0] = NO_STATEMENT
        expected = spread + np.diagonal(noise, axis1=1, axis2=2)
        # A surprise counts the less, but counts: else a lane once mistaken for surely known would never be seen again.
        surprise = (innovation * innovation / expected).max(axis=1)
        noise *= np.maximum(surprise / parameters.outlier, 1.0)[:, None, None]
        used = surprise <= parameters.gate
        if used.any():
            self._correct(rows[used], innovation[used], noise[used])
        return used

    def _correct(self, rows: np.ndarray, innovation: np.ndarray, noise: np.ndarray) -> None:
        """Kalman update with all coefficients of marks at once, of information I: P (1 + I P)⁻¹, a system of the size of the
        state, however many marks there are.
        """
        weighted = np.linalg.inv(noise) @ rows
        information = np.tensordot(rows, weighted, axes=((0, 1), (0, 1)))
        news = np.einsum("mcs,mc->s", weighted, innovation)
        # LAPACK itself: the checks around it take three times as long for a system of this size.
        _, _, covariance, _ = dgesv(self._identity + self.covariance @ information, self.covariance)
        self.covariance = 0.5 * (covariance + covariance.T)
        self.state = self.state + self.covariance @ news
        most = self._parameters.slip_limit
        self.state[SLIP] = max(-most, min(most, self.state[SLIP]))

    def shift(self, offset: float, width: float, deviation: float) -> None:
        """The ego lane is now the one `offset` to the left, of that width."""
        self.state[OFFSET] += offset
        self.state[WIDTH] = width
        self.covariance[WIDTH, :] = self.covariance[:, WIDTH] = 0.0
        self.covariance[WIDTH, WIDTH] = deviation**2
        self.covariance[OFFSET, OFFSET] += deviation**2
