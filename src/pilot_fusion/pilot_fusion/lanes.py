"""The lane model: filters the marks that the camera reports, survives their gaps, follows the car across a mark.

Until a mark is seen there is no lane. Afterwards the ego lane's centre line moves with the car's own motion; every mark is taken
as the line of the slot it lies nearest to; without marks the model coasts, less and less sure, until it is no longer valid.
"""

import math

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.geometry import compose, inverse
from pilot_common.messages import empty_arrays
from pilot_common.types import LaneMarks, Lanes, MarkKind
from pilot_fusion.ego_motion import EgoMotionFilter, EgoState
from pilot_fusion.lane_filter import HEADING, OFFSET, SLIP, WIDTH, LaneFilter
from pilot_fusion.lane_lines import LEFT, RIGHT, SLOTS, LaneLines, nearest_slot
from pilot_fusion.parameters import LaneParameters

START_DEVIATION = 0.3  # m; of the lane centre that the first marks give


class LaneModel:
    """State of the road around the car, at `_placed` in base_link."""

    def __init__(self, parameters: LaneParameters) -> None:
        self._parameters = parameters
        count = round((parameters.behind + parameters.ahead) / parameters.spacing) + 1
        self._station = -parameters.behind + parameters.spacing * np.arange(count)
        self._at_car = round(parameters.behind / parameters.spacing)
        self.reset()

    def reset(self) -> None:
        """No lane known."""
        self._filter = LaneFilter(self._parameters)
        self._lines = LaneLines(self._parameters)
        self._placed: EgoState | None = None
        self._started = False
        self._sight = 0.0

    def update(self, frames: list[LaneMarks], ego: EgoMotionFilter) -> None:
        """Takes the frames of a step, whatever their order, and moves on to the newest ego state."""
        for frame in sorted(
            frames, key=lambda marks: (marks.stamp, marks.sensors.tobytes(), marks.coefficients.tobytes())
        ):
            self._move(ego.at(frame.stamp), ego.slip)
            self._take(frame)
        if ego.newest is not None:
            self._move(ego.newest, ego.slip)

    @property
    def slip(self) -> float:
        """Of the rear axle, beyond that of the facts, as seen by where the lane goes; rad per m/s² of lateral acceleration."""
        return float(self._filter.state[SLIP])

    def _move(self, ego: EgoState, slip: float) -> None:
        """Moves the model from where the car was to where it is (back, for a late frame), told with a `slip`."""
        if self._started and self._placed is not None:
            x, y, turn = compose(inverse(self._placed.pose), ego.pose)
            duration = ego.time - self._placed.time
            across = 0.5 * (self._placed.across + ego.across)
            self._filter.move(x, y, turn, abs(duration), across, slip)
            self._sight -= x
            self._lines.fade(max(x, 0.0), max(duration, 0.0))
            self._cross()
        self._placed = ego

    def _take(self, frame: LaneMarks) -> None:
        """One frame: each mark updates filter and lines as the line that it is nearest to."""
        if not self._started and not self._start(frame):
            return
        reference = self._parameters.reference
        marks = [(self._offset_at(c, reference), row) for row, c in enumerate(frame.coefficients)]
        width = float(self._filter.state[WIDTH])
        expected = self._lines.expected(width)
        slope = math.cos(float(self._filter.state[HEADING]))
        centre = self._filter.centre_at(reference)
        nearest: dict[int, tuple[float, int, float]] = {}  # slot: distance, row, offset
        for y, row in marks:
            offset = (y - centre) * slope
            slot, distance = nearest_slot(expected, offset)
            if distance < self._parameters.match and distance < nearest.get(slot, (math.inf, 0, 0.0))[0]:
                nearest[slot] = (distance, row, offset)
        if nearest:
            self._take_marks(frame, nearest)
        self._lines.confirm_ego(float(self._filter.state[WIDTH]))

    def _take_marks(self, frame: LaneMarks, nearest: dict[int, tuple[float, int, float]]) -> None:
        """The marks found for slots, nearest to the car first."""
        slots = sorted(nearest, key=lambda item: (abs(item - RIGHT - 0.5), item))
        rows = [nearest[slot][1] for slot in slots]
        side = np.array([slot - RIGHT - 0.5 for slot in slots])
        own = np.array([slot in (RIGHT, LEFT) for slot in slots])
        used = self._filter.update(
            frame.coefficients[rows], frame.deviation[rows], frame.view[rows], side, own
        )
        for slot, row, good in zip(slots, rows, used.tolist(), strict=True):
            if good:
                self._lines.see(slot, nearest[slot][2], int(frame.kind[row]), float(frame.score[row]))
                # Lines of one road run alike: where a leader hides those of the lane, others show where it goes.
                self._sight = max(self._sight, float(frame.view[row, 1]))

    def _start(self, frame: LaneMarks) -> bool:
        """Begins with the nearest marks left and right of the car, or with one of them and the usual width."""
        parameters = self._parameters
        offsets = sorted(self._offset_at(c, parameters.reference) for c in frame.coefficients)
        left = next((y for y in offsets if y > 0.0), math.inf)
        right = next((y for y in reversed(offsets) if y <= 0.0), -math.inf)
        width = left - right
        if parameters.narrowest <= width <= parameters.widest:
            self._filter.start(0.5 * (left + right), START_DEVIATION, width, parameters.width_deviation)
        elif min(left, -right) < parameters.widest:
            centre = left - 0.5 * parameters.width if left < -right else right + 0.5 * parameters.width
            deviation = math.hypot(START_DEVIATION, 0.5 * parameters.width_deviation)
            self._filter.start(centre, deviation, parameters.width, parameters.width_deviation)
        else:
            return False
        self._lines.clear()
        self._sight = 0.0
        self._started = True
        return True

    @staticmethod
    def _offset_at(coefficients: np.ndarray, x: float) -> float:
        c0, c1, c2, c3 = coefficients.tolist()
        return c0 + x * (c1 + x * (c2 + x * c3))

    def _cross(self) -> None:
        """When the rear axle's centre is over a mark, the ego lane becomes the one beyond."""
        offset, width = float(self._filter.state[OFFSET]), float(self._filter.state[WIDTH])
        over = -offset * math.cos(float(self._filter.state[HEADING]))  # the car, left of the lane's centre
        if abs(over) <= 0.5 * width + self._parameters.crossing_margin:
            return
        step = 1 if over > 0.0 else -1
        inner, outer = (LEFT, LEFT + 1) if step > 0 else (RIGHT, RIGHT - 1)
        if self._lines.kind(inner) == MarkKind.ROAD_EDGE:
            return  # off the road there is no lane
        beyond = width
        if self._lines.seen(outer):
            beyond = step * self._lines.offset[outer] - 0.5 * width
        elif self._lines.kind(inner) == MarkKind.SOLID:
            return  # behind a solid line, with no other beyond it, is the shoulder
        if not self._parameters.narrowest <= beyond <= self._parameters.widest:
            return
        shift = step * 0.5 * (width + beyond)
        self._filter.shift(shift, beyond, self._parameters.width_deviation)
        self._lines.shift(step, shift)

    def lanes(self) -> Lanes:
        """The lanes as planning sees them, at the newest ego state."""
        if not self._started:
            return no_lanes("no lane mark seen yet")
        lanes = self._lines.lanes(float(self._filter.state[WIDTH]))
        ego_lane = next(index for index, lane in enumerate(lanes) if lane[3] == RIGHT)
        reason = self._doubt(lanes[ego_lane][2])
        # Beyond what was seen the curvature stays what it is at the end of sight; behind the car it is prolonged backwards.
        curvature = self._filter.curvature_at(np.minimum(self._station, max(self._sight, 0.0)))
        offset, askew = float(self._filter.state[OFFSET]), float(self._filter.state[HEADING])
        point, heading = _line(offset, askew, curvature, self._station, self._at_car)
        return Lanes(
            valid=not reason,
            reason=reason,
            ego_lane=ego_lane,
            sight=min(max(self._sight, 0.0), self._parameters.ahead),
            speed_limit=0.0,
            point=point,
            station=self._station,
            heading=heading,
            curvature=curvature,
            offset=np.array([lane[0] for lane in lanes]),
            width=np.array([lane[1] for lane in lanes]),
            confidence=np.array([lane[2] for lane in lanes]),
            left_mark=np.array([self._lines.kind(lane[4]) for lane in lanes], np.uint8),
            right_mark=np.array([self._lines.kind(lane[3]) for lane in lanes], np.uint8),
        )

    def _doubt(self, confidence: float) -> str:
        """Why the lanes cannot be used; empty where they can. A model that is lost altogether starts anew."""
        speed = 0.0 if self._placed is None else max(self._placed.speed, 0.0)
        deviation = self._filter.deviation_at(speed * self._parameters.valid_time)
        if confidence <= 0.0 and not any(self._lines.seen(slot) for slot in range(SLOTS)):
            self._started = False
            return "no lane mark seen for too long"
        if confidence < self._parameters.valid_confidence:
            return f"lane marks not seen for long, confidence {confidence:.2f}"
        if deviation > self._parameters.valid_deviation:
            return f"lane centre known to {deviation:.2f} m only"
        return ""


