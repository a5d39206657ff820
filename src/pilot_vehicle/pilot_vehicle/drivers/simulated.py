"""The simulated car: what stands where a bus driver and a real car stand on the road.

It takes the gate's actuation while the system drives and the driver's pedals and steering wheel otherwise, moves the vehicle
model, and reports what the car's own sensors would: the motion with noise from a seeded generator that the caller passes in.
"""

from dataclasses import dataclass

import numpy as np

from pilot_common.types import Actuation, DriverInput, Gear, Side, VehicleState
from pilot_common.vehicle import Facts
from pilot_vehicle.model import MotionState, VehicleModel
from pilot_vehicle.plant import AS_BELIEVED, Plant

WATCHDOG = 0.1  # s without an actuation after which the actuators act on their own
WATCHDOG_DECELERATION = 3.0  # m/s²


@dataclass(frozen=True, slots=True, kw_only=True)
class StateNoise:
    """Standard deviations of what the bus reports; the speed is also wrong by a constant share (tyre wear)."""

    speed: float = 0.02  # m/s
    speed_scale: float = 0.002  # drawn once per reset
    acceleration: float = 0.05  # m/s²
    lateral_acceleration: float = 0.05  # m/s²
    yaw_rate: float = 0.001  # rad/s
    yaw_rate_bias: float = 0.0005  # rad/s, drawn once per reset
    steering_angle: float = 0.0003  # rad at the road wheels


class SimulatedCar:
    """A car with driver's place and actuator watchdog. `true` is its motion as it is, `step` returns it as measured.

    `facts` is what the bus and the software believe, `plant` how the car differs; the driver's hands feel the true angle.
    """

    def __init__(
        self,
        facts: Facts,
        generator: np.random.Generator,
        noise: StateNoise | None = None,
        plant: Plant = AS_BELIEVED,
    ) -> None:
        self.facts, self.plant = facts, plant
        self.model = VehicleModel(facts, plant)
        self._generator = generator
        self._noise = noise or StateNoise()
        self.reset(0.0, 0.0, 0.0, 0.0)

    @property
    def true(self) -> MotionState:
        """Motion of the rear axle in `map`."""
        return self.model.state

    def reset(self, x: float, y: float, yaw: float, speed: float) -> None:
        """Drives straight ahead at constant speed in DRIVE; nobody has actuated anything."""
        self.model.reset(x, y, yaw, speed)
        self._actuation: Actuation | None = None
        self._gear = Gear.DRIVE
        self.hazard_lights = False
        self.watchdog_acts = False
        scale, bias = self._generator.standard_normal(2)
        self._speed_scale = 1.0 + self._noise.speed_scale * float(scale)
        self._yaw_rate_bias = self._noise.yaw_rate_bias * float(bias)

    def reseed(self, generator: np.random.Generator) -> None:
        """Draws the noise from another generator from now on; what is drawn once per reset stays."""
        self._generator = generator

    def actuate(self, actuation: Actuation) -> None:
        """Takes what the gate sent; an older one than the newest is ignored."""
        if self._actuation is None or actuation.stamp >= self._actuation.stamp:
            self._actuation = actuation

    def step(
        self,
        time: float,
        duration: float,
        driver: DriverInput,
        driver_steering_angle: float = 0.0,
        indicator: Side = Side.NONE,
        friction: float = 1.0,
        grade: float = 0.0,
        headwind: float = 0.0,
    ) -> VehicleState:
        """Drives from `time` to `time + duration`; the state is stamped with its end.

        `driver_steering_angle` is at the road wheels and `indicator` the driver's lever; both count while the system is inactive.
        """
        actuation = self._actuation
        active = actuation is not None and actuation.active
        self.watchdog_acts = active and time - actuation.stamp > WATCHDOG  # type: ignore[union-attr]
        if not active:
            steering, acceleration = driver_steering_angle, self.pedal_request(driver, grade)
            lamp, self.hazard_lights = indicator, False
        elif self.watchdog_acts:
            steering, acceleration = self.model.state.steering_angle, -WATCHDOG_DECELERATION
            lamp, self.hazard_lights = Side.NONE, True
        else:
            steering = self.plant.road_wheels(actuation.steering_angle)  # type: ignore[union-attr]
            acceleration = actuation.acceleration  # type: ignore[union-attr]
            lamp, self.hazard_lights = actuation.indicator, actuation.hazard_lights  # type: ignore[union-attr]
        if driver.brake > 0.0:  # the pedal works on the brakes directly, whoever drives
            acceleration = min(acceleration, self.pedal_request(driver, grade))
        self.model.step(steering, acceleration, duration, friction, grade, headwind)
        return self._measure(time + duration, lamp, driver)

    def pedal_request(self, driver: DriverInput, grade: float = 0.0) -> float:
        """Acceleration that the pedals ask for: from coasting up to all the powertrain has, or down to all the brakes have."""
        if driver.brake > 0.0:
            return -driver.brake * self.facts.actuators.max_deceleration
        coasting = self.model.coasting_acceleration(grade)
        return coasting + driver.accelerator * (self.facts.powertrain.max_acceleration - coasting)

    def pedals_for(self, acceleration: float, grade: float = 0.0) -> tuple[float, float]:
        """Accelerator and brake in [0, 1] that ask for an acceleration: the inverse of `pedal_request`, for driver models."""
        coasting = self.model.coasting_acceleration(grade)
        if acceleration >= coasting:
            return min(
                1.0, (acceleration - coasting) / (self.facts.powertrain.max_acceleration - coasting)
            ), 0.0
        return 0.0, min(1.0, max(0.0, -acceleration) / self.facts.actuators.max_deceleration)

    def _measure(self, time: float, indicator: Side, driver: DriverInput) -> VehicleState:
        motion, noise = self.model.state, self._noise
        draw = self._generator.standard_normal(5).tolist()
        rest = motion.speed == 0.0  # wheel pulses stop, and the yaw rate is trimmed to zero at rest
        return VehicleState(
            stamp=time,
            valid=True,
            speed=0.0 if rest else max(0.0, motion.speed * self._speed_scale + noise.speed * draw[0]),
            acceleration=motion.acceleration + noise.acceleration * draw[1],
            lateral_acceleration=motion.lateral_acceleration + noise.lateral_acceleration * draw[2],
            yaw_rate=0.0 if rest else motion.yaw_rate + self._yaw_rate_bias + noise.yaw_rate * draw[3],
            steering_angle=self.plant.reported(motion.steering_angle) + noise.steering_angle * draw[4],
            gear=self._gear,
            indicator=indicator,
            driver=driver,
        )
