"""From boxes in the image to boxes on the road: the most probable box standing on flat ground, for all objects at once.

Unknown are the centre (x, y) on the ground and the size (length, width, height) of a box along the car's axes. The four edges
of the image box measure it: the ground contact gives the range, and so do width and height against the size that the class
usually has; each counts by its covariance. Gauss-Newton steps on the outermost projected corners (Hartley & Zisserman, Multiple
View Geometry, 2nd ed., A6). Shapes: N boxes, 8 corners, 4 edges (left, top, right, bottom), 5 unknowns.
"""

from dataclasses import dataclass

import numpy as np

from pilot_common.camera import base_from_optical
from pilot_common.near_face import Faces, near_face
from pilot_common.vehicle import Vehicle
from pilot_detection.parameters import Parameters

STEPS = 6  # at most; most images need two or three
LAST_GAIN = 0.3  # a step that lowers the misfit by less was the last: the next would be some hundredths of a deviation
# Corners: sign along x, sign along y, share of the height.
CORNERS = np.array([(x, y, z) for x in (0.5, -0.5) for y in (0.5, -0.5) for z in (0.0, 1.0)])
# All coordinates of all corners are linear in the five unknowns: (5, 24).
CORNERS_OF_UNKNOWN = np.concatenate(
    (np.tile(np.eye(3)[:2], 8), (CORNERS[None] * np.eye(3)[:, None]).reshape(3, 24))
)
EDGE_AXIS = np.array((0, 1, 0, 1))  # of the image: left and right are measured across, top and bottom down
SMALLEST_DEPTH = 0.5  # m; corners beside or behind the camera are moved to here during the search
FARTHEST = 2000.0  # m, along each axis; nothing is searched for beyond
SLIGHT = 1e-8  # weight of an edge that says nothing; not 0, so that every system can be solved


@dataclass(frozen=True, slots=True)
class Lifted:
    """Boxes on the road, those that fit: `kept` (N,) says which of the input they are; arrays have the kept rows only."""

    kept: np.ndarray
    position: np.ndarray  # (n, 2) of the near face, or of the box where the extent is valid
    covariance: np.ndarray  # (n, 2, 2)
    extent: np.ndarray  # (n, 3)
    extent_valid: np.ndarray  # (n,)
    class_id: np.ndarray  # (n,) unknown where the shape contradicts the class


