"""Synthetic motorway traffic for planners: four straight lanes, N cars around the ego, each at its lane's speed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot_common.types import (
    DriverInput,
    EgoMotion,
    Gear,
    Lanes,
    MarkKind,
    ObjectClass,
    Side,
    Tracks,
    VehicleState,
    World,
)

LANES, LANE_WIDTH, EGO_LANE = 4, 3.6, 1
SPEEDS = (20.0, 22.0, 24.0, 26.0)  # m/s, right to left
LENGTH, WIDTH = 4.6, 1.85  # m
BEHIND, AHEAD = 90.0, 210.0  # m around the ego in which the cars are
FREE = 30.0  # m in front of and behind the ego that its lane is empty
SET_SPEED = 33.0
SEED = 4


@dataclass(frozen=True)
class Scene:
    """Cars at the beginning, in the frame of the road: centre's station and offset, lane, speed (each (N,))."""

    station: np.ndarray
    lane: np.ndarray
    speed: np.ndarray

    def plain(self, cycles: int) -> dict[str, Any]:
        """For the planners of other environments."""
        rows = zip(self.station.tolist(), self.lane.tolist(), self.speed.tolist(), strict=True)
        return {
            "lanes": LANES,
            "lane_width": LANE_WIDTH,
            "ego": [EGO_LANE, SPEEDS[EGO_LANE]],
            "set_speed": SET_SPEED,
            "cycles": cycles,
            "objects": [[station, lane, speed, LENGTH, WIDTH] for station, lane, speed in rows],
        }


def make_scene(count: int) -> Scene:
    """`count` cars, evenly over lanes and length with some chance; always the same."""
    chance = np.random.default_rng(SEED)
    lane = np.arange(count) % LANES
    rows = -(-count // LANES)
    slot = (AHEAD + BEHIND) / max(rows, 1)
    station = (
        -BEHIND + slot * (np.arange(count) // LANES + 0.5) + 0.2 * slot * chance.uniform(-1.0, 1.0, count)
    )
    own = lane == EGO_LANE
    station[own & (np.abs(station) < FREE)] += AHEAD + BEHIND
    return Scene(station, lane, np.array(SPEEDS)[lane])


class Drive:
    """The ego behind the wheel of a planner: keeps its lane, takes the acceleration it is told."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.time = scene, 0.0
        self.station, self.speed, self.acceleration = 0.0, SPEEDS[EGO_LANE], 0.0

    def advance(self, acceleration: float, duration: float) -> None:
        """Moves on."""
        self.acceleration = acceleration
        self.speed = max(0.0, self.speed + acceleration * duration)
        self.station += self.speed * duration
        self.time += duration

    def others(self) -> tuple[np.ndarray, np.ndarray]:
        """Stations ahead of the ego and offsets left of it (N,)."""
        station = self.scene.station + self.scene.speed * self.time - self.station
        return station, LANE_WIDTH * (self.scene.lane - EGO_LANE)

    def world(self) -> World:
        """What fusion would say, without error."""
        station, offset = self.others()
        count = len(station)
        zeros, ones = np.zeros(count), np.ones(count)
        place = np.stack((station, offset), axis=-1)
        velocity = np.stack((self.scene.speed, zeros), axis=-1)
        tracks = Tracks(
            identity=1 + np.arange(count),
            class_id=np.full(count, int(ObjectClass.CAR)),
            existence=0.99 * ones,
            position=np.column_stack((place, 0.75 * ones)),
            velocity=velocity,
            acceleration=zeros,
            heading=zeros,
            yaw_rate=zeros,
            extent=np.tile((LENGTH, WIDTH, 1.5), (count, 1)),
            covariance=np.tile(np.diag((0.1, 0.05, 0.1, 0.05)), (count, 1, 1)),
            age=5.0 * ones,
            unseen=zeros,
            sensors=np.full(count, 3),
            station=station,
            offset=offset,
            offset_rate=zeros,
            intention=np.tile((0.9, 0.05, 0.05), (count, 1)),
        )
        return World(
            stamp=self.time,
            source_stamp=self.time - 0.05,
            valid=True,
            reason="",
            sensors_lost=(),
            ego=EgoMotion(
                x_odom=self.station,
                y_odom=0.0,
                yaw_odom=0.0,
                speed=self.speed,
                acceleration=self.acceleration,
                yaw_rate=0.0,
            ),
            lanes=_lanes(),
            tracks=tracks,
        )

    def state(self) -> VehicleState:
        """What the bus would say."""
        return VehicleState(
            stamp=self.time,
            valid=True,
            speed=self.speed,
            acceleration=self.acceleration,
            lateral_acceleration=0.0,
            yaw_rate=0.0,
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
                lane_change=Side.NONE,
                set_speed=SET_SPEED,
                time_gap=1.5,
            ),
        )


def _lanes() -> Lanes:
    x = np.arange(-50.0, 201.0, 5.0)
    zeros = np.zeros(len(x))
    return Lanes(
        valid=True,
        reason="",
        ego_lane=EGO_LANE,
        sight=200.0,
        speed_limit=0.0,
        point=np.stack((x, zeros), axis=-1),
        station=x,
        heading=zeros,
        curvature=zeros,
        offset=LANE_WIDTH * (np.arange(LANES) - EGO_LANE),
        width=np.full(LANES, LANE_WIDTH),
        confidence=np.full(LANES, 0.95),
        left_mark=np.array([MarkKind.DASHED] * (LANES - 1) + [MarkKind.ROAD_EDGE]),
        right_mark=np.array([MarkKind.ROAD_EDGE] + [MarkKind.DASHED] * (LANES - 1)),
    )
