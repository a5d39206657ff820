"""Adaptive cruise: free driving, following, stop and go, braking; physical invariants first."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motorway import Motorway, Other, arc_road, replace_tracks, vehicle

from pilot_common.regulation import braking_jerk, regulation_gap
from pilot_common.types import DriveMode, Manoeuvre, ObjectClass, World
from pilot_common.vehicle import SensorKind
from pilot_planning.highway.motion import needed_deceleration

STEP = 0.05
LIMITS = vehicle().facts.limits


def assert_within_limits(drive: Motorway, emergency: bool = False) -> None:
    acceleration = drive.accelerations()
    assert acceleration.max() <= LIMITS.max_acceleration + 1e-9
    assert acceleration.min() >= -LIMITS.max_deceleration - 1e-9
    jerk = np.diff(acceleration) / STEP
    standing = drive.speeds()[1:] <= 0.35  # letting the brakes go at a stand is no jerk
    largest = LIMITS.max_emergency_jerk if emergency else LIMITS.max_jerk
    assert np.abs(jerk[~standing]).max() <= largest + 1e-6


@settings(max_examples=15, deadline=None)
@given(
    speed=st.floats(5.0, 36.0),
    lead_speed=st.floats(0.0, 36.0),
    slack=st.floats(1.0, 60.0),
    braking=st.floats(0.0, 6.0),
)
def test_no_contact_with_a_leader_that_brakes_whenever_physics_leaves_room(speed, lead_speed, slack, braking):
    """The leader brakes from the start to a stand. Room: what 7 m/s² after 0.8 s of delay and build-up needs, and 2 m."""
    stop = speed * 0.8 + speed**2 / 14.0
    lead_stop = lead_speed**2 / (2.0 * braking) if braking > 0.1 else 1e9
    if braking <= 0.1:
        closing = max(0.0, speed - lead_speed)
        room = closing * 0.8 + closing**2 / 14.0
    else:
        rolling = max(0.0, speed - lead_speed) * 0.8 + 0.5 * 0.8**2 * braking
        room = max(
            stop - lead_stop, rolling + max(0.0, speed - lead_speed) ** 2 / (2.0 * max(0.5, 7.0 - braking))
        )
    gap = max(room, 0.0) + 3.0 + slack
    lead = Other(5, 3.78 + gap + 2.3, 0.0, lead_speed, drive=lambda time: (-braking, 0.0))
    drive = Motorway(speed=speed, others=[lead])
    drive.drive(7.0)
    assert min(drive.gaps) > 0.5  # m


@pytest.mark.parametrize("speed", [10.0, 20.0, 28.0])
def test_a_standing_car_is_approached_softly_and_the_stop_is_a_stop(speed):
    drive = Motorway(speed=speed, set_speed=30.0, others=[Other(7, 225.0, 0.0, 0.0)])
    drive.drive(28.0)
    speeds = drive.speeds()
    assert speeds[-1] == 0.0
    assert 3.0 <= drive.gaps[-1] <= 6.0
    assert drive.accelerations().min() >= -LIMITS.comfort_deceleration - 1e-9
    assert_within_limits(drive)
    stopped = int(np.argmax(speeds == 0.0))
    assert not speeds[stopped:].any()  # never creeps on
    assert drive.log[-1][4].manoeuvre is Manoeuvre.STOP


def test_a_slower_leader_is_followed_at_the_wanted_gap():
    drive = Motorway(speed=33.0, time_gap=1.5, others=[Other(7, 250.0, 0.0, 20.0)])
    drive.drive(38.0)
    assert drive.speeds()[-1] == pytest.approx(20.0, abs=0.1)
    assert drive.gaps[-1] == pytest.approx(4.0 + 1.5 * 20.0, abs=1.0)
    assert min(drive.gaps) > 33.0  # does not dive into the gap
    assert_within_limits(drive)
    assert drive.log[-1][4].manoeuvre is Manoeuvre.FOLLOW
    assert drive.log[-1][4].lead_identity == 7


def test_stop_and_go_follows_to_a_stand_and_restarts():
    def wave(time: float) -> tuple[float, float]:
        return (-2.0, 0.0) if 2 < time < 8 else (1.2, 0.0) if 16 < time < 26 else (0.0, 0.0)

    drive = Motorway(speed=12.0, set_speed=25.0, others=[Other(7, 30.0, 0.0, 12.0, drive=wave)])
    drive.drive(34.0)
    speeds = drive.speeds()
    assert speeds[round(15.0 / STEP)] == 0.0
    assert speeds[-1] > 10.0
    assert min(drive.gaps) > 2.0
    assert_within_limits(drive)


def test_a_queue_does_not_amplify_a_braking_wave():
    """Each of three cars with this planner follows the one before: their speed dips must not grow down the queue."""
    dip = lambda time: (-1.0, 0.0) if 3 < time < 7 else (1.0, 0.0) if 9 < time < 13 else (0.0, 0.0)  # noqa: E731
    drop, drive_before = [], None
    for _ in range(3):
        if drive_before is None:
            lead = Other(7, 3.78 + 2.3 + 41.5, 0.0, 25.0, drive=dip)
        else:
            record = drive_before.accelerations()
            lead = Other(
                7,
                3.78 + 2.3 + 41.5,
                0.0,
                25.0,
                drive=lambda time, record=record: (
                    float(record[min(len(record) - 1, round(time / STEP))]),
                    0.0,
                ),
            )
        drive = Motorway(speed=25.0, set_speed=25.0, time_gap=1.5, others=[lead])
        drive.drive(30.0)
        drop.append(25.0 - drive.speeds().min())
        drive_before = drive
    assert drop[0] <= 4.0 + 0.2
    assert all(later <= earlier + 0.1 for earlier, later in pairwise(drop))


def test_a_steady_gap_is_never_below_the_safe_distance_nor_the_regulation():
    """RSS distance at equal speeds and equal brakes is reaction 0.5 s × speed; UN R157 asks for more at low speed."""
    for lead_speed in (3.0, 11.0, 16.0, 33.0):
        lead = Other(7, 3.78 + 2.3 + 6.0 + 1.3 * lead_speed, 0.0, lead_speed)
        drive = Motorway(speed=lead_speed, set_speed=36.0, time_gap=1.0, others=[lead])
        drive.drive(20.0)
        assert drive.gaps[-1] >= 0.5 * lead_speed
        assert drive.gaps[-1] >= regulation_gap(lead_speed) - 0.5


def test_sudden_braking_of_the_leader_from_the_regulation_gap_is_survived():
    """UN R157: leader brakes with 6 m/s² at the time gap of the table."""
    for kph in (20, 40, 60):
        speed = kph / 3.6
        gap = regulation_gap(speed)
        brake = lambda time: (-6.0, 0.0) if time > 2 else (0.0, 0.0)  # noqa: E731
        drive = Motorway(
            speed=speed,
            set_speed=speed,
            time_gap=1.0,
            others=[Other(7, 3.78 + 2.3 + gap, 0.0, speed, drive=brake)],
        )
        drive.drive(10.0)
        assert min(drive.gaps) > 1.0
        assert_within_limits(drive, emergency=True)


def test_emergency_braking_builds_up_within_its_jerk_and_says_so():
    drive = Motorway(speed=25.0, others=[Other(7, 62.0, 0.0, 0.0, seen=lambda time: time > 0.5, age=1.0)])
    drive.drive(6.0)
    assert any(plan.manoeuvre is Manoeuvre.EMERGENCY_BRAKE for *_, plan in drive.log)
    hard = next(plan for *_, plan in drive.log if plan.manoeuvre is Manoeuvre.EMERGENCY_BRAKE)
    assert "track 7" in hard.reason and "needs" in hard.reason
    assert min(drive.gaps) > 0.5
    assert_within_limits(drive, emergency=True)


def test_a_standing_car_behind_a_cut_out_is_not_hit():
    """UN R157 cut-out: the leader swerves away 40 m before a standing car that was hidden until then."""
    leave = lambda time: (0.0, 1.8) if 2.0 < time < 4.0 else (0.0, 0.0)  # noqa: E731
    speed = 16.0
    lead = Other(7, 3.78 + 2.3 + 28.0, 0.0, speed, drive=leave, intention=(0.2, 0.75, 0.05))
    standing = Other(8, 100.0, 0.0, 0.0, seen=lambda time: time > 2.6, age=0.5)
    drive = Motorway(speed=speed, set_speed=speed, others=[lead, standing])
    drive.drive(12.0)
    assert min(gap for gap in drive.gaps) > 1.0
    assert drive.speeds()[-1] == 0.0


@pytest.mark.parametrize("curvature", [1 / 250, -1 / 250, 1 / 600, -1 / 1000])
def test_neighbouring_lanes_never_make_the_car_brake_in_a_curve(curvature):
    speed = min(20.0, 1.7**0.5 * abs(curvature) ** -0.5)
    others = [
        Other(
            number + 1,
            15.0 + 25.0 * number,
            side * 3.6,
            0.5 * speed,
            class_id=ObjectClass.TRUCK,
            width=2.55,
            length=14.0,
        )
        for number, side in enumerate((1, -1, 1, -1, 1, -1))
    ]
    drive = Motorway(speed=speed, set_speed=speed, others=others, road=arc_road(curvature))
    drive.drive(8.0)
    assert drive.accelerations().min() > -0.1
    assert all(plan.lead_identity == 0 for *_, plan in drive.log)


def test_an_unconfirmed_ghost_does_not_cause_hard_braking():
    ghost = Other(9, 45.0, 0.0, 0.0, existence=0.6, age=0.1, seen=lambda time: 1.0 < time < 1.3)
    drive = Motorway(speed=28.0, set_speed=28.0, others=[ghost])

    def one_sensor(world):
        count = len(world.tracks.identity)
        return replace_tracks(world, sensors=np.full(count, 2, np.uint8))

    drive.change_world = one_sensor
    drive.drive(3.0)
    assert drive.accelerations().min() >= -LIMITS.comfort_deceleration - 1e-9


def test_a_foreseen_cut_in_is_met_before_it_arrives():
    enter = lambda time: (0.0, -1.0) if 2.0 < time < 5.6 else (0.0, 0.0)  # noqa: E731
    cutter = Other(7, 35.0, 3.6, 22.0, drive=enter, intention=(0.3, 0.05, 0.65))
    drive = Motorway(speed=28.0, set_speed=28.0, others=[cutter])
    drive.drive(20.0)
    crossing = next(time for time, *_ in drive.log if time > 2.0 and cutter_offset(time) < 1.8 + 0.925)
    before = [plan for time, *_, plan in drive.log if time < crossing]
    assert before[-1].trajectory.acceleration[0] < -0.3  # brakes before its body touches the lane
    assert "cuts in" in " ".join(before[-1].ledger.sentence)
    assert min(drive.gaps) > 1.5
    assert_within_limits(drive, emergency=True)


def cutter_offset(time: float) -> float:
    return 3.6 - max(0.0, min(3.6, time - 2.0))


def test_swaying_neighbours_are_no_cut_in():
    sway = lambda time: (0.0, 0.15 * np.cos(1.2 * time))  # noqa: E731
    drive = Motorway(speed=28.0, set_speed=28.0, others=[Other(7, 25.0, 3.6, 26.0, drive=sway)])
    drive.drive(10.0)
    assert drive.accelerations().min() > -0.1


def test_a_pedestrian_who_crosses_is_braked_for_and_one_who_walks_along_is_not():
    walk = lambda time: (0.0, 1.4)  # noqa: E731
    crossing = Other(3, 70.0, -4.4, 0.1, drive=walk, class_id=ObjectClass.PEDESTRIAN, length=0.5, width=0.5)
    drive = Motorway(speed=14.0, set_speed=14.0, others=[crossing])
    drive.drive(6.0)
    assert not drive.gaps or min(drive.gaps) > 1.0
    assert drive.accelerations().min() < -1.0
    along = Other(3, 70.0, -6.0, 1.4, class_id=ObjectClass.PEDESTRIAN, length=0.5, width=0.5)
    calm = Motorway(speed=14.0, set_speed=14.0, others=[along])
    calm.drive(6.0)
    assert calm.accelerations().min() > -0.1


def test_curves_are_entered_at_a_comfortable_speed():
    drive = Motorway(speed=30.0, set_speed=30.0, road=arc_road(1 / 250, 1400.0, straight=250.0))
    drive.drive(14.0)
    curvature = drive.road.at(np.array([entry[1] for entry in drive.log]))[2]
    assert (drive.speeds() ** 2 * curvature).max() < 1.8 * 1.05
    assert drive.log[-1][1] > 320.0  # was in it
    assert_within_limits(drive)


def test_speed_limit_and_sight_bound_the_speed():
    drive = Motorway(speed=30.0, set_speed=36.0, speed_limit=22.2)
    drive.drive(22.0)
    assert drive.speeds()[-1] == pytest.approx(22.2, abs=0.2)
    fog = Motorway(speed=25.0, set_speed=30.0, sight=30.0)
    fog.drive(25.0)
    assert fog.speeds()[-1] == pytest.approx(15.0, abs=0.3)


def test_every_car_can_stop_within_what_its_sensors_see():
    for name in ("city_ev", "sedan_ice", "suv_erev", "flagship_ev"):
        car = vehicle(name)
        drive = Motorway(speed=25.0, set_speed=60.0, car=car)
        drive.drive(16.0)
        sight = max(sensor.range for sensor in car.sensors)
        top = drive.speeds().max()
        assert top <= car.facts.limits.max_speed + 1e-6
        assert top * 0.5 + top**2 / (2.0 * car.facts.limits.max_deceleration) < sight


def test_minimum_risk_stops_in_the_lane_and_stays():
    drive = Motorway(speed=25.0)
    drive.drive(2.0)
    drive.mode = DriveMode.MINIMUM_RISK
    drive.drive(15.0)
    assert drive.speeds()[-1] == 0.0
    assert drive.accelerations().min() >= -LIMITS.minimum_risk_deceleration - 1e-9
    assert np.abs(drive.offsets()).max() < 0.05
    assert_within_limits(drive)
    assert drive.log[-1][4].manoeuvre is Manoeuvre.MINIMUM_RISK


@settings(max_examples=40, deadline=None)
@given(
    speed=st.floats(0.1, 40.0),
    lead=st.floats(0.0, 40.0),
    gap=st.floats(5.0, 200.0),
    braking=st.floats(0.0, 9.0),
)
def test_the_needed_deceleration_keeps_the_margin_and_a_tenth_less_does_not(speed, lead, gap, braking):
    """Against a simulation in small steps."""
    need = needed_deceleration(gap, speed, lead, -braking, 0.3, 2.0)
    if 0.3 < need < 50.0:
        assert smallest_gap(speed, lead, gap, braking, need) >= 2.0 - 0.15
        assert smallest_gap(speed, lead, gap, braking, 0.9 * need) < 2.0 + 1e-3


def smallest_gap(speed: float, lead: float, gap: float, braking: float, deceleration: float) -> float:
    step, time, least = 0.02, 0.0, gap
    while (speed > 0.0 or lead > 0.0) and time < 300.0:
        acting = deceleration if time >= 0.3 else 0.0
        speed_next, lead_next = max(0.0, speed - acting * step), max(0.0, lead - braking * step)
        gap += 0.5 * step * (lead + lead_next - speed - speed_next)
        speed, lead, time = speed_next, lead_next, time + step
        least = min(least, gap)
        if speed < lead and braking == 0.0:
            break
    return least


@given(speed=st.floats(0.0, 40.0))
def test_regulation_gap_grows_with_speed_and_has_two_metres_at_least(speed):
    assert regulation_gap(speed) >= 2.0
    assert regulation_gap(speed + 0.5) >= regulation_gap(speed)


@pytest.mark.parametrize(
    "kph, gap", [(7.2, 2.0), (10, 3.1), (20, 6.7), (30, 10.8), (40, 15.6), (50, 20.8), (60, 26.7)]
)
def test_regulation_gap_is_the_table_of_the_regulation(kph, gap):
    assert regulation_gap(kph / 3.6) == pytest.approx(gap, abs=0.06)


def test_braking_jerk_falls_with_speed_as_the_standard_says():
    assert (braking_jerk(3.0), braking_jerk(25.0)) == (5.0, 2.5)
    assert braking_jerk(12.0) == pytest.approx(3.83, abs=0.01)


def test_without_a_camera_the_car_goes_on_only_where_the_lane_is_still_seen():
    cameras = tuple(sensor.name for sensor in vehicle().sensors if sensor.kind is SensorKind.CAMERA)
    seen_by_others = Motorway(speed=25.0, set_speed=25.0, sight=120.0)
    seen_by_others.change_world = lambda world: replace(world, sensors_lost=cameras)
    seen_by_others.drive(3.0)
    assert seen_by_others.speeds()[-1] > 24.5

    by_memory = Motorway(speed=25.0, set_speed=25.0, sight=120.0)

    def shrinking(world: World) -> World:
        left = max(0.0, 120.0 - 25.0 * by_memory.elapsed)
        return replace(world, sensors_lost=cameras, lanes=replace(world.lanes, sight=left))

    by_memory.change_world = shrinking
    by_memory.drive(3.0)
    assert by_memory.speeds()[-1] < 22.0
    by_memory.drive(4.0)  # to a stand, and never harder than comfort, however little of the lane is left
    asked = min(float(entry[4].trajectory.acceleration[0]) for entry in by_memory.log)
    assert -vehicle().facts.limits.comfort_deceleration - 1e-6 <= asked < -2.0
