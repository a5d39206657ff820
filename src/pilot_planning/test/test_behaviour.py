"""Lanes that the car chooses by itself: overtaking, keeping right, route, lanes that end, others that have to come over."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motorway import LANE_WIDTH, Motorway, Other, arc_road, vehicle

from pilot_common.regulation import rear_distance
from pilot_common.types import DriveMode, Manoeuvre, ObjectClass, Side

CHANGING = (Manoeuvre.LANE_CHANGE_LEFT, Manoeuvre.LANE_CHANGE_RIGHT)
LONG_ROAD = arc_road(length=4000.0)


def truck(identity: int, station: float, offset: float, speed: float) -> Other:
    return Other(identity, station, offset, speed, class_id=ObjectClass.TRUCK, length=16.0, width=2.55)


def navigating(**changes: object) -> Motorway:
    """A drive in a car that chooses lanes by itself."""
    return Motorway(**({"car": vehicle("suv_erev"), "road": LONG_ROAD} | changes))


def first_movement(drive: Motorway) -> int:
    return next(index for index, entry in enumerate(drive.log) if entry[4].manoeuvre in CHANGING)


def in_market(name: str) -> object:
    car = vehicle("suv_erev")
    return replace(car, facts=replace(car.facts, market=name))


def test_a_slow_truck_is_overtaken_and_the_car_comes_back_to_the_right():
    drive = navigating(start_lane=0, speed=28.0, set_speed=30.0, others=[truck(7, 160.0, -LANE_WIDTH, 22.0)])
    drive.drive(45.0)
    assert drive.lanes_driven() == [0, 1, 0]
    assert drive.speeds().min() > 26.0
    assert np.abs(drive.accelerations()).max() < 2.0


def test_a_car_without_navigation_stays_in_its_lane():
    drive = Motorway(start_lane=0, speed=28.0, set_speed=30.0, others=[truck(7, 160.0, -LANE_WIDTH, 22.0)])
    drive.drive(25.0)
    assert drive.lanes_driven() == [0]
    assert all(plan.indicator is Side.NONE for *_, plan in drive.log)


def test_the_indicator_leads_by_a_second_and_the_movement_is_short_and_one():
    drive = navigating(start_lane=0, speed=28.0, set_speed=30.0, others=[truck(7, 120.0, -LANE_WIDTH, 22.0)])
    drive.drive(14.0)
    times, offsets = np.array([entry[0] for entry in drive.log]), drive.offsets() + LANE_WIDTH
    lit = times[[plan.indicator is Side.LEFT for *_, plan in drive.log]][0]
    begin, end = times[np.argmax(offsets > 0.05)], times[np.argmax(offsets > LANE_WIDTH - 0.25)]
    assert begin - lit >= 1.0
    assert 1.0 < end - begin < 5.0
    assert np.all(np.diff(offsets[: np.argmax(offsets > LANE_WIDTH - 0.25)]) > -1e-3)


@settings(max_examples=12, deadline=None)
@given(behind=st.floats(8.0, 110.0), speed=st.floats(26.0, 40.0))
def test_no_movement_begins_with_less_room_behind_than_the_regulation_asks_for(behind, speed):
    follower = Other(4, -behind, 0.0, speed)
    drive = navigating(
        start_lane=0, speed=28.0, set_speed=30.0, others=[truck(7, 120.0, -LANE_WIDTH, 22.0), follower]
    )
    back = drive.car.facts.dimensions.length - drive.car.facts.dimensions.rear_axle_to_front
    for _ in range(240):
        station, follower_station, follower_speed = drive.ego_on_road()[0], follower.station, follower.speed
        plan = drive.step()
        if plan.manoeuvre in CHANGING:
            room = station - back - (follower_station + 0.5 * follower.length)
            needed = rear_distance(drive.log[-1][3], follower_speed)
            assert follower_station > station or room >= needed - 1.0
            return


def test_equal_lanes_are_not_changed_to_and_fro():
    others = [
        Other(number, station, offset, 26.0)
        for number, (station, offset) in enumerate(
            [(60.0, 0.0), (70.0, 3.6), (58.0, -3.6), (130.0, 0.0), (125.0, 3.6), (140.0, -3.6)], start=1
        )
    ]
    drive = navigating(speed=26.0, set_speed=32.0, others=others)
    drive.drive(60.0)
    assert len(drive.lanes_driven()) <= 2


def test_nobody_changes_lanes_without_need_in_a_tight_curve():
    drive = navigating(
        start_lane=0,
        speed=22.0,
        set_speed=22.0,
        road=arc_road(1 / 300),
        others=[truck(7, 60.0, -LANE_WIDTH, 20.0)],
    )
    drive.drive(10.0)
    assert drive.lanes_driven() == [0]


def test_a_lane_that_ends_is_left_in_time():
    drive = navigating(start_lane=0, speed=28.0, set_speed=28.0, ends={0: 700.0})
    drive.drive(30.0)
    assert drive.lanes_driven()[:2] == [0, 1]
    stations = [entry[1] for entry in drive.log if drive.ego_lane(entry[2]) == 0]
    assert max(stations) < 650.0
    assert drive.accelerations().min() > -1.0


def test_where_there_is_no_gap_the_car_stops_before_the_end_of_the_lane():
    wall = [Other(number, -400.0 + 11.0 * number, 0.0, 24.0) for number in range(1, 90)]
    drive = navigating(start_lane=0, speed=24.0, set_speed=24.0, ends={0: 400.0}, others=wall)
    drive.drive(28.0)
    front = drive.log[-1][1] + drive.car.facts.dimensions.rear_axle_to_front
    assert drive.lanes_driven() == [0]
    assert drive.speeds()[-1] < 0.5 and 380.0 < front < 400.0
    assert drive.accelerations().min() > -3.2


@pytest.mark.parametrize("phase", [0.0, 15.0, 30.0, 45.0])
def test_the_car_merges_into_a_stream_with_gaps(phase):
    stream = [Other(number, -300.0 + phase + 58.0 * number, 0.0, 25.0) for number in range(1, 14)]
    drive = navigating(start_lane=0, speed=22.0, set_speed=30.0, ends={0: 420.0}, others=stream)
    drive.drive(18.0)
    assert 1 in drive.lanes_driven()
    assert drive.accelerations().min() > -2.2
    begin = first_movement(drive)
    assert drive.log[begin][1] < 330.0
    assert min(drive.gaps) > 5.0


def test_an_exit_is_taken_and_a_missed_one_is_no_reason_to_stop():
    taken = navigating(start_lane=2, speed=28.0, set_speed=28.0, leaves={1: 1100.0, 2: 1100.0})
    taken.drive(36.0)
    assert taken.lanes_driven() == [2, 1, 0]
    wall = [Other(number, -700.0 + 11.0 * number, 0.0, 28.0) for number in range(1, 140)]
    missed = navigating(start_lane=2, speed=28.0, set_speed=28.0, leaves={1: 500.0, 2: 500.0}, others=wall)
    missed.drive(24.0)
    assert missed.lanes_driven() == [2]
    assert missed.speeds().min() > 15.0


def test_nobody_overtakes_into_a_lane_that_is_about_to_end():
    drive = navigating(
        start_lane=1, speed=28.0, set_speed=30.0, ends={2: 350.0}, others=[truck(7, 90.0, 0.0, 24.0)]
    )
    drive.drive(8.0)
    assert 2 not in drive.lanes_driven()


def test_a_lower_limit_is_kept_where_it_begins():
    drive = navigating(speed=33.0, set_speed=33.0, limits=((0.0, 33.4), (600.0, 22.2)))
    drive.drive(30.0)
    inside = [entry[3] for entry in drive.log if entry[1] > 600.0]
    assert inside and max(inside) < 23.0
    assert drive.accelerations().min() > -1.6
    before = [entry[3] for entry in drive.log if entry[1] < 250.0]
    assert min(before) > 32.0  # not before it is time


def test_who_has_to_come_over_is_given_way_gently():
    merging = Other(4, 22.0, -LANE_WIDTH, 25.0)
    drive = Motorway(car=vehicle("city_ev"), speed=25.0, set_speed=26.0, ends={0: 260.0}, others=[merging])
    drive.drive(5.0)
    gap = (
        merging.station
        - 0.5 * merging.length
        - drive.log[-1][1]
        - drive.car.facts.dimensions.rear_axle_to_front
    )
    assert gap > 22.0 - 2.3 - drive.car.facts.dimensions.rear_axle_to_front + 1.0
    assert -0.9 < drive.accelerations().min() < -0.1
    assert any("give_way" in plan.ledger.name for *_, plan in drive.log)


@pytest.mark.parametrize("market, slower", [("EU", True), ("CN", False)])
def test_passing_on_the_right_follows_the_rule_of_the_market(market, slower):
    left = [Other(number, 60.0 + 40.0 * number, 0.0, 25.0) for number in range(6)]
    drive = navigating(car=in_market(market), start_lane=0, speed=29.0, set_speed=29.0, others=left)
    drive.drive(16.0)
    assert bool(drive.speeds()[-1] < 28.0) is slower


def test_the_ledger_across_the_road_names_who_is_overtaken():
    drive = navigating(start_lane=0, speed=28.0, set_speed=30.0, others=[truck(7, 120.0, -LANE_WIDTH, 22.0)])
    drive.drive(10.0)
    plan = drive.log[first_movement(drive)][4]
    lateral = plan.lateral
    assert lateral.name[lateral.binding] == "overtake"
    assert lateral.identity[lateral.binding] == 7
    assert lateral.bound[lateral.binding] == pytest.approx(LANE_WIDTH, abs=0.05)
    alone = navigating(start_lane=0, speed=28.0, set_speed=30.0)
    alone.drive(10.0)
    assert alone.lanes_driven() == [0]  # without him there is no reason


def test_every_place_across_the_road_has_an_entry():
    drive = navigating(start_lane=0, speed=28.0, set_speed=30.0, others=[truck(7, 120.0, -LANE_WIDTH, 22.0)])
    drive.drive(30.0)
    for *_, plan in drive.log:
        bound = plan.lateral.bound[plan.lateral.binding]
        assert math.isfinite(bound) and plan.lateral.sentence_zh[plan.lateral.binding]
    far = np.array([entry[4].lateral.bound[entry[4].lateral.binding] for entry in drive.log])
    changes = np.flatnonzero(np.abs(np.diff(far + drive_base(drive))) > 0.2)
    names = [
        drive.log[index + 1][4].lateral.name[drive.log[index + 1][4].lateral.binding] for index in changes
    ]
    assert names and set(names) <= {"overtake", "keep_right"}


def drive_base(drive: Motorway) -> np.ndarray:
    """Offsets on the road of the lane centres that the bounds count from."""
    return np.array([drive.centre(drive.ego_lane(entry[2])) for entry in drive.log])


def test_a_minimum_risk_stop_ends_on_a_free_shoulder_in_comfort():
    drive = navigating(start_lane=0, speed=25.0, set_speed=25.0, shoulder=3.0)
    drive.drive(2.0)
    drive.mode = DriveMode.MINIMUM_RISK
    drive.drive(20.0)
    assert drive.speeds()[-1] < 0.05
    edge = -1.5 * LANE_WIDTH
    half = 0.5 * drive.car.facts.dimensions.width
    assert edge - 3.0 < drive.offsets()[-1] - half and drive.offsets()[-1] + half < edge + 0.1
    assert drive.accelerations().min() >= -drive.car.facts.limits.minimum_risk_deceleration - 1e-6
    assert np.abs(np.diff(drive.offsets(), 2)).max() / 0.05**2 < 3.0


@pytest.mark.parametrize("changes", [{"shoulder": 1.6}, {"shoulder": 0.0, "ends": {2: 3000.0}}])
def test_without_a_shoulder_a_minimum_risk_stop_ends_in_the_lane(changes):
    drive = navigating(start_lane=0, speed=25.0, set_speed=25.0, **changes)
    drive.drive(2.0)
    drive.mode = DriveMode.MINIMUM_RISK
    drive.drive(14.0)
    assert drive.speeds()[-1] < 0.05
    assert abs(drive.offsets()[-1] + LANE_WIDTH) < 0.1


def test_an_occupied_shoulder_is_not_used():
    parked = Other(5, 110.0, -LANE_WIDTH - 3.3, 0.0)
    drive = navigating(start_lane=0, speed=25.0, set_speed=25.0, shoulder=3.0, others=[parked])
    drive.drive(1.0)
    drive.mode = DriveMode.MINIMUM_RISK
    for _ in range(400):
        drive.step()
        station, offset, _ = drive.ego_on_road()
        beside = abs(parked.station - station) < 6.0
        assert not beside or abs(parked.offset - offset) > 0.5 * (
            parked.width + drive.car.facts.dimensions.width
        )
    assert drive.speeds()[-1] < 0.05


def test_from_the_left_lane_a_minimum_risk_manoeuvre_goes_to_the_shoulder():
    drive = navigating(start_lane=1, speed=28.0, set_speed=28.0, shoulder=3.0)
    drive.drive(2.0)
    drive.mode = DriveMode.MINIMUM_RISK
    drive.drive(28.0)
    assert drive.speeds()[-1] < 0.05
    assert drive.offsets()[-1] < -1.5 * LANE_WIDTH


def test_beside_cars_of_like_speed_the_car_goes_to_a_gap_between_them_in_comfort():
    beside = [Other(number, -135.0 + 45.0 * number, 0.0, 20.0) for number in range(1, 6)]
    drive = navigating(start_lane=0, speed=20.0, set_speed=20.0, ends={0: 500.0}, others=beside)
    drive.drive(12.0)
    assert drive.lanes_driven()[:2] == [0, 1]
    assert drive.speeds().min() > 13.0
