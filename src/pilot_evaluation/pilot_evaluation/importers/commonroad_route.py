"""Which lanelets of a CommonRoad file are one lane: chains through successors and predecessors.

The ego's lane follows its lanelet forward and back. Where it splits, it goes on towards the goal, as long as the way is no turn
at a crossing; else straight on, for a motorway pilot has no route. Other lanes are chains of the lanelets left over.
"""

import math

import numpy as np

from pilot_common.errors import ScenarioError
from pilot_common.geometry import wrap
from pilot_common.road import ReferenceLine
from pilot_evaluation.importers.commonroad_file import CommonRoadFile, Lanelet, PlanningProblem
from pilot_evaluation.importers.commonroad_goal import inside

ALIGNED = math.radians(30.0)  # a lanelet that runs the same way
SHARPEST_TURN = math.radians(45.0)  # within a lanelet, unless it is so long that its radius is that of a road
SMALLEST_RADIUS = 50.0  # m
NEAREST = 5.0  # m from a lane at most, for the ego to be on the road
UNDECIDED = 0.5  # m: lanelets that the ego is as near to as that are alternatives


def ego_chain(file: CommonRoadFile, problem: PlanningProblem) -> list[Lanelet]:
    """The lanelets of the ego's lane in driving order. Raises ScenarioError where the ego starts on no lane."""
    leading = {identity for identity in file.lanelets if _leads_to_goal(file, identity, problem)}
    return chain_through(file, _start(file, problem, leading), set(file.lanelets), leading)


def chain_through(file: CommonRoadFile, start: Lanelet, free: set[int], leading: set[int]) -> list[Lanelet]:
    """The chain of `free` lanelets through one; at a split what is `leading` first, then what is straightest."""
    chain, free = [start], free - {start.identity}
    while (ahead := _next(file, chain[-1], chain[-1].successors, free, leading, True)) is not None:
        chain.append(ahead)
        free.discard(ahead.identity)
    while (behind := _next(file, chain[0], chain[0].predecessors, free, set(), False)) is not None:
        chain.insert(0, behind)
        free.discard(behind.identity)
    return chain


def _next(
    file: CommonRoadFile,
    end: Lanelet,
    linked: tuple[int, ...],
    free: set[int],
    leading: set[int],
    forward: bool,
) -> Lanelet | None:
    """What the lane goes on as (or came from), None where it ends."""

    def turn(lanelet: Lanelet) -> float:
        return _turn(end, lanelet) if forward else _turn(lanelet, end)

    known = [file.lanelets[identity] for identity in linked if identity in free]
    smooth = [lanelet for lanelet in known if not _is_crossing(lanelet if forward else end, turn(lanelet))]
    wanted = [lanelet for lanelet in smooth if lanelet.identity in leading]
    return min(wanted or smooth, key=turn, default=None)


def _turn(lanelet: Lanelet, following: Lanelet) -> float:
    """Angle between the end of one lanelet and the end of the next."""
    before = lanelet.centre[-1] - lanelet.centre[-2]
    after = following.centre[-1] - following.centre[-2]
    return abs(wrap(math.atan2(after[1], after[0]) - math.atan2(before[1], before[0])))


def _is_crossing(following: Lanelet, turn: float) -> bool:
    """Whether the turn within a lanelet is that of a crossing, not a bend of the road."""
    length = float(np.sum(np.hypot(*np.diff(following.centre, axis=0).T)))
    return turn > SHARPEST_TURN and turn > length / SMALLEST_RADIUS


def _start(file: CommonRoadFile, problem: PlanningProblem, leading: set[int]) -> Lanelet:
    """The lanelet the ego stands on: aligned with it, leading to the goal where several do, nearest."""
    position = np.array([problem.position])
    candidates = []
    for lanelet in file.lanelets.values():
        line = ReferenceLine.from_points(lanelet.centre)
        station, offset, heading = line.to_road(position)
        overrun = max(float(line.station[0] - station[0]), float(station[0] - line.station[-1]), 0.0)
        distance = math.hypot(float(offset[0]), overrun)
        if abs(wrap(float(heading[0]) - problem.heading)) < ALIGNED and distance < NEAREST:
            candidates.append((distance, lanelet.identity))
    if not candidates:
        x, y = problem.position
        raise ScenarioError(
            f"{file.name}: no lanelet runs the ego's way within {NEAREST:g} m of its start ({x:.1f}, {y:.1f})"
        )
    candidates.sort()
    near = [identity for distance, identity in candidates if distance < candidates[0][0] + UNDECIDED]
    return file.lanelets[next((identity for identity in near if identity in leading), near[0])]


def _leads_to_goal(file: CommonRoadFile, identity: int, problem: PlanningProblem) -> bool:
    """Whether the goal can be reached from a lanelet through successors and neighbours of the same direction."""
    reached: set[int] = set()
    waiting = [identity]
    while waiting:
        current = waiting.pop()
        if current in reached or current not in file.lanelets:
            continue
        reached.add(current)
        lanelet = file.lanelets[current]
        if current == problem.goal_lanelet or (
            problem.goal is not None and inside(lanelet.outline, problem.goal)
        ):
            return True
        waiting += [
            *lanelet.successors,
            *(beside for beside in (lanelet.left, lanelet.right) if beside is not None),
        ]
    return False
