"""Poses and angles in the plane. A pose is (x, y, yaw); `a_from_b` takes quantities from frame b to frame a."""

import math

import numpy as np

Pose = tuple[float, float, float]


def wrap_angle(angle: np.ndarray) -> np.ndarray:
    """The angle in (−π, π], elementwise."""
    return -((-angle + math.pi) % (2.0 * math.pi) - math.pi)


def wrap(angle: float) -> float:
    """The angle in (−π, π]; scalar, without the cost of an array."""
    return -((-angle + math.pi) % (2.0 * math.pi) - math.pi)


def rotation(yaw: float) -> np.ndarray:
    """Rotation matrix (2, 2)."""
    cosine, sine = math.cos(yaw), math.sin(yaw)
    return np.array(((cosine, -sine), (sine, cosine)))


def transform_points(a_from_b: Pose, points_b: np.ndarray) -> np.ndarray:
    """Points (…, 2) of frame b in frame a."""
    return points_b @ rotation(a_from_b[2]).T + np.asarray(a_from_b[:2])


def compose(a_from_b: Pose, b_from_c: Pose) -> Pose:
    """a_from_c."""
    cosine, sine = math.cos(a_from_b[2]), math.sin(a_from_b[2])
    x, y, yaw = b_from_c
    return (a_from_b[0] + cosine * x - sine * y, a_from_b[1] + sine * x + cosine * y, wrap(a_from_b[2] + yaw))


def inverse(a_from_b: Pose) -> Pose:
    """b_from_a."""
    cosine, sine = math.cos(a_from_b[2]), math.sin(a_from_b[2])
    x, y, yaw = a_from_b
    return (-cosine * x - sine * y, sine * x - cosine * y, wrap(-yaw))


def advance(pose: Pose, speed: float, yaw_rate: float, duration: float) -> Pose:
    """The pose after driving at constant speed and yaw rate (exact on the arc; midpoint where it is almost straight)."""
    turn = yaw_rate * duration
    middle = pose[2] + 0.5 * turn
    chord = speed * duration * (math.sin(0.5 * turn) / (0.5 * turn) if abs(turn) > 1e-9 else 1.0)
    return (pose[0] + chord * math.cos(middle), pose[1] + chord * math.sin(middle), wrap(pose[2] + turn))


def box_corners(centre: np.ndarray, heading: np.ndarray, length: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Corners (N, 4, 2) of boxes with centres (N, 2), counter-clockwise from the front left."""
    cosine, sine = np.cos(heading)[:, None], np.sin(heading)[:, None]
    along = 0.5 * np.asarray(length)[:, None] * np.array((1.0, -1.0, -1.0, 1.0))
    across = 0.5 * np.asarray(width)[:, None] * np.array((1.0, 1.0, -1.0, -1.0))
    x = centre[:, :1] + along * cosine - across * sine
    y = centre[:, 1:2] + along * sine + across * cosine
    return np.stack((x, y), axis=-1)


def boxes_overlap(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether box (4, 2) touches each of the boxes (N, 4, 2): separating axes of both, exact for convex boxes. Returns (N,)."""
    overlap = np.ones(len(others), bool)
    for box in (np.broadcast_to(one, others.shape), others):
        for edge in (box[:, 1] - box[:, 0], box[:, 2] - box[:, 1]):
            axis = np.stack((-edge[:, 1], edge[:, 0]), axis=-1)
            projected_one = np.einsum("ki,ni->nk", one, axis)
            projected_others = np.einsum("nki,ni->nk", others, axis)
            overlap &= (projected_one.max(1) >= projected_others.min(1)) & (
                projected_others.max(1) >= projected_one.min(1)
            )
    return overlap
