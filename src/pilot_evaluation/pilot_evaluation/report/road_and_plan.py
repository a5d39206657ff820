"""The road as the car saw it, and what it planned to do on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pilot_common.geometry import transform_points
from pilot_common.types import Plan, World
from pilot_evaluation.report.columns import pack
from pilot_evaluation.report.ego_path import EgoPath
from pilot_evaluation.report.moving_objects import nearest_index
from pilot_simulation.road import TrueRoad

LANES_PERIOD = 0.5  # s between pictures of the lanes; a change of lanes is pictured at once
LINE_STEP = 2  # every second point of a line: 10 m apart, 6 cm sagitta at 200 m radius
ROAD_STEP = 6.0  # m between points of the true road: 2 cm sagitta at 200 m radius
ROAD_AROUND = 350.0  # m of true road before and after the drive
PLAN_POINTS = 24  # at most, of a trajectory and of a path


def lane_pictures(world: Sequence[World], ego: EgoPath) -> list[dict[str, Any]]:
    """Centre line of the ego lane and the lanes around it, in the frame of `ego`, each valid until the next one."""
    pictures: list[dict[str, Any]] = []
    last_time, last_shape = -np.inf, None
    for message in world:
        lanes = message.lanes
        shape = (
            lanes.valid,
            lanes.ego_lane,
            len(lanes.offset),
            lanes.left_mark.tobytes(),
            lanes.right_mark.tobytes(),
        )
        if shape == last_shape and message.stamp - last_time < LANES_PERIOD:
            continue
        last_time, last_shape = message.stamp, shape
        point = (
            transform_points(ego.pose(message.stamp), lanes.point)[::LINE_STEP]
            if lanes.valid
            else np.empty((0, 2))
        )
        pictures.append(
            {
                "t": message.stamp,
                "ego_lane": lanes.ego_lane,
                "sight": round(lanes.sight),
                "behind": round(-float(lanes.point[0, 0])) if len(lanes.point) else 0,
                "x": pack(point[:, 0], 0.01),
                "y": pack(point[:, 1], 0.01),
                "offset": np.round(lanes.offset, 2).tolist(),
                "width": np.round(lanes.width, 2).tolist(),
                "left_mark": lanes.left_mark.tolist(),
                "right_mark": lanes.right_mark.tolist(),
            }
        )
    return pictures


def true_road(road: TrueRoad, ego: EgoPath) -> dict[str, Any]:
    """The road of the simulation around the drive: line, its right and left end at each point, boundaries with their paint."""
    poses = np.stack((ego.x, ego.y), axis=-1)[:: max(1, len(ego.x) // 50)]
    station, _, _ = road.line.to_road(poses)
    spacing = float(road.line.station[1] - road.line.station[0])
    first = max(0, int((station.min() - ROAD_AROUND) / spacing))
    rows = np.arange(
        first,
        min(len(road.line.station), int((station.max() + ROAD_AROUND) / spacing) + 1),
        round(ROAD_STEP / spacing),
    )
    offset = np.where(road.boundary_exists[:, rows], road.boundary[:, rows], np.nan)
    return {
        "x": pack(road.line.point[rows, 0], 0.01),
        "y": pack(road.line.point[rows, 1], 0.01),
        "right": pack(np.nanmin(offset, axis=0), 0.01),
        "left": pack(np.nanmax(offset, axis=0), 0.01),
        "boundaries": [
            {"offset": pack(row, 0.01), "mark": int(kind)}
            for row, kind in zip(offset, road.boundary_kind, strict=True)
        ],
    }


def plan_pictures(plans: Sequence[Plan], ego: EgoPath, frames: np.ndarray) -> dict[str, Any]:
    """Trajectories (with their acceleration) and paths at the times `frames` (F,), one after the other, `count` points each."""
    stamps = np.array([plan.stamp for plan in plans])
    trajectories, accelerations, paths = [], [], []
    for time in frames:
        index = nearest_index(stamps, float(time))
        plan = plans[index] if index is not None and plans[index].valid else None
        pose = ego.pose(plan.stamp) if plan else (0.0, 0.0, 0.0)
        rows = _thinned(len(plan.trajectory.time)) if plan else np.empty(0, int)
        trajectories.append(
            transform_points(pose, plan.trajectory.position[rows]) if plan else np.empty((0, 2))
        )
        accelerations.append(plan.trajectory.acceleration[rows] if plan else np.empty(0))
        path_rows = _thinned(len(plan.path)) if plan else np.empty(0, int)
        paths.append(transform_points(pose, plan.path[path_rows]) if plan else np.empty((0, 2)))
    return {
        "trajectory": _lines(trajectories) | {"acceleration": pack(np.concatenate(accelerations), 0.1)},
        "path": _lines(paths),
    }


def _thinned(count: int) -> np.ndarray:
    """Indices of at most PLAN_POINTS of `count` points, first and last among them."""
    return (
        np.unique(np.linspace(0, count - 1, min(count, PLAN_POINTS)).round().astype(int))
        if count
        else np.empty(0, int)
    )


def _lines(lines: list[np.ndarray]) -> dict[str, Any]:
    points = np.concatenate(lines) if lines else np.empty((0, 2))
    return {
        "count": [len(line) for line in lines],
        "x": pack(points[:, 0], 0.01),
        "y": pack(points[:, 1], 0.01),
    }
