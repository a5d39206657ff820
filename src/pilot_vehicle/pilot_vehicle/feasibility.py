"""Cross checks of a vehicle's files: values that are each in range but cannot be true, or safe, together.

Every rule is a formula; what breaks it is a ConfigError that names file, key and rule, before anything starts.
"""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

from pilot_common.errors import ConfigError
from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_common.vehicle import PowertrainKind, Vehicle, load_vehicle
from pilot_vehicle.equipment import Broken, capability_rules, sensor_rules, speed_rules
from pilot_vehicle.steady_turn import SteadyTurn, understeer_gradient

INERTIA_SHARE = (1 / 40, 1 / 4)  # of m r², r the diagonal of the outline; a homogeneous box has 1/12
GRIP_RESERVE = 0.6  # share of the grip that a lateral limit may use: a wet road has about this
WIDEST_TURN = 15.0  # m, radius of the rear axle's path at full lock
LEAST_LATERAL_ACCELERATION = 0.8  # m/s², UN R79 category B1 at 100 to 130 km/h
HANDLING_SPEED = 10.0  # m/s, at which steering angle and rate must suffice for the lateral limits
MAX_SPEED_GRADE = 0.02  # slope on which the highest speed must hold
LEAST_CORNER_SPEED = 3.0  # m/s, from which on at the earliest power instead of torque is the limit


def load_checked_vehicle(name: str, config: Path) -> Vehicle:
    """The vehicle `config/vehicles/<name>/`, feasible. Raises ConfigError."""
    vehicle = load_vehicle(name, config)
    check_feasible(vehicle, config / "vehicles" / name)
    return vehicle


def check_feasible(vehicle: Vehicle, folder: Path | None = None) -> None:
    """Raises ConfigError for the first rule that the vehicle breaks."""
    place = folder or Path("config", "vehicles", vehicle.name)
    for file, key, rule in findings(vehicle):
        raise ConfigError(place / file, key, rule)


def findings(vehicle: Vehicle) -> Iterator[tuple[str, str, str]]:
    """File, key and rule of all that the vehicle breaks."""
    for rules in (_geometry, _brakes, _powertrain, _kind, _steering, speed_rules, capability_rules):
        for key, rule in rules(vehicle):
            yield "facts.yaml", key, rule
    for key, rule in sensor_rules(vehicle):
        yield "sensors.yaml", key, rule


def _geometry(vehicle: Vehicle) -> Broken:
    dimensions, body = vehicle.facts.dimensions, vehicle.facts.body
    if not dimensions.wheelbase < dimensions.rear_axle_to_front < dimensions.length:
        inside = f"the wheelbase ({dimensions.wheelbase:g} m) and the length ({dimensions.length:g} m)"
        yield "dimensions.rear_axle_to_front", f"must lie between {inside}: the axles are inside the body"
    if not 0.2 * dimensions.wheelbase <= body.front_axle_to_centre <= 0.8 * dimensions.wheelbase:
        yield "body.front_axle_to_centre", "must lie between 0.2 and 0.8 of the wheelbase"
    if body.centre_height > 0.6 * dimensions.height:
        yield "body.centre_height", f"must be at most 0.6 of the height ({0.6 * dimensions.height:.2f} m)"
    square = body.mass * (dimensions.length**2 + dimensions.width**2)
    low, high = (share * square for share in INERTIA_SHARE)
    if not low <= body.yaw_inertia <= high:
        yield (
            "body.yaw_inertia",
            f"of this mass and outline must lie in [{low:.0f}, {high:.0f}] kg m² (m r² / 40 to / 4)",
        )


def _brakes(vehicle: Vehicle) -> Broken:
    limits, actuators = vehicle.facts.limits, vehicle.facts.actuators
    grip = vehicle.facts.body.friction * GRAVITY
    for key in ("comfort_deceleration", "minimum_risk_deceleration"):
        if getattr(limits, key) >= limits.max_deceleration:
            yield f"limits.{key}", f"must be below max_deceleration ({limits.max_deceleration:g} m/s²)"
    if limits.max_jerk >= limits.max_emergency_jerk:
        yield "limits.max_jerk", f"must be below max_emergency_jerk ({limits.max_emergency_jerk:g} m/s³)"
    if limits.max_deceleration > actuators.max_deceleration:
        yield "limits.max_deceleration", f"the brakes give no more than {actuators.max_deceleration:g} m/s²"
    if actuators.max_deceleration > grip:
        yield "actuators.max_deceleration", f"the tyres hold no more than friction × g = {grip:.1f} m/s²"


