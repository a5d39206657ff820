"""Class, size and heading of tracks: what changes slowly and is averaged, beside the motion filter."""

import numpy as np

from pilot_common.geometry import wrap_angle
from pilot_common.near_face import near_face
from pilot_common.types import Detections
from pilot_fusion.measurement import wrap_half
from pilot_fusion.parameters import LooksParameters, MotionParameters
from pilot_fusion.track_bank import TrackBank

SMALLEST_EXTENT = 0.1  # m; anything less is no statement about size
WRONG_GUESS = 1.5  # rad; almost a right angle
PLAIN = 25.0  # squared speed over its variance from which a course shows that a guess was wrong


class Looks:
    """Updates the slow part of tracks in place."""

    def __init__(self, parameters: LooksParameters, motion: MotionParameters) -> None:
        self._parameters = parameters
        self._motion = motion

    def update(
        self,
        bank: TrackBank,
        rows: np.ndarray,
        seen: Detections,
        found: np.ndarray,
        viewer: np.ndarray,
        yaw: float,
    ) -> None:
        """Tracks `rows` (A,), in order, were seen as detections `found` (A,) from `viewer` (M, 2); `yaw` is that of base_link.

        Where several sensors saw the same track, the first in the message speaks for all.
        """
        if len(rows) == 0:
            return
        other = rows[1:] != rows[:-1]
        if not other.all():
            first = np.concatenate(((True,), other))
            rows, found = rows[first], found[first]
        self._class(bank, rows, seen.class_id[found], seen.score[found])
        self._extent(bank, rows, seen.extent[found], seen.extent_valid[found], viewer[found])
        gain = np.maximum(1.0 / (1.0 + bank.extent_count[rows]), 0.05)
        base = bank.base[rows]
        bank.base[rows] = base + gain * (seen.position[:, 2][found] - base)
        measured = seen.heading_valid[found].nonzero()[0]
        if len(measured):
            chosen = rows[measured]
            difference = wrap_half(seen.heading[found[measured]] + yaw - bank.heading[chosen])
            variance = np.full(len(chosen), self._motion.heading_measured**2)
            self._turn(bank, chosen, difference, variance, np.ones(len(chosen)))

    def _class(self, bank: TrackBank, rows: np.ndarray, class_id: np.ndarray, score: np.ndarray) -> None:
        weight = bank.class_weight.take(rows, axis=0)
        weight *= self._parameters.class_memory
        weight[np.arange(len(rows)), class_id] += np.minimum(np.maximum(score, 0.05), 1.0)
        bank.class_weight[rows] = weight

    def _extent(
        self, bank: TrackBank, rows: np.ndarray, extent: np.ndarray, valid: np.ndarray, viewer: np.ndarray
    ) -> None:
        """A growing average of measured sizes; guesses from the camera only lead until a size was measured.

        Where only the near face was seen it is the face that was tracked: the centre moves so that the face stays.
        """
        parameters = self._parameters
        count = bank.extent_count[rows]
        measured = np.maximum(1.0 / (1.0 + count), parameters.measured_gain)
        guessed = np.where(count >= 1.0, 0.0, parameters.camera_gain)
        share = np.where(valid, measured, guessed)
        gain = share[:, None] * (extent > SMALLEST_EXTENT)
        before = bank.extent.take(rows, axis=0)
        # Aslant, a camera sees the side of a long one as width.
        narrow = np.where(valid, extent[:, 1], np.minimum(extent[:, 1], parameters.widest))
        after = before + gain * (np.column_stack((extent[:, 0], narrow, extent[:, 2])) - before)
        # Where all were seen whole, or nothing was news, nobody moves.
        partial = (~valid & (share > 0.0)).nonzero()[0]
        if len(partial):
            chosen, old = rows[partial], before[partial]
            state = bank.state.take(chosen, axis=0)
            face = near_face(state[:, :2], bank.heading[chosen], old[:, 0], old[:, 1], viewer[partial])
            grown = after[partial] / old - 1.0
            state[:, :2] -= face.offset * np.where(face.end, grown[:, 0], grown[:, 1])[:, None]
            bank.state[chosen] = state
        bank.extent[rows] = after
        bank.extent_count[rows] = count + valid

    def follow_velocity(self, bank: TrackBank, duration: float) -> None:
        """The heading of what moves turns to where it moved during `duration`.

        Only slowly: where the rear face is what is measured, a heading that turns by δ moves the centre sideways by δ · length/2,
        which looks like a lateral velocity and turns the heading on. With a time constant above length / (2 speed) this dies out.
        """
        speed = np.hypot(bank.state[:, 2], bank.state[:, 3])
        variance = bank.covariance[:, 2, 2] + bank.covariance[:, 3, 3]
        rows = ((speed > self._motion.moving_speed) & (speed * speed > 4.0 * variance)).nonzero()[0]
        if len(rows) == 0:
            return
        speed = speed[rows]
        course = np.arctan2(bank.state[:, 3][rows], bank.state[:, 2][rows])
        difference = wrap_angle(course - bank.heading[rows])
        slowest = np.maximum(self._motion.turn_time, self._motion.turn_lengths * bank.extent[rows, 0] / speed)
        limit = np.minimum(max(duration, 0.0) / slowest, 1.0)
        # What stands may seem to slip sideways as long as its speed is hardly known: it is not across the road for that.
        limit[(np.abs(difference) > WRONG_GUESS) & (speed * speed < PLAIN * variance[rows])] = 0.0
        self._turn(bank, rows, difference, self._motion.slip**2 + variance[rows] / speed**2, limit)

    @staticmethod
    def _turn(
        bank: TrackBank, rows: np.ndarray, difference: np.ndarray, variance: np.ndarray, limit: np.ndarray
    ) -> None:
        """Scalar Kalman update of headings, by at most the share `limit` of the difference.

        A heading off by more than a right angle was a wrong guess and is replaced.
        """
        prior = bank.heading_variance[rows]
        gain = np.minimum(prior / (prior + variance), limit)
        wrong = (np.abs(difference) > WRONG_GUESS) & (limit > 0.0)
        bank.heading[rows] = wrap_angle(bank.heading[rows] + np.where(wrong, 1.0, gain) * difference)
        bank.heading_variance[rows] = np.where(wrong, variance, (1.0 - gain) * prior)
