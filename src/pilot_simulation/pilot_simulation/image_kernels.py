"""Boxes of objects in images, as machine code.

Tables hold a row for each camera (S, 18) and box (M, 8); objects, mounts and views are those of `sensor_kernels.py`.
"""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_simulation.sensor_kernels import (
    BOTTOM,
    COSINE,
    DISTANCE,
    HEIGHT,
    LENGTH,
    OBJECT,
    RANGE,
    SENSOR,
    SINE,
    WIDTH,
    X,
    Y,
)

# Of `cameras`: place, focal length, image centre, image size, deviation of pixels; the rotation (row by row) comes after them.
FOCAL, CENTRE_U, CENTRE_V, IMAGE_WIDTH, IMAGE_HEIGHT, DEVIATION = range(3, 9)
ROTATION = 9
# Of `boxes`: sensor, object, distance; left, top, right, bottom; the draw that decides on the class.
LEFT, TOP, RIGHT, LOWER, CLASS_DRAW = range(3, 8)


@compiled
def image_boxes(
    views: np.ndarray, probability: np.ndarray, draw: np.ndarray, objects: np.ndarray, cameras: np.ndarray
) -> np.ndarray:
    """The `boxes` (M, 8) of the views that are detected, around the eight corners of each object, cut off at the image's edge.

    Corners behind the camera project far out to their side. `draw` (2, V) decides on detection, then class.
    """
    boxes = np.empty((len(views), 8))
    count = 0
    for row in range(len(views)):
        if draw[0, row] >= probability[row]:
            continue
        sensor = int(views[row, SENSOR])
        camera, one = cameras[sensor], objects[int(views[row, OBJECT])]
        left = top = math.inf
        right = lower = -math.inf
        for along in (0.5 * one[LENGTH], -0.5 * one[LENGTH]):
            for across in (0.5 * one[WIDTH], -0.5 * one[WIDTH]):
                for above in (0.0, one[HEIGHT]):
                    x = one[X] + along * one[COSINE] - across * one[SINE] - camera[0]
                    y = one[Y] + along * one[SINE] + across * one[COSINE] - camera[1]
                    u, v, _ = pixel(camera, x, y, one[BOTTOM] + above - camera[2])
                    left, right, top, lower = min(left, u), max(right, u), min(top, v), max(lower, v)
        box = boxes[count]
        box[:LEFT] = views[row, :LEFT]
        box[LEFT], box[RIGHT] = clipped(left, camera[IMAGE_WIDTH]), clipped(right, camera[IMAGE_WIDTH])
        box[TOP], box[LOWER] = clipped(top, camera[IMAGE_HEIGHT]), clipped(lower, camera[IMAGE_HEIGHT])
        box[CLASS_DRAW] = draw[1, row]
        count += 1
    return boxes[:count].copy()


@compiled
def pixel(camera: np.ndarray, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Pixel and depth of a point relative to the camera's place; at positive depth only it means something."""
    turn = camera[ROTATION:]
    depth = x * turn[2] + y * turn[5] + z * turn[8]
    scale = camera[FOCAL] / max(depth, 1e-3)
    u = (x * turn[0] + y * turn[3] + z * turn[6]) * scale + camera[CENTRE_U]
    v = (x * turn[1] + y * turn[4] + z * turn[7]) * scale + camera[CENTRE_V]
    return u, v, depth


@compiled
def clipped(value: float, most: float) -> float:
    """Between 0 and `most`."""
    return min(max(value, 0.0), most)


@compiled
def noisy_boxes(
    boxes: np.ndarray,
    noise: np.ndarray,
    cameras: np.ndarray,
    mounts: np.ndarray,
    classes: np.ndarray,
    mistaken: np.ndarray,
    confusion: float,
    smallest: float,
    mean: float,
    drop: float,
    deviation: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What the cameras report of `boxes`: their rows, boxes (K, 4), classes and scores; too small ones are left out.

    `noise` (M, 5) moves the edges and the score, which is `mean`, less `drop` at the end of the range.
    """
    sensor, box = np.empty(len(boxes), np.int64), np.empty((len(boxes), 4))
    class_id, score = np.empty(len(boxes), np.uint8), np.empty(len(boxes))
    count = 0
    for row in range(len(boxes)):
        own = int(boxes[row, SENSOR])
        for edge in range(4):
            most = cameras[own, IMAGE_WIDTH + edge % 2]
            box[count, edge] = clipped(
                noise[row, edge] * cameras[own, DEVIATION] + boxes[row, LEFT + edge], most
            )
        if box[count, 2] - box[count, 0] < smallest or box[count, 3] - box[count, 1] < smallest:
            continue
        told = noise[row, 4] * deviation + mean - drop / mounts[own, RANGE] * boxes[row, DISTANCE]
        score[count] = min(max(told, 0.05), 0.99)
        true = classes[int(boxes[row, OBJECT])]
        class_id[count] = mistaken[true] if boxes[row, CLASS_DRAW] < confusion else true
        sensor[count] = own
        count += 1
    return sensor[:count], box[:count], class_id[:count], score[:count]
