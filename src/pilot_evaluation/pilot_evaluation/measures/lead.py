"""The vehicle ahead: gap, time gap, time to collision, from the truth of the simulation."""

from dataclasses import dataclass

import numpy as np

from pilot_evaluation.measures.measure import Measure, nothing
from pilot_evaluation.run import Run

CLOSING = 0.1  # m/s: below, there is no time to collision
ROLLING = 5.0  # m/s: below, a time gap says nothing


@dataclass(frozen=True, slots=True)
class Lead:
    """The nearest road user ahead whose body overlaps the ego's path, at each of T times; `there` is false where none is."""

    there: np.ndarray
    row: np.ndarray  # into `run.others`, 0 where there is none
    gap: np.ndarray  # bumper to bumper along the road, inf where there is none
    speed: np.ndarray  # of the lead


def find_lead(run: Run) -> Lead:
    """Nearest body ahead by road coordinates. Along the road the ego's box is taken as straight, which it is but in turns."""
    others, dimensions = run.others, run.vehicle.facts.dimensions
    times = len(run.messages("truth"))
    station, offset = run.column("truth", "station")[others.row], run.column("truth", "offset")[others.row]
    front = station + dimensions.rear_axle_to_front
    centre = front - 0.5 * dimensions.length
    overlapping = np.abs(others.offset - offset) < 0.5 * (others.width + dimensions.width)
    candidate = np.flatnonzero(overlapping & (others.station > centre))
    gap_all = (others.station - 0.5 * others.length - front)[candidate]
    order = np.lexsort((gap_all, others.row[candidate]))
    time_index, first = np.unique(others.row[candidate][order], return_index=True)
    nearest = candidate[order[first]]
    there = np.zeros(times, bool)
    row = np.zeros(times, int)
    gap = np.full(times, np.inf)
    speed = np.zeros(times)
    there[time_index] = True
    row[time_index] = nearest
    gap[time_index] = gap_all[order[first]]
    speed[time_index] = others.speed[nearest]
    return Lead(there, row, gap, speed)


def gap_minimum(run: Run) -> Measure:
    """Smallest distance to the vehicle ahead while the system drove, m."""
    return _smallest(run, find_lead(run).gap, "gap to the vehicle ahead", "m")


def time_gap_minimum(run: Run) -> Measure:
    """Smallest time gap above walking pace while the system drove, s."""
    speed = run.column("truth", "speed")
    gap = np.where(speed > ROLLING, find_lead(run).gap / np.maximum(speed, ROLLING), np.inf)
    return _smallest(run, gap, "time gap to the vehicle ahead", "s")


def time_to_collision_minimum(run: Run) -> Measure:
    """Smallest gap over closing speed while the system drove, s."""
    lead = find_lead(run)
    closing = run.column("truth", "speed") - lead.speed
    time = np.where(lead.there & (closing > CLOSING), lead.gap / np.maximum(closing, CLOSING), np.inf)
    return _smallest(run, time, "time to collision", "s")


def _smallest(run: Run, values: np.ndarray, what: str, unit: str) -> Measure:
    if not np.any(run.driving):
        return nothing("the system never drove")
    values = np.where(run.driving, values, np.inf)
    if not np.any(np.isfinite(values)):
        return nothing(f"no {what}: nobody was ahead in the lane")
    index = int(np.argmin(values))
    return Measure(
        float(values[index]),
        f"smallest {what} {values[index]:.2f} {unit}, at {run.time('truth')[index]:.1f} s",
    )
