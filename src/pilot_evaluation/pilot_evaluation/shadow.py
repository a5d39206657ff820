"""Our functions in the shadow of another driver: what they wanted, beside what the car was told and what it really did.

Nobody drives by our commands here: each moment is planned from where the other driver has taken the car, so small differences
do not add up as they would in a closed loop. Shapes: T times of a common grid.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pilot_common.graph import load_graph
from pilot_common.messages import Message, to_nanoseconds
from pilot_common.types import Command, Plan, World
from pilot_common.vehicle import Vehicle
from pilot_evaluation.bag import BagReader
from pilot_evaluation.importers.comma import STEERING_RATIO, RecordedCar, read_car
from pilot_vehicle.steady_turn import SteadyTurn

PERIOD = 0.05  # s of the common grid
SPEED_SMOOTHING = 0.25  # s, standard deviation, before the true speed is differentiated
COURSE_SMOOTHING = 0.3  # s, the same for the direction of travel
MOVING = 3.0  # m/s: below, a curvature from positions means nothing


@dataclass(frozen=True, slots=True)
class Decision:
    """A change of what the plan did: seconds from the start, and why in words."""

    time: float
    manoeuvre: str
    reason: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two signals are: root mean square and mean of the difference, and correlation."""

    root_mean_square: float
    mean: float
    correlation: float


