"""Where others may go next, with probabilities: each keeps its lane, or comes on into our path.

How likely somebody comes follows by Bayes from his place in his lane and his lateral speed: who keeps his lane wanders about its
middle, who leaves it may be anywhere and move fast. The errors of the track widen both, so that what is hardly known says little.
One who comes does so at his present lateral speed, or as much faster as its error and its growth leave plausible. N objects.
"""

import math
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from pilot_common.compiled import compiled
from pilot_planning.highway.parameters import ContingencyParameters
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

USUAL_FREE, LEAST_FREE = (
    0.8,
    0.3,
)  # m from a car's side to the line of its lane: where no lane is known, at least
LARGEST_EXPONENT = 50.0
STILL = 1e-3  # m/s, lateral speeds are not taken below, so that arrivals stay finite

LEAVING = attrgetter("prior", "wander", "usual_offset", "sway", "usual_rate", "settle")
COMING = attrgetter("usual_rate", "memory", "growth_time", "faster", "late", "margin")


class LateralMemory:
    """How fast lateral speeds change: against their own slow mean over the last cycles, by identity."""

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Forgets everybody."""
        self._stamp = -np.inf
        self._identity, self._mean = np.empty(0, int), np.empty(0)

    def update(self, stamp: float, traffic: Traffic) -> np.ndarray:
        """Lateral accelerations (N,) of the objects now, left positive; none for newcomers."""
        elapsed = stamp - self._stamp
        if not 0.0 < elapsed < self._memory:
            self._identity = np.empty(0, int)
        share = min(1.0, max(0.0, elapsed) / self._memory)
        change, self._mean = _changes(
            traffic.identity, traffic.offset_rate, self._identity, self._mean, share
        )
        self._identity, self._stamp = traffic.identity, stamp
        return change / self._memory


@compiled
def _changes(
    identity: np.ndarray, rate: np.ndarray, known: np.ndarray, known_mean: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rates (N,) against their means, and the means moved by a share of that; `known` (M,) are who was there a cycle ago."""
    change, mean = np.zeros(len(rate)), rate.copy()
    for row in range(len(rate)):
        for place in range(len(known)):
            if known[place] == identity[row]:
                change[row] = rate[row] - known_mean[place]
                mean[row] = known_mean[place] + change[row] * share
                break
    return change, mean


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
    found = _comings(
        traffic.offset,
        traffic.offset_rate,
        traffic.offset_deviation,
        traffic.rate_deviation,
        traffic.half_width,
        traffic.speed,
        road.offset,
        road.width,
        across,
        clearance,
        change,
        LEAVING(p),
        COMING(p),
    )
    return Comings(*found)


@compiled
def _comings(
    offset: np.ndarray,
    offset_rate: np.ndarray,
    offset_deviation: np.ndarray,
    rate_deviation: np.ndarray,
    half_width: np.ndarray,
    speed: np.ndarray,
    lane_offset: np.ndarray,
    lane_width: np.ndarray,
    across: np.ndarray,
    clearance: np.ndarray,
    change: np.ndarray,
    leaving: tuple[float, float, float, float, float, float],
    coming: tuple[float, float, float, float, float, float],
) -> np.ndarray:
    """The fields of `Comings`, (4, N)."""
    usual_rate, memory, growth_time, faster, late, margin = coming
    found = np.empty((4, len(offset)))
    for row in range(len(offset)):
        side = 1.0 if across[row] > 0.0 else -1.0
        # Cars do not move sideways but on: who stands does not come, and walkers are looked at as crossing.
        fastest, error = abs(speed[row]), rate_deviation[row]
        toward = min(-side * offset_rate[row], fastest)
        lane = 0
        for other in range(1, len(lane_offset)):
            if abs(lane_offset[other] - offset[row]) < abs(lane_offset[lane] - offset[row]):
                lane = other
        aside, half_lane = side * (offset[row] - lane_offset[lane]), 0.5 * lane_width[lane]
        known = abs(aside) <= half_lane and abs(across[row]) > half_lane
        found[0, row] = _leaves(
            known,
            aside,
            half_lane,
            half_width[row],
            clearance[row],
            toward,
            offset_deviation[row],
            error,
            leaving,
        )
        # What is hardly known of a lateral speed is taken as usual, and its growth as noise.
        believed = usual_rate**2 / (usual_rate**2 + error**2)
        toward, deviation = believed * toward, math.sqrt(believed * error**2)
        # Who comes on faster and faster is seen late, and may go on to do so for a while.
        growing = max(-side * change[row] - error / memory, 0.0)
        soon = min(toward + growth_time * growing + faster * deviation, fastest)
        found[1, row] = max(clearance[row], 0.0) / max(toward, STILL)
        toward = min(toward + late * growing, fastest)
        way = max(clearance[row] - margin, 0.0)
        found[2, row], found[3, row] = way / max(toward, STILL), way / max(soon, STILL)
    return found


@compiled
def _leaves(
    known: bool,
    aside: float,
    half_lane: float,
    half_width: float,
    clearance: float,
    toward: float,
    offset_deviation: float,
    rate_deviation: float,
    leaving: tuple[float, float, float, float, float, float],
) -> float:
    """Probability that somebody leaves his lane towards our path, where it is `known` `aside` of its middle, away from us."""
    prior, wander, usual_offset, sway, usual_rate, settle = leaving
    # From its near side to the line; where it stands in no known lane, half of the clearance counts as that.
    free = max(half_lane - half_width, LEAST_FREE) if known else USUAL_FREE
    excursion = max(-aside if known else USUAL_FREE - 0.5 * clearance, 0.0)
    if clearance < free - excursion:
        excursion = free
    # Who is still on the far side of a lane may be on his way to its middle: so much of his speed ends there by itself.
    toward -= math.sqrt(2.0 * settle * max(aside - wander * free, 0.0)) if known else 0.0
    place = _ratio(excursion, wander * free, free + usual_offset, offset_deviation)
    if toward <= 0.0 and excursion < free:
        return 0.0
    # Who is over the line comes though he seems to move away, if only by less than his speed is known.
    away = math.erf(min(toward, 0.0) / (math.sqrt(2.0) * max(rate_deviation, STILL)))
    rate = 2.0 * (1.0 + away) * _ratio(max(toward, 0.0), sway, usual_rate, rate_deviation)
    odds = prior * place * rate
    return odds / (1.0 + odds)


@compiled
def _ratio(value: float, keeps: float, leaves: float, error: float) -> float:
    """How much likelier a value is with the deviation of those who leave than with that of those who keep their lane."""
    squared = error * error
    narrow, wide = keeps * keeps + squared, leaves * leaves + squared
    exponent = min(0.5 * value * value * (1.0 / narrow - 1.0 / wide), LARGEST_EXPONENT)
    return math.sqrt(narrow / wide) * math.exp(exponent)
