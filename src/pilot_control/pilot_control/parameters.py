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
    integral_across: float = parameter(
        "m/s²", 0.05, 2.0, "lateral acceleration from which a lasting error is rather laid to slip"
    )
    slip_time: float = parameter("s", 0.5, 30.0, "in which such slip is learned")
    slip_filter: float = parameter("s", 0.05, 5.0, "movements quicker than this teach nothing of it")
    slip_limit: float = parameter("rad s²/m", 0.0, 0.05, "of the slip learned so")
    integral_speed: float = parameter("m/s", 1.0, 20.0, "below, nothing is learned so")
    stability: float = parameter(
        "", 0.0, 0.9, "share of the wheelbase that oversteer must leave of it; else the car is slowed down"
    )
    standing_speed: float = parameter("m/s", 0.05, 1.0, "below, the steering stays where it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseParameters:
    """Online estimate of how the car answers its steering: what may be, how it may change, what is measured how well."""

    least_speed: float = parameter("m/s", 1.0, 20.0, "below, nothing is estimated")
    filter_time: float = parameter("s", 0.02, 1.0, "of the low pass that all signals go through")
    least_across: float = parameter(
        "m/s²", 0.05, 2.0, "lateral acceleration below which only the offset is estimated"
    )
    offset_deviation: float = parameter("rad", 0.0001, 0.05, "offset of the steering angle, at the beginning")
    offset_walk: float = parameter("rad/√s", 0.0, 0.01, "how it may wander")
    offset_limit: float = parameter("rad", 0.0, 0.1, "largest that is believed")
    gain_deviation: float = parameter("", 0.001, 0.5, "of true over reported angle, at the beginning")
    gain_walk: float = parameter("1/√s", 0.0, 0.2, "how it may wander")
    gain_recovery: float = parameter("1/s", 0.0, 1.0, "how it goes back to 1 where it is not told apart")
    gradient_deviation: float = parameter(
        "rad s²/m", 1e-5, 0.02, "of the understeer gradient, at the beginning"
    )
    gradient_walk: float = parameter("rad s²/m/√s", 0.0, 0.005, "how it may wander")
    angle_error: float = parameter("rad", 1e-5, 0.01, "of the reported angle, low-passed")
    model_error: float = parameter("", 0.0, 1.0, "share of the angle that the model leaves out")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveResponseParameters:
    """Online estimate of how the car answers a requested acceleration."""

    least_speed: float = parameter("m/s", 0.5, 10.0, "below, nothing is estimated")
    settling: float = parameter("s", 0.2, 5.0, "after which what is requested is what acts")
    gain_deviation: float = parameter("", 0.001, 0.5, "of drive and brakes, at the beginning")
    gain_walk: float = parameter("1/√s", 0.0, 0.2, "how they may wander")
    gain_recovery: float = parameter("1/s", 0.0, 1.0, "how they go back to 1 where they are not told apart")
    pull_deviation: float = parameter("m/s²", 0.001, 1.0, "of slope, wind and drag, at the beginning")
    pull_walk: float = parameter("m/s²/√s", 0.0, 1.0, "how they may wander")
    pull_limit: float = parameter("m/s²", 0.0, 2.0, "largest that is believed")
    acceleration_error: float = parameter("m/s²", 0.01, 5.0, "of the reported acceleration, with all repeats")
    model_error: float = parameter("", 0.0, 5.0, "share of what is under way that the model gets wrong")
    largest_error: float = parameter("m/s²", 0.1, 5.0, "larger ones are taken for so large")


@dataclass(frozen=True, slots=True, kw_only=True)
class LongitudinalParameters:
    """Speed tracking, stop and hold."""

    proportional: float = parameter("1/s", 0.0, 3.0, "acceleration per speed error")
    integral: float = parameter("1/s²", 0.0, 1.0, "acceleration a second per speed error")
    integral_limit: float = parameter("m/s²", 0.0, 2.0, "of what is learned so")
    easing: float = parameter("1/s", 0.05, 2.0, "deceleration per speed too much for the car's response")
    easing_limit: float = parameter("m/s²", 0.1, 3.0, "of that deceleration")
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
    response: ResponseParameters
    longitudinal: LongitudinalParameters
    drive_response: DriveResponseParameters
