"""Parameters of fusion: `config/parameters/fusion.yaml`."""

from dataclasses import dataclass

from pilot_common.schema import parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class EgoParameters:
    """Dead reckoning."""

    history: float = parameter("s", 0.3, 5.0, "how far back poses are kept; older measurements are refused")
    maximum_gap: float = parameter("s", 0.1, 5.0, "longer gaps in the vehicle state forget lanes and tracks")
    maximum_age: float = parameter("s", 0.05, 1.0, "older vehicle states make the world invalid")
    future: float = parameter("s", 0.0, 1.0, "measurements later than now by more than this are refused")
    speed_time: float = parameter(
        "s", 0.001, 1.0, "time constant of the speed correction (acceleration predicts)"
    )
    yaw_rate_time: float = parameter("s", 0.001, 1.0, "time constant of the yaw rate filter")
    acceleration_time: float = parameter("s", 0.001, 1.0, "time constant of the acceleration filter")
    across_time: float = parameter("s", 0.001, 5.0, "and of the lateral acceleration under which tyres slip")


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionParameters:
    """How others move: Singer's model (IEEE Trans. AES-6, 1970), acceleration along and across the heading dying away."""

    acceleration_time: float = parameter("s", 0.1, 20.0, "time constant with which an acceleration dies away")
    coasting_time: float = parameter(
        "s", 0.05, 20.0, "and with which it dies away while nobody sees the object"
    )
    acceleration_along: float = parameter("m/s²", 0.1, 10.0, "standard deviation, along the heading")
    acceleration_across: float = parameter("m/s²", 0.05, 10.0, "standard deviation, across the heading")
    birth_speed: float = parameter(
        "m/s", 1.0, 60.0, "standard deviation of the unknown speed along the heading"
    )
    standing_speed_across: float = parameter(
        "m/s", 0.05, 5.0, "deviation across a radar's beam of what stands still along it"
    )
    birth_speed_across: float = parameter(
        "m/s", 0.1, 20.0, "standard deviation of the unknown speed across the heading"
    )
    moving_speed: float = parameter("m/s", 0.1, 10.0, "from here on the heading follows the velocity")
    heading_drift: float = parameter("rad/√s", 0.001, 2.0, "random walk of the heading")
    heading_measured: float = parameter("rad", 0.005, 1.0, "standard deviation of a measured heading")
    turn_time: float = parameter(
        "s", 0.05, 10.0, "least time constant with which the heading follows the velocity"
    )
    turn_lengths: float = parameter(
        "", 0.5, 10.0, "and least way it takes, in lengths of the object; above 0.5 to be stable"
    )
    slip: float = parameter("rad", 0.001, 0.5, "standard deviation between velocity and heading")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementParameters:
    """How far the errors that the sensors state are believed."""

    camera_inflation: float = parameter(
        "", 0.5, 10.0, "factor on the camera's standard deviations (its errors are correlated)"
    )
    radar_inflation: float = parameter("", 0.5, 10.0, "factor on the radar's standard deviations")
    lidar_inflation: float = parameter("", 0.5, 10.0, "factor on the lidar's standard deviations")
    camera_bias: float = parameter(
        "", 0.0, 1.0, "share of the camera's range variance that more frames do not lower"
    )
    position_floor: float = parameter("m", 0.01, 1.0, "smallest standard deviation of any position")
    sure_score: float = parameter("", 0.0, 1.0, "detections with lower scores are less exact, in proportion")
    systematic: float = parameter(
        "m", 0.0, 1.0, "position error that no averaging removes, added to what is reported"
    )
    systematic_angle: float = parameter(
        "rad", 0.0, 0.05, "the same across the line of sight, per metre of distance"
    )
    radar_depth: float = parameter(
        "m", 0.0, 3.0, "deviation of the radar's point of reflection behind the near face"
    )
    radar_spread: float = parameter(
        "", 0.0, 1.0, "its deviation along a front or rear, as a share of half the face"
    )
    radar_spread_side: float = parameter("", 0.0, 2.0, "and along a side")
    radar_nearest: float = parameter(
        "", 0.0, 1.0, "0: reflected at the centre of the near face, 1: at its nearest point"
    )
    range_rate_floor: float = parameter(
        "m/s", 0.01, 1.0, "smallest deviation of a Doppler speed (wheels, micro-motion)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationParameters:
    """Which measurement belongs to which track."""

    gate: float = parameter("", 2.0, 100.0, "largest squared Mahalanobis distance per measurement")
    outlier: float = parameter(
        "", 1.0, 100.0, "squared Mahalanobis distance from which a measurement counts less"
    )
    credible: float = parameter(
        "",
        0.0,
        1.0,
        "a track takes no measurement that others, or clutter, are likelier to have caused by more than this",
    )
    manoeuvre: float = parameter(
        "m/s²", 0.0, 20.0, "a speed may have changed so fast since it was last measured (emergency braking)"
    )
    surprise: float = parameter(
        "",
        1.0,
        100.0,
        "squared normalised Doppler residual from which such a manoeuvre is taken to have begun",
    )
    manoeuvre_share: float = parameter("", 1e-4, 1.0, "probability of that before it is seen")
    coarse_gate: float = parameter("m", 0.0, 100.0, "pairs farther apart in x or y are not looked at")
    cluster_distance: float = parameter("m", 0.5, 20.0, "unassigned radar returns this close are one object")
    cluster_speed: float = parameter("m/s", 0.1, 10.0, "and this close in Doppler")
    explained_margin: float = parameter(
        "m", 0.0, 5.0, "unassigned measurements within a track's box and this margin start no track"
    )
    merge_overlap: float = parameter(
        "", 0.1, 1.0, "boxes whose centres are closer than this share of their size are one object"
    )
    merge_speed: float = parameter("m/s", 0.5, 20.0, "and whose velocities differ by less than this")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistenceParameters:
    """Whether a track is an object: recursive Bayes (integrated probabilistic data association, Mušicki et al. 1994)."""

    birth: float = parameter(
        "1/frame", 0.001, 5.0, "expected number of new objects a frame, against the sensor's clutter"
    )
    birth_limit: float = parameter("", 0.05, 0.95, "existence of a new track at most")
    fewest_clutter: float = parameter("1/frame", 0.001, 5.0, "clutter of a sensor that states none")
    standing_clutter: float = parameter("", 0.0, 1.0, "share of a radar's clutter that stands on the ground")
    lifetime: float = parameter(
        "s", 0.5, 100.0, "time constant with which the existence of what no sensor sees fades"
    )
    lifetime_blind: float = parameter("s", 0.5, 100.0, "the same where no sensor looks")
    blind_deviation: float = parameter(
        "m", 0.5, 10.0, "of the place of somebody in such a blind spot, at most"
    )
    miss_time: float = parameter("s", 0.02, 2.0, "misses within this time are one: they are correlated")
    detection_limit: float = parameter(
        "", 0.5, 0.999, "detection probability at most, whatever the sensor states"
    )
    view_margin: float = parameter(
        "rad", 0.001, 0.5, "detection fades over this angle inside the edge of the field of view"
    )
    range_margin: float = parameter("", 0.01, 1.0, "and over this share of the range")
    radar_occlusion: float = parameter(
        "", 0.0, 1.0, "share of an occlusion that hides from radar, which sees beneath cars"
    )
    gain_limit: float = parameter("", 1.0, 1e6, "largest likelihood ratio one frame can bring")
    report: float = parameter("", 0.1, 0.99, "existence above which a track is reported")
    report_speed: float = parameter(
        "m/s", 0.5, 30.0, "a track is reported only once the deviation of its speed is below"
    )
    keep: float = parameter("", 0.05, 0.95, "existence below which a reported track is no longer reported")
    delete: float = parameter("", 0.001, 0.5, "existence below which a track is deleted")
    largest_deviation: float = parameter(
        "m", 1.0, 50.0, "tracks known less well after prediction are deleted"
    )
    highest: float = parameter("", 0.9, 0.999999, "existence at most, so that it can still fall")
    solid_standing: float = parameter(
        "",
        0.05,
        1.0,
        "of standing things that only radar has seen: how many are solid (rails, signs, covers are not)",
    )
    solid_moving: float = parameter("", 0.05, 1.0, "the same of moving things (mirror images are not)")
    solid_floating: float = parameter(
        "",
        0.01,
        1.0,
        "the same of what a lidar sees above the road (signs, bridges; cars only where the road rises)",
    )
    floating: float = parameter(
        "m", 0.5, 5.0, "lower face above the plane of the car's wheels from which that holds"
    )
    solid_proven: float = parameter(
        "", 0.5, 0.999, "from here on a track counts as solid, whatever camera and lidar miss later"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LooksParameters:
    """Class and size of tracks."""

    length: float = parameter("m", 0.5, 20.0, "of an object whose size nobody measured")
    width: float = parameter("m", 0.3, 4.0, "of an object whose size nobody measured")
    height: float = parameter("m", 0.3, 5.0, "of an object whose size nobody measured")
    widest: float = parameter("m", 1.5, 5.0, "of vehicles on the road; cameras see none wider")
    camera_gain: float = parameter(
        "", 0.0, 1.0, "share by which an unmeasured size from the camera corrects the track's, at least"
    )
    measured_gain: float = parameter(
        "", 0.0, 1.0, "share by which a measured size corrects the track's, at least"
    )
    class_memory: float = parameter("", 0.0, 1.0, "weight of the past per class vote")
    sensor_memory: float = parameter("s", 0.05, 5.0, "how long a sensor counts among those that see a track")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneParameters:
    """The lane filter."""

    width: float = parameter("m", 2.0, 5.0, "lane width before any is measured")
    width_deviation: float = parameter("m", 0.05, 1.0, "and its standard deviation")
    narrowest: float = parameter("m", 1.5, 4.0, "marks closer than this bound no lane")
    widest: float = parameter("m", 3.0, 10.0, "marks farther apart than this bound no lane")
    start_deviation_heading: float = parameter("rad", 0.001, 1.0, "before the first mark")
    start_deviation_curvature: float = parameter("1/m", 1e-5, 0.1, "before the first mark")
    offset_noise: float = parameter("m/√m", 0.0, 0.5, "growth of the offset's error per driven metre")
    heading_noise: float = parameter("rad/√m", 0.0, 0.1, "growth of the heading's error per driven metre")
    node_spacing: float = parameter("m", 5.0, 50.0, "between places on the road whose curvature is estimated")
    farthest_node: float = parameter("m", 20.0, 300.0, "how far ahead of the car they reach")
    bend_change: float = parameter("1/m/√m", 1e-6, 1e-2, "change of the curvature along the road")
    error_doubled: float = parameter(
        "m", 5.0, 200.0, "distance at which the variance of a mark's points is twice that nearby"
    )
    slip_deviation: float = parameter(
        "rad s²/m", 1e-4, 0.05, "standard deviation of the rear axle's slip beyond that of the facts"
    )
    slip_noise: float = parameter("rad s²/m/√m", 0.0, 1e-2, "change of that per driven metre")
    slip_limit: float = parameter("rad s²/m", 0.0, 0.1, "and the most that is believed of it")
    width_noise: float = parameter("m/√m", 0.0, 0.1, "change of the width per driven metre")
    time_noise: float = parameter("m/√s", 0.0, 0.5, "growth of the offset's error per second, at any speed")
    deviation_inflation: float = parameter("", 0.5, 20.0, "factor on the deviations that marks state")
    eye_height: float = parameter(
        "m", 0.5, 4.0, "height of cameras above the road, which bounds what they know of distance"
    )
    independent: float = parameter(
        "", 0.01, 1.0, "share of a coefficient's variance that is not that of a fit through points"
    )
    reference: float = parameter("m", 0.0, 50.0, "marks are told apart at this distance ahead")
    outlier: float = parameter(
        "", 1.0, 100.0, "squared normalised residual of any coefficient from which a mark counts less"
    )
    gate: float = parameter("", 2.0, 1e4, "and at most, to count at all")
    match: float = parameter(
        "m", 0.1, 2.0, "marks farther than this from where a line was expected are not that line"
    )
    crossing_margin: float = parameter(
        "m", 0.0, 1.0, "how far the rear axle's centre must be over a mark to change lane"
    )
    memory: float = parameter("m", 5.0, 500.0, "driven length after which an unseen line is half forgotten")
    memory_time: float = parameter("s", 0.5, 60.0, "time after which an unseen line is half forgotten")
    fewest_confidence: float = parameter("", 0.01, 0.9, "lines below this confidence are forgotten")
    valid_deviation: float = parameter(
        "m", 0.05, 2.0, "lateral standard deviation above which the lanes are not valid"
    )
    valid_time: float = parameter("s", 0.0, 5.0, "and the car's way ahead at whose end it is looked at")
    valid_confidence: float = parameter(
        "", 0.01, 0.9, "confidence of the ego lane below which the lanes are not valid"
    )
    guessed_confidence: float = parameter(
        "", 0.0, 1.0, "confidence of a lane behind a dashed line whose far line was never seen"
    )
    behind: float = parameter("m", 0.0, 200.0, "how far back the line is given")
    ahead: float = parameter("m", 50.0, 500.0, "how far ahead the line is given")
    spacing: float = parameter("m", 1.0, 20.0, "between points of the line")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentionParameters:
    """Where others will go, from their lateral motion."""

    horizon: float = parameter("s", 0.5, 5.0, "how far ahead the lateral motion is prolonged")
    offset_deviation: float = parameter("m", 0.05, 2.0, "wander within a lane")
    rate_usual: float = parameter(
        "m/s", 0.05, 5.0, "standard deviation of the lateral speeds that road users have"
    )
    rate_deviation: float = parameter("m/s", 0.02, 2.0, "least error of the lateral speed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`config/parameters/fusion.yaml`."""

    sensor_lost: float = parameter("s", 0.1, 5.0, "a sensor silent for longer, beyond its latency, is lost")
    maximum_rows: int = parameter("", 1, 5000, "a message with more objects or marks is refused")
    maximum_tracks: int = parameter("", 10, 1000, "the least probable above this number are dropped")
    ego: EgoParameters
    motion: MotionParameters
    measurement: MeasurementParameters
    association: AssociationParameters
    existence: ExistenceParameters
    looks: LooksParameters
    lane: LaneParameters
    intention: IntentionParameters
