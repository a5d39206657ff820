"""Whether a track is an object: existence probability by recursive Bayes, from what each sensor should have seen and did.

With detection probability P, likelihood g of the measurement and clutter density c, the odds of existence change by
(1 − P) + P g / c where a measurement was assigned and by 1 − P where none was (integrated probabilistic data association,
Mušicki, Evans, Stanković, IEEE Trans. AC-39, 1994). Shapes: N tracks, S sensors.
"""

import math

import numpy as np

from pilot_common.geometry import Pose
from pilot_common.vehicle import Vehicle
from pilot_fusion.measurement import Measurements, Source, sensor_arrays
from pilot_fusion.parameters import ExistenceParameters
from pilot_fusion.track_bank import TrackBank

DOPPLER_SPAN = 80.0  # m/s; moving clutter is taken as even over this interval of range rates
STANDING_SPREAD = 0.3  # m/s; standard deviation of the speed over ground of standing clutter as radar sees it
NEAREST = 1.0  # m; clutter is even over range and angle, so its density per area grows towards the sensor, down to here
HIDDEN_BEHIND = 1.0  # m; an object must be this much nearer to hide another
STANDING = 1.0  # m/s; ten deviations of a range rate: what is slower along the beam may stand


class ExistenceModel:
    """What the vehicle's sensors can see, and how sure one may be of it."""

    def __init__(self, vehicle: Vehicle, parameters: ExistenceParameters) -> None:
        self._parameters = parameters
        arrays = sensor_arrays(vehicle)
        half_view, reach = 0.5 * arrays["field_of_view"], arrays["range"]
        self._into = _into_sensors(arrays["mount"], arrays["yaw"])  # (2, S, 3)
        self._detection = np.minimum(arrays["detection"], parameters.detection_limit)
        clutter = np.maximum(arrays["clutter"], parameters.fewest_clutter)
        # By sensor: half the view in margins, one metre of range in margins, detection probability.
        self._limits = np.stack(
            (
                half_view / parameters.view_margin,
                1.0 / (parameters.range_margin * reach),
                self._detection,
            )
        )
        self._clutter = clutter / (2.0 * half_view * reach)  # per metre of range and radian
        self._birth_odds = parameters.birth / clutter

    def occlusion(self, bank: TrackBank, ego: Pose) -> np.ndarray:
        """Share (N,) of each track that likely nearer ones hide, seen from the car."""
        front = (bank.reported & (bank.solid > 0.5)).nonzero()[0]  # who may hide others (H,): few of many
        if len(front) == 0:
            return np.zeros(len(bank))
        x, y = bank.state[:, 0] - ego[0], bank.state[:, 1] - ego[1]
        distance = np.hypot(x, y)
        bearing = np.arctan2(y, x)
        slant = bank.heading - bearing
        half_width = 0.5 * (
            bank.extent[:, 1] * np.abs(np.cos(slant)) + bank.extent[:, 0] * np.abs(np.sin(slant))
        )
        half = np.arctan2(half_width, distance)
        gap = np.abs(np.subtract.outer(bearing, bearing.take(front)))
        gap = np.minimum(gap, 2.0 * math.pi - gap)
        overlap = np.minimum(
            np.add.outer(half, half.take(front)) - gap, 2.0 * np.minimum.outer(half, half.take(front))
        )
        hides = np.greater.outer(distance, distance.take(front) + HIDDEN_BEHIND)
        hidden = np.add.reduce(np.maximum(overlap, 0.0) * hides, axis=1)
        return np.minimum(hidden / np.maximum(2.0 * half, 1e-6), 1.0)

    def detection_probability(
        self, bank: TrackBank, sensors: np.ndarray, source: Source, ego: Pose, occlusion: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probability (N,) that at least one of `sensors` reports each track, and (N,) that it does so at most: were nothing in
        between, and any part of it within view enough.
        """
        parameters = self._parameters
        x0, y0, yaw = ego
        cosine, sine = math.cos(yaw), math.sin(yaw)
        into_base = np.array(
            (cosine, sine, -cosine * x0 - sine * y0, -sine, cosine, sine * x0 - cosine * y0, 0.0, 0.0, 1.0)
        ).reshape(3, 3)
        into = self._into.take(sensors, axis=1).reshape(-1, 3) @ into_base
        # Ahead of and left of each sensor, so that the angle needs no wrapping.
        ahead, left = (into[:, :2] @ bank.state[:, :2].T + into[:, 2:]).reshape(2, len(sensors), -1)
        view, metre, detection = self._limits.take(sensors, axis=1)[:, :, None]
        inside = _share(view - np.arctan2(np.abs(left), ahead) / parameters.view_margin)
        near = _share(1.0 / parameters.range_margin - np.sqrt(ahead * ahead + left * left) * metre)
        visible = 1.0 - occlusion * (parameters.radar_occlusion if source is Source.RADAR else 1.0)
        missed = np.multiply.reduce(1.0 - detection * inside * near, axis=0)
        limit = parameters.detection_limit
        return np.minimum((1.0 - missed) * visible, limit), np.minimum(1.0 - missed, limit)

    def clutter(self, found: Measurements) -> np.ndarray:
        """Density (M,) of false measurements where each was measured: per m², for radar also per m/s.

        Much of a radar's clutter stands on the ground (rails, signs), so a standing object has to be seen more often to be
        believed than a moving one; it is not left out.
        """
        density = self._clutter.take(found.sensor) / np.maximum(found.distance, NEAREST)
        if found.ground_speed is None:
            return density
        standing = self._parameters.standing_clutter
        highest = standing / (STANDING_SPREAD * math.sqrt(2.0 * math.pi))
        peak = highest * np.exp(np.square(found.ground_speed) * (-0.5 / STANDING_SPREAD**2))
        return density * (peak + (1.0 - standing) / DOPPLER_SPAN)

    def fade(self, existence: np.ndarray, unseen: np.ndarray, duration: float) -> np.ndarray:
        """Existence after a while; only of tracks unseen (N,) for longer than misses are correlated does it fade."""
        factor = math.exp(-max(duration, 0.0) / self._parameters.lifetime)
        return np.where(unseen > self._parameters.miss_time, existence * factor, existence)

    def missed(self, existence: np.ndarray, detection: np.ndarray, duration: float) -> np.ndarray:
        """Existence after a frame that should have shown the track and did not; frames close in time count as a share of one."""
        share = min(max(duration, 0.0) / self._parameters.miss_time, 1.0)
        return self._bayes(existence, (1.0 - detection) ** share)

    def seen(
        self,
        existence: np.ndarray,
        detection: np.ndarray,
        likelihood: np.ndarray,
        others: np.ndarray,
        score: np.ndarray | float,
    ) -> np.ndarray:
        """Existence after a measurement of that likelihood density, where clutter and other tracks have the density `others`.

        A score of one half is neutral.
        """
        # Something that was measured can be measured: beyond the modelled range or view the probability is small, not zero.
        detection = np.maximum(detection, 1.0 - self._parameters.detection_limit)
        gain = (1.0 - detection) + detection * likelihood / others * (2.0 * score)
        return self._bayes(existence, np.minimum(gain, self._parameters.gain_limit))

    def expected(self, existence: np.ndarray, detection: np.ndarray) -> np.ndarray:
        """Probability (N,) that each track is there and gets reported; never 0, for what was measured can be measured."""
        return existence * np.maximum(detection, 1.0 - self._parameters.detection_limit)

    def born(
        self, found: Measurements, rows: np.ndarray, explained: np.ndarray, clutter: np.ndarray
    ) -> np.ndarray:
        """Existence (A,) of tracks that start from measurements `rows`, where known objects send `explained` (A,) as well."""
        odds = self._birth_odds[found.sensor[rows]] * clutter / (clutter + explained)
        if found.looks is not None:
            odds = odds * (2.0 * np.clip(found.looks.score[rows], 0.0, 1.0))
        return np.minimum(odds / (1.0 + odds), self._parameters.birth_limit)

    def solid_born(self, found: Measurements, rows: np.ndarray) -> np.ndarray:
        """Probability (A,) that measurements `rows` are of something that every kind of sensor sees.

        Radar also sees what is no obstacle: covers and joints in the road, bridges and signs above it, rails, mirror images.
        """
        if found.ground_speed is None:
            return np.where(self.floating(found)[rows], self._parameters.solid_floating, 1.0)
        standing = np.abs(found.ground_speed[rows]) < STANDING
        return np.where(standing, self._parameters.solid_standing, self._parameters.solid_moving)

    def floating(self, found: Measurements) -> np.ndarray:
        """Which measurements (M,) are of something above the road; only where looks are measured."""
        if found.looks is None:
            return np.zeros(len(found.sensor), bool)
        return found.looks.position[:, 2] > self._parameters.floating

    def solid_missed(self, solid: np.ndarray, detection: np.ndarray, duration: float) -> np.ndarray:
        """The same (N,) after a frame of camera or lidar that should have shown the tracks and did not; what is proven stays."""
        return np.where(
            solid >= self._parameters.solid_proven, solid, self.missed(solid, detection, duration)
        )

    def _bayes(self, existence: np.ndarray, gain: np.ndarray) -> np.ndarray:
        weighted = existence * gain
        return np.minimum(weighted / (1.0 - existence + weighted), self._parameters.highest)


def _into_sensors(mount: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """By sensor (2, S, 3): factors of x, y and 1 in base_link for the distance ahead of it and to its left."""
    ahead = np.stack((np.cos(yaw), np.sin(yaw)), axis=1)
    left = np.stack((-ahead[:, 1], ahead[:, 0]), axis=1)
    axes = np.stack((ahead, left))
    return np.concatenate((axes, -(axes * mount).sum(axis=2, keepdims=True)), axis=2)


def _share(value: np.ndarray) -> np.ndarray:
    """Values limited to 0…1; half the time of `np.clip`."""
    return np.minimum(np.maximum(value, 0.0), 1.0)
