"""A test track for the controller: a course of curves, plans cut out of it with latency, and the car model as plant.

The same track serves the room's tests and `./pilot bench control`. The plant may differ from what the controller believes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np

from pilot_common.arc import along, foot
from pilot_common.geometry import inverse, transform_points
from pilot_common.road import ReferenceLine
from pilot_common.types import (
    Command,
    DriveMode,
    DriverInput,
    Gear,
    Ledger,
    Manoeuvre,
    Mode,
    Plan,
    Side,
    Trajectory,
    VehicleState,
)
from pilot_common.vehicle import Facts
from pilot_control.controller import ControlInputs, Controller
from pilot_vehicle.model import MotionState, VehicleModel

STEP = 0.02  # s
PLAN_EVERY = 3  # steps, 60 ms
TIMES = np.arange(0.0, 8.01, 0.2)
REACH = 200.0  # m of path in a plan
SPACING = np.linspace(0.0, REACH, 81)
RESTING = DriverInput(
    accelerator=0.0,
    brake=0.0,
    steering_torque=0.0,
    hands_on=True,
    eyes_on=True,
    engage=False,
    cancel=False,
    lane_change=Side.NONE,
    set_speed=30.0,
    time_gap=1.5,
)

Speeds = Callable[[float], tuple[float, float]]  # time → speed, acceleration
Stretch = tuple[float, float, float]  # length, curvature at its beginning and end


class Chance(Protocol):
    """A seeded generator of numpy."""

    def standard_normal(self, size: int) -> np.ndarray:
        """Numbers of mean 0 and deviation 1."""


def course(stretches: Sequence[Stretch], step: float = 0.5) -> ReferenceLine:
    """A line of stretches whose curvature changes evenly."""
    parts = [np.linspace(low, high, round(length / step), endpoint=False) for length, low, high in stretches]
    return integrate(np.concatenate(parts), step)


def integrate(curvature: np.ndarray, step: float) -> ReferenceLine:
    """A line of given curvature (P,) every `step` metres."""
    station = step * np.arange(len(curvature))
    heading = np.concatenate(((0.0,), np.cumsum(0.5 * (curvature[1:] + curvature[:-1]) * step)))
    middle = 0.5 * (heading[1:] + heading[:-1])
    point = np.zeros((len(curvature), 2))
    point[1:, 0], point[1:, 1] = np.cumsum(np.cos(middle) * step), np.cumsum(np.sin(middle) * step)
    return ReferenceLine(point, station, heading, curvature)


@cache
def motorway_course(speed: float = 120.0 / 3.6) -> ReferenceLine:
    """Straight, clothoid into R 800 and out, lane change of 3.5 m in 5 s, S-curve of R 1,000; 500 m more to end in."""
    step = 0.5
    change = 5.0 * speed
    share = np.linspace(0.0, 1.0, round(change / step), endpoint=False)
    bend = 3.5 / change**2 * (60.0 * share - 180.0 * share**2 + 120.0 * share**3)
    before: tuple[Stretch, ...] = (
        (150, 0, 0),
        (120, 0, 1 / 800),
        (300, 1 / 800, 1 / 800),
        (120, 1 / 800, 0),
        (100, 0, 0),
    )
    after: tuple[Stretch, ...] = (
        (100, 0, 0),
        (100, 0, 1 / 1000),
        (100, 1 / 1000, 1 / 1000),
        (200, 1 / 1000, -1 / 1000),
        (100, -1 / 1000, -1 / 1000),
        (100, -1 / 1000, 0),
        (500, 0, 0),
    )
    return integrate(np.concatenate((course(before).curvature, bend, course(after).curvature)), step)


def constant(speed: float) -> Speeds:
    """One speed all the time."""
    return lambda time: (speed, 0.0)


@dataclass(frozen=True, kw_only=True)
class Plant:
    """How the car differs from what is known of it. `steering_gain` is the true angle of the wheels over the reported one."""

    facts: Facts
    friction: float = 1.0
    grade: float = 0.0
    steering_bias: float = 0.0  # rad that the reported angle is too large
    steering_gain: float = 1.0
    drive_gain: float = 1.0  # acceleration given over that asked for
    brake_gain: float = 1.0


@dataclass
class Drive:
    """A closed loop of controller and plant on a course. Plans reach the controller `latency` after their stamp.

    `noise` scales that of the bus (yaw rate 0.003 rad/s, angle 0.0005 rad) and of the lanes (2 cm), drawn from `chance`.
    """

    line: ReferenceLine
    speeds: Speeds
    control: Controller
    plant: Plant
    chance: Chance
    latency: float = 0.06
    mode: Callable[[float], DriveMode | None] = lambda time: DriveMode.ACTIVE
    driver: Callable[[float, MotionState], tuple[float, float] | None] = lambda time, motion: None
    plans: Callable[[float], bool] = lambda time: True
    change_plan: Callable[[Plan], Plan] = lambda plan: plan
    change_state: Callable[[VehicleState], VehicleState] = lambda state: state
    start_offset: float = 0.0
    noise: float = 0.0
    time: float = 0.0
    step_number: int = 0
    plan: Plan | None = None
    waiting: list[Plan] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    motions: list[MotionState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control.reset()
        self.model = VehicleModel(self.plant.facts)
        self.model.reset(0.0, self.start_offset, 0.0, self.speeds(0.0)[0])
        self._station = 0.0

    def state(self) -> VehicleState:
        """What the bus reports now."""
        motion, plant = self.model.state, self.plant
        turn, angle = self.noise * self.chance.standard_normal(2) if self.noise else (0.0, 0.0)
        state = VehicleState(
            stamp=self.time,
            valid=True,
            speed=motion.speed,
            acceleration=motion.acceleration,
            lateral_acceleration=motion.lateral_acceleration,
            yaw_rate=motion.yaw_rate + 0.003 * turn,
            steering_angle=motion.steering_angle / plant.steering_gain + plant.steering_bias + 0.0005 * angle,
            gear=Gear.DRIVE,
            indicator=Side.NONE,
            driver=RESTING,
        )
        return self.change_state(state)

    def make_plan(self) -> Plan:
        """The course ahead in the car's frame, jittered as an estimated lane is."""
        motion = self.model.state
        point, heading, curvature = along(self.line, self._station + SPACING)
        base = transform_points(inverse((motion.x, motion.y, motion.yaw)), point)
        if self.noise:
            base[:, 1] += 0.02 * self.noise * self.chance.standard_normal(1)
        speeds = np.array([self.speeds(self.time + ahead) for ahead in TIMES])
        distance = np.concatenate(((0.0,), np.cumsum(0.1 * (speeds[1:, 0] + speeds[:-1, 0]))))
        at = np.minimum(distance, REACH - 1.0)
        plan = Plan(
            stamp=self.time,
            source_stamp=self.time - 0.05,
            valid=True,
            reason="",
            manoeuvre=Manoeuvre.CRUISE,
            indicator=Side.NONE,
            target_speed=float(speeds[0, 0]),
            lead_identity=0,
            lead_gap=0.0,
            trajectory=Trajectory(
                time=TIMES,
                position=np.stack([np.interp(at, SPACING, base[:, axis]) for axis in (0, 1)], -1),
                heading=np.interp(at, SPACING, heading - motion.yaw),
                curvature=np.interp(at, SPACING, curvature),
                speed=speeds[:, 0],
                acceleration=speeds[:, 1],
            ),
            path=base,
            path_heading=heading - motion.yaw,
            path_curvature=curvature,
            ledger=Ledger.empty(),
            lateral=Ledger.empty(),
        )
        return self.change_plan(plan)

    def step(self) -> Command:
        """One control period."""
        if self.step_number % PLAN_EVERY == 0:
            self.waiting.append(self.make_plan())
        while self.waiting and self.waiting[0].stamp <= self.time - self.latency + 1e-9:
            self.plan = self.waiting.pop(0)
        mode = self.mode(self.time)
        message = None if mode is None else Mode(stamp=self.time, mode=mode, reason="", warning=0)
        plan = self.plan if self.plans(self.time) else None
        inputs = ControlInputs(time=self.time, vehicle_state=(self.state(),), plan=plan, mode=message)
        command = self.control.step(inputs).command
        self.commands.append(command)
        self.move(
            *(self.driver(self.time, self.model.state) or (command.steering_angle, command.acceleration))
        )
        return command

    def move(self, angle: float, acceleration: float) -> None:
        """The plant's answer over one period; the angle is as reported."""
        plant = self.plant
        acceleration *= plant.drive_gain if acceleration > 0.0 else plant.brake_gain
        motion = self.model.step(
            (angle - plant.steering_bias) * plant.steering_gain,
            acceleration,
            STEP,
            friction=plant.friction,
            grade=plant.grade,
        )
        self._station, error, _, _ = foot(self.line, motion.x, motion.y)
        self.errors.append(error)
        self.motions.append(motion)
        self.step_number += 1
        self.time = round(self.step_number * STEP, 9)

    def run(self, seconds: float) -> "Drive":
        """Many steps."""
        for _ in range(round(seconds / STEP)):
            self.step()
        return self

    @property
    def root_mean_square(self) -> float:
        """Of the distance from the course, m."""
        return math.sqrt(float(np.mean(np.square(self.errors))))

    @property
    def largest_error(self) -> float:
        """Of the distance from the course, m."""
        return float(np.max(np.abs(self.errors)))
