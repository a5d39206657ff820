"""What drives the wheels, behind one interface: acceleration at the wheels that is asked for in, that is given out.

`floor(speed)` and `ceiling(speed)` say what the powertrain can give; below the floor the friction brakes must join.
"""

from typing import Protocol

from pilot_common.vehicle import Facts, PowertrainKind
from pilot_vehicle.actuators import DeadTime, Lag

# Below these speeds a traction motor gives no, or not yet all, of its generator torque; the friction brakes take over (m/s).
REGENERATION_BEGINS, REGENERATION_FULL = 0.8, 3.0
CREEP_ACCELERATION = 0.8  # m/s², of the idling engine through the converter at standstill
DOWNSHIFT_SHARE = 0.8  # a gear is left downwards at this share of the speed at which it is reached upwards


class Powertrain(Protocol):
    """One of the kinds below."""

    gear: int

    def floor(self, speed: float) -> float:
        """Lowest acceleration at the wheels (positive where the car creeps)."""

    def ceiling(self, speed: float) -> float:
        """Highest acceleration at the wheels."""

    def reset(self, acceleration: float, speed: float) -> None:
        """Steady at an acceleration."""

    def step(self, request: float, speed: float, duration: float) -> float:
        """Acceleration at the wheels at the end of `duration`."""


class Electric:
    """Motor: fast, drives and recovers down to walking pace. Range-extended cars drive the same way."""

    gear = 1

    def __init__(self, facts: Facts) -> None:
        self._facts = facts.powertrain
        self._power_by_mass = facts.powertrain.max_power / facts.body.mass
        self._dead_time = DeadTime(facts.powertrain.delay)
        self._lag = Lag(facts.powertrain.time_constant)

    def reset(self, acceleration: float, speed: float) -> None:
        """Steady at an acceleration."""
        held = max(self.floor(speed), min(acceleration, self.ceiling(speed)))
        self._dead_time.reset(held)
        self._lag.value = held

    def floor(self, speed: float) -> float:
        """Full regeneration, faded out towards standstill and limited by power."""
        if speed <= REGENERATION_BEGINS:
            return 0.0
        share = min(1.0, (speed - REGENERATION_BEGINS) / (REGENERATION_FULL - REGENERATION_BEGINS))
        return -min(share * self._facts.regeneration, self._power_by_mass / speed)

    def ceiling(self, speed: float) -> float:
        """Torque limit at low speed, power limit above."""
        return min(self._facts.max_acceleration, self._power_by_mass / max(speed, 1.0))

    def step(self, request: float, speed: float, duration: float) -> float:
        """Acceleration at the wheels; never outside what the motor can do at this speed."""
        low, high = self.floor(speed), self.ceiling(speed)
        given = self._lag.step(self._dead_time.step(max(low, min(request, high)), duration), duration)
        return max(low, min(given, high))


class Combustion:
    """Engine with automatic gearbox: slower torque, creep at idle, engine braking in overrun, a torque gap at each shift."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts.powertrain
        self._power_by_mass = facts.powertrain.max_power / facts.body.mass
        self._dead_time = DeadTime(facts.powertrain.delay)
        self._lag = Lag(facts.powertrain.time_constant)
        self.gear = 1
        self._shifting = 0.0  # s left of the shift

    def reset(self, acceleration: float, speed: float) -> None:
        """Steady at an acceleration, in the gear that the speed calls for."""
        held = max(self.floor(speed), min(acceleration, self.ceiling(speed)))
        self._dead_time.reset(held)
        self._lag.value = held
        self.gear = 1 + sum(speed > limit for limit in self._facts.shift_speeds)
        self._shifting = 0.0

    def floor(self, speed: float) -> float:
        """Creep below `creep_speed`; above, overrun that grows to the full engine braking at twice that speed."""
        creep = self._facts.creep_speed
        if speed < creep:
            return CREEP_ACCELERATION * (1.0 - speed / creep)
        return -self._facts.engine_braking * (min(1.0, (speed - creep) / creep) if creep > 0.0 else 1.0)

    def ceiling(self, speed: float) -> float:
        """Traction at low speed, power limit above."""
        return min(self._facts.max_acceleration, self._power_by_mass / max(speed, 1.0))

    def step(self, request: float, speed: float, duration: float) -> float:
        """Acceleration at the wheels; during a shift the drive torque goes to zero and back along a V."""
        self._shift(speed, duration)
        low, high = self.floor(speed), self.ceiling(speed)
        given = self._lag.step(self._dead_time.step(max(low, min(request, high)), duration), duration)
        given = max(low, min(given, high))
        if self._shifting > 0.0 and given > 0.0:
            given *= abs(1.0 - 2.0 * self._shifting / self._facts.shift_time)
        return given

    def _shift(self, speed: float, duration: float) -> None:
        if self._shifting > 0.0:
            self._shifting = max(0.0, self._shifting - duration)
            return
        limits = self._facts.shift_speeds
        if self.gear <= len(limits) and speed > limits[self.gear - 1]:
            self.gear += 1
        elif self.gear > 1 and speed < DOWNSHIFT_SHARE * limits[self.gear - 2]:
            self.gear -= 1
        else:
            return
        self._shifting = self._facts.shift_time


def make_powertrain(facts: Facts) -> Powertrain:
    """The powertrain of a car."""
    return Combustion(facts) if facts.powertrain.kind is PowertrainKind.COMBUSTION else Electric(facts)
