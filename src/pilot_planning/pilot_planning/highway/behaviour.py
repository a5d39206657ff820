"""Which lane to be in, and how to adapt speed to what the lanes ask: route, ends of lanes, others that have to come over.

Lanes are compared by the way the car would get ahead in each within a horizon, all others and times at once; the route and the
market's rule to keep right weigh in as seconds. What comes out is a wish for `lane_change.py` and laws for the acceleration.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pilot_common.regulation import REAR_TIME_GAP
from pilot_common.types import ObjectClass, Route, Side
from pilot_common.vehicle import Capability, Vehicle
from pilot_planning.highway.adaptation import AlignLaw, ApproachLaw
from pilot_planning.highway.following import FollowLaw, wanted_gap
from pilot_planning.highway.gaps import FAR, Scene
from pilot_planning.highway.lane_change import LaneChange, Phase, Wish, step_to
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.motion import LeadMotion
from pilot_planning.highway.parameters import PlanningParameters
from pilot_planning.highway.refuge import Haven
from pilot_planning.highway.relevance import WORDS
from pilot_planning.highway.route import Way, see_way
from pilot_planning.highway.sentences import NOBODY, Both, road_user

SIDES = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True, slots=True)
class Advice:
    """A law that the lanes ask for, with what fills its sentence."""

    name: str
    law: Law
    values: tuple[float, ...] = ()
    identity: int = 0
    who: Both = NOBODY


@dataclass(frozen=True, slots=True)
class Choice:
    """What the car would do by itself: a lane change or none, and laws; the `haven` of a minimum-risk manoeuvre."""

    wish: Wish | None
    advice: tuple[Advice, ...]
    way: Way
    haven: Haven | None = None


@dataclass(frozen=True, slots=True)
class Desire:
    """What the driver wants: speed (limits regarded) and time gap."""

    speed: float
    time_gap: float


class Behaviour:
    """Remembers since when a lane has been worth a change, and where in the route's lanes the car is."""

    def __init__(self, vehicle: Vehicle, parameters: PlanningParameters) -> None:
        self._p, self._own = parameters.behaviour, parameters
        self._chooses = Capability.NAVIGATION in vehicle.facts.capabilities
        self._market = self._p.market(vehicle.facts.market)
        self._front = vehicle.facts.dimensions.rear_axle_to_front
        self._limits = vehicle.facts.limits
        self._times = np.linspace(0.0, self._p.horizon, 9)[1:]
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self._right: int | None = None
        self._worth_since = dict.fromkeys(SIDES, math.inf)

    def update(
        self, scene: Scene, route: Route | None, desire: Desire, change: LaneChange, allowed: bool
    ) -> Choice:
        """One cycle; a wish only where the car may choose lanes by itself and the system drives (`allowed`)."""
        way = see_way(scene.road, route, scene.own_lane, self._right, scene.stamp, scene.speed)
        self._right = way.right
        advice = [*self._limits_ahead(scene, route), *self._lane_end(scene, way), *self._give_way(scene, way)]
        advice += [*self._keep_behind_left(scene, way, desire), *self._behind_next(scene, change)]
        wish = None
        if allowed and change.phase in (Phase.NONE, Phase.WAITING):
            wish, to_gap = self._route_wish(scene, way, desire, change)
            advice += to_gap
            if wish is None and not way.short(scene.own_lane):
                wish = self._free_wish(scene, way, desire, change)
                if wish is not None and self._chooses and change.phase is Phase.WAITING:
                    advice += self._align(scene, desire, change, FAR, REAR_TIME_GAP, wish.side)
        return Choice(wish if self._chooses else None, tuple(advice), way)

    def changed(self, step: int) -> None:
        """The path now leads to a lane `step` to the left."""
        if self._right is not None:
            self._right += step
        self._worth_since = dict.fromkeys(SIDES, math.inf)

    # What the route asks for

    def _route_wish(
        self, scene: Scene, way: Way, desire: Desire, change: LaneChange
    ) -> tuple[Wish | None, list[Advice]]:
        """The change that the route or the end of the lane asks for, and the law that brings the car to its gap."""
        own, p = scene.own_lane, self._p
        changes = int(way.changes[own])
        if changes == 0:
            return None, []
        side = Side.LEFT if changes > 0 else Side.RIGHT
        target, time_each = (
            own + step_to(side),
            float(way.distance[own]) / max(scene.speed, 5.0) / abs(changes),
        )
        if time_each > p.route_time or change.never(side, scene):
            return None, []
        ends = bool(way.ends[own])
        cause, values = "leave_lane" if ends else "follow_route", (float(way.distance[own]),)
        must = time_each < p.must_time
        urgent = must and ends
        time_gap = self._own.lane_change.urgent_time_gap if urgent else REAR_TIME_GAP
        conflict = change.gaps.conflict(scene, target, time_gap)
        change_time = self._own.lane_change
        within = max(0.0, time_each - change_time.indicator_time)
        wish = Wish(side, cause, values, 0, must, urgent, within)
        if conflict is None:
            return wish, []
        each = change_time.indicator_time + change_time.shortest
        left = float(way.distance[own]) - p.end_margin - (abs(changes) - 1) * each * scene.speed
        advice = self._align(scene, desire, change, max(left, 0.0), time_gap, side)
        return (wish if must else None), advice if self._chooses else []

    def _align(
        self, scene: Scene, desire: Desire, change: LaneChange, way: float, time_gap: float, side: Side
    ) -> list[Advice]:
        """The law that brings the car to the gap beside that it reaches best; none while it has room there already."""
        target = scene.own_lane + step_to(side)
        if change.gaps.conflict(scene, target, time_gap) is None:
            return []
        gap = change.gaps.best(
            scene, target, desire.speed, way, self._own.speed.at(scene.speed, self._limits), time_gap
        )
        if gap is None:
            return []
        law = AlignLaw(gap.first, (gap.last - gap.first) / gap.time, gap.time)
        return [Advice("merge", law, (gap.time,), gap.front or gap.rear)]

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

    # What others ask for

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
        aside = np.abs(traffic.offset - float(scene.road.offset[left])) < 0.5 * float(scene.road.width[left])
        gap = traffic.station - scene.road.ego_station - traffic.half_length - self._front
        allowed = self._passing_speed(traffic.speed)
        drives = traffic.proven & (traffic.class_id != ObjectClass.PEDESTRIAN) & ~traffic.sideways
        near = aside & drives & (gap > 0.0) & (allowed < desire.speed)
        if not near.any():
            return
        row = int(np.where(near, gap + 2.0 * traffic.speed, np.inf).argmin())
        law = ApproachLaw(
            float(gap[row]),
            float(allowed[row]),
            float(traffic.speed[row]),
            self._own.speed.deceleration,
            self._p.approach_gain,
        )
        yield self._about(scene, row, float(gap[row]), "pass_right", law, (float(allowed[row]),))

    def _about(
        self, scene: Scene, row: int, gap: float, name: str, law: Law, values: tuple[float, ...]
    ) -> Advice:
        traffic = scene.traffic
        identity, word = int(traffic.identity[row]), WORDS[ObjectClass(int(traffic.class_id[row]))]
        return Advice(name, law, values, identity, road_user(identity, word, gap, float(traffic.speed[row])))

    def _passing_speed(self, speed: np.ndarray) -> np.ndarray:
        """Highest speed at which somebody in the lane to the left may be passed."""
        market = self._market
        slow = speed < market.slow_speed
        return speed + np.where(slow, market.passing_slow, market.passing)

    # What is worth it

    def _free_wish(self, scene: Scene, way: Way, desire: Desire, change: LaneChange) -> Wish | None:
        """A change that pays: to get on faster, or to keep right at no cost worth speaking of."""
        p, own = self._p, scene.own_lane
        values = {lane: self._value(scene, way, desire, lane) for lane in range(own - 1, own + 3)}
        here = values[own]
        assert here is not None
        beyond = values[own + 2]
        left, right = values[own + 1], values[own - 1]
        if left is not None and beyond is not None:
            left = max(left, beyond - p.change_cost)
        keep = self._market.keep_right
        waiting = change.side if change.phase is Phase.WAITING else Side.NONE
        since = scene.stamp - change.ended_at
        for side, there, threshold, stay in (
            (Side.LEFT, left, p.change_cost + keep, p.stay),
            (Side.RIGHT, right, p.change_cost, p.stay),
            (Side.RIGHT, right, -0.5 * keep, p.stay_left),
        ):
            gain = there - here if there is not None else -math.inf
            if gain <= threshold - (p.hysteresis if side is waiting else 0.0):
                continue
            if change.completed and since < stay and waiting is Side.NONE:
                continue
            wish = self._possible(scene, desire, change, side, gain)
            if wish is not None:
                return wish
        return None

    def _possible(
        self, scene: Scene, desire: Desire, change: LaneChange, side: Side, gain: float
    ) -> Wish | None:
        """The wish for a change that pays, once it has paid for a while and there is room at little cost for who is behind."""
        target = scene.own_lane + step_to(side)
        if change.never(side, scene) or self._busy(scene):
            return None
        waiting = change.phase is Phase.WAITING and change.side is side
        lead_time = self._own.lane_change.indicator_time
        free = change.gaps.conflict(scene, target, after=lead_time) is None
        free = free and change.gaps.braking_behind(scene, target) < self._p.polite_deceleration
        if not free and not waiting:
            self._worth_since[side] = math.inf
            return None
        self._worth_since[side] = min(self._worth_since[side], scene.stamp)
        if not waiting and scene.stamp - self._worth_since[side] < self._p.persistence:
            return None
        if gain > 0.0:
            return Wish(side, "overtake", (gain, self._p.horizon), self._ahead(scene))
        return Wish(side, "keep_right", (-gain,))

    def _busy(self, scene: Scene) -> bool:
        """In a tight curve nobody changes lanes without need."""
        road = scene.road
        reach = road.ego_station + self._own.lane_change.duration * scene.speed
        first, last = np.searchsorted(road.line.station, (road.ego_station, reach))
        tightest = float(np.abs(road.line.curvature[first : last + 1]).max(initial=0.0))
        return tightest * scene.speed * scene.speed > self._p.curve_acceleration

    def _ahead(self, scene: Scene) -> int:
        """Identity of the next one ahead in the own lane, 0 for none."""
        traffic, road, own = scene.traffic, scene.road, scene.own_lane
        inside = np.abs(traffic.offset - float(road.offset[own])) < 0.5 * float(road.width[own])
        rows = np.flatnonzero(inside & (traffic.station > road.ego_station))
        return int(traffic.identity[rows[traffic.station[rows].argmin()]]) if len(rows) else 0

    def _value(self, scene: Scene, way: Way, desire: Desire, lane: int) -> float | None:
        """Seconds gained in a lane within the horizon against standing still, less what its end will cost; None: no lane."""
        road, p = scene.road, self._p
        if not 0 <= lane < len(road.offset):
            return None
        if lane != scene.own_lane and road.confidence[lane] < self._own.lane_change.confidence:
            return None
        speed = max(desire.speed, 5.0)
        value = float(self._progress(scene, desire, lane).mean()) / speed
        changes = abs(int(way.changes[lane]))
        if changes:
            time_each = float(way.distance[lane]) / speed / changes
            value -= p.route_cost * max(0.0, 1.0 - time_each / (2.0 * p.route_time))
        return value

    def _progress(self, scene: Scene, desire: Desire, lane: int) -> np.ndarray:
        """Way ahead (T,) in a lane over the times of the horizon, behind everybody in it and past nobody to its left too fast."""
        traffic, time, road = scene.traffic, self._times, scene.road
        rising = scene.speed * time + 0.5 * self._own.speed.at(scene.speed, self._limits) * time * time
        free = np.minimum(rising, desire.speed * time) if scene.speed < desire.speed else desire.speed * time
        if not len(traffic.identity):
            return free
        gap = traffic.station - scene.road.ego_station - traffic.half_length - self._front
        there = traffic.station > road.ego_station
        aside = np.abs(traffic.offset - float(road.offset[lane]))
        inside = there & (aside < 0.5 * float(road.width[lane]))
        most = free
        follow = self._own.follow
        if inside.any():
            speed = traffic.speed[inside]
            wanted = np.array(
                [wanted_gap(value, desire.time_gap, follow.standstill_gap) for value in speed.tolist()]
            )
            reach = gap[inside, None] - wanted[:, None] + np.maximum(speed, 0.0)[:, None] * time
            most = np.minimum(most, reach.min(0))
        if lane + 1 < len(road.offset):
            beside = there & (
                np.abs(traffic.offset - float(road.offset[lane + 1])) < 0.5 * float(road.width[lane + 1])
            )
            beside &= gap > 0.0
            if beside.any():
                speed = np.maximum(traffic.speed[beside], 0.0)
                reach = gap[beside, None] + self._passing_speed(speed)[:, None] * time
                most = np.minimum(most, reach.min(0))
        return np.maximum(most, 0.0)
