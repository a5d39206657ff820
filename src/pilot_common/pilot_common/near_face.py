"""Which side of a box a sensor sees: the one rule that detection, fusion and the sensor models share.

The near face is the face whose plane the viewer stands farthest in front of: the rear of the car ahead, the side of the car
beside. A detection without a valid extent is the centre of this face.
"""

from typing import NamedTuple

import numpy as np


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
    cosine, sine = np.cos(heading), np.sin(heading)
    x, y = viewer[..., 0] - centre[:, 0], viewer[..., 1] - centre[:, 1]
    ahead, left = x * cosine + y * sine, y * cosine - x * sine
    half_length, half_width = 0.5 * length, 0.5 * width
    end = np.abs(ahead) - half_length >= np.abs(left) - half_width
    along = np.empty((len(heading), 2))
    along_x = along[:, 0] = np.where(end, -sine, cosine)
    along_y = along[:, 1] = np.where(end, cosine, sine)
    # To the right of `along`: out of the front, into the left side.
    reach = np.where(end, np.copysign(half_length, ahead), np.copysign(half_width, -left))
    offset = np.empty((len(heading), 2))
    offset[:, 0] = along_y * reach
    offset[:, 1] = -along_x * reach
    return Faces(offset, along, np.where(end, half_width, half_length), end)
