"""Suite `recorded`: CommonRoad problems, the ego among recorded traffic that does not react.

The files are those of a folder: `--cases FOLDER` (or one file), else the folder that PILOT_DATA names, else `shared/data`
beside the checkout. Whoever is behind cannot brake, so contacts are told by who caused them. Families: `goal` – a place on
the road is wanted from some time on, most often in another lane; `critical` – a few seconds from the brink; `drive` – the
rest of motorways; `other` – roads with one lane in our direction or narrow ones, which are none: driven and told, but they
decide nothing. A car without navigation gets no route, so goals are asked of those that have it.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.errors import PilotError, ScenarioError
from pilot_common.road import ReferenceLine
from pilot_common.rules import load_packs
from pilot_common.vehicle import Capability
from pilot_evaluation.audit import audit
from pilot_evaluation.importers.commonroad import import_commonroad
from pilot_evaluation.importers.commonroad_file import CommonRoadFile, PlanningProblem, read_commonroad
from pilot_evaluation.importers.commonroad_road import road_around
from pilot_evaluation.measures.contact import contacts
from pilot_evaluation.measures.motion import JERK_WINDOW, near
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, Row, Setting, Suite
from pilot_evaluation.proving.engine import row, start
from pilot_evaluation.proving.outcome import outcome
from pilot_evaluation.proving.recordings import recordings
from pilot_evaluation.run import Run
from pilot_simulation.scenario import load_scenario
from pilot_simulation.simulation import TICK

FOLDER = "commonroad"
GOAL, CRITICAL, DRIVE, OTHER = "goal", "critical", "drive", "other"
NARROWEST = 3.0  # m: lanes of motorways are 3.25 m and more, in towns they are narrower
SHORT = 4.0  # s: whoever starts so near to the end of a recording starts at the brink
HEARD = ("truth", "vehicle_state", "mode", "plan", "world", "actuation")
PACKS = ("iso_11270", "iso_15622", "un_r157", "un_r79", "house")
# Nobody drives there as others do: recorded neighbours do not yield, so what they do to us is no clause of ours.
COMFORT = (
    "iso11270_lateral_acceleration",
    "iso11270_lateral_jerk",
    "iso15622_braking_jerk",
    "iso15622_deceleration",
)
GOALS_REACHED = 0.9
SETTLED = 1.0  # s that planning gets to see the world before what it does counts as its own


class Recorded(Suite):
    """The suite."""

    key = "recorded"
    title = "Recorded motorway traffic"

    def __init__(self, config: Path) -> None:
        self._config = config
        self._packs = load_packs(config, PACKS)

    def cases(self, setting: Setting) -> Sequence[Case]:
        """One per file; the family by what the file asks."""
        return [self._case(file) for file in problem_files(setting)]

    def _case(self, file: Path) -> Case:
        try:
            content = read_commonroad(file)
        except PilotError:
            return Case(suite=self.key, family=DRIVE, name=file.stem, parameters={})
        problem = content.problems[0]
        last = max((int(o.step[-1]) for o in content.obstacles if o.moves), default=problem.last_step)
        seconds = (last - problem.first_step) * content.step
        wanted = problem.goals[0]
        appointed = bool(wanted.outlines) and wanted.first_step > problem.first_step
        family = CRITICAL if seconds <= SHORT else GOAL if appointed else DRIVE
        if not is_motorway(content, problem):
            family = OTHER
        parameters = {"seconds": seconds, "speed": problem.speed}
        return Case(suite=self.key, family=family, name=file.stem, parameters=parameters)

    def run(self, setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
        """Imports and drives each file."""
        files = {file.stem: file for file in problem_files(setting)}
        for case in group:
            try:
                yield self._drive(setting, case, files[case.name])
            except PilotError as error:
                yield row(case, ERROR, str(error), {})

    def _drive(self, setting: Setting, case: Case, file: Path) -> Row:
        with tempfile.TemporaryDirectory() as folder:
            imported = import_commonroad(file, Path(folder) / file.stem)
            scenario = load_scenario(imported.path, setting.config)
            loop = start(setting, scenario, setting.seed)
            run = Run(setting.vehicle, loop.graph, real_time=False)
            try:
                while loop.simulation.ticks <= round(scenario.duration * 1e9) // TICK:
                    for now, topic, message in loop.tick():
                        if topic in HEARD:
                            run.add(topic, now, message)
            finally:
                loop.simulation.close()
        content = read_commonroad(file)
        asked = case.family == GOAL and scenario.route is not None
        problem = content.problems[0]
        measures = outcome(run) | calm(run) | goal(run, problem, content.step)
        measures["goal_asked"] = float(asked and Capability.NAVIGATION in setting.vehicle.facts.capabilities)
        return self._judge(case, run, measures)

    def _judge(self, case: Case, run: Run, measures: dict[str, float]) -> Row:
        found = contacts(run)
        result = audit(run, self._packs)
        broken = {line.clause.id: line for line in result.lines if line.outcome == "violated"}
        measures["contact_caused"] = float(any(contact.caused for contact in found))
        measures["hit"] = float(any(not contact.caused for contact in found))
        measures["comfort_broken"] = float(any(name in broken for name in COMFORT))
        reasons = [f"caused a contact at {c.time:.1f} s: {c.reason}" for c in found if c.caused]
        if measures["goal_asked"] and not measures["goal_reached"]:
            reasons.append(f"goal missed by {measures.get('goal_miss', 0.0):.1f} m")
        for name in COMFORT:
            if name in broken:
                line = broken[name]
                reasons.append(f"{name} at {line.begins[0]:.1f} s: {line.record.worst:.2f}")
        note = "; ".join(f"contact at {c.time:.1f} s: {c.reason}" for c in found[:1])
        others = ", ".join(name for name in broken if name not in COMFORT)
        return row(
            case,
            FAIL if reasons else PASS,
            "; ".join(reasons),
            measures,
            "; ".join(part for part in (note, f"rules: {others}" if others else "") if part),
        )

    def summary(self, setting: Setting, rows: Sequence[Row]) -> dict[str, Any]:
        """No contact caused, goals reached in nine of ten, comfort kept outside emergencies."""
        every, rows = rows, [row for row in rows if row.family != OTHER]
        asked = [row for row in rows if row.measures.get("goal_asked")]
        reached = sum(bool(row.measures["goal_reached"]) for row in asked)
        count = {
            "cases": len(every),
            "motorways": len(rows),
            "errors": sum(row.verdict == ERROR for row in rows),
            "contacts": sum(bool(row.measures.get("contact")) for row in rows),
            "contacts_caused": sum(bool(row.measures.get("contact_caused")) for row in rows),
            "hit_by_others": sum(bool(row.measures.get("hit")) for row in rows),
            "goal_problems": len(asked),
            "goals_reached": reached,
            "comfort_broken": sum(bool(row.measures.get("comfort_broken")) for row in rows),
            "emergencies": sum(bool(row.measures.get("emergency")) for row in rows),
        }
        share = reached / len(asked) if asked else 1.0
        passed = bool(rows) and not count["errors"] and not count["contacts_caused"]
        passed &= share >= GOALS_REACHED and not count["comfort_broken"]
        driven = [row.measures for row in rows if "calm_deceleration" in row.measures]
        return {
            "verdict": PASS if passed else FAIL,
            "sentence": f"{count['contacts_caused']} contacts caused on {len(rows)} motorways, {count['hit_by_others']} by "
            f"others; {reached} of {len(asked)} goals reached; comfort broken in {count['comfort_broken']}",
            **count,
            "goal_share": share,
            "mean_peak_deceleration": float(np.mean([m["peak_deceleration"] for m in driven]))
            if driven
            else 0.0,
            "largest_calm_deceleration": max((m["calm_deceleration"] for m in driven), default=0.0),
            "failed_cases": [f"{row.name}: {row.reason}" for row in every if row.verdict != PASS],
        }


def is_motorway(content: CommonRoadFile, problem: PlanningProblem) -> bool:
    """Whether the ego has a lane beside its own in its direction, and its own is as wide as those of motorways.

    Where it starts on no lane, the importer will say so.
    """
    try:
        road = road_around(content, problem)
    except ScenarioError:
        return True
    left, right = road.left[road.ego_lane], road.right[road.ego_lane]
    _, width, _ = ReferenceLine.from_points(right).to_road(left)
    return len(road.left) >= 2 and float(np.median(width)) >= NARROWEST


def problem_files(setting: Setting) -> list[Path]:
    """The CommonRoad files, see `recordings`."""
    return recordings(setting, FOLDER, "*.xml", "CommonRoad files")


def calm(run: Run) -> dict[str, float]:
    """Braking and jerk outside emergencies, once planning has seen the world."""
    time = run.time("truth")
    quiet = run.driving & ~near(time, run.emergency, JERK_WINDOW) & (time > SETTLED)
    if not quiet.any():
        return {}
    return {"calm_deceleration": max(float(-run.column("truth", "acceleration")[quiet].min()), 0.0)}


def goal(run: Run, problem: PlanningProblem, step: float) -> dict[str, float]:
    """Whether any goal was reached, when, and how far the car was from the region at best within the time allowed."""
    dimensions = run.vehicle.facts.dimensions
    centre = dimensions.rear_axle_to_front - 0.5 * dimensions.length
    time, yaw, speed = run.time("truth"), run.column("truth", "yaw"), run.column("truth", "speed")
    x = run.column("truth", "x") + centre * np.cos(yaw)
    y = run.column("truth", "y") + centre * np.sin(yaw)
    miss = np.inf
    for wanted in problem.goals:
        first = (wanted.first_step - problem.first_step) * step
        last = (wanted.last_step - problem.first_step) * step
        allowed = np.flatnonzero((time >= first - 1e-3) & (time <= max(last, first) + 1e-3))
        for index in allowed.tolist():
            place = (float(x[index]), float(y[index]))
            if wanted.holds(place, float(yaw[index]), float(speed[index])):
                return {"goal_reached": 1.0, "goal_time": float(time[index]), "goal_miss": 0.0}
        if wanted.middle is not None and len(allowed):
            away = np.hypot(x[allowed] - wanted.middle[0], y[allowed] - wanted.middle[1])
            miss = min(miss, float(away.min()))
    return {"goal_reached": 0.0, **({"goal_miss": miss} if np.isfinite(miss) else {})}
