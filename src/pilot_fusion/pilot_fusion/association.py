"""Which measurement belongs to which track: gating by Mahalanobis distance including Doppler, then assignment.

A measurement that another track explains is weak evidence: its density of false measurements is raised by what the other tracks
are expected to send there (linear multitarget integrated data association, Mušicki & La Scala, IEEE Trans. AES-44, 2008).

One camera or lidar reports an object once, so the assignment is one to one and globally best; a radar may report it several
times, so each return goes to its likeliest track. Shapes: N tracks, M measurements, K pairs within the gate.
"""

import math

import numpy as np
from scipy.optimize import linear_sum_assignment

from pilot_common.compiled import compiled
from pilot_common.near_face import face_of_box
from pilot_fusion.measurement import Source, reflection, wrap_half
from pilot_fusion.track_bank import last_seen

FORBIDDEN = 1e6  # cost of a pair outside the gate
LONGEST_MANOEUVRE = 0.3  # s between two measurements of a speed
LIFT_TURN = 0.4  # rad; up to here a camera's box shows both of its visible faces as one
LEAST_DENSITY = 1e-300  # so that nothing is divided by zero
APART = 1.0  # s for which two that were seen apart stay two
CAMERA, RADAR, LIDAR = int(Source.CAMERA), int(Source.RADAR), int(Source.LIDAR)

# A possible pair of track and measurement.
PAIR = np.dtype(
    [
        ("track", np.int64),
        ("measurement", np.int64),
        ("sensor", np.int64),
        ("innovation", np.float64, (2,)),
        ("noise", np.float64, (3,)),  # xx, xy, yy of the measurement, its point on the box included
        ("surprise", np.float64),  # squared Mahalanobis distance of the position
        ("cost", np.float64),  # −2 log likelihood, up to a constant
        ("density", np.float64),  # of the measurement, were it the track's: per m², for radar also per m/s
        ("rivals", np.float64),  # density of measurements that other tracks are expected to send there
    ],
    align=True,
)


@compiled
def gate(
    tracks: np.ndarray,
    found: np.ndarray,
    source: int,
    time: float,
    yaw: float,
    measurement: np.ndarray,
    association: np.ndarray,
) -> np.ndarray:
    """All pairs (K,) within the gate, ordered by track, then measurement."""
    parameters = association[0]
    # Closer than a margin, the track's size and four deviations of both: few of the N·M remain for the exact gate.
    place, near = np.empty((3, len(found))), np.empty(len(found) + 1, np.int64)
    for column in range(len(found)):
        seen = found[column]
        place[0, column], place[1, column] = seen["position"][0], seen["position"][1]
        place[2, column] = 4.0 * math.sqrt(seen["covariance"][0] + seen["covariance"][2])
    pairs, count = np.empty(4 + 4 * len(found), PAIR), 0
    for row in range(len(tracks)):
        track = tracks[row]
        state, covariance = track["state"], track["covariance"]
        reach = parameters["coarse_gate"] + 0.5 * track["extent"][0]
        reach += 4.0 * math.sqrt(covariance[0, 0] + covariance[1, 1])
        for candidate in range(_near(place, state[0], state[1], reach, near)):
            column = near[candidate]
            if count == len(pairs):
                more = np.empty(2 * count, PAIR)
                for index in range(count):
                    more[index] = pairs[index]
                pairs = more
            pair = pairs[count]
            pair["track"], pair["measurement"] = row, column
            if _within(pair, track, found[column], source, time, yaw, measurement[0], parameters):
                count += 1
    return pairs[:count]


@compiled
def _near(place: np.ndarray, x: float, y: float, reach: float, near: np.ndarray) -> int:
    """Writes to `near` (N + 1,) which of the discs `place` (3, N), x, y and radius, come within `reach` of a point; how many.

    This is the one loop over all combinations, so it does without a branch.
    """
    count = 0
    for index in range(place.shape[1]):
        from_x, from_y, limit = place[0, index] - x, place[1, index] - y, place[2, index] + reach
        near[count] = index
        count += 1 if from_x * from_x + from_y * from_y < limit * limit else 0
    return count


