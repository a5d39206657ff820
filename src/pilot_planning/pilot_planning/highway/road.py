"""The road as the planner sees it this cycle: fresh lanes, lanes remembered, or the curve the car is on."""

import math
from dataclasses import dataclass, replace

import numpy as np

from pilot_common.arc import foot
from pilot_common.compiled import compiled
from pilot_common.geometry import Pose, compose, inverse, transform_points
from pilot_common.road import ReferenceLine
from pilot_common.types import EgoMotion, Lanes, MarkKind, World

ARC_STATIONS = np.arange(-20.0, 205.0, 5.0)
USUAL_LANE_WIDTH = 3.5  # m, where no lane is known; RAA and most motorway standards: 3.5–3.75


@dataclass(frozen=True, slots=True)
class Road:
    """Line and lanes in `base_link`, right to left, and where the car is on them.

    They are `fresh` when of this cycle, and `renewed` when more of them was seen than was left of what was seen before: fusion
    carries lanes on for a while that nobody sees.
    """

    line: ReferenceLine
    offset: np.ndarray
    width: np.ndarray
    confidence: np.ndarray
    left_mark: np.ndarray
    right_mark: np.ndarray
    ego_lane: int
    sight: float
    speed_limit: float
    fresh: bool
    renewed: bool
    note: str
    ego_station: float
    ego_offset: float
    ego_heading: float  # of the line at the car, relative to the car

    def lane_nearest(self, offset: float) -> int:
        """Index of the lane whose centre is nearest to an offset."""
        offsets = self.offset.tolist()
        return min(range(len(offsets)), key=lambda lane: abs(offsets[lane] - offset))


@dataclass(frozen=True, slots=True)
class Remembered:
    """A road with the time and pose at which it was seen."""

    road: Road
    stamp: float
    pose: Pose


def usable(lanes: Lanes) -> bool:
    """Whether lanes can be driven by: flagged valid, complete and finite."""
    return bool(
        lanes.valid
        and len(lanes.station) >= 2
        and 0 <= lanes.ego_lane < len(lanes.offset)
        and math.isfinite(lanes.sight + lanes.speed_limit)
        and _finite(
            lanes.point,
            lanes.heading,
            lanes.curvature,
            lanes.station,
            lanes.offset,
            lanes.width,
            lanes.confidence,
        )
    )


@compiled
def _finite(
    point: np.ndarray,
    heading: np.ndarray,
    curvature: np.ndarray,
    station: np.ndarray,
    offset: np.ndarray,
    width: np.ndarray,
    confidence: np.ndarray,
) -> bool:
    """Whether all numbers of lanes are finite."""
    total = 0.0
    for index in range(len(station)):
        total += point[index, 0] + point[index, 1] + heading[index] + curvature[index] + station[index]
    for lane in range(len(offset)):
        total += offset[lane] + width[lane] + confidence[lane]
    return math.isfinite(total)


def road_of(lanes: Lanes, renewed: bool) -> Road:
    """The road of usable lanes."""
    line = ReferenceLine(lanes.point, lanes.station, lanes.heading, lanes.curvature)
    station, offset, heading, _ = foot(line, 0.0, 0.0)
    return Road(
        line=line,
        offset=lanes.offset,
        width=lanes.width,
        confidence=lanes.confidence,
        left_mark=lanes.left_mark,
        right_mark=lanes.right_mark,
        ego_lane=lanes.ego_lane,
        sight=lanes.sight,
        speed_limit=lanes.speed_limit,
        fresh=True,
        renewed=renewed,
        note="",
        ego_station=station,
        ego_offset=offset,
        ego_heading=heading,
    )


def road_from_memory(memory: Remembered, pose: Pose, reason: str, age: float) -> Road:
    """The remembered road seen from where the car is now, moved by odometry; what was seen of it has shrunk."""
    line = moved_line(memory.road.line, compose(inverse(pose), memory.pose))
    station, offset, heading, _ = foot(line, 0.0, 0.0)
    travelled = station - memory.road.ego_station
    return replace(
        memory.road,
        line=line,
        sight=max(0.0, memory.road.sight - travelled),
        fresh=False,
        renewed=False,
        note=f"lanes lost for {age:.1f} s ({reason}): driving by those last seen",
        ego_station=station,
        ego_offset=offset,
        ego_heading=heading,
    )


def road_from_motion(ego: EgoMotion, reason: str) -> Road:
    """No lane is known: one lane along the curve that the car is on, none of it seen."""
    curvature = max(-0.05, min(0.05, ego.yaw_rate / ego.speed)) if ego.speed > 3.0 else 0.0
    heading = curvature * ARC_STATIONS
    half = 0.5 * heading
    chord = ARC_STATIONS * np.sinc(half / math.pi)
    point = np.stack((chord * np.cos(half), chord * np.sin(half)), axis=-1)
    line = ReferenceLine(point, ARC_STATIONS, heading, np.full(len(ARC_STATIONS), curvature))
    unknown = np.array((MarkKind.UNKNOWN,), np.uint8)
    return Road(
        line=line,
        offset=np.zeros(1),
        width=np.array((USUAL_LANE_WIDTH,)),
        confidence=np.zeros(1),
        left_mark=unknown,
        right_mark=unknown,
        ego_lane=0,
        sight=0.0,
        speed_limit=0.0,
        fresh=False,
        renewed=False,
        note=f"no lane known ({reason}): going on in the present curve and slowing down",
        ego_station=0.0,
        ego_offset=0.0,
        ego_heading=0.0,
    )


def see_road(world: World, pose: Pose, memory: Remembered | None, memory_time: float) -> Road:
    """The best knowledge of the road this cycle."""
    if usable(world.lanes):
        return road_of(world.lanes, memory is None or _renewed(world.lanes, pose, memory))
    reason = world.lanes.reason or "lanes not usable"
    age = world.stamp - memory.stamp if memory is not None else math.inf
    if memory is not None and 0.0 <= age <= memory_time:
        return road_from_memory(memory, pose, reason, age)
    return road_from_motion(world.ego, reason)


def _renewed(lanes: Lanes, pose: Pose, memory: Remembered) -> bool:
    travelled = math.hypot(pose[0] - memory.pose[0], pose[1] - memory.pose[1])
    return lanes.sight > memory.road.sight - 0.5 * travelled


def moved_line(line: ReferenceLine, new_from_old: Pose) -> ReferenceLine:
    """A line in another frame."""
    return ReferenceLine(
        transform_points(new_from_old, line.point),
        line.station,
        line.heading + new_from_old[2],
        line.curvature,
    )


def pose_of(ego: EgoMotion) -> Pose:
    """odom_from_base."""
    return (ego.x_odom, ego.y_odom, ego.yaw_odom)
