"""The vocabulary every room speaks: what travels over the topics of `config/graph.yaml`.

Units are SI and radians. x is forward, y left, z up; quantities without a frame in their name are in `base_link` (centre of the
rear axle on the ground) at the message's `stamp`. `stamp` is the time of measurement, `source_stamp` the oldest sensor data
behind a result. Validity is a flag with a reason, never NaN or a magic number. Shapes: N objects, M lane marks, L lanes,
P path points, T times, C constraints, S sensors.
"""

from dataclasses import dataclass
from typing import ClassVar

from pilot_common.enumerations import DriveMode, Gear, Limit, Manoeuvre, MarkKind, ObjectClass, Side  # noqa: F401 - the whole vocabulary can be had from here
from pilot_common.messages import (
    BoundArguments,
    BoundIdentities,
    BoundVector,
    Codes,
    Identities,
    Intentions,
    LaneCodes,
    LaneVector,
    LimitVector,
    Matrices4,
    Message,
    PathPoints,
    PathVector,
    Points,
    Points3,
    RouteFlags,
    RouteVector,
    Stamp,
    TimePoints,
    TimeVector,
    Vector,
    empty_arrays,
)
from pilot_common.sensing import (  # noqa: F401 - the whole vocabulary can be had from here
    CameraObjects,
    Detections,
    DriverInput,
    LaneMarks,
    RadarReturns,
    VehicleState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EgoMotion(Message):
    """The car's own motion; the pose is dead-reckoned in `odom` (smooth, drifting), everything else measured."""

    x_odom: float
    y_odom: float
    yaw_odom: float
    speed: float
    acceleration: float
    yaw_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes(Message):
    """The road around the car in road coordinates along the ego lane's centre line.

    The line is given by P points from behind the car to the end of sight. Lane l has its centre at `offset[l]` left of it, from
    `station[0]` on; lanes are ordered right to left and `ego_lane` indexes them. `sight` is how far the line was really seen
    (beyond, it is extrapolated); `speed_limit` is 0 where none is known.
    """

    valid: bool
    reason: str
    ego_lane: int
    sight: float
    speed_limit: float
    point: PathPoints
    station: PathVector
    heading: PathVector
    curvature: PathVector
    offset: LaneVector
    width: LaneVector
    confidence: LaneVector
    left_mark: LaneCodes
    right_mark: LaneCodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks(Message):
    """Objects that exist with some probability.

    `position` is the centre of the box (z of its middle height); `velocity` is over ground along the axes of `base_link`;
    `covariance` is of (x, y, velocity x, velocity y). `station`, `offset`, `offset_rate` are in the road coordinates of `Lanes`.
    `intention` is the probability to keep the lane, to go left, to go right. `sensors` is a bit set: camera 1, radar 2, lidar 4.
    """

    identity: Identities
    class_id: Codes
    existence: Vector
    position: Points3
    velocity: Points
    acceleration: Vector  # along the heading
    heading: Vector
    yaw_rate: Vector
    extent: Points3
    covariance: Matrices4
    age: Vector  # s since birth
    unseen: Vector  # s since the last measurement
    sensors: Codes
    station: Vector
    offset: Vector
    offset_rate: Vector
    intention: Intentions


@dataclass(frozen=True, slots=True, kw_only=True)
class World(Message):
    """All that planning may know: ego motion, lanes, tracks. `sensors_lost` names fitted sensors that do not report."""

    stamp: Stamp
    source_stamp: Stamp
    valid: bool
    reason: str
    sensors_lost: tuple[str, ...]
    ego: EgoMotion
    lanes: Lanes
    tracks: Tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Message):
    """What the navigation knows of the road ahead, in distances from the car along it.

    Lane r of R (right to left, as many as the road has at the car) can be followed for `lane_distance[r]` without leaving the
    route: until it ends, is closed, or leads elsewhere; `lane_ends[r]` tells whether nobody can drive on there (ends, closed),
    so that the car has to stop before rather than leave the route. The route is known for `horizon`; a lane good for that long
    needs no change. `lane` is the one that the car is in, −1 where the navigation does not know. `shoulder_width` is of a hard
    shoulder right of the rightmost lane, 0 where there is none. From `limit_distance[k]` on the speed limit is `limit_speed[k]`.
    `guidance` says in words what comes next.
    """

    stamp: Stamp
    valid: bool
    reason: str
    horizon: float
    lane: int
    lane_distance: RouteVector
    lane_ends: RouteFlags
    shoulder_width: float
    limit_distance: LimitVector
    limit_speed: LimitVector
    guidance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory(Message):
    """Motion of the rear axle from `stamp` on: times relative to the plan's stamp, poses in `base_link` at that stamp."""

    time: TimeVector
    position: TimePoints
    heading: TimeVector
    curvature: TimeVector
    speed: TimeVector
    acceleration: TimeVector


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Message):
    """Why: every constraint on one quantity now, and which one bound it.

    `name` is the kind of constraint, `bound` what it allows (of `Plan.ledger` the highest acceleration in m/s², of
    `Plan.lateral` the offset to go to in m), `identity` the track behind it (0: none), `sentence` and `sentence_zh` say it
    in English and Chinese. `argument` holds the numbers from which the constraint of that name gives its bound again.
    `binding` and `runner_up` index them.
    """

    name: tuple[str, ...]
    bound: BoundVector
    identity: BoundIdentities
    argument: BoundArguments
    sentence: tuple[str, ...]
    sentence_zh: tuple[str, ...]
    binding: int
    runner_up: int

    @classmethod
    def empty(cls) -> "Ledger":
        """Of a plan that is not one: no constraint was looked at."""
        return cls(name=(), sentence=(), sentence_zh=(), binding=0, runner_up=0, **empty_arrays(cls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Message):
    """What the car shall do and why. `path` (P points of the rear axle's line) goes on past the trajectory, so that control can
    stop along it when no new plan comes. `ledger` says why this acceleration, `lateral` why this place across the road.
    """

    stamp: Stamp
    source_stamp: Stamp
    valid: bool
    reason: str
    manoeuvre: Manoeuvre
    indicator: Side
    target_speed: float
    lead_identity: int  # 0: none
    lead_gap: float  # bumper to bumper, 0 where there is no lead
    trajectory: Trajectory
    path: PathPoints
    path_heading: PathVector
    path_curvature: PathVector
    ledger: Ledger
    lateral: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Message):
    """What control wants from the actuators. The errors are of the plan's trajectory, left and ahead positive.

    `fallback_*` is a stop along the plan's path, sampled from `stamp` on: the gate plays it when commands stop coming.
    """

    stamp: Stamp
    source_stamp: Stamp
    valid: bool
    reason: str
    steering_angle: float
    acceleration: float
    gear: Gear
    indicator: Side
    hazard_lights: bool
    lateral_error: float
    heading_error: float
    speed_error: float
    fallback_time: TimeVector
    fallback_steering_angle: TimeVector
    fallback_acceleration: TimeVector


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuation(Message):
    """What was really sent to the actuators, and which limit changed it. `active` is false while the driver drives."""

    stamp: Stamp
    source_stamp: Stamp
    active: bool
    steering_angle: float
    acceleration: float
    gear: Gear
    indicator: Side
    hazard_lights: bool
    limit: Limit
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode(Message):
    """Who drives and why. `warning` is what the driver is shown: 0 none, 1 visual, 2 and acoustic, 3 and haptic."""

    stamp: Stamp
    mode: DriveMode
    reason: str
    warning: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Message):
    """How one function is doing: age of its oldest input and time its last step took (s), worst since the last report.

    `missed` counts steps that came later than one period after they were due.
    """

    stamp: Stamp
    function: str
    valid: bool
    reason: str
    input_age: float
    compute_time: float
    steps: int
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Message):
    """What the simulator knows: the ego's rear axle and all others (box centres) in `map`, with road coordinates.

    `lane_offset` is from the centre of the lane the ego is in (index `lane`, from the right). `contact_identity` is 0 for none.
    """

    FRAME: ClassVar[str] = "map"
    stamp: Stamp
    x: float
    y: float
    yaw: float
    speed: float
    acceleration: float
    lateral_acceleration: float
    steering_angle: float
    station: float
    offset: float
    lane: int
    lane_offset: float
    lane_width: float
    friction: float
    contact_identity: int
    identity: Identities
    class_id: Codes
    position: Points
    heading: Vector
    speed_other: Vector
    extent: Points3
    station_other: Vector
    offset_other: Vector
