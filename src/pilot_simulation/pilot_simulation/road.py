"""The true road: a reference line with lanes beside it, synthetic or recorded.

Station runs along the reference line from 0 in steps of `SPACING`; offset is left of it. The reference line of a
synthetic road is the middle of its rightmost lane, that of a recorded road the middle of its longest lane.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.road import ReferenceLine
from pilot_simulation.lane_layout import LaneEnd, lane_layout
from pilot_simulation.recording import Recording
from pilot_simulation.road_plan import RoadPlan, SpeedLimit

SPACING = 2.0  # m between points: on a radius of 250 m the chord is 2 mm off the arc
SUBSTEPS = 8  # per point, when a clothoid is integrated
SMOOTHING = 5.0  # m, standard deviation of the filter over a recorded line, whose points are 0.1–20 m apart


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point is on the road; `heading` and `curvature` are of the reference line there."""

    station: float
    offset: float
    heading: float
    curvature: float


@dataclass(frozen=True)
class TrueRoad:
    """P points, L lanes ordered right to left, B lines. Outside `exists` a lane's numbers are not used."""

    line: ReferenceLine
    centre: np.ndarray  # (L, P) m, offset of each lane's middle
    width: np.ndarray  # (L, P) m
    exists: np.ndarray  # (L, P) bool
    boundary: (
        np.ndarray
    )  # (B, P) m, offset of each line: L + 1 boundaries, and more where ramps join or leave
    boundary_exists: np.ndarray  # (B, P) bool
    boundary_kind: np.ndarray  # (B,) uint8, MarkKind
    speed_limit: float  # m/s at the start, 0: none
    ends: tuple[tuple[LaneEnd, ...], ...]  # of each lane, along the road
    on_ramp: np.ndarray | None = None  # (L, P) bool; none: no ramps
    shoulder_width: float = 0.0  # m, of a hard shoulder right of the rightmost lane, 0: none
    limits: tuple[SpeedLimit, ...] = ()  # further ones, along the road
    even: bool = False  # all lanes are alike from end to end

    @property
    def lanes(self) -> int:
        """Number of lanes."""
        return len(self.centre)

    @property
    def length(self) -> float:
        """Station of the end."""
        return float(self.line.station[-1])

    @cached_property
    def _columns(self) -> tuple[list[float], list[float], list[float], list[float]]:
        """x, y, heading, curvature as lists: a float out of a list costs a tenth of one out of an array."""
        line = self.line
        return (
            line.point[:, 0].tolist(),
            line.point[:, 1].tolist(),
            line.heading.tolist(),
            line.curvature.tolist(),
        )

    @cached_property
    def _table(self) -> np.ndarray:
        """x, y, heading and what each gains to the next point (P − 1, 6): one look-up for a place."""
        line = self.line
        row = np.column_stack((line.point, line.heading))
        return np.concatenate((row[:-1], np.diff(row, axis=0)), axis=1)

    def place(self, station: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 2) in `map` and the line's heading (N,); straight beyond both ends, as `ReferenceLine.at`."""
        return place_along(self._table, station, offset)

    def index(self, station: float) -> int:
        """Of the piece between two points that holds a station."""
        return min(max(int(station / SPACING), 0), len(self.line.station) - 2)

    def nearest_station(self, x: float, y: float) -> float:
        """Station of the point nearest to a point in `map`, searched along the whole line: a first hint for `project`."""
        gap = self.line.point - np.array((x, y))
        return float(self.line.station[np.argmin(np.einsum("pi,pi->p", gap, gap))])

    def project(self, x: float, y: float, hint: float) -> Place:
        """The place of a point near station `hint`: its foot where the line, with heading linear between points, is normal to it.

        Walks from the hint piece by piece, so it costs nothing on a road of any length; straight beyond both ends.
        """
        xs, ys, headings, curvatures = self._columns
        last = len(xs) - 2
        index = self.index(hint)
        share, tried = 0.0, -1
        for _ in range(last + 1):
            dx, dy = xs[index + 1] - xs[index], ys[index + 1] - ys[index]
            share = ((x - xs[index]) * dx + (y - ys[index]) * dy) / (dx * dx + dy * dy)
            step = -1 if share < 0.0 and index > 0 else 1 if share > 1.0 and index < last else 0
            if step == 0 or index + step == tried:
                break
            tried, index = index, index + step
        dx, dy = xs[index + 1] - xs[index], ys[index + 1] - ys[index]
        turn = headings[index + 1] - headings[index]
        bend = curvatures[index + 1] - curvatures[index]
        heading, offset = headings[index], 0.0
        for _ in range(2):  # Newton's method; the second step is already below a micrometre
            inside = min(max(share, 0.0), 1.0)
            heading = headings[index] + inside * turn
            gap_x, gap_y = x - xs[index] - share * dx, y - ys[index] - share * dy
            cosine, sine = math.cos(heading), math.sin(heading)
            offset = gap_y * cosine - gap_x * sine
            slope = 1.0 - offset * turn / SPACING
            share += (gap_x * cosine + gap_y * sine) / (SPACING * max(slope, 0.2))
        inside = min(max(share, 0.0), 1.0)
        curvature = curvatures[index] + inside * bend if inside == share else 0.0
        return Place((index + share) * SPACING, offset, headings[index] + inside * turn, curvature)

    @cached_property
    def _even_lanes(self) -> tuple[list[float], float]:
        return self.centre[:, 0].tolist(), float(self.width[0, 0])

    def lane_at(self, station: float, offset: float) -> tuple[int, float, float]:
        """Lane whose middle is nearest, offset from its middle, its width; among the lanes that exist there."""
        if self.even:
            middles, width_of_all = self._even_lanes
            nearest = min(range(len(middles)), key=lambda row: abs(middles[row] - offset))
            return nearest, offset - middles[nearest], width_of_all
        centre, width = self.lanes_near(station)
        there = self.exists[:, self.index(station + 0.5 * SPACING)]
        lane = int(np.where(there, np.abs(centre - offset), np.inf).argmin())
        return lane, offset - float(centre[lane]), float(width[lane])

    def lanes_near(self, station: float) -> tuple[np.ndarray, np.ndarray]:
        """Middles and widths (L,) of all lanes at a station, linear between points."""
        index = self.index(station)
        share = min(max(station / SPACING - index, 0.0), 1.0)
        weight = np.array((1.0 - share, share))
        return self.centre[:, index : index + 2] @ weight, self.width[:, index : index + 2] @ weight

    def lanes_at(self, place: Place) -> list[int]:
        """Those that the road has where a car is, right to left; one that is on a ramp has only that."""
        if self.even:
            return list(range(self.lanes))
        column = self.index(place.station + 0.5 * SPACING)
        there = self.exists[:, column]
        own, _, _ = self.lane_at(place.station, place.offset)
        if self.on_ramp is not None:
            if self.on_ramp[own, column]:
                return [own]
            there = there & ~self.on_ramp[:, column]
        return np.flatnonzero(there).tolist()

    def lane_centre(self, lane: int, station: float) -> float:
        """Offset of a lane's middle."""
        return self._even_lanes[0][lane] if self.even else float(self.lanes_near(station)[0][lane])