@compiled
def _within(
    pair: np.void,
    track: np.void,
    seen: np.void,
    source: int,
    time: float,
    yaw: float,
    measurement: np.void,
    parameters: np.void,
) -> bool:
    """Whether a pair is within the gate; fills in what it is."""
    state, covariance, noise = track["state"], track["covariance"], pair["noise"]
    heading = track["heading"]
    if source == CAMERA:
        # Boxes are lifted as if they stood along the car: the middle of what is seen of one that is slightly turned is that of
        # the box, and its face is taken to lie straight before it.
        heading -= min(max(wrap_half(heading - yaw), -LIFT_TURN), LIFT_TURN)
    expected_x, expected_y = state[0], state[1]
    noise[0], noise[1], noise[2] = seen["covariance"][0], seen["covariance"][1], seen["covariance"][2]
    if not seen["whole"]:
        viewer_x, viewer_y = seen["viewer"][0], seen["viewer"][1]
        offset_x, offset_y, along_x, along_y, half, end = face_of_box(
            state[0], state[1], heading, track["extent"][0], track["extent"][1], viewer_x, viewer_y
        )
        expected_x += offset_x
        expected_y += offset_y
        if source == RADAR:
            aside = (viewer_x - expected_x) * along_x + (viewer_y - expected_y) * along_y
            shift, xx, xy, yy = reflection(aside, half, end, along_x, along_y, measurement)
            expected_x += along_x * shift
            expected_y += along_y * shift
            noise[0] += xx
            noise[1] += xy
            noise[2] += yy
    x, y = seen["position"][0] - expected_x, seen["position"][1] - expected_y
    a, b, d = covariance[0, 0] + noise[0], covariance[0, 1] + noise[1], covariance[1, 1] + noise[2]
    determinant = a * d - b * b
    distance = (d * x * x - 2.0 * b * x * y + a * y * y) / determinant
    if not distance < parameters["gate"]:
        return False
    pair["innovation"][0], pair["innovation"][1] = x, y
    pair["surprise"], pair["rivals"], pair["sensor"] = distance, 0.0, seen["sensor"]
    scale = 2.0 * math.pi
    if source == RADAR:
        # Along the measured beam: close by, a prediction half a metre off would turn it by far more than the radar errs.
        x, y = seen["beam"][0], seen["beam"][1]
        faster = seen["ground_speed"] - x * state[2] - y * state[3]
        known = covariance[2, 2] * x * x + 2.0 * covariance[2, 3] * x * y + covariance[3, 3] * y * y
        variance = seen["ground_speed_variance"] + known
        if faster * faster > parameters["surprise"] * variance:
            # Only who just began to brake hard is so much faster or slower, along his heading: that is rare.
            change = sudden_change(track, source, time, parameters["manoeuvre"])
            change *= x * math.cos(track["heading"]) + y * math.sin(track["heading"])
            variance += change * change
            scale /= parameters["manoeuvre_share"]
        distance += faster * faster / variance
        determinant *= variance
        scale *= math.sqrt(2.0 * math.pi)
    pair["cost"] = distance + math.log(determinant * scale * scale)
    pair["density"] = math.exp(-0.5 * pair["cost"])
    return distance < parameters["gate"]


@compiled
def sudden_change(track: np.void, source: int, time: float, manoeuvre: float) -> float:
    """By how much the speed of a track may have changed since it was last measured: somebody may brake hard at once.

    Whatever was not measured lately may do anything, and its own uncertainty says so.
    """
    since = time - track["seen"][source]
    return manoeuvre * since if since < LONGEST_MANOEUVRE else 0.0


