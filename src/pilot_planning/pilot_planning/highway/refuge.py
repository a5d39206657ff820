"""Where a minimum-risk manoeuvre ends: on the hard shoulder where there is one and it is free, else in the lane."""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.types import Side
from pilot_common.vehicle import Capability, Vehicle
from pilot_planning.highway.gaps import Scene
from pilot_planning.highway.lane_change import Wish
from pilot_planning.highway.parameters import RefugeParameters
from pilot_planning.highway.route import Way


@dataclass(frozen=True, slots=True)
class Haven:
    """Offset to go to (None: the lane) and the time left for it, the deceleration meanwhile, and the lane change on the way.

    `looking`: the car may still move sideways.
    """

    offset: float | None
    seconds: float
    deceleration: float
    wish: Wish | None
    looking: bool


class Refuge:
    """Remembers since when a refuge is looked for, and when the car began to move onto the shoulder."""

    def __init__(self, vehicle: Vehicle, parameters: RefugeParameters) -> None:
        self._p = parameters
        dimensions = vehicle.facts.dimensions
        self._width = dimensions.width
        self._front, self._length = dimensions.rear_axle_to_front, dimensions.length
        self._hardest = vehicle.facts.limits.minimum_risk_deceleration
        self._changes_lanes = Capability.NAVIGATION in vehicle.facts.capabilities
        self.reset()

    def reset(self) -> None:
        """Nothing is looked for."""
        self._since = math.inf
        self._moved_at: float | None = None

    def update(self, scene: Scene, way: Way) -> Haven:
        """One cycle of a minimum-risk manoeuvre: gentle braking while a refuge can still be reached, then to a stop."""
        p = self._p
        self._since = min(self._since, scene.stamp)
        if self._moved_at is not None:
            return self._move(scene, way, self._moved_at)
        late = scene.stamp - self._since > p.time or scene.speed < p.slowest
        known = way.right is not None and way.shoulder >= self._width + p.margin
        if late or not known or not self._changes_lanes:
            return Haven(None, 0.0, self._hardest, None, False)
        if way.right:
            wish = Wish(Side.RIGHT, "to_shoulder", must=True)
            return Haven(None, 0.0, p.deceleration, wish, True)
        if self._free(scene, _centre(scene, way), way.shoulder):
            self._moved_at = scene.stamp
            return self._move(scene, way, scene.stamp)
        return Haven(None, 0.0, p.deceleration, None, True)

    def _move(self, scene: Scene, way: Way, moved_at: float) -> Haven:
        """Onto the shoulder. The movement shall be over before the car stands: of v / time not more is braked meanwhile."""
        centre, left = _centre(scene, way), moved_at + self._p.movement_time - scene.stamp
        there = abs(scene.road.ego_offset - centre) < 0.5 * (way.shoulder - self._width)
        gentle = max(self._p.deceleration, min(self._hardest, scene.speed / self._p.movement_time))
        return Haven(centre, max(left, 1.0), self._hardest if there else gentle, None, True)

    def _free(self, scene: Scene, centre: float, width: float) -> bool:
        """Nobody on the shoulder from behind the car to where it would stand."""
        traffic = scene.traffic
        if not len(traffic.identity):
            return True
        stop = 0.5 * scene.speed * scene.speed / self._p.deceleration + self._p.room
        along = traffic.station - scene.road.ego_station - self._front
        there = np.abs(traffic.offset - centre) < 0.5 * width + traffic.half_width - 0.2
        near = (along - traffic.half_length < stop) & (
            along + traffic.half_length > -self._length - self._p.room
        )
        return not bool((there & near).any())


def _centre(scene: Scene, way: Way) -> float:
    """Offset of the middle of the shoulder, beside the lane that the path leads to."""
    road, own = scene.road, scene.own_lane
    return float(road.offset[own]) - 0.5 * (float(road.width[own]) + way.shoulder)
