"""Whether a track is an object: existence probability by recursive Bayes, from what each sensor should have seen and did.

With detection probability P, likelihood g of the measurement and clutter density c, the odds of existence change by
(1 − P) + P g / c where a measurement was assigned and by 1 − P where none was (integrated probabilistic data association,
Mušicki, Evans, Stanković, IEEE Trans. AC-39, 1994). Shapes: N tracks, M measurements, K pairs, S sensors.
"""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_fusion.measurement import Source
from pilot_fusion.track_bank import last_seen

HIDDEN_BEHIND = 1.0  # m; an object must be this much nearer to hide another
HIDDEN = 0.1  # share of the chance to be seen at most, below which a place is in a blind spot
STANDING = 1.0  # m/s; ten deviations of a range rate: what is slower along the beam may stand
RADAR = int(Source.RADAR)


@compiled
def occlude(tracks: np.ndarray, ego_x: float, ego_y: float) -> None:
    """Notes for each track which share of it likely nearer ones hide, seen from the car."""
    view = np.empty((3, len(tracks)))  # distance, bearing, half the angle it fills
    front = np.empty((3, len(tracks)))  # the same of who may hide others: few of many
    count = 0
    for row in range(len(tracks)):
        track = tracks[row]
        x, y = track["state"][0] - ego_x, track["state"][1] - ego_y
        distance, bearing = math.hypot(x, y), math.atan2(y, x)
        slant = track["heading"] - bearing
        half_width = 0.5 * (
            track["extent"][1] * abs(math.cos(slant)) + track["extent"][0] * abs(math.sin(slant))
        )
        view[0, row], view[1, row], view[2, row] = distance, bearing, math.atan2(half_width, distance)
        if track["reported"] and track["solid"] > 0.5:
            front[0, count], front[1, count], front[2, count] = view[0, row], view[1, row], view[2, row]
            count += 1
    for row in range(len(tracks)):
        hidden, distance, bearing, half = 0.0, view[0, row], view[1, row], view[2, row]
        for index in range(count):
            gap = abs(bearing - front[1, index])
            gap = min(gap, 2.0 * math.pi - gap)
            overlap = max(min(half + front[2, index] - gap, 2.0 * min(half, front[2, index])), 0.0)
            hidden += overlap if distance > front[0, index] + HIDDEN_BEHIND else 0.0
        tracks[row]["occlusion"] = min(hidden / max(2.0 * half, 1e-6), 1.0)


@compiled
def fade(
    tracks: np.ndarray,
    before: float,
    time: float,
    lookers: np.ndarray,
    sensors: np.ndarray,
    ego_x: float,
    ego_y: float,
    yaw: float,
    existence: np.ndarray,
) -> None:
    """Existence after a while; only of tracks unseen for longer than misses are correlated does it fade.

    Slowly where none of the sensors `lookers` looks: who is in a blind spot has not gone for that, and that nobody sees him says
    as well that he is still in it: his place is known as well as that.
    """
    parameters, duration = existence[0], max(time - before, 0.0)
    lost = np.zeros(len(tracks), np.bool_)
    for row in range(len(tracks)):
        lost[row] = time - last_seen(tracks[row]) > parameters["miss_time"]
    if not lost.any():
        return
    looked = detection_probability(tracks, lookers, sensors, RADAR, ego_x, ego_y, yaw, existence)[1]
    for row in range(len(tracks)):
        if lost[row]:
            share = looked[row] / parameters["detection_limit"]
            rate = share / parameters["lifetime"] + (1.0 - share) / parameters["lifetime_blind"]
            tracks[row]["existence"] *= math.exp(-duration * rate)
            covariance = tracks[row]["covariance"]
            known = parameters["blind_deviation"] ** 2 / (covariance[0, 0] + covariance[1, 1])
            if share < HIDDEN and known < 1.0:
                for one in range(6):
                    for other in range(6):
                        covariance[one, other] *= known


