"""Whether a track is an object: existence probability by recursive Bayes, from what each sensor should have seen and did.

With detection probability P, likelihood g of the measurement and clutter density c, the odds of existence change by
(1 − P) + P g / c where a measurement was assigned and by 1 − P where none was (integrated probabilistic data association,
Mušicki, Evans, Stanković, IEEE Trans. AC-39, 1994). Shapes: N tracks, S sensors.
"""

import math

import numpy as np

from pilot_common.geometry import Pose, rotation, wrap_angle
from pilot_common.vehicle import Vehicle
from pilot_fusion.measurement import Measurements, Source, sensor_arrays
from pilot_fusion.parameters import ExistenceParameters
from pilot_fusion.track_bank import TrackBank

DOPPLER_SPAN = 80.0  # m/s; moving clutter is taken as even over this interval of range rates
STANDING_SPREAD = 0.3  # m/s; standard deviation of the speed over ground of standing clutter as radar sees it
NEAREST = 1.0  # m; clutter is even over range and angle, so its density per area grows towards the sensor, down to here
HIDDEN_BEHIND = 1.0  # m; an object must be this much nearer to hide another


class ExistenceModel:
    """What the vehicle's sensors can see, and how sure one may be of it."""

    def __init__(self, vehicle: Vehicle, parameters: ExistenceParameters) -> None:
        self._parameters = parameters
        arrays = sensor_arrays(vehicle)
        self._mount, self._yaw = arrays["mount"], arrays["yaw"]
        self._half_view, self._range = 0.5 * arrays["field_of_view"], arrays["range"]
        self._detection = np.minimum(arrays["detection"], parameters.detection_limit)
        clutter = np.maximum(arrays["clutter"], parameters.fewest_clutter)
        self._clutter = clutter / (2.0 * self._half_view * self._range)  # per metre of range and radian
        self._birth_odds = parameters.birth / clutter

    def occlusion(self, bank: TrackBank, ego: Pose) -> np.ndarray:
        """Share (N,) of each track that likely nearer ones hide, seen from the car."""
        x, y = bank.state[:, 0] - ego[0], bank.state[:, 1] - ego[1]
        distance = np.hypot(x, y)
        bearing = np.arctan2(y, x)
        slant = bank.heading - bearing
        half_width = 0.5 * (
            bank.extent[:, 1] * np.abs(np.cos(slant)) + bank.extent[:, 0] * np.abs(np.sin(slant))
        )
        half = np.arctan2(half_width, distance)
        gap = np.abs(bearing[:, None] - bearing)
        gap = np.minimum(gap, 2.0 * math.pi - gap)
        overlap = np.minimum(half[:, None] + half - gap, 2.0 * np.minimum(half[:, None], half))
        hides = (distance + HIDDEN_BEHIND < distance[:, None]) & bank.reported
        hidden = (np.maximum(overlap, 0.0) * hides).sum(axis=1)
        return np.minimum(hidden / np.maximum(2.0 * half, 1e-6), 1.0)

    def detection_probability(
        self, bank: TrackBank, sensors: np.ndarray, source: Source, ego: Pose, occlusion: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probability (N,) that at least one of `sensors` reports each track, and (N,) that it does so at most: were nothing in
        between, and any part of it within view enough.
        """
        parameters = self._parameters
        turn = rotation(ego[2])
        mount = self._mount[sensors] @ turn.T + ego[:2]
        x = bank.state[:, 0] - mount[:, :1]
        y = bank.state[:, 1] - mount[:, 1:]
        aside = np.abs(wrap_angle(np.arctan2(y, x) - (self._yaw[sensors] + ego[2])[:, None]))
        inside = _share((self._half_view[sensors, None] - aside) / parameters.view_margin)
        reach = self._range[sensors, None]
        near = _share((reach - np.sqrt(x * x + y * y)) / (parameters.range_margin * reach))
        visible = 1.0 - occlusion * (parameters.radar_occlusion if source is Source.RADAR else 1.0)
        missed = (1.0 - self._detection[sensors, None] * inside * near).prod(axis=0)
        limit = parameters.detection_limit
        return np.minimum((1.0 - missed) * visible, limit), np.minimum(1.0 - missed, limit)

    def clutter(self, found: Measurements) -> np.ndarray:
        """Density (M,) of false measurements where each was measured: per m², for radar also per m/s.

        Much of a radar's clutter stands on the ground (rails, signs), so a standing object has to be seen more often to be
        believed than a moving one; it is not left out.
        """
        away = found.position - found.viewer
        distance = np.sqrt(np.einsum("mi,mi->m", away, away))
        density = self._clutter[found.sensor] / np.maximum(distance, NEAREST)
        if found.range_rate is None:
            return density
        standing = self._parameters.standing_clutter
        ground = found.range_rate + np.einsum("mi,mi->m", found.beam, found.viewer_velocity)
        peak = np.exp(-0.5 * (ground / STANDING_SPREAD) ** 2) / (STANDING_SPREAD * math.sqrt(2.0 * math.pi))
        return density * (standing * peak + (1.0 - standing) / DOPPLER_SPAN)

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
        score: np.ndarray,
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

    def _bayes(self, existence: np.ndarray, gain: np.ndarray) -> np.ndarray:
        weighted = existence * gain
        return np.minimum(weighted / (1.0 - existence + weighted), self._parameters.highest)


def _share(value: np.ndarray) -> np.ndarray:
    """Values limited to 0…1; half the time of `np.clip`."""
    return np.minimum(np.maximum(value, 0.0), 1.0)
