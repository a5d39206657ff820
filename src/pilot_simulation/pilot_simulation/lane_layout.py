"""From a road's plan to where its lanes and lines are at every station. Shapes: P stations, L lanes, B lines."""

from dataclasses import dataclass

import numpy as np

from pilot_common.types import MarkKind
from pilot_simulation.road_plan import LaneSpan, RoadPlan

NARROWEST = 0.1  # m: a lane that is narrower is not there
TRANSITION = 60.0  # m, over which the curvature of a ramp grows from that of the road


@dataclass(frozen=True, slots=True)
class LaneEnd:
    """Where a lane can no longer be followed along the road: it is closed from there on, or leads away from the road.

    `station` is where it begins to close or to leave, `gone` where nothing is left of it.
    """

    station: float
    gone: float
    closed: bool


@dataclass(frozen=True, slots=True)
class LaneLayout:
    """L lanes ordered right to left, B lines."""

    centre: np.ndarray  # (L, P) m, offset
    width: np.ndarray  # (L, P) m
    exists: np.ndarray  # (L, P) bool
    on_ramp: np.ndarray  # (L, P) bool: beside the road, on the way to or from it
    line: np.ndarray  # (B, P) m, offset
    line_exists: np.ndarray  # (B, P) bool
    line_kind: np.ndarray  # (B,) uint8
    ends: tuple[tuple[LaneEnd, ...], ...]  # of each lane, along the road


def lane_layout(plan: RoadPlan, station: np.ndarray) -> LaneLayout:
    """The lanes of a plan at stations (P,).

    The right edge of the rightmost lane that is always there stays where it is; all others keep beside it.
    """
    if not plan.varies:
        return _even_layout(plan, len(station))
    full = _full_width(plan, station)
    share = np.array([_share(plan, lane, station) for lane in range(plan.lanes)])
    width = share * full
    lasting = {span.lane for span in plan.lane_spans}
    anchor = next(lane for lane in range(plan.lanes) if lane not in lasting)
    edge = np.concatenate((np.zeros((1, len(station))), np.cumsum(width, axis=0)))
    edge += (anchor - 0.5) * plan.lane_width - edge[anchor]
    centre, exists = 0.5 * (edge[1:] + edge[:-1]), width > NARROWEST
    on_ramp = np.zeros_like(exists)
    lines = _Lines(plan, station, edge, exists)
    for span in plan.lane_spans:
        right = span.lane < anchor
        for ramp in _ramps(span, station, right):
            inner = edge[span.lane + 1 if right else span.lane, ramp.at]
            half = 0.5 * full[ramp.rows] * (-1.0 if right else 1.0)
            centre[span.lane, ramp.rows] = inner + half + ramp.offset
            width[span.lane, ramp.rows] = full[ramp.rows]
            exists[span.lane, ramp.rows] = on_ramp[span.lane, ramp.rows] = True
            lines.add_ramp(right, ramp, inner + ramp.offset, inner + 2.0 * half + ramp.offset)
    line, line_exists, kind = lines.all()
    ends = tuple(_ends(plan, lane) for lane in range(plan.lanes))
    return LaneLayout(centre, width, exists, on_ramp, line, line_exists, kind, ends)


def _even_layout(plan: RoadPlan, points: int) -> LaneLayout:
    """All lanes alike from the first station to the last: one number a lane."""
    lane = np.arange(plan.lanes)
    edges = (np.arange(plan.lanes + 1) - 0.5) * plan.lane_width
    kinds = [plan.right_edge, *[plan.between] * (plan.lanes - 1), plan.left_edge]
    everywhere = np.broadcast_to(True, (plan.lanes + 1, points))
    return LaneLayout(
        centre=np.broadcast_to((lane * plan.lane_width)[:, None], (plan.lanes, points)),
        width=np.broadcast_to(plan.lane_width, (plan.lanes, points)),
        exists=everywhere[:-1],
        on_ramp=np.broadcast_to(False, (plan.lanes, points)),
        line=np.broadcast_to(edges[:, None], (plan.lanes + 1, points)),
        line_exists=everywhere,
        line_kind=np.array(kinds, np.uint8),
        ends=((),) * plan.lanes,
    )


def _full_width(plan: RoadPlan, station: np.ndarray) -> np.ndarray:
    """Of a lane that is open (P,): linear over the taper of each change."""
    knots, widths = [0.0], [plan.lane_width]
    for change in plan.widths:
        knots += [max(change.start, knots[-1]), max(change.start, knots[-1]) + change.taper]
        widths += [widths[-1], change.width]
    return np.interp(station, knots, widths)


