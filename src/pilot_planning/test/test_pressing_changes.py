"""Changes of lanes that the route asks for in dense traffic: near gaps, one after the other, and who has to see to whom."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motorway import LANE_WIDTH, Motorway, Other, planner, vehicle

from pilot_common.regulation import rear_distance
from pilot_common.types import Manoeuvre, Side
from pilot_planning.highway.longitudinal import BrakeLaw
from pilot_planning.highway.motion import LeadMotion
from pilot_planning.highway.road import pose_of, see_road
from pilot_planning.highway.route import see_way

P = planner()._p
CHANGING = (Manoeuvre.LANE_CHANGE_LEFT, Manoeuvre.LANE_CHANGE_RIGHT)
BACK = vehicle("suv_erev").facts.dimensions.length - vehicle("suv_erev").facts.dimensions.rear_axle_to_front


def leaving(others: list[Other], **changes: object) -> Motorway:
    """A drive in the rightmost lane, that leaves the route soon, in a car that chooses lanes by itself."""
    usual = {"car": vehicle("suv_erev"), "start_lane": 0, "speed": 20.0, "set_speed": 20.0, "time_gap": 1.2}
    return Motorway(others=others, **(usual | {"leaves": {0: 170.0}} | changes))


def test_of_two_changes_to_one_side_the_second_goes_on_from_the_first_under_one_indicator():
    drive = leaving([], leaves={0: 250.0, 1: 250.0})
    drive.drive(12.0)
    assert drive.lanes_driven() == [0, 1, 2]
    lit = np.array([plan.indicator is Side.LEFT for *_, plan in drive.log])
    first, last = int(lit.argmax()), len(lit) - 1 - int(lit[::-1].argmax())
    assert lit[first : last + 1].all()
    assert not lit[-1]
    times = np.array([entry[0] for entry in drive.log])
    over = times[np.argmax(drive.offsets() > LANE_WIDTH - 0.25)]
    each = P.lane_change.indicator_time + P.lane_change.shortest
    assert over - times[first] < 2.0 * each - 0.8
    assert np.abs(np.diff(drive.offsets(), 2)).max() / 0.05**2 < 3.0  # m/s², ISO 11270


@settings(max_examples=15, deadline=None)
@given(behind=st.floats(4.0, 40.0), speed=st.floats(16.0, 24.0), ahead=st.floats(4.0, 30.0))
def test_a_pressing_change_leaves_who_is_behind_what_he_needs_and_most_of_a_second(behind, speed, ahead):
    follower, front = Other(4, -behind, 0.0, speed), Other(5, ahead + 6.0, 0.0, speed)
    drive = leaving([follower, front])
    for _ in range(200):
        station, place, rate = drive.ego_on_road()[0], follower.station, follower.speed
        plan = drive.step()
        if plan.manoeuvre in CHANGING:
            room, own = station - BACK - (place + 0.5 * follower.length), drive.log[-1][3]
            opening = max(own - rate, 0.0) * 0.4 * P.lane_change.shortest
            assert (
                place > station
                or room >= rear_distance(own, rate, P.lane_change.must_rear_gap) - opening - 1.0
            )
            return


def test_a_gap_a_little_ahead_of_cars_of_like_speed_is_gone_to_though_the_own_leader_is_near():
    others = [Other(1, 33.0, -LANE_WIDTH, 20.0), Other(2, -17.0, 0.0, 20.0), Other(3, 48.0, 0.0, 20.0)]
    drive = leaving(others, leaves={0: 220.0})
    drive.drive(14.0)
    assert drive.lanes_driven() == [0, 1]
    assert drive.accelerations().min() > -P.lane_change.gap_deceleration
    assert min(drive.gaps) > 4.0
    assert drive.log[-1][3] < 20.5  # and it does not stay faster than the driver set


def test_who_stands_over_the_far_mark_of_the_next_lane_is_passed_by_leaning_to_the_near_one():
    near_side = 1.1  # m beyond the middle of the next lane: 0.7 m of him are in it
    wide = Other(6, 2.0, near_side + 0.925, 20.0)
    drive = leaving([wide])
    half = 0.5 * drive.car.facts.dimensions.width
    sides = []
    for _ in range(160):
        drive.step()
        station = (
            drive.log[-1][1]
            + drive.car.facts.dimensions.rear_axle_to_front
            - 0.5 * drive.car.facts.dimensions.length
        )
        if abs(station - wide.station) < 4.0:
            sides.append(near_side - drive.log[-1][2] - half)
    assert drive.lanes_driven() == [0, 1]
    assert min(sides) > P.lane_change.lean_least - 0.1


def test_who_comes_up_from_behind_in_the_own_lane_is_not_made_room_for():
    pusher = Other(8, -14.0, 0.0, 25.0, drive=lambda time: (-2.0 if time > 0.5 else 0.0, 0.0))
    drive = Motorway(speed=20.0, set_speed=20.0, others=[pusher])
    drive.drive(4.0)
    assert np.abs(drive.offsets()).max() < 0.1


@pytest.mark.parametrize("faster", [-1.0, 0.0, 1.0])
def test_who_comes_over_from_behind_our_nose_does_not_make_the_car_brake(faster):
    beside = Other(9, -2.5, LANE_WIDTH, 20.0 + faster, drive=lambda time: (0.0, -0.9 if time < 1.2 else 0.0))
    drive = Motorway(speed=20.0, set_speed=20.0, others=[beside])
    drive.drive(2.0)
    assert drive.accelerations().min() > -0.5


@settings(max_examples=60, deadline=None)
@given(
    gap=st.floats(5.0, 30.0),
    speed=st.floats(8.0, 30.0),
    closing=st.floats(0.0, 6.0),
    braking=st.floats(0.0, 6.0),
    until=st.floats(0.5, 4.0),
)
def test_who_is_left_before_he_comes_near_is_not_braked_for_and_others_are_in_full(
    gap, speed, closing, braking, until
):
    lead = LeadMotion(gap, speed - closing, -braking, 1.5)
    for_ever = BrakeLaw(lead, 0.3, 9.0, False, P.follow).needed(0.0, 0.0, speed)
    needed = BrakeLaw(lead, 0.3, 9.0, False, P.follow, until).needed(0.0, 0.0, speed)
    apart = gap + lead.at(until)[0] - speed * until
    assert needed == (0.0 if apart >= P.follow.collision_margin else for_ever)


def test_a_lane_missed_on_one_side_and_guessed_on_the_other_does_not_move_the_car_in_its_route():
    motorway = leaving([], start_lane=1, leaves={0: 200.0, 1: 200.0})
    world, route = motorway.world(), motorway.route()
    road = see_road(world, pose_of(world.ego), None, 2.0)
    seen = replace(road, offset=road.offset - LANE_WIDTH, ego_lane=2)
    assert see_way(seen, route, 2, None, world.stamp, 20.0).changes.tolist() == [3, 2, 1]
