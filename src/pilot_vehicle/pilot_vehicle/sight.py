"""How far a car sees ahead and behind, and how fast that lets it drive.

A speed v is safe when a standing obstacle that appears at the end of sight can be stopped for without an emergency:

    v t_reaction + v² / (2 a) + standstill gap ≤ sight
"""

import math

from pilot_common.vehicle import Sensor, SensorKind, Vehicle

SEEING = (SensorKind.CAMERA, SensorKind.RADAR, SensorKind.LIDAR)
CONFIRMATION = 0.3  # s: six measurements at 20 Hz before an obstacle is acted on
STANDSTILL_GAP = 3.0  # m left in front of the obstacle
NEXT_LANE = (math.radians(115.0), math.radians(170.0))  # from the blind spot to 20 m and more behind
AHEAD = math.radians(10.0)  # a curve of 500 m radius lies within this up to 170 m ahead


def sight_distance(vehicle: Vehicle, kinds: tuple[SensorKind, ...] = SEEING) -> float:
    """Distance from the front bumper at which the farthest-seeing front sensor of some kinds reports an object (0: none)."""
    bumper = vehicle.facts.dimensions.rear_axle_to_front
    return max(
        (s.position[0] + s.range - bumper for s in vehicle.sensors if s.kind in kinds and _sees(s, 0.0)),
        default=0.0,
    )


def second_sight_distance(vehicle: Vehicle) -> float:
    """The same for the second-best kind of sensor: what is still seen when the best one fails."""
    return sorted(sight_distance(vehicle, (kind,)) for kind in SEEING)[-2]


def rear_sight_distance(vehicle: Vehicle, side: int) -> float:
    """Distance behind the rear bumper to which a sensor sees the whole next lane on one side (1 left, −1 right)."""
    dimensions = vehicle.facts.dimensions
    bumper = dimensions.rear_axle_to_front - dimensions.length
    looking = (
        sensor
        for sensor in vehicle.sensors
        if sensor.kind in SEEING and all(_sees(sensor, side * direction) for direction in NEXT_LANE)
    )
    return max((sensor.range + bumper - sensor.position[0] for sensor in looking), default=0.0)


def reaction_time(vehicle: Vehicle) -> float:
    """From first measurement to half of the deceleration: sensor, confirmation, brake dead time and lag."""
    latency = max((s.latency for s in vehicle.sensors if s.kind in SEEING and _sees(s, 0.0)), default=0.0)
    actuators = vehicle.facts.actuators
    return latency + CONFIRMATION + actuators.brake_delay + actuators.brake_time_constant


def stopping_distance(vehicle: Vehicle, speed: float, deceleration: float, jerk: float) -> float:
    """Distance to rest from `speed`, with the deceleration built up at `jerk` (which costs a / 2j at full speed)."""
    delay = reaction_time(vehicle) + deceleration / (2.0 * jerk)
    return speed * delay + speed * speed / (2.0 * deceleration) + STANDSTILL_GAP


def _fastest(vehicle: Vehicle, sight: float, deceleration: float, jerk: float) -> float:
    """The speed whose stopping distance is `sight`."""
    delay = reaction_time(vehicle) + deceleration / (2.0 * jerk)
    room = max(0.0, sight - STANDSTILL_GAP)
    return deceleration * (math.sqrt(delay * delay + 2.0 * room / deceleration) - delay)


def derived_max_speed(vehicle: Vehicle) -> float:
    """Highest speed that sight allows.

    With all sensors a planned stop must do, at the deceleration of a minimum-risk stop; with the best kind gone, an
    emergency stop.
    """
    limits = vehicle.facts.limits
    planned = _fastest(vehicle, sight_distance(vehicle), limits.minimum_risk_deceleration, limits.max_jerk)
    emergency = _fastest(
        vehicle, second_sight_distance(vehicle), limits.max_deceleration, limits.max_emergency_jerk
    )
    return min(planned, emergency)


def _sees(sensor: Sensor, direction: float) -> bool:
    """Whether a sensor looks at `direction`, straight ahead with a margin for curves."""
    turn = abs(math.remainder(direction - sensor.yaw, 2.0 * math.pi))
    return turn + (AHEAD if direction == 0.0 else 0.0) <= 0.5 * sensor.field_of_view
