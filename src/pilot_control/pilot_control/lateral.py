"""Steering: feedback and preview from the design, within the limits of the gate, with a slowly learned steering offset."""

import numpy as np

from pilot_common.road import ReferenceLine
from pilot_common.types import VehicleState
from pilot_common.tyres import HARDEST, Tyres
from pilot_common.vehicle import Facts
from pilot_control.lateral_design import ERROR_STATES, design
from pilot_control.parameters import ControlParameters
from pilot_vehicle.steady_turn import SteadyTurn

Place = tuple[float, float, float]


class Lateral:
    """Memory: the commands under way, the model's lateral velocity and yaw rate, and what was learned of the steering's offset.

    `offset` is how much of the steering angle does not turn the car: misalignment, side wind, a slope across, more
    understeer than the facts tell. What braking takes off the understeer is known; an observer finds the rest from the yaw
    rate against the model's; what then still keeps the car off the path is learned slowly from the path error.
    """

    def __init__(self, facts: Facts, parameters: ControlParameters) -> None:
        self._p = parameters.lateral
        self._period = parameters.period
        self._design = design(facts, parameters)
        self._turn = SteadyTurn(facts)
        self._tyres = Tyres(facts)
        self._limits, self._actuators = facts.limits, facts.actuators
        self._ahead = self._period * (np.arange(self._design.horizon) + 0.5)
        self._x = np.zeros(ERROR_STATES + self._design.pending)
        self.reset()

    def reset(self) -> None:
        """Straight ahead, nothing learned."""
        self._observed = 0.0
        self._learned = 0.0
        self._transferred = 0.0
        self._sideways, self._turning = 0.0, 0.0
        self.follow(0.0)

    @property
    def offset(self) -> float:
        """See class."""
        return self._observed + self._learned + self._transferred

    @property
    def command(self) -> float:
        """The last command."""
        return self._pending[-1]

    def follow(self, steering_angle: float) -> None:
        """As if what the car does now had been commanded: a later engagement begins without a jolt."""
        self._pending = [steering_angle] * self._design.pending

    def step(self, line: ReferenceLine, place: Place, state: VehicleState, count: int) -> float:
        """The command `count` periods after the last one. `place` is station and offset on the line, and heading against it."""
        speed, yaw_rate, angle = state.speed, state.yaw_rate, state.steering_angle
        if abs(speed) < self._p.standing_speed:
            self._push(self.command, count)
            return self.command
        station, error, heading = place
        acceleration = max(-HARDEST, min(HARDEST, state.acceleration))
        self._transferred = (self._tyres.understeer(acceleration) - self._turn.gradient) * speed * yaw_rate
        feedback, preview, model = self._design.gains(speed)
        self._observe(model, speed, yaw_rate, angle, count)
        curvature = np.interp(station + speed * self._ahead, line.station, line.curvature)
        x, offset = self._x, self.offset
        near = max(
            -self._p.largest_error, min(self._p.largest_error, error)
        )  # far away: approach at a constant angle
        x[:ERROR_STATES] = near, heading, self._sideways, yaw_rate, angle - offset
        x[ERROR_STATES:] = self._pending
        x[ERROR_STATES:] -= offset
        change = -float(feedback @ x) - float(preview @ curvature)
        command = self._bounded(self.command + change, speed, count)
        self._learn(error, speed, count)
        self._push(command, count)
        return command

    def _observe(self, model: list[float], speed: float, yaw_rate: float, angle: float, count: int) -> None:
        """The model driven by the measured angle; its difference in yaw rate tells the offset."""
        steering = angle - self.offset
        for _ in range(count):
            sideways, turning = self._sideways, self._turning
            self._sideways = model[0] * sideways + model[1] * turning + model[2] * steering
            self._turning = model[3] * sideways + model[4] * turning + model[5] * steering
        if speed < self._p.integral_speed:
            return
        per_turn = (self._turn.wheelbase + self._turn.gradient * speed * speed) / speed
        wrong = (yaw_rate - self._turning) * per_turn * count * self._period / self._p.observer_time
        most = self._p.offset_limit
        self._observed = max(-most, min(most, self._observed - wrong))

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

    def _learn(self, error: float, speed: float, count: int) -> None:
        if speed < self._p.integral_speed:
            return
        rate = (
            self._p.integral * (self._turn.wheelbase + self._turn.gradient * speed * speed) / (speed * speed)
        )
        learned = self._learned - rate * max(-0.3, min(0.3, error)) * count * self._period
        self._learned = max(-self._p.integral_limit, min(self._p.integral_limit, learned))

    def _push(self, command: float, count: int) -> None:
        self._pending = (self._pending + [command] * count)[-self._design.pending :]

    def steady_angle(self, curvature: np.ndarray, speed: np.ndarray, acceleration: np.ndarray) -> np.ndarray:
        """Steering angle for curvatures (T,) at speeds and accelerations (T,) in steady turns, learned offset included."""
        gradient = self._tyres.understeer(np.maximum(acceleration, -HARDEST))
        angle = np.arctan(curvature * (self._turn.wheelbase + gradient * speed * speed))
        return angle + (self._observed + self._learned)
