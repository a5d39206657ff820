"""A sequence of KITTI tracking becomes a bag: published lidar and camera detections and ego poses as our source topics.

`base_link` is put on the ground below the centre of the rear axle of KITTI's car. The rectified camera is level (over the labels
its ground is 1.64 m below it and rises by 0.003), so it gives the axes; the velodyne stands 0.76 m ahead of the rear axle on the
car's centre line (Geiger et al., Vision meets Robotics, 2013, figure 3), and the calibration says where the camera is beside it.

The speed comes from the camera poses, moved to the rear axle and differentiated. Steering is what would turn the vehicle that
the bag is imported for along the same line. Camera boxes are laid into that vehicle's own front camera: a box whose lower edge
stands on flat ground is a rectangle at a known place, and its image there is exact. Frames are 0.1 s apart from a fixed epoch.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.signal import savgol_filter

from pilot_common.camera import image_of, project
from pilot_common.errors import BagError
from pilot_common.geometry import wrap_angle
from pilot_common.graph import Graph
from pilot_common.messages import Message, empty_arrays, to_seconds
from pilot_common.types import CameraObjects, Detections, DriverInput, Gear, ObjectClass, Side, VehicleState
from pilot_common.vehicle import Sensor, SensorKind, Vehicle
from pilot_evaluation.bag import BagWriter
from pilot_evaluation.importers import Imported
from pilot_evaluation.importers.kitti_files import KittiSequence, read_sequence

EPOCH = 1_317_000_000 * 1_000_000_000  # ns: September 2011, when KITTI was recorded
FRAME_PERIOD = 100_000_000  # ns
STATE_PERIOD = 20_000_000  # ns, as vehicle_state comes from a bus
LIDAR_AHEAD = 0.76  # m, of the rear axle
CAMERA_HEIGHT = 1.65  # m
LEVEL_AXES = np.array(
    ((0.0, 0.0, 1.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
)  # base_link from camera: z forward, x right, y down
# Standard deviation of PointRCNN's box centres against the labels of the tracking data: along and across the line of sight,
# m at no distance and m per m of distance.
DEVIATION_ALONG = (0.07, 0.0035)
DEVIATION_ACROSS = (0.06, 0.0016)
SMOOTHING = 7  # frames of the quadratic that is fitted to the poses: visual odometry jitters by centimetres
TIME_GAP = 1.8  # s, the driver's wish; nobody engages the function in these recordings
SMALLEST_BOX = 4.0  # px, of a camera box within the image
VISIBLE_SHARE = 0.5  # of a camera box that must lie within the image


def import_kitti(folder: Path, sequence: str, out: Path, vehicle: Vehicle, graph: Graph) -> Imported:
    """Writes the bag `out` of a sequence for a vehicle. Raises BagError for bad files, or a vehicle without a lidar."""
    recorded = read_sequence(folder, sequence)
    messages = sorted(
        (
            *_vehicle_states(recorded, vehicle),
            *_lidar_detections(recorded, vehicle),
            *_camera_objects(recorded, vehicle),
        ),
        key=lambda item: (item[0], graph.order(item[1])),
    )
    counts: dict[str, int | float | str] = {}
    with BagWriter(out, graph) as writer:
        for stamp, topic, message in messages:
            writer.write(topic, message, stamp + graph.latency(topic, vehicle))
            counts[topic] = int(counts.get(topic, 0)) + 1
    return Imported(
        out, {"sequence": sequence, "seconds": (messages[-1][0] - messages[0][0]) * 1e-9, **counts}
    )


def base_from_camera(sequence: KittiSequence) -> np.ndarray:
    """Transform (4, 4) from the rectified camera frame."""
    lidar_from_camera = np.linalg.inv(sequence.camera_from_lidar)
    transform = np.eye(4)
    transform[:3, :3] = LEVEL_AXES
    transform[:3, 3] = (LIDAR_AHEAD + lidar_from_camera[0, 3], lidar_from_camera[1, 3], CAMERA_HEIGHT)
    return transform


def boxes_in_base(box: np.ndarray, transform: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bottom centres (N, 3), headings (N,) and extents (N, 3: length, width, height) of camera boxes (N, 7) in base_link."""
    position = box[:, 3:6] @ transform[:3, :3].T + transform[:3, 3]
    yaw = box[:, 6]
    forward = np.stack((np.cos(yaw), np.zeros(len(yaw)), -np.sin(yaw)), axis=-1) @ transform[:3, :3].T
    return position, np.arctan2(forward[:, 1], forward[:, 0]), box[:, (2, 1, 0)]


