"""Cross checks of what a car sees with: speed against sight, capabilities against equipment, sensors against the body."""

import math
from collections.abc import Iterator

from pilot_common.regulation import rear_distance
from pilot_common.vehicle import Capability, Sensor, SensorKind, Vehicle
from pilot_vehicle import sight

IMAGE_TOLERANCE = math.radians(2.0)
SMALLEST_CAR_PX = 8.0  # width in the image at which a network still finds a car
CAR_WIDTH = 1.8  # m
MIRROR = 0.15  # m that mirrors, and cameras in them, stand out
LONGEST_LATENCY = 3.0  # measurements
FASTER_TRAFFIC = 50.0 / 3.6  # m/s, by which traffic behind is faster that a lane change must see coming
BASES = ((Capability.LANE_CHANGE, Capability.SINGLE_LANE), (Capability.NAVIGATION, Capability.LANE_CHANGE))
L3_EQUIPMENT = (SensorKind.LIDAR, SensorKind.DRIVER_CAMERA)
PARKING = (Capability.PARKING_ASSIST, Capability.REMOTE_PARKING, Capability.VALET_PARKING)

Broken = Iterator[tuple[str, str]]  # key and rule


def speed_rules(vehicle: Vehicle) -> Broken:
    """Speed against sight (`sight.py`)."""
    limits, fastest = vehicle.facts.limits, sight.derived_max_speed(vehicle)
    if limits.max_speed <= fastest:
        return
    speed, far, second = limits.max_speed, sight.sight_distance(vehicle), sight.second_sight_distance(vehicle)
    planned = sight.stopping_distance(vehicle, speed, limits.minimum_risk_deceleration, limits.max_jerk)
    urgent = sight.stopping_distance(vehicle, speed, limits.max_deceleration, limits.max_emergency_jerk)
    needs = f"a stop at {limits.minimum_risk_deceleration:g} m/s² takes {planned:.0f} m, the front sensors see {far:.0f} m"
    worst = (
        f"in an emergency without the best of them {urgent:.0f} m, the second-best kind sees {second:.0f} m"
    )
    rule = (
        f"{speed * 3.6:.0f} km/h is too fast: {needs}; {worst}; that is enough for {fastest * 3.6:.0f} km/h"
    )
    yield "limits.max_speed", rule


def capability_rules(vehicle: Vehicle) -> Broken:
    """Each capability against what it builds on and needs to see."""
    has = set(vehicle.facts.capabilities)
    for wish, base in BASES:
        if wish in has and base not in has:
            yield "capabilities", f"{wish.value} builds on {base.value}"
    if Capability.SINGLE_LANE in has and sight.sight_distance(vehicle, (SensorKind.CAMERA,)) <= 0.0:
        yield "capabilities", "single_lane needs a camera that looks ahead, for the lane marks"
    if Capability.LANE_CHANGE in has:
        yield from _lane_change_rules(vehicle)
    for kind in L3_EQUIPMENT:
        if Capability.MOTORWAY_L3 in has and not vehicle.fitted(kind):
            yield "capabilities", f"motorway_l3 needs a {kind.value}"
    around = vehicle.fitted(SensorKind.ULTRASONIC) or len(vehicle.fitted(SensorKind.CAMERA)) >= 4
    for parking in PARKING:
        if parking in has and not around:
            yield "capabilities", f"{parking.value} needs ultrasonics or four cameras around the car"


def _lane_change_rules(vehicle: Vehicle) -> Broken:
    slower = max(0.0, vehicle.facts.limits.max_speed - FASTER_TRAFFIC)
    needed = rear_distance(slower, slower + FASTER_TRAFFIC)
    for side, name in ((1, "left"), (-1, "right")):
        seen = max(0.0, sight.rear_sight_distance(vehicle, side))
        if seen < needed:
            why = "UN R79 with traffic 50 km/h faster"
            yield (
                "capabilities",
                f"lane_change needs {needed:.0f} m of sight behind, {name} ({why}), not {seen:.0f} m",
            )


def sensor_rules(vehicle: Vehicle) -> Broken:
    """Every sensor against the body and against itself."""
    for index, sensor in enumerate(vehicle.sensors):
        for key, rule in (*_mount_rules(vehicle, sensor), *_image_rules(sensor)):
            yield f"sensors[{index}].{key}", f"{sensor.name}: {rule}"


def _mount_rules(vehicle: Vehicle, sensor: Sensor) -> Broken:
    dimensions = vehicle.facts.dimensions
    x, y, z = sensor.position
    along = dimensions.rear_axle_to_front - dimensions.length <= x <= dimensions.rear_axle_to_front
    if not (along and abs(y) <= 0.5 * dimensions.width + MIRROR and 0.0 < z <= dimensions.height + MIRROR):
        yield "position", f"({x:g}, {y:g}, {z:g}) m is not on the car"
    if sensor.latency * sensor.rate > LONGEST_LATENCY:
        yield "latency", f"{sensor.latency * 1e3:.0f} ms is more than {LONGEST_LATENCY:g} measurements late"


def _image_rules(sensor: Sensor) -> Broken:
    if sensor.image is None:
        return
    view = 2.0 * math.atan(0.5 * sensor.image.width_px / sensor.image.focal_length_px)
    if abs(view - sensor.field_of_view) > IMAGE_TOLERANCE:
        given, true = math.degrees(sensor.field_of_view), math.degrees(view)
        yield "field_of_view", f"{given:.1f}° does not fit the image: 2 atan(width / 2 f) = {true:.1f}°"
    pixels = sensor.image.focal_length_px * CAR_WIDTH / sensor.range
    if pixels < SMALLEST_CAR_PX:
        yield "range", f"a car there is {pixels:.1f} px wide, a network needs {SMALLEST_CAR_PX:g}"
