"""The ledger: the binding entry alone gives the command, in two languages; without the object behind it the command differs."""

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from motorway import LANE_WIDTH, Motorway, Other, arc_road, replace_tracks, vehicle

from pilot_common.messages import take
from pilot_common.types import DriveMode, Ledger, ObjectClass, Plan, Side
from pilot_planning.highway.ledger import ARGUMENTS, LAWS, Entry, reevaluate, settle
from pilot_planning.highway.sentences import SENTENCES
from pilot_planning.interface import PlannerInputs

SAME = 1e-6  # m/s² or m
CHANGE = 0.3  # m/s² between two plans


def stop_and_go() -> Motorway:
    def wave(time: float) -> tuple[float, float]:
        return (-1.5 if 3.0 < time < 12.0 else 1.2 if 16.0 < time < 22.0 else 0.0), 0.0

    return Motorway(speed=14.0, set_speed=25.0, others=[Other(5, 40.0, 0.0, 14.0, drive=wave)])


def cut_in_and_brake() -> Motorway:
    def move(time: float) -> tuple[float, float]:
        return (-7.0 if time > 7.0 else 0.0), (1.0 if 2.0 < time < 5.6 else 0.0)

    beside = Other(8, 38.0, -3.6, 22.0, drive=move, intention=(0.1, 0.85, 0.05))
    return Motorway(speed=28.0, others=[Other(7, 130.0, 0.0, 26.0), beside])


def lane_change_before_a_curve() -> Motorway:
    lever: Callable[[float], Side] = lambda time: Side.LEFT if time < 0.5 else Side.NONE  # noqa: E731
    return Motorway(
        speed=30.0,
        others=[Other(6, 110.0, 0.0, 24.0), Other(9, -120.0, 3.6, 31.0)],
        road=arc_road(1.0 / 450.0, straight=300.0),
        lever=lever,
        speed_limit=31.0,
    )


def stop_for_the_driver() -> Motorway:
    return Motorway(speed=25.0, mode=DriveMode.MINIMUM_RISK, others=[Other(4, 70.0, 0.0, 20.0)])


DRIVES = {
    "stop and go": (stop_and_go, 26.0),
    "cut-in that brakes": (cut_in_and_brake, 12.0),
    "lane change before a curve": (lane_change_before_a_curve, 14.0),
    "minimum-risk stop": (stop_for_the_driver, 12.0),
    "free road with a short sight": (lambda: Motorway(speed=20.0, sight=60.0), 6.0),
}


@pytest.fixture(params=DRIVES, ids=lambda name: name.replace(" ", "-"), scope="module")
def steps(request: pytest.FixtureRequest) -> list[tuple[object, PlannerInputs, Plan]]:
    """Planner before each step, what it was told, and its plan."""
    make, seconds = DRIVES[request.param]
    drive = make()
    found = []
    for _ in range(round(seconds / 0.05)):
        before = copy.deepcopy(drive.planner)
        inputs = drive.inputs()
        found.append((before, inputs, drive.step()))
    return found


def binding_command(ledger: Ledger) -> float:
    return reevaluate(ledger.name[ledger.binding], ledger.argument[ledger.binding])


def test_the_binding_entry_alone_gives_the_command(steps):
    for _, _, plan in steps:
        assert binding_command(plan.ledger) == pytest.approx(plan.trajectory.acceleration[0], abs=SAME)


def test_every_entry_gives_its_bound_again(steps):
    for _, _, plan in steps:
        for ledger in (plan.ledger, plan.lateral):
            for name, argument, bound in zip(ledger.name, ledger.argument, ledger.bound, strict=True):
                assert reevaluate(name, argument) == pytest.approx(bound, abs=SAME), name


def test_every_entry_speaks_english_and_chinese(steps):
    for _, _, plan in steps:
        for ledger in (plan.ledger, plan.lateral):
            assert ledger.name
            for english, chinese in zip(ledger.sentence, ledger.sentence_zh, strict=True):
                assert english.isascii() or set(re.findall(r"[^\x00-\x7f]", english)) <= set("²³–")
                assert re.search(r"[\u4e00-\u9fff]", chinese)
                assert re.findall(r"-?\d+\.\d{2}", english)[-1:] == re.findall(r"-?\d+\.\d{2}", chinese)[-1:]


def test_no_command_jumps_without_another_entry_or_other_numbers(steps):
    for (*_, before), (*_, now) in pairwise(steps):
        change = now.trajectory.acceleration[0] - before.trajectory.acceleration[0]
        one, two = before.ledger, now.ledger
        if abs(change) > CHANGE:
            assert (one.name[one.binding], tuple(one.argument[one.binding])) != (
                two.name[two.binding],
                tuple(two.argument[two.binding]),
            )


