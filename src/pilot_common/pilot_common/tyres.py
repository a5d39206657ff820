"""Slip of the axles in a steady turn, with the load that braking moves to the front: less understeer, more slip behind.

With axle loads N_f = m (g l_r − a h) / l and N_r = m (g l_f + a h) / l under a longitudinal acceleration a, the axles need
α_f = a_y l_r / (μ C_f (g l_r − a h)) and α_r = a_y l_f / (μ C_r (g l_f + a h)) for a lateral acceleration a_y.
"""

from pilot_common.compiled import compiled
from pilot_common.physics import GRAVITY
from pilot_common.vehicle import Facts

HARDEST = 6.0  # m/s²; beyond, the linear load transfer says more than the tyres do


class Tyres:
    """Axle slip of one car; all per lateral acceleration, rad per m/s². `axles` are its numbers for the functions below."""

    def __init__(self, facts: Facts) -> None:
        body = facts.body
        rear = facts.dimensions.wheelbase - body.front_axle_to_centre
        self.axles = (
            body.friction * body.front_cornering_stiffness,
            -body.centre_height / rear,
            body.friction * body.rear_cornering_stiffness,
            body.centre_height / body.front_axle_to_centre,
        )

    def rear(self, acceleration: float) -> float:
        """Slip of the rear axle; it moves outwards by so much against the car's heading."""
        return slip(self.axles[2], self.axles[3], acceleration)

    def drift(self, acceleration: float, speed: float, yaw_rate: float) -> float:
        """Angle from the car's heading to the way its rear axle moves, in a turn that is steady enough."""
        return -self.rear(max(-HARDEST, min(HARDEST, acceleration))) * speed * yaw_rate

    def understeer(self, acceleration: float) -> float:
        """Steering angle beyond the geometric one."""
        return understeer(self.axles, acceleration)


@compiled
def slip(stiffness: float, arm: float, acceleration: float) -> float:
    """Of an axle that gains load with acceleration by `arm`, per weight and per lateral acceleration."""
    return 1.0 / (stiffness * (GRAVITY + arm * acceleration))


@compiled
def understeer(axles: tuple[float, float, float, float], acceleration: float) -> float:
    """See `Tyres.understeer`."""
    return slip(axles[0], axles[1], acceleration) - slip(axles[2], axles[3], acceleration)
