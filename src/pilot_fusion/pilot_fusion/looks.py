"""Class, size and heading of tracks: what changes slowly and is averaged, beside the motion filter."""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.geometry import wrap
from pilot_common.near_face import face_of_box
from pilot_fusion.measurement import wrap_half

SMALLEST_EXTENT = 0.1  # m; anything less is no statement about size
_wrap = compiled(wrap)
WRONG_GUESS = 1.5  # rad; almost a right angle
PLAIN = 25.0  # squared speed over its variance from which a course shows that a guess was wrong


@compiled
def update_looks(
    tracks: np.ndarray,
    pairs: np.ndarray,
    found: np.ndarray,
    yaw: float,
    looks: np.ndarray,
    motion: np.ndarray,
) -> None:
    """Tracks were seen by camera or lidar as their `pairs` say, which are in order of tracks; `yaw` is that of base_link.

    Where several sensors saw the same track, the first in the message speaks for all.
    """
    parameters = looks[0]
    for index in range(len(pairs)):
        if index > 0 and pairs[index]["track"] == pairs[index - 1]["track"]:
            continue
        track, seen = tracks[pairs[index]["track"]], found[pairs[index]["measurement"]]
        for other in range(5):
            track["class_weight"][other] *= parameters["class_memory"]
        track["class_weight"][seen["class_id"]] += min(max(seen["score"], 0.05), 1.0)
        _extent(track, seen, parameters)
        gain = max(1.0 / (1.0 + track["extent_count"]), 0.05)
        track["base"] += gain * (seen["base"] - track["base"])
        if seen["heading_valid"]:
            difference = wrap_half(seen["heading"] + yaw - track["heading"])
            _turn(track, difference, motion[0]["heading_measured"] ** 2, 1.0)


@compiled
def _extent(track: np.void, seen: np.void, parameters: np.void) -> None:
    """A growing average of measured sizes; guesses from the camera only lead until a size was measured.

    Where only the near face was seen it is the face that was tracked: the centre moves so that the face stays.
    """
    extent, state, count = track["extent"], track["state"], track["extent_count"]
    if seen["whole"]:
        share = max(1.0 / (1.0 + count), parameters["measured_gain"])
    else:
        share = 0.0 if count >= 1.0 else parameters["camera_gain"]
    length, width = extent[0], extent[1]
    for axis in range(3):
        measured = seen["extent"][axis]
        if measured > SMALLEST_EXTENT:
            # Aslant, a camera sees the side of a long one as width.
            if axis == 1 and not seen["whole"]:
                measured = min(measured, parameters["widest"])
            extent[axis] += share * (measured - extent[axis])
    if seen["whole"]:
        track["extent_count"] += 1.0
    elif share > 0.0:
        offset_x, offset_y, _, _, _, end = face_of_box(
            state[0], state[1], track["heading"], length, width, seen["viewer"][0], seen["viewer"][1]
        )
        grown = extent[0] / length - 1.0 if end else extent[1] / width - 1.0
        state[0] -= offset_x * grown
        state[1] -= offset_y * grown


@compiled
def follow_velocity(tracks: np.ndarray, duration: float, motion: np.ndarray) -> None:
    """The heading of what moves turns to where it moved during `duration`.

    Only slowly: where the rear face is what is measured, a heading that turns by δ moves the centre sideways by δ · length/2,
    which looks like a lateral velocity and turns the heading on. With a time constant above length / (2 speed) this dies out.
    """
    parameters = motion[0]
    for row in range(len(tracks)):
        track = tracks[row]
        x, y = track["state"][2], track["state"][3]
        speed = math.hypot(x, y)
        variance = track["covariance"][2, 2] + track["covariance"][3, 3]
        if not (speed > parameters["moving_speed"] and speed * speed > 4.0 * variance):
            continue
        difference = _wrap(math.atan2(y, x) - track["heading"])
        slowest = max(parameters["turn_time"], parameters["turn_lengths"] * track["extent"][0] / speed)
        limit = min(max(duration, 0.0) / slowest, 1.0)
        # What stands may seem to slip sideways as long as its speed is hardly known: it is not across the road for that.
        if abs(difference) > WRONG_GUESS and speed * speed < PLAIN * variance:
            limit = 0.0
        _turn(track, difference, parameters["slip"] ** 2 + variance / speed**2, limit)


@compiled
def _turn(track: np.void, difference: float, variance: float, limit: float) -> None:
    """Scalar Kalman update of the heading, by at most the share `limit` of the difference.

    A heading off by more than a right angle was a wrong guess and is replaced.
    """
    prior = track["heading_variance"]
    gain = min(prior / (prior + variance), limit)
    if abs(difference) > WRONG_GUESS and limit > 0.0:
        track["heading"] = _wrap(track["heading"] + difference)
        track["heading_variance"] = variance
    else:
        track["heading"] = _wrap(track["heading"] + gain * difference)
        track["heading_variance"] = (1.0 - gain) * prior
