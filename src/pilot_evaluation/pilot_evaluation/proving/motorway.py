"""Suite `motorway`: hours among SUMO's traffic at three densities, beside SUMO's own drivers.

A drive takes five minutes on three lanes with curves. `--full` drives 2.5 hours with each vehicle (ten with all four),
`--hours` as many as it says, else one minute at each density. The speed to compare with is that of *SUMO's own driver in our
place*: a saloon of its intelligent driver model, started where we start, in the same traffic (density, seed), with the same
wish, that changes lanes where the car may do so by itself and keeps its lane where it may not. Beside it stands the mean of
all cars around the ego.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.messages import Message, empty_arrays
from pilot_common.rules import load_packs
from pilot_common.types import DriveMode, Ledger, ObjectClass, Plan, Trajectory
from pilot_common.vehicle import Capability, Vehicle
from pilot_evaluation.audit import audit
from pilot_evaluation.measures.contact import contacts
from pilot_evaluation.measures.measure import spans
from pilot_evaluation.measures.motion import jerk_95
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, Row, Setting, Suite
from pilot_evaluation.proving.engine import row, seed_of, start
from pilot_evaluation.proving.outcome import outcome
from pilot_evaluation.run import Run
from pilot_simulation.scenario import DriverPlan, Ego, Scenario, TrafficPlan, load_scenario
from pilot_simulation.simulation import TICK
from pilot_simulation.sumo_driver import sumo_driver_speed

ROAD_OF = "busy_motorway"  # the scenario whose road it is
DENSITIES = {"light": 7.0, "medium": 15.0, "dense": 25.0}  # vehicles per kilometre and lane
WISH = 115.0 / 3.6  # m/s, the mean wish of SUMO's cars and ours
TIME_GAP = 1.5  # s
SPREAD, TRUCKS = 0.08, 0.12
DRIVE, SHORT_DRIVE = 300.0, 60.0  # s
FULL_HOURS = 2.5  # with each vehicle
SETTLED = 10.0  # s that do not count: the car is engaged and finds its place
NEAR = 300.0  # m, of the cars around whose speed stands beside ours
HEARD = ("truth", "vehicle_state", "mode", "plan", "actuation")
LEDGER_ROUNDING = 1e-6  # m/s²


class Motorway(Suite):
    """The suite."""

    key = "motorway"
    title = "SUMO motorways at three densities"

    def __init__(self, config: Path) -> None:
        self._packs = load_packs(config)

    def cases(self, setting: Setting) -> Sequence[Case]:
        """Drives of all densities in turn."""
        hours = setting.hours or (FULL_HOURS if setting.full else 0.0)
        each = max(round(hours * 3600.0 / DRIVE / len(DENSITIES)), 1)
        seconds = DRIVE if hours else SHORT_DRIVE
        return [
            Case(
                suite=self.key,
                family=family,
                name=f"{family}_{index:03d}",
                parameters={"density": density, "seconds": seconds, "index": index},
                scenario=motorway_scenario(setting, density, seconds),
            )
            for index in range(each)
            for family, density in DENSITIES.items()
        ]

    def run(self, setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
        """Drives each, then lets SUMO's driver do the same."""
        for case in group:
            assert case.scenario is not None
            seed = seed_of(setting, case.suite, case.name)
            twin = sumo_driver_speed(
                setting.vehicle, case.scenario, seed, chooses_lanes(setting.vehicle), SETTLED
            )
            yield self._judge(case, *self._drive(setting, case.scenario, seed), twin)

    def _drive(self, setting: Setting, scenario: Scenario, seed: int) -> tuple[Run, int]:
        """The messages of a drive, plans without their arrays, and how many plans their ledger did not explain."""
        loop = start(setting, scenario, seed)
        run = Run(setting.vehicle, loop.graph, real_time=False)
        unexplained = 0
        try:
            while loop.simulation.ticks <= round(scenario.duration * 1e9) // TICK:
                for now, topic, message in loop.tick():
                    if topic not in HEARD:
                        continue
                    if isinstance(message, Plan):
                        unexplained += not explained(message)
                        run.add(topic, now, without_arrays(message))
                    else:
                        run.add(topic, now, message)
        finally:
            loop.simulation.close()
        return run, unexplained

    def _judge(self, case: Case, run: Run, unexplained: int, twin: float) -> Row:
        time, speed = run.time("truth"), run.column("truth", "speed")
        counted = time >= SETTLED
        found, given_up = contacts(run), disengagements(run)
        result = audit(run, self._packs)
        jerk = jerk_95(run).value
        measures = outcome(run) | {
            "seconds": float(time[-1]) if len(time) else 0.0,
            "mean_speed": float(speed[counted].mean()),
            "twin_speed": twin,
            "traffic_speed": traffic_speed(run, counted),
            "contact_caused": float(any(contact.caused for contact in found)),
            "disengagements": float(len(given_up)),
            "unexplained": float(unexplained),
            **({"jerk_95": jerk} if jerk is not None else {}),
        }
        reasons = [f"contact at {c.time:.1f} s: {c.reason}" for c in found]
        reasons += given_up
        reasons += [f"rule {line.clause.id} at {line.begins[0]:.1f} s" for line in result.broken]
        if unexplained:
            reasons.append(f"{unexplained} plans that their ledger does not explain")
        warned = ", ".join(
            line.clause.id for line in result.lines if line.outcome == "violated" and not line.clause.gates
        )
        note = f"also: {warned}" if warned else ""
        return row(case, FAIL if reasons else PASS, "; ".join(reasons), measures, note)

    def summary(self, setting: Setting, rows: Sequence[Row]) -> dict[str, Any]:
        """No contact, no disengagement, and on the whole no slower than SUMO's own driver."""
        driven = [row for row in rows if row.verdict != ERROR]
        families = {name: _figures([row for row in driven if row.family == name]) for name in DENSITIES}
        figures = _figures(driven)
        passed = bool(rows) and len(driven) == len(rows) and not figures["contacts"]
        passed &= not figures["disengagements"] and figures["mean_speed"] >= figures["twin_speed"]
        passed &= all(row.verdict == PASS for row in rows)
        sentence = (
            f"{figures['hours']:.2f} h: {figures['contacts']:.0f} contacts, {figures['disengagements']:.0f} disengagements, "
            f"{3.6 * figures['mean_speed']:.1f} km/h beside {3.6 * figures['twin_speed']:.1f} of SUMO's driver"
        )
        return {
            "verdict": PASS if passed else FAIL,
            "sentence": sentence,
            "cases": len(rows),
            "errors": len(rows) - len(driven),
            **figures,
            "families": families,
            "failed_cases": [f"{row.name}: {row.reason}" for row in rows if row.verdict != PASS],
        }


