"""The plan as a message: ledger, geometry, continuity, bad input, repetition, time."""

import copy
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motorway import Motorway, Other, arc_road, planner, replace_tracks, vehicle

from pilot_common.types import DriveMode, Plan
from pilot_planning.highway.parameters import PlanningParameters


def busy(seconds: float = 12.0) -> Motorway:
    """A drive with everything in it: leader, cut-in, curve, stop."""
    enter = lambda time: (0.0, -1.2) if 3.0 < time < 6.0 else (0.0, 0.0)  # noqa: E731
    slow = lambda time: (-2.5, 0.0) if time > 6.0 else (0.0, 0.0)  # noqa: E731
    others = [
        Other(1, 90.0, 0.0, 24.0, drive=slow),
        Other(2, 45.0, 3.6, 23.0, drive=enter, intention=(0.3, 0.0, 0.7)),
    ]
    drive = Motorway(speed=28.0, others=others, road=arc_road(1 / 900, straight=150.0))
    drive.drive(seconds)
    return drive


@pytest.fixture(scope="module")
def drive() -> Motorway:
    return busy()


def test_the_ledger_reproduces_the_command(drive):
    for *_, plan in drive.log:
        ledger = plan.ledger
        assert plan.trajectory.acceleration[0] == ledger.bound[ledger.binding]
        physical = [bound for name, bound in zip(ledger.name, ledger.bound, strict=True) if name != "jerk"]
        if ledger.name[ledger.binding] == "jerk":
            assert ledger.bound[ledger.runner_up] == min(physical)
        else:
            assert ledger.bound[ledger.binding] == min(physical)
        assert len(ledger.name) == len(ledger.sentence) and all(ledger.sentence)


def test_the_jerk_limit_explains_every_difference_from_the_lowest_bound(drive):
    limits = vehicle().facts.limits
    commands = drive.accelerations()
    for before, (*_, plan) in zip(commands[:-1], drive.log[1:], strict=True):
        ledger = plan.ledger
        lowest = min(bound for name, bound in zip(ledger.name, ledger.bound, strict=True) if name != "jerk")
        now = float(plan.trajectory.acceleration[0])
        assert min(before, lowest) - 1e-9 <= now <= max(before, lowest) + 1e-9
        assert abs(now - before) <= limits.max_emergency_jerk * 0.05 + 1e-9


def test_sentences_carry_the_numbers(drive):
    sentences = " ".join(sentence for *_, plan in drive.log for sentence in plan.ledger.sentence)
    assert "track 1, car" in sentences and "gap wanted" in sentences and "m/s²" in sentences
    assert "set speed 33.0 m/s" in sentences


def test_trajectories_are_drivable(drive):
    for *_, plan in drive.log[::10]:
        trajectory = plan.trajectory
        assert (
            np.all(np.diff(trajectory.time) > 0.0)
            and trajectory.time[0] == 0.0
            and trajectory.time[-1] >= 8.0
        )
        assert np.all(trajectory.speed >= 0.0)
        way = np.concatenate(((0.0,), np.cumsum(np.hypot(*np.diff(trajectory.position, axis=0).T))))
        driven = np.concatenate(
            (
                (0.0,),
                np.cumsum(0.5 * (trajectory.speed[1:] + trajectory.speed[:-1]) * np.diff(trajectory.time)),
            )
        )
        assert np.abs(way - driven).max() < 0.5  # m
        assert np.hypot(*np.diff(plan.path, axis=0).T).sum() >= 150.0
        assert np.abs(plan.path_curvature).max() < 0.02


def test_heading_and_curvature_belong_to_the_path(drive):
    for *_, plan in drive.log[::20]:
        seen = (
            np.cumsum(np.hypot(*np.diff(plan.path, axis=0).T)) < 185.0
        )  # beyond the lanes' end it goes on straight
        step = np.diff(plan.path, axis=0)
        chord = np.arctan2(step[:, 1], step[:, 0])
        middle = 0.5 * (plan.path_heading[1:] + plan.path_heading[:-1])
        assert np.abs(chord - middle)[seen].max() < 2e-4  # rad
        turned = np.diff(plan.path_heading)
        bent = 0.5 * (plan.path_curvature[1:] + plan.path_curvature[:-1]) * np.hypot(*step.T)
        assert np.abs(turned - bent)[seen].max() < 1e-3


def test_plans_continue_one_another(drive):
    """What a plan says of 50 ms later is where the next begins."""
    for (*_, before), (*_, after) in pairwise(drive.log[20:]):
        foreseen = np.interp(0.05, before.trajectory.time, before.trajectory.speed)
        assert abs(after.trajectory.speed[0] - foreseen) < 0.05 or after.trajectory.speed[0] == 0.0
        assert abs(after.path[0, 1]) < 0.05


def test_an_offset_car_returns_to_the_centre_without_overshoot():
    drive = Motorway(speed=25.0, set_speed=25.0, lateral_deviation=0.6, mode=DriveMode.ACTIVE)
    drive.drive(10.0)
    offsets = drive.offsets()
    assert abs(offsets[-1]) < 0.03
    assert offsets.min() > -0.1
    assert np.abs(np.diff(offsets, 2)).max() / 0.05**2 < 1.2  # m/s²