def ego_motion(sequence: KittiSequence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Speed of the rear axle, acceleration and yaw rate (F,) at each frame."""
    base_camera = base_from_camera(sequence)
    pose = base_camera @ sequence.pose @ np.linalg.inv(base_camera)
    yaw = np.unwrap(np.arctan2(pose[:, 1, 0], pose[:, 0, 0]))
    window = min(SMOOTHING, len(yaw) - (len(yaw) + 1) % 2)
    period = FRAME_PERIOD * 1e-9

    def rate(values: np.ndarray) -> np.ndarray:
        return savgol_filter(values, window, min(2, window - 1), deriv=1, delta=period)

    speed = rate(pose[:, 0, 3]) * np.cos(yaw) + rate(pose[:, 1, 3]) * np.sin(yaw)
    return speed, rate(speed), rate(yaw)


def _vehicle_states(sequence: KittiSequence, vehicle: Vehicle) -> Iterator[tuple[int, str, Message]]:
    """The bus of a car that drives the recorded line, between the frames by linear interpolation."""
    motion = ego_motion(sequence)
    frames = np.arange(len(motion[0]))
    wheelbase = vehicle.facts.dimensions.wheelbase
    for step in range((len(frames) - 1) * FRAME_PERIOD // STATE_PERIOD + 1):
        time = step * STATE_PERIOD
        speed, acceleration, yaw_rate = (
            float(np.interp(time / FRAME_PERIOD, frames, values)) for values in motion
        )
        moving = speed > 0.5  # below, the curvature of a drifting pose means nothing
        state = VehicleState(
            stamp=to_seconds(EPOCH + time),
            valid=True,
            speed=speed,
            acceleration=acceleration,
            lateral_acceleration=speed * yaw_rate,
            yaw_rate=yaw_rate,
            steering_angle=math.atan(wheelbase * yaw_rate / speed) if moving else 0.0,
            gear=Gear.DRIVE,
            indicator=Side.NONE,
            driver=_driver(vehicle),
        )
        yield EPOCH + time, "vehicle_state", state


def _driver(vehicle: Vehicle) -> DriverInput:
    """A human drives; the function stays off."""
    return DriverInput(
        accelerator=0.0,
        brake=0.0,
        steering_torque=0.0,
        hands_on=True,
        eyes_on=True,
        engage=False,
        cancel=False,
        lane_change=Side.NONE,
        set_speed=vehicle.facts.limits.max_speed,
        time_gap=TIME_GAP,
    )


def _lidar_detections(sequence: KittiSequence, vehicle: Vehicle) -> Iterator[tuple[int, str, Message]]:
    fitted = vehicle.fitted(SensorKind.LIDAR)
    if not fitted:
        raise BagError(
            f"KITTI's 3D boxes are a lidar's, and {vehicle.name} has none: import for a vehicle with a lidar"
        )
    position, heading, extent = boxes_in_base(sequence.box_3d, base_from_camera(sequence))
    score = 1.0 / (1.0 + np.exp(-sequence.score_3d))
    covariance = _sight_covariance(position)
    for frame in range(len(sequence.pose)):
        rows = np.flatnonzero(sequence.frame_3d == frame)
        stamp = EPOCH + frame * FRAME_PERIOD
        detections = Detections(
            stamp=to_seconds(stamp),
            sensors=np.array(fitted[:1]),
            sensor=np.full(len(rows), fitted[0]),
            class_id=np.full(len(rows), ObjectClass.CAR),
            score=score[rows],
            position=position[rows],
            position_covariance=covariance[rows],
            heading=wrap_angle(heading[rows]),
            heading_valid=np.ones(len(rows), bool),
            extent=extent[rows],
            extent_valid=np.ones(len(rows), bool),
        )
        yield stamp, "lidar_detections", detections


def _sight_covariance(position: np.ndarray) -> np.ndarray:
    """Covariance (N, 2, 2) of box centres, its axes along and across the line of sight."""
    distance = np.hypot(position[:, 0], position[:, 1])
    along = position[:, :2] / np.maximum(distance, 1e-6)[:, None]
    across = np.stack((-along[:, 1], along[:, 0]), axis=-1)
    covariance = np.zeros((len(position), 2, 2))
    for axis, (constant, slope) in ((along, DEVIATION_ALONG), (across, DEVIATION_ACROSS)):
        covariance += (
            ((constant + slope * distance) ** 2)[:, None, None] * axis[:, :, None] * axis[:, None, :]
        )
    return covariance


def _camera_objects(sequence: KittiSequence, vehicle: Vehicle) -> Iterator[tuple[int, str, Message]]:
    index = next((i for i in vehicle.fitted(SensorKind.CAMERA) if abs(vehicle.sensors[i].yaw) < 0.1), None)
    if index is None or len(sequence.box_2d) == 0:
        return
    box, seen = box_in_vehicle_camera(sequence, vehicle.sensors[index])
    score = np.clip(sequence.score_2d, 0.0, 1.0)
    nothing = empty_arrays(CameraObjects)
    for frame in range(len(sequence.pose)):
        rows = np.flatnonzero((sequence.frame_2d == frame) & seen)
        stamp = EPOCH + frame * FRAME_PERIOD
        objects = {
            "sensors": np.array([index]),
            "sensor": np.full(len(rows), index),
            "box_px": box[rows],
            "class_id": np.full(len(rows), ObjectClass.CAR),
            "score": score[rows],
        }
        yield stamp, "camera_objects", CameraObjects(stamp=to_seconds(stamp), **(nothing | objects))


def box_in_vehicle_camera(sequence: KittiSequence, sensor: Sensor) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 4) in pixels of the vehicle's camera, and which of them (N,) lie in its image.

    The middle of a box's lower edge is laid on the flat ground; its edges stand at that depth, square to KITTI's camera.
    """
    transform = base_from_camera(sequence)
    rotation, origin = transform[:3, :3], transform[:3, :3] @ sequence.colour_camera + transform[:3, 3]
    left, top, right, bottom = sequence.box_2d.T
    corner = [
        np.stack((x, y), axis=-1) for x, y in ((0.5 * (left + right), bottom), (left, top), (right, bottom))
    ]
    inverse = np.linalg.inv(sequence.intrinsics)
    ground, upper, lower = (np.column_stack((pixels, np.ones(len(pixels)))) @ inverse.T for pixels in corner)
    fall = -(ground @ rotation.T)[:, 2]
    falls = fall > 1e-3  # below the horizon: within 1.65 km
    depth = origin[2] / np.where(falls, fall, 1.0)
    (upper_px, upper_depth), (lower_px, lower_depth) = (
        project(sensor, (depth[:, None] * ray) @ rotation.T + origin) for ray in (upper, lower)
    )
    box = np.concatenate((upper_px, lower_px), axis=1)
    image = image_of(sensor)
    clipped = np.clip(box, 0.0, (image.width_px, image.height_px) * 2)
    size, whole = clipped[:, 2:] - clipped[:, :2], box[:, 2:] - box[:, :2]
    in_image = np.all(size > SMALLEST_BOX, axis=1) & (
        np.prod(size, axis=1) > VISIBLE_SHARE * np.prod(whole, axis=1)
    )
    return clipped, falls & (upper_depth > 1.0) & (lower_depth > 1.0) & in_image
