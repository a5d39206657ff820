"""Parameters of the controller; base values: `config/parameters/control.yaml`. Delays and limits of a car are in its facts."""

from dataclasses import dataclass

from pilot_common.schema import parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class LateralParameters:
    """Weights of the steering controller: what counts as one unit of each (Bryson's rule)."""

    lateral_error: float = parameter("m", 0.01, 1.0, "distance from the path that counts like the others")
    largest_error: float = parameter(
        "m", 0.1, 2.0, "distance up to which steering grows with it; beyond it would swing against its limits"
    )
    course_error: float = parameter(
        "rad", 0.001, 0.2, "direction of travel against the path that counts like the others"
    )
    lateral_jerk: float = parameter("m/s³", 0.1, 10.0, "of steering that counts like the others")
    preview: float = parameter("s", 0.3, 3.0, "curvature ahead is regarded this long")
    integral: float = parameter("1/s³", 0.0, 2.0, "lateral acceleration a second per metre of lasting error")
    integral_limit: float = parameter("rad", 0.0, 0.1, "of the steering offset learned so")
    integral_speed: float = parameter("m/s", 1.0, 20.0, "below, nothing is learned or observed")
    observer_time: float = parameter("s", 0.1, 10.0, "in which a steering offset is found from the yaw rate")
    offset_limit: float = parameter("rad", 0.0, 0.1, "of the steering offset found so")
    standing_speed: float = parameter("m/s", 0.05, 1.0, "below, the steering stays where it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class LongitudinalParameters:
    """Speed tracking, stop and hold."""

    proportional: float = parameter("1/s", 0.0, 3.0, "acceleration per speed error")
    integral: float = parameter("1/s²", 0.0, 1.0, "acceleration a second per speed error")
    integral_limit: float = parameter("m/s²", 0.0, 2.0, "of what is learned (slope, drag, load)")
    hold_deceleration: float = parameter(
        "m/s²", 0.5, 3.0, "requested at a stand and for the last decimetres before it"
    )
    hold_speed: float = parameter("m/s", 0.05, 1.0, "below, a plan that stands is held")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlParameters:
    """`config/parameters/control.yaml`."""

    period: float = parameter("s", 0.005, 0.05, "between commands, as the vehicle state comes")
    transport: float = parameter(
        "s", 0.0, 0.05, "from vehicle state to actuator beside the actuator's own delay"
    )
    memory: float = parameter("s", 0.3, 3.0, "of motion, to bring plans to the present")
    state_age: float = parameter(
        "s", 0.02, 0.5, "without a sound vehicle state, before commands become invalid"
    )
    lateral: LateralParameters
    longitudinal: LongitudinalParameters
