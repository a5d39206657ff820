"""All tracks as an array of records, with prediction and Kalman updates of one of them at a time, compiled.

State: (x, y, velocity x, velocity y, acceleration x, acceleration y) of the box centre in `odom`, moving by Singer's model: an
acceleration that is correlated over time (IEEE Trans. AES-6, 1970), stronger along the heading than across. It is what
comes on top of following the road (`turn`): in a bend everybody is accelerated towards its middle all the time. Shapes: N tracks.
"""

import math

import numpy as np

from pilot_common.compiled import as_record, compiled
from pilot_fusion.parameters import MotionParameters

TRACK = np.dtype(
    [
        ("identity", np.int64),
        ("state", np.float64, (6,)),
        ("covariance", np.float64, (6, 6)),
        ("existence", np.float64),
        # Probability that what radar sees is something that cameras and lidars see as well.
        ("solid", np.float64),
        ("occlusion", np.float64),  # share that likely nearer ones hide, at the last step
        ("heading", np.float64),
        ("heading_variance", np.float64),
        ("turn", np.float64, (2,)),  # curvature along the road; times the velocity it is a yaw rate
        ("extent", np.float64, (3,)),
        ("extent_count", np.float64),  # how many measured sizes the extent is made of
        ("base", np.float64),  # z of the lower face of the box
        ("class_weight", np.float64, (5,)),
        ("born", np.float64),
        ("seen", np.float64, (3,)),  # when camera, radar, lidar last saw it
        # Which sensors (bits) reported it in the last frame of camera or lidar that did; when one saw it beside who overlaps it.
        ("reporters", np.int64),
        ("apart", np.float64),
        ("reported", np.bool_),
    ],
    align=True,
)
NEVER = -1e9  # s; of a sensor that has not seen a track
COASTING = 0.12  # s; unseen for longer than the period of the slowest sensor


class TrackBank:
    """The array `tracks` (N,) of `TRACK`, valid at `time`."""

    def __init__(self, parameters: MotionParameters) -> None:
        self._motion = as_record(parameters)
        self.time = 0.0
        self._next_identity = 1
        self.clear()

    def __len__(self) -> int:
        return len(self.tracks)

    def clear(self) -> None:
        """Forgets all tracks; identities go on."""
        self.tracks = np.empty(0, TRACK)

    def keep(self, rows: np.ndarray) -> None:
        """Reduces the bank to `rows` (indices)."""
        self.tracks = self.tracks.take(rows)

    def add(self, newcomers: np.ndarray) -> None:
        """Appends tracks (A,) and gives them identities."""
        before, count = len(self), len(newcomers)
        tracks = np.empty(before + count, TRACK)
        tracks[:before], tracks[before:] = self.tracks, newcomers
        tracks["identity"][before:] = range(self._next_identity, self._next_identity + count)
        self._next_identity += count
        self.tracks = tracks

    def predict(self, time: float) -> None:
        """Moves all tracks to `time`."""
        if time != self.time:
            _predict(self.tracks, self.time, time, self._motion)
        self.time = time


@compiled
def last_seen(track: np.void) -> float:
    """When any sensor last saw a track."""
    seen = track["seen"]
    return max(seen[0], seen[1], seen[2])


@compiled
def yaw_rate(track: np.void) -> float:
    """How fast a track turns where it follows the road."""
    turn, state = track["turn"], track["state"]
    return turn[0] * state[2] + turn[1] * state[3]


@compiled
def _predict(tracks: np.ndarray, before: float, time: float, motion: np.ndarray) -> None:
    """Backward (for a late measurement) no noise is added: it was on the way forward.

    What nobody saw lately soon forgets its acceleration: it was a matter of the moment.
    """
    parameters = motion[0]
    duration = max(time - before, 0.0)
    forgetting = math.exp(-duration / parameters["coasting_time"])
    for row in range(len(tracks)):
        track = tracks[row]
        track["heading"] += yaw_rate(track) * (time - before)
        track["heading_variance"] += parameters["heading_drift"] ** 2 * duration
        move(track, time - before, parameters)
        if time - last_seen(track) > COASTING:
            track["state"][4] *= forgetting
            track["state"][5] *= forgetting