def edges_of(camera: np.ndarray, unknown: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Edges (N, 4) of the boxes `unknown` (N, 5) on the plane of depth 1; their derivatives go to `out` (N, 4, 5).

    `camera` (N, 9, 3) are the rows of `camera_rows` of each box.
    """
    count = len(unknown)
    corner = (unknown @ CORNERS_OF_UNKNOWN).reshape(count, 8, 3)
    corner -= camera[:, 3:4]
    optical = corner @ camera[:, :3]
    depth = np.maximum(optical[:, :, 2:], SMALLEST_DEPTH)
    plane = optical[:, :, :2] / depth
    outermost = np.empty((count, 4), np.intp)  # corner of the left, top, right, bottom edge
    plane.argmin(axis=1, out=outermost[:, :2])
    plane.argmax(axis=1, out=outermost[:, 2:])
    row = outermost + np.arange(0, 8 * count, 8)[:, None]
    value = plane.take(2 * row + EDGE_AXIS)
    # d(plane)/d(corner) = (column of the axis − plane · column of depth) / depth
    slope = value[:, :, None] * camera[:, 8:]
    np.subtract(camera[:, 4:8], slope, out=slope)
    slope /= depth.take(row)[:, :, None]
    out[:, :, :2] = slope[:, :, :2]
    np.multiply(slope, CORNERS.take(outermost, axis=0), out=out[:, :, 2:])
    return value


def camera_rows(rotation: np.ndarray, mount: np.ndarray) -> np.ndarray:
    """Of cameras with rotations (S, 3, 3), base from optical, at mounts (S, 3): what `edges_of` needs, as rows (S, 9, 3).

    Rotation, mount, direction in which each edge is measured (right, down, right, down), forward.
    """
    columns = rotation.transpose(0, 2, 1)
    return np.concatenate((rotation, mount[:, None], columns[:, EDGE_AXIS], columns[:, 2:]), axis=1)


class BoxLift:
    """Holds the geometry of all cameras as arrays, so that boxes of several cameras are lifted together."""

    def __init__(self, vehicle: Vehicle, parameters: Parameters) -> None:
        self._parameters = parameters
        count = len(vehicle.sensors)
        rotation = np.zeros((count, 3, 3))
        mount = np.zeros((count, 3))
        self._focal = np.ones(count)
        self._size_px = np.ones((count, 4))  # width, height, twice: of the image, beside the edges of a box
        self._weight = np.zeros((count, 4, 4))
        for index, sensor in enumerate(vehicle.sensors):
            mount[index] = sensor.position
            if sensor.image is None:
                continue
            rotation[index] = base_from_optical(sensor)
            self._focal[index] = sensor.image.focal_length_px
            self._size_px[index] = (sensor.image.width_px, sensor.image.height_px) * 2
            edge = max(sensor.errors.pixel_px, 0.1) * parameters.edge_inflation
            pitch = sensor.image.focal_length_px * parameters.pitch_deviation
            covariance = edge**2 * np.eye(4)
            covariance[np.ix_((1, 3), (1, 3))] += pitch**2
            self._weight[index] = np.linalg.inv(covariance) * sensor.image.focal_length_px**2
        self._camera = camera_rows(rotation, mount)
        sizes = [
            getattr(parameters.sizes, name)
            for name in ("unknown", "car", "truck", "two_wheeler", "pedestrian")
        ]
        self._size = np.array([(s.length, s.width, s.height) for s in sizes])
        deviation = np.array([(s.length_deviation, s.width_deviation, s.height_deviation) for s in sizes])
        self._size_weight = deviation**-2.0
        # Between these the unknowns stay, also those of boxes that no object can have.
        place = np.full((len(sizes), 2), FARTHEST)
        self._lowest = np.concatenate((-place, 0.2 * self._size), axis=1)
        self._highest = np.concatenate((place, 5.0 * self._size), axis=1)

    def lift(self, sensor: np.ndarray, box: np.ndarray, class_id: np.ndarray) -> Lifted:
        """Boxes (N, 4) in pixels of cameras `sensor` (N,) and classes (N,), on the road.

        Where the shape contradicts the class, the class is taken to be wrong and the box is lifted as one of unknown class.
        """
        parameters = self._parameters
        class_id = class_id.copy()
        camera = self._camera.take(sensor, axis=0)
        focal, size_px = self._focal.take(sensor), self._size_px.take(sensor, axis=0)
        # From here on in the plane of depth 1.
        measured = (box - 0.5 * size_px) / focal[:, None]
        weight, cut = self._edge_weights(sensor, box, size_px)
        unknown, covariance, misfit = self._fit(camera, measured, weight, class_id)
        odd = np.flatnonzero(misfit > parameters.class_misfit)
        if len(odd):
            class_id[odd] = 0
            unknown[odd], covariance[odd], misfit[odd] = self._fit(
                camera[odd], measured[odd], weight[odd], class_id[odd]
            )
        forward = np.einsum("ni,ni->n", unknown[:, :2] - camera[:, 3, :2], camera[:, 8, :2])
        above_horizon = ~cut[:, 3] & self._above_horizon(camera, measured, weight)
        kept = (misfit < parameters.largest_misfit) & (forward > parameters.smallest_depth) & ~above_horizon
        kept &= covariance[:, 0, 0] + covariance[:, 1, 1] < parameters.largest_deviation**2
        return self._result(kept, camera[kept, 3], unknown[kept], covariance[kept], class_id[kept])

    def _fit(
        self, camera: np.ndarray, measured: np.ndarray, weight: np.ndarray, class_id: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Most probable unknowns (N, 5), their covariance (N, 5, 5) and the squared normalised residuals (N,).

        All boxes are improved until the last of them has come to rest.
        """
        prior, prior_weight = self._size.take(class_id, axis=0), self._size_weight.take(class_id, axis=0)
        state = self._start(camera, measured, weight, prior, prior_weight)
        # Far away the road has turned, and a length seen aslant looks like width.
        away = state[:, :2] - camera[:, 3, :2]
        slant = self._parameters.road_turn * prior[:, 0]
        prior_weight[:, 1] = 1.0 / (1.0 / prior_weight[:, 1] + slant**2 * np.einsum("ni,ni->n", away, away))
        count = len(measured)
        # Seven equations, one per edge and size: derivatives by the five unknowns, then the residual.
        equations = np.zeros((count, 7, 6))
        equations[:, 4:, 2:5] = np.eye(3)
        weights = np.zeros((count, 7, 7))
        weights[:, :4, :4] = weight
        weights.reshape(count, 49)[:, 32::8] = prior_weight
        lowest, highest = self._lowest.take(class_id, axis=0), self._highest.take(class_id, axis=0)
        for _ in range(STEPS):
            np.subtract(measured, edges_of(camera, state, equations[:, :4, :5]), out=equations[:, :4, 5])
            np.subtract(prior, state[:, 2:], out=equations[:, 4:, 5])
            normal = equations.transpose(0, 2, 1) @ (weights @ equations)
            normal.reshape(count, 36)[:, :8:7] += SLIGHT
            covariance = np.linalg.inv(normal[:, :5, :5])
            gradient = normal[:, :5, 5]
            step = (covariance @ gradient[:, :, None])[:, :, 0]
            state += step
            np.maximum(state, lowest, out=state)
            np.minimum(state, highest, out=state)
            gain = np.einsum("ni,ni->n", step, gradient)  # by which the step lowers the misfit
            if gain.max() < LAST_GAIN:
                break
        return state, covariance, normal[:, 5, 5] - np.minimum(gain, LAST_GAIN)

    def _edge_weights(
        self, sensor: np.ndarray, box: np.ndarray, size_px: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights (N, 4, 4) of the edges on the plane of depth 1, and which edges (N, 4) the image border cuts off."""
        border = self._parameters.border_px
        cut = np.empty((len(box), 4), bool)
        np.less_equal(box[:, :2], border, out=cut[:, :2])
        np.greater_equal(box[:, 2:], size_px[:, 2:] - border, out=cut[:, 2:])
        weight = self._weight.take(sensor, axis=0)
        if cut.any():
            seen = np.where(cut, 0.0, 1.0)
            weight *= seen[:, :, None] * seen[:, None, :]
            weight[:, (0, 1, 2, 3), (0, 1, 2, 3)] += SLIGHT * (1.0 - seen)
        return weight, cut

    @staticmethod
    def _start(
        camera: np.ndarray,
        measured: np.ndarray,
        weight: np.ndarray,
        prior: np.ndarray,
        prior_weight: np.ndarray,
    ) -> np.ndarray:
        """First guess: depth from the lower edge and from the height of the box, direction from its middle.

        Both tell the inverse of the depth linearly, each with its own certainty.
        """
        bottom, height = measured[:, 3], measured[:, 3] - measured[:, 1]
        middle = 0.5 * (measured[:, 0] + measured[:, 2])
        ray = camera[:, 8] + middle[:, None] * camera[:, 4]
        by_ground = -(ray[:, 2] + bottom * camera[:, 5, 2]) / camera[:, 3, 2]
        by_height = height / prior[:, 2]
        ground_weight = camera[:, 3, 2] ** 2 * weight[:, 3, 3]
        height_weight = prior_weight[:, 2] * (prior[:, 2] / by_height) ** 2
        inverse = (by_ground * ground_weight + by_height * height_weight) / (ground_weight + height_weight)
        reach = 1.0 / np.maximum(inverse, 1e-3) + 0.5 * prior[:, 0]
        state = np.empty((len(measured), 5))
        state[:, :2] = camera[:, 3, :2] + ray[:, :2] * reach[:, None]
        state[:, 2:] = prior
        return state

    @staticmethod
    def _above_horizon(camera: np.ndarray, measured: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Whether the lower edge lies above the horizon by more than three standard deviations."""
        bottom = measured[:, 3]
        middle = 0.5 * (measured[:, 0] + measured[:, 2])
        fall = -(camera[:, 2, 0] * middle + camera[:, 2, 1] * bottom + camera[:, 2, 2])
        top, cross = weight[:, 1, 1], weight[:, 1, 3]
        variance = top / np.maximum(top * weight[:, 3, 3] - cross * cross, 1e-12)
        return fall < -3.0 * np.sqrt(variance)

    @staticmethod
    def _ambiguous(unknown: np.ndarray, face: Faces, mount: np.ndarray) -> np.ndarray:
        """Whether the centre of the face (N,) alone could be that of a rear as well as that of a side.

        Seen from aslant, either box would show just this face first; half a length lies between them. Then the centre is told.
        """
        beside = np.abs(unknown[:, :2] + face.offset - mount[:, :2])
        ahead, left = beside[:, 0], beside[:, 1]
        return (ahead - 0.5 * unknown[:, 2] < left) & (ahead >= left - 0.5 * unknown[:, 3])

    def _result(
        self,
        kept: np.ndarray,
        mount: np.ndarray,
        unknown: np.ndarray,
        covariance: np.ndarray,
        class_id: np.ndarray,
    ) -> Lifted:
        """Near faces or whole boxes with their covariance, of the rows kept."""
        limit = self._parameters.extent_deviation**2
        face = near_face(unknown[:, :2], np.zeros(len(unknown)), unknown[:, 2], unknown[:, 3], mount[:, :2])
        whole = (covariance[:, 2, 2] < limit) & (covariance[:, 3, 3] < limit)
        whole |= self._ambiguous(unknown, face, mount)
        offset = np.where(whole[:, None], 0.0, face.offset)
        # position = centre + offset, where the offset is a share ±1/2 of the length or the width
        share = offset / unknown[:, 2:4]
        to_position = np.zeros((len(unknown), 2, 5))
        to_position[:, (0, 1), (0, 1)] = 1.0
        to_position[:, 0, 2] = share[:, 0]
        to_position[:, 1, 3] = share[:, 1]
        # A box that is turned shows its near face beside the middle of its image, by half the slant of its length.
        across = (unknown[:, :2] - mount[:, :2])[:, ::-1] * (-1.0, 1.0)
        across *= 0.5 * self._parameters.road_turn * unknown[:, 2:3]
        position_covariance = np.matmul(np.matmul(to_position, covariance), to_position.transpose(0, 2, 1))
        return Lifted(
            kept=kept,
            position=unknown[:, :2] + offset,
            covariance=position_covariance + across[:, :, None] * across[:, None, :],
            extent=unknown[:, 2:],
            extent_valid=whole,
            class_id=class_id,
        )
