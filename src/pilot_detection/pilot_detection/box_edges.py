"""Where the edges of boxes on the road appear in the image, and how they move with place and size: for all boxes at once.

Shapes: S cameras, N boxes, 8 corners, 4 edges (left, top, right, bottom), 5 unknowns (x, y, length, width, height).
"""

import numpy as np

# Corners: sign along x, sign along y, share of the height.
CORNERS = np.array([(x, y, z) for x in (0.5, -0.5) for y in (0.5, -0.5) for z in (0.0, 1.0)])
# All corners are linear in the five unknowns: (5, 8 corners, 3 coordinates).
CORNERS_OF_UNKNOWN = np.concatenate(
    (np.repeat(np.eye(3)[:2, None], 8, axis=1), CORNERS[None] * np.eye(3)[:, None])
)
# Every edge is measured outwards, so that each is where its outermost corner has its largest value.
OUTWARDS = np.array((-1.0, -1.0, 1.0, 1.0))
EDGE_AXIS = np.array((0, 1, 0, 1))  # of the image: left and right are measured across, top and bottom down
RIGHT, DOWN, FORWARD, MOUNT = 2, 3, 4, 5  # rows of `camera_rows`
SMALLEST_DEPTH = 0.5  # m; corners beside or behind the camera are moved to here during the search


def camera_rows(rotation: np.ndarray, mount: np.ndarray) -> np.ndarray:
    """Of cameras with rotations (S, 3, 3), base from optical, at mounts (S, 3), as rows (S, 6, 3).

    The directions in which the four edges are measured (left, up, right, down), forward, mount.
    """
    axes = rotation.transpose(0, 2, 1)
    return np.concatenate((OUTWARDS[:, None] * axes[:, EDGE_AXIS], axes[:, 2:], mount[:, None]), axis=1)


def corner_projection(camera: np.ndarray) -> np.ndarray:
    """How the unknowns and a one, (N, 6), become all corners along all directions of the cameras: (S, 6, 40)."""
    direction = camera[:, :MOUNT]
    linear = np.einsum("uci,ski->sukc", CORNERS_OF_UNKNOWN, direction)
    shift = -np.einsum("ski,si->sk", direction, camera[:, MOUNT])
    constant = np.broadcast_to(shift[:, None, :, None], (len(camera), 1, 5, 8))
    return np.concatenate((linear, constant), axis=1).reshape(-1, 6, 40)


def edges_of(camera: np.ndarray, projection: np.ndarray, state: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Edges (N, 4) of boxes on the plane of depth 1, outwards; their derivatives go to `out` (N, 4, 5).

    `camera` (N, 6, 3) and `projection` (N, 6, 40) are those of each box, `state` (N, 6) its unknowns and a one.
    """
    count = len(state)
    along = (state[:, None] @ projection).reshape(count, 5, 8)
    depth = np.maximum(along[:, FORWARD], SMALLEST_DEPTH)
    plane = along[:, :FORWARD] / depth[:, None]
    outermost = plane.argmax(axis=2)
    depth = depth.take(outermost + np.arange(0, 8 * count, 8)[:, None])
    value = plane.take(outermost + np.arange(0, 32 * count, 8).reshape(count, 4))
    # d(plane)/d(corner) = (direction of the edge − plane · forward) / depth
    slope = value[:, :, None] * camera[:, FORWARD:MOUNT]
    np.subtract(camera[:, :FORWARD], slope, out=slope)
    slope /= depth[:, :, None]
    out[:, :, :2] = slope[:, :, :2]
    np.multiply(slope, CORNERS.take(outermost, axis=0), out=out[:, :, 2:])
    return value
