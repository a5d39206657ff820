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

    Δu = −G P A x − Σ_i G (A_cᵀ)^i P E κ_i    (the last κ stands for all beyond)
"""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm, solve_discrete_are

from pilot_common.physics import GRAVITY
from pilot_common.vehicle import Facts
from pilot_control.parameters import ControlParameters
from pilot_vehicle.steady_turn import SteadyTurn

SPEEDS = np.array(
    (1.0, 1.5, 2.5, 4.0, 6.0, 9.0, 13.0, 18.0, 24.0, 31.0, 40.0, 50.0)
)  # m/s, K speeds of the table
SPEED_LIST = SPEEDS.tolist()  # looked up at every step
ERROR_STATES = 5


@dataclass(frozen=True)
class LateralDesign:
    """Gains by speed, in one table (K, 5 + n + H + 6): feedback on error state and commands under way (oldest first), preview on
    curvatures, and rows of the discrete model (v_y, r)' = M (v_y, r, δ) that the observer runs.
    """

    table: np.ndarray
    pending: int
    horizon: int

    def __deepcopy__(self, memo: dict[int, object]) -> "LateralDesign":
        """Never changes, so a copy of the state shares it."""
        return self

    def gains(self, speed: float) -> tuple[np.ndarray, np.ndarray, list[float]]:
        """Feedback and preview gains and the model at a speed, linear in the table."""
        index = min(max(bisect_left(SPEED_LIST, speed), 1), len(SPEED_LIST) - 1)
        share = (speed - SPEED_LIST[index - 1]) / (SPEED_LIST[index] - SPEED_LIST[index - 1])
        share = min(max(share, 0.0), 1.0)
        row = (1.0 - share) * self.table[index - 1] + share * self.table[index]
        first = ERROR_STATES + self.pending
        return row[:first], row[first : first + self.horizon], row[first + self.horizon :].tolist()


def design(facts: Facts, parameters: ControlParameters) -> LateralDesign:
    """Solves the table for a car."""
    delay = facts.actuators.steering_delay + parameters.transport
    pending = max(1, int(np.ceil(delay / parameters.period - 1e-9)))
    horizon = max(2, round(parameters.lateral.preview / parameters.period))
    solved = [_solve(facts, parameters, float(speed), delay, pending, horizon) for speed in SPEEDS]
    return LateralDesign(np.array(solved), pending, horizon)


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
    """Transition and input matrix over a duration with inputs (5, j) held."""
    count = inputs.shape[1]
    block = np.zeros((len(a) + count, len(a) + count))
    block[: len(a), : len(a)], block[: len(a), len(a) :] = a, inputs
    whole = expm(block * duration)
    return whole[: len(a), : len(a)], whole[: len(a), len(a) :]


def _solve(
    facts: Facts, parameters: ControlParameters, speed: float, delay: float, pending: int, horizon: int
) -> np.ndarray:
    """One row of the table."""
    period, weights = parameters.period, parameters.lateral
    a, b, e = error_model(facts, speed)
    early = delay - (pending - 1) * period  # the older of two commands acts for this part of a period
    whole, response = _held(a, np.stack((b, e), axis=1), period)
    older_end = _held(a, b[:, None], early)[1][:, 0] if early > 1e-9 else np.zeros(ERROR_STATES)
    later, newer = (
        _held(a, b[:, None], period - early)
        if period - early > 1e-9
        else (np.eye(ERROR_STATES), np.zeros((5, 1)))
    )

    size = ERROR_STATES + pending
    big_a, big_b, big_e = np.zeros((size, size)), np.zeros((size, 1)), np.zeros(size)
    big_a[:ERROR_STATES, :ERROR_STATES] = whole
    big_a[:ERROR_STATES, ERROR_STATES] = later @ older_end
    big_e[:ERROR_STATES] = response[:, 1]
    for row in range(pending - 1):
        big_a[ERROR_STATES + row, ERROR_STATES + row + 1] = 1.0
    big_a[size - 1, size - 1] = 1.0  # the newest command is the one before plus the change
    big_b[size - 1, 0] = 1.0
    if pending > 1:
        big_a[:ERROR_STATES, ERROR_STATES + 1] += newer[:, 0]
    else:
        big_a[:ERROR_STATES, ERROR_STATES] += newer[:, 0]
        big_b[:ERROR_STATES, 0] = newer[:, 0]

    rear = facts.dimensions.wheelbase - facts.body.front_axle_to_centre
    course = np.zeros(size)
    course[1:4] = 1.0, 1.0 / speed, -rear / speed
    q = np.outer(course, course) / weights.course_error**2
    q[0, 0] += 1.0 / weights.lateral_error**2
    gradient = SteadyTurn(facts).gradient
    rate = (
        weights.lateral_jerk * (facts.dimensions.wheelbase + gradient * speed * speed) / max(speed, 3.0) ** 2
    )
    change = min(rate, facts.actuators.max_steering_rate) * period
    r = np.array(((1.0 / change**2,),))
    # scaled so that the equation is well conditioned: one unit of cost per unit of change
    p = solve_discrete_are(big_a, big_b, q / r[0, 0], np.eye(1))
    gain = np.linalg.solve(np.eye(1) + big_b.T @ p @ big_b, big_b.T)
    feedback = (gain @ p @ big_a)[0]
    closed = (big_a - big_b @ feedback[None, :]).T
    preview = np.zeros(horizon)
    vector = p @ big_e
    for step in range(horizon - 1):
        preview[step] = gain[0] @ vector
        vector = closed @ vector
    preview[-1] = gain[0] @ np.linalg.solve(np.eye(size) - closed, vector)
    slip, steer = _held(a[2:4, 2:4], a[2:4, 4:5], period)
    model = np.concatenate((slip, steer), axis=1).ravel()
    return np.concatenate((feedback, preview, model))