@compiled
def detection_probability(
    tracks: np.ndarray,
    reporting: np.ndarray,
    sensors: np.ndarray,
    source: int,
    ego_x: float,
    ego_y: float,
    yaw: float,
    existence: np.ndarray,
) -> np.ndarray:
    """Probability that at least one of the sensors `reporting` (s,) reports each track, and that it does so at most: were nothing
    in between, and any part of it within view enough. Returns (2, N).
    """
    parameters = existence[0]
    cosine, sine = math.cos(yaw), math.sin(yaw)
    missed = np.ones(len(tracks))
    for index in range(len(reporting)):
        sensor = sensors[reporting[index]]
        x = ego_x + cosine * sensor["mount"][0] - sine * sensor["mount"][1]
        y = ego_y + sine * sensor["mount"][0] + cosine * sensor["mount"][1]
        axis_x, axis_y = math.cos(yaw + sensor["yaw"]), math.sin(yaw + sensor["yaw"])
        for row in range(len(tracks)):
            from_x, from_y = tracks[row]["state"][0] - x, tracks[row]["state"][1] - y
            distance = math.sqrt(from_x * from_x + from_y * from_y)
            near = (1.0 - distance / sensor["range"]) / parameters["range_margin"]
            if near <= 0.0:
                continue
            # Ahead of and left of the sensor, so that the angle needs no wrapping.
            ahead, left = from_x * axis_x + from_y * axis_y, from_y * axis_x - from_x * axis_y
            inside = (sensor["half_view"] - math.atan2(abs(left), ahead)) / parameters["view_margin"]
            if inside > 0.0:
                missed[row] *= 1.0 - sensor["detection"] * min(inside, 1.0) * min(near, 1.0)
    result = np.empty((2, len(tracks)))
    hiding = parameters["radar_occlusion"] if source == RADAR else 1.0
    limit = parameters["detection_limit"]
    for row in range(len(tracks)):
        visible = 1.0 - tracks[row]["occlusion"] * hiding
        result[0, row] = min((1.0 - missed[row]) * visible, limit)
        result[1, row] = min(1.0 - missed[row], limit)
    return result


@compiled
def judge(
    tracks: np.ndarray,
    pairs: np.ndarray,
    found: np.ndarray,
    detection: np.ndarray,
    source: int,
    duration: float,
    existence: np.ndarray,
) -> None:
    """Raises or lowers the existence of every track, which a frame should have shown with probability `detection` (N,).

    Frames close in time (`duration` after the last) count as a share of one miss. Of several measurements of one object the
    likeliest counts. What camera or lidar see tells as well whether a track is solid; what is proven to be stays so.
    """
    parameters = existence[0]
    optical = source != RADAR
    share = min(max(duration, 0.0) / parameters["miss_time"], 1.0)
    best = np.full(len(tracks), -1)
    for index in range(len(pairs)):
        row = pairs[index]["track"]
        if best[row] < 0 or pairs[index]["cost"] < pairs[best[row]]["cost"]:
            best[row] = index
    for row in range(len(tracks)):
        track = tracks[row]
        gain = miss = (1.0 - detection[row]) ** share
        shown = False
        if best[row] >= 0:
            pair = pairs[best[row]]
            measured = found[pair["measurement"]]
            # Something that was measured can be measured: beyond the modelled range or view the probability is small, not zero.
            likely = max(detection[row], 1.0 - parameters["detection_limit"])
            others = measured["clutter"] + pair["rivals"]
            gain = (1.0 - likely) + likely * pair["density"] / others * (2.0 * measured["score"])
            gain = min(gain, parameters["gain_limit"])
            # What is seen to float above the road counts as not seen on it.
            shown = measured["base"] <= parameters["floating"]
        track["existence"] = _bayes(track["existence"], gain, parameters["highest"])
        if optical and shown:
            track["solid"] = _bayes(track["solid"], gain, parameters["highest"])
        elif optical and track["solid"] < parameters["solid_proven"]:
            track["solid"] = _bayes(track["solid"], miss, parameters["highest"])


@compiled
def _bayes(probability: float, gain: float, highest: float) -> float:
    weighted = probability * gain
    return min(weighted / (1.0 - probability + weighted), highest)


@compiled
def born(measured: np.void, sensor: np.void, source: int, parameters: np.void) -> float:
    """Existence of a track that starts from a measurement."""
    odds = parameters["birth"] / sensor["clutter"]
    odds = odds * measured["clutter"] / (measured["clutter"] + measured["explained"])
    if source != RADAR:
        odds = odds * (2.0 * min(max(measured["score"], 0.0), 1.0))
    return min(odds / (1.0 + odds), parameters["birth_limit"])


@compiled
def solid_born(measured: np.void, source: int, parameters: np.void) -> float:
    """Probability that a measurement is of something that every kind of sensor sees.

    Radar also sees what is no obstacle: covers and joints in the road, bridges and signs above it, rails, mirror images.
    """
    if source != RADAR:
        return parameters["solid_floating"] if measured["base"] > parameters["floating"] else 1.0
    standing = abs(measured["ground_speed"]) < STANDING
    return parameters["solid_standing"] if standing else parameters["solid_moving"]