def motorway_scenario(setting: Setting, density: float, seconds: float) -> Scenario:
    """The drive at a density: from the middle lane, at the speed that traffic of this density has."""
    base = load_scenario(ROAD_OF, setting.config)
    wish = min(WISH, setting.vehicle.facts.limits.max_speed)
    assert base.road is not None
    return replace(
        base,
        title=f"Motorway, {density:g} vehicles per kilometre and lane",
        duration=seconds,
        road=replace(base.road, speed_limit=0.0),
        ego=Ego(speed=0.8 * wish, lane=1, station=500.0),
        driver=DriverPlan(set_speed=wish, time_gap=TIME_GAP, engage_at=0.5),
        traffic=TrafficPlan(density=density, speed=WISH, speed_spread=SPREAD, truck_share=TRUCKS),
        criteria={},
    )


def chooses_lanes(vehicle: Vehicle) -> bool:
    """Whether the car changes lanes by itself, without anybody's confirmation."""
    return Capability.NAVIGATION in vehicle.facts.capabilities


def explained(plan: Plan) -> bool:
    """Whether the binding entry of the ledger is the command."""
    ledger, commanded = plan.ledger, plan.trajectory.acceleration
    if not plan.valid:
        return True
    return bool(len(commanded)) and abs(float(ledger.bound[ledger.binding] - commanded[0])) <= LEDGER_ROUNDING


def without_arrays(plan: Plan) -> Message:
    """What is needed of thousands of plans."""
    light: dict[str, Any] = {
        **empty_arrays(Plan),
        "trajectory": Trajectory(**empty_arrays(Trajectory)),
        "ledger": Ledger.empty(),
        "lateral": Ledger.empty(),
    }
    return replace(plan, **light)


def disengagements(run: Run) -> list[str]:
    """Every time the system demanded to be relieved or stopped the car by itself, with the reason."""
    if not run.messages("mode"):
        return ["the system never spoke"]
    given_up = np.isin(run.column("mode", "mode"), (DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK))
    return [
        f"gave up at {run.time('mode')[first]:.1f} s: {run.messages('mode')[first].reason}"
        for first, _ in spans(given_up)
    ]


def traffic_speed(run: Run, counted: np.ndarray) -> float:
    """Mean speed of the cars (no lorries) around the ego; the ego's own where there was none."""
    others = run.others
    station = run.column("truth", "station")[others.row]
    there = counted[others.row] & (others.class_id == ObjectClass.CAR)
    there &= np.abs(others.station - station) < NEAR
    speeds = others.speed[there] if there.any() else run.column("truth", "speed")
    return float(speeds.mean())


def _figures(rows: Sequence[Row]) -> dict[str, float]:
    """Sums and means, weighted by time; what was hardest is of all."""
    seconds = np.array([row.measures["seconds"] for row in rows])
    total = float(seconds.sum())

    def mean(name: str) -> float:
        values = np.array([row.measures.get(name, 0.0) for row in rows])
        return float((values * seconds).sum() / total) if total else 0.0

    def summed(name: str) -> float:
        return float(sum(row.measures.get(name, 0.0) for row in rows))

    def largest(name: str) -> float:
        return max((row.measures.get(name, 0.0) for row in rows), default=0.0)

    return {
        "hours": total / 3600.0,
        "contacts": summed("contact"),
        "contacts_caused": summed("contact_caused"),
        "disengagements": summed("disengagements"),
        "mean_speed": mean("mean_speed"),
        "twin_speed": mean("twin_speed"),
        "traffic_speed": mean("traffic_speed"),
        "lane_changes": summed("lane_changes"),
        "emergency_seconds": summed("emergency"),
        "jerk_95": mean("jerk_95"),
        "peak_deceleration": largest("peak_deceleration"),
        "peak_lateral_acceleration": largest("peak_lateral_acceleration"),
        "unexplained": summed("unexplained"),
    }
