"""How a scripted road user changes its place across the road, in closed form."""

import math
from dataclasses import dataclass
from typing import Protocol


class LateralMotion(Protocol):
    """A motion from one offset to another."""

    def at(self, time: float) -> tuple[float, float, bool]:
        """Offset, its rate, and whether the motion is over."""


@dataclass(frozen=True, slots=True)
class Soft:
    """Minimum jerk from offset to offset in `duration`: 10 s³ − 15 s⁴ + 6 s⁵."""

    start: float
    duration: float
    origin: float
    target: float

    def at(self, time: float) -> tuple[float, float, bool]:
        """Offset, its rate, and whether the motion is over."""
        share = min((time - self.start) / self.duration, 1.0)
        way = self.target - self.origin
        offset = self.origin + way * share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        return offset, way * 30.0 * share**2 * (1.0 - share) ** 2 / self.duration, share >= 1.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """The cut-in of UN R157: lateral speed grows at a constant acceleration, is then constant, and ends at the target at once."""

    start: float
    acceleration: float
    speed: float
    origin: float
    target: float

    def at(self, time: float) -> tuple[float, float, bool]:
        """Offset, its rate, and whether the motion is over."""
        since = time - self.start
        ramp = min(since, self.speed / self.acceleration)
        rate = self.acceleration * ramp
        way = 0.5 * rate * ramp + rate * (since - ramp)
        if way >= abs(self.target - self.origin):
            return self.target, 0.0, True
        sign = math.copysign(1.0, self.target - self.origin)
        return self.origin + sign * way, sign * rate, False
