"""A recorded road with its traffic, as an npz file beside the scenario's YAML. Importers write it, the simulation plays it.

Everything is in `map`, times in seconds from the start of the scenario.
"""

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from pilot_common.errors import ScenarioError


@dataclass(frozen=True, kw_only=True)
class Recording:
    """L lanes, ordered right to left, each with its bounds as polylines in the direction of travel; N actors at T times.

    A lane is a chain of lane pieces joined end to end, so that it goes as far as the recorded road; lanes may begin and end at
    different places (ramps), and left and right bound may have different numbers of points. Raises ValueError where shapes do not
    fit one another.
    """

    left: tuple[np.ndarray, ...]  # L × (Q, 2), left bound
    right: tuple[np.ndarray, ...]  # L × (Q, 2), right bound
    left_kind: np.ndarray  # (L,) uint8, MarkKind
    right_kind: np.ndarray  # (L,) uint8, MarkKind
    time: np.ndarray  # (T,) s, increasing
    identity: np.ndarray  # (N,) uint32, from 1 on, all different
    class_id: np.ndarray  # (N,) uint8, ObjectClass
    extent: np.ndarray  # (N, 3) m: length, width, height
    position: np.ndarray  # (T, N, 2) m, centres of the boxes
    heading: np.ndarray  # (T, N)
    speed: np.ndarray  # (T, N) m/s along the heading
    present: np.ndarray  # (T, N) bool; where false, the values are not used (but finite)

    def __post_init__(self) -> None:
        times, objects, lanes = len(self.time), len(self.identity), len(self.left)
        expected = {
            "left_kind": (lanes,),
            "right_kind": (lanes,),
            "class_id": (objects,),
            "extent": (objects, 3),
            "position": (times, objects, 2),
            "heading": (times, objects),
            "speed": (times, objects),
            "present": (times, objects),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")
        if lanes == 0 or len(self.right) != lanes:
            raise ValueError(
                f"{lanes} left and {len(self.right)} right bounds; there must be as many, and at least one"
            )
        for bound in (*self.left, *self.right):
            if bound.ndim != 2 or bound.shape[1] != 2 or len(bound) < 2:
                raise ValueError(f"a bound has shape {bound.shape}, expected (Q, 2) with Q of at least 2")
        if times == 0 or np.any(np.diff(self.time) <= 0.0):
            raise ValueError("time must increase")
        if len(np.unique(self.identity)) != objects or np.any(self.identity == 0):
            raise ValueError("identities must differ and not be 0")
        for name in ("extent", "position", "heading", "speed"):
            if not np.all(np.isfinite(getattr(self, name))):
                raise ValueError(f"{name} must be finite everywhere")

    def save(self, file: Path) -> None:
        """Writes the npz file."""
        arrays = {
            item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("left", "right")
        }
        for lane, (left, right) in enumerate(zip(self.left, self.right, strict=True)):
            arrays[f"left_{lane}"], arrays[f"right_{lane}"] = left, right
        np.savez_compressed(file, **arrays)


def load_recording(file: Path) -> Recording:
    """The recording in an npz file. Raises ScenarioError where it cannot be used."""
    try:
        with np.load(file, allow_pickle=False) as content:
            arrays = dict(content)
        lanes = range(len(arrays["left_kind"]))
        plain = {
            item.name: arrays[item.name] for item in fields(Recording) if item.name not in ("left", "right")
        }
        left = tuple(np.asarray(arrays[f"left_{lane}"], float) for lane in lanes)
        right = tuple(np.asarray(arrays[f"right_{lane}"], float) for lane in lanes)
        return Recording(left=left, right=right, **plain)
    except KeyError as error:
        raise ScenarioError(f"{file}: {error.args[0]} is missing") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ScenarioError(f"{file}: is no recording that can be played: {error}") from None
