"""All tracks as parallel arrays, with prediction and Kalman updates for all of them at once.

State: (x, y, velocity x, velocity y, acceleration x, acceleration y) of the box centre in `odom`, moving by Singer's model: an
acceleration that is correlated over time (IEEE Trans. AES-6, 1970), stronger along the heading than across. It is what
comes on top of following the road (`turn`): in a bend everybody is accelerated towards its middle all the time. Shapes: N tracks,
A rows that are updated.
"""

import math
from typing import NamedTuple

import numpy as np

from pilot_fusion.parameters import MotionParameters

FIELDS = {
    "identity": ((), np.uint32),
    "state": ((6,), float),
    "covariance": ((6, 6), float),
    "existence": ((), float),
    "solid": ((), float),  # probability that what radar sees is something that cameras and lidars see as well
    "reported": ((), bool),
    "heading": ((), float),
    "heading_variance": ((), float),
    "turn": ((2,), float),  # curvature along the road; times the velocity it is a yaw rate
    "extent": ((3,), float),
    "extent_count": ((), float),  # how many measured sizes the extent is made of
    "base": ((), float),  # z of the lower face of the box
    "class_weight": ((5,), float),
    "born": ((), float),
    "seen": ((3,), float),  # when camera, radar, lidar last saw it
}
IDENTITY = np.eye(6)
QUARTER_TURN = np.kron(np.eye(3), ((0.0, 1.0), (-1.0, 0.0)))  # of the axes, to the left
NEVER = -1e9  # s; of a sensor that has not seen a track


class Manoeuvre(NamedTuple):
    """What a track may have begun since its speed was last measured."""

    surprise: float  # squared normalised residual of a speed from which it is taken to have begun
    change: np.ndarray  # (A,) of the speed, m/s
    acceleration: float  # m/s²


