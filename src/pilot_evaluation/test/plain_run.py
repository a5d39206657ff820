"""Runs made of plain truths, for tests of what is measured: a straight road, everything else as the test says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pilot_common.folders import config_folder
from pilot_common.graph import Graph, load_graph
from pilot_common.messages import empty_arrays, to_nanoseconds
from pilot_common.types import (
    Actuation,
    Command,
    DriveMode,
    DriverInput,
    Gear,
    Ledger,
    Limit,
    Manoeuvre,
    Mode,
    Plan,
    Side,
    Trajectory,
    Truth,
    VehicleState,
)
from pilot_common.vehicle import Vehicle, load_vehicle
from pilot_evaluation.run import Run

START = 50.0  # s, stamp of the first message
PERIOD = 0.05
Course = Callable[[float], float]


@dataclass(frozen=True)
class Other:
    """A car 4.5 m × 1.8 m on the straight road, by time."""

    station: Course  # of the box's centre
    offset: Course = lambda time: 0.0
    speed: Course = lambda time: 0.0
    heading: float = 0.0
    identity: int = 7


def graph() -> Graph:
    return load_graph(config_folder())


def vehicle() -> Vehicle:
    return load_vehicle("sedan_ice", config_folder())


def driver(engage: bool = False, set_speed: float = 30.0) -> DriverInput:
    return DriverInput(
        accelerator=0.0,
        brake=0.0,
        steering_torque=0.0,
        hands_on=True,
        eyes_on=True,
        engage=engage,
        cancel=False,
        lane_change=Side.NONE,
        set_speed=set_speed,
        time_gap=1.8,
    )


def state(time: float, engage: bool = False, set_speed: float = 30.0) -> VehicleState:
    return VehicleState(
        stamp=START + time,
        valid=True,
        speed=20.0,
        acceleration=0.0,
        lateral_acceleration=0.0,
        yaw_rate=0.0,
        steering_angle=0.0,
        gear=Gear.DRIVE,
        indicator=Side.NONE,
        driver=driver(engage, set_speed),
    )


def mode(time: float, value: DriveMode = DriveMode.ACTIVE) -> Mode:
    return Mode(stamp=START + time, mode=value, reason=f"is {value.name.lower()}", warning=0)


def plan(time: float, manoeuvre: Manoeuvre = Manoeuvre.CRUISE) -> Plan:
    return Plan(
        stamp=START + time,
        source_stamp=START + time,
        valid=True,
        reason="",
        manoeuvre=manoeuvre,
        indicator=Side.NONE,
        target_speed=20.0,
        lead_identity=0,
        lead_gap=0.0,
        trajectory=Trajectory(**empty_arrays(Trajectory)),
        ledger=Ledger.empty(),
        lateral=Ledger.empty(),
        **empty_arrays(Plan),
    )


def command(time: float) -> Command:
    return Command(
        stamp=START + time,
        source_stamp=START + time,
        valid=True,
        reason="",
        steering_angle=0.0,
        acceleration=0.0,
        gear=Gear.DRIVE,
        indicator=Side.NONE,
        hazard_lights=False,
        lateral_error=0.0,
        heading_error=0.0,
        speed_error=0.0,
        **empty_arrays(Command),
    )


def actuation(time: float, age: float = 0.08, active: bool = True) -> Actuation:
    return Actuation(
        stamp=START + time,
        source_stamp=START + time - age,
        active=active,
        steering_angle=0.0,
        acceleration=0.0,
        gear=Gear.DRIVE,
        indicator=Side.NONE,
        hazard_lights=False,
        limit=Limit.NONE,
        reason="",
    )


def truth(time: float, others: Sequence[Other] = (), **values: float) -> Truth:
    """The ego's rear axle at `station` (default 20 m/s) and `offset` of the road, which is the x axis of `map`."""
    ego = {
        "speed": 20.0,
        "station": 20.0 * time,
        "offset": 0.0,
        "lane_offset": values.get("offset", 0.0),
    } | values
    return Truth(
        stamp=START + time,
        x=ego["station"],
        y=ego["offset"],
        yaw=ego.get("yaw", 0.0),
        speed=ego["speed"],
        acceleration=ego.get("acceleration", 0.0),
        lateral_acceleration=ego.get("lateral_acceleration", 0.0),
        steering_angle=0.0,
        station=ego["station"],
        offset=ego["offset"],
        lane=int(ego.get("lane", 1)),
        lane_offset=ego["lane_offset"],
        lane_width=3.75,
        friction=1.0,
        contact_identity=int(ego.get("contact_identity", 0)),
        identity=np.array([other.identity for other in others]),
        class_id=np.ones(len(others)),
        position=np.array([(other.station(time), other.offset(time)) for other in others]).reshape(-1, 2),
        heading=np.array([other.heading for other in others]),
        speed_other=np.array([other.speed(time) for other in others]),
        extent=np.tile((4.5, 1.8, 1.5), (len(others), 1)),
        station_other=np.array([other.station(time) for other in others]),
        offset_other=np.array([other.offset(time) for other in others]),
    )


def times(seconds: float = 10.0) -> list[float]:
    return [PERIOD * index for index in range(round(seconds / PERIOD) + 1)]


def make_run(
    seconds: float = 10.0,
    others: Sequence[Other] = (),
    modes: Sequence[tuple[float, DriveMode]] = ((0.0, DriveMode.ACTIVE),),
    manoeuvres: Sequence[tuple[float, Manoeuvre]] = ((0.0, Manoeuvre.CRUISE),),
    **ego: Course,
) -> Run:
    """A run whose truth follows the courses given; the system drives from the start unless `modes` says otherwise."""
    run = Run(vehicle(), graph())
    put(run, "vehicle_state", state(0.0, engage=True))
    for time, value in modes:
        put(run, "mode", mode(time, value))
    for time, manoeuvre in manoeuvres:
        put(run, "plan", plan(time, manoeuvre))
    for time in times(seconds):
        put(run, "truth", truth(time, others, **{name: course(time) for name, course in ego.items()}))
        put(run, "actuation", actuation(time))
    for index in range(round(seconds * 50.0) + 1):
        put(run, "command", command(0.02 * index))
    return run


def put(run: Run, topic: str, message: object) -> None:
    run.add(topic, to_nanoseconds(message.stamp), message)