def test_before_engagement_every_plan_starts_at_the_car():
    drive = Motorway(speed=25.0, set_speed=33.0, mode=DriveMode.STANDBY, lateral_deviation=0.4)
    drive.drive(1.0)
    drive.acceleration, drive.speed = -0.7, 24.0
    plan = drive.step()
    assert plan.trajectory.speed[0] == 24.0
    assert abs(plan.trajectory.acceleration[0] + 0.7) < 0.3
    assert np.allclose(plan.path[0], 0.0, atol=1e-9) and plan.path_heading[0] == pytest.approx(0.0, abs=1e-9)


def test_lost_lanes_are_driven_from_memory_and_then_the_car_slows_down():
    drive = Motorway(speed=25.0, set_speed=25.0, road=arc_road(1 / 700), lanes_valid=lambda time: time < 2.0)
    drive.drive(3.5)
    assert np.abs(drive.offsets()).max() < 0.1
    assert "lanes lost" in drive.log[-1][4].reason
    drive.drive(6.0)
    assert "no lane known" in drive.log[-1][4].reason
    assert drive.speeds()[-1] < 23.0


def test_no_or_invalid_world_gives_an_invalid_plan_with_the_reason():
    core, drive = planner(), Motorway()
    inputs = drive.inputs()
    assert "no world" in core.step(replace(inputs, world=None)).plan.reason
    broken = core.step(replace(inputs, world=replace(inputs.world, valid=False, reason="no radar"))).plan
    assert not broken.valid and "no radar" in broken.reason
    assert core.step(inputs).plan.valid


@settings(max_examples=40, deadline=None)
@given(
    field=st.sampled_from(
        ["position", "velocity", "extent", "acceleration", "heading", "offset", "offset_rate", "station"]
    ),
    value=st.sampled_from([math.nan, math.inf, -math.inf]),
)
def test_a_broken_track_is_passed_over_and_the_others_count(field, value):
    drive = Motorway(speed=28.0, others=[Other(1, 60.0, 0.0, 20.0), Other(2, 30.0, 3.6, 28.0)])

    def spoil(world):
        array = getattr(world.tracks, field).copy()
        array[1] = value
        return replace_tracks(world, **{field: array})

    drive.change_world = spoil
    for plan in drive.drive(0.3):
        assert plan.lead_identity == 1
        assert finite(plan)


@settings(max_examples=30, deadline=None)
@given(
    field=st.sampled_from(["x_odom", "y_odom", "yaw_odom", "speed", "acceleration", "yaw_rate"]),
    value=st.sampled_from([math.nan, math.inf]),
)
def test_broken_ego_motion_gives_an_invalid_plan_and_no_lasting_harm(field, value):
    core, drive = planner(), Motorway(speed=25.0)
    inputs = drive.inputs()
    core.step(inputs)
    bad = replace(inputs.world, ego=replace(inputs.world.ego, **{field: value}))
    assert not core.step(replace(inputs, world=bad)).plan.valid
    after = core.step(replace(inputs, world=replace(inputs.world, stamp=inputs.world.stamp + 0.05))).plan
    assert after.valid and finite(after)


def finite(plan: Plan) -> bool:
    trajectory = plan.trajectory
    arrays = (
        plan.path,
        plan.path_heading,
        plan.path_curvature,
        trajectory.position,
        trajectory.speed,
        plan.ledger.bound,
    )
    return all(np.isfinite(array).all() for array in arrays)


def test_missing_driver_and_mode_are_no_reason_to_fail():
    core, drive = planner(), Motorway(speed=20.0)
    plan = core.step(replace(drive.inputs(), vehicle_state=None, mode=None)).plan
    assert plan.valid and plan.target_speed == pytest.approx(20.0)


def test_a_copy_of_the_planner_goes_on_alike():
    drive = busy(4.0)
    twin = copy.deepcopy(drive.planner)
    inputs = drive.inputs()
    one, other = drive.planner.step(inputs).plan, twin.step(inputs).plan
    assert one.trajectory.acceleration.tobytes() == other.trajectory.acceleration.tobytes()
    assert one.path.tobytes() == other.path.tobytes() and one.ledger.sentence == other.ledger.sentence


def test_the_same_inputs_give_the_same_plans_after_a_reset():
    drive = busy(2.0)
    inputs = [drive.inputs()]
    for _ in range(20):
        drive.step()
        inputs.append(drive.inputs())
    core = planner()
    runs = []
    for _ in range(2):
        core.reset()
        runs.append([core.step(item).plan.path.tobytes() for item in inputs])
    assert runs[0] == runs[1]


def test_parameters_are_described_with_unit_and_range():
    from dataclasses import fields

    for group in fields(PlanningParameters):
        hints = PlanningParameters.__annotations__[group.name]
        assert all(item.metadata["range"].meaning for item in fields(hints))
