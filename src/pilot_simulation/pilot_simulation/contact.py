"""Whom the ego touches."""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.geometry import box_corners, boxes_overlap
from pilot_common.vehicle import Dimensions
from pilot_simulation.actors import Others
from pilot_simulation.road import Place
from pilot_vehicle.model import MotionState

AROUND = 1.0  # m: who is farther off in road coordinates is not looked at closely


def touched(bodies: Others, motion: MotionState, place: Place, dimensions: Dimensions) -> int:
    """Identity of one whose box overlaps the ego's, 0 where there is none."""
    near = beside(
        bodies.station,
        bodies.offset,
        bodies.course,
        bodies.extent,
        place.station,
        place.offset,
        dimensions.length + AROUND,
        0.5 * dimensions.width + AROUND,
    )
    if len(near) == 0:
        return 0
    forward = dimensions.rear_axle_to_front - 0.5 * dimensions.length
    centre = np.array(
        ((motion.x + forward * math.cos(motion.yaw), motion.y + forward * math.sin(motion.yaw)),)
    )
    size = np.array((dimensions.length,)), np.array((dimensions.width,))
    ego = box_corners(centre, np.array((motion.yaw,)), *size)[0]
    close = bodies.rows(near)
    boxes = box_corners(close.position, close.heading, close.extent[:, 0], close.extent[:, 1])
    found = np.flatnonzero(boxes_overlap(ego, boxes))
    return int(close.identity[found[0]]) if len(found) else 0


@compiled
def beside(
    station: np.ndarray,
    offset: np.ndarray,
    course: np.ndarray,
    extent: np.ndarray,
    own_station: float,
    own_offset: float,
    along: float,
    across: float,
) -> np.ndarray:
    """Rows of the bodies (N,) whose edges lie nearer than `along` and `across` the road."""
    near = np.empty(len(station), np.int64)
    count = 0
    for row in range(len(station)):
        length, width = extent[row, 0], extent[row, 1]
        if abs(station[row] - own_station) - 0.5 * length >= along:
            continue
        reach = 0.5 * (width + length * abs(math.sin(course[row])))
        if abs(offset[row] - own_offset) - reach < across:
            near[count] = row
            count += 1
    return near[:count]
