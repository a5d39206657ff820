"""Steering: the optimum of feedback and preview within the limits of car and gate, for the car as it turns out to answer."""

import math

import numpy as np

from pilot_common.arc import linear_on
from pilot_common.compiled import compiled
from pilot_common.road import ReferenceLine
from pilot_common.types import VehicleState
from pilot_common.tyres import HARDEST, Tyres, understeer
from pilot_common.vehicle import Facts
from pilot_control.lateral_design import ERROR_STATES, design, gains_at
from pilot_control.lateral_program import Bounds, first_change, holds
from pilot_control.parameters import ControlParameters
from pilot_control.steering_response import SteeringResponse
from pilot_vehicle.steady_turn import SteadyTurn

CALM = 0.4  # share of the limits
WEAK = 0.75  # share of the yaw rate told by the facts
CURVE_SHARE = 0.8  # of the lateral acceleration that the gate lets pass, for the plan's curves

Place = tuple[float, float, float]


class Lateral:
    """Memory: the commands under way, the lateral velocity, the response of the car, and the offset learned from the path error.

    The design is for the angle that turns the car: that of the wheels, f (δ − b) with gain f and offset b of `SteeringResponse`,
    less what braking takes off the understeer. What then still keeps the car off the path is learned slowly: straight ahead as a
    steering angle (side wind, a slope across), in curves as slip of the rear axle beyond that of the facts.
    """

    def __init__(self, facts: Facts, parameters: ControlParameters) -> None:
        self._p = parameters.lateral
        self._period = parameters.period
        self._design = design(facts, parameters)
        self._turn = SteadyTurn(facts)
        self._tyres = Tyres(facts)
        self._limits, self._actuators = facts.limits, facts.actuators
        self._numbers = np.zeros(self._design.blocks.shape[2])  # gains, at the last step
        self._x = np.zeros(ERROR_STATES + self._design.pending + self._design.horizon)
        self.response = SteeringResponse(facts, parameters.response)
        self.reset()

    def reset(self) -> None:
        """Straight ahead, nothing learned."""
        self.response.reset()
        self._learned = 0.0  # rad of steering
        self._slip = 0.0  # rad per m/s² of lateral acceleration
        self._steady = 0.0  # m/s², low-passed: slip of quick movements is not what is learned
        self._sideways = 0.0
        self.limited = False
        self.follow(0.0)

    def follow(self, steering_angle: float) -> None:
        """As if what the car does now had been commanded: a later engagement begins without a jolt."""
        self.command = steering_angle  # the last one
        self._pending = np.full(self._design.pending, steering_angle)

    def observe(self, state: VehicleState, frozen: bool) -> None:
        """Learns how the car answers, whoever steers; not while `frozen`."""
        self.response.update(state, frozen)

    def step(self, line: ReferenceLine, place: Place, state: VehicleState, count: int) -> float:
        """The command `count` periods after the last one. `place` is station and offset on the line, and heading against it."""
        speed, yaw_rate = state.speed, state.yaw_rate
        response = self.response
        if abs(speed) < self._p.standing_speed:
            self._push(self.command, count)
            return self.command
        station, error, heading = place
        acceleration = max(-HARDEST, min(HARDEST, state.acceleration))
        across = speed * yaw_rate
        transferred = (self._tyres.understeer(acceleration) - self._turn.gradient) * across
        gain, offset = response.gain, self._learned + transferred
        share = min(1.0, count * self._period / self._p.slip_filter)
        self._steady += share * (across - self._steady)
        zero = response.offset + offset / gain  # reported angle that does not turn the car
        angle = gain * (state.steering_angle - zero)
        most = self._p.largest_error
        near = max(-most, min(most, error))  # far away: approach at a constant angle
        change, self._sideways, middle, farthest = _optimum(
            self._design.blocks,
            self._design.gradients,
            speed,
            response.gradient,
            self._numbers,
            self._pending,
            line.station,
            line.curvature,
            station,
            self._period,
            (near, heading - self._slip * self._steady, self._sideways, yaw_rate, angle),
            zero,
            gain,
            count,
            self._x,
        )
        bounds = self._bounds(speed, zero, gain)
        self.limited = False
        if not self._calm(change, middle, farthest, bounds, speed):
            gains = self._design.gains(speed, response.gradient)
            forecast = self._design.coming(gains, self._x)
            self.limited = not holds(forecast, bounds)
            if self.limited:
                best = first_change(forecast[0], self._design.answer(gains), bounds)
                change = change if best is None else best
        if not self.limited:
            self._learn(error, speed, float(self._numbers[1] / self._numbers[0]), count)
        command = self._bounded(self.command + change / gain, speed, count)
        self._push(command, count)
        return command

    def _calm(self, change: float, middle: float, farthest: float, bounds: Bounds, speed: float) -> bool:
        """Whether change, command and road (curvature in the middle and at the end of the preview) are so far from every limit
        that none need be looked for.
        """
        length = self._turn.wheelbase + self.response.gradient * speed * speed
        sharp = CALM * bounds.most
        return (
            abs(change) < CALM * bounds.high
            and abs(bounds.last) < sharp
            and abs(farthest) * length < sharp
            and abs(middle) * length < sharp
        )

    def _bounds(self, speed: float, zero: float, gain: float) -> Bounds:
        """Limits of the coming commands, in the angle that turns the car."""
        turn, limits = self._turn, self._limits
        square = max(speed * speed, 1.0)
        length = turn.wheelbase + turn.gradient * square
        jerk = limits.max_lateral_jerk * self._period * length / square
        reach = min(self._actuators.max_steering_rate * self._period, jerk) * gain
        most = min(
            turn.steering_limit(limits.max_lateral_acceleration, speed), self._actuators.max_steering_angle
        )
        last = gain * (self.command - zero)
        return Bounds(-reach, reach, gain * (-most - zero), gain * (most - zero), last)

    def _bounded(self, wanted: float, speed: float, count: int) -> float:
        """Within angle, rate, lateral acceleration and lateral jerk, as the gate bounds them."""
        last, elapsed = self.command, count * self._period
        reach = self._actuators.max_steering_rate * elapsed
        across, jerk = self._turn.lateral_acceleration(last, speed), self._limits.max_lateral_jerk * elapsed
        most = self._turn.steering_limit(self._limits.max_lateral_acceleration, speed)
        low = max(last - reach, self._turn.steering_limit(across - jerk, speed))
        high = min(last + reach, self._turn.steering_limit(across + jerk, speed))
        most = min(most, self._actuators.max_steering_angle)
        return max(-most, min(most, max(low, min(high, wanted))))

    def _learn(self, error: float, speed: float, distance: float, count: int) -> None:
        """From the error that lasts; an error of heading makes `distance` times as large a one of the path."""
        if speed < self._p.integral_speed:
            return
        error, elapsed = max(-0.3, min(0.3, error)), count * self._period
        across = self._steady
        bend = across / self._p.integral_across
        straight = 1.0 / (1.0 + bend * bend)
        length = self._turn.wheelbase + self.response.gradient * speed * speed
        rate = self._p.integral * max(length, 0.3 * self._turn.wheelbase) / (speed * speed)
        learned = self._learned - straight * rate * error * elapsed
        self._learned = max(-self._p.integral_limit, min(self._p.integral_limit, learned))
        more = (
            self._slip - (1.0 - straight) * error / (distance * across * self._p.slip_time) * elapsed
            if bend
            else self._slip
        )
        self._slip = max(-self._p.slip_limit, min(self._p.slip_limit, more))

    def _push(self, command: float, count: int) -> None:
        self.command = command
        _shift(self._pending, command, count)

    def speed_limit(self, curvature: float, speed: float) -> tuple[float, str]:
        """How fast the car may go with the steering it turns out to have, with a curvature ahead, and why not faster.

        For curves as sharp as the facts allow the plan is slow enough; here is told what a weaker car needs.
        """
        response, base = self.response, self._turn.wheelbase
        gradient = response.gradient
        stable = math.sqrt((1.0 - self._p.stability) * base / -gradient) if gradient < 0.0 else math.inf
        square = speed * speed
        told, found = base + self._turn.gradient * square, base + gradient * square
        if response.gain * told > WEAK * found:
            return stable, "the car oversteers"
        # v² κ (l + K v²) / f = a (l + K₀ v²), a being what gate and offset leave: for v²
        limit = CURVE_SHARE * self._limits.max_lateral_acceleration * response.gain
        bend = abs(curvature) + 1e-9
        square, linear = bend * gradient, bend * base - limit * self._turn.gradient
        root = linear * linear + 4.0 * square * limit * base
        denominator = linear + math.sqrt(max(root, 0.0))
        curve = math.sqrt(2.0 * limit * base / denominator) if root > 0.0 and denominator > 0.0 else math.inf
        if stable < curve:
            return stable, "the car oversteers"
        return curve, "the car answers its steering too weakly for the curve"

    def fading_angle(
        self, curvature: np.ndarray, speed: np.ndarray, acceleration: np.ndarray, fading: np.ndarray
    ) -> np.ndarray:
        """From the last command on to the steering angle for curvatures (T,) at speeds and accelerations (T,) in steady turns,
        learned offset included; the difference at the beginning is `fading` (T,).
        """
        response = self.response
        return _fading_angles(
            curvature,
            speed,
            acceleration,
            fading,
            self.command,
            self._tyres.axles,
            (self._turn.wheelbase, response.gradient - self._turn.gradient),
            (self._learned, response.gain, response.offset),
        )


