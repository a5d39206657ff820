"""Everything the page shows, as plain data: times in seconds from the start of the run, places in `map` (or `odom`)."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from pilot_common.types import Plan, Side
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_evaluation.report import story
from pilot_evaluation.report.columns import pack
from pilot_evaluation.report.ego_path import EgoPath
from pilot_evaluation.report.moving_objects import believed_objects, nearest_index, true_objects
from pilot_evaluation.report.road_and_plan import lane_pictures, plan_pictures, true_road
from pilot_evaluation.report.signals import ExtraCurve, curve_panels
from pilot_evaluation.run import Run
from pilot_simulation.road import TrueRoad

FRAME_PERIOD = 0.1  # s between pictures of the scene; the page moves things linearly between them
STOP_LAMPS = -1.3  # m/s²: UN R13-H 5.2.22.4, stop lamps shall be lit from this deceleration on
HAZARD = 3  # value of `indicator` besides those of Side
SHOWN_SENSORS = (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)


def report_data(run: Run, road: TrueRoad | None = None, extra: Iterable[ExtraCurve] = ()) -> dict[str, Any]:
    """The run as the page needs it. Raises BagError where the run does not even say where the car was."""
    ego = EgoPath.from_run(run)
    start, end = float(ego.time[0]), float(ego.time[-1])
    frames = np.arange(start, end + 1e-6, FRAME_PERIOD)
    plans: list[Plan] = run.messages("plan")
    world: list[Any] = run.messages("world")
    return {
        "duration": round(end - start, 3),
        "frame": ego.frame,
        "period": FRAME_PERIOD,
        "vehicle": _vehicle(run.vehicle),
        "ego": _ego(run, ego, frames),
        "others": true_objects(run.messages("truth"), frames),
        "tracks": believed_objects(world, ego, frames),
        "road": true_road(road, ego) if road else None,
        "lanes": _since(start, lane_pictures(world, ego)),
        **plan_pictures(plans, ego, frames),
        "why": _why(plans, frames),
        "decisions": _since(start, story.decisions(plans)),
        "modes": _since(start, story.modes(run.messages("mode"))),
        "events": _since(start, story.events(run)),
        "curves": curve_panels(run, start, end, extra),
    }


def _vehicle(vehicle: Vehicle) -> dict[str, Any]:
    dimensions = vehicle.facts.dimensions
    return {
        "name": vehicle.name,
        "title": vehicle.facts.title,
        "length": dimensions.length,
        "width": dimensions.width,
        "height": dimensions.height,
        "rear_axle_to_front": dimensions.rear_axle_to_front,
        "wheelbase": dimensions.wheelbase,
        "sensors": [
            {
                "name": sensor.name,
                "kind": sensor.kind.value,
                "x": sensor.position[0],
                "y": sensor.position[1],
                "yaw": sensor.yaw,
                "field_of_view": sensor.field_of_view,
                "range": sensor.range,
            }
            for sensor in vehicle.sensors
            if sensor.kind in SHOWN_SENSORS
        ],
    }


def _ego(run: Run, ego: EgoPath, frames: np.ndarray) -> dict[str, Any]:
    """Pose, lamps and lead at the times of the pictures."""
    seconds = frames - run.start
    braking = run.held("vehicle_state", "acceleration", seconds) <= STOP_LAMPS
    indicator = run.held("vehicle_state", "indicator", seconds, Side.NONE)
    hazard = run.held("actuation", "hazard_lights", seconds, False)
    return {
        "x": pack(np.interp(frames, ego.time, ego.x), 0.01),
        "y": pack(np.interp(frames, ego.time, ego.y), 0.01),
        "yaw": pack(np.interp(frames, ego.time, ego.yaw), 0.0005),
        "speed": pack(run.held("vehicle_state", "speed", seconds), 0.01),
        "steering": pack(run.held("vehicle_state", "steering_angle", seconds), 0.001),
        "braking": pack(braking, 1),
        "indicator": pack(np.where(hazard, HAZARD, indicator), 1),
        "lead": pack(run.held("plan", "lead_identity", seconds), 1),
    }


def _why(plans: list[Plan], frames: np.ndarray) -> dict[str, Any]:
    """The plan's reason at every picture: `text` and `chinese` hold each sentence once, `index` says which when (−1: none)."""
    stamps = np.array([plan.stamp for plan in plans])
    places: dict[tuple[str, str], int] = {}
    index = []
    for time in frames:
        nearest = nearest_index(stamps, float(time))
        if nearest is None:
            index.append(-1)
            continue
        words = story.plan_words(plans[nearest]), story.plan_words_zh(plans[nearest])
        index.append(places.setdefault(words, len(places)))
    return {
        "text": [english for english, _ in places],
        "chinese": [chinese for _, chinese in places],
        "index": pack(index, 1),
    }


def _since(start: float, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with their times counted from the start of the run."""
    return [
        entry | {key: round(entry[key] - start, 3) for key in ("t", "end") if key in entry}
        for entry in entries
    ]
