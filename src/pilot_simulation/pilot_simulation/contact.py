"""Whom the ego touches."""

import math

import numpy as np

from pilot_common.geometry import box_corners, boxes_overlap
from pilot_common.vehicle import Dimensions
from pilot_simulation.actors import Others
from pilot_simulation.road import Place
from pilot_vehicle.model import MotionState

AROUND = 1.0  # m: who is farther off in road coordinates is not looked at closely


def touched(bodies: Others, motion: MotionState, place: Place, dimensions: Dimensions) -> int:
    """Identity of one whose box overlaps the ego's, 0 where there is none."""
    along = np.abs(bodies.station - place.station) - 0.5 * bodies.extent[:, 0]
    near = (along < dimensions.length + AROUND).nonzero()[0]
    if len(near) == 0:
        return 0
    length, width = bodies.extent[near, 0], bodies.extent[near, 1]
    across = width + length * np.abs(np.sin(bodies.course[near]))
    beside = np.abs(bodies.offset[near] - place.offset) - 0.5 * across
    near = near[beside < 0.5 * dimensions.width + AROUND]
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
