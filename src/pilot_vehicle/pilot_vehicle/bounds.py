"""The limits of a car's facts, laid on one wanted steering angle and acceleration at a time.

Every bound that changes something notes its `Limit` and, in words, what was wanted and what is let through.
"""

import math

from pilot_common.types import Limit
from pilot_common.vehicle import Facts
from pilot_vehicle.steady_turn import SteadyTurn

Notes = list[tuple[Limit, str]]
ROUNDING = 1e-9  # a change below this is none


class Bounds:
    """Memory: the `steering` angle and `acceleration` last let through, from which rates and jerks count."""

    def __init__(self, facts: Facts) -> None:
        self._limits, self._actuators, self._turn = facts.limits, facts.actuators, SteadyTurn(facts)
        self.track(0.0, 0.0)

    def track(self, steering: float, acceleration: float) -> None:
        """Starts over from what the car does under its driver."""
        largest, limits = self._actuators.max_steering_angle, self._limits
        self.steering = min(max(steering, -largest), largest)
        self.acceleration = min(max(acceleration, -limits.max_deceleration), limits.max_acceleration)

    def steer(self, wanted: float, speed: float, elapsed: float, notes: Notes) -> None:
        """Within angle, lateral jerk, lateral acceleration and, last because no actuator can do more, rate."""
        limits, before = self._limits, self.steering
        largest = self._actuators.max_steering_angle
        angle = _clip(wanted, -largest, largest, Limit.STEERING_ANGLE, "steering angle", "rad", notes)
        across, change = self._turn.lateral_acceleration(before, speed), limits.max_lateral_jerk * elapsed
        low, high = (
            self._turn.steering_limit(across - change, speed),
            self._turn.steering_limit(across + change, speed),
        )
        angle = _clip(
            angle, low, high, Limit.LATERAL_JERK, "steering angle for the lateral jerk", "rad", notes
        )
        most = self._turn.steering_limit(limits.max_lateral_acceleration, speed)
        angle = _clip(
            angle,
            -most,
            most,
            Limit.LATERAL_ACCELERATION,
            "steering angle for the lateral acceleration",
            "rad",
            notes,
        )
        reach = self._actuators.max_steering_rate * elapsed
        self.steering = _clip(
            angle,
            before - reach,
            before + reach,
            Limit.STEERING_RATE,
            "steering angle for its rate",
            "rad",
            notes,
        )

    def accelerate(self, wanted: float, highest: float, elapsed: float, notes: Notes) -> None:
        """Within range, not above `highest`, then within jerk: the emergency jerk only into and out of hard braking."""
        limits, before = self._limits, self.acceleration
        highest = min(highest, limits.max_acceleration)
        wanted = _clip(wanted, -math.inf, highest, Limit.ACCELERATION, "acceleration", "m/s²", notes)
        wanted = _clip(
            wanted, -limits.max_deceleration, math.inf, Limit.DECELERATION, "acceleration", "m/s²", notes
        )
        normal, emergency = limits.max_jerk * elapsed, limits.max_emergency_jerk * elapsed
        low = before - (emergency if wanted < -limits.comfort_deceleration else normal)
        high = before + (emergency if before < -limits.comfort_deceleration else normal)
        self.acceleration = _clip(wanted, low, high, Limit.JERK, "acceleration for the jerk", "m/s²", notes)


def _clip(value: float, low: float, high: float, limit: Limit, what: str, unit: str, notes: Notes) -> float:
    bounded = min(max(value, low), high)
    if abs(bounded - value) > ROUNDING:
        notes.append((limit, f"{what} {value:.3f} bounded to {bounded:.3f} {unit}"))
    return bounded