@compiled
def weigh(
    tracks: np.ndarray,
    pairs: np.ndarray,
    found: np.ndarray,
    detection: np.ndarray,
    source: int,
    sensors: int,
    association: np.ndarray,
    existence: np.ndarray,
) -> np.ndarray:
    """The credible pairs with rivals, their costs lowered for tracks that are expected to be seen.

    So a doubtful track does not take what a sure one explains, and none takes what is rather a false measurement: such a pair
    stands for less than a share `credible` of what may have been measured. `detection` (N,) is the probability with which tracks
    that exist get reported, `sensors` how many there are. Notes what all tracks together are expected to send to a measurement.
    """
    own = np.empty(len(pairs))
    of_sensor = np.zeros(sensors)
    first = 0
    while first < len(pairs):
        track = pairs[first]["track"]
        # Never 0, for what was measured can be measured.
        likely = max(detection[track], 1.0 - existence[0]["detection_limit"])
        sent = tracks[track]["existence"] * likely
        last = first
        while last < len(pairs) and pairs[last]["track"] == track:
            of_sensor[pairs[last]["sensor"]] += pairs[last]["density"]
            last += 1
        for index in range(first, last):
            pair = pairs[index]
            share, density = sent, pair["density"]
            if source != RADAR:
                # One sensor reports an object once: what it expects of a track spreads over the measurements within its gate.
                share = share * density / max(of_sensor[pair["sensor"]], LEAST_DENSITY)
            own[index] = density * share / (1.0 - share)
            found[pair["measurement"]]["explained"] += own[index]
            pair["cost"] -= 2.0 * math.log(sent)
        for index in range(first, last):
            of_sensor[pairs[index]["sensor"]] = 0.0
        first = last
    count = 0
    for index in range(len(pairs)):
        pair = pairs[index]
        seen = found[pair["measurement"]]
        pair["rivals"] = max(seen["explained"] - own[index], 0.0)
        if own[index] > association[0]["credible"] * (seen["clutter"] + pair["rivals"]):
            pairs[count] = pair
            count += 1
    return pairs[:count]


def assign_one_to_one(pairs: np.ndarray, measurements: int, sensors: int) -> np.ndarray:
    """The cheapest set of pairs with as many pairs as possible, in which no measurement comes twice, and no track twice for one
    sensor.
    """
    cost, index = _contest(pairs, measurements, sensors)
    return _settled(pairs, index, *linear_sum_assignment(cost)) if len(cost) else pairs


@compiled
def _contest(pairs: np.ndarray, measurements: int, sensors: int) -> tuple[np.ndarray, np.ndarray]:
    """Costs of the pairs that share a measurement, or a track for one sensor, with another pair: by track and sensor (rows) and
    measurement (columns); and which pairs these are, −1 for none.
    """
    reporter = np.empty(len(pairs), np.int64)  # of each pair: track and sensor, numbered as they come
    reported, measured = np.zeros(len(pairs), np.int64), np.zeros(measurements, np.int64)  # pairs of each
    number, count = np.full(sensors, -1), 0
    for index in range(len(pairs)):
        if index > 0 and pairs[index]["track"] != pairs[index - 1]["track"]:
            for sensor in range(sensors):
                number[sensor] = -1
        sensor = pairs[index]["sensor"]
        if number[sensor] < 0:
            number[sensor] = count
            count += 1
        reporter[index] = number[sensor]
        reported[number[sensor]] += 1
        measured[pairs[index]["measurement"]] += 1
    row, column = np.full(len(pairs), -1), np.full(measurements, -1)
    rows = columns = 0
    contested = np.empty(len(pairs), np.bool_)
    for index in range(len(pairs)):
        seen = pairs[index]["measurement"]
        contested[index] = reported[reporter[index]] > 1 or measured[seen] > 1
        if contested[index] and row[reporter[index]] < 0:
            row[reporter[index]] = rows
            rows += 1
        if contested[index] and column[seen] < 0:
            column[seen] = columns
            columns += 1
    cost, which = np.full((rows, columns), FORBIDDEN), np.full((rows, columns), -1)
    for index in range(len(pairs)):
        if contested[index]:
            place = (row[reporter[index]], column[pairs[index]["measurement"]])
            cost[place], which[place] = pairs[index]["cost"], index
    return cost, which


