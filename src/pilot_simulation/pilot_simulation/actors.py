"""The others on the road: what every source of them says, and the source that plays a recording.

All live in road coordinates; their place in `map` follows from the road. Shapes: N actors, T times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol

import numpy as np

from pilot_common.geometry import wrap
from pilot_simulation.actor_plan import SENSING, ActorPlan
from pilot_simulation.recording import Recording
from pilot_simulation.road import TrueRoad

SENSOR_BITS = {name: 1 << number for number, name in enumerate(SENSING)}
SEEN_BY_ALL = sum(SENSOR_BITS.values())


@dataclass(frozen=True, slots=True)
class EgoOnRoad:
    """What the others may know of the ego: its front bumper's station, its offset, how it moves along the road, its size."""

    front: float
    offset: float
    speed: float
    length: float
    width: float


@dataclass(frozen=True)
class Traits:
    """What is unusual of N actors: radar cross-section (dB m², where `has_cross_section`), the kinds of sensors that see it
    (bit set: camera 1, radar 2, lidar 4), whether it is a body that can be touched, how high above the road it begins, and
    whether it slides across the road without turning.
    """

    cross_section: np.ndarray  # (N,)
    has_cross_section: np.ndarray  # (N,) bool
    seen_by: np.ndarray  # (N,) uint8
    solid: np.ndarray  # (N,) bool
    elevation: np.ndarray  # (N,) m
    slides: np.ndarray  # (N,) bool

    @classmethod
    def usual(cls, count: int) -> "Traits":
        """Of ordinary road users."""
        none = np.zeros(count)
        return cls(none, none > 0.0, np.full(count, SEEN_BY_ALL, np.uint8), none == 0.0, none, none > 0.0)

    @classmethod
    def of(cls, plans: Sequence[ActorPlan]) -> "Traits | None":
        """Of scripted actors; none where all are ordinary."""
        given = np.array([plan.cross_section is not None for plan in plans], bool)
        traits = cls(
            np.array([plan.cross_section or 0.0 for plan in plans]),
            given,
            np.array([sum(SENSOR_BITS[name] for name in set(plan.seen_by)) for plan in plans], np.uint8),
            np.array([plan.solid for plan in plans], bool),
            np.array([plan.elevation for plan in plans]),
            np.array([not plan.turns for plan in plans], bool),
        )
        unusual = given | (traits.seen_by != SEEN_BY_ALL) | ~traits.solid | (traits.elevation > 0.0)
        unusual |= traits.slides
        return traits if unusual.any() else None

    @cached_property
    def all_solid(self) -> bool:
        """Whether all of them can be touched."""
        return bool(self.solid.all())

    def rows(self, mask: np.ndarray) -> "Traits":
        """Only some of them."""
        return Traits(*(getattr(self, item.name)[mask] for item in fields(self)))


@dataclass(frozen=True)
class Others:
    """N actors at one time, centres of their boxes; `course` is the direction of motion relative to the reference line."""

    road: TrueRoad
    identity: np.ndarray  # (N,) uint32
    class_id: np.ndarray  # (N,) uint8
    extent: np.ndarray  # (N, 3)
    station: np.ndarray  # (N,)
    offset: np.ndarray  # (N,)
    course: np.ndarray  # (N,)
    speed: np.ndarray  # (N,)
    traits: Traits | None = None  # none: all are ordinary road users

    @cached_property
    def _placed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Centres, direction of motion, heading: the same but for what slides."""
        point, heading = self.road.place(self.station, self.offset)
        way = heading + self.course
        return point, way, way if self.traits is None else np.where(self.traits.slides, heading, way)

    @property
    def position(self) -> np.ndarray:
        """Centres (N, 2) in `map`."""
        return self._placed[0]

    @property
    def way(self) -> np.ndarray:
        """Direction of motion (N,) in `map`, not wrapped."""
        return self._placed[1]

    @property
    def heading(self) -> np.ndarray:
        """(N,) in `map`, not wrapped."""
        return self._placed[2]

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
            None if self.traits is None else self.traits.rows(mask),
        )

    @property
    def bodies(self) -> "Others":
        """Only what can be touched."""
        return self if self.traits is None or self.traits.all_solid else self.rows(self.traits.solid)


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
    if not parts:
        return nobody(road)
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    traits = None
    if any(part.traits is not None for part in parts):
        all_traits = [part.traits or Traits.usual(len(part.identity)) for part in parts]
        traits = Traits(
            *(np.concatenate([getattr(one, item.name) for one in all_traits]) for item in fields(Traits))
        )
    identity, class_id, extent, station, offset, course, speed = columns
    return Others(road, identity, class_id, extent, station, offset, course, speed, traits)


class ActorSource(Protocol):
    """Where others come from. `advance` is called with times that never go back, `at` with times up to the newest of them."""

    def advance(self, time: float, ego: EgoOnRoad) -> None:
        """Makes the actors known up to `time`, the ego being where it is at `time`."""

    def at(self, time: float) -> Others:
        """The actors at a time between the last two of `advance`."""


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
        station, offset, course, speed = (old + share * (new - old)).T.copy()
        identity, class_id = (
            recording.identity[there].astype(np.uint32),
            recording.class_id[there].astype(np.uint8),
        )
        return Others(self._road, identity, class_id, recording.extent[there], station, offset, course, speed)
