"""KITTI's coordinates become ours, against points worked out by hand, and a sequence becomes a bag that can be read back."""

from pathlib import Path

import numpy as np
import pytest

from pilot_common.camera import ground_points
from pilot_common.errors import BagError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.types import Detections, VehicleState
from pilot_common.vehicle import SensorKind, load_vehicle
from pilot_evaluation.bag import BagReader
from pilot_evaluation.importers.kitti import (
    EPOCH,
    base_from_camera,
    box_in_vehicle_camera,
    boxes_in_base,
    ego_motion,
    import_kitti,
)
from pilot_evaluation.importers.kitti_files import KittiSequence, read_sequence

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)
FLAGSHIP = load_vehicle("flagship_ev", CONFIG)
FRAMES = 20
SPEED, TURN = 10.0, 0.2  # m/s, rad/s of the sample's drive
# The camera 0.27 m ahead of the lidar and 0.08 m below it, both looking straight ahead: the rear axle is 0.76 + 0.27 m behind it.
CALIBRATION = """P0: 700 0 600 0 0 700 170 0 0 0 1 0
P1: 700 0 600 0 0 700 170 0 0 0 1 0
P2: 700 0 600 0 0 700 170 0 0 0 1 0
P3: 700 0 600 0 0 700 170 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 -0.08 1 0 0 -0.27
Tr_imu_to_velo: 1 0 0 -0.81 0 1 0 0.32 0 0 1 -0.8
"""


def camera_pose(time: float) -> np.ndarray:
    """Pose of the camera (first frame from current) on a left-hand circle driven by the rear axle 1.03 m behind it."""
    yaw = TURN * time
    radius = SPEED / TURN
    rear = np.array((radius * np.sin(yaw), radius * (1.0 - np.cos(yaw))))
    camera = rear + 1.03 * np.array((np.cos(yaw), np.sin(yaw))) - (1.03, 0.0)
    # Forward is z and left is −x of the camera; turning left is a negative turn about its downward y axis.
    rotation = np.array(((np.cos(yaw), 0.0, -np.sin(yaw)), (0.0, 1.0, 0.0), (np.sin(yaw), 0.0, np.cos(yaw))))
    return np.column_stack((rotation, (-camera[1], 0.0, camera[0])))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("calib", "det3d_pointrcnn_car", "det2d_rrc_car", "ego_pose_orbslam3"):
        (tmp_path / "kitti" / name).mkdir(parents=True)
    root = tmp_path / "kitti"
    (root / "calib" / "0000.txt").write_text(CALIBRATION)
    poses = [
        " ".join(f"{value:.9f}" for value in camera_pose(0.1 * frame).reshape(-1)) for frame in range(FRAMES)
    ]
    (root / "ego_pose_orbslam3" / "0000.txt").write_text("\n".join(poses) + "\n")
    boxes = [
        f"{frame},2,0,0,9,9,2.0,1.5,1.7,4.2,-2.0,1.65,20.0,-1.5707963267948966,0" for frame in range(FRAMES)
    ]
    (root / "det3d_pointrcnn_car" / "0000.txt").write_text("\n".join(boxes) + "\n")
    (root / "det2d_rrc_car" / "0000.txt").write_text("3,560.0,190.0,640.0,247.0,0.9\n")
    return root


def test_a_point_ahead_of_the_camera_is_ahead_of_the_car(folder: Path) -> None:
    transform = base_from_camera(read_sequence(folder, "0000"))
    assert transform @ (0.0, 0.0, 10.0, 1.0) == pytest.approx((11.03, 0.0, 1.65, 1.0))
    assert transform @ (-2.0, 1.65, 10.0, 1.0) == pytest.approx((11.03, 2.0, 0.0, 1.0)), (
        "left and on the ground"
    )


@pytest.mark.parametrize(
    ("yaw", "heading"), [(-np.pi / 2, 0.0), (0.0, -np.pi / 2), (np.pi / 2, np.pi), (np.pi, np.pi / 2)]
)
def test_a_box_keeps_its_direction_and_size(folder: Path, yaw: float, heading: float) -> None:
    transform = base_from_camera(read_sequence(folder, "0000"))
    box = np.array(((1.5, 1.7, 4.2, -2.0, 1.65, 20.0, yaw),))
    position, found, extent = boxes_in_base(box, transform)
    assert position[0] == pytest.approx((21.03, 2.0, 0.0))
    assert np.cos(found[0] - heading) == pytest.approx(1.0)
    assert extent[0] == pytest.approx((4.2, 1.7, 1.5))


