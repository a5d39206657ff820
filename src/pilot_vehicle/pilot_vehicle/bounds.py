"""The limits of a car's facts, laid on one wanted steering angle and acceleration at a time.

A bound that changes something notes its `Limit` and, in words, what was wanted and what is let through: where several act, the
tightest.
"""

import math

from pilot_common.types import Limit
from pilot_common.vehicle import Facts
from pilot_vehicle.steady_turn import SteadyTurn

Notes = list[tuple[Limit, str]]
Bound = tuple[Limit, float, float]  # lowest and highest value
UNTOLD = 1e-4  # rad and m/s²: smaller changes (time stamps are rounded) are made but not worth a word


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
        limits, turn, before = self._limits, self._turn, self.steering
        largest, reach = self._actuators.max_steering_angle, self._actuators.max_steering_rate * elapsed
        across, change = turn.lateral_acceleration(before, speed), limits.max_lateral_jerk * elapsed
        most = turn.steering_limit(limits.max_lateral_acceleration, speed)
        low, high = (turn.steering_limit(across + step, speed) for step in (-change, change))
        bounds = (
            (Limit.STEERING_ANGLE, -largest, largest),
            (Limit.LATERAL_JERK, low, high),
            (Limit.LATERAL_ACCELERATION, -most, most),
            (Limit.STEERING_RATE, before - reach, before + reach),
        )
        self.steering = _within(wanted, bounds, "steering angle", "rad", notes)

    def accelerate(self, wanted: float, highest: float, elapsed: float, notes: Notes) -> None:
        """Within range, not above `highest`, then within jerk: the emergency jerk only into and out of hard braking."""
        limits, before = self._limits, self.acceleration
        normal, emergency = limits.max_jerk * elapsed, limits.max_emergency_jerk * elapsed
        low = before - (emergency if min(wanted, highest) < -limits.comfort_deceleration else normal)
        high = before + (emergency if before < -limits.comfort_deceleration else normal)
        bounds = (
            (Limit.ACCELERATION, -math.inf, min(highest, limits.max_acceleration)),
            (Limit.DECELERATION, -limits.max_deceleration, math.inf),
            (Limit.JERK, low, high),
        )
        self.acceleration = _within(wanted, bounds, "acceleration", "m/s²", notes)


def _within(wanted: float, bounds: tuple[Bound, ...], what: str, unit: str, notes: Notes) -> float:
    value, acting = wanted, Limit.NONE
    for limit, low, high in bounds:
        bounded = min(max(value, low), high)
        if abs(bounded - value) > UNTOLD:
            acting = limit
        value = bounded
    if acting is not Limit.NONE:
        name = acting.name.lower().replace("_", " ")
        notes.append((acting, f"{what} {wanted:.3f} bounded to {value:.3f} {unit} by the limit of {name}"))
    return value
