"""Which lane to be in, and how to adapt speed to what the lanes ask: route, ends of lanes, others that have to come over.

Lanes are compared by the way the car would get ahead in each within a horizon, all others and times at once; the route and the
market's rule to keep right weigh in as seconds. What comes out is a wish for `lane_change.py` and laws for the acceleration.
"""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.regulation import REAR_TIME_GAP
from pilot_common.types import Route, Side
from pilot_common.vehicle import Capability, Vehicle
from pilot_planning.highway.adaptation import AlignLaw
from pilot_planning.highway.advice import Advice, Adviser, Desire, passing_speed
from pilot_planning.highway.following import wanted_gap
from pilot_planning.highway.gaps import FAR, Gap, Scene, Space
from pilot_planning.highway.lane_change import LaneChange, Phase, Wish, step_to
from pilot_planning.highway.parameters import PlanningParameters
from pilot_planning.highway.refuge import Haven
from pilot_planning.highway.route import Way, see_way

SIDES = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the car would do by itself: a lane change or none, and laws; the `haven` of a minimum-risk manoeuvre.

    `pressing`: a change that must be is near or under way, so that the car goes close and briskly for a while.
    """

    wish: Wish | None
    advice: tuple[Advice, ...]
    way: Way
    haven: Haven | None = None
    pressing: bool = False


class Behaviour:
    """Remembers since when a lane has been worth a change, and where in the route's lanes the car is."""

    def __init__(self, vehicle: Vehicle, parameters: PlanningParameters) -> None:
        self._p, self._own = parameters.behaviour, parameters
        self._chooses = Capability.NAVIGATION in vehicle.facts.capabilities
        self._market = self._p.market(vehicle.facts.market)
        self._adviser = Adviser(vehicle, parameters)
        self._front = vehicle.facts.dimensions.rear_axle_to_front
        self._limits = vehicle.facts.limits
        self._pressed = parameters.pressed()
        self._times = np.linspace(0.0, self._p.horizon, 9)[1:]
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self._right: int | None = None
        self._worth_since = dict.fromkeys(SIDES, math.inf)
        self._gap: Gap | None = None
        self._room = False  # for the change that the route asks for, now

    def update(
        self, scene: Scene, route: Route | None, desire: Desire, change: LaneChange, allowed: bool
    ) -> Choice:
        """One cycle; a wish only where the car may choose lanes by itself and the system drives (`allowed`)."""
        way = see_way(scene.road, route, scene.own_lane, self._right, scene.stamp, scene.speed)
        self._right = way.right
        advice: list[Advice] = []
        wish, chosen = None, self._gap
        self._gap, self._room = None, False
        if allowed and change.phase in (Phase.NONE, Phase.WAITING):
            wish, advice = self._route_wish(scene, way, desire, change, chosen)
            if self._chooses and wish is None and not way.short(scene.own_lane):
                wish = self._free_wish(scene, way, desire, change)
                if wish is not None and change.phase is Phase.WAITING:
                    advice += self._align(scene, desire, change, FAR, change.space(wish), wish.side, chosen)
        must = wish is not None and wish.must
        aims = self._gap is not None or must
        advice += self._adviser.advise(scene, route, way, desire, change, aims)
        pressing = self._chooses and (change.pressing or (must and (self._room or self._gap is not None)))
        return Choice(wish if self._chooses else None, tuple(advice), way, pressing=pressing)

    def changed(self, step: int) -> None:
        """The path now leads to a lane `step` to the left."""
        if self._right is not None:
            self._right += step
        self._worth_since = dict.fromkeys(SIDES, math.inf)

    # What the route asks for

    def _route_wish(
        self, scene: Scene, way: Way, desire: Desire, change: LaneChange, chosen: Gap | None
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
        change_time = self._own.lane_change
        wish = Wish(side, cause, values, 0, must, urgent)
        space = change.space(wish)
        if change.gaps.conflict(scene, target, space) is None:
            self._room = True
            return wish, []
        each = change_time.indicator_time + change_time.shortest
        left = float(way.distance[own]) - p.end_margin - (abs(changes) - 1) * each * scene.speed
        advice = self._align(scene, desire, change, max(left, 0.0), space, side, chosen)
        return (wish if must else None), advice if self._chooses else []

    def _align(
        self,
        scene: Scene,
        desire: Desire,
        change: LaneChange,
        way: float,
        space: Space,
        side: Side,
        chosen: Gap | None,
    ) -> list[Advice]:
        """The law that brings the car to the gap beside that it reaches best; none while it has room there already."""
        target = scene.own_lane + step_to(side)
        if change.gaps.conflict(scene, target, space) is None:
            return []
        up = (self._pressed if space.behind < REAR_TIME_GAP else self._own.speed).at(
            scene.speed, self._limits
        )
        gap = change.gaps.best(scene, target, desire.speed, way, up, space, chosen)
        self._gap = gap
        if gap is None:
            return []
        law = AlignLaw(gap.first, (gap.last - gap.first) / gap.time, gap.time)
        return [Advice("merge", law, (gap.time,), gap.front or gap.rear)]

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
        value = self._progress(scene, desire, lane) / speed
        changes = abs(int(way.changes[lane]))
        if changes:
            time_each = float(way.distance[lane]) / speed / changes
            value -= p.route_cost * max(0.0, 1.0 - time_each / (2.0 * p.route_time))
        return value

    def _progress(self, scene: Scene, desire: Desire, lane: int) -> float:
        """Mean way ahead in a lane over the times of the horizon, behind everybody in it and past nobody to its left too fast."""
        traffic, road = scene.traffic, scene.road
        up = self._own.speed.at(scene.speed, self._limits)
        left = lane + 1 if lane + 1 < len(road.offset) else lane
        return _mean_way(
            traffic.station,
            traffic.offset,
            traffic.half_length,
            traffic.speed,
            (road.ego_station, self._front, scene.speed, up),
            (float(road.offset[lane]), 0.5 * float(road.width[lane])),
            (float(road.offset[left]), 0.5 * float(road.width[left]) if left > lane else 0.0),
            (desire.speed, desire.time_gap, self._own.follow.standstill_gap),
            self._adviser.market,
            self._times,
        )


@compiled
def _mean_way(
    station: np.ndarray,
    offset: np.ndarray,
    half_length: np.ndarray,
    speed: np.ndarray,
    own: tuple[float, float, float, float],
    lane: tuple[float, float],
    left: tuple[float, float],
    desire: tuple[float, float, float],
    market: tuple[float, float, float],
    times: np.ndarray,
) -> float:
    """`_progress` on arrays; of both lanes offset and half width, of the own car station, front, speed and acceleration."""
    ego_station, front, ego_speed, up = own
    wished, time_gap, standstill = desire
    total = 0.0
    for time in times:
        way = wished * time
        if ego_speed < wished:
            way = min(ego_speed * time + 0.5 * up * time * time, way)
        for row in range(len(station)):
            if station[row] <= ego_station:
                continue
            gap, pace = station[row] - ego_station - half_length[row] - front, max(speed[row], 0.0)
            if abs(offset[row] - lane[0]) < lane[1]:
                way = min(way, gap - wanted_gap(speed[row], time_gap, standstill) + pace * time)
            if abs(offset[row] - left[0]) < left[1] and gap > 0.0:
                way = min(way, gap + passing_speed(pace, market) * time)
        total += max(way, 0.0)
    return total / len(times)
