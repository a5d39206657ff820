"""Which measurement belongs to which track: gating by Mahalanobis distance including Doppler, then assignment.

A measurement that another track explains is weak evidence: its density of false measurements is raised by what the other tracks
are expected to send there (linear multitarget integrated data association, Mušicki & La Scala, IEEE Trans. AES-44, 2008).

One camera or lidar reports an object once, so the assignment is one to one and globally best; a radar may report it several
times, so each return goes to its likeliest track. Shapes: N tracks, M measurements, K pairs within the gate.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from pilot_common.near_face import near_face
from pilot_fusion.measurement import MeasurementModel, Measurements, Source, wrap_half
from pilot_fusion.parameters import AssociationParameters
from pilot_fusion.track_bank import TrackBank

FORBIDDEN = 1e6  # cost of a pair outside the gate
LONGEST_MANOEUVRE = 0.3  # s between two measurements of a speed
LIFT_TURN = 0.4  # rad; up to here a camera's box shows both of its visible faces as one
LEAST_DENSITY = 1e-300  # so that nothing is divided by zero


class Pairs(NamedTuple):
    """Possible pairs of track and measurement. Costs are −2 log likelihood, up to a constant."""

    track: np.ndarray  # (K,)
    measurement: np.ndarray  # (K,)
    innovation: np.ndarray  # (K, 2)
    noise: np.ndarray  # (K, 2, 2) of the measurement, its point on the box included
    surprise: np.ndarray  # (K,) squared Mahalanobis distance of the position
    cost: np.ndarray  # (K,)
    density: np.ndarray  # (K,) of the measurement, were it the track's: per m², for radar also per m/s
    rivals: np.ndarray  # (K,) density of measurements that other tracks are expected to send there

    def at(self, rows: np.ndarray) -> "Pairs":
        """The pairs of those rows."""
        return Pairs(
            self.track.take(rows),
            self.measurement.take(rows),
            self.innovation.take(rows, axis=0),
            self.noise.take(rows, axis=0),
            self.surprise.take(rows),
            self.cost.take(rows),
            self.density.take(rows),
            self.rivals.take(rows),
        )


def gate(
    bank: TrackBank, found: Measurements, model: MeasurementModel, parameters: AssociationParameters
) -> Pairs:
    """All pairs within the gate, ordered by track, then measurement."""
    track, measurement = _near(bank, found, parameters.coarse_gate)
    # Columns of all that the pairs need of tracks, then of measurements, each taken at once.
    covariance, count = bank.covariance, len(bank)
    columns = np.empty((10, count))
    columns[:4] = bank.state[:, :4].T
    columns[4], columns[5:7] = bank.heading, bank.extent[:, :2].T
    columns[7:9], columns[9] = covariance[:, 0, :2].T, covariance[:, 1, 1]
    of_track = columns.take(track, axis=1)
    seen = found.columns.take(measurement, axis=1)
    viewer = seen[2:4].T
    centre = of_track[:2].T
    heading = of_track[4]
    if found.source is Source.CAMERA:
        # Boxes are lifted as if they stood along the car: the middle of what is seen of one that is slightly turned is that of
        # the box, and its face is taken to lie straight before it.
        turned = wrap_half(heading - found.yaw)
        heading = heading - np.minimum(np.maximum(turned, -LIFT_TURN), LIFT_TURN)
    face = near_face(centre, heading, of_track[5], of_track[6], viewer)
    expected = face.offset
    if found.looks is not None:
        expected[found.whole.take(measurement)] = 0.0
    expected += centre
    noise = found.covariance.take(measurement, axis=0)
    if found.source is Source.RADAR:
        shift, spread = model.reflection(expected, face, viewer)
        expected += shift
        noise += spread
    innovation = seen[:2].T - expected
    a, b, d = of_track[7] + noise[:, 0, 0], of_track[8] + noise[:, 0, 1], of_track[9] + noise[:, 1, 1]
    determinant = a * d - b * b
    x, y = innovation[:, 0], innovation[:, 1]
    surprise = distance = (d * x * x - 2.0 * b * x * y + a * y * y) / determinant
    # Only those within the gate by position may be so with Doppler.
    inside = (distance < parameters.gate).nonzero()[0]
    if len(inside) < len(track):
        track, measurement = track.take(inside), measurement.take(inside)
        innovation, noise = innovation.take(inside, axis=0), noise.take(inside, axis=0)
        surprise = distance = distance.take(inside)
        determinant = determinant.take(inside)
    if found.range_rate is None or found.range_rate_variance is None:
        cost = distance + np.log(determinant)
        density = np.exp(-0.5 * cost) / (2.0 * math.pi)
        return Pairs(track, measurement, innovation, noise, surprise, cost, density, np.zeros(len(cost)))
    # Along the measured beam: close by, a prediction half a metre off would turn it by far more than the radar errs.
    x, y, ground, variance = seen[4:8].take(inside, axis=1)
    state = of_track[2:4].take(inside, axis=1)
    faster = ground - x * state[0] - y * state[1]
    known = bank.covariance[:, 2:4, 2:4].reshape(-1, 4).take(track, axis=0)
    variance += known[:, 0] * x * x + 2.0 * known[:, 1] * x * y + known[:, 3] * y * y
    variance += np.square(sudden_change(bank.seen, track, found, parameters))
    normalised = faster * faster / variance
    distance = distance + normalised
    cost = distance + np.log(determinant * variance)
    density = np.exp(-0.5 * cost) * (2.0 * math.pi) ** -1.5
    pairs = Pairs(track, measurement, innovation, noise, surprise, cost, density, np.zeros(len(cost)))
    inside = (distance < parameters.gate).nonzero()[0]
    return pairs if len(inside) == len(cost) else pairs.at(inside)


def sudden_change(
    seen: np.ndarray, rows: np.ndarray, found: Measurements, parameters: AssociationParameters
) -> np.ndarray:
    """By how much (A,) the speed of tracks `rows` may have changed since it was last measured: somebody may brake hard at once.
    `seen` (N, 3) is when each kind of sensor last saw each track.

    Whatever was not measured lately may do anything, and its own uncertainty says so.
    """
    since = found.time - seen[:, int(found.source)].take(rows)
    return np.where(since < LONGEST_MANOEUVRE, parameters.manoeuvre * since, 0.0)


def weigh(
    pairs: Pairs, found: Measurements, expected: np.ndarray, clutter: np.ndarray, credible: float
) -> tuple[Pairs, np.ndarray]:
    """The credible pairs with rivals, their costs lowered for tracks that are `expected` (N,) to be seen.

    So a doubtful track does not take what a sure one explains, and none takes what is rather one of the false measurements, of
    which there are `clutter` (M,): such a pair stands for less than a share `credible` of what may have been measured. Also the
    density (M,) that all tracks together are expected to send to each measurement.
    """
    if len(pairs.track) == 0:
        return pairs, np.zeros(len(found.sensor))
    density = pairs.density
    sent = share = expected.take(pairs.track)
    if found.source is not Source.RADAR:
        # One sensor reports an object once: what it expects of a track spreads over the measurements within its gate.
        reporter = pairs.track * (int(found.sensor.max()) + 1) + found.sensor[pairs.measurement]
        share = share * density / np.maximum(np.bincount(reporter, density)[reporter], LEAST_DENSITY)
    own = density * share / (1.0 - share)
    total = np.bincount(pairs.measurement, own, len(found.sensor))
    rivals = np.maximum(total.take(pairs.measurement) - own, 0.0)
    pairs = pairs._replace(cost=pairs.cost - 2.0 * np.log(sent), rivals=rivals)
    likely = (own > credible * (clutter.take(pairs.measurement) + rivals)).nonzero()[0]
    return pairs if len(likely) == len(own) else pairs.at(likely), total


def _near(bank: TrackBank, found: Measurements, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs closer than a margin, the track's size and four deviations of both: few of the N·M remain for the exact gate."""
    uncertain = np.sqrt(bank.covariance[:, 0, 0] + bank.covariance[:, 1, 1])
    reach = margin + 0.5 * bank.extent[:, 0] + 4.0 * uncertain
    reach_measured = 4.0 * np.sqrt(found.covariance[:, 0, 0] + found.covariance[:, 1, 1])
    squared = np.subtract.outer(bank.state[:, 0], found.position[:, 0])
    squared *= squared
    y = np.subtract.outer(bank.state[:, 1], found.position[:, 1])
    y *= y
    squared += y
    limit = np.add.outer(reach, reach_measured)
    limit *= limit
    near = (squared < limit).ravel().nonzero()[0]
    count = max(len(found.position), 1)
    track = near // count
    return track, near - count * track


