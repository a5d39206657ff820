"""Gaps between the others in a lane: whether the car may move into the one beside it, and which one it can reach best.

Everything is judged at once for all gaps and times. Distances are along the road, from bumper to bumper.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.regulation import REAR_TIME_GAP, rear_distance
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.parameters import LaneChangeParameters
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

ON_THE_MARK = 0.2  # m that a neighbour may stand over the mark without being in the lane
TIMES = np.arange(0.5, 12.5, 0.5)  # s, at which a gap may be reached
FAR = 1e4  # m
BEYOND = 5.0  # cost of a (m/s²)² beyond comfort
HARDEST = 0.7  # m/s² beyond comfort: what takes more is out of reach
ENTRY = 0.4  # share of the movement that is over when the car comes over the mark


@dataclass(frozen=True, slots=True)
class Scene:
    """What a lane change looks at this cycle. `own_lane` indexes the lane that the path leads to now."""

    stamp: float
    speed: float
    road: Road
    traffic: Traffic
    own_lane: int
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Who stands against moving into a lane now."""

    identity: int
    words: str


@dataclass(frozen=True, slots=True)
class Space:
    """Time gaps (s) to leave to the one ahead and to the one behind, and to the one ahead in the lane that is left when the
    movement begins; `ease` (m/s²) opens the one ahead at the beginning.
    """

    ahead: float
    behind: float = REAR_TIME_GAP
    ease: float = 0.0
    left: float = 1.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap that can be reached in `time` with an acceleration that goes linearly from `first` to `last`."""

    front: int  # identity of the road user ahead of it, 0: none
    rear: int
    time: float
    first: float
    last: float

    def same(self, other: "Gap") -> bool:
        """Whether two are one, though a neighbour may have got another identity or left."""
        return (self.front, self.rear) == (other.front, other.rear) or bool(
            (self.front and self.front == other.front) or (self.rear and self.rear == other.rear)
        )


class Gaps:
    """The rules of a car."""

    def __init__(self, vehicle: Vehicle, parameters: LaneChangeParameters) -> None:
        self._p = parameters
        dimensions = vehicle.facts.dimensions
        self._front = dimensions.rear_axle_to_front
        self._back = dimensions.rear_axle_to_front - dimensions.length
        self._half_width = 0.5 * dimensions.width
        self.usual = Space(parameters.front_time_gap)

    def inside(self, scene: Scene, lane: int, soon: float | None = None) -> np.ndarray:
        """Rows of the others in a lane, or on their way into it within `soon` (s); else half the time of a movement."""
        traffic, p = scene.traffic, self._p
        centre, half = float(scene.road.offset[lane]), 0.5 * float(scene.road.width[lane])
        return _inside(
            traffic.offset,
            traffic.offset_rate,
            traffic.rate_deviation,
            traffic.half_width,
            centre,
            half,
            self._lean_line(half),
            1.0 if centre >= scene.road.ego_offset else -1.0,
            0.5 * p.duration if soon is None else soon,
        )

    def _beyond(self, scene: Scene, lane: int) -> np.ndarray:
        """Offsets (N,) of the others from a lane's middle, positive on the side away from the car."""
        centre = float(scene.road.offset[lane])
        return (scene.traffic.offset - centre) * (1.0 if centre >= scene.road.ego_offset else -1.0)

    def _lean_line(self, half: float) -> float:
        """How far beyond the middle somebody's near side must be for the car to have room beside him in the lane; no farther out
        than the mark.
        """
        room = half - self._half_width - self._p.lean_margin
        return min(self._half_width + self._p.lean_least - max(room, 0.0), half - ON_THE_MARK)

    def lean(self, scene: Scene, lane: int) -> float:
        """Offset from a lane's middle that keeps clear of those beside the car, soon or now, who stand over its far mark."""
        traffic, p = scene.traffic, self._p
        half, beyond = 0.5 * float(scene.road.width[lane]), self._beyond(scene, lane)
        near_side = beyond - traffic.half_width
        ahead, behind, speed = self._distances(scene, np.arange(len(beyond)))
        nearing = (
            np.maximum(np.where(ahead > 0.0, scene.speed - speed, speed - scene.speed), 0.0) * p.lean_reach
        )
        beside = np.maximum(ahead, behind) < nearing + p.beside_margin
        over = traffic.proven & beside & (near_side < half) & (near_side >= self._lean_line(half))
        if not over.any():
            return 0.0
        lacks = float((self._half_width + p.lean_clearance - near_side[over]).max())
        most = max(half - self._half_width - p.lean_margin, 0.0)
        return -math.copysign(
            min(max(lacks, 0.0), most), float(scene.road.offset[lane]) - scene.road.ego_offset
        )

    def conflict(
        self,
        scene: Scene,
        lane: int,
        space: Space | None = None,
        after: float = 0.0,
        soon: float | None = None,
    ) -> Conflict | None:
        """The first road user that leaves no room in a lane, now or `after` a time at present speeds; None where it is free.
        Who comes over into it within `soon` counts, see `inside`.

        UN R79 asks for a time gap of 1 s behind: with no `space` given it is that, and the usual one ahead.
        """
        space = space or self.usual
        rows = self.inside(scene, lane, soon)
        if not len(rows):
            return None
        ahead, behind, speed = self._distances(scene, rows, after)
        beside = (ahead <= self._p.beside_margin) & (behind <= self._p.beside_margin)
        room_behind = self._room_behind(scene.speed, speed, space)
        room_ahead = self._room_ahead(scene.speed, speed, space)
        bad = beside | ((ahead > 0.0) & (ahead < room_ahead)) | ((behind > 0.0) & (behind < room_behind))
        if not bad.any():
            return None
        first = int(np.flatnonzero(bad)[0])
        identity, other = int(scene.traffic.identity[rows[first]]), float(speed[first])
        words = "is beside the car"
        if behind[first] > self._p.beside_margin:
            words = f"{behind[first]:.0f} m behind at {other:.1f} m/s, {room_behind[first]:.0f} m needed"
        elif ahead[first] > self._p.beside_margin:
            words = f"{ahead[first]:.0f} m ahead at {other:.1f} m/s, {room_ahead[first]:.0f} m needed"
        return Conflict(identity, f"track {identity} {words}")

    def shielded(self, scene: Scene, lane: int) -> bool:
        """Whether somebody seen behind in a lane, hardly faster than the car, keeps faster ones from it: UN R79 allows a change
        below its lowest speed then (5.6.4.8, from memory).
        """
        if not 0 <= lane < len(scene.road.offset):
            return False
        rows = self.inside(scene, lane)
        _, behind, speed = self._distances(scene, rows)
        return bool(((behind > 0.0) & (speed < scene.speed + self._p.shield_speed)).any())

    def braking_behind(self, scene: Scene, lane: int) -> float:
        """Deceleration that the next one behind in a lane would need to keep its distance, were the car there now."""
        rows = self.inside(scene, lane)
        if not len(rows):
            return 0.0
        _, behind, speed = self._distances(scene, rows)
        closing = np.maximum(speed - scene.speed, 0.0)
        room = np.maximum(behind - self._p.rear_courtesy * scene.speed, 1.0)
        return float((0.5 * closing * closing / room * (behind > 0.0)).max())

    def best(
        self,
        scene: Scene,
        lane: int,
        wish: float,
        way: float,
        acceleration: float,
        space: Space,
        chosen: Gap | None = None,
    ) -> Gap | None:
        """The gap that is reached soonest with the least effort, best within `way`; None where there is none.

        For every gap and time the car may be anywhere between the distances that both neighbours ask for, at the gap's
        speed, and behind the one ahead in its own lane. It gets there with the acceleration a₀ + (a₁ − a₀) t / T that meets
        place and speed; the effort is its mean square. A gap that is a little short is worth going to as well, at a price:
        gaps breathe, and beside a car there is none. The `chosen` one is kept unless another one is clearly better.
        """
        p, rows = self._p, self.inside(scene, lane)
        rows = rows[np.argsort(-scene.traffic.station[rows], kind="stable")]
        ahead, behind, speed = self._distances(scene, rows)
        identity = np.concatenate(((0,), scene.traffic.identity[rows], (0,)))
        front = np.concatenate(((FAR,), ahead))[:, None]
        front_speed = np.concatenate(((wish,), speed))[:, None]
        rear = np.concatenate((behind, (FAR,)))[:, None]
        rear_speed = np.concatenate((speed, (0.0,)))[:, None]
        end_speed = np.minimum(front_speed, wish)
        time = TIMES[None, :]
        most = front + front_speed * time - self._room_ahead(end_speed, front_speed, space)
        most = np.minimum(most, self._behind_own(scene, end_speed, time, space))
        least = self._room_behind(end_speed, rear_speed, space) - rear + rear_speed * time
        spare = most - least
        inset = np.clip(0.5 * spare, 0.0, p.gap_inset)
        easy = 0.5 * (scene.speed + end_speed) * time
        middle = 0.5 * (most + least)
        travelled = np.where(spare > 0.0, np.clip(easy, least + inset, most - inset), middle)
        first = 6.0 * travelled / time**2 - (4.0 * scene.speed + 2.0 * end_speed) / time
        last = -6.0 * travelled / time**2 + (2.0 * scene.speed + 4.0 * end_speed) / time
        hard = np.maximum(-np.minimum(first, last) - p.gap_deceleration, 0.0)
        hard += np.maximum(np.maximum(first, last) - acceleration, 0.0)
        fits = (spare > -p.gap_shortage) & (hard < HARDEST)
        if not fits.any():
            return None
        late = np.maximum(travelled + end_speed * p.shortest - way, 0.0) / np.maximum(end_speed, 5.0)
        cost = BEYOND * hard * hard + late
        cost += (first * first + first * last + last * last) / 3.0 + p.gap_patience * time
        cost += p.gap_shortage_cost * np.maximum(-spare, 0.0)
        gaps = [Gap(int(identity[k]), int(identity[k + 1]), 0.0, 0.0, 0.0) for k in range(len(front))]
        if chosen is not None:
            cost += p.gap_hysteresis * np.array([[not chosen.same(gap)] for gap in gaps])
        k, t = divmod(int(np.where(fits, cost, np.inf).argmin()), len(TIMES))
        low, high = -p.gap_deceleration, acceleration
        begin, end = float(first[k, t]), float(last[k, t])
        return replace(
            gaps[k],
            time=float(TIMES[t]),
            first=max(low, min(high, begin)),
            last=max(low, min(high, end)),
        )

    def _behind_own(self, scene: Scene, speed: np.ndarray, time: np.ndarray, space: Space) -> np.ndarray:
        """Way that the car may make in its own lane until it begins to leave it at a speed, by gaps and times."""
        ahead, _, other = self._distances(scene, self.inside(scene, scene.own_lane))
        if not (ahead > 0.0).any():
            return np.full((len(speed), len(time[0])), FAR)
        row = int(np.where(ahead > 0.0, ahead, np.inf).argmin())
        closing = np.maximum(speed - other[row], 0.0) * ENTRY * self._p.shortest
        return float(ahead[row]) + float(other[row]) * time - space.left * speed - closing

    def _distances(
        self, scene: Scene, rows: np.ndarray, after: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Free distance ahead of and behind the car (negative on the other side) after a time, and speed."""
        traffic, speed = scene.traffic, scene.traffic.speed[rows]
        station = traffic.station[rows] - scene.road.ego_station + after * (speed - scene.speed)
        half = traffic.half_length[rows]
        return station - half - self._front, self._back - (station + half), speed

    def _room_behind(self, speed: Any, rear_speed: np.ndarray, space: Space) -> np.ndarray:
        """Distance to the one behind when the movement begins: that of UN R79, or, with less than its time gap, what will be
        left when the car comes over the mark, while it draws away from him.
        """
        opening = np.maximum(speed - rear_speed, 0.0) * ENTRY * self._p.shortest
        room = rear_distance(speed, rear_speed, space.behind)
        return room - opening * (space.behind < REAR_TIME_GAP)

    def _room_ahead(self, speed: Any, front_speed: np.ndarray, space: Space) -> np.ndarray:
        """Distance to the one ahead when the movement begins. It counts what it is when the car comes over the mark: one
        that draws away has left by then, and behind him the car falls back at ease, where the change must be.
        """
        closing = np.maximum(speed - front_speed, 0.0)
        entry = ENTRY * self._p.shortest
        opening = np.maximum(front_speed - speed, 0.0) * entry + 0.5 * space.ease * entry * entry
        room = np.maximum(space.ahead * speed - opening, self._p.beside_margin)
        return room + closing * closing / (2.0 * self._p.front_deceleration)


@compiled
def _inside(
    offset: np.ndarray,
    offset_rate: np.ndarray,
    rate_deviation: np.ndarray,
    half_width: np.ndarray,
    centre: float,
    half_lane: float,
    lean_line: float,
    away: float,
    time: float,
) -> np.ndarray:
    """Rows of those who are in a lane, or would be after a time. On the side `away` from the car (1: left) they may come as far
    in as the lean line.
    """
    rows, count = np.empty(len(offset), np.int64), 0
    for row in range(len(offset)):
        aside = abs(offset[row] - centre)
        # Only a motion beyond the noise is one: the next lane's car would fill two lanes else.
        sure = math.copysign(max(abs(offset_rate[row]) - rate_deviation[row], 0.0), offset_rate[row])
        nearest = min(aside, abs(offset[row] + sure * time - centre))
        line = lean_line if away * (offset[row] - centre) > 0.0 else half_lane - ON_THE_MARK
        if nearest < line + half_width[row] and aside < 3.0 * half_lane:
            rows[count] = row  # no farther than one lane beyond
            count += 1
    return rows[:count]