class TrackBank:
    """Arrays by the names in `FIELDS`, valid at `time`."""

    identity: np.ndarray
    state: np.ndarray
    covariance: np.ndarray
    existence: np.ndarray
    solid: np.ndarray
    reported: np.ndarray
    heading: np.ndarray
    heading_variance: np.ndarray
    turn: np.ndarray
    extent: np.ndarray
    extent_count: np.ndarray
    base: np.ndarray
    class_weight: np.ndarray
    born: np.ndarray
    seen: np.ndarray

    def __init__(self, parameters: MotionParameters) -> None:
        self._parameters = parameters
        self._noise_shape = _noise_shape(parameters)
        self.time = 0.0
        self._next_identity = 1
        self.clear()

    def __len__(self) -> int:
        return len(self.identity)

    def last_seen(self) -> np.ndarray:
        """When any sensor last saw each track (N,)."""
        camera, radar, lidar = self.seen.T
        return np.maximum(np.maximum(camera, radar), lidar)

    def clear(self) -> None:
        """Forgets all tracks; identities go on."""
        for name, (shape, dtype) in FIELDS.items():
            setattr(self, name, np.empty((0, *shape), dtype))

    def keep(self, rows: np.ndarray) -> None:
        """Reduces the bank to `rows` (mask or indices)."""
        if rows.dtype == bool:
            rows = rows.nonzero()[0]
        for name in FIELDS:
            setattr(self, name, getattr(self, name).take(rows, axis=0))

    def add(self, **columns: np.ndarray) -> slice:
        """Appends tracks; gives them identities and returns their rows. All fields but `identity` are needed."""
        before, count = len(self), len(columns["state"])
        columns["identity"] = np.arange(self._next_identity, self._next_identity + count, dtype=np.uint32)
        self._next_identity += count
        for name in FIELDS:
            setattr(self, name, np.concatenate((getattr(self, name), columns[name])))
        return slice(before, before + count)

    def predict(self, time: float, coasting: np.ndarray) -> None:
        """Moves all tracks to `time`. Backward (for a late measurement) no noise is added: it was on the way forward.

        What coasts (N,), for nobody saw it lately, soon forgets its acceleration: it was a matter of the moment.
        """
        if len(self) and time != self.time:
            duration = max(time - self.time, 0.0)
            self.heading = self.heading + self.yaw_rate() * (time - self.time)
            self.state, self.covariance = self.predicted(time)
            self.heading_variance = self.heading_variance + self._parameters.heading_drift**2 * duration
            self.state[coasting, 4:] *= math.exp(-duration / self._parameters.coasting_time)
        self.time = time

    def predicted(
        self, time: float, rows: np.ndarray | None = None, turn: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """State and covariance of `rows` (of all without) at `time`, in axes turned by `turn`; the bank stays as it is."""
        duration = time - self.time
        transition = self._transition(duration)
        state, covariance, heading = self.state, self.covariance, self.heading
        if rows is not None:
            state, covariance = state.take(rows, axis=0), covariance.take(rows, axis=0)
            heading = heading.take(rows)
        if turn != 0.0:
            transition = _turned(transition, turn)
            heading = heading - turn
        covariance = congruent(covariance, transition)
        if duration > 0.0:
            covariance += self._noise(duration, heading)
        # As an acceleration that stays what it is: what the road adds.
        rate = self.yaw_rate(rows)
        bent = np.zeros((len(state), 6))
        bent[:, 2], bent[:, 3] = -duration * rate * state[:, 3], duration * rate * state[:, 2]
        bent[:, :2] = 0.5 * duration * bent[:, 2:4]
        if turn != 0.0:
            bent = bent @ _turned(IDENTITY, turn).T
        return state @ transition.T + bent, covariance

    def yaw_rate(self, rows: np.ndarray | None = None) -> np.ndarray:
        """How fast `rows` (of all without) turn where they follow the road."""
        turn, velocity = self.turn, self.state[:, 2:4]
        if rows is not None:
            turn, velocity = turn.take(rows, axis=0), velocity.take(rows, axis=0)
        rate: np.ndarray = turn[:, 0] * velocity[:, 0] + turn[:, 1] * velocity[:, 1]
        return rate

    def _transition(self, duration: float) -> np.ndarray:
        rate = 1.0 / self._parameters.acceleration_time
        decay = math.exp(-rate * duration)
        transition = IDENTITY.copy()
        transition[0, 2] = transition[1, 3] = duration
        transition[0, 4] = transition[1, 5] = (rate * duration - 1.0 + decay) / rate**2
        transition[2, 4] = transition[3, 5] = (1.0 - decay) / rate
        transition[4, 4] = transition[5, 5] = decay
        return transition

    def _noise(self, t: float, heading: np.ndarray) -> np.ndarray:
        """Process noise (N, 6, 6); Singer's for intervals short against the time constant (then it is never indefinite)."""
        block = (t**5 / 20, t**4 / 8, t**3 / 6, t**4 / 8, t**3 / 3, t * t / 2, t**3 / 6, t * t / 2, t)
        double = heading + heading
        axes = np.ones((len(heading), 3))
        np.cos(double, out=axes[:, 1])
        np.sin(double, out=axes[:, 2])
        return (axes @ (np.array(block) @ self._noise_shape).reshape(3, 36)).reshape(-1, 6, 6)

    @staticmethod
    def spread(heading: np.ndarray, along: float, across: float) -> np.ndarray:
        """Covariances (N, 2, 2) of errors with deviations along and across headings (N,)."""
        # In terms of the double angle: half the products.
        middle, half = 0.5 * (along**2 + across**2), 0.5 * (along**2 - across**2)
        double = heading + heading
        cosine = half * np.cos(double)
        covariance = np.empty((len(heading), 2, 2))
        covariance[:, 0, 0] = middle + cosine
        covariance[:, 1, 1] = middle - cosine
        covariance[:, 0, 1] = covariance[:, 1, 0] = half * np.sin(double)
        return covariance

    def update_position(self, rows: np.ndarray, innovation: np.ndarray, noise: np.ndarray) -> None:
        """Kalman update of rows (A,), each once, with position innovations (A, 2) of covariance (A, 2, 2)."""
        state, covariance = self.state.take(rows, axis=0), self.covariance.take(rows, axis=0)
        # First x, then what of y is independent of it: sums of outer products, symmetric to the last bit.
        root = np.sqrt(covariance[:, 0, 0] + noise[:, 0, 0])
        x = covariance[:, 0] / root[:, None]
        share = (covariance[:, 0, 1] + noise[:, 0, 1]) / root
        root_y = np.sqrt(covariance[:, 1, 1] + noise[:, 1, 1] - share * share)
        y = (covariance[:, 1] - share[:, None] * x) / root_y[:, None]
        surprise_x = innovation[:, 0] / root
        surprise_y = (innovation[:, 1] - share * surprise_x) / root_y
        state += x * surprise_x[:, None]
        state += y * surprise_y[:, None]
        covariance -= x[:, :, None] * x[:, None, :]
        covariance -= y[:, :, None] * y[:, None, :]
        self.state[rows], self.covariance[rows] = state, covariance

    def update_radial(
        self,
        rows: np.ndarray,
        direction: np.ndarray,
        speed: np.ndarray,
        variance: np.ndarray,
        manoeuvre: "Manoeuvre | None" = None,
    ) -> None:
        """Kalman update of rows (A,), each once, with speeds over ground (A,) along unit directions (A, 2).

        With `manoeuvre`, what surprises may have an acceleration along its direction that changed its speed.
        """
        x, y = direction[:, 0], direction[:, 1]
        state, covariance = self.state.take(rows, axis=0), self.covariance.take(rows, axis=0)
        across = covariance[:, 2] * x[:, None] + covariance[:, 3] * y[:, None]
        total = x * across[:, 2] + y * across[:, 3] + variance
        innovation = speed - x * state[:, 2] - y * state[:, 3]
        if manoeuvre is not None:
            chosen = (innovation * innovation > manoeuvre.surprise * total).nonzero()[0]
            if len(chosen):
                # The sudden acceleration is one more direction in which the covariance is wide.
                effect = np.zeros((len(chosen), 6))
                effect[:, 2:4] = manoeuvre.change[chosen, None] * direction[chosen]
                effect[:, 4:] = manoeuvre.acceleration * direction[chosen]
                covariance[chosen] += effect[:, :, None] * effect[:, None, :]
                across = covariance[:, 2] * x[:, None] + covariance[:, 3] * y[:, None]
                total = x * across[:, 2] + y * across[:, 3] + variance
        gain = across / total[:, None]
        state += gain * innovation[:, None]
        covariance -= gain[:, :, None] * across[:, None, :]
        self.state[rows], self.covariance[rows] = state, covariance


def _noise_shape(parameters: MotionParameters) -> np.ndarray:
    """Singer's noise as a linear map (9, 3 · 36): of a block (3, 3) in time to matrices (6, 6) by 1, cos 2ψ and sin 2ψ."""
    along, across = parameters.acceleration_along**2, parameters.acceleration_across**2
    middle, half = 0.5 * (along + across), 0.5 * (along - across)
    axes = np.array((((middle, 0.0), (0.0, middle)), ((half, 0.0), (0.0, -half)), ((0.0, half), (half, 0.0))))
    blocks = np.eye(9).reshape(9, 3, 3)
    shape = blocks[:, None, :, None, :, None] * axes[None, :, None, :, None, :]
    return 2.0 / parameters.acceleration_time * shape.reshape(9, 108)


def _turned(transition: np.ndarray, turn: float) -> np.ndarray:
    """The transition (6, 6), then into axes turned by `turn`."""
    return (math.cos(turn) * IDENTITY + math.sin(turn) * QUARTER_TURN) @ transition


def congruent(covariance: np.ndarray, transition: np.ndarray) -> np.ndarray:
    """F P Fᵀ for symmetric matrices P (N, k, k), as two products of flat matrices."""
    count, size = len(covariance), len(transition)
    half = (covariance.reshape(-1, size) @ transition.T).reshape(count, size, size)
    return (half.transpose(0, 2, 1).reshape(-1, size) @ transition.T).reshape(count, size, size)


def inverse_2x2(matrix: np.ndarray) -> np.ndarray:
    """Inverses of symmetric matrices (…, 2, 2); a fifth of the time of the general routine."""
    a, b, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    inverse = np.empty_like(matrix)
    inverse[..., 0, 0] = d
    inverse[..., 0, 1] = inverse[..., 1, 0] = -b
    inverse[..., 1, 1] = a
    inverse /= (a * d - b * b)[..., None, None]
    return inverse
