"""The textbook Frenet planner as a baseline, written from its paper in the plain manner of teaching code.

Werling, Ziegler, Kammel, Thrun, "Optimal trajectory generation for dynamic street scenarios in a Frenét frame" (ICRA 2010):
quintic polynomials across and quartic ones along the road to sampled times, offsets and speeds; of those that keep the
limits and touch nobody, the one with the least jerk, time and deviation. 210 candidates a cycle, one after another, in
steps of 0.2 s, moving cars as circles: the size that the widely used teaching planner samples.
"""

import math
from collections.abc import Iterator

import numpy as np

OFFSETS = np.arange(-7.0, 7.0, 1.0)  # m
ENDS = np.array((4.0, 4.25, 4.5, 4.75, 5.0))  # s
SPEEDS = np.array((-5.0, 0.0, 5.0))  # m/s around the wanted speed
TICK = 0.2  # s
MOST_SPEED, MOST_ACCELERATION, MOST_CURVATURE = 55.0, 6.0, 0.2
RADIUS = 1.8  # m that the centres of two cars keep at least
JERK, TIME, DEVIATION = 0.1, 0.1, 1.0  # weights

State = tuple[float, float, float]  # value, first and second derivative


class Candidate:
    """One trajectory in road coordinates, with its cost."""

    def __init__(
        self, across: State, along: State, end: float, offset: float, speed: float, wanted: float
    ) -> None:
        self.time = np.arange(0.0, end + 1e-9, TICK)
        sideways, forward = quintic(across, (offset, 0.0, 0.0), end), quartic(along, (speed, 0.0), end)
        self.offset, self.offset_rate, self.offset_acceleration, offset_jerk = values(sideways, self.time)
        self.station, self.speed, self.acceleration, jerk = values(forward, self.time)
        lateral = JERK * float(np.sum(offset_jerk**2)) + TIME * end + DEVIATION * self.offset[-1] ** 2
        longitudinal = JERK * float(np.sum(jerk**2)) + TIME * end + DEVIATION * (wanted - speed) ** 2
        self.cost = lateral + longitudinal


def quintic(begin: State, final: State, end: float) -> np.ndarray:
    """Coefficients (6,) from three values at the beginning to three at the end."""
    matrix = np.array(
        (
            (end**3, end**4, end**5),
            (3.0 * end**2, 4.0 * end**3, 5.0 * end**4),
            (6.0 * end, 12.0 * end**2, 20.0 * end**3),
        )
    )
    value, rate, second = begin
    right = (
        final[0] - value - rate * end - 0.5 * second * end**2,
        final[1] - rate - second * end,
        final[2] - second,
    )
    return np.array((value, rate, 0.5 * second, *np.linalg.solve(matrix, right)))


def quartic(begin: State, final: tuple[float, float], end: float) -> np.ndarray:
    """Coefficients (5,) to a speed and acceleration at the end."""
    matrix = np.array(((3.0 * end**2, 4.0 * end**3), (6.0 * end, 12.0 * end**2)))
    value, rate, second = begin
    right = (final[0] - rate - second * end, final[1] - second)
    return np.array((value, rate, 0.5 * second, *np.linalg.solve(matrix, right)))


def values(coefficients: np.ndarray, time: np.ndarray) -> Iterator[np.ndarray]:
    """Value and three derivatives (T,)."""
    for _ in range(4):
        yield sum(number * time**power for power, number in enumerate(coefficients)) + 0.0 * time
        coefficients = coefficients[1:] * np.arange(1, len(coefficients))


class TextbookFrenet:
    """Plans again from the state that its last plan has reached."""

    def __init__(self, speed: float, wanted: float) -> None:
        self.across: State = (0.0, 0.0, 0.0)
        self.along: State = (0.0, speed, 0.0)
        self._wanted = wanted

    def plan(self, station: np.ndarray, offset: np.ndarray, speed: np.ndarray) -> Candidate | None:
        """The best for cars at stations and offsets (N,) in the ego's frame of the road that keep their speeds."""
        candidates = [
            Candidate(self.across, self.along, end, goal, self._wanted + change, self._wanted)
            for end in ENDS
            for goal in OFFSETS
            for change in SPEEDS
        ]
        good = [one for one in candidates if _possible(one) and _free(one, station, offset, speed)]
        return min(good, key=lambda one: one.cost, default=None)


def _possible(candidate: Candidate) -> bool:
    if candidate.speed.max() > MOST_SPEED or np.abs(candidate.acceleration).max() > MOST_ACCELERATION:
        return False
    course = np.arctan2(candidate.offset_rate, np.maximum(candidate.speed, 0.1))
    way = np.hypot(np.diff(candidate.station), np.diff(candidate.offset)) + 1e-6
    return bool(np.abs(np.diff(course) / way).max() <= MOST_CURVATURE)


def _free(candidate: Candidate, station: np.ndarray, offset: np.ndarray, speed: np.ndarray) -> bool:
    """Object by object."""
    for own_station, own_offset, own_speed in zip(station, offset, speed, strict=True):
        along = candidate.station - (own_station + own_speed * candidate.time)
        across = candidate.offset - own_offset
        if math.sqrt(float(((along * along) + (across * across)).min())) <= RADIUS:
            return False
    return True