class ShadowLog:
    """Hears a replay and keeps what the page needs."""

    def __init__(self) -> None:
        self.commands: list[tuple[int, float, float]] = []  # stamp, acceleration, steering angle
        self.plans: list[tuple[int, float, int, float]] = []  # stamp, target speed, lead, its gap
        self.starts: list[
            tuple[int, float, float]
        ] = []  # stamp, acceleration and curvature the plan begins with
        self.leads: list[tuple[int, float]] = []  # stamp, speed of the plan's lead over ground
        self.decisions: list[tuple[int, str, str]] = []
        self._lead = 0

    def __call__(self, time: int, topic: str, message: Message) -> None:
        """Takes one output."""
        if isinstance(message, Command) and message.valid:
            self.commands.append(
                (to_nanoseconds(message.stamp), message.acceleration, message.steering_angle)
            )
        elif isinstance(message, Plan):
            self._plan(message)
        elif isinstance(message, World) and self._lead:
            row = np.flatnonzero(message.tracks.identity == self._lead)
            if len(row):
                self.leads.append((to_nanoseconds(message.stamp), float(message.tracks.velocity[row[0], 0])))

    def _plan(self, plan: Plan) -> None:
        stamp, name = to_nanoseconds(plan.stamp), plan.manoeuvre.name.lower().replace("_", " ")
        if not self.decisions or name != self.decisions[-1][1] or plan.lead_identity != self._lead:
            self.decisions.append((stamp, name, plan.reason))
        self._lead = plan.lead_identity
        self.plans.append((stamp, plan.target_speed, plan.lead_identity, plan.lead_gap))
        trajectory = plan.trajectory
        if plan.valid and len(trajectory.time):
            self.starts.append((stamp, float(trajectory.acceleration[0]), float(trajectory.curvature[0])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """All signals on one grid, SI, NaN where there is none; `active` is while the other system drove."""

    time: np.ndarray  # s from the start
    active: np.ndarray  # bool
    speed: np.ndarray  # wheel
    true_speed: np.ndarray
    target_speed: np.ndarray
    planned_acceleration: np.ndarray
    our_acceleration: np.ndarray  # the command, after control
    commanded_acceleration: np.ndarray
    true_acceleration: np.ndarray
    our_steering: np.ndarray  # at the road wheels
    car_steering: np.ndarray
    planned_curvature: np.ndarray
    our_curvature: np.ndarray  # that the command's steering angle leads to
    true_curvature: np.ndarray
    lead_gap: np.ndarray
    radar_gap: np.ndarray  # nearest radar track straight ahead
    lead_speed: np.ndarray
    decisions: tuple[Decision, ...]

    def likeness(self) -> dict[str, Likeness]:
        """The pairs that are worth a number, over the time in which the other system drove."""
        pairs = {
            "acceleration, planned and commanded": (self.planned_acceleration, self.commanded_acceleration),
            "acceleration, planned and true": (self.planned_acceleration, self.true_acceleration),
            "acceleration, ours after control and commanded": (
                self.our_acceleration,
                self.commanded_acceleration,
            ),
            "acceleration, commanded and true": (self.commanded_acceleration, self.true_acceleration),
            "steering angle, ours and the car's": (self.our_steering, self.car_steering),
            "curvature, planned and true": (self.planned_curvature, self.true_curvature),
            "curvature, ours after control and true": (self.our_curvature, self.true_curvature),
            "speed, wheels and true": (self.speed, self.true_speed),
            "gap, ours and the radar's": (self.lead_gap, self.radar_gap),
        }
        found = {name: _likeness(one[self.active], two[self.active]) for name, (one, two) in pairs.items()}
        return {name: value for name, value in found.items() if value is not None}


def lay_beside(bag: Path, log: ShadowLog, vehicle: Vehicle, config: Path) -> Shadow:
    """What was recorded and what our functions said, on one grid. Raises BagError for a bag that is no such drive."""
    with BagReader(bag, load_graph(config)) as reader:
        car = read_car(reader)
    first, last = int(car.speed.time[0]), int(car.speed.time[-1])
    grid = np.arange(first, last, round(PERIOD * 1e9))
    speed = car.speed.at(grid)
    turn = SteadyTurn(vehicle.facts)
    commands = np.array(log.commands).reshape(-1, 3)
    plans = np.array(log.plans, float).reshape(-1, 4)
    ours, steering = (_held(commands[:, 0], commands[:, column], grid) for column in (1, 2))
    starts = np.array(log.starts, float).reshape(-1, 3)
    planned, bend = (_held(starts[:, 0], starts[:, column], grid) for column in (1, 2))
    true_speed, true_acceleration, true_curvature = _truth(car, grid)
    lead = np.where(plans[:, 2] > 0.0, plans[:, 3], np.nan)
    leads = np.array(log.leads, float).reshape(-1, 2)
    return Shadow(
        time=(grid - first) * 1e-9,
        active=np.zeros(len(grid), bool) if car.engaged is None else grid >= car.engaged,
        speed=speed,
        true_speed=true_speed,
        target_speed=_held(plans[:, 0], plans[:, 1], grid),
        planned_acceleration=planned,
        our_acceleration=ours,
        commanded_acceleration=_held(car.acceleration_command.time, car.acceleration_command.value, grid),
        true_acceleration=true_acceleration,
        our_steering=steering,
        car_steering=car.steering_wheel.at(grid) / STEERING_RATIO,
        planned_curvature=bend,
        our_curvature=np.array([turn.curvature(angle, v) for angle, v in zip(steering, speed, strict=True)]),
        true_curvature=true_curvature,
        lead_gap=_held(plans[:, 0], lead, grid),
        radar_gap=_held(car.radar_gap.time, car.radar_gap.value, grid),
        lead_speed=_held(leads[:, 0], leads[:, 1], grid),
        decisions=tuple(
            Decision((stamp - first) * 1e-9, name, reason) for stamp, name, reason in log.decisions
        ),
    )


def _held(time: np.ndarray, value: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The latest value at each time of the grid, NaN before the first and once it is older than half a second."""
    if len(time) == 0:
        return np.full(len(grid), np.nan)
    index = np.searchsorted(time, grid, side="right") - 1
    fresh = (index >= 0) & (grid - time[np.maximum(index, 0)] < 0.5e9)
    return np.where(fresh, value[np.maximum(index, 0)], np.nan)


def _truth(car: RecordedCar, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True speed, its derivative and the curvature of the path (T,), from the poses."""
    if len(car.pose) < 10:
        nothing = np.full(len(grid), np.nan)
        return nothing, nothing, nothing
    seconds = (car.pose_speed.time - car.pose_speed.time[0]) * 1e-9
    rate = 1.0 / float(np.median(np.diff(seconds)))
    speed = gaussian_filter1d(car.pose_speed.value, SPEED_SMOOTHING * rate, mode="nearest")
    step = np.gradient(car.pose, axis=0)
    course = gaussian_filter1d(
        np.unwrap(np.arctan2(step[:, 1], step[:, 0])), COURSE_SMOOTHING * rate, mode="nearest"
    )
    curvature = np.where(speed > MOVING, np.gradient(course, seconds) / np.maximum(speed, MOVING), np.nan)
    inside = (grid >= car.pose_speed.time[0]) & (grid <= car.pose_speed.time[-1])
    signals = (car.pose_speed.value, np.gradient(speed, seconds), curvature)
    speed_grid, acceleration_grid, curvature_grid = (
        np.where(inside, np.interp(grid, car.pose_speed.time, signal), np.nan) for signal in signals
    )
    return speed_grid, acceleration_grid, curvature_grid


def _likeness(one: np.ndarray, two: np.ndarray) -> Likeness | None:
    both = np.isfinite(one) & np.isfinite(two)
    if np.count_nonzero(both) < 10:
        return None
    one, two = one[both], two[both]
    difference = one - two
    spread = float(np.std(one) * np.std(two))
    correlation = float(np.mean((one - one.mean()) * (two - two.mean())) / spread) if spread > 0.0 else 0.0
    return Likeness(float(np.sqrt(np.mean(difference**2))), float(difference.mean()), correlation)