def _share(plan: RoadPlan, lane: int, station: np.ndarray) -> np.ndarray:
    """How far a lane is open (P,), 0 to 1."""
    spans = [span for span in plan.lane_spans if span.lane == lane]
    if not spans:
        return np.ones(len(station))
    share = np.zeros(len(station))
    for span in spans:
        one = np.ones(len(station))
        if span.start is not None:
            opening = np.clip((station - span.start) / span.taper, 0.0, 1.0)
            one *= opening if span.entry_radius is None else station >= span.start
        if span.end is not None:
            closing = np.clip((span.end - station) / span.taper, 0.0, 1.0)
            one *= closing if span.exit_radius is None else station <= span.end
        share = np.maximum(share, one)
    return share


def _ends(plan: RoadPlan, lane: int) -> tuple[LaneEnd, ...]:
    ends = [
        LaneEnd(span.end - span.taper, span.end, True)
        if span.exit_radius is None
        else LaneEnd(span.end, span.end + span.ramp_length, False)
        for span in plan.lane_spans
        if span.lane == lane and span.end is not None
    ]
    return tuple(sorted(ends, key=lambda end: end.station))


@dataclass(frozen=True, slots=True)
class _Ramp:
    """The stations `rows` (R,) beside which a ramp runs, `offset` (R,) from where it left or joins the road at index `at`."""

    rows: np.ndarray
    offset: np.ndarray
    at: int
    leaves: bool


def _ramps(span: LaneSpan, station: np.ndarray, right: bool) -> list[_Ramp]:
    ramps = []
    side = -1.0 if right else 1.0
    for place, radius, leaves in (
        (span.start, span.entry_radius, False),
        (span.end, span.exit_radius, True),
    ):
        if place is None or radius is None:
            continue
        along = station - place if leaves else place - station
        rows = np.flatnonzero((along > 0.0) & (along <= span.ramp_length))
        if len(rows) == 0:
            continue
        at = int(rows[0]) - 1 if leaves else int(rows[-1]) + 1
        ramps.append(
            _Ramp(rows, side * _departure(along[rows], radius), min(max(at, 0), len(station) - 1), leaves)
        )
    return ramps


def _departure(along: np.ndarray, radius: float) -> np.ndarray:
    """Distance from the straight on: a clothoid of `TRANSITION`, then an arc, both to third order."""
    on_clothoid = np.minimum(along, TRANSITION)
    beyond = along - on_clothoid
    first = on_clothoid**3 / (6.0 * radius * TRANSITION)
    slope = on_clothoid**2 / (2.0 * radius * TRANSITION)
    return first + slope * beyond + beyond**2 / (2.0 * radius)


class _Lines:
    """Collects the lines: the edges, each in one piece from ramp to ramp, and those between lanes."""

    def __init__(self, plan: RoadPlan, station: np.ndarray, edge: np.ndarray, exists: np.ndarray) -> None:
        self._plan, self._station = plan, station
        columns = np.arange(len(station))
        self._right = edge[exists.argmax(axis=0), columns]
        self._left = edge[plan.lanes - exists[::-1].argmax(axis=0), columns]
        self._between = [
            (edge[lane], exists[lane - 1] & exists[lane], plan.between) for lane in range(1, plan.lanes)
        ]
        self._ramps: dict[bool, list[tuple[_Ramp, np.ndarray, np.ndarray]]] = {True: [], False: []}

    def add_ramp(self, right: bool, ramp: _Ramp, inner: np.ndarray, outer: np.ndarray) -> None:
        """Its line next to the road (R,) and the one away from it (R,)."""
        self._ramps[right].append((ramp, inner, outer))

    def all(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Offsets (B, P), where they are (B, P), and kinds (B,), roughly right to left."""
        rows = [
            *self._edges(True, self._right, self._plan.right_edge),
            *self._between,
            *self._edges(False, self._left, self._plan.left_edge),
        ]
        kinds = np.array([kind for _, _, kind in rows], np.uint8)
        return np.array([offset for offset, _, _ in rows]), np.array([there for _, there, _ in rows]), kinds

    def _edges(
        self, right: bool, edge: np.ndarray, kind: MarkKind
    ) -> list[tuple[np.ndarray, np.ndarray, MarkKind]]:
        """An edge goes on along a ramp that leaves; beyond, the road's own begins anew. A ramp that joins mirrors that."""
        count = len(self._station)
        ramps = sorted(self._ramps[right], key=lambda row: row[0].at)
        lines, first = [], 0
        offset = edge.copy()
        for ramp, inner, outer in ramps:
            begin, end = int(ramp.rows[0]), int(ramp.rows[-1]) + 1
            own = np.zeros(count, bool)
            if ramp.leaves:
                own[first:end] = True
                offset[ramp.rows] = outer
                lines.append((offset, own, kind))
                offset, first = edge.copy(), begin
            else:
                own[first:end] = True
                lines.append((offset, own, kind))
                offset, first = edge.copy(), begin
                offset[ramp.rows] = outer
            beside, there = edge.copy(), np.zeros(count, bool)
            beside[ramp.rows], there[ramp.rows] = inner, True
            lines.append((beside, there, kind))
        own = np.zeros(count, bool)
        own[first:] = True
        lines.append((offset, own, kind))
        return lines
