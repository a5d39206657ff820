"""The road around the ego of a CommonRoad file: its lane as far as the file goes, and the lanes that run beside it.

The map ends where it was cut out, not where the road ended: lanes that reach its edge beside the ego's are prolonged straight.
Lanes over another (splits, crossings) are left out; what drives there is recorded all the same. Shapes: Q points, L lanes.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pilot_common.geometry import wrap_angle
from pilot_common.road import ReferenceLine
from pilot_common.types import MarkKind
from pilot_evaluation.importers.commonroad_file import CommonRoadFile, Lanelet, PlanningProblem
from pilot_evaluation.importers.commonroad_route import ALIGNED, chain_through, ego_chain

PROLONGED_BACK = 150.0  # m before the map
PROLONGED_AHEAD = 300.0  # m beyond the map: farther than sensors see
EGO_LONGER = 50.0  # m at both ends: the longest lane becomes the reference line, and that shall be the ego's
PIECE = 10.0  # m between points of a prolongation
EDGE = 30.0  # m within which a lane ends at the map's edge with the ego's
DIRECTION_BASE = 20.0  # m over which the direction at the ends is taken: bounds carry kinks
FARTHEST = 30.0  # m beside the ego's lane, for a lane to belong to its road
OVERLAP = 2.0  # m between the middles of two lanes: nearer ones are the same surface
ADJACENT = 0.8  # m between two lanes' bounds: one mark parts them


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRoad:
    """L lanes ordered right to left, each with its bounds (Q, 2) in driving direction and the kinds of mark (L,)."""

    left: tuple[np.ndarray, ...]
    right: tuple[np.ndarray, ...]
    left_kind: np.ndarray
    right_kind: np.ndarray
    ego_lane: int
    speed_limit: float  # m/s, 0: none given


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lane:
    """A chain of lanelets and where its bounds lie along the ego's lane: offsets on a grid of stations, infinite outside it."""

    left: np.ndarray  # (Q, 2)
    right: np.ndarray  # (Q, 2)
    left_offset: np.ndarray  # (K,)
    right_offset: np.ndarray  # (K,)

    @property
    def middle(self) -> np.ndarray:
        """Offset of the lane's middle (K,)."""
        return 0.5 * (self.left_offset + self.right_offset)

    @property
    def place(self) -> float:
        """One offset by which lanes can be ordered."""
        middle = self.middle
        return float(np.median(middle[np.isfinite(middle)]))


def road_around(file: CommonRoadFile, problem: PlanningProblem) -> RecordedRoad:
    """The road that the ego of a planning problem drives on. Raises ScenarioError where it starts on none."""
    own = ego_chain(file, problem)
    line = ReferenceLine.from_points(np.concatenate([lanelet.centre for lanelet in own]))
    grid = np.arange(line.station[0], line.station[-1], 2.0)
    ego = _lane(own, line, grid)
    lanes = [ego, *_others(file, own, line, grid, ego)]
    lanes.sort(key=lambda lane: lane.place)
    inner = [_touch(right, left) for right, left in pairwise(lanes)]
    kinds = [MarkKind.DASHED if touch else MarkKind.SOLID for touch in inner]
    bounds = [_prolonged(lane, line, grid, EGO_LONGER if lane is ego else 0.0) for lane in lanes]
    return RecordedRoad(
        left=tuple(left for left, _ in bounds),
        right=tuple(right for _, right in bounds),
        left_kind=np.array([*kinds, MarkKind.SOLID], np.uint8),
        right_kind=np.array([MarkKind.SOLID, *kinds], np.uint8),
        ego_lane=next(index for index, lane in enumerate(lanes) if lane is ego),
        speed_limit=max(lanelet.speed_limit for lanelet in own),
    )