@compiled
def place_along(table: np.ndarray, station: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) and headings (N,) beside a line that is given as `TrueRoad._table`."""
    point, heading = np.empty((len(station), 2)), np.empty(len(station))
    for row in range(len(station)):
        along = station[row] / SPACING
        piece = int(min(max(along, 0.0), len(table) - 1))
        share = along - piece
        x, y, begin, gain_x, gain_y, turn = table[piece]
        heading[row] = begin + min(max(share, 0.0), 1.0) * turn
        point[row, 0] = x + share * gain_x - offset[row] * math.sin(heading[row])
        point[row, 1] = y + share * gain_y + offset[row] * math.cos(heading[row])
    return point, heading


def synthetic_road(plan: RoadPlan, length: float) -> TrueRoad:
    """The road of a plan, its segments repeated until it is at least `length` long."""
    knots, curvatures = [0.0], [0.0]
    while knots[-1] < length:
        for segment in plan.segments:
            knots.append(knots[-1] + segment.length)
            curvatures.append(segment.end_curvature)
    points = int(knots[-1] / SPACING) + 1
    station = np.arange(points) * SPACING
    fine = SPACING / SUBSTEPS
    middle = (np.arange((points - 1) * SUBSTEPS) + 0.5) * fine
    heading_middle = _heading(middle, np.array(knots), np.array(curvatures))
    x = np.concatenate(((0.0,), np.cumsum(np.cos(heading_middle)) * fine))[::SUBSTEPS]
    y = np.concatenate(((0.0,), np.cumsum(np.sin(heading_middle)) * fine))[::SUBSTEPS]
    heading = _heading(station, np.array(knots), np.array(curvatures))
    curvature = np.interp(station, knots, curvatures)
    line = ReferenceLine(np.stack((x, y), axis=-1), station, heading, curvature)
    layout = lane_layout(plan, station)
    return TrueRoad(
        line=line,
        centre=layout.centre,
        width=layout.width,
        exists=layout.exists,
        boundary=layout.line,
        boundary_exists=layout.line_exists,
        boundary_kind=layout.line_kind,
        speed_limit=plan.speed_limit,
        ends=layout.ends,
        on_ramp=layout.on_ramp if layout.on_ramp.any() else None,
        shoulder_width=plan.shoulder_width,
        limits=plan.speed_limits,
        even=not plan.varies,
    )


def _heading(station: np.ndarray, knots: np.ndarray, curvatures: np.ndarray) -> np.ndarray:
    """Integral of the curvature, which is linear between knots: exact."""
    at_knots = np.concatenate(((0.0,), np.cumsum(0.5 * (curvatures[1:] + curvatures[:-1]) * np.diff(knots))))
    piece = np.clip(np.searchsorted(knots, station, side="right") - 1, 0, len(knots) - 2)
    along = station - knots[piece]
    slope = (curvatures[piece + 1] - curvatures[piece]) / (knots[piece + 1] - knots[piece])
    return at_knots[piece] + curvatures[piece] * along + 0.5 * slope * along**2


def recorded_road(recording: Recording, speed_limit: float) -> TrueRoad:
    """The road of a recording, on the grid of its longest lane's middle line."""
    middles = [_middle(left, right) for left, right in zip(recording.left, recording.right, strict=True)]
    longest = max(middles, key=lambda middle: float(_arc_length(middle)[-1]))
    line = _smooth_line(longest)
    left = [_offsets(line, bound) for bound in recording.left]
    right = [_offsets(line, bound) for bound in recording.right]
    exists = np.array(
        [left_exists & right_exists for (_, left_exists), (_, right_exists) in zip(left, right, strict=True)]
    )
    left_offset, right_offset = (
        np.array([offset for offset, _ in left]),
        np.array([offset for offset, _ in right]),
    )
    boundary = np.concatenate((right_offset, left_offset[-1:]))
    for lane in range(
        1, len(exists)
    ):  # where a lane has ended, the boundary is the left bound of the one to its right
        boundary[lane] = np.where(exists[lane], right_offset[lane], left_offset[lane - 1])
    return TrueRoad(
        line=line,
        centre=0.5 * (left_offset + right_offset),
        width=np.maximum(left_offset - right_offset, 0.0),
        exists=exists,
        boundary=boundary,
        boundary_exists=np.concatenate((exists[:1], exists[1:] | exists[:-1], exists[-1:])),
        boundary_kind=np.concatenate((recording.right_kind[:1], recording.left_kind)).astype(np.uint8),
        speed_limit=speed_limit,
        ends=tuple(_recorded_ends(lane) for lane in exists),
    )


