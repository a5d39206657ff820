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
from pilot_simulation.scene import Clutter, Scene, Viewpoints, Views

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
        self._clutter = Clutter(sensors)
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
        draw = generator.random((2, len(probability)))
        rows = (draw[0] < probability).nonzero()[0]
        sensor, index, distance = views.sensor.take(rows), views.object.take(rows), views.distance.take(rows)
        box = self._boxes(scene, sensor, index)
        marks = self._image_marks(scene, box, sensor, distance)
        noise = generator.standard_normal((len(rows), 5))
        noisy = noise[:, :4] * self._pixel.take(sensor)[:, None]
        noisy += box
        noisy = self._clipped(noisy, sensor)
        score = noise[:, 4] * parameters.score_deviation
        score += parameters.score_mean
        score -= parameters.score_drop / self._viewpoints.range.take(sensor) * distance
        score = np.minimum(np.maximum(score, 0.05), 0.99)
        class_id = scene.class_id.take(index)
        wrong = (draw[1].take(rows) < parameters.class_confusion).nonzero()[0]
        if len(wrong):
            class_id[wrong] = MISTAKEN[class_id[wrong]]
        size = noisy[:, 2:] - noisy[:, :2]
        large = (size[:, 0] >= parameters.smallest_box_px) & (size[:, 1] >= parameters.smallest_box_px)
        if not large.all():
            sensor, noisy, class_id, score = sensor[large], noisy[large], class_id[large], score[large]
        false_sensor = self._clutter.draw(generator)
        if len(false_sensor):
            false_box, false_score = self._false_boxes(false_sensor)
            false_class = np.full(len(false_box), ObjectClass.CAR, np.uint8)
            sensor = np.concatenate((sensor, false_sensor))
            order = sensor.argsort(kind="stable")
            sensor = sensor[order]
            noisy = np.concatenate((noisy, false_box))[order]
            class_id = np.concatenate((class_id, false_class))[order]
            score = np.concatenate((score, false_score))[order]
        ahead = 0 if self._ahead is None else self._index[self._ahead]
        return CameraObjects(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index.take(sensor),
            box_px=noisy,
            class_id=class_id,
            score=score,
            line_sensor=np.full(len(marks.point_px), ahead, np.uint8),
            line_mark=marks.mark,
            line_point_px=marks.point_px,
            mark_kind=marks.kind,
            mark_score=marks.score,
        )

    def _boxes(self, scene: Scene, sensor: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Left, top, right, bottom (V, 4) of the eight corners. Corners behind the camera project far out to their side."""
        corner = np.zeros((len(sensor), 2, 4, 3))
        corner[..., :2] = scene.corner.take(index, axis=0)[:, None]
        corner[:, 1, :, 2] = scene.extent[:, 2].take(index)[:, None]
        if scene.traits is not None:
            corner[..., 2] += scene.elevation.take(index)[:, None, None]
        pixel, _ = self._cameras.project(sensor, corner.reshape(-1, 8, 3))
        box = np.empty((len(sensor), 4))
        pixel.min(axis=1, out=box[:, :2])
        pixel.max(axis=1, out=box[:, 2:])
        return self._clipped(box, sensor)

    def _clipped(self, boxes: np.ndarray, sensor: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(boxes, 0.0), self._image_size.take(sensor, axis=0))

    def _image_marks(
        self, scene: Scene, box: np.ndarray, sensor: np.ndarray, distance: np.ndarray
    ) -> ImageMarks:
        if self._marks is None:
            return ImageMarks.none()
        own = sensor == self._ahead
        return self._marks.measure(scene, box[own], distance[own])

    def _false_boxes(self, sensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (F, 4) like those of cars below the horizon, with low scores, in the images of `sensor` (F,)."""
        draw = self._generator.random((len(sensor), 4))
        size = self._image_size[sensor]
        bottom = size[:, 1] * (0.51 + 0.3 * draw[:, 0])
        width = (bottom - 0.5 * size[:, 1]) * (1.0 + draw[:, 1])
        left = draw[:, 2] * (size[:, 0] - width)
        box = np.stack((left, bottom - 0.8 * width, left + width, bottom), axis=-1)
        return self._clipped(box, sensor), self._parameters.clutter_score * (0.5 + 0.5 * draw[:, 3])
