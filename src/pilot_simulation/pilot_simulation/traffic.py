"""Motorway traffic by SUMO, kept at a density around the ego.

SUMO drives on one straight edge in road coordinates, so that the curves of the road need no SUMO geometry: its x is the station
plus `MARGIN`, its y the offset. The ego (and every scripted actor) is mirrored into it, so that the others react to it. Vehicles
are added and removed beyond the range of all sensors, so that none appears in sight.
"""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pilot_common.errors import PilotError
from pilot_common.types import ObjectClass
from pilot_simulation.actors import EgoOnRoad, Others
from pilot_simulation.mirrors import Mirrors
from pilot_simulation.road import TrueRoad
from pilot_simulation.scenario import TrafficPlan
from pilot_simulation.scripted_actors import ScriptedActor
from pilot_simulation.sumo_files import TYPES, VehicleType, write_network, write_types

STEP = 0.1  # s of SUMO
MARGIN = 2000.0  # m of road in SUMO before station 0, where traffic settles before the start
WINDOW = 420.0  # m before and behind the ego: beyond the range of every sensor (250 m)
SETTLING = 15.0  # s that traffic runs before the start
SMOOTHING = 0.4  # s: SUMO changes lanes at constant lateral speed; a first-order lag makes the lateral speed continuous
FIRST_IDENTITY = 1000
TRUCK_SPEED = 88 / 3.6  # m/s, speed limiters of lorries (EU directive 92/6/EEC: 90 km/h)
START_GAP = 1.2  # s of time gap around the ego at the start


@dataclass(slots=True)
class _Car:
    """A vehicle that SUMO drives; where it was and is (front bumper in SUMO's x, smoothed y, speed)."""

    number: int
    kind: VehicleType
    wish: float
    x_before: float
    y_before: float
    speed_before: float
    x: float
    y: float
    speed: float

    @property
    def name(self) -> str:
        """In SUMO."""
        return f"car{self.number}"

    def move(self, x: float, y: float, speed: float) -> None:
        """On to where it is one step later."""
        self.x_before, self.y_before, self.speed_before = self.x, self.y, self.speed
        self.x, self.y, self.speed = x, y, speed