def _recorded_ends(exists: np.ndarray) -> tuple[LaneEnd, ...]:
    """Where a lane (P,) ends before the recorded road does; nobody knows whether it led away, so it counts as closed."""
    last = np.flatnonzero(exists[:-1] & ~exists[1:])
    return tuple(LaneEnd(float(row) * SPACING, float(row) * SPACING, True) for row in last)


def _arc_length(point: np.ndarray) -> np.ndarray:
    return np.concatenate(((0.0,), np.cumsum(np.hypot(*np.diff(point, axis=0).T))))


def _resampled(point: np.ndarray, count: int) -> np.ndarray:
    length = _arc_length(point)
    at = np.linspace(0.0, length[-1], count)
    return np.stack((np.interp(at, length, point[:, 0]), np.interp(at, length, point[:, 1])), axis=-1)


def _middle(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    count = max(int(_arc_length(right)[-1] / SPACING), 2) + 1
    return 0.5 * (_resampled(left, count) + _resampled(right, count))


def _smooth_line(point: np.ndarray) -> ReferenceLine:
    """Points every `SPACING`, smoothed by a Gaussian; both ends are prolonged straight first, so that they stay in place."""
    count = max(int(_arc_length(point)[-1] / SPACING), 2) + 1
    point = _resampled(point, count)
    half = int(4.0 * SMOOTHING / SPACING)
    reach = min(half, len(point) - 1)
    steps = np.arange(1, half + 1)[:, None]
    before = point[0] - steps[::-1] * (point[reach] - point[0]) / reach
    after = point[-1] + steps * (point[-1] - point[-1 - reach]) / reach
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) * SPACING / SMOOTHING) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate((before, point, after))
    smooth = np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in range(2)], axis=-1)
    length = _arc_length(smooth)
    at = np.arange(0.0, length[-1], SPACING)
    even = np.stack([np.interp(at, length, smooth[:, axis]) for axis in range(2)], axis=-1)
    line = ReferenceLine.from_points(even)
    return ReferenceLine(even, np.arange(len(even)) * SPACING, line.heading, line.curvature)


def _offsets(line: ReferenceLine, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offset (P,) of a bound at the line's stations, and whether it reaches there."""
    station, offset, _ = line.to_road(bound)
    order = np.argsort(station, kind="stable")
    station, offset = station[order], offset[order]
    exists = (line.station >= station[0] - SPACING) & (line.station <= station[-1] + SPACING)
    return np.interp(line.station, station, offset), exists
