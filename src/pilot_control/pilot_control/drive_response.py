"""Online estimate of how the car answers a requested acceleration: gains of drive and brakes, and what else pulls at it.

A request u asks the wheels for w = u + R(v), R being the resistances of the facts; what the powertrain cannot hold back
(`floor`) the brakes take. Both parts pass the actuators' dead time and lag of the facts (D, B), and

    a + R = g_D D + g_B B + d

with gains g (load, pads, torque model) and pull d (slope, wind, drag box). A Kalman filter follows g_D, g_B and d as slow walks.
"""

import math
from collections import deque

from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_common.vehicle import Facts
from pilot_control.parameters import DriveResponseParameters
from pilot_control.regression import Regression
from pilot_vehicle.powertrain import make_powertrain

GAIN_RANGE = 0.6, 1.6
EVERY = 4  # periods between corrections
EXCITED = 0.3  # m/s²: a gain is learned from no smaller part


class DriveResponse:
    """Memory: the estimate and the requests under way."""

    def __init__(self, facts: Facts, parameters: DriveResponseParameters, period: float) -> None:
        self._p = p = parameters
        self._period = period
        self._settling = round(p.settling / period)
        self._floor = make_powertrain(facts).floor
        self._drag = 0.5 * AIR_DENSITY * facts.body.drag_area / facts.body.mass
        self._rolling = GRAVITY * facts.body.rolling_resistance
        drive, brake = facts.powertrain, facts.actuators
        self._delays = [1 + round(delay / period) for delay in (drive.delay, brake.brake_delay)]
        self._shares = [
            1.0 - math.exp(-period / lag) for lag in (drive.time_constant, brake.brake_time_constant)
        ]
        self._filter = Regression(
            nominal=(1.0, 1.0, 0.0),
            deviations=(p.gain_deviation, p.gain_deviation, p.pull_deviation),
            walks=(p.gain_walk, p.gain_walk, p.pull_walk),
            low=(GAIN_RANGE[0], GAIN_RANGE[0], -p.pull_limit),
            high=(GAIN_RANGE[1], GAIN_RANGE[1], p.pull_limit),
            recoveries=(p.gain_recovery, p.gain_recovery, 0.0),
        )
        self.reset()

    def reset(self) -> None:
        """As the facts tell; nothing requested."""
        self._filter.reset()
        self.forget()

    def forget(self) -> None:
        """Somebody else has driven: what was requested is not what acts. What is learned stays."""
        self._waiting = [deque([0.0] * delay, maxlen=delay) for delay in self._delays]
        self._acting = [0.0, 0.0]
        self._settled = 0  # periods

    @property
    def gains(self) -> tuple[float, float]:
        """Of drive and brakes."""
        return self._filter.estimate[0], self._filter.estimate[1]

    @property
    def pull(self) -> float:
        """m/s², forward positive."""
        return self._filter.estimate[2]

    def memory(self) -> tuple[float, ...]:
        """What is worth keeping over a restart."""
        return self._filter.memory()

    def recall(self, memory: tuple[float, ...]) -> None:
        """Goes on from a memory."""
        self._filter.recall(memory)

    def _resistance(self, speed: float) -> float:
        return self._rolling + self._drag * speed * speed

    def request(self, acceleration: float, speed: float) -> float:
        """What to ask for in order to get an acceleration."""
        drive, brake, pull = self._filter.estimate
        resistance, floor = self._resistance(speed), self._floor(speed)
        wheels = acceleration + resistance - pull
        least = drive * floor
        wheels = wheels / drive if wheels >= least else floor + (wheels - least) / brake
        return wheels - resistance

    def update(self, requested: float, speed: float, acceleration: float) -> None:
        """Takes the request of a period and the acceleration that the car has now."""
        resistance, floor = self._resistance(speed), self._floor(speed)
        wheels = requested + resistance
        (drives, brakes), parts, shares = self._waiting, self._acting, self._shares
        drives.append(max(wheels, floor))
        brakes.append(min(wheels - floor, 0.0))
        parts[0] += shares[0] * (drives[0] - parts[0])
        parts[1] += shares[1] * (brakes[0] - parts[1])
        self._settled += 1
        if speed < self._p.least_speed or self._settled < self._settling or self._settled % EVERY:
            return
        drive, brake, pull = self._filter.estimate
        innovation = acceleration + resistance - drive * parts[0] - brake * parts[1] - pull
        outlier = self._p.largest_error  # a gear shift is none of what is estimated
        regressor = [part if abs(part) > EXCITED else 0.0 for part in parts]
        moving = self._p.model_error * abs(drives[-1] - parts[0] + brakes[-1] - parts[1])
        self._filter.correct(
            (*regressor, 1.0),
            max(-outlier, min(outlier, innovation)),
            self._p.acceleration_error + moving,
            EVERY * self._period,
        )
