"""What lanes and others in them ask of the speed: a lane that ends, a lower limit, who comes over, who leads the next lane."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.types import ObjectClass, Route
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.adaptation import ApproachLaw
from pilot_planning.highway.following import FollowLaw
from pilot_planning.highway.gaps import FAR, Scene
from pilot_planning.highway.lane_change import LaneChange, Phase, step_to
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.motion import LeadMotion
from pilot_planning.highway.parameters import PlanningParameters
from pilot_planning.highway.relevance import WORDS
from pilot_planning.highway.route import Way
from pilot_planning.highway.sentences import NOBODY, Both, road_user

PASSING = attrgetter("slow_speed", "passing_slow", "passing")
PEDESTRIAN = int(ObjectClass.PEDESTRIAN)


@dataclass(frozen=True, slots=True)
class Advice:
    """A law that the lanes ask for, with what fills its sentence."""

    name: str
    law: Law
    values: tuple[float, ...] = ()
    identity: int = 0
    who: Both = NOBODY


@dataclass(frozen=True, slots=True)
class Desire:
    """What the driver wants: speed (limits regarded) and time gap."""

    speed: float
    time_gap: float


class Adviser:
    """The rules of a car and its market."""

    def __init__(self, vehicle: Vehicle, parameters: PlanningParameters) -> None:
        self._p, self._own = parameters.behaviour, parameters
        self.market = PASSING(self._p.market(vehicle.facts.market))
        self._front = vehicle.facts.dimensions.rear_axle_to_front

    def advise(
        self, scene: Scene, route: Route | None, way: Way, desire: Desire, change: LaneChange, aims: bool
    ) -> Iterator[Advice]:
        """All laws of a cycle. `aims`: the car is on its way to a gap, whoever is beside it now."""
        yield from self._limits_ahead(scene, route)
        yield from self._lane_end(scene, way)
        yield from self._give_way(scene, way)
        yield from self._keep_behind_left(scene, way, desire)
        if not aims:
            yield from self._behind_next(scene, change)

    def _lane_end(self, scene: Scene, way: Way) -> Iterator[Advice]:
        """Stops before the end of the own lane."""
        own = scene.own_lane
        if way.short(own) and way.ends[own] and way.distance[own] < FAR:
            distance = float(way.distance[own]) - self._front - self._p.end_margin
            law = ApproachLaw(distance, 0.0, 0.0, self._p.end_deceleration, self._p.approach_gain)
            yield Advice("lane_end", law, (float(way.distance[own]),))

    def _limits_ahead(self, scene: Scene, route: Route | None) -> Iterator[Advice]:
        """Reaches a lower limit where it begins."""
        if route is None or not route.valid:
            return
        driven = scene.speed * max(0.0, scene.stamp - route.stamp)
        for distance, limit in zip(
            (route.limit_distance - driven).tolist(), route.limit_speed.tolist(), strict=True
        ):
            if distance > 0.0 and limit > 0.0:
                yield Advice(
                    "limit_ahead",
                    ApproachLaw(distance, limit, 0.0, self._own.speed.deceleration, self._p.approach_gain),
                    (limit, distance),
                )

    def _give_way(self, scene: Scene, way: Way) -> Iterator[Advice]:
        """Opens a gap, gently, for the next one ahead in a lane beside that ends."""
        traffic, p = scene.traffic, self._p
        for lane in (scene.own_lane - 1, scene.own_lane + 1):
            if not (0 <= lane < len(way.ends) and way.ends[lane] and 0.0 < way.distance[lane] < FAR):
                continue
            aside = np.abs(traffic.offset - float(scene.road.offset[lane])) < 0.5 * float(
                scene.road.width[lane]
            )
            station = traffic.station - scene.road.ego_station
            gap = station - traffic.half_length - self._front
            near = aside & (gap > 0.0) & (gap < p.give_way_time * scene.speed)
            near &= (traffic.speed > p.give_way_speed * scene.speed) & (station < way.distance[lane])
            if near.any():
                row = int(np.where(near, gap, np.inf).argmin())
                lead = LeadMotion(float(gap[row]), float(traffic.speed[row]), 0.0, 1.0)
                law = FollowLaw(
                    lead, self._own.lane_change.front_time_gap, p.give_way_deceleration, self._own.follow
                )
                yield self._about(scene, row, float(gap[row]), "give_way", law, (float(way.distance[lane]),))

    def _behind_next(self, scene: Scene, change: LaneChange) -> Iterator[Advice]:
        """Does not run up to the one ahead in the lane that the car is about to move to."""
        lane = scene.own_lane + step_to(change.side)
        if change.phase is not Phase.WAITING or not 0 <= lane < len(scene.road.offset):
            return
        rows = change.gaps.inside(scene, lane)
        traffic, p = scene.traffic, self._own.lane_change
        rows = rows[traffic.proven[rows]]
        gap = traffic.station[rows] - scene.road.ego_station - traffic.half_length[rows] - self._front
        if not (gap > 0.0).any():
            return
        row = int(rows[np.where(gap > 0.0, gap, np.inf).argmin()])
        near = float(gap[gap > 0.0].min())
        lead = LeadMotion(near, float(traffic.speed[row]), 0.0, 1.0)
        law = FollowLaw(lead, p.front_time_gap, p.gap_deceleration, self._own.follow)
        yield self._about(scene, row, near, "next_lane", law, ())

    def _keep_behind_left(self, scene: Scene, way: Way, desire: Desire) -> Iterator[Advice]:
        """Passes nobody on the right faster than the market allows."""
        left = scene.own_lane + 1
        if left >= len(scene.road.offset) or (way.short(scene.own_lane) and way.ends[scene.own_lane]):
            return
        traffic = scene.traffic
        row = _next_to_pass(
            traffic.class_id,
            traffic.station,
            traffic.offset,
            traffic.half_length,
            traffic.speed,
            traffic.proven,
            traffic.sideways,
            scene.road.ego_station + self._front,
            float(scene.road.offset[left]),
            0.5 * float(scene.road.width[left]),
            desire.speed,
            self.market,
        )
        if row < 0:
            return
        station, speed = float(traffic.station[row]), float(traffic.speed[row])
        gap = station - scene.road.ego_station - float(traffic.half_length[row]) - self._front
        allowed = passing_speed(speed, self.market)
        law = ApproachLaw(gap, allowed, speed, self._own.speed.deceleration, self._p.approach_gain)
        yield self._about(scene, row, gap, "pass_right", law, (allowed,))

    def _about(
        self, scene: Scene, row: int, gap: float, name: str, law: Law, values: tuple[float, ...]
    ) -> Advice:
        traffic = scene.traffic
        identity, word = int(traffic.identity[row]), WORDS[ObjectClass(int(traffic.class_id[row]))]
        return Advice(name, law, values, identity, road_user(identity, word, gap, float(traffic.speed[row])))


@compiled
def passing_speed(speed: float, market: tuple[float, float, float]) -> float:
    """Highest speed at which somebody in the lane to the left may be passed."""
    slow_speed, passing_slow, passing = market
    return speed + (passing_slow if speed < slow_speed else passing)


@compiled
def _next_to_pass(
    class_id: np.ndarray,
    station: np.ndarray,
    offset: np.ndarray,
    half_length: np.ndarray,
    speed: np.ndarray,
    proven: np.ndarray,
    sideways: np.ndarray,
    front: float,
    centre: float,
    half_lane: float,
    wished: float,
    market: tuple[float, float, float],
) -> int:
    """Row of the one in a lane who is reached first and must not be passed at the speed wished; −1 for none."""
    found, soonest = -1, math.inf
    for row in range(len(station)):
        gap = station[row] - half_length[row] - front
        drives = proven[row] and class_id[row] != PEDESTRIAN and not sideways[row]
        near = abs(offset[row] - centre) < half_lane and gap > 0.0
        reached = gap + 2.0 * speed[row]
        slower = drives and passing_speed(speed[row], market) < wished
        if near and slower and reached < soonest:
            found, soonest = row, reached
    return found
