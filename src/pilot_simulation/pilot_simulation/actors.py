"""The others on the road: what every source of them says, and the sources that play a script or a recording.

All live in road coordinates; their place in `map` follows from the road. Shapes: N actors, T times.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from pilot_common.geometry import wrap
from pilot_common.types import ObjectClass
from pilot_simulation.recording import Recording
from pilot_simulation.road import TrueRoad
from pilot_simulation.scenario import ActorPlan, Event

# Length, width, height of scripted road users, m: estate car, articulated lorry (EU directive 96/53/EC), motorcycle, person.
EXTENTS = {
    ObjectClass.CAR: (4.7, 1.85, 1.5),
    ObjectClass.TRUCK: (16.5, 2.55, 3.9),
    ObjectClass.TWO_WHEELER: (2.2, 0.8, 1.6),
    ObjectClass.PEDESTRIAN: (0.5, 0.6, 1.75),
    ObjectClass.UNKNOWN: (1.0, 1.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class EgoOnRoad:
    """What the others may know of the ego: its front bumper's station, its offset, and how it moves along the road."""

    front: float
    offset: float
    speed: float


@dataclass(frozen=True)
class Others:
    """N actors at one time, centres of their boxes; `course` is the heading relative to the reference line."""

    road: TrueRoad
    identity: np.ndarray  # (N,) uint32
    class_id: np.ndarray  # (N,) uint8
    extent: np.ndarray  # (N, 3)
    station: np.ndarray  # (N,)
    offset: np.ndarray  # (N,)
    course: np.ndarray  # (N,)
    speed: np.ndarray  # (N,)

    @cached_property
    def _placed(self) -> tuple[np.ndarray, np.ndarray]:
        point, heading, _ = self.road.line.at(self.station)
        normal = np.stack((-np.sin(heading), np.cos(heading)), axis=-1)
        return point + self.offset[:, None] * normal, heading + self.course

    @property
    def position(self) -> np.ndarray:
        """Centres (N, 2) in `map`."""
        return self._placed[0]

    @property
    def heading(self) -> np.ndarray:
        """(N,) in `map`, not wrapped."""
        return self._placed[1]

    def rows(self, mask: np.ndarray) -> "Others":
        """Only some of them."""
        return Others(
            self.road,
            self.identity[mask],
            self.class_id[mask],
            self.extent[mask],
            self.station[mask],
            self.offset[mask],
            self.course[mask],
            self.speed[mask],
        )


def nobody(road: TrueRoad) -> Others:
    """No actors."""
    none = np.empty(0)
    return Others(
        road, np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty((0, 3)), none, none, none, none
    )


def together(road: TrueRoad, parts: Sequence[Others]) -> Others:
    """All actors of several sources."""
    if len(parts) == 1:
        return parts[0]
    names = ("identity", "class_id", "extent", "station", "offset", "course", "speed")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    return Others(road, *columns) if parts else nobody(road)


class ActorSource(Protocol):
    """Where others come from. `advance` is called with times that never go back, `at` with times up to the newest of them."""

    def advance(self, time: float, ego: EgoOnRoad) -> None:
        """Makes the actors known up to `time`, the ego being where it is at `time`."""

    def at(self, time: float) -> Others:
        """The actors at a time between the last two of `advance`."""