@compiled
def move(track: np.void, duration: float, motion: np.void) -> None:
    """State and covariance of a track, in place, after `duration`.

    Process noise is Singer's for intervals short against the time constant (then it is never indefinite).
    """
    state, covariance = track["state"], track["covariance"]
    rate = 1.0 / motion["acceleration_time"]
    decay = math.exp(-rate * duration)
    of_place = (rate * duration - 1.0 + decay) / rate**2
    of_speed = (1.0 - decay) / rate
    # As an acceleration that stays what it is: what the road adds.
    bend = duration * yaw_rate(track)
    bent_x, bent_y = -bend * state[3], bend * state[2]
    for axis in range(2):
        state[axis] += duration * state[2 + axis] + of_place * state[4 + axis]
        state[2 + axis] += of_speed * state[4 + axis]
        state[4 + axis] *= decay
    state[0] += 0.5 * duration * bent_x
    state[1] += 0.5 * duration * bent_y
    state[2] += bent_x
    state[3] += bent_y
    # F P Fᵀ: rows, then columns, each from those below that are still as before.
    for other in range(6):
        for axis in range(2):
            covariance[axis, other] += (
                duration * covariance[2 + axis, other] + of_place * covariance[4 + axis, other]
            )
            covariance[2 + axis, other] += of_speed * covariance[4 + axis, other]
            covariance[4 + axis, other] *= decay
    for other in range(6):
        for axis in range(2):
            covariance[other, axis] += (
                duration * covariance[other, 2 + axis] + of_place * covariance[other, 4 + axis]
            )
            covariance[other, 2 + axis] += of_speed * covariance[other, 4 + axis]
            covariance[other, 4 + axis] *= decay
    if duration > 0.0:
        xx, xy, yy = spread(track["heading"], motion["acceleration_along"], motion["acceleration_across"])
        t = duration
        block = ((t**5 / 20, t**4 / 8, t**3 / 6), (t**4 / 8, t**3 / 3, t * t / 2), (t**3 / 6, t * t / 2, t))
        for one in range(3):
            for two in range(3):
                noise = 2.0 * rate * block[one][two]
                covariance[2 * one, 2 * two] += noise * xx
                covariance[2 * one, 2 * two + 1] += noise * xy
                covariance[2 * one + 1, 2 * two] += noise * xy
                covariance[2 * one + 1, 2 * two + 1] += noise * yy


@compiled
def spread(heading: float, along: float, across: float) -> tuple[float, float, float]:
    """Covariance (xx, xy, yy) of errors with deviations along and across a heading."""
    # In terms of the double angle: half the products.
    middle, half = 0.5 * (along**2 + across**2), 0.5 * (along**2 - across**2)
    cosine, sine = half * math.cos(2.0 * heading), half * math.sin(2.0 * heading)
    return middle + cosine, sine, middle - cosine


@compiled
def update_position(track: np.void, x: float, y: float, xx: float, xy: float, yy: float) -> None:
    """Kalman update with a position innovation (x, y) of covariance (xx, xy, yy)."""
    state, covariance = track["state"], track["covariance"]
    # First x, then what of y is independent of it: sums of outer products, symmetric to the last bit.
    root = math.sqrt(covariance[0, 0] + xx)
    share = (covariance[0, 1] + xy) / root
    root_y = math.sqrt(covariance[1, 1] + yy - share * share)
    surprise_x = x / root
    surprise_y = (y - share * surprise_x) / root_y
    first, second = np.empty(6), np.empty(6)
    for row in range(6):
        first[row] = covariance[0, row] / root
        second[row] = (covariance[1, row] - share * first[row]) / root_y
    for row in range(6):
        state[row] += first[row] * surprise_x + second[row] * surprise_y
        for column in range(6):
            covariance[row, column] -= first[row] * first[column] + second[row] * second[column]


@compiled
def update_radial(
    track: np.void,
    x: float,
    y: float,
    speed: float,
    variance: float,
    surprise: float,
    change: float,
    acceleration: float,
) -> None:
    """Kalman update with a speed over ground along the unit direction (x, y).

    What differs by a squared normalised residual above `surprise` may have begun a manoeuvre: an `acceleration` along its
    heading which made a `change` of the speed.
    """
    state, covariance = track["state"], track["covariance"]
    across = np.empty(6)
    for row in range(6):
        across[row] = covariance[2, row] * x + covariance[3, row] * y
    total = x * across[2] + y * across[3] + variance
    innovation = speed - x * state[2] - y * state[3]
    if innovation * innovation > surprise * total:
        # The sudden acceleration is one more direction in which the covariance is wide.
        ahead, left = math.cos(track["heading"]), math.sin(track["heading"])
        effect = np.array(
            (0.0, 0.0, change * ahead, change * left, acceleration * ahead, acceleration * left)
        )
        for row in range(6):
            for column in range(6):
                covariance[row, column] += effect[row] * effect[column]
        for row in range(6):
            across[row] = covariance[2, row] * x + covariance[3, row] * y
        total = x * across[2] + y * across[3] + variance
    for row in range(6):
        gain = across[row] / total
        state[row] += gain * innovation
        for column in range(6):
            covariance[row, column] -= gain * across[column]
