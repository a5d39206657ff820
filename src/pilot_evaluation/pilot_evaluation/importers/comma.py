"""A car with openpilot (comma2k19 as a ROS 2 bag): radar tracks, wheel speed, steering wheel and IMU become our sources.

The recorded car is a Toyota RAV4; its radar reports tracks relative to the front bumper, x forward, y left, with their relative
velocity. Nobody presses our button in a recording, so the mode is given: active from the moment openpilot began to steer or to
accelerate, with the car's speed of that moment as the set speed. The bag holds neither images nor lane marks: a lane is laid
along the path that the car drove by its ground truth, smoothed, in place of the camera (`lane_from_path.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from pilot_common.errors import BagError
from pilot_common.messages import Message, to_seconds
from pilot_common.types import DriveMode, DriverInput, Gear, Mode, RadarReturns, Side, VehicleState
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_evaluation.bag import BagReader
from pilot_evaluation.importers.lane_from_path import lane_marks

SPEED, STEERING_WHEEL, IMU = "vehicle/speed", "vehicle/steering_wheel_angle_deg", "sensing/imu"
RADAR, POSE = "sensing/radar/front/tracks", "gt/odometry"
ACCELERATION_COMMAND, STEERING_COMMAND = "openpilot/accel_cmd_mps2", "openpilot/steer_torque_cmd_norm"

# https://github.com/ros-perception/radar_msgs, of which ROS 2 distributions carry the package but the bag library does not.
RADAR_TRACK = """unique_identifier_msgs/UUID uuid
geometry_msgs/Point position
geometry_msgs/Vector3 velocity
geometry_msgs/Vector3 acceleration
geometry_msgs/Vector3 size
uint16 classification
float32[6] position_covariance
float32[6] velocity_covariance
float32[6] acceleration_covariance
float32[6] size_covariance
"""
RADAR_TRACKS = "std_msgs/Header header\nradar_msgs/RadarTrack[] tracks\n"

STEERING_RATIO = 16.88  # steering wheel to road wheels, Toyota RAV4 (opendbc, toyota/values.py)
STATE_PERIOD = 20_000_000  # ns
MODE_PERIOD = 50_000_000
GYRO_WINDOW = 0.06  # s, mean of the yaw rate: the device shakes with the windscreen
SPEED_WINDOW = 0.3  # s over which the wheel speed is differentiated
TIME_GAP = 1.8  # s, openpilot's of 2018
CROSS_SECTION = 10.0  # dB m², a car: these tracks carry none
DEVICE_AHEAD = 1.9  # m, windscreen to rear axle of that car
STRAIGHT_AHEAD = 1.2  # m to either side
SHORTEST = 1.0  # s of drive


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A signal: times in ns and values, one row each."""

    time: np.ndarray
    value: np.ndarray

    def at(self, time: np.ndarray) -> np.ndarray:
        """Linear between samples; the first and the last hold beyond the ends."""
        return np.interp(time, self.time, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCar:
    """The drive as arrays; angles in rad, left positive. `engaged` is when openpilot took over (ns), None where it never did."""

    speed: Series
    steering_wheel: Series
    yaw_rate: Series
    acceleration_command: Series
    steering_command: Series  # torque, share of the largest
    pose_speed: Series
    pose: (
        np.ndarray
    )  # (T, 2) x, y at the times of `pose_speed`: of the device behind the windscreen, in a map
    radar_gap: Series  # m to the nearest radar track straight ahead, NaN where there is none
    engaged: int | None


def read_car(reader: BagReader) -> RecordedCar:
    """All signals of a bag. Raises BagError where speed, steering or IMU are missing."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    times: dict[str, list[int]] = {}
    for topic, time, message in _messages(reader, _VALUES):
        times.setdefault(topic, []).append(time)
        rows.setdefault(topic, []).append(_VALUES[topic](message))

    def series(topic: str, column: int = 0) -> Series:
        time = np.array(times.get(topic, ()), np.int64)
        return Series(time=time, value=np.array([row[column] for row in rows.get(topic, ())]))

    for topic in (SPEED, STEERING_WHEEL, IMU):
        if len(times.get(topic, ())) < 2:
            raise BagError(f"{reader.path}: holds too few messages of /{topic} to be a drive")
    acceleration, steering = series(ACCELERATION_COMMAND), series(STEERING_COMMAND)
    began = [command.time[command.value != 0.0] for command in (acceleration, steering)]
    return RecordedCar(
        speed=series(SPEED),
        steering_wheel=series(STEERING_WHEEL),
        yaw_rate=series(IMU),
        acceleration_command=acceleration,
        steering_command=steering,
        pose_speed=series(POSE),
        pose=np.stack((series(POSE, 1).value, series(POSE, 2).value), axis=-1),
        radar_gap=series(RADAR),
        engaged=min((int(time[0]) for time in began if len(time)), default=None),
    )


class CommaCar:
    """The adapter."""

    title: str = "a car with openpilot (comma2k19)"
    topics: Mapping[str, str] = {
        SPEED: "geometry_msgs/msg/TwistStamped",
        STEERING_WHEEL: "std_msgs/msg/Float64",
        IMU: "sensor_msgs/msg/Imu",
        RADAR: "radar_msgs/msg/RadarTracks",
    }
    withheld: tuple[str, ...] = ("detection", "supervision")
    notes: tuple[str, ...] = (
        "the bag holds no images and no lane marks: the lane is laid along the path that the car drove, smoothed",
        "other cars are seen by radar alone, without a camera",
        "the mode is given, not decided: active while openpilot drove",
    )

    def sources(self, reader: BagReader, vehicle: Vehicle) -> list[tuple[str, Message]]:
        """Vehicle state at 50 Hz, radar returns as the radar's front sensor of `vehicle` would report them, the mode."""
        car = read_car(reader)
        first = int(max(car.speed.time[0], car.steering_wheel.time[0], car.yaw_rate.time[0]))
        last = int(min(car.speed.time[-1], car.steering_wheel.time[-1], car.yaw_rate.time[-1]))
        if last - first < SHORTEST * 1e9:
            raise BagError(f"{reader.path}: only {(last - first) * 1e-9:.1f} s with speed, steering and IMU")
        messages: list[tuple[str, Message]] = list(_vehicle_states(car, np.arange(first, last, STATE_PERIOD)))
        messages += _modes(car, np.arange(first, last, MODE_PERIOD))
        messages += _radar_returns(reader, vehicle)
        messages += _lane_marks(car, vehicle)
        return sorted(messages, key=lambda item: item[1].stamp)  # type: ignore[attr-defined]


def _vehicle_states(car: RecordedCar, times: np.ndarray) -> Iterator[tuple[str, Message]]:
    angle = _integral(car.yaw_rate)
    yaw_rate = (angle.at(times) - angle.at(times - round(GYRO_WINDOW * 1e9))) / GYRO_WINDOW
    speed = car.speed.at(times)
    since = np.minimum(SPEED_WINDOW, np.maximum((times - car.speed.time[0]) * 1e-9, 0.02))
    acceleration = (speed - car.speed.at(times - (since * 1e9).astype(np.int64))) / since
    steering = car.steering_wheel.at(times) / STEERING_RATIO
    set_speed = float(car.speed.at(np.array([times[-1] if car.engaged is None else car.engaged]))[0])
    for row, time in enumerate(times.tolist()):
        yield (
            "vehicle_state",
            VehicleState(
                stamp=to_seconds(time),
                valid=True,
                speed=float(speed[row]),
                acceleration=float(acceleration[row]),
                lateral_acceleration=float(speed[row] * yaw_rate[row]),
                yaw_rate=float(yaw_rate[row]),
                steering_angle=float(steering[row]),
                gear=Gear.DRIVE,
                indicator=Side.NONE,
                driver=_driver(set_speed),
            ),
        )


def _driver(set_speed: float) -> DriverInput:
    """Hands on the wheel, no pedal: the bag does not tell."""
    return DriverInput(
        accelerator=0.0,
        brake=0.0,
        steering_torque=0.0,
        hands_on=True,
        eyes_on=True,
        engage=False,
        cancel=False,
        lane_change=Side.NONE,
        set_speed=set_speed,
        time_gap=TIME_GAP,
    )


def _integral(rate: Series) -> Series:
    """Integral over time, trapezoids."""
    steps = 0.5 * (rate.value[1:] + rate.value[:-1]) * np.diff(rate.time) * 1e-9
    return Series(time=rate.time, value=np.concatenate(((0.0,), np.cumsum(steps))))


def _modes(car: RecordedCar, times: np.ndarray) -> Iterator[tuple[str, Message]]:
    for time in times.tolist():
        active = car.engaged is not None and time >= car.engaged
        mode = DriveMode.ACTIVE if active else DriveMode.STANDBY
        reason = "given: openpilot drives" if active else "given: the driver drives"
        yield "mode", Mode(stamp=to_seconds(time), mode=mode, reason=reason, warning=0)


def _radar_returns(reader: BagReader, vehicle: Vehicle) -> Iterator[tuple[str, Message]]:
    """Tracks as polar returns; what lies farther than the vehicle's own radar sees is left out."""
    index = next((i for i in vehicle.fitted(SensorKind.RADAR) if abs(vehicle.sensors[i].yaw) < 0.1), None)
    if index is None:
        raise BagError(f"{reader.path}: has the tracks of a front radar, and {vehicle.name} has none")
    for _, time, message in _messages(reader, (RADAR,)):
        returns = polar(message.tracks)
        rows = returns[(returns[:, 0] > 0.0) & (returns[:, 0] < vehicle.sensors[index].range)]
        yield (
            "radar_returns",
            RadarReturns(
                stamp=to_seconds(time),
                sensors=np.array([index]),
                sensor=np.full(len(rows), index),
                range=rows[:, 0],
                azimuth=rows[:, 1],
                range_rate=rows[:, 2],
                cross_section=np.full(len(rows), CROSS_SECTION),
            ),
        )


def _lane_marks(car: RecordedCar, vehicle: Vehicle) -> Iterator[tuple[str, Message]]:
    """The lane in place of the camera's, where there is a ground truth and a camera that looks ahead."""
    index = next((i for i in vehicle.fitted(SensorKind.CAMERA) if abs(vehicle.sensors[i].yaw) < 0.1), None)
    if index is not None and len(car.pose) > 1:
        for marks in lane_marks(car.pose_speed.time, car.pose, index, DEVICE_AHEAD):
            yield "lane_marks", marks


def polar(tracks: Any) -> np.ndarray:
    """Range, azimuth and range rate (N, 3) of tracks with relative positions and velocities."""
    values = [(t.position.x, t.position.y, t.velocity.x, t.velocity.y) for t in tracks]
    x, y, velocity_x, velocity_y = np.array(values, float).reshape(-1, 4).T
    distance = np.hypot(x, y)
    rate = (x * velocity_x + y * velocity_y) / np.maximum(distance, 1e-9)
    return np.stack((distance, np.arctan2(y, x), rate), axis=-1)


def _pose(message: Any) -> tuple[float, float, float]:
    """Horizontal speed, x and y of the ground truth. (Its yaw is the device's, which is not mounted straight.)"""
    velocity, position = message.twist.twist.linear, message.pose.pose.position
    return float(np.hypot(velocity.x, velocity.y)), position.x, position.y


def _nearest(tracks: Any) -> float:
    """Distance of the nearest track straight ahead (m), NaN without one; standing things beside the road are farther aside."""
    ahead = [t.position.x for t in tracks if abs(t.position.y) < STRAIGHT_AHEAD and t.position.x > 0.0]
    return min(ahead, default=float("nan"))


_VALUES: Mapping[str, Any] = {
    SPEED: lambda message: (message.twist.linear.x,),
    STEERING_WHEEL: lambda message: (np.deg2rad(message.data),),
    IMU: lambda message: (message.angular_velocity.z,),
    ACCELERATION_COMMAND: lambda message: (message.data,),
    STEERING_COMMAND: lambda message: (message.data,),
    POSE: _pose,
    RADAR: lambda message: (_nearest(message.tracks),),
}


def _messages(reader: BagReader, topics: Any) -> Iterator[tuple[str, int, Any]]:
    """Topic, time (ns) and message of the topics that the bag holds, in order of recording."""
    store, wanted = type_store(), [topic for topic in topics if topic in reader.types]
    for record in reader.raw(wanted):
        yield record.topic, record.log_time, store.deserialize_cdr(record.data, record.type_name)


@cache
def type_store() -> Typestore:
    """The standard types of ROS 2 and those of radar_msgs."""
    store = get_typestore(Stores.ROS2_KILTED)
    for name, definition in (("RadarTrack", RADAR_TRACK), ("RadarTracks", RADAR_TRACKS)):
        store.register(get_types_from_msg(definition, f"radar_msgs/msg/{name}"))
    return store
