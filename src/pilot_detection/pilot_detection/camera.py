"""Camera detection: image-level boxes and lane points become metric detections and lane marks in base_link."""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.camera import GroundView
from pilot_common.compiled import compiled
from pilot_common.messages import empty_arrays
from pilot_common.types import CameraObjects, Detections, LaneMarks, ObjectClass
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_detection import parameters as declared
from pilot_detection.box_lift import BoxLift
from pilot_detection.mark_fit import MarkFit


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionInputs:
    """What a step sees."""

    time: float
    camera_objects: CameraObjects | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOutputs:
    """What a step says. Where the input is missing or refused both are None, and `reason` says why."""

    camera_detections: Detections | None
    lane_marks: LaneMarks | None
    reason: str


class CameraDetection:
    """Stateless: each message is lifted on its own."""

    Inputs = DetectionInputs
    Outputs = DetectionOutputs
    Parameters = declared.Parameters

    def __init__(self, vehicle: Vehicle, parameters: declared.Parameters) -> None:
        self._parameters = parameters
        self._sensors = vehicle.sensors
        self._cameras = frozenset(vehicle.fitted(SensorKind.CAMERA))
        self._front = tuple(
            i for i in sorted(self._cameras) if abs(vehicle.sensors[i].yaw) <= parameters.front_yaw
        )
        self._ground_views = {index: GroundView(vehicle.sensors[index]) for index in self._front}
        self._boxes = BoxLift(vehicle, parameters)
        self._marks = MarkFit(parameters)

    def reset(self) -> None:
        """Nothing to forget."""

    def step(self, inputs: DetectionInputs) -> DetectionOutputs:
        """One message lifted to the road; refused as a whole where it cannot be trusted."""
        objects = inputs.camera_objects
        reason = "no camera objects" if objects is None else self._refusal(objects)
        if objects is None or reason:
            return DetectionOutputs(camera_detections=None, lane_marks=None, reason=reason)
        return DetectionOutputs(
            camera_detections=self._detections(objects), lane_marks=self._lane_marks(objects), reason=""
        )

    def _refusal(self, objects: CameraObjects) -> str:
        """Why a message cannot be used; empty where it can."""
        parameters = self._parameters
        named = (
            set(objects.sensors.tolist()) | set(objects.sensor.tolist()) | set(objects.line_sensor.tolist())
        )
        if not named <= self._cameras:
            return (
                f"camera objects of sensor {min(named - self._cameras)}, which is no camera of this vehicle"
            )
        if (
            len(objects.box_px) > parameters.maximum_objects
            or len(objects.line_point_px) > parameters.maximum_line_points
        ):
            return f"camera objects with {len(objects.box_px)} boxes and {len(objects.line_point_px)} lane points"
        if len(objects.line_mark) and int(objects.line_mark.max()) >= len(objects.mark_kind):
            return f"camera objects with a point of mark {int(objects.line_mark.max())} of {len(objects.mark_kind)}"
        if len(objects.class_id) and int(objects.class_id.max()) >= len(ObjectClass):
            return f"camera objects of unknown class {int(objects.class_id.max())}"
        total = (
            objects.box_px.sum()
            + objects.score.sum()
            + objects.line_point_px.sum()
            + objects.mark_score.sum()
        )
        if not math.isfinite(total + objects.stamp):
            return "camera objects that are not finite"
        return ""

    def _detections(self, objects: CameraObjects) -> Detections:
        """All boxes of at least one pixel that can stand on the ground."""
        box = objects.box_px
        rows = ((box[:, 2] - box[:, 0] > 1.0) & (box[:, 3] - box[:, 1] > 1.0)).nonzero()[0]
        if len(rows) == 0:
            return Detections(
                stamp=objects.stamp, **(empty_arrays(Detections) | {"sensors": objects.sensors})
            )
        lifted = self._boxes.lift(objects.sensor[rows], box[rows], objects.class_id[rows])
        rows = rows[lifted.kept]
        count = len(rows)
        position = np.zeros((count, 3))
        position[:, :2] = lifted.position
        return Detections(
            stamp=objects.stamp,
            sensors=objects.sensors,
            sensor=objects.sensor[rows],
            class_id=lifted.class_id,
            score=objects.score[rows],
            position=position,
            position_covariance=lifted.covariance,
            heading=np.zeros(count),
            heading_valid=np.zeros(count, bool),
            extent=lifted.extent,
            extent_valid=lifted.extent_valid,
        )

    def _lane_marks(self, objects: CameraObjects) -> LaneMarks:
        """Marks of the front-looking cameras."""
        reporting = objects.sensors.tolist()
        sensors = np.array([index for index in self._front if index in reporting], np.uint8)
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for index in sensors.tolist():
            rows = (objects.line_sensor == index).nonzero()[0]
            if len(rows):
                pixels = objects.line_point_px.take(rows, axis=0)
                parts.append(self._ground(index, objects.line_mark.take(rows), pixels))
        if not parts:
            return LaneMarks(stamp=objects.stamp, **(empty_arrays(LaneMarks) | {"sensors": sensors}))
        if len(parts) == 1:
            mark, point, variance = parts[0]
        else:
            mark, point, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
        fitted = self._marks.fit(mark, point, variance, len(objects.mark_kind))
        return LaneMarks(
            stamp=objects.stamp,
            sensors=sensors,
            coefficients=fitted.coefficients,
            deviation=fitted.deviation,
            view=fitted.view,
            kind=objects.mark_kind[fitted.kept],
            score=objects.mark_score[fitted.kept],
        )

    def _ground(
        self, index: int, mark: np.ndarray, pixels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Marks, ground points and lateral variances of the points of one camera that lie on the road ahead."""
        parameters = self._parameters
        sensor = self._sensors[index]
        focal = sensor.image.focal_length_px if sensor.image else 1.0
        point, valid = self._ground_views[index].points(pixels)
        rows, variance = _ahead(
            point,
            valid,
            *sensor.position,
            parameters.nearest_mark,
            parameters.farthest_mark,
            sensor.errors.pixel_px * parameters.edge_inflation / focal,
            parameters.point_floor,
        )
        return mark.take(rows), point.take(rows, axis=0), variance


@compiled
def _ahead(
    point: np.ndarray,
    valid: np.ndarray,
    mount_x: float,
    mount_y: float,
    mount_height: float,
    nearest: float,
    farthest: float,
    error: float,
    floor: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Which points (Q, 2) on the ground lie between `nearest` and `farthest`, and their lateral variances.

    Across, a pixel is distance · `error`; down, distance² / mount height · `error` along the ray, which slants by y / x.
    """
    rows, variance, count = np.empty(len(point), np.int64), np.empty(len(point)), 0
    for row in range(len(point)):
        x, y = point[row, 0], point[row, 1]
        if valid[row] and nearest <= x <= farthest:
            squared = (x - mount_x) ** 2 + (y - mount_y) ** 2
            slant = y / max(x, 1.0) / mount_height
            rows[count] = row
            variance[count] = floor * floor + error * error * squared * (1.0 + squared * slant * slant)
            count += 1
    return rows[:count], variance[:count]
