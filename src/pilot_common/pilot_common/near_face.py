"""Which side of a box a sensor sees: the one rule that detection, fusion and the sensor models share.

The near face is the face whose plane the viewer stands farthest in front of: the rear of the car ahead, the side of the car
beside. A detection without a valid extent is the centre of this face.
"""

import math
from typing import NamedTuple

import numpy as np

from pilot_common.compiled import compiled


class Faces(NamedTuple):
    """Near faces of N boxes."""

    offset: np.ndarray  # (N, 2) from the centre of the box to that of the face
    along: np.ndarray  # (N, 2) unit vector along the face
    half: np.ndarray  # (N,) half the face's width
    end: np.ndarray  # (N,) front or rear, else a side


def near_face(
    centre: np.ndarray, heading: np.ndarray, length: np.ndarray, width: np.ndarray, viewer: np.ndarray
) -> Faces:
    """The near faces of boxes with centres (N, 2) for a viewer (2,) or one per box (N, 2), in the frame of the centres."""
    count = len(heading)
    boxes = np.empty((count, 7))
    boxes[:, :2], boxes[:, 2], boxes[:, 3], boxes[:, 4], boxes[:, 5:] = centre, heading, length, width, viewer
    faces = _faces(boxes)
    return Faces(faces[:, :2], faces[:, 2:4], faces[:, 4], faces[:, 5] > 0.0)


@compiled
def face_of_box(
    x: float, y: float, heading: float, length: float, width: float, viewer_x: float, viewer_y: float
) -> tuple[float, float, float, float, float, bool]:
    """The near face of one box centred at (x, y): `offset` and `along` as x and y each, `half`, `end`."""
    cosine, sine = math.cos(heading), math.sin(heading)
    x, y = viewer_x - x, viewer_y - y
    ahead, left = x * cosine + y * sine, y * cosine - x * sine
    half_length, half_width = 0.5 * length, 0.5 * width
    # Offsets are to the right of `along`: out of the front, into the left side.
    if abs(ahead) - half_length >= abs(left) - half_width:
        reach = math.copysign(half_length, ahead)
        return cosine * reach, sine * reach, -sine, cosine, half_width, True
    reach = math.copysign(half_width, -left)
    return sine * reach, -cosine * reach, cosine, sine, half_length, False


@compiled
def _faces(boxes: np.ndarray) -> np.ndarray:
    """Offset, along, half and end (N, 6) of boxes (N, 7): centre, heading, length, width, viewer."""
    faces = np.empty((len(boxes), 6))
    for row in range(len(boxes)):
        x, y, heading, length = boxes[row, 0], boxes[row, 1], boxes[row, 2], boxes[row, 3]
        width, viewer_x, viewer_y = boxes[row, 4], boxes[row, 5], boxes[row, 6]
        offset_x, offset_y, along_x, along_y, half, end = face_of_box(
            x, y, heading, length, width, viewer_x, viewer_y
        )
        faces[row, 0], faces[row, 1], faces[row, 2], faces[row, 3] = offset_x, offset_y, along_x, along_y
        faces[row, 4], faces[row, 5] = half, 1.0 if end else 0.0
    return faces
