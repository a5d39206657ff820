"""The car's own motion: dead reckoning in `odom`, with a history to place measurements of the recent past."""

import math
from collections import deque
from dataclasses import dataclass

from pilot_common.geometry import Pose, advance, wrap
from pilot_common.types import EgoMotion, VehicleState
from pilot_common.tyres import Tyres
from pilot_fusion.parameters import EgoParameters


@dataclass(frozen=True, slots=True)
class EgoState:
    """Pose in odom and filtered motion at one time."""

    time: float
    pose: Pose
    speed: float
    acceleration: float
    yaw_rate: float
    across: float  # m/s², lateral acceleration, low-passed

    def message(self) -> EgoMotion:
        """As it travels within the world."""
        x, y, yaw = self.pose
        return EgoMotion(
            x_odom=x,
            y_odom=y,
            yaw_odom=yaw,
            speed=self.speed,
            acceleration=self.acceleration,
            yaw_rate=self.yaw_rate,
        )


class EgoMotionFilter:
    """Integrates vehicle states in order of their stamps. `restarts` counts breaks after which the past cannot be related.

    In a turn the rear axle drifts outwards by the slip of its tyres (0.1 m/s at 80 km/h and 0.5 m/s²): with `tyres` the pose
    follows that way, without them the heading.
    """

    def __init__(self, parameters: EgoParameters, tyres: Tyres | None = None) -> None:
        self._parameters = parameters
        self._tyres = tyres
        self._history: deque[EgoState] = deque()
        self._asked: EgoState | None = None  # the last answer of `at`: frames of one time come together
        self.restarts = 0
        self.slip = 0.0  # rad per m/s² of lateral acceleration, beyond that of the tyres: somebody who sees the road tells it

    @property
    def newest(self) -> EgoState | None:
        """The latest state, None before the first."""
        return self._history[-1] if self._history else None

    @property
    def oldest_time(self) -> float:
        """Measurements before this cannot be placed."""
        return self._history[0].time if self._history else math.inf

    def update(self, states: list[VehicleState]) -> None:
        """Takes valid, finite vehicle states of any order; a state that is not newer than the last is not used.

        A gap above `maximum_gap`, forward or backward (a clock that was set, a bag that starts over), is a restart: the pose
        stays, the history is forgotten.
        """
        self._asked = None
        for state in sorted(states, key=lambda item: (item.stamp, item.speed, item.yaw_rate)):
            last = self.newest
            if last is None:
                self._history.append(self._first(state, (0.0, 0.0, 0.0)))
                continue
            duration = state.stamp - last.time
            if abs(duration) > self._parameters.maximum_gap:
                self._history.clear()
                self._history.append(self._first(state, last.pose))
                self.restarts += 1
            elif duration > 0.0:
                self._history.append(self._next(last, state, duration))
        newest = self.newest
        while newest is not None and self._history[0].time < newest.time - self._parameters.history:
            self._history.popleft()

    @staticmethod
    def _first(state: VehicleState, pose: Pose) -> EgoState:
        across = state.speed * state.yaw_rate
        return EgoState(state.stamp, pose, state.speed, state.acceleration, state.yaw_rate, across)

    def _next(self, last: EgoState, state: VehicleState, duration: float) -> EgoState:
        """Acceleration predicts the speed and the measured speed corrects it; first-order filters for the rest."""
        parameters = self._parameters
        acceleration = _towards(last.acceleration, state.acceleration, duration, parameters.acceleration_time)
        predicted = last.speed + 0.5 * (last.acceleration + acceleration) * duration
        speed = _towards(predicted, state.speed, duration, parameters.speed_time)
        if state.speed == 0.0:  # at a standstill the pose must not creep
            speed = 0.0
        yaw_rate = _towards(last.yaw_rate, state.yaw_rate, duration, parameters.yaw_rate_time)
        turn = 0.5 * (last.yaw_rate + yaw_rate)
        across = _towards(last.across, speed * yaw_rate, duration, parameters.across_time)
        pose = self._moved(last, 0.5 * (last.speed + speed), turn, acceleration, duration)
        return EgoState(state.stamp, pose, speed, acceleration, yaw_rate, across)

    def at(self, time: float) -> EgoState:
        """Pose and motion at a time: the state before it, prolonged at constant acceleration and yaw rate.

        Raises ValueError before the first state.
        """
        if not self._history:
            raise ValueError("no vehicle state yet")
        if self._asked is None or self._asked.time != time:
            self._asked = self._prolonged(time)
        return self._asked

    def _prolonged(self, time: float) -> EgoState:
        chosen = self._history[0]
        for state in reversed(self._history):
            if state.time <= time:
                chosen = state
                break
        duration = time - chosen.time
        if duration == 0.0:
            return chosen
        speed = chosen.speed + chosen.acceleration * duration
        if speed * chosen.speed < 0.0:
            speed = 0.0
        middle = 0.5 * (chosen.speed + speed)
        pose = self._moved(chosen, middle, chosen.yaw_rate, chosen.acceleration, duration)
        return EgoState(time, pose, speed, chosen.acceleration, chosen.yaw_rate, chosen.across)

    def _moved(
        self, last: EgoState, speed: float, yaw_rate: float, acceleration: float, duration: float
    ) -> Pose:
        drift = self._tyres.drift(acceleration, speed, yaw_rate) if self._tyres is not None else 0.0
        drift -= self.slip * last.across
        pose = last.pose
        x, y, yaw = advance((pose[0], pose[1], pose[2] + drift), speed, yaw_rate, duration)
        return (x, y, wrap(yaw - drift))


def _towards(value: float, target: float, duration: float, time_constant: float) -> float:
    return target + (value - target) * math.exp(-duration / time_constant)
