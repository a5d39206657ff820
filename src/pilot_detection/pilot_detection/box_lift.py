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

STEPS = 6  # at most; most boxes need three
LAST_GAIN = 0.05
# Corners: sign along x, sign along y, share of the height.
CORNERS = np.array([(x, y, z) for x in (0.5, -0.5) for y in (0.5, -0.5) for z in (0.0, 1.0)])
# All coordinates of all corners are linear in the five unknowns: (5, 24).
CORNERS_OF_UNKNOWN = np.concatenate(
    (np.tile(np.eye(3)[:2], 8), (CORNERS[None] * np.eye(3)[:, None]).reshape(3, 24))
)
EDGE_AXIS = np.array((0, 1, 0, 1))  # of the image: left and right are measured across, top and bottom down
SMALLEST_DEPTH = 0.5  # m; corners beside or behind the camera are moved to here during the search
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


class Projection:
    """How N boxes are seen, each by its camera; what stays the same while they are fitted."""

    def __init__(self, rotation: np.ndarray, mount: np.ndarray) -> None:
        """Cameras with rotations (N, 3, 3), base from optical, at mounts (N, 3)."""
        columns = rotation.transpose(0, 2, 1)
        # Of each box: rotation, mount, direction in which each edge is measured (right, down, right, down), forward.
        self._rows = np.concatenate((rotation, mount[:, None], columns[:, EDGE_AXIS], columns[:, 2:]), axis=1)

    def take(self, rows: np.ndarray) -> "Projection":
        """Only some of the boxes."""
        part = object.__new__(Projection)
        part._rows = self._rows[rows]
        return part

    def edges(self, unknown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Edges (N, 4) of the boxes `unknown` (N, 5) on the plane of depth 1 and their derivatives (N, 4, 5)."""
        count = len(unknown)
        corner = (unknown @ CORNERS_OF_UNKNOWN).reshape(count, 8, 3)
        corner -= self._rows[:, 3:4]
        optical = corner @ self._rows[:, :3]
        depth = np.maximum(optical[:, :, 2:], SMALLEST_DEPTH)
        plane = optical[:, :, :2] / depth
        outermost = np.empty((count, 4), np.intp)  # corner of the left, top, right, bottom edge
        outermost[:, :2] = plane.argmin(axis=1)
        outermost[:, 2:] = plane.argmax(axis=1)
        row = outermost + np.arange(0, 8 * count, 8)[:, None]
        value = plane.take(2 * row + EDGE_AXIS)
        # d(plane)/d(corner) = (column of the axis − plane · column of depth) / depth
        slope = value[:, :, None] * self._rows[:, 8:]
        np.subtract(self._rows[:, 4:8], slope, out=slope)
        slope /= depth.take(row)[:, :, None]
        jacobian = np.empty((count, 4, 5))
        jacobian[:, :, :2] = slope[:, :, :2]
        np.multiply(slope, CORNERS.take(outermost, axis=0), out=jacobian[:, :, 2:])
        return value, jacobian


class BoxLift:
    """Holds the geometry of all cameras as arrays, so that boxes of several cameras are lifted together."""

    def __init__(self, vehicle: Vehicle, parameters: Parameters) -> None:
        self._parameters = parameters
        count = len(vehicle.sensors)
        self._rotation = np.zeros((count, 3, 3))
        self._mount = np.zeros((count, 3))
        self._focal = np.ones(count)
        self._size_px = np.ones((count, 2))
        self._weight = np.zeros((count, 4, 4))
        for index, sensor in enumerate(vehicle.sensors):
            self._mount[index] = sensor.position
            if sensor.image is None:
                continue
            self._rotation[index] = base_from_optical(sensor)
            self._focal[index] = sensor.image.focal_length_px
            self._size_px[index] = sensor.image.width_px, sensor.image.height_px
            edge = max(sensor.errors.pixel_px, 0.1) * parameters.edge_inflation
            pitch = sensor.image.focal_length_px * parameters.pitch_deviation
            covariance = edge**2 * np.eye(4)
            covariance[np.ix_((1, 3), (1, 3))] += pitch**2
            self._weight[index] = np.linalg.inv(covariance)
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
        rotation, mount = self._rotation.take(sensor, axis=0), self._mount.take(sensor, axis=0)
        focal, size_px = self._focal[sensor], self._size_px.take(sensor, axis=0)
        # From here on in the plane of depth 1.
        measured = (box - 0.5 * np.concatenate((size_px, size_px), axis=1)) / focal[:, None]
        weight, cut = self._edge_weights(sensor, box, size_px, focal)
        unknown, precision, misfit = self._fit(rotation, mount, measured, weight, class_id)
        odd = np.flatnonzero(misfit > parameters.class_misfit)
        if len(odd):
            class_id[odd] = 0
            unknown[odd], precision[odd], misfit[odd] = self._fit(
                rotation[odd], mount[odd], measured[odd], weight[odd], class_id[odd]
            )
        forward = np.einsum("ni,ni->n", unknown[:, :2] - mount[:, :2], rotation[:, :2, 2])
        above_horizon = ~cut[:, 3] & self._above_horizon(rotation, measured, weight)
        covariance = np.linalg.inv(precision)
        kept = (misfit < parameters.largest_misfit) & (forward > parameters.smallest_depth) & ~above_horizon
        kept &= covariance[:, 0, 0] + covariance[:, 1, 1] < parameters.largest_deviation**2
        return self._result(kept, mount[kept], unknown[kept], covariance[kept], class_id[kept])

    def _fit(
        self,
        rotation: np.ndarray,
        mount: np.ndarray,
        measured: np.ndarray,
        weight: np.ndarray,
        class_id: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Most probable unknowns (N, 5), their precision (N, 5, 5) and the squared normalised residuals (N,)."""
        prior, prior_weight = self._size.take(class_id, axis=0), self._size_weight.take(class_id, axis=0)
        unknown = self._start(rotation, mount, measured, prior)
        # Far away the road has turned, and a length seen aslant looks like width.
        away = unknown[:, :2] - mount[:, :2]
        slant = self._parameters.road_turn * prior[:, 0]
        prior_weight[:, 1] = 1.0 / (1.0 / prior_weight[:, 1] + slant**2 * np.einsum("ni,ni->n", away, away))
        projection = Projection(rotation, mount)
        precision = np.zeros((len(measured), 5, 5))
        rows = np.arange(len(measured))
        # What is still being improved, in the order of `rows`.
        part, seen, edge_weight, state, size, size_weight = (
            projection, measured, weight, unknown.copy(), prior, prior_weight,
        )  # fmt: skip
        for _ in range(STEPS):
            predicted, jacobian = part.edges(state)
            weighted = edge_weight @ jacobian
            system = jacobian.transpose(0, 2, 1) @ weighted
            diagonal = system.reshape(-1, 25)[:, ::6]
            diagonal[:, :2] += SLIGHT
            diagonal[:, 2:] += size_weight
            gradient = ((seen - predicted)[:, None] @ weighted)[:, 0]
            gradient[:, 2:] += size_weight * (size - state[:, 2:])
            step = np.linalg.solve(system, gradient[:, :, None])[:, :, 0]
            state += step
            np.maximum(state[:, 2:], 0.2 * size, out=state[:, 2:])
            precision[rows] = system
            unknown[rows] = state
            # A step that lowers the misfit by less than this was the last.
            improving = np.einsum("ni,ni->n", step, gradient) > LAST_GAIN
            if not improving.all():
                rows = rows[improving]
                if len(rows) == 0:
                    break
                part = part.take(improving)
                seen, edge_weight, state = seen[improving], edge_weight[improving], state[improving]
                size, size_weight = size[improving], size_weight[improving]
        residual = measured - projection.edges(unknown)[0]
        misfit = ((residual[:, None] @ weight)[:, 0] * residual).sum(axis=1)
        return unknown, precision, misfit + (prior_weight * (unknown[:, 2:] - prior) ** 2).sum(axis=1)

    def _edge_weights(
        self, sensor: np.ndarray, box: np.ndarray, size_px: np.ndarray, focal: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights (N, 4, 4) of the edges on the plane of depth 1, and which edges (N, 4) the image border cuts off."""
        border = self._parameters.border_px
        cut = np.concatenate((box[:, :2] <= border, box[:, 2:] >= size_px - border), axis=1)
        weight = self._weight.take(sensor, axis=0) * (focal**2)[:, None, None]
        if cut.any():
            seen = np.where(cut, 0.0, 1.0)
            weight = weight * seen[:, :, None] * seen[:, None, :]
            weight[:, (0, 1, 2, 3), (0, 1, 2, 3)] += SLIGHT * (1.0 - seen)
        return weight, cut

    def _start(
        self, rotation: np.ndarray, mount: np.ndarray, measured: np.ndarray, prior: np.ndarray
    ) -> np.ndarray:
        """First guess: depth from the height of the box against that of its class, direction from its middle."""
        depth = prior[:, 2] / np.maximum(measured[:, 3] - measured[:, 1], 1e-4)
        middle = np.ones((len(measured), 3))
        middle[:, 0] = 0.5 * (measured[:, 0] + measured[:, 2])
        middle[:, 1] = 0.5 * (measured[:, 1] + measured[:, 3])
        ray = np.matmul(rotation, middle[:, :, None])[:, :, 0]
        reach = (depth + 0.25 * prior[:, 0])[:, None]
        return np.concatenate((mount[:, :2] + ray[:, :2] * reach, prior), axis=1)

    @staticmethod
    def _above_horizon(rotation: np.ndarray, measured: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Whether the lower edge lies above the horizon by more than three standard deviations."""
        bottom = measured[:, 3]
        middle = 0.5 * (measured[:, 0] + measured[:, 2])
        fall = -(rotation[:, 2, 0] * middle + rotation[:, 2, 1] * bottom + rotation[:, 2, 2])
        rows = weight[:, (1, 3)][:, :, (1, 3)]
        variance = rows[:, 0, 0] / np.maximum(rows[:, 0, 0] * rows[:, 1, 1] - rows[:, 0, 1] ** 2, 1e-12)
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
