"""Where others may go next, with probabilities: each keeps its lane, or comes on into our path.

How likely somebody comes follows by Bayes from his place in his lane and his lateral speed: who keeps his lane wanders about its
middle, who leaves it may be anywhere and move fast. The errors of the track widen both, so that what is hardly known says little.
One who comes does so at his present lateral speed, or as much faster as its error and its growth leave plausible. N objects.
"""

from dataclasses import dataclass

import numpy as np

from pilot_planning.highway.parameters import ContingencyParameters
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

USUAL_FREE, LEAST_FREE = (
    0.8,
    0.3,
)  # m from a car's side to the line of its lane: where no lane is known, at least
LARGEST_EXPONENT = 50.0
STILL = 1e-3  # m/s, lateral speeds are not taken below, so that arrivals stay finite


class LateralMemory:
    """How fast lateral speeds change: against their own slow mean over the last cycles, by identity."""

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Forgets everybody."""
        self._stamp = -np.inf
        self._identity, self._mean = np.empty(0, np.uint32), np.empty(0)

    def update(self, stamp: float, traffic: Traffic) -> np.ndarray:
        """Lateral accelerations (N,) of the objects now, left positive; none for newcomers."""
        elapsed = stamp - self._stamp
        mean = traffic.offset_rate.copy()
        if 0.0 < elapsed < self._memory and len(self._identity):
            same = traffic.identity[:, None] == self._identity
            known = same.any(axis=1)
            mean[known] = self._mean[same.argmax(axis=1)[known]]
        change = traffic.offset_rate - mean
        self._identity, self._stamp = traffic.identity, stamp
        self._mean = mean + change * min(1.0, max(0.0, elapsed) / self._memory)
        return change / self._memory


@dataclass(frozen=True, slots=True)
class Comings:
    """How N objects may come into our path, each (N,): with which probability, and when those that do so would touch us, likely
    arrive within the margin, and do that at the soonest.
    """

    probability: np.ndarray
    touching: np.ndarray
    likely: np.ndarray
    soonest: np.ndarray


def comings(
    traffic: Traffic,
    road: Road,
    across: np.ndarray,
    clearance: np.ndarray,
    change: np.ndarray,
    p: ContingencyParameters,
) -> Comings:
    """Of every object: `across` (N,) is the offset of its centre from our path, `clearance` (N,) the room between our sides,
    `change` (N,) its lateral acceleration.
    """
    side = np.where(across > 0.0, 1.0, -1.0)
    # Cars do not move sideways but on: who stands does not come, and walkers are looked at as crossing.
    fastest = np.abs(traffic.speed)
    toward = np.minimum(-side * traffic.offset_rate, fastest)
    probability = _leaves(traffic, road, across, clearance, toward, side, p)
    # What is hardly known of a lateral speed is taken as usual, and its growth as noise.
    rate = traffic.rate_deviation**2
    known = p.usual_rate**2 / (p.usual_rate**2 + rate)
    toward, deviation = known * toward, np.sqrt(known * rate)
    # Who comes on faster and faster is seen late, and may go on to do so for a while.
    growing = np.maximum(-side * change - traffic.rate_deviation / p.memory, 0.0)
    faster = np.minimum(toward + p.growth_time * growing + p.faster * deviation, fastest)
    touching = np.maximum(clearance, 0.0) / np.maximum(toward, STILL)
    toward = np.minimum(toward + p.late * growing, fastest)
    way = np.maximum(clearance - p.margin, 0.0)
    likely, soonest = way / np.maximum(toward, STILL), way / np.maximum(faster, STILL)
    return Comings(probability, touching, likely, soonest)


def _leaves(
    traffic: Traffic,
    road: Road,
    across: np.ndarray,
    clearance: np.ndarray,
    toward: np.ndarray,
    side: np.ndarray,
    p: ContingencyParameters,
) -> np.ndarray:
    """Probability (N,) that each leaves its lane towards our path."""
    lane = np.abs(traffic.offset[:, None] - road.offset).argmin(axis=1)
    aside = side * (traffic.offset - road.offset[lane])
    half_lane = 0.5 * road.width[lane]
    known = (np.abs(aside) <= half_lane) & (np.abs(across) > half_lane)
    # From its near side to the line; where it stands in no known lane, half of the clearance counts as that.
    free = np.where(known, np.maximum(half_lane - traffic.half_width, LEAST_FREE), USUAL_FREE)
    excursion = np.maximum(np.where(known, -aside, USUAL_FREE - 0.5 * clearance), 0.0)
    excursion = np.where(clearance < free - excursion, free, excursion)
    place = _ratio(excursion, p.wander * free, free + p.usual_offset, traffic.offset_deviation)
    rate = 2.0 * _ratio(np.maximum(toward, 0.0), p.sway, p.usual_rate, traffic.rate_deviation)
    odds = p.prior * np.where(toward > 0.0, place * rate, 0.0)
    return odds / (1.0 + odds)


def _ratio(
    value: np.ndarray, keeps: np.ndarray | float, leaves: np.ndarray | float, error: np.ndarray
) -> np.ndarray:
    """How much likelier a value (N,) is with the deviation of those who leave than with that of those who keep their lane."""
    squared = error * error
    narrow, wide = keeps * keeps + squared, leaves * leaves + squared
    exponent = np.minimum(0.5 * value * value * (1.0 / narrow - 1.0 / wide), LARGEST_EXPONENT)
    return np.sqrt(narrow / wide) * np.exp(exponent)
