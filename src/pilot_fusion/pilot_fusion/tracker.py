"""The multi-sensor tracker: predicts, gates, assigns, updates, starts and deletes tracks, message by message in stamp order."""

import math

import numpy as np

from pilot_common.compiled import as_record, compiled
from pilot_common.types import Detections, RadarReturns
from pilot_common.vehicle import Vehicle
from pilot_fusion.association import (
    assign_many_to_one,
    assign_one_to_one,
    gate,
    sudden_change,
    survivors,
    weigh,
)
from pilot_fusion.course import Course, follow_course
from pilot_fusion.ego_motion import EgoMotionFilter, EgoState
from pilot_fusion.existence import detection_probability, fade, judge, occlude
from pilot_fusion.looks import follow_velocity, update_looks
from pilot_fusion.measurement import KINDS, MeasurementModel, Source, repetition
from pilot_fusion.newcomers import newcomers
from pilot_fusion.parameters import Parameters
from pilot_fusion.track_bank import NEVER, TrackBank, update_position, update_radial

LEARNING = 0.6  # s, age below which a surprising speed is not taken for a manoeuvre
STAYS_REPORTED = 2.0  # times the variance from which a track is reported
CAMERA, RADAR = int(Source.CAMERA), int(Source.RADAR)


class Tracker:
    """Tracks live in `odom`, in `bank`; messages name their sensors by index."""

    def __init__(self, vehicle: Vehicle, parameters: Parameters) -> None:
        self._parameters = parameters
        self._model = MeasurementModel(vehicle, parameters.measurement, parameters.existence)
        kinds = [sensor.kind for sensor in vehicle.sensors]
        self._lookers = np.array([index for index, kind in enumerate(kinds) if kind in KINDS])
        self._motion, self._looks = as_record(parameters.motion), as_record(parameters.looks)
        self._association = as_record(parameters.association)
        self._existence = as_record(parameters.existence)
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
        bank = self.bank
        before = bank.time
        follow_course(bank.tracks, course.samples, course.pose)
        occlude(bank.tracks, float(newest.pose[0]), float(newest.pose[1]))
        for source, message in sorted(frames, key=_order):
            self._frame(source, message, ego.at(message.stamp), course)
        follow_velocity(bank.tracks, bank.time - before, self._motion)
        alive = self._survivors()
        if len(alive) < len(bank):
            bank.keep(alive)
        _report(bank.tracks, self._existence)

    def _frame(
        self, source: Source, message: Detections | RadarReturns, ego: EgoState, course: Course
    ) -> None:
        """One frame."""
        model, bank, kind, time = self._model, self.bank, int(source), message.stamp
        if isinstance(message, RadarReturns):
            found = model.of_radar(message, ego)
        else:
            found = model.of_detections(message, source, ego)
        tracks, measured, sensors = bank.tracks, found.rows, model.sensors
        fade(tracks, bank.time, time, self._lookers, sensors, *ego.pose, self._existence)
        bank.predict(time)
        detection, unhidden = detection_probability(
            *(tracks, found.sensors, sensors, kind, *ego.pose, self._existence)
        )
        pairs = gate(tracks, measured, kind, time, found.yaw, model.parameters, self._association)
        pairs = weigh(
            *(tracks, pairs, measured, unhidden, kind, len(sensors), self._association, self._existence)
        )
        if source is Source.RADAR:
            pairs = assign_many_to_one(pairs, len(measured))
        else:
            pairs = assign_one_to_one(pairs, len(measured), len(sensors))
        judge(tracks, pairs, measured, detection, kind, time - self._last_frame[source], self._existence)
        self._last_frame[source] = max(time, self._last_frame[source])
        _update(tracks, pairs, measured, kind, time, model.parameters, self._association)
        if source is not Source.RADAR:
            update_looks(tracks, pairs, measured, found.yaw, self._looks, self._motion)
        if len(measured) > 0:
            started = newcomers(
                *(tracks, pairs, measured, sensors, kind, time, found.yaw, course.samples, course.pose),
                *(self._association, self._existence, model.parameters, self._looks, self._motion),
            )
            if len(started):
                bank.add(started)

    def _survivors(self) -> np.ndarray:
        """Rows of the tracks that go on; not more than there may be."""
        tracks, most = self.bank.tracks, self._parameters.maximum_tracks
        alive = survivors(tracks, self.bank.time, self._association, self._existence).nonzero()[0]
        if len(alive) > most:
            rank = np.lexsort((tracks["identity"][alive], -tracks["existence"][alive]))
            alive = np.sort(alive[rank[:most]])
        return alive


