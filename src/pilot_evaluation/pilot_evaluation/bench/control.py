"""Our controller on the course of the published comparison, beside controllers of the textbooks on the same car model.

120 km/h, steering lag 0.1 s + delay 0.1 s (and an ideal actuator), clothoids into R 800, a lane change in 5 s, an S-curve of
R 1,000. Ours drives by plans 60 ms old, with noise of bus and lanes where a column says so; the others know the true pose.
± 30 %: the worst of all corners of mass, tyre stiffness, steering ratio and steering delay.
"""

import argparse
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pilot_common.folders import config_folder
from pilot_common.vehicle import Facts, Vehicle, load_parameters
from pilot_control.controller import ControlInputs, Controller, ControlOutputs
from pilot_control.track import STEP, Drive, Plant, constant, motorway_course
from pilot_evaluation.bench import compare
from pilot_evaluation.bench.baselines import PurePursuit, Stanley, Steer, TextbookRegulator
from pilot_evaluation.bench.compare import Tell
from pilot_vehicle.feasibility import load_checked_vehicle

SPEED = 120.0 / 3.6
SECONDS = 48.0  # the course
LAG, DELAY = 0.1, 0.1  # s
IDEAL_LAG = 0.01  # s; the smallest that a car's facts may have
ERRORS = 0.7, 1.3
GONE = 5.0  # m from the course: the run ends
TUNINGS = (0.4, 0.6, 0.8, 1.0, 1.3)  # s of pure pursuit
MOST_NOMINAL, MOST_WRONG, MOST_STEP = 0.03, 0.06, 2.0  # m, m, ms
CALLS = 300  # of a round of the CPU comparison
SEED = 7
CONDITIONS = ("ideal actuator", "lag + delay", "and noise", "± 30 % and noise")


@dataclass(frozen=True)
class Run:
    """How far off the course, in m."""

    root_mean_square: float
    largest: float

    @property
    def words(self) -> str:
        """For the table."""
        if self.largest >= GONE:
            return "leaves the road"
        return f"{self.root_mean_square:.3f} / {self.largest:.3f}"


class _Timed:
    """A controller that notes the CPU time of its steps."""

    def __init__(self, core: Controller) -> None:
        self._core, self.times = core, list[float]()
        self.reset = core.reset

    def step(self, inputs: ControlInputs) -> ControlOutputs:
        """One step."""
        return compare.timed(partial(self._core.step, inputs), self.times)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--vehicle", default="sedan_ice", help="of config/vehicles/ (default sedan_ice)")


def run(options: argparse.Namespace, tell: Tell) -> dict[str, Any]:
    """Measures."""
    config = config_folder()
    car = with_actuator(load_checked_vehicle(options.vehicle, config), LAG, DELAY)
    ideal = with_actuator(car, IDEAL_LAG, 0.0)
    parameters = load_parameters(Controller.Parameters, "control", car, config)
    ours, steps = _ours(car, ideal, parameters, tell)
    tell(0.6, "textbook controllers")
    table = {"ours": ours, **_textbooks(car.facts, ideal.facts, partial(tell, 0.6))}
    tell(0.9, "CPU time")
    cpu = _compute_times(car, parameters, tell)
    return _answer(table, steps, cpu)


def with_actuator(car: Vehicle, lag: float, delay: float) -> Vehicle:
    """The car with other steering."""
    actuators = replace(car.facts.actuators, steering_time_constant=lag, steering_delay=delay)
    return replace(car, facts=replace(car.facts, actuators=actuators))


def corners(facts: Facts) -> Iterator[Plant]:
    """Every combination of the errors."""
    for mass, stiffness, ratio, slowness in itertools.product(ERRORS, repeat=4):
        body = replace(
            facts.body,
            mass=facts.body.mass * mass,
            front_cornering_stiffness=facts.body.front_cornering_stiffness * stiffness,
            rear_cornering_stiffness=facts.body.rear_cornering_stiffness * stiffness,
        )
        actuators = replace(
            facts.actuators,
            steering_delay=facts.actuators.steering_delay * slowness,
            steering_time_constant=facts.actuators.steering_time_constant * slowness,
        )
        yield Plant(facts=replace(facts, body=body, actuators=actuators), steering_gain=1.0 / ratio)


def _drive(control: Any, plant: Plant, noise: float) -> Run:
    drive = Drive(
        motorway_course(SPEED), constant(SPEED), control, plant, np.random.default_rng(SEED), noise=noise
    )
    for _ in range(round(SECONDS / STEP)):
        drive.step()
        if abs(drive.errors[-1]) > GONE:
            break
    return Run(drive.root_mean_square, drive.largest_error)


def _ours(car: Vehicle, ideal: Vehicle, parameters: Any, tell: Tell) -> tuple[list[Run], compare.Times]:
    control = _Timed(Controller(car, parameters))
    plant = Plant(facts=car.facts)
    runs = [_drive(Controller(ideal, parameters), Plant(facts=ideal.facts), 0.0)]
    runs += [_drive(control, plant, noise) for noise in (0.0, 1.0)]
    wrong = []
    plants = list(corners(car.facts))
    for index, corner in enumerate(plants):
        tell(0.6 * index / len(plants), "ours, ± 30 %")
        wrong.append(_drive(control, corner, 1.0))
    runs.append(_worst(wrong))
    return runs, compare.Times((tuple(control.times),))


def _worst(runs: list[Run]) -> Run:
    return Run(max(run.root_mean_square for run in runs), max(run.largest for run in runs))


def _follow(steer: Steer, plant: Plant) -> Run:
    """A textbook controller on the course."""
    drive = _empty(plant)
    for _ in range(round(SECONDS / STEP)):
        _move(drive, steer.angle(drive.line, drive.model.state))
        if abs(drive.errors[-1]) > GONE:
            break
    return Run(drive.root_mean_square, drive.largest_error)


