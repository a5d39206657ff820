"""Where the ego is between two ticks, for sensors that measure there."""

from pilot_common.geometry import wrap
from pilot_simulation.road import Place
from pilot_vehicle.model import MotionState


def motion_between(one: MotionState, other: MotionState, share: float) -> MotionState:
    """Linear: within a tick the path is straight to a millimetre."""
    if share >= 1.0:
        return other
    return MotionState(
        x=one.x + share * (other.x - one.x),
        y=one.y + share * (other.y - one.y),
        yaw=wrap(one.yaw + share * wrap(other.yaw - one.yaw)),
        speed=one.speed + share * (other.speed - one.speed),
        acceleration=one.acceleration + share * (other.acceleration - one.acceleration),
        lateral_acceleration=one.lateral_acceleration
        + share * (other.lateral_acceleration - one.lateral_acceleration),
        yaw_rate=one.yaw_rate + share * (other.yaw_rate - one.yaw_rate),
        slip_angle=other.slip_angle,
        steering_angle=one.steering_angle + share * (other.steering_angle - one.steering_angle),
        gear=other.gear,
    )


def place_between(one: Place, other: Place, share: float) -> Place:
    """Linear, too."""
    return Place(
        one.station + share * (other.station - one.station),
        one.offset + share * (other.offset - one.offset),
        one.heading + share * (other.heading - one.heading),
        one.curvature + share * (other.curvature - one.curvature),
    )
