"""Room to the side: from whom, how far, over which marks, and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motorway import LANE_WIDTH, Motorway, Other, vehicle

from pilot_common.types import Manoeuvre, MarkKind, ObjectClass

HALF_WIDTH = 0.5 * vehicle().facts.dimensions.width


def beside_clearance(drive: Motorway, other: Other) -> float:
    """Least distance between the sides while the cars are beside each other, by the places of each step."""
    return min(drive.side_gaps.get(other.identity, [np.inf]))


class Watched(Motorway):
    """A drive that measures the distance to the side of everybody beside the car."""

    def step(self):
        self.side_gaps = getattr(self, "side_gaps", {})
        plan = super().step()
        station, offset, _ = self.ego_on_road()
        dimensions = self.car.facts.dimensions
        middle = station + dimensions.rear_axle_to_front - 0.5 * dimensions.length
        for other in self.others:
            if abs(other.station - middle) < 0.5 * (other.length + dimensions.length):
                gap = abs(other.offset - offset) - 0.5 * (other.width + dimensions.width)
                self.side_gaps.setdefault(other.identity, []).append(gap)
        return plan


def truck_beside(offset: float, speed: float = 25.0) -> Other:
    return Other(3, 4.0, offset, speed, class_id=ObjectClass.TRUCK, length=16.0, width=2.55)


def test_a_neighbour_that_comes_too_close_is_given_room_inside_the_lane_and_then_the_car_goes_back():
    def wander(time: float) -> tuple[float, float]:
        return (0.0, -0.4) if 2.0 < time < 5.6 else (0.0, 0.4) if 8.0 < time < 11.6 else (0.0, 0.0)

    neighbour = Other(3, 2.0, LANE_WIDTH, 25.0, drive=wander)
    drive = Watched(speed=25.0, set_speed=25.0, others=[neighbour])
    drive.drive(16.0)
    assert drive.offsets().min() < -0.15
    assert drive.offsets().min() - HALF_WIDTH > -0.5 * LANE_WIDTH
    unmoved = LANE_WIDTH - 3.6 * 0.4 - 0.5 * neighbour.width - HALF_WIDTH
    assert beside_clearance(drive, neighbour) > unmoved + 0.1
    assert abs(drive.offsets()[-1]) < 0.1
    assert any(plan.manoeuvre is Manoeuvre.EVADE for *_, plan in drive.log)
    named = [plan.lateral for *_, plan in drive.log if "evade" in plan.lateral.name]
    assert all(ledger.identity[ledger.binding] == 3 for ledger in named)


def test_without_the_neighbour_the_car_stays_where_it_is():
    drive = Motorway(speed=25.0, set_speed=25.0)
    drive.drive(8.0)
    assert np.abs(drive.offsets()).max() < 0.02


@settings(max_examples=8, deadline=None)
@given(shift=st.floats(-0.25, 0.25), pace=st.floats(-4.0, 4.0))
def test_ordinary_neighbours_do_not_move_the_car(shift, pace):
    others = [
        Other(1, -30.0, LANE_WIDTH + shift, 27.0 + pace),
        Other(2, 20.0, -LANE_WIDTH + shift, 27.0 - pace),
        Other(4, 70.0, 0.0, 27.0),
    ]
    drive = Motorway(speed=27.0, set_speed=27.0, others=others)
    drive.drive(8.0)
    assert np.abs(drive.offsets()).max() < 0.05
    assert all(plan.manoeuvre is not Manoeuvre.EVADE for *_, plan in drive.log)


def test_what_blocks_a_part_of_the_lane_is_passed_inside_the_lane():
    """A car stands half a metre inside the lane."""
    standing = Other(5, 140.0, -0.5 * LANE_WIDTH + 0.5 - 0.5 * 1.85, 0.0)
    drive = Watched(speed=20.0, set_speed=20.0, others=[standing])
    drive.drive(10.0)
    assert beside_clearance(drive, standing) > 0.2
    assert drive.offsets().max() + HALF_WIDTH < 0.5 * LANE_WIDTH
    assert drive.speeds().min() > 10.0
    across = np.diff(drive.offsets(), 2) / 0.05**2
    assert np.abs(across).max() < vehicle().facts.limits.max_lateral_acceleration


def test_room_is_kept_until_the_end_of_what_is_long():
    """A road train stands 0.65 m inside the lane: to be beside it takes longer than a shift is held without need."""
    inside = -0.5 * LANE_WIDTH + 0.65 - 0.5 * 2.5
    train = Other(5, 90.0, inside, 0.0, class_id=ObjectClass.TRUCK, length=25.0, width=2.5)
    drive = Watched(speed=10.0, set_speed=10.0, others=[train])
    drive.drive(14.0)
    assert beside_clearance(drive, train) > 0.2
    assert np.ptp(drive.side_gaps[5]) < 0.05


def test_trucks_beside_move_the_car_a_little_away():
    drive = Motorway(speed=25.0, set_speed=25.0, others=[truck_beside(LANE_WIDTH)])
    drive.drive(5.0)
    assert -0.2 <= drive.offsets()[-1] < -0.08
    assert drive.log[-1][4].lateral.name[-1] == "truck_beside"
    between = Motorway(
        speed=25.0,
        set_speed=25.0,
        others=[truck_beside(LANE_WIDTH), replace(truck_beside(-LANE_WIDTH), identity=4)],
    )
    between.drive(5.0)
    assert abs(between.offsets()[-1]) < 0.02


def suddenly(gap: float, offset: float = 0.0) -> Other:
    """A car that stands in the lane and is seen late."""
    return Other(7, 3.78 + 2.3 + gap + 30.0, offset, 0.0, seen=lambda time: time > 1.2, age=1.0)


def test_a_mark_is_crossed_where_only_that_avoids_the_contact():
    standing = suddenly(42.0, -0.8)  # 48 m to stop, 1.1 m to the side to pass
    drive = Watched(speed=25.0, set_speed=25.0, others=[standing])
    drive.drive(6.0)
    assert beside_clearance(drive, standing) > 0.0
    assert np.abs(drive.offsets()).max() > 0.5 * LANE_WIDTH - HALF_WIDTH


@pytest.mark.parametrize("mark", [MarkKind.SOLID, MarkKind.ROAD_EDGE])
def test_no_solid_line_is_crossed(mark):
    drive = Watched(
        speed=25.0, set_speed=25.0, lanes=1, start_lane=0, left_mark=mark, others=[suddenly(42.0, -0.8)]
    )
    drive.drive(5.0)
    assert np.abs(drive.offsets()).max() + HALF_WIDTH <= 0.5 * LANE_WIDTH + 0.05
    assert drive.accelerations().min() < -6.0


def test_nobody_is_hit_beside_to_avoid_a_contact_ahead():
    walls = [
        Other(10 + number, -20.0 + 12.0 * number, side * LANE_WIDTH, 25.0)
        for number in range(8)
        for side in (-1, 1)
    ]
    drive = Watched(speed=25.0, set_speed=25.0, others=[suddenly(42.0, -0.8), *walls])
    drive.drive(5.0)
    assert all(beside_clearance(drive, other) > 0.3 for other in walls)


def test_where_braking_suffices_the_car_stays_in_its_lane():
    drive = Watched(speed=25.0, set_speed=25.0, others=[suddenly(60.0)])
    drive.drive(7.0)
    assert np.abs(drive.offsets()).max() + HALF_WIDTH < 0.5 * LANE_WIDTH
    assert min(drive.gaps) > 0.5


def fast_from_the_right(gap: float, closing: float, sideways: float) -> Other:
    """A car that comes in at `sideways` m/s, whose speed it has when it is `gap` ahead and 1.6 m beside."""
    car = vehicle().facts.dimensions
    begins, away = sideways / 1.5, 0.5 * sideways**2 / 1.5
    start = gap + closing * (2.0 + begins)

    def drive(time: float) -> tuple[float, float]:
        rate = max(0.0, min(sideways, 1.5 * (time - 2.0)))
        return 0.0, rate if time < 2.0 + begins + 3.5 / sideways else 0.0

    offset = -(1.6 + away + 0.5 * (car.width + 1.85))
    return Other(6, car.rear_axle_to_front + 2.3 + start, offset, 20.0 - closing, drive=drive)


@pytest.mark.parametrize(
    ("gap", "closing", "sideways"), [(10.0, 16.7, 1.6), (4.0, 11.1, 1.6), (1.0, 8.0, 1.5)]
)
def test_who_comes_in_fast_beside_the_car_is_passed_with_room_inside_the_lane(gap, closing, sideways):
    """He would touch the car's rear before it is past, and braking would only meet him."""
    other = fast_from_the_right(gap, closing, sideways)
    drive = Watched(speed=20.0, set_speed=20.0, others=[other])
    drive.drive(5.0)
    assert beside_clearance(drive, other) > 0.1
    assert drive.offsets().max() > 0.15
    assert drive.offsets().max() + HALF_WIDTH < 0.5 * LANE_WIDTH
    assert drive.speeds().min() > 19.0
