"""Writes a small bag as a car with openpilot leaves one: straight on at 15 m/s, a slower car 40 m ahead, engaged at 2 s."""

from pathlib import Path

import numpy as np
from rosbags.rosbag2 import Writer

from pilot_evaluation.importers.comma import (
    ACCELERATION_COMMAND,
    IMU,
    POSE,
    RADAR,
    SPEED,
    STEERING_COMMAND,
    STEERING_WHEEL,
    type_store,
)

START = 1_500_000_000 * 1_000_000_000
SECONDS, SPEED_VALUE, LEAD_SPEED, ENGAGED = 6.0, 15.0, 13.0, 2.0
STORE = type_store()


def kind(name: str) -> type:
    return STORE.types[name]


def vector(x: float = 0.0, y: float = 0.0, z: float = 0.0, name: str = "Vector3") -> object:
    return kind(f"geometry_msgs/msg/{name}")(x=x, y=y, z=z)


def header(time: int) -> object:
    stamp = kind("builtin_interfaces/msg/Time")(sec=time // 10**9, nanosec=time % 10**9)
    return kind("std_msgs/msg/Header")(stamp=stamp, frame_id="base_link")


def twist(speed: float) -> object:
    return kind("geometry_msgs/msg/Twist")(linear=vector(x=speed), angular=vector())


def track(x: float, y: float, relative: float) -> object:
    nothing = np.zeros(6, np.float32)
    return kind("radar_msgs/msg/RadarTrack")(
        uuid=kind("unique_identifier_msgs/msg/UUID")(uuid=np.zeros(16, np.uint8)),
        position=vector(x, y, name="Point"),
        velocity=vector(relative),
        acceleration=vector(),
        size=vector(),
        classification=0,
        position_covariance=nothing,
        velocity_covariance=nothing,
        acceleration_covariance=nothing,
        size_covariance=nothing,
    )


def messages(time: float) -> dict[str, tuple[str, float, object]]:
    """Type, rate (Hz) and message of each topic at a time in seconds."""
    stamp, covariance = header(START + round(time * 1e9)), np.zeros(36)
    number = kind("std_msgs/msg/Float64")
    pose = kind("geometry_msgs/msg/Pose")(
        position=vector(SPEED_VALUE * time, name="Point"),
        orientation=kind("geometry_msgs/msg/Quaternion")(x=0.0, y=0.0, z=0.0, w=1.0),
    )
    odometry = kind("nav_msgs/msg/Odometry")(
        header=stamp,
        child_frame_id="camera_flu",
        pose=kind("geometry_msgs/msg/PoseWithCovariance")(pose=pose, covariance=covariance),
        twist=kind("geometry_msgs/msg/TwistWithCovariance")(twist=twist(SPEED_VALUE), covariance=covariance),
    )
    imu = kind("sensor_msgs/msg/Imu")(
        header=stamp,
        orientation=kind("geometry_msgs/msg/Quaternion")(x=0.0, y=0.0, z=0.0, w=1.0),
        orientation_covariance=np.zeros(9),
        angular_velocity=vector(z=0.0),
        angular_velocity_covariance=np.zeros(9),
        linear_acceleration=vector(z=9.81),
        linear_acceleration_covariance=np.zeros(9),
    )
    gap = 40.0 + (LEAD_SPEED - SPEED_VALUE) * time
    tracks = kind("radar_msgs/msg/RadarTracks")(
        header=stamp,
        tracks=[
            track(gap, 0.0, LEAD_SPEED - SPEED_VALUE),
            track(60.0 - SPEED_VALUE * time, 6.0, -SPEED_VALUE),
        ],
    )
    speed = kind("geometry_msgs/msg/TwistStamped")(header=stamp, twist=twist(SPEED_VALUE))
    return {
        SPEED: ("geometry_msgs/msg/TwistStamped", 80.0, speed),
        STEERING_WHEEL: ("std_msgs/msg/Float64", 80.0, number(data=0.0)),
        IMU: ("sensor_msgs/msg/Imu", 100.0, imu),
        RADAR: ("radar_msgs/msg/RadarTracks", 20.0, tracks),
        POSE: ("nav_msgs/msg/Odometry", 20.0, odometry),
        ACCELERATION_COMMAND: ("std_msgs/msg/Float64", 33.0, number(data=-0.3 if time >= ENGAGED else 0.0)),
        STEERING_COMMAND: ("std_msgs/msg/Float64", 100.0, number(data=0.0)),
    }


def write_comma_bag(folder: Path, seconds: float = SECONDS) -> Path:
    """The bag, its messages in order of time."""
    rows = []
    for topic, (type_name, rate, _) in messages(0.0).items():
        for index in range(int(seconds * rate)):
            rows.append((index / rate, topic, type_name))
    with Writer(folder, version=9) as writer:
        connections = {
            topic: writer.add_connection(f"/{topic}", type_name, typestore=STORE)
            for topic, (type_name, _, _) in messages(0.0).items()
        }
        for time, topic, type_name in sorted(rows):
            cdr = STORE.serialize_cdr(messages(time)[topic][2], type_name)
            writer.write(connections[topic], START + round(time * 1e9), cdr)
    return folder