@compiled
def _settled(pairs: np.ndarray, contest: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """The pairs without those of a `contest` that were not chosen: its elements at rows and columns."""
    kept = np.ones(len(pairs), np.bool_)
    for one in range(contest.shape[0]):
        for two in range(contest.shape[1]):
            if contest[one, two] >= 0:
                kept[contest[one, two]] = False
    for place in range(len(row)):
        index = contest[row[place], column[place]]
        if index >= 0:
            kept[index] = True
    count = 0
    for index in range(len(pairs)):
        if kept[index]:
            pairs[count] = pairs[index]
            count += 1
    return pairs[:count]


@compiled
def assign_many_to_one(pairs: np.ndarray, measurements: int) -> np.ndarray:
    """Each measurement with its likeliest track (of equals, the one that comes first)."""
    best = np.full(measurements, -1)
    for index in range(len(pairs)):
        seen = pairs[index]["measurement"]
        if best[seen] < 0 or pairs[index]["cost"] < pairs[best[seen]]["cost"]:
            best[seen] = index
    count = 0
    for index in range(len(pairs)):
        if best[pairs[index]["measurement"]] == index:
            pairs[count] = pairs[index]
            count += 1
    return pairs[:count]


@compiled
def survivors(tracks: np.ndarray, time: float, association: np.ndarray, existence: np.ndarray) -> np.ndarray:
    """Which tracks (N,) go on: probable enough, and no duplicates of one that is more probable (of equals: older).

    What sensors see far off is uncertain: only what is and nobody sees any more is lost.
    """
    limits, parameters = existence[0], association[0]
    alive, single = np.empty(len(tracks), np.bool_), np.ones(len(tracks), np.bool_)
    share = 0.5 * parameters["merge_overlap"]
    place, near = np.empty((3, len(tracks))), np.empty(len(tracks) + 1, np.int64)
    for row in range(len(tracks)):
        track = tracks[row]
        covariance = track["covariance"]
        uncertain = covariance[0, 0] + covariance[1, 1] > limits["largest_deviation"] ** 2
        lost = uncertain and time - last_seen(track) > limits["miss_time"]
        alive[row] = track["existence"] > limits["delete"] and not lost
        place[0, row], place[1, row] = track["state"][0], track["state"][1]
        place[2, row] = share * (track["extent"][0] + track["extent"][1])
    for one in range(len(tracks)):
        for candidate in range(_near(place, place[0, one], place[1, one], place[2, one], near)):
            other = near[candidate]
            if one == other or not (single[one] and single[other]):
                continue
            if _overlap_alike(tracks[one], tracks[other], share, parameters["merge_speed"]):
                if _told_apart(tracks[one], tracks[other], time):
                    continue
                mine, its = tracks[one]["existence"], tracks[other]["existence"]
                better = mine > its or (mine == its and tracks[one]["identity"] < tracks[other]["identity"])
                single[other if better else one] = False
    for row in range(len(tracks)):
        alive[row] = alive[row] and single[row]
    return alive


@compiled
def _told_apart(track: np.void, other: np.void, time: float) -> bool:
    """Whether a camera or lidar, which reports an object once, reported both in one frame lately; notes when it did."""
    frame = max(track["seen"][CAMERA], track["seen"][LIDAR])
    together = frame == max(other["seen"][CAMERA], other["seen"][LIDAR])
    if together and track["reporters"] & other["reporters"]:
        track["apart"] = other["apart"] = frame
    return time - min(track["apart"], other["apart"]) < APART


@compiled
def _overlap_alike(track: np.void, other: np.void, share: float, speed: float) -> bool:
    """Whether the boxes of two tracks overlap too much, in the axes of the first, and move alike."""
    x, y = other["state"][0] - track["state"][0], other["state"][1] - track["state"][1]
    cosine, sine = math.cos(track["heading"]), math.sin(track["heading"])
    return (
        abs(x * cosine + y * sine) < share * (track["extent"][0] + other["extent"][0])
        and abs(y * cosine - x * sine) < share * (track["extent"][1] + other["extent"][1])
        and math.hypot(other["state"][2] - track["state"][2], other["state"][3] - track["state"][3]) < speed
    )
