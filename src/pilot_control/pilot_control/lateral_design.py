"""Design of the steering controller: optimal feedback with delay and preview on the single-track error model.

Error state z = (e, ψ, v_y, r, δ): offset of the rear axle left of the path, heading against it, lateral velocity of the centre of
gravity, yaw rate, steering angle. With axle loads of the standing car, speed v and path curvature κ:

    e'   = v ψ + v_y − l_r r                 ψ' = r − v κ                δ' = (u − δ) / τ
    v_y' = (F_f + F_r) / m − v r             r' = (l_f F_f − l_r F_r) / I
    F_f  = μ C_f N_f (δ − (v_y + l_f r)/v)   F_r = −μ C_r N_r (v_y − l_r r)/v

Discretised exactly for commands held over a period; the n commands under way in the dead time are states too, and the input
is the change of command, which leaves no lasting error on a constant curvature. The cost is the sum of squares of e, the course
error ψ + (v_y − l_r r)/v and the change, each over its unit. With P of the Riccati equation, G = (R + BᵀPB)⁻¹Bᵀ and closed
loop A_c:

    Δu = −G P A x − Σ_i G (A_cᵀ)^i P E κ_i + c    (the last κ stands for all beyond)

c is what constraints take away (`lateral_program.py`): with changes Δu_i = (above) + c_i over a horizon the cost is that of c = 0
plus (R + BᵀPB) Σ c_i², whatever x. The table holds how the unconstrained changes of that horizon follow from x and κ, and how
they answer one c.

Solved by speed and by understeer gradient, which is estimated while driving. A car with another gradient than its facts tell is
taken to have another rear axle: then it answers at first as its facts tell, and feedback is not too strong for what the
gradient does not tell.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import expm

from pilot_common.compiled import compiled
from pilot_common.physics import GRAVITY
from pilot_common.vehicle import Body, Facts
from pilot_control.parameters import ControlParameters, LateralParameters
from pilot_vehicle.steady_turn import SteadyTurn, understeer_gradient

SPEEDS = np.array((1.0, 1.5, 2.5, 4.0, 6.0, 9.0, 13.0, 18.0, 24.0, 31.0, 40.0, 50.0))  # m/s
# rad per m/s², between them the car's own: from the rear axle 30 % too soft on a wet road to the front axle
GRADIENTS = (-0.0075, -0.005, -0.003, -0.0015, 0.0025, 0.005, 0.009)
ERROR_STATES = 5
STIFFEST_REAR = 0.5  # of the softness that the facts tell
HORIZON = 40  # periods over which constraints are looked ahead
DOUBLINGS = 30  # of the Riccati iteration at most: 2^30 periods
SLIP_ROW = 3  # numbers of the model of lateral velocity


class Gains(NamedTuple):
    """At one speed and gradient, linear in the table. x has 5 + n elements, curvatures H."""

    numbers: np.ndarray  # (5 + n + H + 3,): feedback, preview, then v_y' = slip · (v_y, r, δ) a period later
    pending: int
    field: tuple[int, int]  # of the table
    weights: np.ndarray  # (4,) of the nodes around it

    @property
    def feedback(self) -> np.ndarray:
        """Of the state (5 + n,)."""
        return self.numbers[: ERROR_STATES + self.pending]

    @property
    def preview(self) -> np.ndarray:
        """Of the curvatures (H,)."""
        return self.numbers[ERROR_STATES + self.pending : -SLIP_ROW]


@dataclass(frozen=True)
class LateralDesign:
    """Tables over S speeds and G gradients.

    `blocks` (S − 1, G − 1, 5 + n + H + 3, 4) has the gains at the four nodes around each field of the table, `forecast`
    (S, G, 2 N, 5 + n + H) the unconstrained changes of command and their sums, `impulse` (S, G, N) the answer of those changes
    to c_0 = 1.
    """

    gradients: np.ndarray
    blocks: np.ndarray
    forecast: np.ndarray
    impulse: np.ndarray
    pending: int
    horizon: int

    def __deepcopy__(self, memo: dict[int, object]) -> "LateralDesign":
        """Never changes, so a copy of the state shares it."""
        return self

    def gains(self, speed: float, gradient: float) -> Gains:
        """For now."""
        numbers, weights = np.empty(self.blocks.shape[2]), np.empty(4)
        row, column = gains_at(self.blocks, self.gradients, speed, gradient, numbers, weights)
        return Gains(numbers, self.pending, (row, column), weights)

    def coming(self, gains: Gains, x: np.ndarray) -> np.ndarray:
        """The unconstrained changes and their sums (2, N) from x and curvatures, (5 + n + H,) in one."""
        row, column = gains.field
        around = self.forecast[row : row + 2, column : column + 2] @ x
        return gains.weights.dot(around.reshape(4, -1)).reshape(2, -1)

    def answer(self, gains: Gains) -> np.ndarray:
        """Of the changes (N,) to c_0 = 1."""
        row, column = gains.field
        return gains.weights.dot(self.impulse[row : row + 2, column : column + 2].reshape(4, -1))


@compiled
def gains_at(
    blocks: np.ndarray,
    gradients: np.ndarray,
    speed: float,
    gradient: float,
    numbers: np.ndarray,
    weights: np.ndarray,
) -> tuple[int, int]:
    """The field of the table around a speed and a gradient; `numbers` (5 + n + H + 3,) and `weights` (4,) of `Gains` there."""
    row, across = _between(SPEEDS, speed)
    column, along = _between(gradients, gradient)
    weights[0], weights[1] = (1.0 - across) * (1.0 - along), (1.0 - across) * along
    weights[2], weights[3] = across * (1.0 - along), across * along
    for index in range(len(numbers)):
        numbers[index] = 0.0
        for node in range(4):
            numbers[index] += blocks[row, column, index, node] * weights[node]
    return row, column


@compiled
def _between(grid: np.ndarray, value: float) -> tuple[int, float]:
    """Index of the grid value before, and the share of the way to the next; the ends are kept."""
    index = min(max(int(np.searchsorted(grid, value)), 1), len(grid) - 1)
    share = float((value - grid[index - 1]) / (grid[index] - grid[index - 1]))
    return index - 1, min(max(share, 0.0), 1.0)


@lru_cache(maxsize=16)
def design(facts: Facts, parameters: ControlParameters) -> LateralDesign:
    """Solves the tables for a car."""
    delay = facts.actuators.steering_delay + parameters.transport
    pending = max(1, int(np.ceil(delay / parameters.period - 1e-9)))
    horizon = max(2, round(parameters.lateral.preview / parameters.period))
    own = understeer_gradient(facts)
    gradients = sorted((own, *(g for g in GRADIENTS if abs(g - own) > 3e-4)))
    cars = [with_gradient(facts, gradient) for gradient in gradients]
    models = [error_model(car, speed) for speed in SPEEDS.tolist() for car in cars]
    a, b, e = (np.array([model[part] for model in models]) for part in range(3))
    big_a, big_b, big_e = _discrete(a, b, e, parameters.period, delay, pending)
    speeds = np.repeat(SPEEDS, len(cars))
    q, r = _cost(facts, parameters.lateral, parameters.period, speeds, big_a.shape[-1])
    p = riccati(big_a, big_b, q / r[:, None, None])  # one unit of cost per unit of change
    gain = big_b / (1.0 + np.einsum("ki,kij,kj->k", big_b, p, big_b))[:, None]
    feedback = np.einsum("ki,kij,kjl->kl", gain, p, big_a)
    closed = big_a - big_b[:, :, None] * feedback[:, None, :]
    preview = _preview(closed, gain, np.einsum("kij,kj->ki", p, big_e), horizon)
    slip = _slip(a, parameters.period)
    forecast, impulse = _forecast(big_a, big_b, big_e, feedback, preview)
    shape = (len(SPEEDS), len(gradients))
    table = np.concatenate((feedback, preview, slip), axis=1).reshape(*shape, -1)
    around = np.stack((table[:-1, :-1], table[:-1, 1:], table[1:, :-1], table[1:, 1:]), axis=-1)
    return LateralDesign(
        np.array(gradients),
        np.ascontiguousarray(around),
        np.concatenate((forecast, forecast.cumsum(axis=1)), axis=1).reshape(*shape, 2 * HORIZON, -1),
        impulse.reshape(*shape, HORIZON),
        pending,
        horizon,
    )


def with_gradient(facts: Facts, gradient: float) -> Facts:
    """The car with the rear axle that gives it an understeer gradient, and beyond `STIFFEST_REAR` with a softer front axle."""
    body: Body = facts.body
    difference = gradient * body.friction * GRAVITY
    front, rear = 1.0 / body.front_cornering_stiffness, 1.0 / body.rear_cornering_stiffness
    rear = max(front - difference, STIFFEST_REAR * rear)
    front = rear + difference
    changed = replace(body, front_cornering_stiffness=1.0 / front, rear_cornering_stiffness=1.0 / rear)
    return replace(facts, body=changed)


def error_model(facts: Facts, speed: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Continuous A (5, 5), B (5,) of the delayed command and E (5,) of the curvature."""
    body = facts.body
    front = body.front_axle_to_centre
    rear = facts.dimensions.wheelbase - front
    front_stiffness = (
        body.friction * body.front_cornering_stiffness * GRAVITY * rear / facts.dimensions.wheelbase
    )  # per mass
    rear_stiffness = (
        body.friction * body.rear_cornering_stiffness * GRAVITY * front / facts.dimensions.wheelbase
    )
    turn = body.mass / body.yaw_inertia
    a = np.zeros((ERROR_STATES, ERROR_STATES))
    a[0, 1:4] = speed, 1.0, -rear
    a[1, 3] = 1.0
    a[2, 2] = -(front_stiffness + rear_stiffness) / speed
    a[2, 3] = (rear * rear_stiffness - front * front_stiffness) / speed - speed
    a[2, 4] = front_stiffness
    a[3, 2] = turn * (rear * rear_stiffness - front * front_stiffness) / speed
    a[3, 3] = -turn * (front * front * front_stiffness + rear * rear * rear_stiffness) / speed
    a[3, 4] = turn * front * front_stiffness
    lag = facts.actuators.steering_time_constant
    a[4, 4] = -1.0 / lag
    b = np.array((0.0, 0.0, 0.0, 0.0, 1.0 / lag))
    return a, b, np.array((0.0, -speed, 0.0, 0.0, 0.0))


