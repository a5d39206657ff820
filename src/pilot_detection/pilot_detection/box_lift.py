"""From boxes in the image to boxes on the road: the most probable ones (`box_fit.py`), and what may be said of them.

Shapes: S cameras, N boxes, 4 edges (left, top, right, bottom), 5 unknowns (x, y, length, width, height).
"""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.camera import base_from_optical
from pilot_common.compiled import compiled
from pilot_common.near_face import face_of_box
from pilot_common.vehicle import Vehicle
from pilot_detection.box_edges import DOWN, EDGE_AXIS, FORWARD, MOUNT, OUTWARDS, RIGHT, camera_rows
from pilot_detection.box_fit import SLIGHT, most_probable
from pilot_detection.parameters import Parameters

LEFT_EDGE, RIGHT_EDGE, LOWER_EDGE = 0, 2, 3


@dataclass(frozen=True, slots=True)
class Lifted:
    """Boxes on the road, those that fit: `kept` (N,) says which of the input they are; arrays have the kept rows only."""

    kept: np.ndarray
    position: np.ndarray  # (n, 2) of the near face, or of the box where the extent is valid
    covariance: np.ndarray  # (n, 2, 2)
    extent: np.ndarray  # (n, 3)
    extent_valid: np.ndarray  # (n,)
    class_id: np.ndarray  # (n,) unknown where the shape contradicts the class


