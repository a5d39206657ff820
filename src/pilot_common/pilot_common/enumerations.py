"""The closed lists of the vocabulary; a message carries them as `uint8`, with a constant for each value."""

from enum import IntEnum


class ObjectClass(IntEnum):
    """What a road user or obstacle is."""

    UNKNOWN = 0
    CAR = 1
    TRUCK = 2
    TWO_WHEELER = 3
    PEDESTRIAN = 4


class MarkKind(IntEnum):
    """Painted line or physical edge that bounds a lane."""

    UNKNOWN = 0
    DASHED = 1
    SOLID = 2
    ROAD_EDGE = 3


class Gear(IntEnum):
    """Selector position."""

    PARK = 0
    REVERSE = 1
    NEUTRAL = 2
    DRIVE = 3


class Side(IntEnum):
    """Left or right, of lane changes and indicators."""

    NONE = 0
    LEFT = 1
    RIGHT = 2


class DriveMode(IntEnum):
    """Who drives, and how."""

    OFF = 0
    STANDBY = 1
    ACTIVE = 2
    OVERRIDE = 3
    TAKEOVER = 4  # the system still drives and demands that the driver takes over
    MINIMUM_RISK = 5  # the system stops the car in its lane

    @property
    def system_drives(self) -> bool:
        """Whether the system's commands move the car, so that the gate lets them pass."""
        return self in (DriveMode.ACTIVE, DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK)


class Manoeuvre(IntEnum):
    """What the plan is doing."""

    NONE = 0
    CRUISE = 1
    FOLLOW = 2
    STOP = 3
    LANE_CHANGE_LEFT = 4
    LANE_CHANGE_RIGHT = 5
    EMERGENCY_BRAKE = 6
    MINIMUM_RISK = 7
    EVADE = 8


class Limit(IntEnum):
    """Which bound of the command gate acted."""

    NONE = 0
    STALE_COMMAND = 1
    MODE = 2
    STEERING_ANGLE = 3
    STEERING_RATE = 4
    LATERAL_ACCELERATION = 5
    LATERAL_JERK = 6
    ACCELERATION = 7
    DECELERATION = 8
    JERK = 9
    INVALID_COMMAND = 10
    OVERRIDE = 11
