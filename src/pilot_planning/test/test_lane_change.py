"""Lane changes: timing of the regulation, gaps, refusal in words, calling off, the lane number that jumps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from motorway import LANE_WIDTH, Motorway, Other, vehicle

from pilot_common.regulation import rear_distance
from pilot_common.types import DriveMode, Manoeuvre, MarkKind, Side
from pilot_planning.highway.lane_change import lowest_speed

CHANGING = (Manoeuvre.LANE_CHANGE_LEFT, Manoeuvre.LANE_CHANGE_RIGHT)


def press(side: Side, at: float = 1.0):
    return lambda time: side if at <= time < at + 0.3 else Side.NONE


def changed(drive: Motorway) -> bool:
    return abs(drive.offsets()[-1]) > 0.5 * LANE_WIDTH


@pytest.mark.parametrize("side, sign", [(Side.LEFT, 1.0), (Side.RIGHT, -1.0)])
def test_a_free_lane_change_keeps_the_times_of_the_regulation(side, sign):
    drive = Motorway(speed=30.0, set_speed=30.0, lever=press(side))
    drive.drive(12.0)
    offsets = sign * drive.offsets()
    assert offsets[-1] == pytest.approx(LANE_WIDTH, abs=0.1)
    times = np.array([entry[0] for entry in drive.log])
    lit = times[[plan.indicator is side for *_, plan in drive.log]]
    begin = times[np.argmax(offsets > 0.05)]
    end = times[np.argmax(offsets > LANE_WIDTH - 0.25)]
    assert begin - lit[0] >= 1.0
    assert 3.0 <= begin - 1.0 <= 5.0
    assert end - begin < 5.0
    assert np.all(np.diff(offsets[: np.argmax(offsets)]) > -1e-4)  # one continuous movement
    assert drive.log[-1][4].indicator is Side.NONE


def test_the_path_does_not_jump_when_the_lane_number_does():
    drive = Motorway(speed=30.0, set_speed=30.0, lever=press(Side.LEFT))
    drive.drive(12.0)
    offsets = drive.offsets()
    assert changed(drive)
    assert np.abs(np.diff(offsets, 2)).max() / 0.05**2 < 2.0  # m/s² across
    assert np.abs(np.diff(offsets, 3)).max() / 0.05**3 < 8.0  # m/s³


@pytest.mark.parametrize(
    "other, words",
    [
        (Other(4, -25.0, 3.6, 38.0), "behind"),
        (Other(4, 2.0, 3.6, 30.0), "beside"),
        (Other(4, 25.0, 3.6, 24.0), "ahead"),
    ],
)
def test_an_occupied_lane_is_waited_for_and_then_given_up_with_the_reason(other, words):
    follow = lambda time: (0.0, 0.0)  # noqa: E731
    other = Other(
        other.identity, other.station, other.offset, 30.0 if words == "beside" else other.speed, drive=follow
    )
    drive = Motorway(speed=30.0, set_speed=30.0, others=[other], lever=press(Side.LEFT))
    reasons = [plan.reason for plan in drive.drive(4.5)]
    assert any(words in reason for reason in reasons)
    assert all(plan.manoeuvre not in CHANGING for *_, plan in drive.log) or words != "beside"
    if words == "beside":
        drive.drive(4.0)
        assert not changed(drive)
        assert any("given up" in plan.reason for *_, plan in drive.log)
        assert drive.log[-1][4].indicator is Side.NONE


def test_a_gap_that_opens_while_waiting_is_used():
    other = Other(4, -20.0, 3.6, 34.0)  # passes within the waiting time
    drive = Motorway(speed=26.0, set_speed=26.0, others=[other], lever=press(Side.LEFT))
    drive.drive(14.0)
    assert changed(drive)
    assert min(drive.gaps, default=9.0) > 0.5


@pytest.mark.parametrize(
    "change, words",
    [
        ({"start_lane": 2}, "no lane"),
        ({"left_mark": MarkKind.SOLID}, "must not be crossed"),
        ({"car": vehicle("city_ev")}, "not equipped"),
        ({"speed": 4.0, "set_speed": 4.0}, "below"),
    ],
)
def test_what_never_can_be_is_refused_at_once_in_words(change, words):
    drive = Motorway(**({"speed": 30.0, "set_speed": 30.0, "lever": press(Side.LEFT)} | change))
    drive.drive(7.0)
    assert not any(plan.manoeuvre in CHANGING for *_, plan in drive.log)
    assert any(words in plan.reason for *_, plan in drive.log)
    assert all(plan.indicator is Side.NONE for *_, plan in drive.log)


def test_a_lost_rear_sensor_forbids_lane_changes():
    drive = Motorway(speed=30.0, set_speed=30.0, lever=press(Side.LEFT))
    drive.change_world = lambda world: replace(world, sensors_lost=("rear_left_radar",))
    drive.drive(7.0)
    assert not changed(drive) and any("looks back" in plan.reason for *_, plan in drive.log)


def test_a_car_that_appears_behind_calls_the_change_off_while_still_in_the_lane():
    racer = Other(4, -186.0, 3.6, 55.0, seen=lambda time: time > 4.3)
    drive = Motorway(speed=28.0, set_speed=28.0, others=[racer], lever=press(Side.LEFT))
    drive.drive(12.0)
    assert any("called off" in plan.reason for *_, plan in drive.log)
    half = 0.5 * vehicle().facts.dimensions.width
    assert drive.offsets().max() + half < 0.5 * LANE_WIDTH + 0.3  # did not enter the other lane
    assert abs(drive.offsets()[-1]) < 0.15


def test_without_a_request_or_without_driving_nothing_moves():
    quiet = Motorway(speed=30.0)
    quiet.drive(5.0)
    assert np.abs(quiet.offsets()).max() < 1e-3
    shadow = Motorway(speed=30.0, mode=DriveMode.STANDBY, lever=press(Side.LEFT))
    shadow.drive(6.0)
    assert all(plan.indicator is Side.NONE for *_, plan in shadow.log)


def test_a_lane_number_that_jumps_by_mistake_does_not_steer_the_car_away():
    """Fusion names the left lane the own one for half a second; the ground has not moved."""

    def mistaken(world):
        if not 2.0 < drive.elapsed < 2.5:
            return world
        lanes = world.lanes
        normal = np.stack((-np.sin(lanes.heading), np.cos(lanes.heading)), -1)
        shift = float(lanes.offset[2])
        return replace(
            world,
            lanes=replace(lanes, ego_lane=2, point=lanes.point + shift * normal, offset=lanes.offset - shift),
        )

    drive = Motorway(speed=30.0, set_speed=30.0, change_world=mistaken)
    drive.drive(6.0)
    assert np.abs(drive.offsets()).max() < 0.05


@pytest.mark.parametrize("ego, rear, distance", [(100, 120, 35.1), (110, 130, 37.9), (80, 130, 59.9)])
def test_rear_distance_is_that_of_the_regulation(ego, rear, distance):
    assert rear_distance(ego / 3.6, rear / 3.6) == pytest.approx(distance, abs=0.1)


@given(sight=st.floats(20.0, 200.0), approach=st.floats(20.0, 60.0))
def test_at_the_lowest_speed_the_rear_distance_just_fits_the_sight(sight, approach):
    slowest = lowest_speed(sight, approach)
    if 0.0 < slowest < approach:
        assert rear_distance(slowest, approach) == pytest.approx(sight, rel=1e-6)
