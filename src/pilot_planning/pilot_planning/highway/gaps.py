"""Gaps between the others in a lane: whether the car may move into the one beside it, and which one it can reach best.

Everything is judged at once for all gaps and times. Distances are along the road, from bumper to bumper.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot_common.regulation import REAR_TIME_GAP, rear_distance
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.parameters import LaneChangeParameters
from pilot_planning.highway.road import Road
from pilot_planning.highway.traffic import Traffic

ON_THE_MARK = 0.2  # m that a neighbour may stand over the mark without being in the lane
TIMES = np.arange(1.5, 13.0, 1.5)  # s, at which a gap may be reached
FAR = 1e4  # m


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
class Gap:
    """A gap that can be reached in `time` with an acceleration that goes linearly from `first` to `last`."""

    front: int  # identity of the road user ahead of it, 0: none
    rear: int
    time: float
    first: float
    last: float


class Gaps:
    """The rules of a car."""

    def __init__(self, vehicle: Vehicle, parameters: LaneChangeParameters) -> None:
        self._p = parameters
        dimensions = vehicle.facts.dimensions
        self._front = dimensions.rear_axle_to_front
        self._back = dimensions.rear_axle_to_front - dimensions.length

    def inside(self, scene: Scene, lane: int) -> np.ndarray:
        """Rows of the others in a lane, or on their way into it while the car would move."""
        traffic, p = scene.traffic, self._p
        centre, half = float(scene.road.offset[lane]), 0.5 * float(scene.road.width[lane])
        aside = np.abs(traffic.offset - centre)
        then = np.abs(traffic.offset + traffic.offset_rate * (0.5 * p.duration) - centre)
        found = np.minimum(aside, then) < half + traffic.half_width - ON_THE_MARK
        return np.flatnonzero(found & (aside < 3.0 * half))  # no farther than one lane beyond

    def conflict(
        self,
        scene: Scene,
        lane: int,
        time_gap: float = REAR_TIME_GAP,
        after: float = 0.0,
        share: float = 1.0,
    ) -> Conflict | None:
        """The first road user that leaves no room in a lane, now or `after` a time at present speeds; None where it is free.

        UN R79 asks for a time gap of 1 s behind. `share` of the room ahead suffices.
        """
        rows = self.inside(scene, lane)
        if not len(rows):
            return None
        ahead, behind, speed = self._distances(scene, rows, after)
        beside = (ahead <= self._p.beside_margin) & (behind <= self._p.beside_margin)
        room_behind = rear_distance(scene.speed, speed, time_gap)
        room_ahead = share * self._room_ahead(scene.speed, speed)
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
        self, scene: Scene, lane: int, wish: float, way: float, acceleration: float, time_gap: float
    ) -> Gap | None:
        """The gap of a lane that is reached with the least effort within `way`; None where none can be reached in comfort.

        For every gap and time the car may be anywhere between the distances that both neighbours ask for, at the gap's speed. It
        gets there with the acceleration a₀ + (a₁ − a₀) t / T that meets place and speed; the effort is its mean square.
        """
        p, rows = self._p, self.inside(scene, lane)
        rows = rows[np.argsort(-scene.traffic.station[rows], kind="stable")]
        ahead, behind, speed = self._distances(scene, rows)
        identity = scene.traffic.identity[rows]
        front = np.concatenate(((FAR,), ahead))[:, None]
        front_speed = np.concatenate(((wish,), speed))[:, None]
        rear = np.concatenate((behind, (FAR,)))[:, None]
        rear_speed = np.concatenate((speed, (0.0,)))[:, None]
        end_speed = np.minimum(front_speed, wish)
        time = TIMES[None, :]
        most = front + front_speed * time - self._room_ahead(end_speed, front_speed)
        least = rear_distance(end_speed, rear_speed, time_gap) - rear + rear_speed * time
        easy = 0.5 * (scene.speed + end_speed) * time
        travelled = np.minimum(np.maximum(easy, least), most)
        first = 6.0 * travelled / time**2 - (4.0 * scene.speed + 2.0 * end_speed) / time
        last = -6.0 * travelled / time**2 + (2.0 * scene.speed + 4.0 * end_speed) / time
        fits = (least <= most) & (travelled + end_speed * p.duration < way)
        fits &= (np.minimum(first, last) > -p.gap_deceleration) & (np.maximum(first, last) < acceleration)
        if not fits.any():
            return None
        effort = (first * first + first * last + last * last) / 3.0 + p.gap_patience * time
        k, t = divmod(int(np.where(fits, effort, np.inf).argmin()), len(TIMES))
        return Gap(
            int(identity[k - 1]) if k > 0 else 0,
            int(identity[k]) if k < len(identity) else 0,
            float(TIMES[t]),
            float(first[k, t]),
            float(last[k, t]),
        )

    def _distances(
        self, scene: Scene, rows: np.ndarray, after: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Free distance ahead of and behind the car (negative on the other side) after a time, and speed."""
        traffic, speed = scene.traffic, scene.traffic.speed[rows]
        station = traffic.station[rows] - scene.road.ego_station + after * (speed - scene.speed)
        half = traffic.half_length[rows]
        return station - half - self._front, self._back - (station + half), speed

    def _room_ahead(self, speed: Any, front_speed: np.ndarray) -> np.ndarray:
        closing = np.maximum(speed - front_speed, 0.0)
        return self._p.front_time_gap * speed + closing * closing / (2.0 * self._p.front_deceleration)
