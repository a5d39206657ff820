"""How steering and brakes answer a request: dead time, first-order lag, rate and range. All scalar, forward in time."""

import math
from collections import deque

from pilot_common.vehicle import Actuators

TIME_TOLERANCE = 1e-9  # s, rounding of summed durations


class DeadTime:
    """Gives what was requested `delay` seconds ago."""

    def __init__(self, delay: float, value: float = 0.0) -> None:
        self.delay = delay
        self.reset(value)

    def reset(self, value: float) -> None:
        """As if `value` had always been requested."""
        self._time = 0.0
        self._value = value
        self._pending: deque[tuple[float, float]] = deque()  # (time it takes effect, value)

    def step(self, request: float, duration: float) -> float:
        """Takes the request made at the beginning of `duration`; returns what is in effect at its end."""
        self._pending.append((self._time + self.delay, request))
        self._time += duration
        due = self._time + TIME_TOLERANCE
        while self._pending and self._pending[0][0] < due:
            self._value = self._pending.popleft()[1]
        return self._value


class Lag:
    """First order: dy/dt = (u − y) / time_constant, exact for u constant over the step."""

    def __init__(self, time_constant: float, value: float = 0.0) -> None:
        self.time_constant = time_constant
        self.value = value
        self._duration = -1.0
        self._share = 0.0

    def share(self, duration: float) -> float:
        """How much of the way to u is gone after `duration`."""
        if duration != self._duration:
            self._duration = duration
            self._share = 1.0 - math.exp(-duration / self.time_constant)
        return self._share

    def step(self, target: float, duration: float) -> float:
        """Moves towards `target`; returns the new value."""
        self.value += (target - self.value) * self.share(duration)
        return self.value


class Steering:
    """Angle at the road wheels after dead time, lag, rate limit and stop."""

    def __init__(self, actuators: Actuators) -> None:
        self._dead_time = DeadTime(actuators.steering_delay)
        self._lag = Lag(actuators.steering_time_constant)
        self._maximum = actuators.max_steering_angle
        self._rate = actuators.max_steering_rate

    def reset(self, angle: float = 0.0) -> None:
        """Stands still at `angle`."""
        self._dead_time.reset(angle)
        self._lag.value = angle

    def step(self, request: float, duration: float) -> float:
        """Angle at the end of `duration`."""
        target = self._dead_time.step(request, duration)
        before = self._lag.value
        reach = self._rate * duration
        change = max(-reach, min((target - before) * self._lag.share(duration), reach))
        self._lag.value = max(-self._maximum, min(before + change, self._maximum))
        return self._lag.value


class Brake:
    """Deceleration (≥ 0) by the friction brakes after dead time and pressure rise, up to what they can do."""

    def __init__(self, actuators: Actuators) -> None:
        self._dead_time = DeadTime(actuators.brake_delay)
        self._lag = Lag(actuators.brake_time_constant)
        self._maximum = actuators.max_deceleration

    def reset(self, deceleration: float = 0.0) -> None:
        """Steady at `deceleration`."""
        self._dead_time.reset(deceleration)
        self._lag.value = deceleration

    def step(self, request: float, duration: float) -> float:
        """Deceleration at the end of `duration`; the request is one too (≥ 0)."""
        target = self._dead_time.step(max(0.0, min(request, self._maximum)), duration)
        return self._lag.step(target, duration)