def _held(a: np.ndarray, inputs: np.ndarray, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """Transitions (M, 5, 5) and input matrices (M, 5, j) over a duration with inputs held."""
    states, count = inputs.shape[1:]
    block = np.zeros((len(a), states + count, states + count))
    block[:, :states, :states], block[:, :states, states:] = a, inputs
    whole = expm(block * duration)
    return whole[:, :states, :states], whole[:, :states, states:]


def _discrete(
    a: np.ndarray, b: np.ndarray, e: np.ndarray, period: float, delay: float, pending: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (M, 5 + n, 5 + n), B and E (M, 5 + n) of M models over a period, the commands under way as states."""
    early = delay - (pending - 1) * period  # the older of two commands acts for this part of a period
    whole, response = _held(a, np.stack((b, e), axis=2), period)
    later, newer = _held(a, b[:, :, None], max(period - early, 0.0))
    older = later @ _held(a, b[:, :, None], max(early, 0.0))[1]
    size = ERROR_STATES + pending
    big_a, big_b, big_e = (np.zeros((len(a), *shape)) for shape in ((size, size), (size,), (size,)))
    big_a[:, :ERROR_STATES, :ERROR_STATES] = whole
    big_a[:, :ERROR_STATES, ERROR_STATES] = older[:, :, 0]
    big_e[:, :ERROR_STATES] = response[:, :, 1]
    for row in range(ERROR_STATES, size - 1):
        big_a[:, row, row + 1] = 1.0
    big_a[:, size - 1, size - 1] = 1.0  # the newest command is the one before plus the change
    big_b[:, size - 1] = 1.0
    if pending > 1:
        big_a[:, :ERROR_STATES, ERROR_STATES + 1] += newer[:, :, 0]
    else:
        big_a[:, :ERROR_STATES, ERROR_STATES] += newer[:, :, 0]
        big_b[:, :ERROR_STATES] = newer[:, :, 0]
    return big_a, big_b, big_e


def _cost(
    facts: Facts, weights: LateralParameters, period: float, speeds: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Q (M, size, size) and R (M,)."""
    rear = facts.dimensions.wheelbase - facts.body.front_axle_to_centre
    course = np.zeros((len(speeds), size))
    course[:, 1], course[:, 2], course[:, 3] = 1.0, 1.0 / speeds, -rear / speeds
    q = course[:, :, None] * course[:, None, :] / weights.course_error**2
    q[:, 0, 0] += 1.0 / weights.lateral_error**2
    turn = SteadyTurn(facts)
    rate = weights.lateral_jerk * (turn.wheelbase + turn.gradient * speeds**2) / np.maximum(speeds, 3.0) ** 2
    change = np.minimum(rate, facts.actuators.max_steering_rate) * period
    return q, 1.0 / change**2


def riccati(a: np.ndarray, b: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Stabilising P (M, n, n) of P = AᵀPA − AᵀPB(1 + BᵀPB)⁻¹BᵀPA + Q for M systems at once, with input matrices b (M, n).

    Doubling (Chu, Fan, Lin, Wang, "Structure-preserving algorithms for periodic discrete-time algebraic Riccati equations",
    2004): each turn covers twice as many periods.
    """
    g, p, unit = b[:, :, None] * b[:, None, :], q.copy(), np.eye(a.shape[-1])
    for _ in range(DOUBLINGS):
        inverse = np.linalg.inv(unit + g @ p)
        transposed = a.transpose(0, 2, 1)
        grown = transposed @ p @ inverse @ a
        g = g + a @ inverse @ g @ transposed
        a = a @ inverse @ a
        p = p + 0.5 * (grown + grown.transpose(0, 2, 1))
        if np.abs(grown).max() <= 1e-12 * np.abs(p).max():
            break
    return p


def _preview(closed: np.ndarray, gain: np.ndarray, vector: np.ndarray, horizon: int) -> np.ndarray:
    """Gains (M, H) on the curvatures ahead, from P E as `vector` (M, n)."""
    transposed = closed.transpose(0, 2, 1)
    preview = np.zeros((len(closed), horizon))
    for step in range(horizon - 1):
        preview[:, step] = np.einsum("ki,ki->k", gain, vector)
        vector = np.einsum("kij,kj->ki", transposed, vector)
    rest = np.linalg.solve(np.eye(closed.shape[-1]) - transposed, vector[:, :, None])[:, :, 0]
    preview[:, -1] = np.einsum("ki,ki->k", gain, rest)
    return preview


def _slip(a: np.ndarray, period: float) -> np.ndarray:
    """Lateral velocity a period later from (v_y, r, δ), yaw rate measured: (M, 3)."""
    keep = np.exp(a[:, 2, 2] * period)
    response = (keep - 1.0) / a[:, 2, 2]
    return np.stack((keep, response * a[:, 2, 3], response * a[:, 2, 4]), axis=1)


def _forecast(
    a: np.ndarray, b: np.ndarray, e: np.ndarray, feedback: np.ndarray, preview: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Unconstrained changes over the horizon as (M, N, n + H) of x and curvatures, and their answer (M, N) to c_0 = 1."""
    count, size, ahead = len(a), a.shape[-1], preview.shape[-1]
    later = np.zeros((ahead, ahead))  # curvatures one period on, the last standing for all beyond
    later[np.arange(ahead - 1), np.arange(1, ahead)] = 1.0
    later[-1, -1] = 1.0
    state = np.zeros((count, size, size + ahead))
    state[:, :, :size] = np.eye(size)
    curvature = np.zeros((ahead, size + ahead))
    curvature[:, size:] = np.eye(ahead)
    answer = b.copy()
    forecast, impulse = np.zeros((count, HORIZON, size + ahead)), np.ones((count, HORIZON))
    for step in range(HORIZON):
        forecast[:, step] = -np.einsum("ki,kij->kj", feedback, state) - preview @ curvature
        state = a @ state + b[:, :, None] * forecast[:, step, None, :] + e[:, :, None] * curvature[0]
        curvature = later @ curvature
        if step + 1 < HORIZON:
            impulse[:, step + 1] = -np.einsum("ki,ki->k", feedback, answer)
            answer = np.einsum("kij,kj->ki", a, answer) + b * impulse[:, step + 1, None]
    return forecast, impulse