@compiled
def _update(
    tracks: np.ndarray,
    pairs: np.ndarray,
    found: np.ndarray,
    source: int,
    time: float,
    measurement: np.ndarray,
    association: np.ndarray,
) -> None:
    """All measurements of an object together: their weighted mean for the position, then their mean Doppler."""
    parameters = association[0]
    first = 0
    while first < len(pairs):
        row = pairs[first]["track"]
        track = tracks[row]
        count = inverse_xx = inverse_xy = inverse_yy = sum_x = sum_y = 0.0
        beam_x = beam_y = speed = variance = 0.0
        reporters = 0
        while first < len(pairs) and pairs[first]["track"] == row:
            pair = pairs[first]
            seen = found[pair["measurement"]]
            first += 1
            reporters |= 1 << pair["sensor"]
            # What fits badly counts less (Cauchy-like weights): half hidden objects are reported metres off now and then.
            doubt = max(pair["surprise"] / parameters["outlier"], 1.0)
            xx, xy, yy = pair["noise"][0] * doubt, pair["noise"][1] * doubt, pair["noise"][2] * doubt
            if source == CAMERA:
                x, y, longer = repetition(xx, xy, yy, track["covariance"], measurement[0])
                xx, xy, yy = xx + longer * x * x, xy + longer * x * y, yy + longer * y * y
            determinant = xx * yy - xy * xy
            count += 1.0
            inverse_xx += yy / determinant
            inverse_xy -= xy / determinant
            inverse_yy += xx / determinant
            x, y = pair["innovation"][0], pair["innovation"][1]
            sum_x += (yy * x - xy * y) / determinant
            sum_y += (xx * y - xy * x) / determinant
            beam_x += seen["beam"][0]
            beam_y += seen["beam"][1]
            speed += seen["ground_speed"]
            variance += seen["ground_speed_variance"]
        determinant = inverse_xx * inverse_yy - inverse_xy * inverse_xy
        xx, xy, yy = inverse_yy / determinant, -inverse_xy / determinant, inverse_xx / determinant
        # What is measured of one object at one time errs alike in part: the variance of a mean falls with the root only.
        root = math.sqrt(count)
        x, y = xx * sum_x + xy * sum_y, xy * sum_x + yy * sum_y
        update_position(track, x, y, xx * root, xy * root, yy * root)
        if source == RADAR:
            length = math.hypot(beam_x, beam_y)
            # Of newcomers the speed is still being learnt: that it changes is no braking.
            change = sudden_change(track, source, time, parameters["manoeuvre"])
            change = change if time - track["born"] > LEARNING else 0.0
            beam_x, beam_y, speed = beam_x / length, beam_y / length, speed / length
            variance = variance / (count * root)
            surprise, braking = parameters["surprise"], parameters["manoeuvre"]
            update_radial(track, beam_x, beam_y, speed, variance, surprise, change, braking)
        else:
            track["reporters"] = reporters
        track["seen"][source] = time


@compiled
def _report(tracks: np.ndarray, existence: np.ndarray) -> None:
    """Which tracks planning sees: the probable ones whose place and speed are known somewhat.

    What is seen once is seen longer.
    """
    parameters = existence[0]
    for row in range(len(tracks)):
        track = tracks[row]
        covariance, reported = track["covariance"], track["reported"]
        place, speed = covariance[0, 0] + covariance[1, 1], covariance[2, 2] + covariance[3, 3]
        doubt = max(place / parameters["largest_deviation"] ** 2, speed / parameters["report_speed"] ** 2)
        probable = track["existence"] > (parameters["keep"] if reported else parameters["report"])
        track["reported"] = probable and doubt < (STAYS_REPORTED if reported else 1.0)


def _order(frame: tuple[Source, Detections | RadarReturns]) -> tuple[float, int, bytes, bytes]:
    """Sorts frames by stamp, kind and sensors; of equals by content, so that any order of arrival gives the same result."""
    source, message = frame
    content = message.range if isinstance(message, RadarReturns) else message.position
    return (message.stamp, int(source), message.sensors.tobytes(), content.tobytes())
