"""The controller: newest plan and motion in, one command every step out."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pilot_common.arc import foot
from pilot_common.compiled import compiled
from pilot_common.geometry import Pose, wrap
from pilot_common.messages import empty_arrays
from pilot_common.road import ReferenceLine
from pilot_common.types import Command, DriveMode, Gear, Mode, Plan, Side, VehicleState
from pilot_common.vehicle import Vehicle
from pilot_control.delay import Odometer, sound
from pilot_control.fallback import Fallback
from pilot_control.lateral import Lateral
from pilot_control.longitudinal import Longitudinal, Profile
from pilot_control.parameters import ControlParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlInputs:
    """`vehicle_state`: all since the last step; plan and mode: newest, None where missing or too old."""

    time: float
    vehicle_state: tuple[VehicleState, ...]
    plan: Plan | None
    mode: Mode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlOutputs:
    """What goes to the gate."""

    command: Command


@dataclass(frozen=True, slots=True)
class Course:
    """A good plan, placed in the odometer's frame."""

    plan: Plan
    origin: Pose
    line: ReferenceLine
    profile: Profile
    sharpest: float  # curvature


class Controller:
    """Core of `control`."""

    Inputs, Outputs, Parameters = ControlInputs, ControlOutputs, ControlParameters

    def __init__(self, vehicle: Vehicle, parameters: ControlParameters) -> None:
        self._p = parameters
        self._odometer = Odometer(vehicle.facts, parameters.memory)
        self._lateral = Lateral(vehicle.facts, parameters)
        self._longitudinal = Longitudinal(vehicle.facts, parameters)
        self._fallback = Fallback(vehicle.facts)
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self._odometer.reset()
        self._lateral.reset()
        self._longitudinal.reset()
        self._course: Course | None = None
        self._refused: tuple[Plan, str] | None = None
        self._driving = False
        self._stepped: float | None = None

    def memory(self) -> tuple[float, ...]:
        """What was learned of the car and is worth keeping over a restart."""
        return (*self._lateral.response.memory(), *self._longitudinal.response.memory())

    def recall(self, memory: tuple[float, ...]) -> None:
        """Goes on from a `memory`; one that cannot be is passed over."""
        size = len(self._lateral.response.memory())
        self._lateral.response.recall(memory[:size])
        self._longitudinal.response.recall(memory[size:])

    def step(self, inputs: ControlInputs) -> ControlOutputs:
        """The command for now."""
        overridden = inputs.mode is not None and inputs.mode.mode is DriveMode.OVERRIDE
        for message in inputs.vehicle_state:
            if sound(message):
                self._forget_if_set_back(message.stamp)
                self._lateral.observe(message, overridden)
                self._odometer.update(message)
        state = self._odometer.state
        fault = self._take(inputs.plan)
        missing = self._missing(state, inputs.time)
        if missing or state is None or self._course is None:
            return ControlOutputs(command=_no_command(inputs.time, missing or fault or "no plan yet"))
        place = self._place(self._course, state.stamp)
        if place is None:
            return ControlOutputs(
                command=_no_command(inputs.time, "the plan is older than the memory of motion")
            )
        return ControlOutputs(command=self._command(inputs.mode, state, self._course, place, fault))

    def _forget_if_set_back(self, stamp: float) -> None:
        """After the clock was set back no state is newer than the last for as long: the car would be steered by that one."""
        last = self._odometer.state
        if last is not None and stamp < last.stamp - self._p.state_age:
            self._odometer.reset()
            self._course = None

    def _missing(self, state: VehicleState | None, time: float) -> str:
        if state is None:
            return "no vehicle state yet"
        age = time - state.stamp
        return "" if age <= self._p.state_age else f"no sound vehicle state for {age:.2f} s"

    def _take(self, plan: Plan | None) -> str:
        """Takes a good new plan; says what is wrong with the present one, empty where nothing is."""
        if plan is None:
            return "no plan, or too old"
        if self._course is not None and plan is self._course.plan:
            return ""
        if self._refused is not None and plan is self._refused[0]:
            return self._refused[1]
        look = _look(plan)
        fault = look.fault
        origin = self._odometer.pose(plan.stamp) if not fault else None
        if not fault and origin is None:
            fault = "the plan is older than the memory of motion"
        if fault or origin is None:
            self._refused = (plan, fault)
            return fault
        line = ReferenceLine(plan.path, look.distance, plan.path_heading, plan.path_curvature)
        self._course = Course(plan, origin, line, Profile(plan.trajectory), look.sharpest)
        return ""

    def _place(self, course: Course, stamp: float) -> tuple[float, float, float] | None:
        """Station and offset on the plan's path and heading against it."""
        pose = self._odometer.since(course.origin, stamp)
        if pose is None:
            return None
        station, offset, heading, _ = foot(course.line, pose[0], pose[1])
        return station, offset, wrap(pose[2] - heading)

    def _command(
        self,
        mode: Mode | None,
        state: VehicleState,
        course: Course,
        place: tuple[float, float, float],
        fault: str,
    ) -> Command:
        driving = mode.mode.system_drives if mode is not None else self._driving
        risk = driving and (mode is None or mode.mode is DriveMode.MINIMUM_RISK)
        # Until the step in which the system takes over, and where it was begun anew, perhaps in a drive.
        if not (driving and self._driving) or self._stepped is None:
            self._lateral.follow(state.steering_angle)
            self._longitudinal.follow(state.acceleration)
        self._driving = driving
        count = self._periods(state.stamp)
        time = state.stamp - course.plan.stamp
        stale = fault or ("no mode reported" if mode is None and driving else "")
        slower = ""
        if count:
            elapsed = count * self._p.period
            if driving:
                self._longitudinal.observe(state, count)
            self._lateral.step(course.line, place, state, count)
            if stale:
                self._longitudinal.stop(course.profile.at(time)[1], state.speed, elapsed)
            else:
                highest, slower = self._highest(state.speed, course.sharpest)
                self._longitudinal.track(course.profile, time, state.speed, elapsed, highest)
        times, angles, accelerations = self._fallback.steps(
            course.line, place[0], state.speed, self._lateral, self._longitudinal
        )
        return Command(
            stamp=state.stamp,
            source_stamp=course.plan.source_stamp,
            valid=True,
            reason=f"{stale}: braking along the last plan, {time:.2f} s old"
            if stale
            else course.plan.manoeuvre.name.lower() + slower,
            steering_angle=self._lateral.command,
            acceleration=self._longitudinal.command,
            gear=Gear.DRIVE,
            indicator=course.plan.indicator,
            hazard_lights=risk or (driving and bool(stale)),
            lateral_error=place[1],
            heading_error=place[2],
            speed_error=state.speed - course.profile.at(time)[0],
            fallback_time=times,
            fallback_steering_angle=angles,
            fallback_acceleration=accelerations,
        )

    def _highest(self, speed: float, curvature: float) -> tuple[float, str]:
        """Acceleration that the car's answer to its steering allows, and words where it asks for less speed."""
        p = self._p.longitudinal
        limit, why = self._lateral.speed_limit(curvature, speed)
        if speed < limit - 1.0:
            return math.inf, ""
        return max(-p.easing_limit, p.easing * (limit - speed)), f", at most {limit:.1f} m/s: {why}"

    def _periods(self, stamp: float) -> int:
        """Whole control periods since the last step: 0 when states come faster than that, more than 1 when some are missing."""
        if self._stepped is None or stamp < self._stepped:
            self._stepped = stamp
            return 1
        count = round((stamp - self._stepped) / self._p.period)
        if count:
            self._stepped = stamp
        return min(count, 10)