class ScriptedActor:
    """One actor that follows its events; motion along and across the road is integrated over each call of `advance`."""

    def __init__(self, identity: int, plan: ActorPlan, road: TrueRoad) -> None:
        self.identity, self.plan = identity, plan
        self.extent = EXTENTS[plan.kind]
        self._road = road
        self.station, self.speed = plan.station, plan.speed
        self.offset = (
            road.lane_centre(plan.lane, plan.station) if plan.lane is not None else float(plan.offset or 0.0)
        )
        self.offset_rate = 0.0
        self._target, self._acceleration = plan.speed, 0.0
        self._waiting = list(plan.events)
        self._change: tuple[float, float, float, float] | None = (
            None  # start, duration, offset from, offset to
        )

    def advance(self, before: float, time: float, ego: EgoOnRoad) -> None:
        """From `before` to `time`: events due start now, speed goes to its target, a lane change follows a quintic."""
        for event in [event for event in self._waiting if self._due(event, time, ego)]:
            self._waiting.remove(event)
            self._start(event, time)
        step = time - before
        change = self._acceleration * step
        after = self.speed + min(max(self._target - self.speed, -change), change)
        self.station += 0.5 * (self.speed + after) * step
        self.speed = after
        if self._change is not None:
            self._move_across(time)

    def _due(self, event: Event, time: float, ego: EgoOnRoad) -> bool:
        if event.time is not None:
            return time >= event.time
        gap = self.station - 0.5 * self.extent[0] - ego.front
        return event.gap is not None and gap <= event.gap

    def _start(self, event: Event, time: float) -> None:
        if event.speed is not None:
            self._target, self._acceleration = event.speed, event.acceleration
        if event.lane is not None:
            target = self._road.lane_centre(event.lane, self.station)
            self._change = (time, event.duration, self.offset, target)

    def _move_across(self, time: float) -> None:
        """Minimum jerk from offset to offset: 10 s³ − 15 s⁴ + 6 s⁵."""
        start, duration, origin, target = self._change  # type: ignore[misc]
        share = min((time - start) / duration, 1.0)
        self.offset = origin + (target - origin) * share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        self.offset_rate = (target - origin) * 30.0 * share**2 * (1.0 - share) ** 2 / duration
        if share >= 1.0:
            self._change = None

    @property
    def course(self) -> float:
        """Heading relative to the road; an actor at rest keeps straight."""
        return math.atan2(self.offset_rate, self.speed) if self.speed > 0.5 else 0.0


class ScriptedActors:
    """All scripted actors of a scenario, identities from 1 on."""

    def __init__(self, plans: Sequence[ActorPlan], road: TrueRoad) -> None:
        self._road = road
        self.actors = [ScriptedActor(index + 1, plan, road) for index, plan in enumerate(plans)]
        self._identity = np.array([actor.identity for actor in self.actors], np.uint32)
        self._class_id = np.array([actor.plan.kind for actor in self.actors], np.uint8)
        self._extent = np.array([actor.extent for actor in self.actors])
        self._times = (0.0, 0.0)
        now = self._state()
        self._states = (now, now)

    def _state(self) -> np.ndarray:
        return np.array([(actor.station, actor.offset, actor.course, actor.speed) for actor in self.actors])

    def advance(self, time: float, ego: EgoOnRoad) -> None:
        """Moves every actor on to `time`."""
        before = self._times[1]
        if time <= before:
            return
        for actor in self.actors:
            actor.advance(before, time, ego)
        self._times = (before, time)
        self._states = (self._states[1], self._state())

    def at(self, time: float) -> Others:
        """Between the last two states."""
        (before, after), (old, new) = self._times, self._states
        share = (time - before) / (after - before) if after > before else 1.0
        station, offset, course, speed = (old + share * (new - old)).T
        return Others(
            self._road, self._identity, self._class_id, self._extent, station, offset, course, speed
        )


class RecordedActors:
    """Plays a recording; an actor is there from its first to its last sample, and does not react to anybody."""

    def __init__(self, recording: Recording, road: TrueRoad) -> None:
        self._road, self._recording = road, recording
        self._states = np.zeros((len(recording.time), len(recording.identity), 4))
        for column in range(len(recording.identity)):
            self._place(column)

    def _place(self, column: int) -> None:
        """Road coordinates of one actor, each sample projected near the one before."""
        recording, hint = self._recording, None
        for row in np.flatnonzero(recording.present[:, column]).tolist():
            x, y = recording.position[row, column].tolist()
            place = self._road.project(x, y, self._road.nearest_station(x, y) if hint is None else hint)
            hint = place.station
            course = wrap(float(recording.heading[row, column]) - place.heading)
            self._states[row, column] = (place.station, place.offset, course, recording.speed[row, column])

    def advance(self, time: float, ego: EgoOnRoad) -> None:
        """Nothing to do: a recording does not react."""

    def at(self, time: float) -> Others:
        """Linear between samples; nobody after the end."""
        recording = self._recording
        row = int(np.searchsorted(recording.time, time, side="right")) - 1
        if row < 0 or time > recording.time[-1]:
            return nobody(self._road)
        last = min(row + 1, len(recording.time) - 1)
        step = float(recording.time[last] - recording.time[row])
        share = (time - float(recording.time[row])) / step if step > 0.0 else 0.0
        there = recording.present[row] & recording.present[last]
        old, new = self._states[row, there], self._states[last, there]
        station, offset, course, speed = (old + share * (new - old)).T
        identity, class_id = (
            recording.identity[there].astype(np.uint32),
            recording.class_id[there].astype(np.uint8),
        )
        return Others(self._road, identity, class_id, recording.extent[there], station, offset, course, speed)
