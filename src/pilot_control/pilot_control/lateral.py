"""Steering: the optimum of feedback and preview within the limits of car and gate, for the car as it turns out to answer."""

import math

import numpy as np

from pilot_common.road import ReferenceLine
from pilot_common.types import VehicleState
from pilot_common.tyres import HARDEST, Tyres
from pilot_common.vehicle import Facts
from pilot_control.lateral_design import ERROR_STATES, design
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
        self._ahead = self._period * (np.arange(self._design.horizon) + 0.5)
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

    @property
    def command(self) -> float:
        """The last command."""
        return self._pending[-1]

    def follow(self, steering_angle: float) -> None:
        """As if what the car does now had been commanded: a later engagement begins without a jolt."""
        self._pending = [steering_angle] * self._design.pending

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
        gains = self._design.gains(speed, response.gradient)
        gain, offset = response.gain, self._learned + transferred
        share = min(1.0, count * self._period / self._p.slip_filter)
        self._steady += share * (across - self._steady)
        zero = response.offset + offset / gain  # reported angle that does not turn the car
        angle = gain * (state.steering_angle - zero)
        for _ in range(count):
            keep, by_yaw_rate, by_angle = gains.slip
            self._sideways = keep * self._sideways + by_yaw_rate * yaw_rate + by_angle * angle
        curvature = np.interp(station + speed * self._ahead, line.station, line.curvature)
        most = self._p.largest_error
        near = max(-most, min(most, error))  # far away: approach at a constant angle
        x, first = self._x, ERROR_STATES + self._design.pending
        x[:ERROR_STATES] = near, heading - self._slip * self._steady, self._sideways, yaw_rate, angle
        x[ERROR_STATES:first] = self._pending
        x[ERROR_STATES:first] -= zero
        x[ERROR_STATES:first] *= gain
        x[first:] = curvature
        change = -float(gains.feedback @ x[:first]) - float(gains.preview @ curvature)
        bounds = self._bounds(speed, zero, gain)
        forecast = None
        self.limited = False
        if not self._calm(change, curvature, bounds, speed):
            forecast = self._design.coming(gains, x)
            self.limited = not holds(forecast, bounds)
        if forecast is not None and self.limited:
            best = first_change(forecast[0], self._design.answer(gains), bounds)
            change = change if best is None else best
        else:
            self._learn(error, speed, float(gains.feedback[1] / gains.feedback[0]), count)
        command = self._bounded(self.command + change / gain, speed, count)
        self._push(command, count)
        return command

    def _calm(self, change: float, curvature: np.ndarray, bounds: Bounds, speed: float) -> bool:
        """Whether change, command and road ahead are so far from every limit that none need be looked for."""
        length = self._turn.wheelbase + self.response.gradient * speed * speed
        sharp = CALM * bounds.most
        return (
            abs(change) < CALM * bounds.high
            and abs(bounds.last) < sharp
            and abs(float(curvature[-1])) * length < sharp
            and abs(float(curvature[len(curvature) // 2])) * length < sharp
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
        self._pending = (self._pending + [command] * count)[-self._design.pending :]

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

    def steady_angle(self, curvature: np.ndarray, speed: np.ndarray, acceleration: np.ndarray) -> np.ndarray:
        """Steering angle for curvatures (T,) at speeds and accelerations (T,) in steady turns, learned offset included."""
        response = self.response
        transfer = self._tyres.understeer(np.maximum(acceleration, -HARDEST)) - self._turn.gradient
        length = self._turn.wheelbase + (response.gradient + transfer) * speed * speed
        return (np.arctan(curvature * length) + self._learned) / response.gain + response.offset
