"""A synthetic road as data: its line, its lanes and where they begin, end and narrow, its speed limits."""

from dataclasses import dataclass

from pilot_common.schema import optional, parameter
from pilot_common.types import MarkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of road whose curvature goes linearly from that of the piece before (straight at first) to its own end."""

    length: float = parameter("m", 1.0, 50_000.0, "along the reference line")
    end_radius: float | None = optional(None, "m", -20_000.0, 20_000.0, "left positive; none: straight")

    def __post_init__(self) -> None:
        if self.end_radius is not None and abs(self.end_radius) < 30.0:
            raise ValueError(
                f"end_radius {self.end_radius:g} m is tighter than 30 m; leave it out for straight on"
            )

    @property
    def end_curvature(self) -> float:
        """In 1/m, left positive."""
        return 0.0 if self.end_radius is None else 1.0 / self.end_radius


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSpan:
    """A lane at an edge of the road that is there only from `start` to `end`, where it opens and closes over `taper`.

    With `exit_radius` it does not close: at `end` it leaves the road (the rightmost to the right, the leftmost to the left) and
    is known for `ramp_length` more; with `entry_radius` it comes from such a ramp before `start`. A lane without a span is
    there all along; one with several is there in each.
    """

    lane: int = parameter("", 0, 7, "from the right")
    start: float | None = optional(
        None, "m", 0.0, 100_000.0, "station where it begins to open; none: always there"
    )
    end: float | None = optional(
        None, "m", 0.0, 100_000.0, "station where it is closed or leaves; none: goes on"
    )
    taper: float = optional(
        150.0, "m", 2.0, 1000.0, "over which it opens after its start and closes before its end"
    )
    entry_radius: float | None = optional(None, "m", 60.0, 20_000.0, "of the ramp that it comes from")
    exit_radius: float | None = optional(None, "m", 60.0, 20_000.0, "of the ramp that it becomes")
    ramp_length: float = optional(250.0, "m", 20.0, 1000.0, "of the ramps")

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise ValueError("a lane's span needs a start or an end")
        if self.start is not None and self.end is not None:
            tapers = (self.entry_radius is None) + (self.exit_radius is None)
            if self.end - self.start < max(tapers * self.taper, 1.0):
                raise ValueError(
                    f"lane {self.lane} ends before it has opened: {self.start:g} to {self.end:g} m"
                )
        for radius, place in ((self.entry_radius, self.start), (self.exit_radius, self.end)):
            if radius is not None and place is None:
                raise ValueError("a ramp needs a station: entry_radius the start, exit_radius the end")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedLimit:
    """A speed limit from a station on."""

    start: float = parameter("m", 0.0, 100_000.0, "station of the sign")
    speed: float = parameter("m/s", 0.0, 70.0, "0: none")


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthChange:
    """From `start` on the width of every lane goes to `width`, over `taper`."""

    start: float = parameter("m", 0.0, 100_000.0, "station where the change begins")
    width: float = parameter("m", 2.4, 5.0, "of every lane, after it")
    taper: float = optional(100.0, "m", 2.0, 1000.0, "length of the change")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPlan:
    """A synthetic road. Its segments follow one another again and again until the road is long enough for the drive."""

    lanes: int = parameter(
        "", 1, 8, "number of lanes in the direction of travel, those that are not always there too"
    )
    lane_width: float = parameter("m", 2.4, 5.0, "all lanes alike")
    speed_limit: float = parameter("m/s", 0.0, 70.0, "0: none")
    segments: tuple[Segment, ...]
    right_edge: MarkKind = MarkKind.SOLID
    left_edge: MarkKind = MarkKind.SOLID
    between: MarkKind = MarkKind.DASHED
    lane_spans: tuple[LaneSpan, ...] = ()
    widths: tuple[WidthChange, ...] = ()
    shoulder_width: float = optional(0.0, "m", 0.0, 5.0, "hard shoulder right of the rightmost lane; 0: none")
    speed_limits: tuple[SpeedLimit, ...] = ()

    def __post_init__(self) -> None:
        if not self.segments:
            raise ValueError("a road needs at least one segment")
        for name, rows in (("widths", self.widths), ("speed_limits", self.speed_limits)):
            starts = [row.start for row in rows]
            if starts != sorted(starts):
                raise ValueError(f"{name} follow one another along the road")
        spanned = {span.lane for span in self.lane_spans}
        if spanned and max(spanned) >= self.lanes:
            raise ValueError(f"lane_spans uses lane {max(spanned)}, but the road has {self.lanes} lanes")
        lasting = [lane for lane in range(self.lanes) if lane not in spanned]
        if not lasting or lasting != list(range(lasting[0], lasting[-1] + 1)):
            raise ValueError("lanes that are always there must be next to one another, and at least one")

    @property
    def varies(self) -> bool:
        """Whether lanes begin, end or change their width."""
        return bool(self.lane_spans or self.widths)
