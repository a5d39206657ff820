"""A drive that nobody drove: plausible messages of every topic, made by formula, for tests of what reads a run.

Three lanes with bends; the car starts in the middle one at 30 m/s, closes up on a slower truck, follows it, changes to the
left at 20 s and goes on. It draws on nothing of the functions themselves, so it stays the same when they change.
"""

import math

import numpy as np

from pilot_common.folders import config_folder
from pilot_common.geometry import inverse, transform_points
from pilot_common.graph import load_graph
from pilot_common.messages import to_nanoseconds
from pilot_common.types import (
    Actuation,
    Command,
    DriveMode,
    DriverInput,
    EgoMotion,
    Gear,
    Lanes,
    Ledger,
    Limit,
    Manoeuvre,
    MarkKind,
    Mode,
    Plan,
    Side,
    Tracks,
    Trajectory,
    Truth,
    VehicleState,
    World,
)
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.run import Run
from pilot_simulation.road import TrueRoad, synthetic_road
from pilot_simulation.scenario import RoadPlan, Segment

START = 100.0  # s: stamps need not begin at zero
LANE_WIDTH = 3.75
CHANGE_AT, CHANGE_TIME = 20.0, 5.0
LEAD = 7
ENGAGED_AT = 1.0


def make_road() -> TrueRoad:
    """Three lanes, left and right bends of 900 m radius."""
    bends = [
        Segment(length=350.0),
        Segment(length=200.0, end_radius=900.0),
        Segment(length=350.0, end_radius=900.0),
    ]
    back = [Segment(length=200.0), Segment(length=250.0, end_radius=-900.0), Segment(length=300.0)]
    return synthetic_road(
        RoadPlan(lanes=3, lane_width=LANE_WIDTH, speed_limit=36.1, segments=(*bends, *back)), 6000.0
    )


def make_run(seconds: float = 40.0) -> Run:
    """The messages of the drive, 20 Hz of truth, world, plan and mode, 50 Hz of state, command and actuation."""
    config = config_folder()
    run = Run(load_vehicle("sedan_ice", config), load_graph(config))
    drive = _Drive(make_road())
    for tick in range(round(seconds * 100.0)):
        time = tick * 0.01
        drive.advance(time)
        if tick % 2 == 0:
            for topic, message in drive.fast(time):
                run.add(
                    topic,
                    to_nanoseconds(message.stamp) + (65_000_000 if topic == "actuation" else 0),
                    message,
                )
        if tick % 5 == 0:
            for topic, message in drive.slow(time):
                run.add(topic, to_nanoseconds(message.stamp), message)
    return run


