"""The route in the lanes of the road as seen: how far each lane can be followed, and how many changes its end asks for."""

from dataclasses import dataclass

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.types import MarkKind, Route
from pilot_planning.highway.road import Road

EDGES = (MarkKind.SOLID, MarkKind.ROAD_EDGE)
CENTRED = 0.25  # of its width that the car may be off the middle of a lane, to be in no other
ENDLESS = 1e5  # m, of a lane that nothing is known of


@dataclass(frozen=True, slots=True)
class Way:
    """Of the L lanes seen: distance that each can be followed, whether it ends there, and the changes (left positive) from it to
    the nearest lane that goes on with the route. `right` counts the lanes of the route right of the own one, where it is known.
    """

    distance: np.ndarray
    ends: np.ndarray
    changes: np.ndarray
    shoulder: float
    right: int | None

    def short(self, lane: int) -> bool:
        """Whether a lane has to be left at some place."""
        return bool(self.changes[lane] != 0)


def free_way(lanes: int) -> Way:
    """Nothing is known: every lane goes on."""
    return Way(np.full(lanes, ENDLESS), np.zeros(lanes, bool), np.zeros(lanes, int), 0.0, None)


def see_way(road: Road, route: Route | None, own: int, right: int | None, stamp: float, speed: float) -> Way:
    """The route laid over the lanes seen: by the lane that the navigation has the car in (while it is not between two), else by
    the edge of the road on either side, else by the count `right` of the last cycle.

    In dense traffic a lane is missed on one side and guessed on the other, and a solid line is not always the edge.
    """
    lanes = len(road.offset)
    if route is None or not route.valid or not len(route.lane_distance):
        return free_way(lanes)
    aside = abs(road.ego_offset - float(road.offset[road.ego_lane]))
    first: int | None
    if route.lane >= 0 and own == road.ego_lane and aside < CENTRED * float(road.width[road.ego_lane]):
        first = route.lane - own
    else:
        first = _first(road, len(route.lane_distance), route.shoulder_width > 0.0, own, right)
    if first is None:
        return free_way(lanes)
    driven = speed * max(0.0, stamp - route.stamp)
    distance, ends, changes = _lanes_ahead(
        route.lane_distance, route.lane_ends, route.horizon, driven, first, lanes
    )
    return Way(distance, ends, changes, route.shoulder_width, own + first)


@compiled
def _lanes_ahead(
    route_distance: np.ndarray, route_ends: np.ndarray, horizon: float, driven: float, first: int, lanes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, end and changes of the lanes seen (L,), the rightmost of which has the number `first` in the route."""
    distance, ends, changes = np.empty(lanes), np.empty(lanes, np.bool_), np.empty(lanes, np.int64)
    far = 0.0
    for goal in range(len(route_distance)):
        far = max(far, route_distance[goal])
    far = min(horizon, far) - 1.0
    for lane in range(lanes):
        number, change = first + lane, len(route_distance) + lanes
        for goal in range(len(route_distance)):
            if route_distance[goal] >= far and abs(goal - number) < abs(change):
                change = goal - number
        # A lane that the route does not know is none.
        distance[lane], ends[lane], changes[lane] = 0.0, True, change
        if 0 <= number < len(route_distance):
            distance[lane] = ENDLESS if change == 0 else max(route_distance[number] - driven, 0.0)
            ends[lane] = route_ends[number]
    return distance, ends, changes


def _first(road: Road, count: int, shoulder: bool, own: int, right: int | None) -> int | None:
    """The number in the route of the rightmost lane seen."""
    lanes = len(road.offset)
    if lanes == count:
        return 0
    if lanes == count + 1 and shoulder and road.right_mark[1] == MarkKind.SOLID:
        return -1  # the hard shoulder looks like a lane
    if road.right_mark[0] in EDGES and lanes < count:
        return 0
    if road.left_mark[-1] in EDGES and lanes < count:
        return count - lanes
    return right - own if right is not None else None


def limit_now(route: Route | None, stamp: float, speed: float) -> float:
    """The speed limit in force by the route; 0 where none is known."""
    if route is None or not route.valid:
        return 0.0
    behind = route.limit_speed[route.limit_distance <= speed * max(0.0, stamp - route.stamp)]
    return float(behind[-1]) if len(behind) else 0.0