def _powertrain(vehicle: Vehicle) -> Broken:
    powertrain, body, limits = vehicle.facts.powertrain, vehicle.facts.body, vehicle.facts.limits
    if limits.max_acceleration > powertrain.max_acceleration:
        yield (
            "limits.max_acceleration",
            f"the powertrain gives no more than {powertrain.max_acceleration:g} m/s²",
        )
    if powertrain.max_acceleration > body.friction * GRAVITY:
        grip = body.friction * GRAVITY
        yield "powertrain.max_acceleration", f"the tyres hold no more than friction × g = {grip:.1f} m/s²"
    drag = 0.5 * AIR_DENSITY * body.drag_area * limits.max_speed**2
    needed = limits.max_speed * (drag + body.mass * GRAVITY * (body.rolling_resistance + MAX_SPEED_GRADE))
    if powertrain.max_power < needed:
        hold = f"{limits.max_speed * 3.6:.0f} km/h on a slope of {MAX_SPEED_GRADE * 100:.0f} %"
        power = f"{powertrain.max_power / 1e3:.0f} kW"
        yield (
            "powertrain.max_power",
            f"{power} are too little: {hold} takes {needed / 1e3:.0f} kW (v (drag + rolling + slope))",
        )
    corner = powertrain.max_power / (body.mass * powertrain.max_acceleration)
    if corner < LEAST_CORNER_SPEED:
        ends = f"the power is used up at P / (m a) = {corner:.1f} m/s"
        yield (
            "powertrain.max_acceleration",
            f"{ends}, must last to {LEAST_CORNER_SPEED:g} m/s: too much for power and mass",
        )


def _kind(vehicle: Vehicle) -> Broken:
    powertrain = vehicle.facts.powertrain
    shifts = powertrain.shift_speeds
    if powertrain.kind is PowertrainKind.COMBUSTION:
        if powertrain.regeneration > 0.0:
            yield "powertrain.regeneration", "must be 0: a combustion car recovers nothing"
        if bool(shifts) != (powertrain.shift_time > 0.0):
            yield "powertrain.shift_time", "must be positive exactly where there are shift_speeds"
        if any(after <= before for before, after in itertools.pairwise(shifts)):
            yield "powertrain.shift_speeds", "must increase"
        if shifts and powertrain.creep_speed >= shifts[0]:
            yield "powertrain.creep_speed", f"must lie below the first shift ({shifts[0]:g} m/s)"
        return
    if shifts:
        yield "powertrain.shift_speeds", "must be empty: only combustion cars shift gears"
    for key in ("shift_time", "engine_braking", "creep_speed"):
        if getattr(powertrain, key) > 0.0:
            yield f"powertrain.{key}", "must be 0: it is of combustion cars only"


def _steering(vehicle: Vehicle) -> Broken:
    facts = vehicle.facts
    actuators, limits, turn = facts.actuators, facts.limits, SteadyTurn(facts)
    if understeer_gradient(facts) < 0.0:
        yield (
            "body.rear_cornering_stiffness",
            "must not be below the front one: an oversteering car is unstable at speed",
        )
        return
    radius = facts.dimensions.wheelbase / math.tan(actuators.max_steering_angle)
    if radius > WIDEST_TURN:
        yield (
            "actuators.max_steering_angle",
            f"turns no tighter than l / tan δ = {radius:.0f} m, must reach {WIDEST_TURN:g} m",
        )
    reached = turn.lateral_acceleration(actuators.max_steering_angle, HANDLING_SPEED)
    if limits.max_lateral_acceleration > reached:
        most = f"the largest steering angle gives {reached:.1f} m/s² at {HANDLING_SPEED:g} m/s"
        yield "limits.max_lateral_acceleration", f"is out of reach: {most}"
    reserve = GRIP_RESERVE * facts.body.friction * GRAVITY
    if not LEAST_LATERAL_ACCELERATION <= limits.max_lateral_acceleration <= reserve:
        low = f"{LEAST_LATERAL_ACCELERATION} m/s² (UN R79)"
        yield (
            "limits.max_lateral_acceleration",
            f"must lie between {low} and {GRIP_RESERVE} of friction × g ({reserve:.1f} m/s²)",
        )
    square = HANDLING_SPEED**2
    needed = limits.max_lateral_jerk * (turn.wheelbase + turn.gradient * square) / square
    if actuators.max_steering_rate < needed:
        rate = f"j (l + K v²) / v² = {needed:.2f} rad/s at {HANDLING_SPEED:g} m/s"
        yield "actuators.max_steering_rate", f"must reach max_lateral_jerk: {rate}"
