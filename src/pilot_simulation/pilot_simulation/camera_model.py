"""Cameras: boxes in the image of the objects seen, and lane marks in the image of the first camera that looks ahead.

A box is that of the whole object as it would be without occlusion (as networks trained on whole boxes report it), cut off at the
image's edge. Its noise is that of its edges.
"""

from collections.abc import Sequence

import numpy as np

from pilot_common.camera import Cameras, image_of
from pilot_common.types import CameraObjects, ObjectClass
from pilot_common.vehicle import Sensor
from pilot_simulation.lane_mark_model import ImageMarks, LaneMarkModel
from pilot_simulation.parameters import CameraParameters, MarkParameters
from pilot_simulation.scene import Scene, Viewpoints, Views

AHEAD = 0.35  # rad: cameras turned less look ahead
# What each class is mistaken for: unknown, car, truck, two-wheeler, pedestrian in the order of `ObjectClass`.
MISTAKEN = np.array(
    (ObjectClass.TRUCK, ObjectClass.TRUCK, ObjectClass.CAR, ObjectClass.PEDESTRIAN, ObjectClass.TWO_WHEELER)
)


class CameraModel:
    """All cameras given, by their index in the vehicle; every measurement draws from `generator`."""

    def __init__(
        self,
        sensors: Sequence[Sensor],
        indices: Sequence[int],
        parameters: CameraParameters,
        marks: MarkParameters,
        generator: np.random.Generator,
    ) -> None:
        self._parameters, self._generator = parameters, generator
        self._cameras = Cameras(sensors)
        self._index = np.array(indices, np.uint8)
        self._viewpoints = Viewpoints(sensors)
        self._pixel = np.array([sensor.errors.pixel_px for sensor in sensors])
        self._clutter = np.array([sensor.errors.clutter for sensor in sensors])
        images = [image_of(sensor) for sensor in sensors]
        self._image_size = np.array([(image.width_px, image.height_px) * 2 for image in images], float)
        ahead = next((row for row, sensor in enumerate(sensors) if abs(sensor.yaw) < AHEAD), None)
        self._ahead = ahead
        self._marks = None if ahead is None else LaneMarkModel(sensors[ahead], marks, generator)

    def measure(self, scene: Scene, views: Views | None = None) -> CameraObjects:
        """One exposure of all of them, ordered by sensor, then object; `views` of the scene where they are known already."""
        generator, parameters = self._generator, self._parameters
        views = self._viewpoints.look(scene) if views is None else views
        probability = self._viewpoints.probabilities(views, parameters.detectability)
        rows = np.flatnonzero(generator.random(len(probability)) < probability)
        sensor, index = views.sensor[rows], views.object[rows]
        box = self._boxes(scene, sensor, index)
        noise = generator.standard_normal((len(rows), 5))
        noisy = self._clipped(box + noise[:, :4] * self._pixel[sensor, None], sensor)
        size = noisy[:, 2:] - noisy[:, :2]
        large = size.min(1, initial=np.inf) >= parameters.smallest_box_px
        share = views.distance[rows] / self._viewpoints.range[sensor]
        score = (
            parameters.score_mean - parameters.score_drop * share + parameters.score_deviation * noise[:, 4]
        )
        class_id = scene.class_id[index]
        wrong = generator.random(len(rows)) < parameters.class_confusion
        class_id = np.where(wrong, MISTAKEN[class_id], class_id).astype(np.uint8)
        marks = self._image_marks(scene, box, sensor, views.distance[rows])
        false_box, false_sensor, false_score = self._false_boxes()
        sensor = np.concatenate((sensor[large], false_sensor))
        order = np.argsort(sensor, kind="stable")
        return CameraObjects(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index[sensor[order]],
            box_px=np.concatenate((noisy[large], false_box))[order],
            class_id=np.concatenate((class_id[large], np.full(len(false_box), ObjectClass.CAR, np.uint8)))[
                order
            ],
            score=np.concatenate((np.clip(score[large], 0.05, 0.99), false_score))[order],
            line_sensor=np.full(
                len(marks.point_px), 0 if self._ahead is None else self._index[self._ahead], np.uint8
            ),
            line_mark=marks.mark,
            line_point_px=marks.point_px,
            mark_kind=marks.kind,
            mark_score=marks.score,
        )

    def _boxes(self, scene: Scene, sensor: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Left, top, right, bottom (V, 4) of the eight corners. Corners behind the camera project far out to their side."""
        corner = np.zeros((len(sensor), 2, 4, 3))
        corner[..., :2] = scene.corner[index, None]
        corner[:, 1, :, 2] = scene.extent[index, 2, None]
        pixel, _ = self._cameras.project(sensor, corner.reshape(-1, 8, 3))
        return self._clipped(np.concatenate((pixel.min(axis=1), pixel.max(axis=1)), axis=1), sensor)

    def _clipped(self, boxes: np.ndarray, sensor: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(boxes, 0.0), self._image_size[sensor])

    def _image_marks(
        self, scene: Scene, box: np.ndarray, sensor: np.ndarray, distance: np.ndarray
    ) -> ImageMarks:
        if self._marks is None:
            return ImageMarks.none()
        own = sensor == self._ahead
        return self._marks.measure(scene, box[own], distance[own])

    def _false_boxes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes like those of cars below the horizon, with low scores."""
        generator = self._generator
        sensor = np.repeat(np.arange(len(self._clutter)), generator.poisson(self._clutter))
        if len(sensor) == 0:
            return np.empty((0, 4)), sensor, np.empty(0)
        draw = generator.random((len(sensor), 4))
        size = self._image_size[sensor]
        bottom = size[:, 1] * (0.51 + 0.3 * draw[:, 0])
        width = (bottom - 0.5 * size[:, 1]) * (1.0 + draw[:, 1])
        left = draw[:, 2] * (size[:, 0] - width)
        box = np.stack((left, bottom - 0.8 * width, left + width, bottom), axis=-1)
        return self._clipped(box, sensor), sensor, self._parameters.clutter_score * (0.5 + 0.5 * draw[:, 3])
