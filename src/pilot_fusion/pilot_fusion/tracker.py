"""The multi-sensor tracker: predicts, gates, assigns, updates, starts and deletes tracks, message by message in stamp order."""

import numpy as np

from pilot_common.near_face import near_face
from pilot_common.types import Detections, ObjectClass, RadarReturns
from pilot_common.vehicle import Vehicle
from pilot_fusion.association import (
    Pairs,
    assign_many_to_one,
    assign_one_to_one,
    duplicates,
    first_of_kind,
    gate,
    sudden_change,
    weigh,
    within_boxes,
)
from pilot_fusion.course import Course
from pilot_fusion.ego_motion import EgoMotionFilter, EgoState
from pilot_fusion.existence import STANDING, ExistenceModel
from pilot_fusion.looks import SMALLEST_EXTENT, Looks
from pilot_fusion.measurement import MeasurementModel, Measurements, Source
from pilot_fusion.parameters import Parameters
from pilot_fusion.track_bank import NEVER, Manoeuvre, TrackBank, inverse_2x2

COASTING = 0.12  # s; unseen for longer than the period of the slowest sensor
LEARNING = 0.6  # s, age below which a surprising speed is not taken for a manoeuvre
NEUTRAL_SCORE = 0.5  # of a radar return, which carries none
STAYS_REPORTED = 2.0  # times the variance from which a track is reported
UNKNOWN_HEADING = 0.35  # rad; deviation of the guess that a newcomer drives along the road