class BoxLift:
    """Holds the geometry of all cameras as arrays, so that boxes of several cameras are lifted together."""

    def __init__(self, vehicle: Vehicle, parameters: Parameters) -> None:
        self._parameters = parameters
        count = len(vehicle.sensors)
        rotation = np.zeros((count, 3, 3))
        mount = np.zeros((count, 3))
        # Edges outwards on the plane of depth 1 are pixels times this, less the image centre.
        self._per_pixel = np.ones((count, 4))
        self._size_px = np.ones((count, 4))  # width, height, twice: of the image, beside the edges of a box
        self._weight = np.zeros((count, 4, 4))
        for index, sensor in enumerate(vehicle.sensors):
            mount[index] = sensor.position
            if sensor.image is None:
                continue
            rotation[index] = base_from_optical(sensor)
            self._per_pixel[index] = OUTWARDS / sensor.image.focal_length_px
            self._size_px[index] = (sensor.image.width_px, sensor.image.height_px) * 2
            edge = max(sensor.errors.pixel_px, 0.1) * parameters.edge_inflation
            pitch = sensor.image.focal_length_px * parameters.pitch_deviation
            upright = OUTWARDS * EDGE_AXIS
            covariance = edge**2 * np.eye(4) + pitch**2 * upright[:, None] * upright
            self._weight[index] = np.linalg.inv(covariance) * sensor.image.focal_length_px**2
        self._centre = 0.5 * self._size_px * self._per_pixel
        self._camera = camera_rows(rotation, mount)
        sizes = [
            getattr(parameters.sizes, name)
            for name in ("unknown", "car", "truck", "two_wheeler", "pedestrian")
        ]
        self._size = np.array([(s.length, s.width, s.height) for s in sizes])
        deviation = np.array([(s.length_deviation, s.width_deviation, s.height_deviation) for s in sizes])
        self._size_weight = deviation**-2.0

    def lift(self, sensor: np.ndarray, box: np.ndarray, class_id: np.ndarray) -> Lifted:
        """Boxes (N, 4) in pixels of cameras `sensor` (N,) and classes (N,), on the road.

        Where the shape contradicts the class, the class is taken to be wrong and the box is lifted as one of unknown class.
        """
        parameters = self._parameters
        class_id = class_id.copy()
        camera = self._camera.take(sensor, axis=0)
        # From here on outwards on the plane of depth 1.
        measured = box * self._per_pixel.take(sensor, axis=0) - self._centre.take(sensor, axis=0)
        weight = self._weight.take(sensor, axis=0)
        cut = _cut_off(box, self._size_px.take(sensor, axis=0), weight, parameters.border_px)
        unknown, covariance, misfit = self._fit(camera, measured, weight, class_id)
        odd = (misfit > parameters.class_misfit).nonzero()[0]
        if len(odd):
            class_id[odd] = 0
            unknown[odd], covariance[odd], misfit[odd] = self._fit(
                camera[odd], measured[odd], weight[odd], class_id[odd]
            )
        whole = (
            covariance[:, 2:4, 2:4].diagonal(axis1=1, axis2=2).max(axis=1) < parameters.extent_deviation**2
        )
        place, spread = _on_the_road(
            camera, unknown, covariance, cut, whole, parameters.road_turn, parameters.cut_turn
        )
        kept = _can_stand(camera, measured, weight, cut, unknown, parameters.smallest_depth)
        kept &= misfit < parameters.largest_misfit
        kept &= covariance[:, 0, 0] + covariance[:, 1, 1] < parameters.largest_deviation**2
        return Lifted(kept, place[kept], spread[kept], unknown[kept, 2:], whole[kept], class_id[kept])

    def _fit(
        self, camera: np.ndarray, measured: np.ndarray, weight: np.ndarray, class_id: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        usual, usual_weight = self._size.take(class_id, axis=0), self._size_weight.take(class_id, axis=0)
        return most_probable(camera, measured, weight, usual, usual_weight, self._parameters.road_turn)


@compiled
def _cut_off(box: np.ndarray, size_px: np.ndarray, weight: np.ndarray, border_px: float) -> np.ndarray:
    """Which edges (N, 4) of boxes the border of an image of `size_px` (N, 4) cuts off; their `weight` (N, 4, 4) goes."""
    cut = np.empty((len(box), 4), np.bool_)
    for row in range(len(box)):
        for side in range(4):
            cut[row, side] = (
                box[row, side] <= border_px if side < 2 else box[row, side] >= size_px[row, side] - border_px
            )
            if cut[row, side]:
                for other in range(4):
                    weight[row, side, other] = weight[row, other, side] = 0.0
                weight[row, side, side] = SLIGHT
    return cut


@compiled
def _can_stand(
    camera: np.ndarray,
    measured: np.ndarray,
    weight: np.ndarray,
    cut: np.ndarray,
    unknown: np.ndarray,
    smallest_depth: float,
) -> np.ndarray:
    """Which boxes (N,) are ahead of their camera, with a lower edge no more than three deviations above the horizon."""
    stands = np.empty(len(unknown), np.bool_)
    for row in range(len(unknown)):
        ahead = (unknown[row, 0] - camera[row, MOUNT, 0]) * camera[row, FORWARD, 0]
        ahead += (unknown[row, 1] - camera[row, MOUNT, 1]) * camera[row, FORWARD, 1]
        stands[row] = ahead > smallest_depth
        middle = 0.5 * (measured[row, RIGHT_EDGE] - measured[row, LEFT_EDGE])
        down = camera[row, RIGHT, 2] * middle + camera[row, DOWN, 2] * measured[row, LOWER_EDGE]
        fall = -(down + camera[row, FORWARD, 2])
        if fall < 0.0 and not cut[row, LOWER_EDGE]:
            top, cross = weight[row, 1, 1], weight[row, 1, 3]
            variance = top / max(top * weight[row, 3, 3] - cross * cross, 1e-12)
            stands[row] &= not fall < -3.0 * math.sqrt(variance)
    return stands


@compiled
def _on_the_road(
    camera: np.ndarray,
    unknown: np.ndarray,
    covariance: np.ndarray,
    cut: np.ndarray,
    whole: np.ndarray,
    road_turn: float,
    cut_turn: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (N, 2) of near faces, or of boxes of which the `whole` (N,) is known, and their covariance (N, 2, 2).

    Whole becomes a box, too, whose near face alone could be that of a rear as well as that of a side: seen from aslant, either
    box would show just this face first; half a length lies between them.
    """
    position, spread = np.empty((len(unknown), 2)), np.empty((len(unknown), 2, 2))
    for row in range(len(unknown)):
        x, y, length, width = unknown[row, 0], unknown[row, 1], unknown[row, 2], unknown[row, 3]
        mount_x, mount_y = camera[row, MOUNT, 0], camera[row, MOUNT, 1]
        offset_x, offset_y, _, _, _, _ = face_of_box(x, y, 0.0, length, width, mount_x, mount_y)
        ahead, left = abs(x + offset_x - mount_x), abs(y + offset_y - mount_y)
        whole[row] |= ahead - 0.5 * length < left and ahead >= left - 0.5 * width
        if whole[row]:
            offset_x = offset_y = 0.0
        position[row, 0], position[row, 1] = x + offset_x, y + offset_y
        # position = centre + offset, where the offset is a share ±1/2 of the length or the width
        share = (offset_x / length, offset_y / width)
        # A box that is turned shows its near face beside the middle of its image, by half the slant of its length.
        # Where only one side of the image of a turned box is seen, nothing tells the turn from a place beside.
        turn = road_turn
        if cut[row, LEFT_EDGE] or cut[row, RIGHT_EDGE]:
            turn = max(turn, cut_turn / math.hypot(x - mount_x, y - mount_y))
        across = 0.5 * turn * length
        beside = (-across * (y - mount_y), across * (x - mount_x))
        for i in range(2):
            for j in range(2):
                by_size = share[i] * covariance[row, 2 + i, j] + share[j] * covariance[row, i, 2 + j]
                by_size += share[i] * share[j] * covariance[row, 2 + i, 2 + j]
                spread[row, i, j] = covariance[row, i, j] + by_size + beside[i] * beside[j]
    return position, spread
