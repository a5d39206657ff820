"""Steering controllers of the textbooks, as baselines: each is given the true pose on the true course, without latency.

Pure pursuit: Coulter, "Implementation of the pure pursuit path tracking algorithm" (1992). Stanley: Hoffmann et al., "Autonomous
automobile trajectory tracking for off-road driving" (ACC 2007). Linear-quadratic regulator on the kinematic error (e, e', ψ, ψ')
with curvature feed-forward, its Riccati equation iterated at every step, as it is taught.
"""

import math
from typing import Protocol

import numpy as np

from pilot_common.arc import along, foot
from pilot_common.geometry import wrap
from pilot_common.road import ReferenceLine
from pilot_vehicle.model import MotionState

PERIOD = 0.02  # s
ITERATIONS, SMALL = 150, 0.01  # of the Riccati equation
STANLEY_GAIN = 0.5  # 1/s


class Steer(Protocol):
    """One of the controllers below."""

    def angle(self, line: ReferenceLine, motion: MotionState) -> float:
        """Steering angle for now; `motion` is of the rear axle."""


class PurePursuit:
    """Towards a point of the path that is `seconds` of driving away."""

    def __init__(self, wheelbase: float, seconds: float) -> None:
        self._wheelbase, self._seconds = wheelbase, seconds

    def angle(self, line: ReferenceLine, motion: MotionState) -> float:
        """See class."""
        station = foot(line, motion.x, motion.y)[0] + self._seconds * motion.speed
        point = along(line, np.array((station,)))[0][0]
        forward, left = float(point[0]) - motion.x, float(point[1]) - motion.y
        bearing = wrap(math.atan2(left, forward) - motion.yaw)
        return math.atan2(2.0 * self._wheelbase * math.sin(bearing), math.hypot(forward, left))


class Stanley:
    """Heading error and the angle to the path, both at the front axle."""

    def __init__(self, wheelbase: float) -> None:
        self._wheelbase = wheelbase

    def angle(self, line: ReferenceLine, motion: MotionState) -> float:
        """See class."""
        x = motion.x + self._wheelbase * math.cos(motion.yaw)
        y = motion.y + self._wheelbase * math.sin(motion.yaw)
        _, offset, heading, _ = foot(line, x, y)
        return wrap(heading - motion.yaw) - math.atan2(STANLEY_GAIN * offset, motion.speed)


class TextbookRegulator:
    """Memory: the errors one step ago. `again`: solves the equation at every step as taught, else once a speed."""

    def __init__(self, wheelbase: float, again: bool = False) -> None:
        self._wheelbase, self._again = wheelbase, again
        self._gains: dict[float, np.ndarray] = {}
        self._before = (0.0, 0.0)

    def angle(self, line: ReferenceLine, motion: MotionState) -> float:
        """See class."""
        _, offset, heading, curvature = foot(line, motion.x, motion.y)
        turned = wrap(motion.yaw - heading)
        state = np.array(
            (offset, (offset - self._before[0]) / PERIOD, turned, (turned - self._before[1]) / PERIOD)
        )
        self._before = offset, turned
        speed = round(motion.speed, 2)
        if self._again or speed not in self._gains:
            self._gains[speed] = self._gain(speed)
        feedback = math.remainder(-float((self._gains[speed] @ state)[0]), 2.0 * math.pi)
        return math.atan(self._wheelbase * curvature) + feedback

    def _gain(self, speed: float) -> np.ndarray:
        a = np.array(((1, PERIOD, 0, 0), (0, 0, speed, 0), (0, 0, 1, PERIOD), (0, 0, 0, 0)), float)
        b = np.array(((0.0,), (0.0,), (0.0,), (speed / self._wheelbase,)))
        q, r = np.eye(4), np.eye(1)
        x = q
        for _ in range(ITERATIONS):
            after = a.T @ x @ a - a.T @ x @ b @ np.linalg.inv(r + b.T @ x @ b) @ b.T @ x @ a + q
            done = np.abs(after - x).max() < SMALL
            x = after
            if done:
                break
        return np.linalg.inv(b.T @ x @ b + r) @ (b.T @ x @ a)
