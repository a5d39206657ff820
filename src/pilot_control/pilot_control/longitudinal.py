"""Acceleration: the plan's, looked at ahead by the actuators' delay, plus feedback of the speed; stop, hold and restart."""

import math
from bisect import bisect_right

from pilot_common.stopping import soft_stop
from pilot_common.types import Trajectory, VehicleState
from pilot_common.vehicle import Facts
from pilot_control.drive_response import DriveResponse
from pilot_control.parameters import ControlParameters


class Profile:
    """Speed and acceleration of a trajectory over time, as lists: scalars are read from it at every step."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._time = trajectory.time.tolist()
        self._speed = trajectory.speed.tolist()
        self._acceleration = trajectory.acceleration.tolist()

    def at(self, time: float) -> tuple[float, float]:
        """Speed and acceleration, the first and last kept beyond the ends."""
        times = self._time
        index = bisect_right(times, time)
        if index == 0 or index == len(times):
            row = 0 if index == 0 else -1
            return self._speed[row], self._acceleration[row]
        share = (time - times[index - 1]) / (times[index] - times[index - 1])
        return (
            self._speed[index - 1] + share * (self._speed[index] - self._speed[index - 1]),
            self._acceleration[index - 1]
            + share * (self._acceleration[index] - self._acceleration[index - 1]),
        )


class Longitudinal:
    """Memory: the last command, how the car answers (`response`), and what remains of speed errors (`learned`)."""

    def __init__(self, facts: Facts, parameters: ControlParameters) -> None:
        self._p = parameters.longitudinal
        self._limits = facts.limits
        self._drive_lead = facts.powertrain.delay + facts.powertrain.time_constant
        self._brake_lead = facts.actuators.brake_delay + facts.actuators.brake_time_constant
        self.response = DriveResponse(facts, parameters.drive_response, parameters.period)
        self.reset()

    def reset(self) -> None:
        """Nothing commanded, nothing learned."""
        self.command = 0.0
        self.learned = 0.0
        self.response.reset()

    def follow(self, acceleration: float) -> None:
        """As if what the car does now had been commanded."""
        limits = self._limits
        self.command = max(-limits.max_deceleration, min(limits.max_acceleration, acceleration))
        self.learned = 0.0
        self.response.forget()

    def observe(self, state: VehicleState, count: int) -> None:
        """Learns how the car answers, over `count` periods in which it was driven by the last command."""
        for _ in range(count):
            self.response.update(self.command, state.speed, state.acceleration)

    def track(
        self, profile: Profile, time: float, speed: float, elapsed: float, highest: float = math.inf
    ) -> float:
        """The command that keeps the speed of a profile, `time` after its beginning, accelerating no more than `highest`."""
        p = self._p
        wanted_speed = profile.at(time)[0]
        _, braking = profile.at(time + self._brake_lead)
        share = max(
            0.0, min(1.0, -braking)
        )  # between powertrain and brakes the lead changes gradually, over 1 m/s²
        lead = self._drive_lead + share * (self._brake_lead - self._drive_lead)
        later_speed, ahead = profile.at(time + lead)
        if later_speed <= 1e-3:  # beyond the plan's stand nothing brakes a car that has yet to come to it
            ahead = min(ahead, profile.at(time)[1])
        if max(wanted_speed, later_speed) <= 1e-3 and speed < p.hold_speed:
            self.learned = 0.0
            return self._bounded(-p.hold_deceleration, elapsed)
        error = wanted_speed - speed
        wanted = min(ahead + p.proportional * error + self.learned, highest)
        request = self.response.request(wanted, speed)
        free = self._bounded(request, elapsed)
        if abs(free - request) <= 1e-6 and wanted < highest and wanted_speed > p.hold_speed:
            learned = self.learned + p.integral * error * elapsed
            self.learned = max(-p.integral_limit, min(p.integral_limit, learned))
        return free

    def stop(self, planned: float, speed: float, elapsed: float) -> float:
        """The command that brings the car to a stand, no weaker than what was `planned`."""
        return self._bounded(min(planned, self.stopping(speed)), elapsed)

    def stopping(self, speed: float) -> float:
        """Acceleration of a stop at a speed: the minimum-risk deceleration, eased just before standstill."""
        return soft_stop(self._limits.minimum_risk_deceleration, self._p.hold_deceleration, speed)

    def _bounded(self, wanted: float, elapsed: float) -> float:
        """Within range and jerk, as the gate bounds them."""
        limits = self._limits
        wanted = max(-limits.max_deceleration, min(limits.max_acceleration, wanted))
        fall = limits.max_emergency_jerk if wanted < -limits.comfort_deceleration else limits.max_jerk
        rise = limits.max_emergency_jerk if self.command < -limits.comfort_deceleration else limits.max_jerk
        self.command = max(self.command - fall * elapsed, min(self.command + rise * elapsed, wanted))
        return self.command
