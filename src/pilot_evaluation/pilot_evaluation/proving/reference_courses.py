"""What a reference driver meets: cases of UN R157, and how the other car of each moves, whatever the own one does.

Two cars on a straight road, in the steps and boxes of the regulation's public tool, so that its tables can be reproduced. All N
cases go through time together. Positions are of the boxes' centres, offsets left of the own car, which never steers.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

RATE = 10.0  # steps a second
STEPS = 350
LENGTH, WIDTH = 4.3, 1.9  # m, all cars
STANDING_LENGTH = 5.0  # m, of the standing car behind a cut-out
SIDE_GAP = 1.6  # m between the edges of a cut-in and the own car before it moves
SIDEWAYS_BUILD_UP = 1.5  # m/s², how a cut-in takes up its lateral speed
WANDERING = 0.375  # m, UN R157 Annex 4 Appendix 3: less is no lane change


@dataclass(frozen=True, slots=True, kw_only=True)
class CutInCases:
    """A slower car moves over from the neighbouring lane; `gap` when it has its lateral speed and is still 1.6 m beside. (N,)"""

    speed: np.ndarray
    other_speed: np.ndarray
    gap: np.ndarray
    lateral_speed: np.ndarray  # ≥ 0, towards the own lane


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOutCases:
    """A leader moves out of the lane before a standing car, `front_distance` ahead of it (edges). (N,)"""

    speed: np.ndarray
    front_distance: np.ndarray
    lateral_speed: np.ndarray  # ≥ 0, away from the own lane


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingCases:
    """A leader at the own speed brakes to a stop. (N,)"""

    speed: np.ndarray
    deceleration: np.ndarray


Cases = CutInCases | CutOutCases | FollowingCases


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """The car that matters at one time. `seen`: whether the driver can know of it."""

    position: np.ndarray  # centre along the road
    offset: np.ndarray  # centre, left of the own
    speed: np.ndarray
    approach: np.ndarray
    length: np.ndarray
    seen: np.ndarray


class Course(ABC):
    """How the other moves in N cases, whatever the own car does, and where the own centre starts."""

    from_the_side = False
    stops_when_standing = True

    def __init__(self, cases: Cases, gap: np.ndarray) -> None:
        self.count = len(cases.speed)
        self.speed = np.asarray(cases.speed, float)
        self.gap = gap
        self.start = self.speed / RATE
        self.last_step = np.full(self.count, STEPS - 1)

    @abstractmethod
    def others(self) -> Iterator[Other]:
        """The other at every step."""

    def leader_hit_by(self, step: np.ndarray) -> np.ndarray:
        """Whether a leader ran into the standing car at or before a step, (N,)."""
        return np.zeros(self.count, bool)


class CutIn(Course):
    """Time starts when the other starts to move sideways; a lateral speed of 0 never does."""

    from_the_side = True
    stops_when_standing = False

    def __init__(self, cases: CutInCases) -> None:
        super().__init__(cases, np.asarray(cases.gap, float))
        self.other_speed = np.asarray(cases.other_speed, float)
        self.lateral = as_published(np.asarray(cases.lateral_speed, float))
        self.ramp = np.ceil(self.lateral / (SIDEWAYS_BUILD_UP / RATE)).astype(int)
        steps = np.arange(int(self.ramp.max(initial=0)))[:, None]
        self.start = -np.cumsum(np.where(steps < self.ramp, self.speed / RATE, 0.0), axis=0)[-1:].sum(0)
        self.last_step = STEPS + self.ramp

    def others(self) -> Iterator[Other]:
        """Up to its lateral speed in `ramp` steps, then over the side gap and a step further."""
        side = SIDE_GAP + WIDTH
        moving = self.lateral > 0.0
        steps = np.floor_divide(RATE * side, self.lateral, out=np.zeros(self.count), where=moving) + 1
        build_up = SIDEWAYS_BUILD_UP / RATE
        along, across = np.zeros(self.count), np.zeros(self.count)  # summed speeds since the end of the ramp
        length, seen = np.full(self.count, LENGTH), np.ones(self.count, bool)
        for step in range(int(self.last_step.max())):
            since = step - self.ramp
            left = build_up * (self.ramp * (self.ramp - 1) - step * (step - 1)) / 2
            before = since < 0
            going = moving & (since <= steps)
            along = along + np.where(since > 0, self.other_speed, 0.0)
            across = across + np.where(going & (since > 0), self.lateral, 0.0)
            way = np.where(before, self.other_speed * since, along)
            yield Other(
                position=way / RATE + (self.gap + LENGTH),
                offset=np.where(before, left, -across) / RATE + side,
                speed=self.other_speed,
                approach=np.where(before, build_up * step, np.where(going, self.lateral, 0.0)),
                length=length,
                seen=seen,
            )


def as_published(speed: np.ndarray) -> np.ndarray:
    """Tenths of a m/s as the published grid holds them: multiples of 0.1, an ulp above the decimal fraction.

    At 0.3, 0.6 and 1.2 m/s that ulp decides whether the other takes up its speed one step earlier; the tables depend on it.
    """
    multiple = np.round(speed * 10.0) * 0.1
    return np.where(np.abs(multiple - speed) < 1e-9, multiple, speed)


class CutOut(Course):
    """The standing car is seen once the leader is out of its wandering zone; a leader that hits it stops there at once."""

    def __init__(self, cases: CutOutCases, gap: np.ndarray) -> None:
        super().__init__(cases, gap)
        lateral = np.asarray(cases.lateral_speed, float)
        times = (np.arange(STEPS) + 1)[:, None] / RATE
        ahead = gap + LENGTH
        self.standing = ahead + np.asarray(cases.front_distance, float) + LENGTH
        position = ahead + self.speed * times
        self.offset = -lateral * times
        beside = np.abs(self.offset) < WIDTH
        hits = beside & (np.abs(self.standing - position) < (LENGTH + STANDING_LENGTH) / 2)
        self.hit_step = np.where(hits.any(0), hits.argmax(0), STEPS)
        row, column = np.minimum(self.hit_step, STEPS - 1), np.arange(self.count)
        self.wreck = position[row, column], self.offset[row, column]

    def others(self) -> Iterator[Other]:
        none = np.zeros(self.count)
        for step in range(STEPS - 1):
            hit = step >= self.hit_step
            yield Other(
                position=np.where(hit, self.wreck[0], self.standing),
                offset=np.where(hit, self.wreck[1], 0.0),
                speed=none,
                approach=none,
                length=np.where(hit, LENGTH, STANDING_LENGTH),
                seen=hit | (self.offset[step] < -WANDERING),
            )

    def leader_hit_by(self, step: np.ndarray) -> np.ndarray:
        return self.hit_step <= step


class BrakingLeader(Course):
    """The leader brakes at once with its full deceleration."""

    def __init__(self, cases: FollowingCases, gap: np.ndarray) -> None:
        super().__init__(cases, gap)
        self.deceleration = np.asarray(cases.deceleration, float)

    def others(self) -> Iterator[Other]:
        along, still = np.zeros(self.count), np.zeros(self.count)
        length, seen = np.full(self.count, LENGTH), np.ones(self.count, bool)
        for step in range(STEPS - 1):
            speed = np.maximum(self.speed - step * self.deceleration / RATE, 0.0)
            along = along + speed
            yield Other(
                position=along / RATE + (self.gap + LENGTH),
                offset=still,
                speed=speed,
                approach=still,
                length=length,
                seen=seen,
            )
