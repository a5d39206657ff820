"""How far a drive stays within what ISO 15622, UN R157 and UN R79 allow; from the truth of the simulation.

An excess is how much a limit was overstepped, negative where there was room left; limits that depend on the speed make it so.
"""

from collections.abc import Callable

import numpy as np

from pilot_common.regulation import (
    braking_jerk,
    following_acceleration,
    following_deceleration,
    rear_distance,
    regulation_gap,
)
from pilot_common.types import Manoeuvre
from pilot_evaluation.measures.lead import find_lead
from pilot_evaluation.measures.measure import Measure, nothing, spans
from pilot_evaluation.measures.motion import JERK_WINDOW, mean_rate, near
from pilot_evaluation.run import CHANGING, Run

WINDOW = 2.0  # s; ISO 15622 averages deceleration and acceleration over two seconds
SETTLED_CLOSING, SETTLED_ACCELERATION = 0.5, 0.3  # m/s, m/s²: following is steady
SETTLED_FOR = 3.0  # s
ROLLING = 2.0  # m/s; below, the standstill distance counts
MOVED = 0.1  # m that a lane change has gone when it has begun, more than a car sways in its lane


def braking_excess(run: Run) -> Measure:
    """Mean deceleration of two seconds beyond ISO 15622's at that speed, emergencies apart, m/s²."""
    return _longitudinal(run, WINDOW, -1.0, following_deceleration, "speed", "deceleration of 2 s", "m/s²")


def acceleration_excess(run: Run) -> Measure:
    """Mean acceleration of two seconds beyond ISO 15622's at that speed, m/s²."""
    return _longitudinal(run, WINDOW, 1.0, following_acceleration, "speed", "acceleration of 2 s", "m/s²")


def braking_jerk_excess(run: Run) -> Measure:
    """Mean negative jerk of one second beyond ISO 15622's at that speed, emergencies apart, m/s³."""
    return _longitudinal(run, JERK_WINDOW, -1.0, braking_jerk, "acceleration", "braking jerk of 1 s", "m/s³")


def _longitudinal(
    run: Run, window: float, sign: float, limit: Callable[[float], float], column: str, what: str, unit: str
) -> Measure:
    """Largest excess of the mean rate of a column over a limit by speed, where the system drove all of the window."""
    time = run.time("truth")
    if len(time) < 2:
        return nothing("no truth was recorded")
    calm = ~near(time, run.emergency | ~run.driving, window) & (time >= 0.5 * window)
    calm &= time <= time[-1] - 0.5 * window
    if not calm.any():
        return nothing("the system never drove outside emergencies")
    speed = run.column("truth", "speed")
    allowed = np.array([limit(value) for value in speed[calm].tolist()])
    excess = sign * mean_rate(time, run.column("truth", column), window)[calm] - allowed
    index = int(np.argmax(excess))
    value, at = float(excess[index]), float(time[calm][index])
    told = f"{value + allowed[index]:.2f} of {allowed[index]:.2f} {unit} allowed"
    return Measure(value, f"{what} at most {told}, at {at:.1f} s")


def gap_shortfall(run: Run) -> Measure:
    """By how much steady following was closer than UN R157 5.2.3.3 asks for at that speed, m."""
    time, speed = run.time("truth"), run.column("truth", "speed")
    lead = find_lead(run)
    steady = run.driving & lead.there & (speed > ROLLING)
    steady &= np.abs(speed - lead.speed) < SETTLED_CLOSING
    steady &= np.abs(run.column("truth", "acceleration")) < SETTLED_ACCELERATION
    settled = np.zeros(len(time), bool)
    for first, last in spans(steady):
        settled[first : last + 1] = time[first : last + 1] >= time[first] + SETTLED_FOR
    if not settled.any():
        return nothing("nobody was followed steadily")
    needed = np.array([regulation_gap(value) for value in speed[settled].tolist()])
    shortfall = needed - lead.gap[settled]
    index = int(np.argmax(shortfall))
    return Measure(
        float(shortfall[index]),
        f"steady gap of {needed[index] - shortfall[index]:.1f} m where {needed[index]:.1f} m are asked for",
    )


