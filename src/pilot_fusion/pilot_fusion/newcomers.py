"""Tracks that begin: from measurements that belong to none, lie within none and are believed enough."""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.near_face import face_of_box
from pilot_fusion.course import course_at
from pilot_fusion.existence import STANDING, born, solid_born
from pilot_fusion.looks import SMALLEST_EXTENT
from pilot_fusion.measurement import Source, reflection
from pilot_fusion.track_bank import NEVER, TRACK, spread, update_radial

UNKNOWN_HEADING = 0.35  # rad; deviation of the guess that a newcomer drives along the road
RADAR = int(Source.RADAR)


@compiled
def newcomers(
    tracks: np.ndarray,
    pairs: np.ndarray,
    found: np.ndarray,
    sensors: np.ndarray,
    source: int,
    time: float,
    yaw: float,
    samples: np.ndarray,
    pose: np.ndarray,
    association: np.ndarray,
    existence: np.ndarray,
    measurement: np.ndarray,
    looks: np.ndarray,
    motion: np.ndarray,
) -> np.ndarray:
    """Tracks (A,) without identity that start from the measurements `found` (M,) that are in no pair; `samples` and `pose` are
    those of the course.
    """
    rows = _unexplained(tracks, pairs, found, source, time, association[0], existence[0])
    started, count = np.empty(len(rows), TRACK), 0
    for index in range(len(rows)):
        seen = found[rows[index]]
        if _repeated(found, rows, index, source, association[0]):
            continue
        probability = born(seen, sensors[seen["sensor"]], source, existence[0])
        if probability <= existence[0]["delete"]:
            continue
        track = started[count]
        count += 1
        track["existence"], track["solid"] = probability, solid_born(seen, source, existence[0])
        track["identity"], track["occlusion"], track["reported"], track["born"] = 0, 0.0, False, time
        track["apart"], track["reporters"] = NEVER, 0 if source == RADAR else 1 << seen["sensor"]
        for kind in range(3):
            track["seen"][kind] = time if kind == source else NEVER
        # As long as nothing else is known, along the road.
        heading, track["turn"][0], track["turn"][1] = course_at(
            samples, pose, seen["position"][0], seen["position"][1]
        )
        track["heading"], track["heading_variance"] = heading, UNKNOWN_HEADING**2
        _look(track, seen, source, yaw, looks[0], motion[0]["heading_measured"])
        _place(track, seen, source, measurement[0], motion[0])
        if source == RADAR:
            speed, variance = seen["ground_speed"], seen["ground_speed_variance"]
            update_radial(track, seen["beam"][0], seen["beam"][1], speed, variance, np.inf, 0.0, 0.0)
    return started[:count]


@compiled
def _unexplained(
    tracks: np.ndarray,
    pairs: np.ndarray,
    found: np.ndarray,
    source: int,
    time: float,
    association: np.void,
    existence: np.void,
) -> np.ndarray:
    """Measurements that are in no pair and in no track's box with a margin.

    What this kind of sensor itself does not see where it should be is no explanation of what it sees.
    """
    free = np.ones(len(found), np.bool_)
    for index in range(len(pairs)):
        free[pairs[index]["measurement"]] = False
    rows, margin = free.nonzero()[0], association["explained_margin"]
    for row in range(len(tracks)):
        track = tracks[row]
        state, extent = track["state"], track["extent"]
        if track["existence"] <= existence["keep"] or track["seen"][source] < time - existence["miss_time"]:
            continue
        cosine, sine = math.cos(track["heading"]), math.sin(track["heading"])
        for other in rows:
            if free[other]:
                x, y = found[other]["position"][0] - state[0], found[other]["position"][1] - state[1]
                along, across = abs(x * cosine + y * sine), abs(y * cosine - x * sine)
                if along < 0.5 * extent[0] + margin and across < 0.5 * extent[1] + margin:
                    free[other] = False
    return rows[free[rows]]


