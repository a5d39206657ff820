"""A scripted road user as data: what it is, who sees it, and how it moves."""

from dataclasses import dataclass
from itertools import pairwise

from pilot_common.schema import optional, parameter
from pilot_common.types import ObjectClass

SENSING = ("camera", "radar", "lidar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an actor does from a time on, or from the moment the ego's front is within `gap` behind the actor's rear.

    Across the road it goes to a lane or an offset: softly in `duration`, or, with a `lateral_speed`, as UN R157 cut-ins do:
    the lateral speed grows at `lateral_acceleration`, then is constant, and is zero from the moment the target is reached.
    """

    time: float | None = optional(None, "s", 0.0, 36_000.0, "from the start")
    gap: float | None = optional(
        None, "m", 0.0, 1000.0, "ego's front bumper to the actor's rear bumper, along the road"
    )
    speed: float | None = optional(None, "m/s", 0.0, 70.0, "new speed")
    acceleration: float = optional(
        2.0, "m/s²", 0.05, 1000.0, "magnitude, up or down to the new speed; a collision where it is huge"
    )
    lane: int | None = optional(None, "", 0, 7, "new lane")
    offset: float | None = optional(None, "m", -60.0, 60.0, "new place, left of the middle of the right lane")
    duration: float = optional(4.0, "s", 0.5, 20.0, "of the lane change")
    lateral_speed: float | None = optional(None, "m/s", 0.01, 10.0, "magnitude; none: softly in `duration`")
    lateral_acceleration: float = optional(1.5, "m/s²", 0.05, 50.0, "magnitude, up to the lateral speed")

    def __post_init__(self) -> None:
        if (self.time is None) == (self.gap is None):
            raise ValueError("an event needs either a time or a gap")
        if self.speed is None and self.lane is None and self.offset is None:
            raise ValueError("an event needs a speed, a lane or both (or an offset in place of the lane)")
        if self.lane is not None and self.offset is not None:
            raise ValueError("an event goes to a lane or to an offset, not to both")
        if self.lateral_speed is not None and self.lane is None and self.offset is None:
            raise ValueError("a lateral speed needs a lane or an offset to go to")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorPlan:
    """A scripted road user: centre of its box at a station, in a lane or at an offset from the middle of the right lane.

    `speed_trace` holds times and speeds, linear in between and constant beyond both ends; with it, `speed` and the speeds of
    events do not count. With `time_gap` it keeps that gap to whoever is ahead in its way, the ego too (intelligent driver model).
    What is not `solid` (an overhead sign, a manhole cover, a ghost) is seen but touches nobody; what does not turn slides over
    the road as the rectangles of UN R157's reference simulations do.
    """

    station: float = parameter("m", 0.0, 100_000.0, "centre of the box at the start")
    speed: float = parameter("m/s", 0.0, 70.0, "at the start")
    kind: ObjectClass = ObjectClass.CAR
    lane: int | None = optional(None, "", 0, 7, "from the right")
    offset: float | None = optional(None, "m", -60.0, 60.0, "left of the middle of the right lane")
    events: tuple[Event, ...] = ()
    extent: tuple[float, float, float] | None = optional(
        None, "m", 0.01, 60.0, "length, width, height; none: those usual for its kind"
    )
    cross_section: float | None = optional(
        None, "dB m²", -40.0, 60.0, "mean, for radar; none: that of its kind in the sensor model"
    )
    seen_by: tuple[str, ...] = SENSING
    solid: bool = True
    turns: bool = True
    elevation: float = optional(0.0, "m", 0.0, 20.0, "of its lower edge above the road")
    speed_trace: tuple[tuple[float, float], ...] = ()
    time_gap: float | None = optional(
        None, "s", 0.3, 10.0, "kept to whoever is ahead; none: reacts to nobody"
    )

    def __post_init__(self) -> None:
        if (self.lane is None) == (self.offset is None):
            raise ValueError("an actor needs either a lane or an offset")
        unknown = [name for name in self.seen_by if name not in SENSING]
        if unknown:
            raise ValueError(f"seen_by knows {', '.join(SENSING)}, not {', '.join(unknown)}")
        if len(self.speed_trace):
            times = [row[0] for row in self.speed_trace]
            if any(later <= earlier for earlier, later in pairwise(times)):
                raise ValueError("the times of a speed_trace must increase")
            if min(row[1] for row in self.speed_trace) < 0.0:
                raise ValueError("a speed_trace must not be negative")
