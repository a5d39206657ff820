"""Driving ahead: the car slows early by what its powertrain can do alone, so that the friction brakes stay cold.

A combustion car in overrun burns nothing, but slows by little; an electric one brakes by its motor up to what it can recover.
Where somebody slower, a lower limit or a curve lies ahead, the car lifts off so early that this suffices. These are wishes
beside the laws of safety: each only lowers the acceleration, and never below what the powertrain gives by itself.
"""

from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_common.vehicle import Facts, PowertrainKind
from pilot_planning.highway.adaptation import ApproachLaw
from pilot_planning.highway.parameters import EnergyParameters


class Saving:
    """What one car can do without friction brakes, and the laws that follow from it."""

    def __init__(self, facts: Facts, parameters: EnergyParameters) -> None:
        self._p = parameters
        powertrain, body = facts.powertrain, facts.body
        combustion = powertrain.kind is PowertrainKind.COMBUSTION
        self._motor = powertrain.engine_braking if combustion else parameters.share * powertrain.regeneration
        self._power = powertrain.max_power / body.mass
        self._air = 0.5 * AIR_DENSITY * body.drag_area / body.mass
        self._tyres = GRAVITY * body.rolling_resistance

    def deceleration(self, speed: float) -> float:
        """What air, tyres and powertrain slow the car by at a speed."""
        motor = min(self._motor, self._power / max(speed, 1.0))
        return motor + self._air * speed * speed + self._tyres

    def towards(
        self, distance: float, target: float, place: float, speed: float, usual: float
    ) -> ApproachLaw | None:
        """The law towards a speed wanted at a distance, at a place that moves on with `place`; `usual` is the deceleration of the
        law that asks for it anyway.

        None where nothing is to be gained: little to slow by, nothing within the horizon, or no more than is usual.
        """
        over = speed - target
        if over < self._p.slower or distance <= 0.0 or self._p.horizon <= 0.0:
            return None
        # So early that it takes no longer than the horizon, however little the car slows by itself.
        gentle = max(self.deceleration(0.5 * (speed + target)), over / self._p.horizon)
        if gentle >= usual:
            return None
        return ApproachLaw(distance, target, place, gentle, self._p.gain)