def without(inputs: PlannerInputs, identity: int) -> PlannerInputs:
    assert inputs.world is not None
    kept = inputs.world.tracks.identity != identity
    return replace(inputs, world=replace_tracks(inputs.world, **take(inputs.world.tracks, kept)))


def test_without_the_object_that_binds_the_command_differs(steps):
    """The counterfactual: the planner as it was before the step, the same world without the object."""
    count = 0
    for planner, inputs, plan in steps:
        identity = int(plan.ledger.identity[plan.ledger.binding])
        if identity == 0:
            continue
        count += 1
        other = copy.deepcopy(planner).step(without(inputs, identity)).plan
        assert other.trajectory.acceleration[0] > plan.trajectory.acceleration[0] + SAME
        assert identity not in other.ledger.identity
    others = {int(identity) for _, inputs, _ in steps for identity in inputs.world.tracks.identity}
    assert count > 0 or not others & {5, 7, 8}  # in the drives made for it somebody does bind


def overtaking() -> Motorway:
    slow = Other(7, 120.0, -LANE_WIDTH, 22.0, class_id=ObjectClass.TRUCK, length=16.0, width=2.55)
    return Motorway(
        car=vehicle("suv_erev"),
        road=arc_road(length=4000.0),
        start_lane=0,
        speed=28.0,
        set_speed=30.0,
        others=[slow],
    )


def beside_a_truck() -> Motorway:
    beside = Other(3, 6.0, LANE_WIDTH, 25.0, class_id=ObjectClass.TRUCK, length=16.0, width=2.55)
    return Motorway(speed=25.0, set_speed=25.0, others=[beside])


def a_car_half_in_the_lane() -> Motorway:
    standing = Other(5, 140.0, -0.5 * LANE_WIDTH + 0.5 - 0.5 * 1.85, 0.0)
    return Motorway(speed=20.0, set_speed=20.0, others=[standing])


@pytest.mark.parametrize(
    ("make", "cause"),
    [(overtaking, "overtake"), (beside_a_truck, "truck_beside"), (a_car_half_in_the_lane, "evade")],
)
def test_without_the_object_behind_it_the_car_goes_elsewhere_across_the_road(make, cause):
    """The counterfactual across the road: the same drive again without the object that the lateral ledger names."""
    drive = make()
    drive.drive(10.0)
    causes = [plan.lateral.name[plan.lateral.binding] for *_, plan in drive.log]
    index = causes.index(cause)
    lateral = drive.log[index][-1].lateral
    identity = int(lateral.identity[lateral.binding])
    assert identity == drive.others[0].identity
    alone = make()
    alone.others.clear()
    alone.drive(10.0)
    other = alone.log[index][-1].lateral
    assert abs(other.bound[other.binding] - lateral.bound[lateral.binding]) > 0.05
    assert identity not in other.identity
    assert np.abs(drive.offsets() - alone.offsets()).max() > 0.05  # m: it is driven, not only said


def test_every_kind_of_law_is_its_numbers():
    """As many numbers as a row of the message has room for, and the same law from them."""
    for name, kind in LAWS.items():
        numbers = tuple(0.5 + 0.125 * index for index in range(ARGUMENTS - 1))
        law = kind.of(numbers)
        assert kind.of(law.numbers()).bound(0.0, 0.0, 9.0) == law.bound(0.0, 0.0, 9.0), name
        assert len(law.numbers()) < ARGUMENTS
        assert name in SENTENCES


def test_the_jerk_limit_binds_with_its_cause_as_runner_up():
    drive = Motorway(speed=30.0, set_speed=30.0, others=[])
    drive.drive(1.0)
    drive.set_speed = 20.0
    plan = drive.step()
    ledger = plan.ledger
    assert ledger.name[ledger.binding] == "jerk"
    assert ledger.name[ledger.runner_up] == "set_speed"
    assert plan.trajectory.acceleration[0] < 0.0


def test_settling_never_leaves_the_jerk_band():
    rng = np.random.default_rng(5)
    for _ in range(300):
        entries = [Entry("set_speed", float(bound), "") for bound in rng.uniform(-6.0, 2.0, 3)]
        last, up, down = rng.uniform(-3.0, 1.0), 0.1, 0.2
        command, physical, ledger = settle(entries, last, up, down)
        assert last - down - 1e-12 <= command <= last + up + 1e-12
        assert ledger.bound[ledger.binding] == command
        assert entries[physical].bound == min(entry.bound for entry in entries)