@compiled
def _repeated(found: np.ndarray, rows: np.ndarray, index: int, source: int, association: np.void) -> bool:
    """Whether a measurement before this one is of the same object: close by in position and Doppler for radar, within the gate
    and of another sensor for cameras and lidars.
    """
    seen = found[rows[index]]
    for before in range(index):
        other = found[rows[before]]
        x, y = other["position"][0] - seen["position"][0], other["position"][1] - seen["position"][1]
        if source == RADAR:
            close = x * x + y * y < association["cluster_distance"] ** 2
            if close and abs(other["range_rate"] - seen["range_rate"]) < association["cluster_speed"]:
                return True
        elif other["sensor"] != seen["sensor"]:
            one, two = other["covariance"], seen["covariance"]
            a, b, d = one[0] + two[0], one[1] + two[1], one[2] + two[2]
            if d * x * x - 2.0 * b * x * y + a * y * y < association["gate"] * (a * d - b * b):
                return True
    return False


@compiled
def _look(
    track: np.void, seen: np.void, source: int, yaw: float, looks: np.void, heading_measured: float
) -> None:
    """Size and class, and the heading where it was measured."""
    extent = track["extent"]
    extent[0], extent[1], extent[2] = looks["length"], looks["width"], looks["height"]
    track["extent_count"] = 1.0 if seen["whole"] else 0.0
    track["base"] = seen["base"]
    for other in range(5):
        track["class_weight"][other] = 0.0
    if source == RADAR:
        return
    track["class_weight"][seen["class_id"]] = min(max(seen["score"], 0.05), 1.0)
    for axis in range(3):
        if seen["extent"][axis] > SMALLEST_EXTENT:
            extent[axis] = seen["extent"][axis]
    if not seen["whole"]:
        extent[1] = min(extent[1], looks["widest"])
    if seen["heading_valid"]:
        track["heading"], track["heading_variance"] = seen["heading"] + yaw, heading_measured**2


@compiled
def _place(track: np.void, seen: np.void, source: int, measurement: np.void, motion: np.void) -> None:
    """State behind the face that was seen, and its covariance."""
    state, covariance, heading = track["state"], track["covariance"], track["heading"]
    x, y = seen["position"][0], seen["position"][1]
    xx, xy, yy = seen["covariance"][0], seen["covariance"][1], seen["covariance"][2]
    if not seen["whole"]:
        length, width = track["extent"][0], track["extent"][1]
        viewer_x, viewer_y = seen["viewer"][0], seen["viewer"][1]
        behind_x, behind_y = x + 0.5 * length * seen["beam"][0], y + 0.5 * length * seen["beam"][1]
        offset_x, offset_y, along_x, along_y, half, end = face_of_box(
            behind_x, behind_y, heading, length, width, viewer_x, viewer_y
        )
        if source == RADAR:
            aside = (viewer_x - x) * along_x + (viewer_y - y) * along_y
            shift, more_xx, more_xy, more_yy = reflection(aside, half, end, along_x, along_y, measurement)
            offset_x, offset_y = offset_x + along_x * shift, offset_y + along_y * shift
            xx, xy, yy = xx + more_xx, xy + more_xy, yy + more_yy
        x, y = x - offset_x, y - offset_y
    for row in range(6):
        state[row] = 0.0
        for column in range(6):
            covariance[row, column] = 0.0
    state[0], state[1] = x, y
    _block(covariance, 0, xx, xy, yy)
    xx, xy, yy = spread(heading, motion["birth_speed"], motion["birth_speed_across"])
    if source == RADAR and abs(seen["ground_speed"]) < STANDING:
        axis = math.atan2(seen["beam"][1], seen["beam"][0])
        xx, xy, yy = spread(axis, motion["birth_speed"], motion["standing_speed_across"])
    _block(covariance, 2, xx, xy, yy)
    xx, xy, yy = spread(heading, motion["acceleration_along"], motion["acceleration_across"])
    _block(covariance, 4, xx, xy, yy)


@compiled
def _block(covariance: np.ndarray, first: int, xx: float, xy: float, yy: float) -> None:
    """Sets the block (2, 2) of a covariance that begins at `first`."""
    covariance[first, first], covariance[first + 1, first + 1] = xx, yy
    covariance[first, first + 1] = covariance[first + 1, first] = xy
