"""A CommonRoad problem becomes a recorded scenario: its road, its traffic as it was, the ego where it starts.

The others do not react to the ego. It starts engaged at its initial speed and drives for as long as traffic was recorded.
Shapes: T times, N actors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pilot_common.errors import ScenarioError
from pilot_common.types import ObjectClass
from pilot_evaluation.importers import Imported
from pilot_evaluation.importers.commonroad_file import (
    CommonRoadFile,
    Obstacle,
    PlanningProblem,
    read_commonroad,
)
from pilot_evaluation.importers.commonroad_road import RecordedRoad, road_around
from pilot_simulation.recording import Recording
from pilot_simulation.road import recorded_road
from pilot_simulation.scenario import FOLDER_FILE

RECORDING_FILE = "recording.npz"
CLASSES = {
    "car": ObjectClass.CAR,
    "taxi": ObjectClass.CAR,
    "priorityVehicle": ObjectClass.CAR,
    "parkedVehicle": ObjectClass.CAR,
    "truck": ObjectClass.TRUCK,
    "bus": ObjectClass.TRUCK,
    "motorcycle": ObjectClass.TWO_WHEELER,
    "bicycle": ObjectClass.TWO_WHEELER,
    "pedestrian": ObjectClass.PEDESTRIAN,
}
HEIGHTS = {
    ObjectClass.CAR: 1.5,
    ObjectClass.TRUCK: 3.5,
    ObjectClass.TWO_WHEELER: 1.7,
    ObjectClass.PEDESTRIAN: 1.75,
}
OTHER_HEIGHT = 1.5  # m
SHORTEST = 0.5  # s, of a scenario
TIME_GAP = 1.2  # s, the driver's wish: dense traffic, where a longer one makes everybody cut in
ENGAGE_AT = 0.04  # s: as early as a button counts, for it must have been seen released
FASTER_TO_GOAL = 1.4  # of the mean speed to the goal: the most he asks for to be there in time
EARLY = 0.25  # of the time in which he may be at his goal
SHARE_FASTER = 10  # % of the recorded speeds may lie above the driver's wish
# The ego starts where a human was in the lane, up to 0.8 m from its middle, and some drives last only three seconds.
CRITERIA = {"contact_caused": 0.0, "lateral_error_95": 1.2}


def import_commonroad(file: Path, out: Path, problem: int | None = None) -> Imported:
    """Writes the scenario folder `out` of a file's planning problem (the first, or the one of that id). Raises ScenarioError."""
    content = read_commonroad(file)
    chosen = _problem(content, problem)
    road = road_around(content, chosen)
    recording = _recording(content, chosen, road)
    scenario = _scenario(content, chosen, road, recording)
    try:
        out.mkdir(parents=True)
    except FileExistsError:
        raise ScenarioError(f"{out}: exists already and is not overwritten") from None
    recording.save(out / RECORDING_FILE)
    (out / FOLDER_FILE).write_text(
        yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    facts: dict[str, int | float | str] = {
        "source": content.name,
        "seconds": scenario["duration"],
        "lanes": len(road.left),
        "ego_lane": road.ego_lane,
        "actors": len(recording.identity),
    }
    return Imported(out, facts)


def _problem(content: CommonRoadFile, identity: int | None) -> PlanningProblem:
    if identity is None:
        return content.problems[0]
    for problem in content.problems:
        if problem.identity == identity:
            return problem
    known = ", ".join(str(problem.identity) for problem in content.problems)
    raise ScenarioError(f"{content.name}: no planning problem {identity}; there are {known}")


def _recording(content: CommonRoadFile, problem: PlanningProblem, road: RecordedRoad) -> Recording:
    moving = [obstacle for obstacle in content.obstacles if obstacle.moves]
    last = max((int(obstacle.step[-1]) for obstacle in moving), default=problem.last_step)
    steps = np.arange(problem.first_step, max(last, problem.first_step) + 1)
    if (len(steps) - 1) * content.step < SHORTEST:
        raise ScenarioError(
            f"{content.name}: {(len(steps) - 1) * content.step:g} s are recorded, too few to drive"
        )
    there = [
        obstacle for obstacle in content.obstacles if not obstacle.moves or obstacle.step[-1] >= steps[0]
    ]
    states = [_states(obstacle, steps) for obstacle in there]
    kinds = [CLASSES.get(obstacle.kind, ObjectClass.UNKNOWN) for obstacle in there]
    sizes = [
        (o.length, o.width, HEIGHTS.get(kind, OTHER_HEIGHT)) for o, kind in zip(there, kinds, strict=True)
    ]
    position, heading, speed, present = (
        _stacked([state[i] for state in states], len(steps)) for i in range(4)
    )
    return Recording(
        left=road.left,
        right=road.right,
        left_kind=road.left_kind,
        right_kind=road.right_kind,
        time=(steps - steps[0]) * content.step,
        identity=np.array([obstacle.identity for obstacle in there], np.uint32),
        class_id=np.array(kinds, np.uint8),
        extent=np.array(sizes).reshape(-1, 3),
        position=position if states else np.empty((len(steps), 0, 2)),
        heading=heading,
        speed=speed,
        present=present.astype(bool),
    )


def _states(obstacle: Obstacle, steps: np.ndarray) -> tuple[np.ndarray, ...]:
    """Position (T, 2), heading, speed and presence (T,) at the scenario's steps; what stands is there all the time."""
    known = obstacle.step if obstacle.moves else steps[:1]
    position = np.stack([np.interp(steps, known, obstacle.position[:, axis]) for axis in range(2)], axis=-1)
    heading = np.interp(steps, known, np.unwrap(obstacle.heading))
    speed = np.interp(steps, known, obstacle.speed)
    present = (steps >= known[0]) & (steps <= known[-1]) if obstacle.moves else np.ones(len(steps), bool)
    return position, heading, speed, present


def _stacked(columns: Sequence[np.ndarray], times: int) -> np.ndarray:
    return np.stack(columns, axis=1) if columns else np.empty((times, 0))


def _scenario(
    content: CommonRoadFile, problem: PlanningProblem, road: RecordedRoad, recording: Recording
) -> dict[str, Any]:
    """The content of the scenario's YAML file."""
    wish, due = _set_speed(problem, road, recording), {}
    route: dict[str, Any] = {}
    goal = goal_on_road(content, problem, recording, road)
    if goal is not None:
        stretch = {"start": round(goal.station, 2), "lanes": [goal.lane], "guidance": "goal"}
        route = {"route": {"stretches": [stretch]}}
        if goal.due is not None:
            wish = max(wish, FASTER_TO_GOAL * goal.distance / goal.due)
            due = {"arrival": {"station": round(goal.station, 2), "time": round(goal.due, 2)}}
    return {
        "title": f"{content.name}: recorded traffic that does not react",
        "duration": round(float(recording.time[-1]), 3),
        "seed": 1,
        "ego": {"speed": problem.speed, "pose": [*problem.position, problem.heading]},
        "driver": {
            "set_speed": round(wish, 2),
            "time_gap": TIME_GAP,
            "engage_at": ENGAGE_AT,
            **due,
        },
        **route,
        "recording": {"file": RECORDING_FILE, "source": content.name, "speed_limit": road.speed_limit},
        "criteria": dict(CRITERIA),
    }


@dataclass(frozen=True, slots=True)
class GoalOnRoad:
    """Where on the road a problem wants the ego: station, distance from the start, lanes; `due` (s) where it says when."""

    station: float
    distance: float
    lane: int
    start_lane: int
    due: float | None


def goal_on_road(
    content: CommonRoadFile, problem: PlanningProblem, recording: Recording, road: RecordedRoad
) -> GoalOnRoad | None:
    """The first goal, in the coordinates of the true road; None where it names no place or one that lies beside the road."""
    goal = problem.goals[0]
    if goal.middle is None:
        return None
    true = recorded_road(recording, road.speed_limit)
    start = true.project(*problem.position, true.nearest_station(*problem.position))
    end = true.project(*goal.middle, true.nearest_station(*goal.middle))
    lane, offset, width = true.lane_at(end.station, end.offset)
    if abs(offset) > width:
        return None
    start_lane, _, _ = true.lane_at(start.station, start.offset)
    appointed = not goal.lanelets and goal.first_step > problem.first_step
    # Early in the time allowed, but not at its beginning: who is a little late is still in time.
    due = goal.first_step + EARLY * (goal.last_step - goal.first_step) - problem.first_step
    distance = end.station - start.station
    station = end.station
    if goal.lanelets:  # anywhere in it will do: the lane has to be reached by its end
        corners = [(float(x), float(y)) for x, y in goal.outlines[0]]
        station = max(true.project(x, y, true.nearest_station(x, y)).station for x, y in corners)
    return GoalOnRoad(station, distance, lane, start_lane, due * content.step if appointed else None)


def _set_speed(problem: PlanningProblem, road: RecordedRoad, recording: Recording) -> float:
    """What a driver who swims along would set: the limit where one is known, else the speed of the faster traffic."""
    if road.speed_limit > 0.0:
        return road.speed_limit
    seen = recording.speed[recording.present]
    faster = float(np.percentile(seen, 100 - SHARE_FASTER)) if len(seen) else 0.0
    return round(max(problem.speed, faster), 2)
