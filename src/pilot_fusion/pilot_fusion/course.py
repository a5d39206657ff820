"""Where the road leads at any place in `odom`, as the lane model has it: whoever drives along it turns with it."""

import numpy as np

from pilot_common.geometry import inverse, transform_points
from pilot_common.road import ReferenceLine
from pilot_common.types import Lanes
from pilot_fusion.ego_motion import EgoState

FARTHEST = 30.0  # m beside the ego lane: what is farther off follows another road


class Course:
    """Heading and curvature of the road; without valid lanes it is straight and leads where the car does."""

    def __init__(self, lanes: Lanes, ego: EgoState) -> None:
        self._yaw = ego.pose[2]
        self._base_from_odom = inverse(ego.pose)
        self._line: ReferenceLine | None = None
        if lanes.valid and len(lanes.point) > 1:
            self._line = ReferenceLine(lanes.point, lanes.station, lanes.heading, lanes.curvature)

    def at(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heading (N,) of the road in odom at points (N, 2), and its turn (N, 2): curvature along it, rad/m."""
        line = self._line
        if line is None or len(point) == 0:
            return np.full(len(point), self._yaw), np.zeros((len(point), 2))
        station, offset, heading = line.to_road(transform_points(self._base_from_odom, point))
        curvature = np.interp(station, line.station, line.curvature)
        near = np.abs(offset) < FARTHEST
        heading = self._yaw + np.where(near, heading, 0.0)
        curvature = np.where(near, curvature / (1.0 - np.where(near, curvature * offset, 0.0)), 0.0)
        turn = np.empty((len(point), 2))
        turn[:, 0], turn[:, 1] = curvature * np.cos(heading), curvature * np.sin(heading)
        return heading, turn
