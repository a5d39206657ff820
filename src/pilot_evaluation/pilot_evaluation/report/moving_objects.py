"""The other road users on the page: as they truly were, and as the car believed them to be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pilot_common.geometry import transform_points, wrap
from pilot_common.types import Truth, World
from pilot_evaluation.report.columns import pack
from pilot_evaluation.report.ego_path import EgoPath

VIEW_DISTANCE = 250.0  # m: farther objects never come into the picture and are left out
RESOLUTION = {
    "x": 0.01,
    "y": 0.01,
    "heading": 0.001,
    "speed": 0.01,
    "existence": 0.01,
    "length": 0.1,
    "width": 0.1,
    "sensors": 1,
}
NEAREST = 0.06  # s: a message farther from a picture's time is not shown in it (messages come every 0.05 s)

Row = dict[str, float]


def true_objects(truth: Sequence[Truth], frames: np.ndarray) -> list[dict[str, Any]]:
    """Stretches of the others in `truth`, one per object and uninterrupted time, on the times `frames` (F,)."""
    pictures: list[dict[int, Row]] = []
    for index, time in _nearest(truth, frames):
        if index is None:
            pictures.append({})
            continue
        message = truth[index]
        near = (
            np.hypot(message.position[:, 0] - message.x, message.position[:, 1] - message.y) < VIEW_DISTANCE
        )
        lapse = time - message.stamp
        rows = {}
        for n in np.flatnonzero(near):
            heading, speed = float(message.heading[n]), float(message.speed_other[n])
            rows[int(message.identity[n])] = {
                "x": float(message.position[n, 0]) + lapse * speed * np.cos(heading),
                "y": float(message.position[n, 1]) + lapse * speed * np.sin(heading),
                "heading": heading,
                "speed": speed,
                "length": float(message.extent[n, 0]),
                "width": float(message.extent[n, 1]),
                "class": int(message.class_id[n]),
            }
        pictures.append(rows)
    return _stretches(pictures, ("x", "y", "heading", "speed", "length", "width"))


def believed_objects(world: Sequence[World], ego: EgoPath, frames: np.ndarray) -> list[dict[str, Any]]:
    """Stretches of the tracks in `world`, moved from `base_link` to the frame of `ego` and to the times `frames` (F,)."""
    pictures: list[dict[int, Row]] = []
    for index, time in _nearest(world, frames):
        if index is None:
            pictures.append({})
            continue
        message = world[index]
        tracks = message.tracks
        pose = ego.pose(message.stamp)
        moved = tracks.position[:, :2] + (time - message.stamp) * tracks.velocity
        point = transform_points(pose, moved)
        rows = {}
        for n in range(len(tracks.identity)):
            rows[int(tracks.identity[n])] = {
                "x": float(point[n, 0]),
                "y": float(point[n, 1]),
                "heading": wrap(pose[2] + float(tracks.heading[n])),
                "speed": float(np.hypot(*tracks.velocity[n])),
                "existence": float(tracks.existence[n]),
                "length": float(tracks.extent[n, 0]),
                "width": float(tracks.extent[n, 1]),
                "sensors": int(tracks.sensors[n]),
                "class": int(tracks.class_id[n]),
            }
        pictures.append(rows)
    return _stretches(pictures, ("x", "y", "heading", "speed", "existence", "length", "width", "sensors"))


def nearest_index(stamps: np.ndarray, time: float) -> int | None:
    """Index of the stamp (increasing) nearest to a time, None where none is near enough."""
    if not len(stamps):
        return None
    after = int(np.searchsorted(stamps, time))
    candidates = [index for index in (after - 1, after) if 0 <= index < len(stamps)]
    best = min(candidates, key=lambda index: abs(stamps[index] - time))
    return best if abs(stamps[best] - time) <= NEAREST else None


def _nearest(messages: Sequence[Any], frames: np.ndarray) -> list[tuple[int | None, float]]:
    stamps = np.array([message.stamp for message in messages])
    return [(nearest_index(stamps, time), float(time)) for time in frames]


def _stretches(pictures: list[dict[int, Row]], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Objects by picture become uninterrupted stretches by object, each column packed; angles unwrapped along the stretch."""
    running: dict[int, tuple[int, list[Row]]] = {}
    done: list[tuple[int, int, list[Row]]] = []
    for index, rows in enumerate([*pictures, {}]):
        for identity in [known for known in running if known not in rows]:
            first, stretch = running.pop(identity)
            done.append((first, identity, stretch))
        for identity, row in rows.items():
            running.setdefault(identity, (index, []))[1].append(row)
    return [
        _stretch(first, identity, rows, columns)
        for first, identity, rows in sorted(done, key=lambda item: item[:2])
    ]


def _stretch(first: int, identity: int, rows: list[Row], columns: tuple[str, ...]) -> dict[str, Any]:
    """One stretch; a column that never changes is written once."""
    packed: dict[str, Any] = {
        "id": identity,
        "first": first,
        "count": len(rows),
        "class": int(rows[-1]["class"]),
    }
    for name in columns:
        values = np.array([row[name] for row in rows], float)
        column = pack(np.unwrap(values) if name == "heading" else values, RESOLUTION[name])
        packed[name] = column if any(column["d"][1:]) else column | {"d": column["d"][:1]}
    return packed