def test_speed_and_yaw_rate_are_those_of_the_rear_axle(folder: Path) -> None:
    speed, acceleration, yaw_rate = ego_motion(read_sequence(folder, "0000"))
    inner = slice(3, -3)  # at the ends the fitted quadratic leaves the circle
    assert speed[inner] == pytest.approx(SPEED, abs=0.03)
    assert yaw_rate[inner] == pytest.approx(TURN, abs=1e-3)
    assert acceleration[inner] == pytest.approx(0.0, abs=0.1)


def test_a_camera_box_stands_at_the_same_place_for_the_vehicles_own_camera(folder: Path) -> None:
    sequence: KittiSequence = read_sequence(folder, "0000")
    sensor = FLAGSHIP.sensors[FLAGSHIP.fitted(SensorKind.CAMERA)[0]]
    box, seen = box_in_vehicle_camera(sequence, sensor)
    assert seen.tolist() == [True]
    # The lower edge is (247 − 170) / 700 of the depth below a camera 1.65 m high: 15 m ahead of it, 16.03 m of the rear axle.
    foot, valid = ground_points(sensor, np.array(((0.5 * (box[0, 0] + box[0, 2]), box[0, 3]),)))
    assert valid.all()
    assert foot[0] == pytest.approx((16.03, 0.0), abs=0.02)
    depth = 16.03 - sensor.position[0]
    width = (box[0, 2] - box[0, 0]) * depth / sensor.image.focal_length_px  # type: ignore[union-attr]
    assert width == pytest.approx(80.0 / 700.0 * 15.0, abs=0.01)


def test_a_sequence_becomes_a_bag_with_stamps_from_its_frames(folder: Path, tmp_path: Path) -> None:
    result = import_kitti(folder, "0000", tmp_path / "bag", FLAGSHIP, GRAPH)
    assert result.facts["lidar_detections"] == FRAMES
    with BagReader(tmp_path / "bag", GRAPH) as reader:
        records = list(reader.messages())
    detections = [record.message for record in records if record.topic == "lidar_detections"]
    states = [record.message for record in records if record.topic == "vehicle_state"]
    first = detections[0]
    assert isinstance(first, Detections)
    assert [round((m.stamp - EPOCH * 1e-9) * 1e9) for m in detections[:3]] == pytest.approx(
        [0, 100_000_000, 200_000_000], abs=300
    )
    assert first.position[0] == pytest.approx((21.03, 2.0, 0.0))
    assert first.score[0] == pytest.approx(1.0 / (1.0 + np.exp(-2.0)))
    assert np.linalg.eigvalsh(first.position_covariance[0]).min() > 0.0
    assert FLAGSHIP.sensors[int(first.sensor[0])].kind is SensorKind.LIDAR
    assert len(states) == (FRAMES - 1) * 5 + 1, "vehicle state at 50 Hz"
    middle = states[50]
    assert isinstance(middle, VehicleState)
    assert np.tan(middle.steering_angle) / FLAGSHIP.facts.dimensions.wheelbase == pytest.approx(
        TURN / SPEED, rel=0.02
    )


def test_bad_input_is_refused_with_the_file_and_the_reason(folder: Path, tmp_path: Path) -> None:
    def refuse(
        complaint: str, sequence: str = "0000", vehicle: str = "flagship_ev", at: Path = folder
    ) -> None:
        with pytest.raises(BagError, match=complaint):
            import_kitti(at, sequence, tmp_path / "bag", load_vehicle(vehicle, CONFIG), GRAPH)

    refuse("is no KITTI tracking folder", at=tmp_path)
    refuse("no sequence '0042' with ego poses; there are 0000", sequence="0042")
    refuse("has none", vehicle="sedan_ice")
    boxes = folder / "det3d_pointrcnn_car" / "0000.txt"
    good = boxes.read_text()
    boxes.write_text(good + "1,2,3\n")
    refuse("0000.txt: line 21: has 3 values, expected 15")
    boxes.write_text(good.replace("1.65", "one", 1))
    refuse("line 1: must hold numbers")
    boxes.unlink()
    refuse("no such file")
    boxes.write_text(good)
    calibration = folder / "calib" / "0000.txt"
    calibration.write_text(CALIBRATION.replace("R0_rect", "other"))
    refuse("R0_rect with 9 numbers is missing")
    calibration.write_text(CALIBRATION)
    (folder / "ego_pose_orbslam3" / "0000.txt").write_text(" ".join("0" * 12) + "\n")
    refuse("too few")
    assert not (tmp_path / "bag").exists(), "nothing half-made is left behind"
