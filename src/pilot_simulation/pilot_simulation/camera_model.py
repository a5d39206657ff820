"""Cameras: boxes in the image of the objects seen, and lane marks in the image of the first camera that looks ahead.

A box is that of the whole object as it would be without occlusion (as networks trained on whole boxes report it), cut off at the
image's edge. Its noise is that of its edges.
"""

from collections.abc import Sequence

import numpy as np

from pilot_common.camera import base_from_optical, image_of
from pilot_common.types import CameraObjects, ObjectClass
from pilot_common.vehicle import Sensor
from pilot_simulation.image_kernels import LOWER, image_boxes, noisy_boxes
from pilot_simulation.lane_mark_model import ImageMarks, LaneMarkModel
from pilot_simulation.parameters import CameraParameters, MarkParameters
from pilot_simulation.scene import Clutter, Scene, Viewpoints
from pilot_simulation.sensor_kernels import DISTANCE, SENSOR

AHEAD = 0.35  # rad: cameras turned less look ahead
# What each class is mistaken for: unknown, car, truck, two-wheeler, pedestrian in the order of `ObjectClass`.
MISTAKEN = np.array(
    (ObjectClass.TRUCK, ObjectClass.TRUCK, ObjectClass.CAR, ObjectClass.PEDESTRIAN, ObjectClass.TWO_WHEELER),
    np.uint8,
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
        self._index = np.array(indices, np.uint8)
        self._viewpoints = Viewpoints(sensors)
        self._clutter = Clutter(sensors)
        self._cameras = np.array([_camera(sensor) for sensor in sensors])
        self._image_size = np.array(
            [(image_of(s).width_px, image_of(s).height_px) * 2 for s in sensors], float
        )
        ahead = next((row for row, sensor in enumerate(sensors) if abs(sensor.yaw) < AHEAD), None)
        self._ahead = ahead
        self._marks = None if ahead is None else LaneMarkModel(sensors[ahead], marks, generator)

    def measure(self, scene: Scene) -> CameraObjects:
        """One exposure of all of them, ordered by sensor, then object."""
        generator, parameters, mounts = self._generator, self._parameters, self._viewpoints.mounts
        views = self._viewpoints.look(scene)
        probability = self._viewpoints.probabilities(views, parameters.detectability)
        draw = generator.random((2, len(probability)))
        boxes = image_boxes(views.table, probability, draw, scene.objects, self._cameras)
        marks = self._image_marks(scene, boxes)
        sensor, box, class_id, score = noisy_boxes(
            boxes,
            generator.standard_normal((len(boxes), 5)),
            self._cameras,
            mounts,
            scene.class_id,
            MISTAKEN,
            parameters.class_confusion,
            parameters.smallest_box_px,
            parameters.score_mean,
            parameters.score_drop,
            parameters.score_deviation,
        )
        false_sensor = self._clutter.draw(generator)
        if len(false_sensor):
            false_box, false_score = self._false_boxes(false_sensor)
            false_class = np.full(len(false_box), ObjectClass.CAR, np.uint8)
            sensor = np.concatenate((sensor, false_sensor))
            order = sensor.argsort(kind="stable")
            sensor = sensor[order]
            box = np.concatenate((box, false_box))[order]
            class_id = np.concatenate((class_id, false_class))[order]
            score = np.concatenate((score, false_score))[order]
        ahead = 0 if self._ahead is None else self._index[self._ahead]
        return CameraObjects(
            stamp=scene.stamp,
            sensors=self._index,
            sensor=self._index.take(sensor),
            box_px=box,
            class_id=class_id,
            score=score,
            line_sensor=np.full(len(marks.point_px), ahead, np.uint8),
            line_mark=marks.mark,
            line_point_px=marks.point_px,
            mark_kind=marks.kind,
            mark_score=marks.score,
        )

    def _image_marks(self, scene: Scene, boxes: np.ndarray) -> ImageMarks:
        if self._marks is None:
            return ImageMarks.none()
        own = boxes[:, SENSOR] == self._ahead
        return self._marks.measure(scene, boxes[own, DISTANCE : LOWER + 1])

    def _false_boxes(self, sensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (F, 4) like those of cars below the horizon, with low scores, in the images of `sensor` (F,)."""
        draw = self._generator.random((len(sensor), 4))
        size = self._image_size[sensor]
        bottom = size[:, 1] * (0.51 + 0.3 * draw[:, 0])
        width = (bottom - 0.5 * size[:, 1]) * (1.0 + draw[:, 1])
        left = draw[:, 2] * (size[:, 0] - width)
        box = np.stack((left, bottom - 0.8 * width, left + width, bottom), axis=-1)
        return np.minimum(np.maximum(box, 0.0), size[:, [0, 1, 0, 1]]), self._parameters.clutter_score * (
            0.5 + 0.5 * draw[:, 3]
        )


def _camera(sensor: Sensor) -> tuple[float, ...]:
    """The row of a camera in the table of `sensor_kernels.py`."""
    image = image_of(sensor)
    width, height = float(image.width_px), float(image.height_px)
    optics = (image.focal_length_px, 0.5 * width, 0.5 * height, width, height, sensor.errors.pixel_px)
    return (*sensor.position, *optics, *base_from_optical(sensor).ravel().tolist())
