"""Where the car has been lately: brings a plan from its stamp to the present by dead reckoning."""

import math
from collections import deque

from pilot_common.geometry import Pose, advance, compose, inverse
from pilot_common.types import VehicleState
from pilot_common.tyres import Tyres
from pilot_common.vehicle import Facts


def sound(state: VehicleState) -> bool:
    """Whether a vehicle state may be used."""
    return state.valid and math.isfinite(
        state.stamp + state.speed + state.yaw_rate + state.acceleration + state.steering_angle
    )


class Odometer:
    """Pose of the rear axle in a frame of its own, integrated over vehicle states, with the last `memory` seconds kept."""

    def __init__(self, facts: Facts, memory: float) -> None:
        self._tyres = Tyres(facts)
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Forgets where the car has been."""
        self._past: deque[tuple[float, Pose]] = deque()
        self.state: VehicleState | None = None

    def update(self, state: VehicleState) -> None:
        """Takes one sound state; older ones than the last are passed over."""
        last = self.state
        if last is None:
            self._past.append((state.stamp, (0.0, 0.0, 0.0)))
        elif state.stamp <= last.stamp:
            return
        else:
            speed, turn = 0.5 * (last.speed + state.speed), 0.5 * (last.yaw_rate + state.yaw_rate)
            pose = self._go(self._past[-1][1], speed, turn, state.acceleration, state.stamp - last.stamp)
            self._past.append((state.stamp, pose))
            while self._past[0][0] < state.stamp - self._memory:
                self._past.popleft()
        self.state = state

    def _go(self, pose: Pose, speed: float, turn: float, acceleration: float, duration: float) -> Pose:
        slip = self._tyres.drift(acceleration, speed, turn)
        x, y, yaw = advance((pose[0], pose[1], pose[2] + slip), speed, turn, duration)
        return (x, y, yaw - slip)

    def pose(self, stamp: float) -> Pose | None:
        """The pose at a stamp: between two states, beyond the newest at its motion, None before memory begins."""
        if self.state is None or stamp < self._past[0][0] - 1e-6:
            return None
        ahead = stamp - self.state.stamp
        if ahead == 0.0:
            return self._past[-1][1]
        if ahead > 0.0:
            state = self.state
            return self._go(
                self._past[-1][1], state.speed, state.yaw_rate, state.acceleration, min(ahead, self._memory)
            )
        for index in range(len(self._past) - 1, 0, -1):
            before, pose = self._past[index - 1]
            if before <= stamp:
                after, next_pose = self._past[index]
                share = (stamp - before) / (after - before)
                turn = math.remainder(next_pose[2] - pose[2], 2.0 * math.pi)
                x = pose[0] + share * (next_pose[0] - pose[0])
                y = pose[1] + share * (next_pose[1] - pose[1])
                return (x, y, pose[2] + share * turn)
        return self._past[0][1]

    def since(self, origin: Pose, stamp: float) -> Pose | None:
        """origin_from_base at a stamp, for a pose of this odometer."""
        pose = self.pose(stamp)
        return None if pose is None else compose(inverse(origin), pose)
