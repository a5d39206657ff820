"""A small kinematic motorway for the planner: the car follows its plan exactly, others drive along the road by script."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from pilot_common.arc import foot
from pilot_common.folders import config_folder
from pilot_common.messages import empty_arrays
from pilot_common.road import ReferenceLine
from pilot_common.types import (
    DriveMode,
    DriverInput,
    EgoMotion,
    Gear,
    Lanes,
    MarkKind,
    Mode,
    ObjectClass,
    Plan,
    Route,
    Side,
    Tracks,
    VehicleState,
    World,
)
from pilot_common.vehicle import Vehicle, load_parameters, load_vehicle
from pilot_planning.highway.planner import HighwayPlanner, PlannerInputs

STEP = 0.05
LANE_WIDTH = 3.6


@cache
def vehicle(name: str = "sedan_ice") -> Vehicle:
    return load_vehicle(name, config_folder())


def planner(car: Vehicle | None = None) -> HighwayPlanner:
    car = car or vehicle()
    return HighwayPlanner(car, load_parameters(HighwayPlanner.Parameters, "planning", car, config_folder()))


def arc_road(curvature: float = 0.0, length: float = 1400.0, straight: float = 0.0) -> ReferenceLine:
    """A straight of some length, a clothoid of 60 m and an arc (only the arc where there is no straight)."""
    step = 2.0
    station = np.arange(-100.0, length, step)
    bend = curvature * (
        np.clip((station - straight) / 60.0, 0.0, 1.0) if straight > 0.0 else np.ones(len(station))
    )
    heading = np.concatenate(((0.0,), np.cumsum(step * bend)[:-1]))
    middle = heading + 0.5 * step * bend
    way = np.cumsum(step * np.stack((np.cos(middle), np.sin(middle)), -1), 0)
    point = np.concatenate((np.zeros((1, 2)), way[:-1]))
    return ReferenceLine(point, station, heading, bend)


@dataclass
class Other:
    """Another road user. `drive(time) -> (acceleration, offset rate)`."""

    identity: int
    station: float  # of its centre
    offset: float
    speed: float
    drive: Callable[[float], tuple[float, float]] = lambda time: (0.0, 0.0)
    class_id: ObjectClass = ObjectClass.CAR
    length: float = 4.6
    width: float = 1.85
    existence: float = 0.99
    age: float = 5.0
    intention: tuple[float, float, float] = (0.9, 0.05, 0.05)
    seen: Callable[[float], bool] = lambda time: True
    acceleration: float = 0.0
    rate: float = 0.0

    def advance(self, time: float) -> None:
        wanted, self.rate = self.drive(time)
        before = self.speed
        self.speed = max(0.0, before + wanted * STEP)
        self.acceleration = (self.speed - before) / STEP
        self.station += 0.5 * (before + self.speed) * STEP
        self.offset += self.rate * STEP

    @property
    def rear(self) -> float:
        return self.station - 0.5 * self.length


@dataclass
class Motorway:
    """State of a drive. The ego lane is the one the car's rear axle is in; lanes are counted from the right."""

    speed: float = 30.0
    set_speed: float = 33.0
    time_gap: float = 1.5
    others: list[Other] = field(default_factory=list)
    road: ReferenceLine = field(default_factory=arc_road)
    lanes: int = 3
    start_lane: int = 1
    mode: DriveMode = DriveMode.ACTIVE
    lever: Callable[[float], Side] = lambda time: Side.NONE
    car: Vehicle = field(default_factory=vehicle)
    sight: float = 200.0
    speed_limit: float = 0.0
    left_mark: MarkKind = MarkKind.DASHED
    lanes_valid: Callable[[float], bool] = lambda time: True
    lateral_deviation: float = 0.0
    ends: dict[int, float] = field(default_factory=dict)  # lane: station where it ends
    leaves: dict[int, float] = field(default_factory=dict)  # lane: station where it leaves the route
    limits: tuple[tuple[float, float], ...] = ()  # station, speed limit from there on
    shoulder: float = 0.0
    change_world: Callable[[World], World] = lambda world: world

    def __post_init__(self) -> None:
        self.planner = planner(self.car)
        self.time = 100.0
        self.begin = self.time
        centre = self.centre(self.start_lane)
        point, heading, bend = self.road.at(np.array((0.0,)))
        normal = np.array((-math.sin(heading[0]), math.cos(heading[0])))
        self.x, self.y = point[0] + (centre + self.lateral_deviation) * normal
        self.yaw = float(heading[0])
        self.acceleration = 0.0
        self.yaw_rate = self.speed * float(bend[0])
        self.log: list[tuple[float, float, float, float, Plan]] = []
        self.gaps: list[float] = []

    def centre(self, lane: int) -> float:
        return LANE_WIDTH * (lane - 0.5 * (self.lanes - 1))

    @property
    def elapsed(self) -> float:
        return self.time - self.begin

    def ego_on_road(self) -> tuple[float, float, float]:
        return foot(self.road, self.x, self.y)[:3]

    def ego_lane(self, offset: float) -> int:
        return max(0, min(self.lanes - 1, round(offset / LANE_WIDTH + 0.5 * (self.lanes - 1))))

    def to_base(self, points: np.ndarray) -> np.ndarray:
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        delta = points - (self.x, self.y)
        return np.stack(
            (delta[:, 0] * cosine + delta[:, 1] * sine, delta[:, 1] * cosine - delta[:, 0] * sine), -1
        )

    def world(self) -> World:
        station, offset, _ = self.ego_on_road()
        lane = self.ego_lane(offset)
        base = self.centre(lane)
        stations = station + np.arange(-50.0, 201.0, 5.0)
        line = self.road.to_cartesian(stations, np.full(len(stations), base))
        _, heading, curvature = self.road.at(stations)
        own = ReferenceLine.from_points(self.to_base(line))
        lanes = Lanes(
            valid=self.lanes_valid(self.elapsed),
            reason="" if self.lanes_valid(self.elapsed) else "no lane marks",
            ego_lane=lane,
            sight=self.sight,
            speed_limit=self.speed_limit,
            point=own.point,
            station=own.station - 50.0,
            heading=heading - self.yaw,
            curvature=curvature / (1.0 - curvature * base),
            offset=np.array([self.centre(other) - base for other in range(self.lanes)]),
            width=np.full(self.lanes, LANE_WIDTH),
            confidence=np.full(self.lanes, 0.95),
            left_mark=[self.left_mark] * (self.lanes - 1) + [MarkKind.ROAD_EDGE],
            right_mark=[MarkKind.ROAD_EDGE] + [MarkKind.DASHED] * (self.lanes - 1),
        )
        world = World(
            stamp=self.time,
            source_stamp=self.time - 0.05,
            valid=True,
            reason="",
            sensors_lost=(),
            ego=EgoMotion(
                x_odom=self.x,
                y_odom=self.y,
                yaw_odom=self.yaw,
                speed=self.speed,
                acceleration=self.acceleration,
                yaw_rate=self.yaw_rate,
            ),
            lanes=lanes,
            tracks=self.tracks(base, own),
        )
        return self.change_world(world)

    def tracks(self, base: float, own: ReferenceLine) -> Tracks:
        others = [other for other in self.others if other.seen(self.elapsed)]
        if not others:
            return Tracks(**empty_arrays(Tracks))
        station = np.array([other.station for other in others])
        offset = np.array([other.offset for other in others])
        rate = np.array([other.rate for other in others])
        speed = np.array([other.speed for other in others])
        position = self.to_base(self.road.to_cartesian(station, offset))
        heading = self.road.at(station)[1] - self.yaw
        velocity = speed[:, None] * np.stack((np.cos(heading), np.sin(heading)), -1)
        velocity += rate[:, None] * np.stack((-np.sin(heading), np.cos(heading)), -1)
        count = len(others)
        return Tracks(
            identity=[other.identity for other in others],
            class_id=[other.class_id for other in others],
            existence=[other.existence for other in others],
            position=np.concatenate((position, np.full((count, 1), 0.7)), 1),
            velocity=velocity,
            acceleration=[other.acceleration for other in others],
            heading=heading,
            yaw_rate=np.zeros(count),
            extent=[(other.length, other.width, 1.5) for other in others],
            covariance=np.tile(np.eye(4) * 0.1, (count, 1, 1)),
            age=[other.age for other in others],
            unseen=np.zeros(count),
            sensors=np.full(count, 3),
            station=own.to_road(position)[0] - 50.0,
            offset=offset - base,
            offset_rate=rate,
            intention=[other.intention for other in others],
        )

    def vehicle_state(self) -> VehicleState:
        return VehicleState(
            stamp=self.time,
            valid=True,
            speed=self.speed,
            acceleration=self.acceleration,
            lateral_acceleration=self.speed * self.yaw_rate,
            yaw_rate=self.yaw_rate,
            steering_angle=0.0,
            gear=Gear.DRIVE,
            indicator=Side.NONE,
            driver=DriverInput(
                accelerator=0.0,
                brake=0.0,
                steering_torque=0.0,
                hands_on=True,
                eyes_on=True,
                engage=False,
                cancel=False,
                lane_change=self.lever(self.elapsed),
                set_speed=self.set_speed,
                time_gap=self.time_gap,
            ),
        )

    def route(self) -> Route | None:
        """What the navigation says, where the drive has anything that it could tell."""
        if not (self.ends or self.leaves or self.limits or self.shoulder):
            return None
        station, offset, _ = self.ego_on_road()
        places = self.ends | self.leaves
        distance = [max(places.get(lane, 1e4) - station, 0.0) for lane in range(self.lanes)]
        limits = [(0.0, max((s for s in self.limits if s[0] <= station), default=(0.0, 0.0))[1])]
        limits += [(start - station, speed) for start, speed in self.limits if start > station]
        return Route(
            stamp=self.time,
            valid=True,
            reason="",
            horizon=2000.0,
            lane=self.ego_lane(offset),
            lane_distance=np.minimum(distance, 2000.0),
            lane_ends=np.array([lane in self.ends for lane in range(self.lanes)]),
            shoulder_width=self.shoulder,
            limit_distance=np.array([distance for distance, _ in limits]),
            limit_speed=np.array([speed for _, speed in limits]),
            guidance="",
        )

    def inputs(self) -> PlannerInputs:
        mode = Mode(stamp=self.time, mode=self.mode, reason="", warning=0)
        return PlannerInputs(
            time=self.time,
            world=self.world(),
            vehicle_state=self.vehicle_state(),
            mode=mode,
            route=self.route(),
        )

    def step(self) -> Plan:
        plan = self.planner.step(self.inputs()).plan
        assert plan.valid, plan.reason
        station, offset, _ = self.ego_on_road()
        self.log.append((self.elapsed, station, offset, self.speed, plan))
        front = station + self.car.facts.dimensions.rear_axle_to_front
        rear = front - self.car.facts.dimensions.length
        half = 0.5 * self.car.facts.dimensions.width
        for other in self.others:
            beside = abs(other.offset - offset) >= half + 0.5 * other.width
            if not beside and other.station + 0.5 * other.length > rear:
                self.gaps.append(other.rear - front)
        self._drive(plan)
        for other in self.others:
            other.advance(self.elapsed)
        self.time = round(self.time + STEP, 6)
        return plan

    def _drive(self, plan: Plan) -> None:
        """The car is where the trajectory says it shall be one step later."""
        trajectory = plan.trajectory
        distance = float(np.interp(STEP, trajectory.time, trajectory.speed)) * 0.5 + 0.5 * float(
            trajectory.speed[0]
        )
        distance *= STEP
        line = ReferenceLine.from_points(plan.path)
        point = line.at(np.array((distance,)))[0]
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        self.x += point[0, 0] * cosine - point[0, 1] * sine
        self.y += point[0, 0] * sine + point[0, 1] * cosine
        turn = float(np.interp(distance, line.station, plan.path_heading))
        self.yaw += turn
        self.speed = float(np.interp(STEP, trajectory.time, trajectory.speed))
        self.acceleration = float(np.interp(STEP, trajectory.time, trajectory.acceleration))
        self.yaw_rate = self.speed * float(np.interp(distance, line.station, plan.path_curvature))

    def drive(self, seconds: float) -> list[Plan]:
        return [self.step() for _ in range(round(seconds / STEP))]

    def lanes_driven(self) -> list[int]:
        """The lanes that the car was in, one after the other."""
        driven = [self.ego_lane(entry[2]) for entry in self.log]
        return [lane for lane, before in zip(driven, [-1, *driven], strict=False) if lane != before]

    def accelerations(self) -> np.ndarray:
        return np.array([plan.trajectory.acceleration[0] for *_, plan in self.log])

    def speeds(self) -> np.ndarray:
        return np.array([entry[3] for entry in self.log])

    def offsets(self) -> np.ndarray:
        return np.array([entry[2] for entry in self.log])


def replace_tracks(world: World, **changes: object) -> World:
    return replace(world, tracks=replace(world.tracks, **changes))
