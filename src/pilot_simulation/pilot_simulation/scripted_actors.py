"""Road users that play a script: events, a speed trace, or keeping their distance. Shapes: N actors."""

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from pilot_common.types import ObjectClass
from pilot_simulation.actor_plan import ActorPlan, Event
from pilot_simulation.actors import EgoOnRoad, Others, Traits
from pilot_simulation.car_following import following_acceleration
from pilot_simulation.lateral_motion import LateralMotion, Ramp, Soft
from pilot_simulation.road import TrueRoad

# Length, width, height of scripted road users, m: estate car, articulated lorry (EU directive 96/53/EC), motorcycle, person.
EXTENTS = {
    ObjectClass.CAR: (4.7, 1.85, 1.5),
    ObjectClass.TRUCK: (16.5, 2.55, 3.9),
    ObjectClass.TWO_WHEELER: (2.2, 0.8, 1.6),
    ObjectClass.PEDESTRIAN: (0.5, 0.6, 1.75),
    ObjectClass.UNKNOWN: (1.0, 1.0, 1.0),
}


class SpeedTrace:
    """Speed over time, linear between samples and constant beyond both ends, with its exact integral."""

    def __init__(self, samples: Sequence[tuple[float, float]]) -> None:
        time, speed = np.asarray(samples, float).T
        way = np.concatenate(((0.0,), np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(time))))
        self._time, self._speed, self._way = time.tolist(), speed.tolist(), way.tolist()

    def at(self, time: float) -> tuple[float, float]:
        """Way since the first sample (negative before it) and speed."""
        row = bisect_right(self._time, time) - 1
        if row < 0:
            return self._speed[0] * (time - self._time[0]), self._speed[0]
        since, speed = time - self._time[row], self._speed[row]
        if row == len(self._time) - 1:
            return self._way[row] + speed * since, speed
        slope = (self._speed[row + 1] - speed) / (self._time[row + 1] - self._time[row])
        return self._way[row] + (speed + 0.5 * slope * since) * since, speed + slope * since


class ScriptedActor:
    """One actor. Its motion between events is exact, whatever the steps of `advance`; events begin at their own time or gap."""

    def __init__(self, identity: int, plan: ActorPlan, road: TrueRoad) -> None:
        self.identity, self.plan = identity, plan
        self.extent = plan.extent or EXTENTS[plan.kind]
        self._road = road
        self.station, self.speed = plan.station, plan.speed
        self.offset = (
            road.lane_centre(plan.lane, plan.station) if plan.lane is not None else float(plan.offset or 0.0)
        )
        self.offset_rate = 0.0
        self._target, self._acceleration = plan.speed, 0.0
        self._trace = SpeedTrace(plan.speed_trace) if len(plan.speed_trace) else None
        if self._trace is not None:
            way, self.speed = self._trace.at(0.0)
            self._origin = plan.station - way
        self._change: LateralMotion | None = None
        self.script(plan.events)

    def script(self, events: Sequence[Event]) -> None:
        """Replaces the events that have not begun; what is going on goes on."""
        self._timed = sorted((event for event in events if event.time is not None), key=_time)
        self._by_gap = [event for event in events if event.time is None]

    def advance(self, before: float, time: float, ego: EgoOnRoad, lead: tuple[float, float]) -> None:
        """From `before` to `time`. `ego` is where the ego is at `time`; `lead` is the gap ahead and the speed of who is there."""
        if self._timed or self._by_gap:
            for at, event in self._due(before, time, ego):
                self._move(before, at, lead)
                self._start(event, at)
                before = at
        self._move(before, time, lead)

    def _due(self, before: float, time: float, ego: EgoOnRoad) -> list[tuple[float, Event]]:
        """The events that begin in a step and when, in order; a gap is crossed at constant relative speed."""
        due: list[tuple[float, Event]] = []
        while self._timed and _time(self._timed[0]) < time:
            event = self._timed.pop(0)
            due.append((max(_time(event), before), event))
        if self._by_gap:
            now = self.station - 0.5 * self.extent[0] - (ego.front - ego.speed * (time - before))
            then = self.station + self.speed * (time - before) - 0.5 * self.extent[0] - ego.front
            for event in list(self._by_gap):
                gap = float(event.gap or 0.0)
                if min(now, then) <= gap:
                    share = 0.0 if now <= gap else (now - gap) / (now - then)
                    self._by_gap.remove(event)
                    due.append((before + share * (time - before), event))
            due.sort(key=lambda row: row[0])
        return due

    def _start(self, event: Event, at: float) -> None:
        if event.speed is not None:
            self._target, self._acceleration = event.speed, event.acceleration
        if event.lane is None and event.offset is None:
            return
        target = (
            self._road.lane_centre(event.lane, self.station)
            if event.lane is not None
            else float(event.offset or 0.0)
        )
        if event.lateral_speed is None:
            self._change = Soft(at, event.duration, self.offset, target)
        else:
            self._change = Ramp(at, event.lateral_acceleration, event.lateral_speed, self.offset, target)

    def _move(self, before: float, time: float, lead: tuple[float, float]) -> None:
        if time > before:
            self._move_along(before, time, lead)
        if self._change is not None:
            self.offset, self.offset_rate, done = self._change.at(time)
            if done:
                self._change = None

    def _move_along(self, before: float, time: float, lead: tuple[float, float]) -> None:
        step, speed = time - before, self.speed
        if self._trace is not None:
            way, self.speed = self._trace.at(time)
            self.station = self._origin + way
        elif self.plan.time_gap is not None:
            rate = following_acceleration(speed, self._target, self.plan.time_gap, *lead)
            self.speed = max(speed + rate * step, 0.0)
            self.station += 0.5 * (speed + self.speed) * step
        elif speed == self._target:
            self.station += speed * step
        else:
            needed = abs(self._target - speed) / self._acceleration
            changing = min(needed, step)
            change = math.copysign(self._acceleration * changing, self._target - speed)
            self.speed = self._target if needed <= step else speed + change
            self.station += 0.5 * (speed + self.speed) * changing + self.speed * (step - changing)

    @property
    def course(self) -> float:
        """Heading relative to the road; an actor at rest keeps straight."""
        return math.atan2(self.offset_rate, self.speed) if self.speed > 0.5 else 0.0


