"""Online estimate of how the car answers its steering: offset of the reported angle, gain of the steering, understeer gradient.

Both axles' slip angles differ by δ − l r / v, whatever the car does (single track); with the lateral forces from Newton's and
Euler's laws this is linear in what is not known:

    δ − T r' = b + (l r / v) / f + a_y k        T = I / (m g) (1 / (μ C_f l_r) + 1 / (μ C_r l_f)), of the facts

with reported angle δ, offset b, gain f (true over reported angle) and k = K / f, K the understeer gradient. A Kalman filter
follows b, 1/f and k as slow random walks. All signals pass the same low pass, whose own slope gives r'. Where the car is not
excited a direction is not observed, and its uncertainty grows no further than at the beginning. To tell the axles apart as
well was tried: r' is too noisy for it.
"""

import math
from operator import mul

from pilot_common.physics import GRAVITY
from pilot_common.types import VehicleState
from pilot_common.vehicle import Facts
from pilot_control.lateral_design import GRADIENTS
from pilot_control.parameters import ResponseParameters
from pilot_control.regression import Regression
from pilot_vehicle.steady_turn import understeer_gradient

GAIN_RANGE = 0.65, 1.55  # of 1/f
STRAIGHT = (1.0, 0.0, 0.0)
LONGEST = 0.1  # s between states; after a longer pause the filters begin anew
EVERY = 0.035  # s: low-passed signals say no more when looked at more often
LINEAR = 4.0  # m/s²: beyond, tyres are not linear any more


class SteeringResponse:
    """Memory: the estimate, and the low-passed signals."""

    def __init__(self, facts: Facts, parameters: ResponseParameters) -> None:
        self._p = p = parameters
        body, self._wheelbase = facts.body, facts.dimensions.wheelbase
        front, rear = (
            1.0 / (body.friction * stiffness)
            for stiffness in (body.front_cornering_stiffness, body.rear_cornering_stiffness)
        )
        to_rear = self._wheelbase - body.front_axle_to_centre
        self._turning = (
            body.yaw_inertia / (body.mass * GRAVITY) * (front / to_rear + rear / body.front_axle_to_centre)
        )
        self._filter = Regression(
            nominal=(0.0, 1.0, understeer_gradient(facts)),
            deviations=(p.offset_deviation, p.gain_deviation, p.gradient_deviation),
            walks=(p.offset_walk, p.gain_walk, p.gradient_walk),
            low=(-p.offset_limit, GAIN_RANGE[0], GRADIENTS[0] * GAIN_RANGE[1]),  # k is K / f
            high=(p.offset_limit, GAIN_RANGE[1], GRADIENTS[-1] * GAIN_RANGE[1]),
            recoveries=(0.0, p.gain_recovery, 0.0),
        )
        self.reset()

    def reset(self) -> None:
        """As the facts tell."""
        self._filter.reset()
        self._smooth: tuple[float, float, float, float] | None = None
        self._elapsed, self._share = 0.0, 0.0
        self._stamp, self._waited = -math.inf, 0.0
        self._tell()

    def _tell(self) -> None:
        self.offset, inverse, softness = self._filter.estimate
        self.gain = 1.0 / inverse
        self.gradient = max(GRADIENTS[0], min(GRADIENTS[-1], softness * self.gain))

    @property
    def confidence(self) -> float:
        """From 0, as the facts tell, to 1, of the understeer gradient."""
        return self._filter.confidence(2)

    def memory(self) -> tuple[float, ...]:
        """What is worth keeping over a restart."""
        return self._filter.memory()

    def recall(self, memory: tuple[float, ...]) -> None:
        """Goes on from a memory."""
        self._filter.recall(memory)
        self._tell()

    def update(self, state: VehicleState, frozen: bool) -> None:
        """Takes a vehicle state; `frozen` where it must teach nothing."""
        speed, turn, across = state.speed, state.yaw_rate, state.lateral_acceleration
        elapsed, self._stamp = state.stamp - self._stamp, state.stamp
        if frozen or speed < self._p.least_speed or not abs(across) < LINEAR or not 0.0 < elapsed <= LONGEST:
            self._smooth = None
            return
        before = self._smooth
        if before is None:
            self._smooth = state.steering_angle, turn / speed, across, turn
            return
        if elapsed != self._elapsed:
            self._elapsed, self._share = elapsed, 1.0 - math.exp(-elapsed / self._p.filter_time)
        share = self._share
        angle = before[0] + share * (state.steering_angle - before[0])
        bend = before[1] + share * (turn / speed - before[1])
        across = before[2] + share * (across - before[2])
        slope = share * (turn - before[3])
        self._smooth = angle, bend, across, before[3] + slope
        self._waited += elapsed
        if self._waited >= EVERY:
            self._correct(angle, bend, across, slope / elapsed, self._waited)
            self._waited = 0.0

    def _correct(self, angle: float, bend: float, across: float, slope: float, elapsed: float) -> None:
        full = (1.0, self._wheelbase * bend, across)
        estimate = self._filter.estimate
        innovation = angle - self._turning * slope - sum(map(mul, full, estimate))
        # Noise alone would teach that tyres are stiff: straight ahead only the offset is observed.
        seen = full if abs(across) > self._p.least_across else STRAIGHT
        # Low-passed errors repeat themselves for the filter's time; what the linear model leaves out grows with the motion.
        error = self._p.angle_error + self._p.model_error * abs(angle - estimate[0])
        self._filter.correct(seen, innovation, error * math.sqrt(self._p.filter_time / elapsed), elapsed)
        self._tell()