class Look(NamedTuple):
    """Why a plan cannot be driven, empty where it can; then distances along its path (P,) and its largest curvature."""

    fault: str
    distance: np.ndarray
    sharpest: float


def _look(plan: Plan) -> Look:
    trajectory, nothing = plan.trajectory, np.empty(0)
    if not plan.valid:
        return Look(f"plan not valid: {plan.reason}", nothing, 0.0)
    if len(plan.path) < 2 or len(trajectory.time) < 2:
        return Look("the plan is empty", nothing, 0.0)
    distance, sharpest, total, goes_on = _measure(
        plan.path,
        plan.path_heading,
        plan.path_curvature,
        trajectory.time,
        trajectory.speed,
        trajectory.acceleration,
    )
    if not math.isfinite(plan.stamp + total):
        return Look("the plan is not finite", nothing, 0.0)
    return Look("" if goes_on else "the plan's path or time stands still", distance, sharpest)


@compiled
def _measure(
    path: np.ndarray,
    heading: np.ndarray,
    curvature: np.ndarray,
    time: np.ndarray,
    speed: np.ndarray,
    acceleration: np.ndarray,
) -> tuple[np.ndarray, float, float, bool]:
    """Distances along a path (P, 2), the largest of its curvatures (P,), the sum of all numbers, and whether path and time (T,)
    go on everywhere.
    """
    distance, sharpest, total, goes_on = np.zeros(len(path)), 0.0, 0.0, True
    for index in range(len(path)):
        total += path[index, 0] + path[index, 1] + heading[index] + curvature[index]
        sharpest = max(sharpest, abs(curvature[index]))
        if index:
            across, up = path[index, 0] - path[index - 1, 0], path[index, 1] - path[index - 1, 1]
            distance[index] = distance[index - 1] + math.sqrt(across * across + up * up)
            goes_on &= across != 0.0 or up != 0.0
    for index in range(len(time)):
        total += time[index] + speed[index] + acceleration[index]
        goes_on &= index == 0 or time[index] > time[index - 1]
    return distance, sharpest, total, goes_on


def _no_command(stamp: float, reason: str) -> Command:
    return Command(
        stamp=stamp,
        source_stamp=stamp,
        valid=False,
        reason=reason,
        steering_angle=0.0,
        acceleration=0.0,
        gear=Gear.DRIVE,
        indicator=Side.NONE,
        hazard_lights=False,
        lateral_error=0.0,
        heading_error=0.0,
        speed_error=0.0,
        **empty_arrays(Command),
    )
