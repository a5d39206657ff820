"""A test track for the controller: a course of curves, plans cut out of it with latency, and the car model as plant."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from pilot_common.arc import along, foot
from pilot_common.folders import config_folder
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
from pilot_common.vehicle import Facts, Vehicle, load_parameters, load_vehicle
from pilot_control.controller import ControlInputs, Controller
from pilot_vehicle.model import VehicleModel

STEP = 0.02
PLAN_EVERY = 3  # steps, 60 ms
TIMES = np.arange(0.0, 8.01, 0.2)

Speeds = Callable[[float], tuple[float, float]]  # time → speed, acceleration


@cache
def vehicle(name: str = "sedan_ice") -> Vehicle:
    return load_vehicle(name, config_folder())


def with_actuator(lag: float, delay: float, base: Vehicle | None = None) -> Vehicle:
    car = base or vehicle()
    actuators = replace(car.facts.actuators, steering_time_constant=lag, steering_delay=delay)
    return replace(car, facts=replace(car.facts, actuators=actuators))


@cache
def controller(car_key: str = "sedan_ice") -> Controller:
    return make_controller(vehicle(car_key))


def make_controller(car: Vehicle) -> Controller:
    return Controller(car, load_parameters(Controller.Parameters, "control", car, config_folder()))


def integrate(curvature: np.ndarray, step: float) -> ReferenceLine:
    """A line of given curvature by station."""
    station = step * np.arange(len(curvature))
    heading = np.concatenate(((0.0,), np.cumsum(0.5 * (curvature[1:] + curvature[:-1]) * step)))
    middle = 0.5 * (heading[1:] + heading[:-1])
    point = np.zeros((len(curvature), 2))
    point[1:, 0], point[1:, 1] = np.cumsum(np.cos(middle) * step), np.cumsum(np.sin(middle) * step)
    return ReferenceLine(point, station, heading, curvature)


@cache
def motorway_course(speed: float = 120.0 / 3.6) -> ReferenceLine:
    """Straight, clothoid into R 800 and out, lane change of 3.5 m in 5 s, S-curve of R 1,000; 200 m more to end in."""
    step = 0.5

    def ramp(length: float, low: float, high: float) -> np.ndarray:
        return np.linspace(low, high, round(length / step), endpoint=False)

    change = 5.0 * speed
    share = np.linspace(0.0, 1.0, round(change / step), endpoint=False)
    bend = 3.5 / change**2 * (60.0 * share - 180.0 * share**2 + 120.0 * share**3)
    parts = (
        ramp(150, 0, 0),
        ramp(120, 0, 1 / 800),
        ramp(300, 1 / 800, 1 / 800),
        ramp(120, 1 / 800, 0),
        ramp(100, 0, 0),
        bend,
        ramp(100, 0, 0),
        ramp(100, 0, 1 / 1000),
        ramp(100, 1 / 1000, 1 / 1000),
        ramp(200, 1 / 1000, -1 / 1000),
        ramp(100, -1 / 1000, -1 / 1000),
        ramp(100, -1 / 1000, 0),
        ramp(500, 0, 0),
    )
    return integrate(np.concatenate(parts), step)


@cache
def straight(length: float = 3000.0) -> ReferenceLine:
    return integrate(np.zeros(round(length)), 1.0)


def constant(speed: float) -> Speeds:
    return lambda time: (speed, 0.0)


@dataclass
class Drive:
    """A closed loop of controller and car model on a course. Plans reach the controller `latency` after their stamp."""

    line: ReferenceLine
    speeds: Speeds
    car: Vehicle = field(default_factory=vehicle)
    plant_facts: Facts | None = None
    latency: float = 0.06
    mode: Callable[[float], DriveMode | None] = lambda time: DriveMode.ACTIVE
    plans: Callable[[float], bool] = lambda time: True
    change_plan: Callable[[Plan], Plan] = lambda plan: plan
    change_state: Callable[[VehicleState], VehicleState] = lambda state: state
    steering_bias: float = 0.0
    grade: float = 0.0
    start_offset: float = 0.0
    noise: float = 0.0
    control: Controller | None = None

    def __post_init__(self) -> None:
        self.control = self.control or make_controller(self.car)
        self.control.reset()
        self.plant = VehicleModel(self.plant_facts or self.car.facts)
        self.plant.reset(0.0, self.start_offset, 0.0, self.speeds(0.0)[0])
        self.random = np.random.default_rng(7)
        self.time = 0.0
        self.step_number = 0
        self.waiting: list[Plan] = []
        self.plan: Plan | None = None
        self.commands: list[Command] = []
        self.errors: list[float] = []
        self.true_speeds: list[float] = []
        self.true_accelerations: list[float] = []
        self.lateral_accelerations: list[float] = []

    def state(self) -> VehicleState:
        motion = self.plant.state
        turn, angle = self.noise * self.random.standard_normal(2)
        state = VehicleState(
            stamp=self.time,
            valid=True,
            speed=motion.speed,
            acceleration=motion.acceleration,
            lateral_acceleration=motion.lateral_acceleration,
            yaw_rate=motion.yaw_rate + 0.003 * turn,
            steering_angle=motion.steering_angle + self.steering_bias + 0.0005 * angle,
            gear=Gear.DRIVE,
            indicator=Side.NONE,
            driver=DriverInput(
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
            ),
        )
        return self.change_state(state)

    def make_plan(self) -> Plan:
        """The course ahead in the car's frame, jittered by `noise` × 2 cm as an estimated lane is."""
        motion = self.plant.state
        station = foot(self.line, motion.x, motion.y)[0]
        point, heading, curvature = along(self.line, station + np.linspace(0.0, 200.0, 81))
        base = transform_points(inverse((motion.x, motion.y, motion.yaw)), point)
        base[:, 1] += 0.02 * self.noise * self.random.standard_normal()
        speeds = np.array([self.speeds(self.time + ahead) for ahead in TIMES])
        distance = np.concatenate(((0.0,), np.cumsum(0.1 * (speeds[1:, 0] + speeds[:-1, 0]))))
        at = np.minimum(distance, 199.0)
        grid = np.linspace(0.0, 200.0, 81)
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
                position=np.stack((np.interp(at, grid, base[:, 0]), np.interp(at, grid, base[:, 1])), -1),
                heading=np.interp(at, grid, heading - motion.yaw),
                curvature=np.interp(at, grid, curvature),
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
        motion = self.plant.step(
            command.steering_angle - self.steering_bias, command.acceleration, STEP, grade=self.grade
        )
        self.errors.append(foot(self.line, motion.x, motion.y)[1])
        self.true_speeds.append(motion.speed)
        self.true_accelerations.append(motion.acceleration)
        self.lateral_accelerations.append(motion.lateral_acceleration)
        self.step_number += 1
        self.time = round(self.step_number * STEP, 9)
        return command

    def run(self, seconds: float) -> "Drive":
        for _ in range(round(seconds / STEP)):
            self.step()
        return self

    @property
    def root_mean_square(self) -> float:
        return math.sqrt(float(np.mean(np.square(self.errors))))

    @property
    def largest_error(self) -> float:
        return float(np.max(np.abs(self.errors)))