class Tracker:
    """Tracks live in `odom`, in `bank`; messages name their sensors by index."""

    def __init__(self, vehicle: Vehicle, parameters: Parameters) -> None:
        self._parameters = parameters
        self._model = MeasurementModel(vehicle, parameters.measurement)
        self._existence = ExistenceModel(vehicle, parameters.existence)
        self._looks = Looks(parameters.looks, parameters.motion)
        self.reset()

    def reset(self) -> None:
        """Forgets everything; identities start over."""
        self.bank = TrackBank(self._parameters.motion)
        self._last_frame = dict.fromkeys(Source, NEVER)

    def forget(self) -> None:
        """Forgets the tracks (their relation to the car is lost); identities go on."""
        self.bank.clear()
        self._last_frame = dict.fromkeys(Source, NEVER)

    def update(
        self, frames: list[tuple[Source, Detections | RadarReturns]], ego: EgoMotionFilter, course: Course
    ) -> None:
        """Takes the frames of one step, sorted here so that the order in which they came does not matter."""
        if not frames:
            return
        newest = ego.newest
        if newest is None:
            return
        before = self.bank.time
        _, self.bank.turn = course.at(self.bank.state[:, :2])
        occlusion = self._existence.occlusion(self.bank, newest.pose)
        for source, message in sorted(frames, key=_order):
            occlusion = self._frame(source, message, ego.at(message.stamp), occlusion, course)
        bank = self.bank
        self._looks.follow_velocity(bank, bank.time - before)
        survivors = self._survivors().nonzero()[0]
        if len(survivors) < len(bank):
            bank.keep(survivors)
        self._report()

    def _report(self) -> None:
        """Which tracks planning sees: the probable ones whose place and speed are known somewhat.

        What is seen once is seen longer.
        """
        bank, parameters = self.bank, self._parameters.existence
        place = bank.covariance[:, 0, 0] + bank.covariance[:, 1, 1]
        speed = bank.covariance[:, 2, 2] + bank.covariance[:, 3, 3]
        doubt = np.maximum(place / parameters.largest_deviation**2, speed / parameters.report_speed**2)
        probable = bank.existence > np.where(bank.reported, parameters.keep, parameters.report)
        bank.reported = probable & (doubt < np.where(bank.reported, STAYS_REPORTED, 1.0))

    def _frame(
        self,
        source: Source,
        message: Detections | RadarReturns,
        ego: EgoState,
        occlusion: np.ndarray,
        course: Course,
    ) -> np.ndarray:
        """One frame. Returns the occlusion with zeros for the tracks that it started."""
        bank, existence = self.bank, self._existence
        if isinstance(message, RadarReturns):
            found = self._model.of_radar(message, ego)
        else:
            found = self._model.of_detections(message, source, ego)
        if message.stamp != bank.time:
            unseen = message.stamp - bank.last_seen()
            bank.existence = existence.fade(bank.existence, unseen, message.stamp - bank.time)
            bank.predict(message.stamp, unseen > COASTING)
        detection, unhidden = existence.detection_probability(
            bank, found.sensors, source, ego.pose, occlusion
        )
        pairs = gate(bank, found, self._model, self._parameters.association)
        clutter = existence.clutter(found)
        expected = existence.expected(bank.existence, unhidden)
        pairs, explained = weigh(pairs, found, expected, clutter, self._parameters.association.credible)
        pairs = (
            assign_many_to_one(pairs) if source is Source.RADAR else assign_one_to_one(pairs, found.sensor)
        )
        seen = self._judge(found, pairs, detection, clutter)
        self._update(found, pairs, seen)
        if found.looks is not None:
            self._looks.update(bank, pairs.track, found.looks, pairs.measurement, found.viewer, ego.pose[2])
        bank.seen[:, int(source)][seen] = message.stamp
        started = self._start(found, pairs, explained, clutter, course)
        return np.concatenate((occlusion, np.zeros(started))) if started else occlusion

    def _judge(
        self, found: Measurements, pairs: Pairs, detection: np.ndarray, clutter: np.ndarray
    ) -> np.ndarray:
        """Raises or lowers the existence of every track; returns the tracks (A,) that were seen, in order."""
        bank = self.bank
        duration = found.time - self._last_frame[found.source]
        self._last_frame[found.source] = max(found.time, self._last_frame[found.source])
        existence = self._existence.missed(bank.existence, detection, duration)
        optical = found.source is not Source.RADAR
        before = bank.solid
        if optical:
            bank.solid = self._existence.solid_missed(before, detection, duration)
        if len(pairs.track) == 0:
            bank.existence = existence
            return pairs.track
        seen, measurement, density, rivals = pairs.track, pairs.measurement, pairs.density, pairs.rivals
        if (seen[1:] == seen[:-1]).any():
            # Of several returns of one object the likeliest counts.
            order = np.lexsort((pairs.cost, seen))
            track = seen[order]
            first = np.ones(len(track), bool)
            np.not_equal(track[1:], track[:-1], out=first[1:])
            best = order[first]
            seen, measurement, density, rivals = seen[best], measurement[best], density[best], rivals[best]
        others = clutter[measurement] + rivals
        score = NEUTRAL_SCORE if found.looks is None else found.looks.score[measurement]
        existence[seen] = self._existence.seen(bank.existence[seen], detection[seen], density, others, score)
        bank.existence = existence
        if optical:
            # What is seen to float above the road counts as not seen on it.
            shown = ~self._existence.floating(found)[measurement]
            solid = self._existence.seen(before[seen], detection[seen], density, others, score)
            bank.solid[seen[shown]] = solid[shown]
        return seen

    def _update(self, found: Measurements, pairs: Pairs, seen: np.ndarray) -> None:
        """All measurements of an object together: their weighted mean for the position, then their mean Doppler."""
        if len(seen) == 0:
            return
        # What fits badly counts less (Cauchy-like weights): half hidden objects are reported metres off now and then.
        doubt = np.maximum(pairs.surprise / self._parameters.association.outlier, 1.0)
        noise = pairs.noise * doubt[:, None, None]
        if found.source is Source.CAMERA:
            noise = self._model.without_repetition(
                noise,
                found.beam.take(pairs.measurement, axis=0),
                self.bank.covariance.take(pairs.track, axis=0)[:, :2, :2],
            )
        if found.range_rate is None and len(seen) == len(pairs.track):
            self.bank.update_position(pairs.track, pairs.innovation, noise)
            return
        # Sums over the pairs of each track, of all that is summed at once.
        columns = np.empty((len(pairs.track), 11))
        weight = inverse_2x2(noise)
        columns[:, 0] = 1.0
        columns[:, 1:5] = weight.reshape(-1, 4)
        innovation = pairs.innovation
        columns[:, 5:7] = weight[:, :, 0] * innovation[:, :1] + weight[:, :, 1] * innovation[:, 1:]
        if found.ground_speed is not None and found.range_rate_variance is not None:
            columns[:, 7:9] = found.beam.take(pairs.measurement, axis=0)
            columns[:, 9] = found.ground_speed.take(pairs.measurement)
            columns[:, 10] = found.range_rate_variance.take(pairs.measurement)
        else:
            columns[:, 7:] = 0.0
        total = (pairs.track == seen[:, None]).astype(float) @ columns  # (A, K) @ (K, 11)
        count = total[:, 0]
        noise = inverse_2x2(total[:, 1:5].reshape(-1, 2, 2))
        innovation = noise[:, :, 0] * total[:, 5:6] + noise[:, :, 1] * total[:, 6:7]
        # What is measured of one object at one time errs alike in part: the variance of a mean falls with the root only.
        root = np.sqrt(count)
        self.bank.update_position(seen, innovation, noise * root[:, None, None])
        if found.range_rate is None:
            return
        length = np.hypot(total[:, 7], total[:, 8])
        parameters = self._parameters.association
        change = sudden_change(self.bank.seen, seen, found, parameters)
        # Of newcomers the speed is still being learnt: that it changes is no braking.
        change = np.where(found.time - self.bank.born.take(seen) > LEARNING, change, 0.0)
        manoeuvre = Manoeuvre(parameters.surprise, change, parameters.manoeuvre)
        direction, speed = total[:, 7:9] / length[:, None], total[:, 9] / length
        self.bank.update_radial(seen, direction, speed, total[:, 10] / (count * root), manoeuvre)

    def _start(
        self,
        found: Measurements,
        pairs: Pairs,
        explained: np.ndarray,
        clutter: np.ndarray,
        course: Course,
    ) -> int:
        """Starts tracks from measurements that belong to none and lie within none. Returns how many.

        `explained` (M,) is the density of measurements that known objects send there, `clutter` (M,) of false ones.
        """
        free = np.ones(len(found.sensor), bool)
        free[pairs.measurement] = False
        rows = free.nonzero()[0]
        if len(rows) == 0:
            return 0
        bank, parameters = self.bank, self._parameters
        # What this kind of sensor itself does not see where it should be is no explanation of what it sees.
        explains = bank.existence > parameters.existence.keep
        explains &= bank.seen[:, int(found.source)] >= found.time - parameters.existence.miss_time
        if explains.any():
            margin = parameters.association.explained_margin
            rows = rows[~within_boxes(bank, explains, found.position[rows], margin)]
        if len(rows) > 1:
            rows = first_of_kind(found, rows, self._parameters.association)
        if len(rows) == 0:
            return 0
        born = self._existence.born(found, rows, explained[rows], clutter[rows])
        worthy = born > self._parameters.existence.delete
        if not worthy.all():
            rows, born = rows[worthy], born[worthy]
            if len(rows) == 0:
                return 0
        columns = self._newcomers(found, rows, course)
        columns["existence"] = born
        new = np.arange(len(bank), len(bank) + len(rows))
        bank.add(**columns)
        if found.ground_speed is not None and found.range_rate_variance is not None:
            speed = found.ground_speed[rows]
            bank.update_radial(new, found.beam[rows], speed, found.range_rate_variance[rows])
        return len(rows)

    def _newcomers(self, found: Measurements, rows: np.ndarray, course: Course) -> dict[str, np.ndarray]:
        """Fields of tracks that start from measurements `rows`."""
        motion, looks = self._parameters.motion, self._parameters.looks
        count = len(rows)
        heading, turn = course.at(found.position[rows])  # as long as nothing else is known, along the road
        heading_variance = np.full(count, UNKNOWN_HEADING**2)
        extent = np.empty((count, 3))
        extent[:] = looks.length, looks.width, looks.height
        class_weight = np.zeros((count, len(ObjectClass)))
        base = np.zeros(count)
        if found.looks is not None:
            seen = found.looks
            heading_valid = seen.heading_valid[rows]
            heading = np.where(heading_valid, seen.heading[rows] + found.yaw, heading)
            heading_variance = np.where(heading_valid, motion.heading_measured**2, heading_variance)
            extent = np.where(seen.extent[rows] > SMALLEST_EXTENT, seen.extent[rows], extent)
            guessed = ~seen.extent_valid[rows]
            extent[guessed, 1] = np.minimum(extent[guessed, 1], looks.widest)
            score = np.minimum(np.maximum(seen.score[rows], 0.05), 1.0)
            class_weight[np.arange(count), seen.class_id[rows]] = score
            base = seen.position[rows, 2]
        position, covariance = self._newcomers_place(found, rows, heading, extent)
        state = np.zeros((count, 6))
        state[:, :2] = position
        full = np.zeros((count, 6, 6))
        full[:, :2, :2] = covariance
        full[:, 2:4, 2:4] = self.bank.spread(heading, motion.birth_speed, motion.birth_speed_across)
        if found.ground_speed is not None:
            standing = (np.abs(found.ground_speed[rows]) < STANDING).nonzero()[0]
            axis = np.arctan2(found.beam[rows[standing], 1], found.beam[rows[standing], 0])
            spread = self.bank.spread(axis, motion.birth_speed, motion.standing_speed_across)
            full[standing, 2:4, 2:4] = spread
        full[:, 4:, 4:] = self.bank.spread(heading, motion.acceleration_along, motion.acceleration_across)
        seen_by = np.full((count, len(Source)), NEVER)
        seen_by[:, int(found.source)] = found.time
        return {
            "state": state,
            "covariance": full,
            "solid": self._existence.solid_born(found, rows),
            "reported": np.zeros(count, bool),
            "heading": heading,
            "heading_variance": heading_variance,
            "turn": turn,
            "extent": extent,
            "extent_count": found.whole[rows].astype(float),
            "base": base,
            "class_weight": class_weight,
            "born": np.full(count, found.time),
            "seen": seen_by,
        }

    def _newcomers_place(
        self, found: Measurements, rows: np.ndarray, heading: np.ndarray, extent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Centres (A, 2) behind the faces that were seen, and their covariance (A, 2, 2)."""
        position, viewer = found.position[rows], found.viewer[rows]
        behind = position + 0.5 * extent[:, :1] * found.beam[rows]
        face = near_face(behind, heading, extent[:, 0], extent[:, 1], viewer)
        face.offset[found.whole[rows]] = 0.0
        offset, covariance = face.offset, found.covariance[rows]
        if found.source is Source.RADAR:
            shift, spread = self._model.reflection(position, face, viewer)
            offset, covariance = offset + shift, covariance + spread
        return position - offset, covariance

    def _survivors(self) -> np.ndarray:
        """Mask (N,) of the tracks that go on: probable enough, no duplicates, and not more than there may be."""
        bank, parameters = self.bank, self._parameters
        alive = bank.existence > parameters.existence.delete
        uncertain = (
            bank.covariance[:, 0, 0] + bank.covariance[:, 1, 1] > parameters.existence.largest_deviation**2
        )
        # What sensors see far off is uncertain as well: only what nobody sees any more is lost.
        alive &= ~(uncertain & (bank.time - bank.last_seen() > parameters.existence.miss_time))
        alive &= ~duplicates(bank, parameters.association)
        if len(alive) > parameters.maximum_tracks and int(alive.sum()) > parameters.maximum_tracks:
            rank = np.lexsort((bank.identity, -np.where(alive, bank.existence, -1.0)))
            alive[rank[parameters.maximum_tracks :]] = False
        return alive


def _order(frame: tuple[Source, Detections | RadarReturns]) -> tuple[float, int, bytes, bytes]:
    """Sorts frames by stamp, kind and sensors; of equals by content, so that any order of arrival gives the same result."""
    source, message = frame
    content = message.range if isinstance(message, RadarReturns) else message.position
    return (message.stamp, int(source), message.sensors.tobytes(), content.tobytes())