def _others(
    file: CommonRoadFile, own: list[Lanelet], line: ReferenceLine, grid: np.ndarray, ego: _Lane
) -> list[_Lane]:
    """Lanes of the same direction beside the ego's, none over another; the longest chains are kept first."""
    free = set(file.lanelets) - {lanelet.identity for lanelet in own}
    chains = []
    while free:
        chain = chain_through(file, file.lanelets[min(free)], free, set())
        free -= {lanelet.identity for lanelet in chain}
        aligned = [lanelet for lanelet in chain if _is_aligned(lanelet, line)]
        if aligned == chain:
            chains.append(chain)
    lanes = [_lane(chain, line, grid) for chain in chains]
    lanes = [lane for lane in lanes if np.any(np.abs(lane.middle) < FARTHEST)]
    lanes.sort(key=lambda lane: -np.count_nonzero(np.isfinite(lane.middle)))
    kept = [ego]
    for lane in lanes:
        if not any(_overlap(lane, other) for other in kept):
            kept.append(lane)
    return kept[1:]


def _is_aligned(lanelet: Lanelet, line: ReferenceLine) -> bool:
    """Whether a lanelet runs along the line, beside it or before and behind it."""
    run = np.diff(lanelet.centre, axis=0)
    _, _, heading = line.to_road(0.5 * (lanelet.centre[1:] + lanelet.centre[:-1]))
    return bool(
        np.all(
            np.abs(wrap_angle(np.arctan2(run[:, 1], run[:, 0]) - heading)[np.hypot(*run.T) > 0.5]) < ALIGNED
        )
    )


def _lane(chain: list[Lanelet], line: ReferenceLine, grid: np.ndarray) -> _Lane:
    left = np.concatenate([lanelet.left_bound for lanelet in chain])
    right = np.concatenate([lanelet.right_bound for lanelet in chain])
    return _Lane(
        left=left, right=right, left_offset=_offset(left, line, grid), right_offset=_offset(right, line, grid)
    )


def _offset(bound: np.ndarray, line: ReferenceLine, grid: np.ndarray) -> np.ndarray:
    """Offset of a bound at the stations of the grid, infinite where it does not reach."""
    station, offset, _ = line.to_road(bound)
    order = np.argsort(station, kind="stable")
    return np.interp(grid, station[order], offset[order], left=np.inf, right=np.inf)


def _overlap(one: _Lane, other: _Lane) -> bool:
    both = np.isfinite(one.middle) & np.isfinite(other.middle)
    return bool(np.any(np.abs(one.middle[both] - other.middle[both]) < OVERLAP))


def _touch(right: _Lane, left: _Lane) -> bool:
    """Whether one mark parts two lanes where they run beside each other."""
    both = np.isfinite(right.left_offset) & np.isfinite(left.right_offset)
    return (
        bool(np.any(both)) and float(np.median(left.right_offset[both] - right.left_offset[both])) < ADJACENT
    )


def _prolonged(
    lane: _Lane, line: ReferenceLine, grid: np.ndarray, longer: float
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds, straight on beyond the map where the lane reaches its edge: all in the direction of the ego's lane there."""
    reaches = np.flatnonzero(np.isfinite(lane.middle))
    at_start = grid[reaches[0]] < grid[0] + EDGE
    at_end = grid[reaches[-1]] > grid[-1] - EDGE
    (first, start), (end, last) = (
        line.at(np.array(stations))[0]
        for stations in ((grid[0], grid[0] + DIRECTION_BASE), (grid[-1] - DIRECTION_BASE, grid[-1]))
    )
    back = (start - first) / np.hypot(*(start - first))
    ahead = (last - end) / np.hypot(*(last - end))
    before = np.arange(-PROLONGED_BACK - longer, 0.0, PIECE)[:, None] * back if at_start else np.empty((0, 2))
    behind = (
        np.arange(PIECE, PROLONGED_AHEAD + longer, PIECE)[:, None] * ahead if at_end else np.empty((0, 2))
    )
    left, right = (
        np.concatenate((bound[:1] + before, bound, bound[-1:] + behind)) for bound in (lane.left, lane.right)
    )
    return left, right