def _time(event: Event) -> float:
    return event.time or 0.0


FREE = (math.inf, 0.0)


class ScriptedActors:
    """All scripted actors of a scenario, identities from 1 on."""

    def __init__(self, plans: Sequence[ActorPlan], road: TrueRoad) -> None:
        self._road = road
        self.actors = [ScriptedActor(index + 1, plan, road) for index, plan in enumerate(plans)]
        self._follows = any(plan.time_gap is not None for plan in plans)
        self._identity = np.array([actor.identity for actor in self.actors], np.uint32)
        self._class_id = np.array([actor.plan.kind for actor in self.actors], np.uint8)
        self._extent = np.array([actor.extent for actor in self.actors])
        self._traits = Traits.of(plans)
        self._times = (0.0, 0.0)
        now = self._state()
        self._states = (now, now)

    def _state(self) -> np.ndarray:
        """Station, offset, course, speed (4, N)."""
        actors = self.actors
        return np.array(
            (
                [actor.station for actor in actors],
                [actor.offset for actor in actors],
                [actor.course for actor in actors],
                [actor.speed for actor in actors],
            )
        )

    def script(self, identity: int, events: Sequence[Event]) -> None:
        """Replaces an actor's events that have not begun. Raises ValueError for an unknown identity."""
        if not 1 <= identity <= len(self.actors):
            raise ValueError(f"there is no scripted actor {identity}; they are 1 to {len(self.actors)}")
        self.actors[identity - 1].script(events)

    def advance(self, time: float, ego: EgoOnRoad) -> None:
        """Moves every actor on to `time`."""
        before = self._times[1]
        if time <= before:
            return
        leads = self._leads(ego) if self._follows else [FREE] * len(self.actors)
        for actor, lead in zip(self.actors, leads, strict=True):
            actor.advance(before, time, ego, lead)
        self._times = (before, time)
        self._states = (self._states[1], self._state())

    def _leads(self, ego: EgoOnRoad) -> list[tuple[float, float]]:
        """Gap ahead and speed of who is there, for those that keep a distance: the ego or another body in their way."""
        bodies = [
            (
                other.identity,
                other.station - 0.5 * other.extent[0],
                other.offset,
                other.extent[1],
                other.speed,
            )
            for other in self.actors
            if other.plan.solid
        ]
        bodies.append((0, ego.front - ego.length, ego.offset, ego.width, ego.speed))
        leads = []
        for actor in self.actors:
            lead = FREE
            if actor.plan.time_gap is not None:
                front = actor.station + 0.5 * actor.extent[0]
                for identity, rear, offset, width, speed in bodies:
                    beside = abs(offset - actor.offset) - 0.5 * (width + actor.extent[1])
                    if identity != actor.identity and beside < 0.2 and -2.0 < rear - front < lead[0]:
                        lead = (rear - front, speed)
            leads.append(lead)
        return leads

    def at(self, time: float) -> Others:
        """Between the last two states."""
        (before, after), (old, new) = self._times, self._states
        if time != after and after > before:
            new = old + (time - before) / (after - before) * (new - old)
        station, offset, course, speed = new
        return Others(
            self._road,
            self._identity,
            self._class_id,
            self._extent,
            station,
            offset,
            course,
            speed,
            self._traits,
        )
