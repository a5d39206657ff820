"""Steering angle and curvature of a steady turn: what control feeds forward and the gate bounds.

    tan δ = κ (l + K v²)        K = (1/C_f − 1/C_r) / (μ g)

with wheelbase l and the understeer gradient K of the single-track model of `model.py` on the dry road.
"""

import math

from pilot_common.physics import GRAVITY
from pilot_common.vehicle import Facts


def understeer_gradient(facts: Facts) -> float:
    """K in rad per m/s² of lateral acceleration; positive for a car that understeers."""
    body = facts.body
    difference = 1.0 / body.front_cornering_stiffness - 1.0 / body.rear_cornering_stiffness
    return difference / (body.friction * GRAVITY)


class SteadyTurn:
    """The relation for one car."""

    def __init__(self, facts: Facts) -> None:
        self.wheelbase = facts.dimensions.wheelbase
        self.gradient = understeer_gradient(facts)

    def curvature(self, steering_angle: float, speed: float) -> float:
        """Curvature of the rear axle's path that a steering angle leads to."""
        return math.tan(steering_angle) / (self.wheelbase + self.gradient * speed * speed)

    def steering_angle(self, curvature: float, speed: float) -> float:
        """Steering angle that a curvature needs."""
        return math.atan(curvature * (self.wheelbase + self.gradient * speed * speed))

    def lateral_acceleration(self, steering_angle: float, speed: float) -> float:
        """v² κ."""
        return speed * speed * self.curvature(steering_angle, speed)

    def steering_limit(self, lateral_acceleration: float, speed: float) -> float:
        """Steering angle at which v² κ reaches a lateral acceleration (of the same sign; up to ±π/2 at rest)."""
        square = speed * speed
        return math.atan2(lateral_acceleration * (self.wheelbase + self.gradient * square), square)