@compiled
def _optimum(
    blocks: np.ndarray,
    gradients: np.ndarray,
    speed: float,
    gradient: float,
    numbers: np.ndarray,
    pending: np.ndarray,
    own: np.ndarray,
    curvature: np.ndarray,
    station: float,
    period: float,
    state: tuple[float, float, float, float, float],
    zero: float,
    gain: float,
    count: int,
    x: np.ndarray,
) -> tuple[float, float, float, float]:
    """The unconstrained change of command, the lateral velocity `count` periods on, and curvatures in the middle and at the end
    of the preview.

    `blocks` and `gradients` are those of the design, `pending` (n,) the commands under way as reported angles, `own` and
    `curvature` (P,) those of the line, on which the car is at `station`, `state` the error state before v_y has gone on.
    `numbers` of `Gains` and `x` (5 + n + H,) are filled.
    """
    gains_at(blocks, gradients, speed, gradient, numbers, np.empty(4))
    first, last = ERROR_STATES + len(pending), len(x)
    x[0], x[1], sideways, x[3], x[4] = state
    for _ in range(count):
        sideways = numbers[last] * sideways + numbers[last + 1] * x[3] + numbers[last + 2] * x[4]
    x[2] = sideways
    for index in range(len(pending)):
        x[ERROR_STATES + index] = gain * (pending[index] - zero)
    for index in range(last - first):
        x[first + index] = linear_on(own, curvature, station + speed * (period * (index + 0.5)))
    change = 0.0
    for index in range(last):
        change -= numbers[index] * x[index]
    return change, sideways, x[first + (last - first) // 2], x[last - 1]


@compiled
def _shift(pending: np.ndarray, command: float, count: int) -> None:
    """`count` periods later, in all of which `command` was given."""
    for _ in range(count):
        for index in range(len(pending) - 1):
            pending[index] = pending[index + 1]
        pending[-1] = command


@compiled
def _fading_angles(
    curvature: np.ndarray,
    speed: np.ndarray,
    acceleration: np.ndarray,
    fading: np.ndarray,
    command: float,
    axles: tuple[float, float, float, float],
    turn: tuple[float, float],
    learned: tuple[float, float, float],
) -> np.ndarray:
    """See `Lateral.fading_angle`. `turn`: wheelbase, gradient beyond that of the facts; `learned`: steering, gain, offset."""
    (wheelbase, beyond), (steering, gain, offset) = turn, learned
    angle, beside = np.empty(len(curvature)), 0.0
    for index in range(len(curvature)):
        gradient = beyond + understeer(axles, max(acceleration[index], -HARDEST))
        length = wheelbase + gradient * speed[index] * speed[index]
        angle[index] = (math.atan(curvature[index] * length) + steering) / gain + offset
        if index == 0:
            beside = command - angle[0]
        angle[index] += beside * fading[index]
    return angle
