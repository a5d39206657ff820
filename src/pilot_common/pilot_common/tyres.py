"""Slip of the axles in a steady turn, with the load that braking moves to the front: less understeer, more slip behind.

With axle loads N_f = m (g l_r − a h) / l and N_r = m (g l_f + a h) / l under a longitudinal acceleration a, the axles need
α_f = a_y l_r / (μ C_f (g l_r − a h)) and α_r = a_y l_f / (μ C_r (g l_f + a h)) for a lateral acceleration a_y.
"""

from typing import TypeVar

import numpy as np

from pilot_common.physics import GRAVITY
from pilot_common.vehicle import Facts

HARDEST = 6.0  # m/s²; beyond, the linear load transfer says more than the tyres do

Number = TypeVar("Number", float, np.ndarray)


class Tyres:
    """Axle slip of one car; all per lateral acceleration, rad per m/s², for a float or an array of accelerations."""

    def __init__(self, facts: Facts) -> None:
        body = facts.body
        rear = facts.dimensions.wheelbase - body.front_axle_to_centre
        self._front_arm = body.centre_height / rear
        self._rear_arm = body.centre_height / body.front_axle_to_centre
        self._front_stiffness = body.friction * body.front_cornering_stiffness
        self._rear_stiffness = body.friction * body.rear_cornering_stiffness

    def front(self, acceleration: Number) -> Number:
        """Slip of the front axle."""
        return 1.0 / (self._front_stiffness * (GRAVITY - self._front_arm * acceleration))

    def rear(self, acceleration: Number) -> Number:
        """Slip of the rear axle; it moves outwards by so much against the car's heading."""
        return 1.0 / (self._rear_stiffness * (GRAVITY + self._rear_arm * acceleration))

    def drift(self, acceleration: float, speed: float, yaw_rate: float) -> float:
        """Angle from the car's heading to the way its rear axle moves, in a turn that is steady enough."""
        return -self.rear(max(-HARDEST, min(HARDEST, acceleration))) * speed * yaw_rate

    def understeer(self, acceleration: Number) -> Number:
        """Steering angle beyond the geometric one."""
        return self.front(acceleration) - self.rear(acceleration)