def assign_one_to_one(pairs: Pairs, sensor: np.ndarray) -> Pairs:
    """The cheapest set of pairs with as many pairs as possible, in which no measurement comes twice, and no track twice for one
    sensor: `sensor` (M,) is each measurement's.
    """
    if len(pairs.track) == 0:
        return pairs
    reporter = pairs.track * (int(sensor.max()) + 1) + sensor[pairs.measurement]
    alone = np.bincount(reporter)[reporter] == 1
    alone &= np.bincount(pairs.measurement)[pairs.measurement] == 1
    if alone.all():
        return pairs
    rest = (~alone).nonzero()[0]
    # A handful: numbered in the order in which they come, in plain Python.
    reporters: dict[int, int] = {}
    measurements: dict[int, int] = {}
    row = [reporters.setdefault(item, len(reporters)) for item in reporter[rest].tolist()]
    column = [measurements.setdefault(item, len(measurements)) for item in pairs.measurement[rest].tolist()]
    cost = np.full((len(reporters), len(measurements)), FORBIDDEN)
    index = np.full(cost.shape, -1)
    cost[row, column] = pairs.cost[rest]
    index[row, column] = rest
    chosen = index[linear_sum_assignment(cost)]
    return pairs.at(np.sort(np.concatenate((alone.nonzero()[0], chosen[chosen >= 0]))))


