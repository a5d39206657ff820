"""The part of the vocabulary that comes from outside: what the car's own bus and its sensors say, and what detection makes of it.

Conventions and letters are those of `types.py`, from where all of it can be had.
"""

from dataclasses import dataclass
from typing import ClassVar

from pilot_common.enumerations import Gear, Side
from pilot_common.messages import (
    Boxes,
    Codes,
    Flags,
    LineCodes,
    LinePoints,
    MarkCodes,
    MarkCubics,
    MarkRanges,
    MarkVector,
    Matrices2,
    Message,
    Points3,
    SensorCodes,
    Stamp,
    Vector,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverInput(Message):
    """What the driver does: pedals in [0, 1], hand torque, buttons (true while pressed), lever, wishes."""

    accelerator: float
    brake: float
    steering_torque: float  # N·m at the steering wheel, left positive
    hands_on: bool
    eyes_on: bool
    engage: bool
    cancel: bool
    lane_change: Side  # confirmed wish, while the lever is held or the button pressed
    set_speed: float  # m/s
    time_gap: float  # s


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState(Message):
    """What the car's own bus says of it."""

    stamp: Stamp
    valid: bool
    speed: float  # m/s, at the rear axle, negative in reverse
    acceleration: float  # m/s², longitudinal
    lateral_acceleration: float  # m/s²
    yaw_rate: float
    steering_angle: float  # at the road wheels
    gear: Gear
    indicator: Side
    driver: DriverInput


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraObjects(Message):
    """Boxes and lane marks in the image, of all cameras that were exposed at `stamp`.

    `box_px` is left, top, right, bottom in pixels of camera `sensor` (index into the vehicle's sensors). Lane marks are points
    along each line: point q lies on mark `line_mark[q]` of camera `line_sensor[q]`.
    """

    FRAME: ClassVar[str] = "camera_optical"
    stamp: Stamp
    sensors: SensorCodes
    sensor: Codes
    box_px: Boxes
    class_id: Codes
    score: Vector
    line_sensor: LineCodes
    line_mark: LineCodes
    line_point_px: LinePoints
    mark_kind: MarkCodes
    mark_score: MarkVector


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarReturns(Message):
    """Returns of all radars that measured at `stamp`, polar in the frame of each (index into the vehicle's sensors)."""

    FRAME: ClassVar[str] = "radar"
    stamp: Stamp
    sensors: SensorCodes
    sensor: Codes
    range: Vector
    azimuth: Vector
    range_rate: Vector  # m/s, relative to the sensor, negative when closing
    cross_section: Vector  # dB m²


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections(Message):
    """Objects seen by one kind of sensor. `position` is the centre of the box on its base plane's height, `heading` its x axis.

    `extent` is length, width, height; where `extent_valid` is false only the near face was seen and `position` is its centre.
    """

    stamp: Stamp
    sensors: SensorCodes
    sensor: Codes
    class_id: Codes
    score: Vector
    position: Points3
    position_covariance: Matrices2
    heading: Vector
    heading_valid: Flags
    extent: Points3
    extent_valid: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneMarks(Message):
    """Lines on the road: y = c0 + c1 x + c2 x² + c3 x³ for x within `view`, with a standard deviation per coefficient."""

    stamp: Stamp
    sensors: SensorCodes
    coefficients: MarkCubics
    deviation: MarkCubics
    view: MarkRanges
    kind: MarkCodes
    score: MarkVector
