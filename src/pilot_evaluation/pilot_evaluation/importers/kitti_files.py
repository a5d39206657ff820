"""Reads one sequence of KITTI tracking (https://www.cvlibs.net/datasets/kitti/eval_tracking.php) with published detections.

Folders: `calib` as KITTI has it, `det3d_pointrcnn_car` (frame, type, 2D box, score, h, w, l, x, y, z, ry, alpha; rectified camera
frame), `det2d_rrc_car` (frame, 2D box, score), `ego_pose_orbslam3` (3×4 pose of the camera in its first frame, one a line).
Shapes: F frames, N detections.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pilot_common.errors import BagError

CALIBRATION, BOXES_3D, BOXES_2D, POSES = "calib", "det3d_pointrcnn_car", "det2d_rrc_car", "ego_pose_orbslam3"


@dataclass(frozen=True, slots=True, kw_only=True)
class KittiSequence:
    """A sequence as it lies in its files; the camera is the left grey one, rectified: x right, y down, z forward."""

    name: str
    camera_from_lidar: np.ndarray  # (4, 4)
    intrinsics: np.ndarray  # (3, 3), of the colour camera whose images the 2D boxes are from
    colour_camera: np.ndarray  # (3,), where that camera is
    pose: np.ndarray  # (F, 4, 4), first camera frame from camera
    frame_3d: np.ndarray  # (N,) int
    box_3d: (
        np.ndarray
    )  # (N, 7): height, width, length, x, y, z (centre of the bottom), yaw about the camera's y axis
    score_3d: np.ndarray  # (N,), log odds
    frame_2d: np.ndarray
    box_2d: np.ndarray  # (N, 4): left, top, right, bottom in pixels
    score_2d: np.ndarray


def read_sequence(folder: Path, name: str) -> KittiSequence:
    """A sequence by its name ("0000"). Raises BagError naming the file and what is wrong with it."""
    if not (folder / CALIBRATION).is_dir():
        raise BagError(f"{folder}: is no KITTI tracking folder: it holds no {CALIBRATION}/")
    names = sorted(file.stem for file in (folder / POSES).glob("*.txt"))
    if name not in names:
        raise BagError(
            f"{folder}: no sequence '{name}' with ego poses; there are {', '.join(names) or 'none'}"
        )
    calibration = _calibration(folder / CALIBRATION / f"{name}.txt")
    pose = _table(folder / POSES / f"{name}.txt", 12, " ")
    if len(pose) < 3:
        raise BagError(
            f"{folder / POSES / name}.txt: {len(pose)} poses are too few for a speed; needed are 3"
        )
    boxes_3d = _table(folder / BOXES_3D / f"{name}.txt", 15, ",")
    boxes_2d = (
        _table(folder / BOXES_2D / f"{name}.txt", 6, ",")
        if (folder / BOXES_2D / f"{name}.txt").is_file()
        else np.empty((0, 6))
    )
    projection = calibration["P2"].reshape(3, 4)  # K [I | −position]
    return KittiSequence(
        name=name,
        camera_from_lidar=_square(calibration["R0_rect"], 3) @ _square(calibration["Tr_velo_to_cam"], 4),
        intrinsics=projection[:, :3],
        colour_camera=-np.linalg.solve(projection[:, :3], projection[:, 3]),
        pose=np.stack([_square(row, 4) for row in pose]),
        frame_3d=boxes_3d[:, 0].astype(int),
        box_3d=boxes_3d[:, 7:14],
        score_3d=boxes_3d[:, 6],
        frame_2d=boxes_2d[:, 0].astype(int),
        box_2d=boxes_2d[:, 1:5],
        score_2d=boxes_2d[:, 5],
    )


def _calibration(file: Path) -> dict[str, np.ndarray]:
    """Matrices by name. Some releases write `R_rect` and leave out the colons; both are read."""
    matrices = {}
    for line in _text(file).splitlines():
        name, *values = line.replace(":", " ").split()[:13] or [""]
        if name:
            matrices[{"R_rect": "R0_rect", "Tr_velo_cam": "Tr_velo_to_cam"}.get(name, name)] = _numbers(
                values, file, name
            )
    for name, count in (("P2", 12), ("R0_rect", 9), ("Tr_velo_to_cam", 12)):
        if name not in matrices or len(matrices[name]) != count:
            raise BagError(f"{file}: {name} with {count} numbers is missing")
    return matrices


def _table(file: Path, columns: int, separator: str) -> np.ndarray:
    """Rows of numbers (N, columns)."""
    rows: list[np.ndarray] = []
    for number, line in enumerate(_text(file).splitlines(), 1):
        if line.strip():
            values = _numbers(line.split(None if separator == " " else separator), file, f"line {number}")
            if len(values) != columns:
                raise BagError(f"{file}: line {number}: has {len(values)} values, expected {columns}")
            rows.append(values)
    return np.array(rows).reshape(-1, columns)


def _numbers(values: list[str], file: Path, place: str) -> np.ndarray:
    try:
        numbers = np.array(values, float)
    except ValueError:
        raise BagError(f"{file}: {place}: must hold numbers, found {' '.join(values)[:60]!r}") from None
    if not np.all(np.isfinite(numbers)):
        raise BagError(f"{file}: {place}: must be finite")
    return numbers


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BagError(f"{file}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BagError(f"{file}: cannot be read: {error}") from None


def _square(values: np.ndarray, size: int) -> np.ndarray:
    """Homogeneous (4, 4) of a rotation (9 values) or of a 3×4 transform (12 values)."""
    matrix = np.eye(4)
    matrix[:3, :size] = values.reshape(3, size)
    return matrix