class _Drive:
    def __init__(self, road: TrueRoad) -> None:
        self.road = road
        random = np.random.default_rng(11)
        count = 22
        self.lane = np.arange(count) % 3
        self.station = 420.0 + np.sort(random.uniform(-320.0, 420.0, count))
        self.speed = np.array((24.0, 28.5, 34.0))[self.lane] + random.normal(0.0, 0.4, count)
        self.truck = (self.lane == 0) & (random.random(count) < 0.6)
        own = self.lane == 1
        self.station[own] = (
            420.0 + np.array((-260.0, -180.0, -95.0, 95.0, 165.0, 240.0, 330.0, 420.0))[: own.sum()]
        )
        self.lead = int(np.flatnonzero(own & (self.station > 420.0))[0])
        self.truck[self.lead] = True
        self.speed[own], self.speed[self.lead] = 28.0, 23.5
        self.speed[own & (self.station < 420.0)] = 23.0
        self.identity = np.arange(count, dtype=np.uint32) + 1
        self.identity[self.lead] = LEAD + 100
        self.length = np.where(self.truck, 12.0, 4.6)
        self.ego_station, self.ego_speed, self.acceleration, self.random = 420.0, 30.0, 0.0, random
        self.before = 0.0

    def advance(self, time: float) -> None:
        step, self.before = time - self.before, time
        self.station += self.speed * step
        gap = self.station[self.lead] - self.ego_station - 0.5 * self.length[self.lead] - 3.7
        free = 1.0 - (self.ego_speed / 36.0) ** 4
        if time < CHANGE_AT:
            wished = 1.8 * self.ego_speed + self.ego_speed * (self.ego_speed - self.speed[self.lead]) / 4.0
            free -= (max(4.0, wished) / max(gap, 1.0)) ** 2
        target = max(-2.5, 1.2 * free)
        self.acceleration += max(-2.0 * step, min(2.0 * step, target - self.acceleration))
        self.ego_speed += self.acceleration * step
        self.ego_station += self.ego_speed * step
        self.gap = gap

    def offset(self, time: float) -> float:
        share = min(1.0, max(0.0, (time - CHANGE_AT) / CHANGE_TIME))
        return LANE_WIDTH * (1.0 + share**3 * (10.0 - 15.0 * share + 6.0 * share**2)) + 0.05 * math.sin(
            0.9 * time
        )

    def pose(self, time: float) -> tuple[float, float, float]:
        _, heading, _ = self.road.line.at(np.array([self.ego_station]))
        rate = (self.offset(time + 0.05) - self.offset(time - 0.05)) / 0.1
        place = self.road.line.to_cartesian(np.array([self.ego_station]), np.array([self.offset(time)]))[0]
        return float(place[0]), float(place[1]), float(heading[0] + rate / self.ego_speed)

    def mode(self, time: float) -> DriveMode:
        return DriveMode.ACTIVE if time >= ENGAGED_AT else DriveMode.STANDBY

    def manoeuvre(self, time: float) -> Manoeuvre:
        if CHANGE_AT - 3.0 <= time < CHANGE_AT + CHANGE_TIME:
            return Manoeuvre.LANE_CHANGE_LEFT
        return Manoeuvre.FOLLOW if time < CHANGE_AT and self.gap < 70.0 else Manoeuvre.CRUISE

    def fast(self, time: float):
        stamp = START + time
        curvature = float(np.interp(self.ego_station, self.road.line.station, self.road.line.curvature))
        steering = math.atan(2.8 * curvature) + 0.001 * math.sin(0.9 * time)
        indicating = Side.LEFT if self.manoeuvre(time) is Manoeuvre.LANE_CHANGE_LEFT else Side.NONE
        driver = DriverInput(
            accelerator=0.0,
            brake=0.0,
            steering_torque=0.1,
            hands_on=True,
            eyes_on=True,
            engage=ENGAGED_AT - 0.2 < time < ENGAGED_AT,
            cancel=False,
            lane_change=Side.LEFT if CHANGE_AT - 3.2 < time < CHANGE_AT - 2.5 else Side.NONE,
            set_speed=36.0,
            time_gap=1.8,
        )
        yield (
            "vehicle_state",
            VehicleState(
                stamp=stamp,
                valid=True,
                speed=self.ego_speed,
                acceleration=self.acceleration + float(self.random.normal(0.0, 0.03)),
                lateral_acceleration=self.ego_speed**2 * curvature,
                yaw_rate=self.ego_speed * curvature,
                steering_angle=steering,
                gear=Gear.DRIVE,
                indicator=indicating,
                driver=driver,
            ),
        )
        limited = 8.0 < time < 8.4
        yield (
            "command",
            Command(
                stamp=stamp,
                source_stamp=stamp - 0.06,
                valid=time >= ENGAGED_AT,
                reason="" if time >= ENGAGED_AT else "not driving",
                steering_angle=steering,
                acceleration=self.acceleration + (0.5 if limited else 0.1),
                gear=Gear.DRIVE,
                indicator=indicating,
                hazard_lights=False,
                lateral_error=0.03 * math.sin(0.9 * time),
                heading_error=0.0,
                speed_error=0.1,
                fallback_time=np.arange(3.0),
                fallback_steering_angle=np.full(3, steering),
                fallback_acceleration=np.full(3, -2.0),
            ),
        )
        yield (
            "actuation",
            Actuation(
                stamp=stamp,
                source_stamp=stamp - 0.005 - 0.01 * (1.0 + math.sin(3.0 * time)),
                active=time >= ENGAGED_AT,
                steering_angle=steering,
                acceleration=self.acceleration + 0.1,
                gear=Gear.DRIVE,
                indicator=indicating,
                hazard_lights=False,
                limit=Limit.JERK if limited and time >= ENGAGED_AT else Limit.NONE,
                reason="jerk of 6.2 m/s³ held to 5.0 m/s³" if limited else "",
            ),
        )

    def slow(self, time: float):
        stamp = START + time
        pose = self.pose(time)
        _, heading, _ = self.road.line.at(self.station)
        place = self.road.line.to_cartesian(self.station, LANE_WIDTH * self.lane)
        lane = round(self.offset(time) / LANE_WIDTH)
        extent = np.stack(
            (self.length, np.where(self.truck, 2.5, 1.85), np.where(self.truck, 3.6, 1.5)), axis=-1
        )
        class_id = np.where(self.truck, 2, 1).astype(np.uint8)
        yield (
            "truth",
            Truth(
                stamp=stamp,
                x=pose[0],
                y=pose[1],
                yaw=pose[2],
                speed=self.ego_speed,
                acceleration=self.acceleration,
                lateral_acceleration=0.0,
                steering_angle=0.0,
                station=self.ego_station,
                offset=self.offset(time),
                lane=lane,
                lane_offset=self.offset(time) - lane * LANE_WIDTH,
                lane_width=LANE_WIDTH,
                friction=1.0,
                contact_identity=0,
                identity=self.identity,
                class_id=class_id,
                position=place,
                heading=heading,
                speed_other=self.speed,
                extent=extent,
                station_other=self.station,
                offset_other=LANE_WIDTH * self.lane,
            ),
        )
        mode = self.mode(time)
        yield (
            "mode",
            Mode(
                stamp=stamp,
                mode=mode,
                reason="driver pressed engage, all functions are well"
                if mode is DriveMode.ACTIVE
                else "waits for the driver",
                warning=0,
            ),
        )
        yield "world", self.world(stamp, time, pose, place, heading, extent, class_id, lane)
        yield "plan", self.plan(stamp, time, pose)

    def world(self, stamp, time, pose, place, heading, extent, class_id, lane) -> World:
        relative = transform_points(inverse(pose), place)
        seen = (np.abs(relative[:, 0]) < 130.0) & ~((self.identity == 10) & (time % 9.0 < 2.0))
        count = int(seen.sum())
        noise = self.random.normal(0.0, 1.0, (count, 2)) * (0.25, 0.12)
        direction = heading[seen] - pose[2]
        line = self.road.line.to_road(np.array([pose[:2]]))[0][0] + np.arange(-50.0, 201.0, 5.0)
        centre = self.road.line.to_cartesian(line, np.full(len(line), lane * LANE_WIDTH))
        lanes = np.arange(3)
        edges = [MarkKind.SOLID, MarkKind.DASHED, MarkKind.DASHED, MarkKind.SOLID]
        tracks = Tracks(
            identity=self.identity[seen],
            class_id=class_id[seen],
            existence=np.clip(0.99 - np.abs(relative[seen, 0]) / 400.0, 0.0, 1.0),
            position=np.column_stack((relative[seen] + noise, np.full(count, 0.75))),
            velocity=self.speed[seen, None] * np.stack((np.cos(direction), np.sin(direction)), axis=-1),
            acceleration=np.zeros(count),
            heading=direction,
            yaw_rate=np.zeros(count),
            extent=extent[seen],
            covariance=np.tile(np.eye(4) * 0.05, (count, 1, 1)),
            age=np.full(count, time),
            unseen=np.zeros(count),
            sensors=np.full(count, 3, np.uint8),
            station=self.station[seen] - self.ego_station,
            offset=LANE_WIDTH * (self.lane[seen] - lane),
            offset_rate=np.zeros(count),
            intention=np.tile((0.9, 0.05, 0.05), (count, 1)),
        )
        return World(
            stamp=stamp,
            source_stamp=stamp - 0.04,
            valid=True,
            reason="",
            sensors_lost=("rear_left_radar",) if 28.0 < time < 31.0 else (),
            ego=EgoMotion(
                x_odom=pose[0],
                y_odom=pose[1],
                yaw_odom=pose[2],
                speed=self.ego_speed,
                acceleration=self.acceleration,
                yaw_rate=0.0,
            ),
            lanes=Lanes(
                valid=True,
                reason="",
                ego_lane=lane,
                sight=110.0,
                speed_limit=36.1,
                point=transform_points(inverse(pose), centre),
                station=np.arange(-50.0, 201.0, 5.0),
                heading=np.zeros(len(line)),
                curvature=np.zeros(len(line)),
                offset=LANE_WIDTH * (lanes - lane),
                width=np.full(3, LANE_WIDTH),
                confidence=np.ones(3),
                left_mark=np.array(edges[1:], np.uint8),
                right_mark=np.array(edges[:-1], np.uint8),
            ),
            tracks=tracks,
        )

    def plan(self, stamp: float, time: float, pose) -> Plan:
        ahead = np.arange(0.0, 6.01, 0.1)
        station = self.ego_station + np.maximum.accumulate(
            self.ego_speed * ahead + 0.5 * self.acceleration * ahead**2
        )
        offset = np.array([self.offset(time + t) for t in ahead])
        point = transform_points(inverse(pose), self.road.line.to_cartesian(station, offset))
        path_station = self.ego_station + np.arange(0.0, 201.0, 4.0)
        path = self.road.line.to_cartesian(path_station, np.full(len(path_station), offset[-1]))
        manoeuvre = self.manoeuvre(time)
        follows = manoeuvre is Manoeuvre.FOLLOW
        lead = self.identity[self.lead] if time < CHANGE_AT else 0
        bounds = [
            (
                f"keep 1.8 s to car {lead}, {self.gap:.0f} m ahead"
                if follows
                else "reach the set speed of 130 km/h"
            ),
            "stay within 3 m/s² in the bend",
        ]
        return Plan(
            stamp=stamp,
            source_stamp=stamp - 0.04,
            valid=True,
            reason="",
            manoeuvre=manoeuvre,
            indicator=Side.NONE,
            target_speed=min(36.0, self.ego_speed + 4.0 * self.acceleration),
            lead_identity=int(lead),
            lead_gap=float(self.gap) if lead else 0.0,
            trajectory=Trajectory(
                time=ahead,
                position=point,
                heading=np.zeros(len(ahead)),
                curvature=np.zeros(len(ahead)),
                speed=np.full(len(ahead), self.ego_speed),
                acceleration=np.linspace(self.acceleration, 0.0, len(ahead)),
            ),
            path=transform_points(inverse(pose), path),
            path_heading=np.zeros(len(path)),
            path_curvature=np.zeros(len(path)),
            ledger=Ledger(
                name=("follow" if follows else "set_speed", "bend"),
                bound=np.array((self.acceleration, 1.4)),
                identity=np.array((lead if follows else 0, 0), np.uint32),
                argument=np.zeros((2, 20)),
                sentence=tuple(bounds),
                sentence_zh=tuple(bounds),
                binding=0,
                runner_up=1,
            ),
            lateral=Ledger.empty(),
        )
