"""The most probable box standing on flat ground for the edges that the image shows, of all boxes at once.

The four edges of the image box measure the unknowns, and so does the size that the class usually has; each counts by its
covariance. Gauss-Newton steps on the outermost projected corners (Hartley & Zisserman, Multiple View Geometry, 2nd ed., A6).
Shapes: N boxes, 4 edges (left, top, right, bottom), 5 unknowns (x, y, length, width, height).
"""

import numpy as np

from pilot_common.compiled import compiled
from pilot_detection.box_edges import DOWN, FORWARD, MOUNT, RIGHT, edges_of
from pilot_detection.normal_equations import inverse_of_positive

STEPS = 6  # at most; most images need two or three
# A step that lowers the misfit by less was the last: the next would move the box by hundredths of a deviation.
LAST_GAIN = 2.0
FARTHEST = 2000.0  # m, along each axis; nothing is searched for beyond
SMALLEST, LARGEST = 0.2, 5.0  # times the usual size; between them sizes stay, also of what no object can be
SLIGHT = 1e-8  # weight of an edge that says nothing; not 0, so that every system can be solved


@compiled
def most_probable(
    camera: np.ndarray,
    measured: np.ndarray,
    weight: np.ndarray,
    usual: np.ndarray,
    usual_weight: np.ndarray,
    road_turn: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unknowns (N, 5), their covariance (N, 5, 5) and the squared normalised residuals (N,).

    `camera` (N, 6, 3) are rows of `camera_rows`, `measured` (N, 4) the edges outwards on the plane of depth 1 and `weight`
    (N, 4, 4) theirs, `usual` (N, 3) the sizes of the classes with weights (N, 3); headings differ by `road_turn` a metre. All
    boxes are improved until the last of them has come to rest.
    """
    count = len(measured)
    unknown, covariance, misfit = np.empty((count, 5)), np.empty((count, 5, 5)), np.empty(count)
    size_weight = np.empty((count, 3))
    for row in range(count):
        _start(camera[row], measured[row], weight[row], usual[row], usual_weight[row], unknown[row])
        # Far away the road has turned, and a length seen aslant looks like width.
        slant = road_turn * usual[row, 0]
        ahead = (unknown[row, 0] - camera[row, MOUNT, 0]) * slant
        left = (unknown[row, 1] - camera[row, MOUNT, 1]) * slant
        size_weight[row, 0], size_weight[row, 2] = usual_weight[row, 0], usual_weight[row, 2]
        size_weight[row, 1] = 1.0 / (1.0 / usual_weight[row, 1] + ahead * ahead + left * left)
    for _ in range(STEPS):
        most = 0.0
        for row in range(count):
            misfit[row], gain = _improve(
                camera[row],
                measured[row],
                weight[row],
                usual[row],
                size_weight[row],
                unknown[row],
                covariance[row],
            )
            misfit[row] -= min(gain, LAST_GAIN)
            most = max(most, gain)
        if most < LAST_GAIN:
            break
    return unknown, covariance, misfit


@compiled
def _start(
    camera: np.ndarray,
    measured: np.ndarray,
    weight: np.ndarray,
    usual: np.ndarray,
    usual_weight: np.ndarray,
    unknown: np.ndarray,
) -> None:
    """First guess of the unknowns (5,).

    Depth from the lower edge and from the height of the box, direction from its middle. Both tell the inverse of the depth
    linearly, each with its own certainty.
    """
    middle = 0.5 * (measured[2] - measured[0])
    ahead = camera[FORWARD, 0] + middle * camera[RIGHT, 0]
    left = camera[FORWARD, 1] + middle * camera[RIGHT, 1]
    fall = -(camera[FORWARD, 2] + middle * camera[RIGHT, 2] + measured[3] * camera[DOWN, 2])
    height = camera[MOUNT, 2]
    by_ground = fall / height
    by_height = (measured[1] + measured[3]) / usual[2]
    ground_weight = height * height * weight[3, 3]
    height_weight = usual_weight[2] * (usual[2] / by_height) ** 2
    inverse = (by_ground * ground_weight + by_height * height_weight) / (ground_weight + height_weight)
    reach = 1.0 / max(inverse, 1e-3) + 0.5 * usual[0]
    unknown[0], unknown[1] = camera[MOUNT, 0] + ahead * reach, camera[MOUNT, 1] + left * reach
    for axis in range(3):
        unknown[2 + axis] = usual[axis]


@compiled
def _improve(
    camera: np.ndarray,
    measured: np.ndarray,
    weight: np.ndarray,
    usual: np.ndarray,
    usual_weight: np.ndarray,
    unknown: np.ndarray,
    covariance: np.ndarray,
) -> tuple[float, float]:
    """One step of `unknown` (5,), with `covariance` (5, 5) there; the misfit before, and by how much the step lowers it."""
    edge, slope = np.empty(4), np.zeros((4, 5))
    edges_of(camera, unknown, edge, slope)
    normal, gradient, misfit = np.zeros((5, 5)), np.zeros(5), 0.0
    for one in range(4):
        residual = measured[one] - edge[one]
        for other in range(4):
            certain = weight[one, other]
            misfit += certain * residual * (measured[other] - edge[other])
            for i in range(5):
                share = certain * slope[other, i]
                gradient[i] += share * residual
                for j in range(5):
                    normal[i, j] += share * slope[one, j]
    for axis in range(3):
        residual = usual[axis] - unknown[2 + axis]
        misfit += usual_weight[axis] * residual * residual
        gradient[2 + axis] += usual_weight[axis] * residual
        normal[2 + axis, 2 + axis] += usual_weight[axis]
    normal[0, 0] += SLIGHT
    normal[1, 1] += SLIGHT
    inverse_of_positive(normal, covariance)
    gain = 0.0
    for i in range(5):
        step = 0.0
        for j in range(5):
            step += covariance[i, j] * gradient[j]
        gain += gradient[i] * step
        low, high = (-FARTHEST, FARTHEST) if i < 2 else (SMALLEST * usual[i - 2], LARGEST * usual[i - 2])
        unknown[i] = min(max(unknown[i] + step, low), high)
    return misfit, gain
