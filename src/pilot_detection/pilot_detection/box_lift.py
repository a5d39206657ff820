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
from pilot_detection.box_edges import (
    DOWN,
    EDGE_AXIS,
    FORWARD,
    MOUNT,
    OUTWARDS,
    RIGHT,
    camera_rows,
    corner_projection,
    edges_of,
)
from pilot_detection.parameters import Parameters

STEPS = 6  # at most; most images need two or three
# A step that lowers the misfit by less was the last: the next would move the box by hundredths of a deviation.
LAST_GAIN = 2.0
TURN_LEFT = np.array((-1.0, 1.0))  # times (y, x)
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
        self._projection = corner_projection(self._camera)
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
        # From here on outwards on the plane of depth 1.
        measured = box * self._per_pixel.take(sensor, axis=0) - self._centre.take(sensor, axis=0)
        weight, cut = self._edge_weights(sensor, box)
        projection = self._projection.take(sensor, axis=0)
        unknown, covariance, misfit = self._fit(camera, projection, measured, weight, class_id)
        odd = (misfit > parameters.class_misfit).nonzero()[0]
        if len(odd):
            class_id[odd] = 0
            unknown[odd], covariance[odd], misfit[odd] = self._fit(
                camera[odd], projection[odd], measured[odd], weight[odd], class_id[odd]
            )
        ahead = (unknown[:, :2] - camera[:, MOUNT, :2]) * camera[:, FORWARD, :2]
        above_horizon = self._above_horizon(camera, measured, weight) & ~cut[:, 3]
        kept = (misfit < parameters.largest_misfit) & ~above_horizon
        kept &= ahead[:, 0] + ahead[:, 1] > parameters.smallest_depth
        kept &= covariance[:, 0, 0] + covariance[:, 1, 1] < parameters.largest_deviation**2
        if not kept.all():
            camera, unknown, covariance, class_id = (
                camera[kept],
                unknown[kept],
                covariance[kept],
                class_id[kept],
            )
        aside = (cut[:, 0] | cut[:, 2])[kept]
        return self._result(kept, camera[:, MOUNT], unknown, covariance, class_id, aside)

    def _fit(
        self,
        camera: np.ndarray,
        projection: np.ndarray,
        measured: np.ndarray,
        weight: np.ndarray,
        class_id: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Most probable unknowns (N, 5), their covariance (N, 5, 5) and the squared normalised residuals (N,).

        All boxes are improved until the last of them has come to rest.
        """
        prior, prior_weight = self._size.take(class_id, axis=0), self._size_weight.take(class_id, axis=0)
        state = self._start(camera, measured, weight, prior, prior_weight)
        unknown = state[:, :5]
        # Far away the road has turned, and a length seen aslant looks like width.
        away = state[:, :2] - camera[:, MOUNT, :2]
        slant = self._parameters.road_turn * prior[:, 0]
        away *= slant[:, None]
        away *= away
        prior_weight[:, 1] = 1.0 / (1.0 / prior_weight[:, 1] + away[:, 0] + away[:, 1])
        count = len(measured)
        # Seven equations, one per edge and size: derivatives by the five unknowns, then the residual.
        equations = np.zeros((count, 7, 6))
        equations.reshape(count, 42)[:, 26::7] = 1.0  # a size by itself
        derivatives, residual, size_residual = (
            equations[:, :4, :5],
            equations[:, :4, 5],
            equations[:, 4:, 5],
        )
        transposed = equations.transpose(0, 2, 1)
        weights = np.zeros((count, 7, 7))
        weights[:, :4, :4] = weight
        weights.reshape(count, 49)[:, 32::8] = prior_weight
        lowest, highest = self._lowest.take(class_id, axis=0), self._highest.take(class_id, axis=0)
        for _ in range(STEPS):
            np.subtract(measured, edges_of(camera, projection, state, derivatives), out=residual)
            np.subtract(prior, unknown[:, 2:], out=size_residual)
            normal = transposed @ (weights @ equations)
            normal.reshape(count, 36)[:, :8:7] += SLIGHT
            covariance = np.linalg.inv(normal[:, :5, :5])
            gradient = normal[:, :5, 5:]
            step = covariance @ gradient
            gain = (gradient.transpose(0, 2, 1) @ step)[:, 0, 0]  # by which the step lowers the misfit
            unknown += step[:, :, 0]
            np.maximum(unknown, lowest, out=unknown)
            np.minimum(unknown, highest, out=unknown)
            if gain.max() < LAST_GAIN:
                break
        return unknown, covariance, normal[:, 5, 5] - np.minimum(gain, LAST_GAIN)

    def _edge_weights(self, sensor: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (N, 4, 4) of the edges on the plane of depth 1, and which edges (N, 4) the image border cuts off."""
        border = self._parameters.border_px
        cut = np.empty((len(box), 4), bool)
        np.less_equal(box[:, :2], border, out=cut[:, :2])
        np.greater_equal(box[:, 2:], self._size_px.take(sensor, axis=0)[:, 2:] - border, out=cut[:, 2:])
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
        """First guess of the unknowns, and a one (N, 6).

        Depth from the lower edge and from the height of the box, direction from its middle. Both tell the inverse of the depth
        linearly, each with its own certainty.
        """
        middle = 0.5 * (measured[:, 2] - measured[:, 0])
        ray = camera[:, FORWARD] + middle[:, None] * camera[:, RIGHT]
        mount = camera[:, MOUNT]
        by_ground = -(ray[:, 2] + measured[:, 3] * camera[:, DOWN, 2]) / mount[:, 2]
        by_height = (measured[:, 1] + measured[:, 3]) / prior[:, 2]
        ground_weight = mount[:, 2] ** 2 * weight[:, 3, 3]
        height_weight = prior_weight[:, 2] * (prior[:, 2] / by_height) ** 2
        inverse = (by_ground * ground_weight + by_height * height_weight) / (ground_weight + height_weight)
        reach = 1.0 / np.maximum(inverse, 1e-3) + 0.5 * prior[:, 0]
        state = np.ones((len(measured), 6))
        np.add(mount[:, :2], ray[:, :2] * reach[:, None], out=state[:, :2])
        state[:, 2:5] = prior
        return state

    @staticmethod
    def _above_horizon(camera: np.ndarray, measured: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Whether the lower edge lies above the horizon by more than three standard deviations."""
        middle = 0.5 * (measured[:, 2] - measured[:, 0])
        fall = -(camera[:, RIGHT, 2] * middle + camera[:, DOWN, 2] * measured[:, 3] + camera[:, FORWARD, 2])
        if fall.min() >= 0.0:
            return fall < 0.0
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
        aside: np.ndarray,
    ) -> Lifted:
        """Near faces or whole boxes with their covariance, of the rows kept; `aside` (n,) are cut off on the left or right."""
        limit = self._parameters.extent_deviation**2
        face = near_face(unknown[:, :2], np.zeros(len(unknown)), unknown[:, 2], unknown[:, 3], mount[:, :2])
        whole = (covariance[:, 2, 2] < limit) & (covariance[:, 3, 3] < limit)
        whole |= self._ambiguous(unknown, face, mount)
        offset = np.where(whole[:, None], 0.0, face.offset)
        # position = centre + offset, where the offset is a share ±1/2 of the length or the width
        share = offset / unknown[:, 2:4]
        to_position = np.zeros((len(unknown), 2, 5))
        to_position[:, 0, 0] = to_position[:, 1, 1] = 1.0
        to_position[:, 0, 2] = share[:, 0]
        to_position[:, 1, 3] = share[:, 1]
        # A box that is turned shows its near face beside the middle of its image, by half the slant of its length.
        # Where only one side of the image of a turned box is seen, nothing tells the turn from a place beside.
        across = (unknown[:, :2] - mount[:, :2])[:, ::-1] * TURN_LEFT
        turn = np.where(aside, self._parameters.cut_turn / np.hypot(across[:, 0], across[:, 1]), 0.0)
        across *= (0.5 * np.maximum(self._parameters.road_turn, turn) * unknown[:, 2])[:, None]
        position_covariance = np.matmul(np.matmul(to_position, covariance), to_position.transpose(0, 2, 1))
        return Lifted(
            kept=kept,
            position=unknown[:, :2] + offset,
            covariance=position_covariance + across[:, :, None] * across[:, None, :],
            extent=unknown[:, 2:],
            extent_valid=whole,
            class_id=class_id,
        )
