"""The world model as it would be if sensors and fusion made no mistake: to see what sensing costs.

Takes the place of fusion in the lockstep loop, at the same rate and with the same conventions. Only what the car's sensors could
reach is in it, but nothing hides anything. Shapes: N objects, S sensors, P points of the line, L lanes.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pilot_common.geometry import wrap_angle
from pilot_common.graph import Function
from pilot_common.runner import FunctionRunner
from pilot_common.types import EgoMotion, Lanes, MarkKind, Tracks, World
from pilot_common.vehicle import SensorKind
from pilot_fusion.parameters import Parameters as FusionParameters
from pilot_fusion.world_view import intentions
from pilot_simulation.actors import Others
from pilot_simulation.road import SPACING, Place
from pilot_simulation.scene import columns
from pilot_simulation.simulation import TICK, Simulation

PERIOD = 50_000_000  # ns, of fusion
DEVIATION = 0.01  # m and m/s, of every state: some filters divide by it
NEAR_LINE = 0.3  # m: a line nearer than this to a lane's edge is its mark


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfectInputs:
    """Nothing but the time: it looks at the truth."""

    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfectOutputs:
    """As of fusion."""

    world: World


class PerfectPerception:
    """A core like any other, but for its look into the simulation."""

    Inputs, Outputs = PerfectInputs, PerfectOutputs

    def __init__(self, simulation: Simulation, parameters: FusionParameters) -> None:
        self._simulation, self._parameters = simulation, parameters
        lane = parameters.lane
        count = round((lane.behind + lane.ahead) / lane.spacing) + 1
        self._station = -lane.behind + lane.spacing * np.arange(count)
        seeing = (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)
        sensors = [sensor for sensor in simulation.vehicle.sensors if sensor.kind in seeing]
        self._mount = np.array([sensor.position[:2] for sensor in sensors])[:, None]
        self._yaw = np.array([sensor.yaw for sensor in sensors])[:, None]
        self._half_view = 0.5 * np.array([sensor.field_of_view for sensor in sensors])[:, None]
        self._range = np.array([sensor.range for sensor in sensors])[:, None]
        kinds = {sensor.kind for sensor in sensors}
        self._bits = sum(1 << number for number, kind in enumerate(seeing) if kind in kinds)
        self.reset()

    def reset(self) -> None:
        """Nobody seen yet."""
        self._since: dict[int, float] = {}

    def step(self, inputs: PerfectInputs) -> PerfectOutputs:
        """The world now."""
        simulation = self._simulation
        motion, place = simulation.motion, simulation.place
        lanes, lane = self._lanes(place)
        ego = EgoMotion(
            x_odom=motion.x,
            y_odom=motion.y,
            yaw_odom=motion.yaw,
            speed=motion.speed,
            acceleration=motion.acceleration,
            yaw_rate=motion.yaw_rate,
        )
        world = World(
            stamp=inputs.time,
            source_stamp=inputs.time,
            valid=True,
            reason="",
            sensors_lost=(),
            ego=ego,
            lanes=lanes,
            tracks=self._tracks(inputs.time, place, lane, lanes),
        )
        return PerfectOutputs(world=world)

    def _lanes(self, place: Place) -> tuple[Lanes, int]:
        """The lanes at the car and the true index of the one it is in, whose middle is the line."""
        road = self._simulation.road
        lane, _, _ = road.lane_at(place.station, place.offset)
        here = road.index(place.station + 0.5 * SPACING)
        rows = road.lanes_at(place)
        centres, widths = road.lanes_near(place.station)
        centre, width = centres[rows], widths[rows]
        point, heading, curvature = self._line(place, lane)
        return Lanes(
            valid=True,
            reason="",
            ego_lane=rows.index(lane),
            sight=self._parameters.lane.ahead,
            speed_limit=0.0,  # as fusion: nobody has read a sign
            point=point,
            station=self._station,
            heading=heading,
            curvature=curvature,
            offset=centre - centres[lane],
            width=width,
            confidence=np.ones(len(rows)),
            left_mark=self._marks(here, centre + 0.5 * width),
            right_mark=self._marks(here, centre - 0.5 * width),
        ), lane

    def _marks(self, here: int, edge: np.ndarray) -> np.ndarray:
        """Kind of the line at each edge (L,)."""
        road = self._simulation.road
        away = np.abs(road.boundary[:, here] - edge[:, None])
        away = np.where(road.boundary_exists[:, here], away, np.inf)
        nearest = away.argmin(axis=1)
        near = away.min(axis=1) < NEAR_LINE
        return np.where(near, road.boundary_kind[nearest], int(MarkKind.UNKNOWN)).astype(np.uint8)

    def _line(self, place: Place, lane: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (P, 2), heading and curvature (P,) of a lane's middle in base_link, at even steps along itself."""
        road, motion = self._simulation.road, self._simulation.motion
        along, offset = self._along_reference(place, lane, self._station)
        point, heading, curvature = road.line.at(along)
        point += offset[:, None] * columns(-np.sin(heading), np.cos(heading))
        if road.even:
            curvature = curvature / (1.0 - curvature * offset)
        else:
            heading = heading + np.arctan(np.gradient(offset, along))
            curvature = np.gradient(heading, self._station)
        cosine, sine = math.cos(motion.yaw), math.sin(motion.yaw)
        point -= (motion.x, motion.y)
        turn = motion.yaw - 2.0 * math.pi * round((motion.yaw - place.heading) / (2.0 * math.pi))
        return point @ np.array(((cosine, -sine), (sine, cosine))), heading - turn, curvature

    def _along_reference(self, place: Place, lane: int, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Stations of the reference line beside which a lane's middle is `way` (P,) from the car, and its offsets there.

        A line `offset` to the left is shorter by offset · turn, so that the way is station − offset · turn.
        """
        road = self._simulation.road
        station = place.station + way
        offset = self._centres(lane, station)
        for _ in range(3):  # each gains two digits: offset · curvature is about 0.01
            turn = np.interp(station, road.line.station, road.line.heading) - place.heading
            station = place.station + way + offset * turn
            if not road.even:
                offset = self._centres(lane, station)
        return station, offset

    def _centres(self, lane: int, station: np.ndarray) -> np.ndarray:
        """Offsets of a lane's middle; where the lane is no more, they stay what they were last."""
        road = self._simulation.road
        if road.even:
            return np.full(len(station), float(road.centre[lane, 0]))
        here = road.index(self._simulation.place.station + 0.5 * SPACING)
        exists = road.exists[lane]
        gone_after, gone_before = np.flatnonzero(~exists[here:]), np.flatnonzero(~exists[:here])
        last = here + int(gone_after[0]) - 1 if len(gone_after) else len(exists) - 1
        first = int(gone_before[-1]) + 1 if len(gone_before) else 0
        line = road.line.station
        held = np.minimum(np.maximum(station, line[first]), line[max(last, first)])
        return np.interp(held, line, road.centre[lane])

    def _tracks(self, time: float, place: Place, lane: int, lanes: Lanes) -> Tracks:
        """Everybody within reach of a sensor."""
        simulation = self._simulation
        motion, others = simulation.motion, simulation.bodies
        cosine, sine = math.cos(motion.yaw), math.sin(motion.yaw)
        centre = (others.position - (motion.x, motion.y)) @ np.array(((cosine, -sine), (sine, cosine)))
        rows = self._in_reach(centre, others.extent).nonzero()[0]
        others, centre = others.rows(rows), centre[rows]
        acceleration, yaw_rate = self._changes(others)
        heading = wrap_angle(others.heading - motion.yaw)
        centres = self._centres(lane, others.station)
        way = others.way - motion.yaw
        turn = others.way - others.course - place.heading
        offset_rate = others.speed * np.sin(others.course)
        covariance = np.zeros((len(rows), 4, 4))
        covariance[:, range(4), range(4)] = DEVIATION**2
        offset = others.offset - centres
        identities = others.identity.tolist()
        self._since = {identity: self._since.get(identity, time) for identity in identities}
        return Tracks(
            identity=others.identity,
            class_id=others.class_id,
            existence=np.ones(len(rows)),
            position=columns(centre[:, 0], centre[:, 1], 0.5 * others.extent[:, 2]),
            velocity=columns(others.speed * np.cos(way), others.speed * np.sin(way)),
            acceleration=acceleration,
            heading=heading,
            yaw_rate=yaw_rate,
            extent=others.extent,
            covariance=covariance,
            age=np.array([time - self._since[identity] for identity in identities]),
            unseen=np.zeros(len(rows)),
            sensors=np.full(len(rows), self._bits, np.uint8),
            station=others.station - place.station - centres * turn,
            offset=offset,
            offset_rate=offset_rate,
            intention=intentions(lanes, offset, offset_rate, covariance[:, 3, 3], self._parameters.intention),
        )

    def _in_reach(self, centre: np.ndarray, extent: np.ndarray) -> np.ndarray:
        """Which objects (N,) some sensor has in range and in its field of view."""
        relative = centre - self._mount  # (S, N, 2)
        distance = np.hypot(relative[..., 0], relative[..., 1])
        half = 0.5 * (extent[:, 0] + extent[:, 1])
        bearing = np.abs(wrap_angle(np.arctan2(relative[..., 1], relative[..., 0]) - self._yaw))
        seen = (distance - half <= self._range) & (
            bearing <= self._half_view + half / np.maximum(distance, 0.1)
        )
        return np.logical_or.reduce(seen, axis=0)

    def _changes(self, others: Others) -> tuple[np.ndarray, np.ndarray]:
        """Acceleration and yaw rate (N,) over the last tick, 0 for who was not there."""
        before = self._simulation.bodies_before
        step = TICK * 1e-9
        row_of = {identity: row for row, identity in enumerate(before.identity.tolist())}
        rows = np.array([row_of.get(identity, -1) for identity in others.identity.tolist()], int)
        known = rows >= 0
        acceleration, yaw_rate = np.zeros(len(rows)), np.zeros(len(rows))
        acceleration[known] = (others.speed[known] - before.speed[rows[known]]) / step
        yaw_rate[known] = wrap_angle(others.heading[known] - before.heading[rows[known]]) / step
        return acceleration, yaw_rate


def perfect_runner(simulation: Simulation, fusion: Function, parameters: FusionParameters) -> FunctionRunner:
    """In place of the runner of `fusion`: the same name, rate and output, no input."""
    function = replace(fusion, trigger=None, watchdog=0, period=PERIOD, inputs={})
    core: Any = PerfectPerception(simulation, parameters)
    return FunctionRunner(function, simulation.graph, core)