class _Nobody:
    """In the place of a controller where another steers."""

    def reset(self) -> None:
        """Nothing to forget."""

    def step(self, inputs: ControlInputs) -> ControlOutputs:
        """Never called."""
        raise AssertionError("a textbook controller drives")


def _empty(plant: Plant) -> Drive:
    nobody: Any = _Nobody()
    return Drive(motorway_course(SPEED), constant(SPEED), nobody, plant, np.random.default_rng(SEED))


def _move(drive: Drive, angle: float) -> None:
    largest = drive.plant.facts.actuators.max_steering_angle
    drive.move(max(-largest, min(largest, angle)), 0.5 * (SPEED - drive.model.state.speed))


def _textbooks(facts: Facts, ideal: Facts, tell: Callable[[str], None]) -> dict[str, list[Run]]:
    wheelbase, plant = facts.dimensions.wheelbase, Plant(facts=facts)
    tuned = min(TUNINGS, key=lambda seconds: _follow(PurePursuit(wheelbase, seconds), plant).root_mean_square)
    kinds: dict[str, Callable[[], Steer]] = {
        f"pure pursuit, {tuned:g} s ahead (its best)": lambda: PurePursuit(wheelbase, tuned),
        "Stanley": lambda: Stanley(wheelbase),
        "textbook LQR": lambda: TextbookRegulator(wheelbase),
    }
    table = {}
    for name, make in kinds.items():
        tell(name)
        runs = [_follow(make(), Plant(facts=ideal)), _follow(make(), plant)]
        if runs[1].largest < GONE:
            runs += [runs[1], _worst([_follow(make(), corner) for corner in corners(facts)])]
        table[name] = runs
    return table


def _compute_times(car: Vehicle, parameters: Any, tell: Tell) -> dict[str, compare.Times]:
    """CPU time of a step, back to back."""
    wheelbase = car.facts.dimensions.wheelbase
    control = _Timed(Controller(car, parameters))
    drive = Drive(
        motorway_course(SPEED),
        constant(SPEED),
        control,  # type: ignore[arg-type]
        Plant(facts=car.facts),
        np.random.default_rng(SEED),
        noise=1.0,
    )

    def ours() -> list[float]:
        begun = len(control.times)
        drive.run(CALLS * STEP)
        return control.times[begun:]

    def theirs(steer: Steer, calls: int) -> list[float]:
        other, times = _empty(Plant(facts=car.facts)), list[float]()
        for _ in range(calls):
            motion = other.model.state
            compare.timed(partial(steer.angle, other.line, motion), times)
            _move(other, 0.0)
        return times

    subjects: dict[str, compare.Subject] = {
        "ours": ours,
        "pure pursuit": partial(theirs, PurePursuit(wheelbase, 0.8), CALLS),
        "Stanley": partial(theirs, Stanley(wheelbase), CALLS),
        "textbook LQR": partial(theirs, TextbookRegulator(wheelbase, again=True), 60),
    }
    return compare.alternate(subjects, lambda share, words: tell(0.9 + 0.1 * share, words))


def _answer(
    table: dict[str, list[Run]], steps: compare.Times, cpu: dict[str, compare.Times]
) -> dict[str, Any]:
    _, nominal, noisy, wrong = table["ours"]
    slowest = steps.percentile(0.99)
    pursuit = next(runs for name, runs in table.items() if name.startswith("pure pursuit"))
    gain = (
        pursuit[1].root_mean_square / nominal.root_mean_square
        if not math.isclose(0.0, nominal.root_mean_square)
        else math.inf
    )
    criteria = {
        "lateral_rms": compare.criterion(
            nominal.root_mean_square, MOST_NOMINAL, f"RMS {nominal.root_mean_square:.4f} m", unit="m"
        ),
        "lateral_rms_noise": compare.criterion(
            noisy.root_mean_square, MOST_NOMINAL, f"with noise RMS {noisy.root_mean_square:.4f} m", unit="m"
        ),
        "lateral_rms_wrong": compare.criterion(
            wrong.root_mean_square,
            MOST_WRONG,
            f"± 30 % and noise: RMS {wrong.root_mean_square:.4f} m in the worst corner",
            unit="m",
        ),
        "step_p99": compare.criterion(
            slowest, MOST_STEP, f"99 % of the steps within {slowest:.2f} ms", unit="ms"
        ),
        "against pure pursuit": compare.criterion(
            gain, compare.CLAIM, f"best pure pursuit: {gain:.0f} × our RMS", at_least=True, unit="×"
        ),
    }
    rows = [
        (name, *(one.words for one in runs), *[""] * (len(CONDITIONS) - len(runs)))
        for name, runs in table.items()
    ]
    times = [
        (
            name,
            f"{1e3 * one.median:.0f}",
            f"{1e3 * one.percentile(0.99):.0f}",
            f"{compare.ratio(one, cpu['ours']):.2f} ×",
        )
        for name, one in cpu.items()
    ]
    return {
        "verdict": compare.verdict(criteria.values()),
        "criteria": criteria,
        "lateral": {
            name: {
                condition: {
                    "rms": one.root_mean_square,
                    "max": one.largest,
                    "left_the_road": one.largest >= GONE,
                }
                for condition, one in zip(CONDITIONS, runs, strict=False)
            }
            for name, runs in table.items()
        },
        "step": steps.plain(),
        "cpu": {name: one.plain() for name, one in cpu.items()},
        "tables": [
            ("Off the course, RMS / largest in m", ("controller", *CONDITIONS), rows),
            ("CPU µs a step", ("controller", "p50", "p99", "of ours, p50"), times),
        ],
        "notes": ["the textbook controllers have the true pose, without noise"],
    }