@compiled
def _line(
    offset: float, askew: float, curvature: np.ndarray, station: np.ndarray, at_car: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 2) and heading (P,) of a line, by integration of its curvature; at the car `askew` and `offset` along y."""
    count = len(station)
    point, heading = np.zeros((count, 2)), np.zeros(count)
    for index in range(1, count):
        step = station[index] - station[index - 1]
        heading[index] = heading[index - 1] + 0.5 * step * (curvature[index] + curvature[index - 1])
    turned = askew - heading[at_car]
    heading[0] += turned
    for index in range(1, count):
        heading[index] += turned
        # Chord between neighbours along the mean heading; exact to third order in the step.
        middle, step = 0.5 * (heading[index] + heading[index - 1]), station[index] - station[index - 1]
        point[index, 0] = point[index - 1, 0] + step * math.cos(middle)
        point[index, 1] = point[index - 1, 1] + step * math.sin(middle)
    foot = offset * math.cos(askew)  # distance of the line from the car
    x, y = point[at_car, 0] + foot * math.sin(askew), point[at_car, 1] - foot * math.cos(askew)
    for index in range(count):
        point[index, 0] -= x
        point[index, 1] -= y
    return point, heading


def no_lanes(reason: str) -> Lanes:
    """Lanes that say nothing, and why."""
    return Lanes(valid=False, reason=reason, ego_lane=0, sight=0.0, speed_limit=0.0, **empty_arrays(Lanes))
