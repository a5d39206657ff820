"""Where the edges of a box on the road appear in the image, and how they move with its place and size.

Shapes: S cameras, 8 corners, 4 edges (left, top, right, bottom), 5 unknowns (x, y, length, width, height).
"""

import numpy as np

from pilot_common.compiled import compiled

# Corners: sign along x, sign along y, share of the height.
CORNERS = np.array([(x, y, z) for x in (0.5, -0.5) for y in (0.5, -0.5) for z in (0.0, 1.0)])
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


@compiled
def edges_of(camera: np.ndarray, unknown: np.ndarray, edge: np.ndarray, slope: np.ndarray) -> None:
    """Edges (4,) of a box with `unknown` (5,) on the plane of depth 1, outwards, and their derivatives `slope` (4, 5).

    `camera` (6, 3) are the rows of its camera.
    """
    for side in range(4):
        edge[side] = -np.inf
    for corner in range(8):
        sign_x, sign_y, share_z = CORNERS[corner, 0], CORNERS[corner, 1], CORNERS[corner, 2]
        x = unknown[0] + sign_x * unknown[2] - camera[MOUNT, 0]
        y = unknown[1] + sign_y * unknown[3] - camera[MOUNT, 1]
        z = share_z * unknown[4] - camera[MOUNT, 2]
        forward = camera[FORWARD, 0] * x + camera[FORWARD, 1] * y + camera[FORWARD, 2] * z
        depth = max(forward, SMALLEST_DEPTH)
        for side in range(4):
            value = (camera[side, 0] * x + camera[side, 1] * y + camera[side, 2] * z) / depth
            if value > edge[side]:
                edge[side] = value
                # d(plane)/d(corner) = (direction of the edge − plane · forward) / depth
                slope[side, 0] = (camera[side, 0] - value * camera[FORWARD, 0]) / depth
                slope[side, 1] = (camera[side, 1] - value * camera[FORWARD, 1]) / depth
                slope[side, 2] = slope[side, 0] * sign_x
                slope[side, 3] = slope[side, 1] * sign_y
                slope[side, 4] = (camera[side, 2] - value * camera[FORWARD, 2]) / depth * share_z
