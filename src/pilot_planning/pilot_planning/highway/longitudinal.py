"""Constraints on the acceleration. Each is a small law with `bound(time, travelled, speed)`: at zero it gives the ledger's bound,
along the rollout the trajectory's, so that what is explained is what is driven.

A law is a formula and nothing but the numbers in its slots: they travel in the ledger, and a reader of it makes the same law of
them again. The formulas are compiled, for the rollout asks them at every step of every plan.
"""

import math
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.road import ReferenceLine
from pilot_common.stopping import soft_stop
from pilot_common.vehicle import CommandLimits
from pilot_planning.highway.motion import LeadMotion, lead_at, needed_deceleration
from pilot_planning.highway.parameters import FollowParameters, SpeedParameters

FREE = 99.0  # m/s², no bound
LONGEST = 60.0  # s, as good as for ever


class Law:
    """A constraint on the acceleration. Every slot holds a number or, as `lead`, the motion of a leader (four numbers).

    `formula` takes the `numbers()` (a leader's first, then the slots in their order), then time, travelled distance and speed.
    """

    __slots__: tuple[str, ...] = ()
    _leads: ClassVar[bool]
    _own: ClassVar[tuple[str, ...]]
    _values: ClassVar[Callable[[Any], tuple[float, ...]]]
    formula: ClassVar[Callable[..., float]]
    lead: LeadMotion

    def bound(self, time: float, travelled: float, speed: float) -> float:
        """Highest acceleration allowed after `time` and `travelled` distance at a planned speed."""
        return type(self).formula(*self.numbers(), time, travelled, speed)

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


@compiled
def speed_bound(
    deceleration: float,
    gain: float,
    slope: float,
    slow: float,
    target: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """Of `SpeedLaw`."""
    return max(min(gain * (target - speed), slow + slope * speed), -deceleration)


class SpeedLaw(Law):
    """Approach a target speed with comfort: gain × error, within the comfortable deceleration and acceleration."""

    __slots__ = ("_deceleration", "_gain", "_slope", "_slow", "target")
    formula = staticmethod(speed_bound)

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


@compiled
def curve_bound(
    deceleration: float,
    reaction: float,
    distance: float,
    target: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """Of `CurveLaw`."""
    half = 0.5 * speed * reaction
    way = max(distance - travelled - half, half, 1.0)
    return max(-deceleration, 0.5 * (target * target - speed * speed) / way)


class CurveLaw(Law):
    """Be at a curve's speed when it begins: constant deceleration, done half a reaction time before it."""

    __slots__ = ("_deceleration", "_reaction", "distance", "target")
    formula = staticmethod(curve_bound)

    def __init__(self, distance: float, target: float, p: SpeedParameters, limits: CommandLimits) -> None:
        self.distance = distance
        self.target = target
        self._reaction = p.curve_reaction
        self._deceleration = limits.comfort_deceleration


def tightest_curve(
    line: ReferenceLine, station: float, speed: float, sight: float, p: SpeedParameters, limits: CommandLimits
) -> tuple[CurveLaw, float] | None:
    """The curve point ahead that demands most, with its radius; None where none demands anything near."""
    reach = min(sight, max(20.0, speed * p.curve_horizon))
    lateral = min(p.curve_lateral_acceleration, limits.max_lateral_acceleration)
    half = 0.5 * speed * p.curve_reaction
    distance, curvature = _tightest(line.station, line.curvature, station, reach, speed, half, lateral)
    if curvature * limits.max_speed * limits.max_speed < lateral:
        return None
    return CurveLaw(distance, math.sqrt(lateral / curvature), p, limits), 1.0 / curvature


@compiled
def _tightest(
    stations: np.ndarray,
    curvature: np.ndarray,
    station: float,
    reach: float,
    speed: float,
    half: float,
    lateral: float,
) -> tuple[float, float]:
    """Distance and curvature of the point of a line that asks for the hardest braking; 0 where there is none within reach."""
    distance, bend, hardest = 0.0, 0.0, math.inf
    for index in range(len(stations)):
        if not station <= stations[index] < station + reach:
            continue
        own = max(abs(curvature[index]), 1e-6)
        change = (lateral / own - speed * speed) / max(stations[index] - station - half, 1.0, half)
        if change < hardest:
            distance, bend, hardest = stations[index] - station, own, change
    return distance, bend


@compiled
def brake_needed(
    lead: tuple[float, float, float, float],
    delay: float,
    margin: float,
    until: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """The constant deceleration that is needed to keep a margin to a leader who is in the way `until` a time."""
    gap, lead_speed, lead_acceleration, fade = lead
    left = until - time
    if left <= 0.0:
        return 0.0
    there, _, _ = lead_at(lead_speed, lead_acceleration, fade, until)
    if until < LONGEST and gap + there - travelled - speed * left >= margin:
        return 0.0
    distance, lead_speed, lead_acceleration = lead_at(lead_speed, lead_acceleration, fade, time)
    return needed_deceleration(
        gap + distance - travelled, speed, lead_speed, lead_acceleration, delay, margin
    )


@compiled
def brake_bound(
    gap: float,
    lead_speed: float,
    lead_acceleration: float,
    fade: float,
    delay: float,
    margin: float,
    most: float,
    release: float,
    start: float,
    surplus: float,
    threshold: float,
    emergency: float,
    until: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """Of `BrakeLaw`."""
    lead = (gap, lead_speed, lead_acceleration, fade)
    needed = brake_needed(lead, delay, margin, until, time, travelled, speed)
    if (emergency and needed >= release) or needed >= start:
        return -min(most, needed * surplus)
    return -needed if needed >= threshold else FREE


class BrakeLaw(Law):
    """Stop short of, or keep off, an object by physics: no bound while comfort suffices, the needed deceleration where it does
    not, with a surplus once it is an emergency. Where our path leaves his way `until` a time (s), and at our speed we keep off
    until then, there is no need.
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
        "until",
    )
    formula = staticmethod(brake_bound)

    def __init__(
        self,
        lead: LeadMotion,
        delay: float,
        most: float,
        emergency: bool,
        p: FollowParameters,
        until: float = math.inf,
    ) -> None:
        self.lead = lead
        self.emergency, self.until = float(emergency), min(until, LONGEST)
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
        lead = self.lead.numbers()
        return brake_needed(lead, self._delay, self._margin, self.until, time, travelled, speed)


_soft_stop = compiled(soft_stop)


@compiled
def stop_bound(hold: float, deceleration: float, time: float, travelled: float, speed: float) -> float:
    """Of `StopLaw`."""
    return _soft_stop(deceleration, hold, speed)


class StopLaw(Law):
    """Stop where the car is, with a deceleration that eases near standstill so that the halt is soft."""

    __slots__ = ("_hold", "deceleration")
    formula = staticmethod(stop_bound)

    def __init__(self, deceleration: float, hold: float) -> None:
        self.deceleration = deceleration
        self._hold = hold


def sight_speed(sight: float, deceleration: float, reaction: float) -> float:
    """Highest speed from which the car stops within its sight: sight = v reaction + v² / (2 deceleration)."""
    slow = deceleration * reaction
    return -slow + math.sqrt(slow * slow + 2.0 * deceleration * max(sight, 0.0))