def assign_many_to_one(pairs: Pairs) -> Pairs:
    """Each measurement with its likeliest track (of equals, the one that comes first)."""
    if len(pairs.track) == 0:
        return pairs
    order = np.lexsort((pairs.track, pairs.cost, pairs.measurement))
    measurement = pairs.measurement[order]
    first = np.ones(len(measurement), bool)
    np.not_equal(measurement[1:], measurement[:-1], out=first[1:])
    return pairs.at(np.sort(order[first]))


def first_of_kind(found: Measurements, rows: np.ndarray, parameters: AssociationParameters) -> np.ndarray:
    """Those of the measurements `rows` that have no earlier one of the same object: close by in position and Doppler for radar,
    within the gate and of another sensor for cameras and lidars.
    """
    position = found.position[rows]
    x = position[:, 0] - position[:, 0, None]
    y = position[:, 1] - position[:, 1, None]
    if found.range_rate is not None:
        rate = found.range_rate[rows]
        same = x * x + y * y < parameters.cluster_distance**2
        same &= np.abs(rate - rate[:, None]) < parameters.cluster_speed
    else:
        total = found.covariance[rows] + found.covariance[rows, None]
        a, b, d = total[..., 0, 0], total[..., 0, 1], total[..., 1, 1]
        same = d * x * x - 2.0 * b * x * y + a * y * y < parameters.gate * (a * d - b * b)
        sensor = found.sensor[rows]
        same &= sensor != sensor[:, None]
        np.fill_diagonal(same, True)
    return rows[same.argmax(axis=1) == np.arange(len(rows))]


def within_boxes(bank: TrackBank, rows: np.ndarray, point: np.ndarray, margin: float) -> np.ndarray:
    """Whether points (M, 2) lie within the box of one of the tracks `rows`, widened by a margin. Returns (M,)."""
    relative = point[:, None, :] - bank.state[rows, :2]
    cosine, sine = np.cos(bank.heading[rows]), np.sin(bank.heading[rows])
    along = np.abs(relative[:, :, 0] * cosine + relative[:, :, 1] * sine)
    across = np.abs(relative[:, :, 1] * cosine - relative[:, :, 0] * sine)
    inside = (along < 0.5 * bank.extent[rows, 0] + margin) & (across < 0.5 * bank.extent[rows, 1] + margin)
    return inside.any(axis=1)


def duplicates(bank: TrackBank, parameters: AssociationParameters) -> np.ndarray:
    """Tracks (N,) that stand where a more probable (of equals: older) one already stands, moving alike."""
    doomed = np.zeros(len(bank), bool)
    reach = 0.5 * parameters.merge_overlap * (bank.extent[:, 0] + bank.extent[:, 1])
    squared = np.subtract.outer(bank.state[:, 0], bank.state[:, 0])
    squared *= squared
    y = np.subtract.outer(bank.state[:, 1], bank.state[:, 1])
    y *= y
    squared += y
    limit = np.add.outer(reach, reach)
    limit *= limit
    close = squared < limit
    close.ravel()[:: len(bank) + 1] = False
    near = close.ravel().nonzero()[0]
    one = near // max(len(bank), 1)
    other = near - len(bank) * one
    if len(one) == 0:
        return doomed
    # Of the few that are close, those whose boxes overlap too much, in the axes of the first, and that move alike.
    between = (bank.state[:, :4].take(other, axis=0) - bank.state[:, :4].take(one, axis=0)).T
    heading = bank.heading.take(one)
    cosine, sine = np.cos(heading), np.sin(heading)
    share = 0.5 * parameters.merge_overlap
    length, width, _ = share * (bank.extent.take(one, axis=0) + bank.extent.take(other, axis=0)).T
    alike = np.abs(between[0] * cosine + between[1] * sine) < length
    alike &= np.abs(between[1] * cosine - between[0] * sine) < width
    alike &= np.hypot(between[2], between[3]) < parameters.merge_speed
    for index in alike.nonzero()[0].tolist():
        first, second = int(one[index]), int(other[index])
        if not (doomed[first] or doomed[second]):
            better = (bank.existence[first], -int(bank.identity[first])) > (
                bank.existence[second],
                -int(bank.identity[second]),
            )
            doomed[second if better else first] = True
    return doomed
