"""The cases of UN R157's reference grids: their parameters, and the scenario of each.

Geometry as the published sweep has it. Cut-in: the other car is beside the ego's lane with 1.6 m between the edges exactly when
the bumper gap is `long_dist_m`, the ego being at its speed; before, its lateral speed grows from 0 to `lat_vel_mps` at 1.5 m/s²;
then it is constant until both are centred. Cut-out: a leader at the ego's speed leaves at `lateral_speed_mps` when the middle of
a standing car is 4.3 m + `front_distance_m` ahead of his (as in the sweep); where he would himself hit it, he stops there dead.
Car-following: a leader at the ego's speed brakes at `leader_decel_g` to a stop. The initial gap of the latter two is our own.

As in that simulation, who moves across the road does not turn: the bodies are rectangles along the road.
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
SETTLED = 1.2  # s from the start of the drive until the first cut-in of an approach: engaged, lanes and the other seen
FOLLOWING = 4.0  # s until the first leader acts; the drive begins near our own gap and settles
SHARED = 1.0  # s of approach that cases share at most: each knows its own without knowing the other cases
FAR_BACK = 300.0  # m, where the ego starts: road behind it
COLLISION = 500.0  # m/s², of a leader who hits the standing car: at rest within a tick or two


@dataclass(frozen=True, slots=True)
class Drive:
    """A case's scenario, the name of the approach it shares with others, and how long it lasts from where it leaves that."""

    scenario: Scenario
    approach: str
    lasts: float


def cut_in(vehicle: Vehicle, parameters: Mapping[str, float], time_gap: float) -> Drive:
    """A cut-in from the right."""
    speed, other_speed = parameters["ego_speed_kph"] / 3.6, parameters["cutin_speed_kph"] / 3.6
    lateral, closing = parameters["lat_vel_mps"], speed - other_speed
    ramp = lateral / RAMP
    begins = parameters["long_dist_m"] + closing * ramp  # gap at which the other starts to move
    piece = _piece(begins, closing)
    gap = (piece * SHARED + SETTLED) * closing
    middle = EGO_LANE * LANE_WIDTH
    beside = middle - EDGE_GAP - 0.5 * (CAR[1] + vehicle.facts.dimensions.width) - 0.5 * lateral * ramp
    moves = (
        Event(gap=begins, offset=middle, lateral_speed=lateral, lateral_acceleration=RAMP)
        if lateral > 0.0
        else Event(gap=begins, offset=beside)  # stays where it is
    )
    other = ActorPlan(
        station=_front(vehicle) + gap + 0.5 * CAR[0],
        speed=other_speed,
        offset=beside,
        extent=CAR,
        events=(moves,),
        turns=False,
    )
    lasts = ramp + DURATION
    scenario = _scenario(
        f"a car at {3.6 * other_speed:g} km/h cuts in", speed, time_gap, (other,), SETTLED + SHARED + lasts
    )
    return Drive(scenario, _name("cut_in", 3.6 * speed, 3.6 * other_speed, lateral, piece), lasts)


def cut_out(vehicle: Vehicle, parameters: Mapping[str, float], time_gap: float, gap: float) -> Drive:
    """A cut-out to the left; `gap` is the bumper gap to start with."""
    speed, lateral = parameters["speed_kph"] / 3.6, abs(parameters["lateral_speed_mps"])
    way = (
        CAR[0] + parameters["front_distance_m"]
    )  # from the leader's middle to the standing car's when he moves
    piece = _piece(way, speed)
    leader = _front(vehicle) + gap + 0.5 * CAR[0]
    standing = leader + (FOLLOWING + piece * SHARED) * speed
    moves = FOLLOWING + piece * SHARED - way / speed
    hit = hit_after(parameters)
    middle = EGO_LANE * LANE_WIDTH
    target = middle + (LANE_WIDTH if hit is None else lateral * hit)
    events = [Event(time=moves, offset=target, lateral_speed=lateral, lateral_acceleration=50.0)]
    if hit is not None:
        events.append(Event(time=moves + hit, speed=0.0, acceleration=COLLISION))
    actors = (
        ActorPlan(station=leader, speed=speed, offset=middle, extent=CAR, events=tuple(events), turns=False),
        ActorPlan(station=standing, speed=0.0, offset=middle, extent=STANDING_CAR),
    )
    duration = FOLLOWING + SHARED + DURATION
    scenario = _scenario("a leader leaves before a standing car", speed, time_gap, actors, duration)
    return Drive(scenario, _name("cut_out", 3.6 * speed, piece), DURATION)


def hit_after(parameters: Mapping[str, float]) -> float | None:
    """Seconds from the leader's first move until he hits the standing car; None where he gets by."""
    way = parameters["front_distance_m"] + CAR[0] - 0.5 * (CAR[0] + STANDING_CAR[0])
    time = way / (parameters["speed_kph"] / 3.6)
    beside = abs(parameters["lateral_speed_mps"]) * time >= 0.5 * (CAR[1] + STANDING_CAR[1])
    return None if beside else time


def car_following(vehicle: Vehicle, parameters: Mapping[str, float], time_gap: float, gap: float) -> Drive:
    """A leader brakes; `gap` is the bumper gap to start with."""
    speed, deceleration = parameters["speed_kph"] / 3.6, parameters["leader_decel_g"] * GRAVITY
    brakes = Event(time=FOLLOWING, speed=0.0, acceleration=deceleration)
    leader = ActorPlan(
        station=_front(vehicle) + gap + 0.5 * CAR[0],
        speed=speed,
        offset=EGO_LANE * LANE_WIDTH,
        extent=CAR,
        events=(brakes,),
    )
    scenario = _scenario("a leader brakes", speed, time_gap, (leader,), FOLLOWING + DURATION)
    return Drive(scenario, _name("car_following", 3.6 * speed), DURATION)


def _piece(way: float, closing: float) -> int:
    """Number of the piece of the approach, counted back from its end, in which a case leaves it."""
    return math.ceil(way / (SHARED * closing) - 1e-9)


def _front(vehicle: Vehicle) -> float:
    return FAR_BACK + vehicle.facts.dimensions.rear_axle_to_front


def _name(family: str, *numbers: float) -> str:
    return "-".join((family, *(f"{number:g}" for number in numbers)))


def _scenario(
    what: str, speed: float, time_gap: float, actors: tuple[ActorPlan, ...], duration: float
) -> Scenario:
    return Scenario(
        title=f"UN R157: {what}, ego at {3.6 * speed:g} km/h",
        duration=duration,
        seed=1,
        road=RoadPlan(
            lanes=LANES, lane_width=LANE_WIDTH, speed_limit=0.0, segments=(Segment(length=2000.0),)
        ),
        ego=Ego(lane=EGO_LANE, station=FAR_BACK, speed=speed),
        driver=DriverPlan(set_speed=speed, time_gap=time_gap, engage_at=ENGAGED, takes_over_after=None),
        actors=actors,
        criteria={},
    )
