"""Laws by which the car adapts its speed to lanes and gaps: the end of a lane, a lower limit ahead, a gap to move into."""

import math

from pilot_common.compiled import compiled
from pilot_planning.highway.longitudinal import FREE, Law

LATE = 1.5  # times its deceleration, what an approach that begins too late may ask for


@compiled
def approach_bound(
    deceleration: float,
    gain: float,
    distance: float,
    place: float,
    target: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """Of `ApproachLaw`."""
    way = distance + place * time - travelled
    there, over = max(0.0, target - place), speed - place
    if way <= 0.0:
        return max(-deceleration, gain * (there - over))
    line = math.sqrt(there * there + 2.0 * deceleration * way)
    return max(-LATE * deceleration, gain * (line - over) - deceleration)


class ApproachLaw(Law):
    """Be no faster than `target` at a place `distance` ahead that itself moves on at `place` (m/s; 0: it stands).

    Under constant deceleration d the speed over the place may be w(s) = √(w₀² + 2 d s) at a distance s from it. The law follows
    that line: gain × (w(s) − w) − d once the speed is near it, so that nothing is asked before the latest comfortable moment.
    """

    __slots__ = ("_deceleration", "_gain", "distance", "place", "target")
    formula = staticmethod(approach_bound)

    def __init__(
        self, distance: float, target: float, place: float, deceleration: float, gain: float
    ) -> None:
        self.distance, self.target, self.place = distance, target, place
        self._deceleration, self._gain = deceleration, gain


@compiled
def align_bound(
    duration: float, first: float, slope: float, time: float, travelled: float, speed: float
) -> float:
    """Of `AlignLaw`."""
    return first + slope * time if time < duration else FREE


class AlignLaw(Law):
    """Come to a gap in the next lane: an acceleration that goes linearly from `first` on, for a duration; free afterwards."""

    __slots__ = ("duration", "first", "slope")
    formula = staticmethod(align_bound)

    def __init__(self, first: float, slope: float, duration: float) -> None:
        self.first, self.slope, self.duration = first, slope, duration
