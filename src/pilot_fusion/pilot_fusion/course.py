"""Where the road leads at any place in `odom`, as the lane model has it: whoever drives along it turns with it."""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.geometry import inverse
from pilot_common.road import CURVATURE, HEADING, chord_foot, on_chord
from pilot_common.types import Lanes
from pilot_fusion.ego_motion import EgoState

FARTHEST = 30.0  # m beside the ego lane: what is farther off follows another road


class Course:
    """The road's line as `samples` (P, 5) of `ReferenceLine`, in base_link, and `pose` (4,): base_from_odom and the car's yaw.

    Without valid lanes there are no samples: the road is straight and leads where the car does.
    """

    def __init__(self, lanes: Lanes, ego: EgoState) -> None:
        self.pose = np.array((*inverse(ego.pose), ego.pose[2]))
        self.samples = np.empty((0, 5))
        if lanes.valid and len(lanes.point) > 1:
            self.samples = samples_of(lanes)


def samples_of(lanes: Lanes) -> np.ndarray:
    """The line of lanes with at least two points as `ReferenceLine.samples` (P, 5)."""
    samples = np.empty((len(lanes.station), 5))
    samples[:, :2], samples[:, 2], samples[:, 3], samples[:, 4] = (
        lanes.point,
        lanes.station,
        lanes.heading,
        lanes.curvature,
    )
    return samples


@compiled
def course_at(samples: np.ndarray, pose: np.ndarray, x: float, y: float) -> tuple[float, float, float]:
    """Heading of the road in odom at a point, and its turn (x and y): curvature along it, rad/m."""
    yaw = pose[3]
    if len(samples) == 0:
        return yaw, 0.0, 0.0
    cosine, sine = math.cos(pose[2]), math.sin(pose[2])
    nearest, share, offset = chord_foot(
        samples, cosine * x - sine * y + pose[0], sine * x + cosine * y + pose[1]
    )
    if abs(offset) >= FARTHEST:
        return yaw, 0.0, 0.0
    heading = yaw + on_chord(samples, HEADING, nearest, share)
    curvature = on_chord(samples, CURVATURE, nearest, share)
    curvature = curvature / (1.0 - curvature * offset)
    return heading, curvature * math.cos(heading), curvature * math.sin(heading)


@compiled
def follow_course(tracks: np.ndarray, samples: np.ndarray, pose: np.ndarray) -> None:
    """Notes for each track how the road turns where it is."""
    for row in range(len(tracks)):
        track = tracks[row]
        _, turn_x, turn_y = course_at(samples, pose, track["state"][0], track["state"][1])
        track["turn"][0], track["turn"][1] = turn_x, turn_y