def lane_change_start(run: Run) -> Measure:
    """When the first lane change began to move sideways, s since measuring began."""
    change = _first_change(run)
    if change is None:
        return nothing("no lane was changed")
    begin = float(run.time("truth")[change[0]])
    return Measure(begin, f"moved sideways from {begin:.1f} s on")


def lane_change_crossing(run: Run) -> Measure:
    """UN R79: from the first wheel on the marking to the last one across it, first lane change, s."""
    change = _first_change(run)
    if change is None:
        return nothing("no lane was changed")
    time = run.time("truth")
    value = float(time[change[2]] - time[change[1]])
    return Measure(value, f"over the marking for {value:.2f} s")


def lane_change_reversal(run: Run) -> Measure:
    """UN R79: a lane change is one continuous movement; how far the first one went back on its way to the new lane, m."""
    change = _first_change(run)
    if change is None:
        return nothing("no lane was changed")
    offset = run.column("truth", "offset")[change[0] : change[2] + 1]
    way = offset if offset[-1] > offset[0] else -offset
    value = float((np.maximum.accumulate(way) - way).max())
    return Measure(value, f"went back by at most {value:.2f} m on its way")


def rear_shortfall(run: Run) -> Measure:
    """How much less than UN R79's distance there was to a car behind in the target lane when a lane change began, m."""
    if not run.messages("plan"):
        return nothing("nothing was planned")
    manoeuvre = run.held("plan", "manoeuvre", run.time("truth"))
    starts = [first for first, _ in spans(np.isin(manoeuvre, CHANGING))]
    worst: float | None = None
    for index in starts:
        side = 1.0 if manoeuvre[index] == Manoeuvre.LANE_CHANGE_LEFT else -1.0
        for shortfall in _rear(run, index, side):
            worst = shortfall if worst is None else max(worst, shortfall)
    if worst is None:
        return nothing("nobody came from behind into a lane change")
    return Measure(
        worst, f"rear distance at the start of a lane change {-worst:.1f} m beyond what is asked for"
    )


def _rear(run: Run, index: int, side: float) -> list[float]:
    """Shortfall of the rear distance to each car behind in the next lane on a side, at one time of truth."""
    truth, dimensions = run.messages("truth")[index], run.vehicle.facts.dimensions
    rear = truth.station + dimensions.rear_axle_to_front - dimensions.length
    lane = truth.offset - truth.lane_offset + side * truth.lane_width
    inside = np.abs(truth.offset_other - lane) < 0.5 * truth.lane_width
    gap = rear - (truth.station_other + 0.5 * truth.extent[:, 0])
    behind = inside & (truth.station_other < truth.station)
    return [
        rear_distance(truth.speed, speed) - distance
        for distance, speed in zip(gap[behind].tolist(), truth.speed_other[behind].tolist(), strict=True)
    ]


def _first_change(run: Run) -> tuple[int, int, int] | None:
    """Times of truth at which the first lane change began to move, touched the marking and was across it."""
    offset, lane = run.column("truth", "offset"), run.column("truth", "lane")
    crossings = np.flatnonzero(np.diff(lane))
    if len(crossings) == 0:
        return None
    crossing = int(crossings[0])
    width = run.column("truth", "lane_width")[crossing]
    edge = offset[crossing] - run.column("truth", "lane_offset")[crossing]
    edge += 0.5 * width * np.sign(offset[crossing + 1] - offset[crossing])
    half = 0.5 * run.vehicle.facts.dimensions.width
    over = np.abs(offset - edge) < half
    across = crossing + int(np.argmax(np.append(~over[crossing:], True)))
    if across >= len(offset):
        return None
    touching = crossing - int(np.argmax(np.append(~over[crossing::-1], True))) + 1
    centre = offset[crossing] - run.column("truth", "lane_offset")[crossing]
    still = np.flatnonzero(np.abs(offset[:touching] - centre) < MOVED)
    return (int(still[-1]) + 1 if len(still) else 0), touching, across
