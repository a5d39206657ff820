"""Where others may go next, with probabilities: each keeps its lane, or comes on into our path.

One that *keeps its lane* lets its drift die out within `drift_time` and never arrives; one that *comes on* does so at its present
lateral speed, or as much faster as the error of that speed leaves plausible. The share of those that come on follows from where a
drift that dies out would end, against the line between its lane and ours. N is the number of objects.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from pilot_planning.highway.parameters import ContingencyParameters
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

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
    # From its near side to the line that bounds its lane towards us; where it stands in no known lane, half of the clearance.
    lane = np.abs(traffic.offset[:, None] - road.offset).argmin(axis=1)
    aside = side * (traffic.offset - road.offset[lane])
    half_lane = 0.5 * road.width[lane]
    to_line = half_lane + aside - traffic.half_width
    known = (np.abs(aside) <= half_lane) & (np.abs(across) > half_lane)
    to_line = np.minimum(np.where(known, to_line, 0.5 * clearance), clearance)
    # Most keep near the middle of their lane: what is hardly known of them is taken as that.
    place, rate = traffic.offset_deviation**2, traffic.rate_deviation**2
    known_rate = p.usual_rate**2 / (p.usual_rate**2 + rate)
    known_place = p.usual_offset**2 / (p.usual_offset**2 + place)
    toward, rate = known_rate * toward, known_rate * rate
    to_line -= (1.0 - known_place) * aside * known
    deviation = np.sqrt(known_place * place + p.drift_time**2 * rate + p.wander**2)
    probability = ndtr((p.drift_time * toward - to_line) / deviation)
    # Who comes on faster and faster is seen late, and may go on to do so for a while.
    growing = np.maximum(-side * change, 0.0)
    faster = np.minimum(toward + p.growth_time * growing + p.faster * np.sqrt(rate), fastest)
    toward = np.minimum(toward + p.late * growing, fastest)
    touching = np.maximum(clearance, 0.0) / np.maximum(toward, STILL)
    way = np.maximum(clearance - p.margin, 0.0)
    likely, soonest = way / np.maximum(toward, STILL), way / np.maximum(faster, STILL)
    return Comings(probability, touching, likely, soonest)
