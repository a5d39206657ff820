"""The cases of UN R157's reference grids: their parameters, and the scenario of each.

Geometry as the published sweep has it. Cut-in: the other car is beside the ego's lane with 1.6 m between the edges exactly when the
bumper gap is `long_dist_m`, the ego being at its speed; before, its lateral speed grows from 0 to `lat_vel_mps` at 1.5 m/s²; then it is
constant until both are centred. Cut-out: a leader at the ego's speed leaves at `lateral_speed_mps` when the middle of a standing car is
4.3 m + `front_distance_m` ahead of his (so the sweep has it); where he would himself hit it, he stops there dead. Car-following: a
leader at the ego's speed brakes at `leader_decel_g` to a stop. The initial gap of the latter two is our own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pilot_common.vehicle import Vehicle
from pilot_simulation.scenario import ActorPlan, DriverPlan, Ego, Event, RoadPlan, Scenario, Segment

CAR = (4.3, 1.9, 1.5)  # m, the reference drivers' cars
STANDING_CAR = (5.0, 1.9, 1.5)
EDGE_GAP = 1.6  # m between the edges when the bumper gap is long_dist_m
RAMP = 1.5  # m/s², of the lateral speed
DURATION = 35.0  # s that the reference simulation goes on
GRAVITY = 9.81
LANE_WIDTH, LANES, EGO_LANE = 3.5, 4, 2
ENGAGED = 0.3  # s, when the driver presses the button
SETTLED = 4.0  # s until cut-ins begin
FOLLOWING = 9.0  # s until leaders act, so that the gap is our own
FAR_BACK = 300.0  # m, where the ego starts: road behind it
STOP_DEAD = 0.02  # s in which a leader who hits the standing car is at rest


@dataclass(frozen=True, slots=True)
class Timing:
    """When things happen in a scenario, s from its start; measuring begins with `judged`."""

    judged: float
    ends: float


def cut_in(
    vehicle: Vehicle, parameters: Mapping[str, float], time_gap: float, settled: float = SETTLED
) -> tuple[Scenario, Timing]:
    """The scenario of a cut-in, from the right."""
    speed, other_speed = parameters["ego_speed_kph"] / 3.6, parameters["cutin_speed_kph"] / 3.6
    lateral = parameters["lat_vel_mps"]
    ramp = lateral / RAMP
    station = FAR_BACK
    front = station + vehicle.facts.dimensions.rear_axle_to_front
    gap = parameters["long_dist_m"] + (speed - other_speed) * (settled + ramp)
    middle = EGO_LANE * LANE_WIDTH
    beside = EDGE_GAP + 0.5 * (CAR[1] + vehicle.facts.dimensions.width) + 0.5 * lateral * ramp
    events = (
        (Event(time=settled, offset=middle, lateral_speed=lateral, lateral_acceleration=RAMP),)
        if lateral > 0.0
        else ()
    )
    other = ActorPlan(
        station=front + gap + 0.5 * CAR[0],
        speed=other_speed,
        offset=middle - beside,
        extent=CAR,
        events=events,
    )
    timing = Timing(settled, settled + ramp + DURATION)
    return _scenario(
        f"cut-in of a car at {3.6 * other_speed:g} km/h", speed, time_gap, (other,), timing
    ), timing


def cut_out(
    vehicle: Vehicle, parameters: Mapping[str, float], time_gap: float, gap: float, settled: float = FOLLOWING
) -> tuple[Scenario, Timing]:
    """The scenario of a cut-out to the left; `gap` is the bumper gap to start with."""
    speed, lateral = parameters["speed_kph"] / 3.6, abs(parameters["lateral_speed_mps"])
    distance = parameters["front_distance_m"]
    middle = EGO_LANE * LANE_WIDTH
    leader = FAR_BACK + vehicle.facts.dimensions.rear_axle_to_front + gap + 0.5 * CAR[0]
    standing = leader + speed * settled + CAR[0] + distance
    hit = hit_after(parameters)
    trace: tuple[tuple[float, float], ...] = ()
    target = middle + LANE_WIDTH
    if hit is not None:
        trace = ((settled + hit, speed), (settled + hit + STOP_DEAD, 0.0))
        target = middle + lateral * hit
    leaves = Event(time=settled, offset=target, lateral_speed=lateral, lateral_acceleration=50.0)
    actors = (
        ActorPlan(
            station=leader, speed=speed, offset=middle, extent=CAR, events=(leaves,), speed_trace=trace
        ),
        ActorPlan(station=standing, speed=0.0, offset=middle, extent=STANDING_CAR),
    )
    timing = Timing(settled, settled + DURATION)
    return _scenario("cut-out in front of a standing car", speed, time_gap, actors, timing), timing


def hit_after(parameters: Mapping[str, float]) -> float | None:
    """Seconds from the leader's first move until he hits the standing car; None where he gets by."""
    way = parameters["front_distance_m"] + CAR[0] - 0.5 * (CAR[0] + STANDING_CAR[0])
    time = way / (parameters["speed_kph"] / 3.6)
    beside = abs(parameters["lateral_speed_mps"]) * time >= 0.5 * (CAR[1] + STANDING_CAR[1])
    return None if beside else time


def car_following(
    vehicle: Vehicle, parameters: Mapping[str, float], time_gap: float, gap: float, settled: float = FOLLOWING
) -> tuple[Scenario, Timing]:
    """The scenario of a braking leader; `gap` is the bumper gap to start with."""
    speed, deceleration = parameters["speed_kph"] / 3.6, parameters["leader_decel_g"] * GRAVITY
    leader = FAR_BACK + vehicle.facts.dimensions.rear_axle_to_front + gap + 0.5 * CAR[0]
    brakes = Event(time=settled, speed=0.0, acceleration=deceleration)
    actor = ActorPlan(station=leader, speed=speed, offset=EGO_LANE * LANE_WIDTH, extent=CAR, events=(brakes,))
    timing = Timing(settled, settled + DURATION)
    return _scenario("a leader brakes", speed, time_gap, (actor,), timing), timing


def _scenario(
    what: str, speed: float, time_gap: float, actors: tuple[ActorPlan, ...], timing: Timing
) -> Scenario:
    return Scenario(
        title=f"UN R157: {what}, ego at {3.6 * speed:g} km/h",
        duration=math.ceil(50.0 * timing.ends) / 50.0,
        seed=1,
        road=RoadPlan(
            lanes=LANES, lane_width=LANE_WIDTH, speed_limit=0.0, segments=(Segment(length=2000.0),)
        ),
        ego=Ego(lane=EGO_LANE, station=FAR_BACK, speed=speed),
        driver=DriverPlan(set_speed=speed, time_gap=time_gap, engage_at=ENGAGED, takes_over_after=None),
        actors=actors,
        criteria={},
    )