class SumoTraffic:
    """The source of SUMO's vehicles. SUMO is one per process: starting another traffic ends the one before.

    Raises PilotError where libsumo is not installed or does not start.
    """

    _owner: ClassVar["SumoTraffic | None"] = None  # libsumo itself is a process-wide singleton

    def __init__(
        self,
        plan: TrafficPlan,
        road: TrueRoad,
        ego: EgoOnRoad,
        ego_size: tuple[float, float],
        scripted: Sequence[ScriptedActor],
        seed: int,
    ) -> None:
        self._plan, self._road, self._scripted = plan, road, tuple(scripted)
        self._lanes = road.lanes
        self._lane_width = float(road.width[0, 0])
        self._generator = np.random.default_rng((seed, 3))
        self._ego_size = ego_size
        self._cars: dict[str, _Car] = {}
        self._next_number = 0
        self._tightness = 1.0  # below 1 while there are fewer vehicles around the ego than there shall be
        self._gaps = [
            (self._spacing(), self._spacing()) for _ in range(self._lanes)
        ]  # of the next before and behind the window
        self._steps = 0
        self._numbers: list[int] | None = None
        self._sumo = self._start_sumo(seed)
        self._mirrors = Mirrors(self._sumo, self._lanes, self._lane_width)
        self._settle(ego)
        self._collect()

    def _start_sumo(self, seed: int) -> Any:
        try:
            import libsumo
        except ImportError as error:
            raise PilotError(
                f"this scenario has SUMO traffic, but libsumo cannot be imported: {error}"
            ) from None
        if SumoTraffic._owner is not None:
            SumoTraffic._owner.close()
        with tempfile.TemporaryDirectory() as name:
            network, types = Path(name) / "road.net.xml", Path(name) / "types.rou.xml"
            write_network(network, self._road, MARGIN, self._plan.speed)
            write_types(
                types, self._ego_size, [(actor.extent[0], actor.extent[1]) for actor in self._scripted]
            )
            options = ["--net-file", str(network), "--route-files", str(types), "--step-length", str(STEP)]
            options += [
                "--seed",
                str(seed),
                "--end",
                "1000000",
                "--no-step-log",
                "--no-warnings",
                "--duration-log.disable",
            ]
            options += [
                "--time-to-teleport",
                "-1",
                "--collision.action",
                "none",
                "--insertion-checks",
                "none",
            ]
            options += ["--lanechange.duration", "4"]
            try:
                libsumo.start(["sumo", *options])
            except (libsumo.TraCIException, libsumo.FatalTraCIError, RuntimeError) as error:
                raise PilotError(f"SUMO does not start: {error}") from error
        SumoTraffic._owner = self
        return libsumo

    def __deepcopy__(self, memo: dict[int, Any]) -> "SumoTraffic":
        """Raises ValueError: there is one SUMO in a process."""
        raise ValueError("a drive with SUMO traffic cannot be copied: there is one SUMO in a process")

    def close(self) -> None:
        """Ends SUMO, if it is still this traffic's."""
        if SumoTraffic._owner is self:
            SumoTraffic._owner = None
            self._sumo.close()

    def advance(self, time: float, ego: EgoOnRoad) -> None:
        """Steps SUMO until it is at or past `time`. Raises ValueError once another traffic has taken SUMO over."""
        while self._steps * STEP < time - 1e-9:
            if SumoTraffic._owner is not self:
                raise ValueError(
                    "another simulation has taken SUMO over; only the newest one of a process can go on"
                )
            ahead = (
                self._steps + 1
            ) * STEP - time  # the mirrors stand where they will be at SUMO's next step
            self._mirror_ego(ego.front + ahead * ego.speed, ego)
            self._mirror_scripted(ahead)
            self._keep_density(ego.front + MARGIN)
            self._sumo.simulationStep()
            self._steps += 1
            self._collect()

    def at(self, time: float) -> Others:
        """Between SUMO's last two steps."""
        share = 1.0 - (self._steps * STEP - time) / STEP if self._steps else 1.0
        x, y, speed = (self._before + share * self._change).T.copy()
        return Others(
            self._road,
            self._identity,
            self._class_id,
            self._extent,
            x - self._from_front,
            y,
            self._course,
            speed,
        )

    def _settle(self, ego: EgoOnRoad) -> None:
        """Fills the window and lets traffic run, the ego coming along at its speed, before the start; then clears its way."""
        steps = round(SETTLING / STEP)
        start = ego.front - ego.speed * SETTLING
        for lane in range(self._lanes):
            x = start + MARGIN - WINDOW + self._spacing() * float(self._generator.random())
            while x < start + MARGIN + WINDOW:
                if abs(x - start - MARGIN) > 30.0 or lane != self._mirrors.lane_of(ego.offset):
                    self._add(lane, x, None)
                x += self._spacing()
        for step in range(steps):
            front = start + (step + 1) * STEP * ego.speed
            self._mirror_ego(front, ego)
            self._keep_density(front + MARGIN)
            self._sumo.simulationStep()
            self._read()
        self._clear_around(ego.front, ego.offset, self._ego_size[0])
        for actor in self._scripted:
            self._clear_around(actor.station + 0.5 * actor.extent[0], actor.offset, actor.extent[0])

    def _clear_around(self, front: float, offset: float, length: float) -> None:
        """Removes who is too close before or behind in the same lane, or would stand in it."""
        for car in list(self._cars.values()):
            gap = (
                car.x - MARGIN - car.kind.length - front
                if car.x - MARGIN > front
                else front - length - car.x + MARGIN
            )
            if abs(car.y - offset) < 0.7 * self._lane_width and gap < START_GAP * car.speed + 5.0:
                self._remove(car)

    def _mirror_ego(self, front: float, ego: EgoOnRoad) -> None:
        self._mirrors.move("ego", front + MARGIN, ego.offset, ego.speed, self._ego_size[1])

    def _mirror_scripted(self, ahead: float) -> None:
        for index, actor in enumerate(self._scripted):
            front = actor.station + 0.5 * actor.extent[0] + ahead * actor.speed
            offset = actor.offset + ahead * actor.offset_rate
            self._mirrors.move(f"actor{index}", front + MARGIN, offset, actor.speed, actor.extent[1])

    def _spacing(self) -> float:
        """Front to front of two vehicles of a lane: 60 % of the mean is kept, the rest is exponential, so that gaps differ."""
        mean = 1000.0 / max(self._plan.density, 0.1)
        return mean * (0.6 + 0.4 * float(self._generator.exponential()))

    def _keep_density(self, ego_x: float) -> None:
        """Removes who has left the window and fills up both of its ends."""
        by_lane: list[list[_Car]] = [[] for _ in range(self._lanes)]
        for car in list(self._cars.values()):
            if abs(car.x - ego_x) > WINDOW + 30.0:
                self._remove(car)
            else:
                by_lane[self._mirrors.lane_of(car.y)].append(car)
        if self._plan.density <= 0.0:
            return
        share = len(self._cars) / (self._plan.density * self._lanes * 2e-3 * WINDOW)
        self._tightness = min(max(share, 0.6), 1.2)
        for lane, cars in enumerate(by_lane):
            first = max(cars, key=_along, default=None)
            last = min(cars, key=_along, default=None)
            if first is None or last is None:
                self._add(lane, ego_x + WINDOW, None)
                continue
            ahead, behind = self._gaps[lane]
            if ego_x + WINDOW - first.x > ahead * self._tightness:
                self._add(lane, first.x + ahead * self._tightness, first)
                ahead = self._spacing()
            if last.x - ego_x + WINDOW > behind * self._tightness:
                self._add(lane, last.x - behind * self._tightness, last)
                behind = self._spacing()
            self._gaps[lane] = (ahead, behind)

    def _add(self, lane: int, x: float, neighbour: _Car | None) -> None:
        """A new vehicle with its front at x, as fast as its neighbour in the lane, so that it disturbs nobody."""
        truck = lane < max(self._lanes - 1, 1) and float(self._generator.random()) < self._truck_probability
        kinds = [kind for kind in TYPES if (kind.class_id is ObjectClass.TRUCK) == truck]
        kind = kinds[int(self._generator.integers(len(kinds)))]
        wish = self._plan.speed * max(
            1.0 + self._plan.speed_spread * float(self._generator.standard_normal()), 0.5
        )
        wish *= 0.94 + 0.06 * lane if not truck else 1.0  # the right lanes are slower
        if truck:
            wish = min(wish, TRUCK_SPEED)
        speed = min(wish, neighbour.speed) if neighbour else wish
        if neighbour is not None and x > neighbour.x:
            x = max(x, neighbour.x + kind.length + 5.0 + 0.8 * speed)
        elif neighbour is not None:
            x = min(x, neighbour.x - neighbour.kind.length - 5.0 - 0.8 * speed)
        number = self._next_number
        self._next_number += 1
        y = lane * self._lane_width
        car = _Car(number, kind, wish, x, y, speed, x, y, speed)
        vehicle = self._sumo.vehicle
        vehicle.add(car.name, "road", kind.name, "now", str(lane), f"{x:.3f}", f"{speed:.3f}")
        vehicle.setMaxSpeed(car.name, wish)
        self._cars[car.name] = car

    @property
    def _truck_probability(self) -> float:
        """Share of trucks in the lanes that they may use, so that their share of all is the scenario's."""
        usable = max(self._lanes - 1, 1)
        return min(self._plan.truck_share * self._lanes / usable, 1.0)

    def _remove(self, car: _Car) -> None:
        self._sumo.vehicle.remove(car.name)
        del self._cars[car.name]

    def _read(self) -> list[_Car]:
        """Takes over SUMO's state; those it knows. A vehicle appears with its second state, so that it always has two."""
        vehicle, cars = self._sumo.vehicle, self._cars
        position, speed = vehicle.getPosition, vehicle.getSpeed
        known = []
        for name in vehicle.getIDList():
            car = cars.get(name)
            if car is None:
                continue
            x, lateral = position(name)
            car.move(x, car.y + (lateral - car.y) * STEP / SMOOTHING, speed(name))
            known.append(car)
        known.sort(key=_number)
        return known

    def _collect(self) -> None:
        """Reads SUMO's state into arrays."""
        cars = self._read()
        numbers = [car.number for car in cars]
        if numbers != self._numbers:  # what does not move
            self._numbers = numbers
            self._identity = np.array(numbers, np.uint32) + np.uint32(FIRST_IDENTITY)
            self._class_id = np.array([car.kind.class_id for car in cars], np.uint8)
            extents = [(car.kind.length, car.kind.width, car.kind.height) for car in cars]
            self._extent = np.array(extents).reshape(-1, 3)
            self._from_front = 0.5 * self._extent[:, 0] + MARGIN
        rows = [
            (car.x_before, car.y_before, car.speed_before, car.x, car.y, car.speed, _course(car))
            for car in cars
        ]
        table = np.array(rows).reshape(-1, 7)
        self._before, self._change = table[:, :3], table[:, 3:6] - table[:, :3]
        self._course = table[:, 6].copy()


_number = attrgetter("number")
_along = attrgetter("x")


def _course(car: _Car) -> float:
    along, across = car.x - car.x_before, car.y - car.y_before
    return math.atan2(across, along) if along > 0.05 else 0.0
