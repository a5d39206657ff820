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
    axis = np.empty((len(heading), 2))
    axis[:, 0] = np.cos(heading)
    axis[:, 1] = np.sin(heading)
    across = axis[:, ::-1] * (-1.0, 1.0)
    to_viewer = viewer - centre
    ahead = to_viewer[:, 0] * axis[:, 0] + to_viewer[:, 1] * axis[:, 1]
    left = to_viewer[:, 0] * across[:, 0] + to_viewer[:, 1] * across[:, 1]
    half_length, half_width = 0.5 * length, 0.5 * width
    end = np.abs(ahead) - half_length >= np.abs(left) - half_width
    reach = np.where(end, np.copysign(half_length, ahead), np.copysign(half_width, left))
    end_column = end[:, None]
    return Faces(
        np.where(end_column, axis, across) * reach[:, None],
        np.where(end_column, across, axis),
        np.where(end, half_width, half_length),
        end,
    )
