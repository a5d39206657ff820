"""How a simulated car differs from the facts that the software believes: for tests of robustness."""

from dataclasses import dataclass, replace

from pilot_common.schema import optional
from pilot_common.vehicle import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Factors on the facts, and one angle. The mass is load near the centre of gravity: the yaw inertia stays."""

    mass: float = optional(1.0, "", 0.4, 2.5, "of the mass")
    steering_ratio: float = optional(
        1.0, "", 0.4, 2.5, "true ratio by that of the facts; above 1 it steers less"
    )
    steering_delay: float = optional(1.0, "", 0.0, 5.0, "of the steering's dead time")
    powertrain_delay: float = optional(1.0, "", 0.0, 5.0, "of the powertrain's dead time")
    brake_delay: float = optional(1.0, "", 0.0, 5.0, "of the brakes' dead time")
    front_stiffness: float = optional(1.0, "", 0.4, 2.5, "of the front cornering stiffness")
    rear_stiffness: float = optional(1.0, "", 0.4, 2.5, "of the rear cornering stiffness")
    steering_bias: float = optional(
        0.0, "rad", -0.1, 0.1, "road wheels stand this much left of what is asked for and reported"
    )

    def true(self, facts: Facts) -> Facts:
        """The facts as they are; the steering ratio and bias act between the car and its bus (`road_wheels`, `reported`)."""
        body, actuators, powertrain = facts.body, facts.actuators, facts.powertrain
        return replace(
            facts,
            body=replace(
                body,
                mass=self.mass * body.mass,
                front_cornering_stiffness=self.front_stiffness * body.front_cornering_stiffness,
                rear_cornering_stiffness=self.rear_stiffness * body.rear_cornering_stiffness,
            ),
            actuators=replace(
                actuators,
                steering_delay=self.steering_delay * actuators.steering_delay,
                brake_delay=self.brake_delay * actuators.brake_delay,
            ),
            powertrain=replace(powertrain, delay=self.powertrain_delay * powertrain.delay),
        )

    def road_wheels(self, asked: float) -> float:
        """True angle at the road wheels that an asked one leads to: the bus speaks in angles of the believed ratio."""
        return asked / self.steering_ratio + self.steering_bias

    def reported(self, true: float) -> float:
        """What the bus reports of a true angle at the road wheels: the inverse of `road_wheels`."""
        return (true - self.steering_bias) * self.steering_ratio


AS_BELIEVED = Plant()
