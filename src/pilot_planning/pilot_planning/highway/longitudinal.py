"""Constraints on the acceleration. Each is a small law with `bound(time, travelled, speed)`: at zero it gives the ledger's bound,
along the rollout the trajectory's, so that what is explained is what is driven.

A law is nothing but the numbers in its slots: they travel in the ledger, and a reader of it makes the same law of them again.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from pilot_common.road import ReferenceLine
from pilot_common.stopping import soft_stop
from pilot_common.vehicle import CommandLimits
from pilot_planning.highway.motion import LeadMotion, needed_deceleration
from pilot_planning.highway.parameters import FollowParameters, SpeedParameters

FREE = 99.0  # m/s², no bound


class Law(ABC):
    """A constraint on the acceleration. Every slot holds a number or, as `lead`, the motion of a leader (four numbers)."""

    __slots__: tuple[str, ...] = ()
    _leads: ClassVar[bool]
    _own: ClassVar[tuple[str, ...]]
    _values: ClassVar[Callable[[Any], tuple[float, ...]]]
    lead: LeadMotion

    @abstractmethod
    def bound(self, time: float, travelled: float, speed: float) -> float:
        """Highest acceleration allowed after `time` and `travelled` distance at a planned speed."""

    def __init_subclass__(cls) -> None:
        """Looks the slots up once: every law of every cycle is asked for its numbers."""
        cls._leads = "lead" in cls.__slots__
        cls._own = tuple(name for name in cls.__slots__ if name != "lead")
        cls._values = attrgetter(*cls._own) if len(cls._own) > 1 else _single(cls._own[0])

    def numbers(self) -> tuple[float, ...]:
        """What the law is made of: its leader's motion, where it has one, then its own slots."""
        own = type(self)._values(self)
        return (*self.lead.numbers(), *own) if self._leads else own

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Law":
        """The law that is made of these numbers; more of them than it has are not looked at."""
        law = cls.__new__(cls)
        if cls._leads:
            setattr(law, "lead", LeadMotion(*numbers[:4]))  # noqa: B010 - not every law has the slot
            numbers = numbers[4:]
        for name, number in zip(cls._own, numbers, strict=False):
            setattr(law, name, number)
        return law


def _single(name: str) -> Callable[[Any], tuple[float, ...]]:
    return lambda law: (getattr(law, name),)


class SpeedLaw(Law):
    """Approach a target speed with comfort: gain × error, within the comfortable deceleration and acceleration."""

    __slots__ = ("_deceleration", "_gain", "_slope", "_slow", "target")

    def __init__(self, target: float, deceleration: float, p: SpeedParameters, limits: CommandLimits) -> None:
        self.target = target
        self._gain = p.gain
        self._deceleration = min(deceleration, limits.comfort_deceleration)
        self._slow = min(p.acceleration, limits.max_acceleration)
        self._slope = (min(p.acceleration_fast, self._slow) - self._slow) / limits.max_speed

    def never_above(self, other: Law) -> bool:
        """Whether this law allows no more than another at any speed: a lower target approached no more gently."""
        return (
            isinstance(other, SpeedLaw)
            and self.target <= other.target
            and self._deceleration >= other._deceleration
        )

    def bound(self, time: float, travelled: float, speed: float) -> float:
        """See class."""
        ceiling = self._slow + self._slope * speed
        wanted = self._gain * (self.target - speed)
        # Comparisons instead of min and max: every law is asked at every step of every plan.
        if wanted > ceiling:
            return ceiling
        return wanted if wanted > -self._deceleration else -self._deceleration


class CurveLaw(Law):
    """Be at a curve's speed when it begins: constant deceleration, done half a reaction time before it."""

    __slots__ = ("_deceleration", "_reaction", "distance", "target")

    def __init__(self, distance: float, target: float, p: SpeedParameters, limits: CommandLimits) -> None:
        self.distance = distance
        self.target = target
        self._reaction = p.curve_reaction
        self._deceleration = limits.comfort_deceleration

    def bound(self, time: float, travelled: float, speed: float) -> float:
        """See class."""
        half = 0.5 * speed * self._reaction
        way = max(self.distance - travelled - half, half, 1.0)
        return max(-self._deceleration, 0.5 * (self.target * self.target - speed * speed) / way)


def tightest_curve(
    line: ReferenceLine, station: float, speed: float, sight: float, p: SpeedParameters, limits: CommandLimits
) -> tuple[CurveLaw, float] | None:
    """The curve point ahead that demands most, with its radius; None where none demands anything near."""
    first, last = np.searchsorted(
        line.station, (station, station + min(sight, max(20.0, speed * p.curve_horizon)))
    )
    if last <= first:
        return None
    curvature = np.maximum(np.abs(line.curvature[first:last]), 1e-6)
    lateral = min(p.curve_lateral_acceleration, limits.max_lateral_acceleration)
    squared = lateral / curvature
    half = 0.5 * speed * p.curve_reaction
    way = np.maximum(line.station[first:last] - station - half, max(1.0, half))
    index = int(np.argmin((squared - speed * speed) / way))
    target = math.sqrt(float(squared[index]))
    if target > limits.max_speed:
        return None
    return CurveLaw(float(line.station[first + index]) - station, target, p, limits), 1.0 / float(
        curvature[index]
    )


class BrakeLaw(Law):
    """Stop short of, or keep off, an object by physics: no bound while comfort suffices, the needed deceleration where it does
    not, with a surplus once it is an emergency.
    """

    __slots__ = (
        "_delay",
        "_margin",
        "_most",
        "_release",
        "_start",
        "_surplus",
        "_threshold",
        "emergency",
        "lead",
    )

    def __init__(
        self, lead: LeadMotion, delay: float, most: float, emergency: bool, p: FollowParameters
    ) -> None:
        self.lead = lead
        self.emergency = emergency
        self._delay = delay
        self._most = most
        self._margin, self._threshold = p.collision_margin, p.brake_threshold
        self._start, self._release, self._surplus = (
            p.emergency_threshold,
            p.emergency_release,
            p.emergency_surplus,
        )

    def needed(self, time: float, travelled: float, speed: float) -> float:
        """The constant deceleration that is needed."""
        distance, lead_speed, lead_acceleration = self.lead.at(time)
        gap = self.lead.gap + distance - travelled
        return needed_deceleration(gap, speed, lead_speed, lead_acceleration, self._delay, self._margin)

    def bound(self, time: float, travelled: float, speed: float) -> float:
        """See class."""
        needed = self.needed(time, travelled, speed)
        if (self.emergency and needed >= self._release) or needed >= self._start:
            return -min(self._most, needed * self._surplus)
        return -needed if needed >= self._threshold else FREE


class StopLaw(Law):
    """Stop where the car is, with a deceleration that eases near standstill so that the halt is soft."""

    __slots__ = ("_hold", "deceleration")

    def __init__(self, deceleration: float, hold: float) -> None:
        self.deceleration = deceleration
        self._hold = hold

    def bound(self, time: float, travelled: float, speed: float) -> float:
        """See class."""
        return soft_stop(self.deceleration, self._hold, speed)


def sight_speed(sight: float, deceleration: float, reaction: float) -> float:
    """Highest speed from which the car stops within its sight: sight = v reaction + v² / (2 deceleration)."""
    slow = deceleration * reaction
    return -slow + math.sqrt(slow * slow + 2.0 * deceleration * max(sight, 0.0))
