"""The live place of the rule packs: findings are told, change no mode, and depend on the past alone."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from supervised import ACTUATION, GOOD, LANES, PLAN, STATE, WORLD, Drive, car

from pilot_common.messages import empty_arrays
from pilot_common.rule_signals import CAR, LANE, SIGNALS, TRAFFIC, SignalReader
from pilot_common.types import DriveMode, Manoeuvre, Mode, Tracks

HARD = {"car": {"lateral_acceleration": 3.4}}
MODE = Mode(stamp=0.0, mode=DriveMode.ACTIVE, reason="", warning=0)


def test_what_does_not_hold_is_told_in_the_reason_and_leaves_the_mode_alone():
    drive = Drive().engaged()
    before = drive.run(2.0)[-1]
    during = drive.run(2.0, **HARD)[-1]
    after = drive.run(3.0)[-1]
    assert [message.mode for message in (before, during, after)] == [DriveMode.ACTIVE] * 3
    assert [message.warning for message in (before, during, after)] == [0, 0, 0]
    assert "iso11270_lateral_acceleration" in during.reason
    assert "rule" not in before.reason and "rule" not in after.reason


def test_a_finding_can_be_read_for_a_second():
    drive = Drive().engaged()
    drive.run(2.0)
    drive.run(0.4, **HARD)
    assert all("rule iso11270" in message.reason for message in drive.run(0.4))


def test_nothing_is_told_while_the_driver_drives():
    drive = Drive()
    assert not any(message is not None and "rule" in message.reason for message in drive.run(3.0, **HARD))


def test_a_copy_of_the_supervisor_goes_on_as_the_original():
    drive = Drive().engaged()
    drive.run(1.5, **HARD)
    twin = copy.deepcopy(drive)
    one = [message.reason for message in drive.run(2.0, **HARD)]
    assert [message.reason for message in twin.run(2.0, **HARD)] == one


def read(state=STATE, mode=MODE, plan=PLAN, world=WORLD, actuation=ACTUATION):
    signals = SignalReader(car("sedan_ice")[0]).read(state, mode, plan, world, actuation)
    return {name: signals.values[row.slot] for name, row in SIGNALS.items()}, signals.topics


def tracks(*rows):
    """Identity, x, offset, speed of each."""
    count = len(rows)
    table = np.array(rows, float).reshape(-1, 4)
    filled = {
        name: np.zeros((count, *array.shape[1:]), array.dtype) for name, array in empty_arrays(Tracks).items()
    }
    position, velocity, extent = filled["position"], filled["velocity"], filled["extent"]
    position[:, 0], position[:, 1], velocity[:, 0] = table[:, 1], table[:, 2], table[:, 3]
    extent[:] = (4.5, 1.8, 1.5)
    return Tracks(
        **filled
        | {
            "identity": table[:, 0].astype(np.uint32),
            "existence": np.ones(count),
            "offset": table[:, 2],
            "station": table[:, 1] + 50.0,
        }
    )


def lanes(shift=0.0, turn=0.0):
    """Three lanes, the car in the middle one, whose line lies `shift` to the left and points `turn` to the left."""
    x = np.arange(-50.0, 205.0, 5.0)
    point = np.stack((x, shift + np.tan(turn) * x), axis=-1)
    along = {"station": x + 50.0, "heading": np.full(len(x), turn), "curvature": np.zeros(len(x))}
    across = {"width": np.full(3, 3.6), "confidence": np.ones(3)}
    marks = {"left_mark": np.ones(3, np.uint8), "right_mark": np.ones(3, np.uint8)}
    return replace(
        LANES, ego_lane=1, point=point, offset=np.array([-3.6, 0.0, 3.6]), **along, **across, **marks
    )


def test_the_lead_is_the_one_the_plan_names_with_the_speed_of_its_track():
    world = replace(WORLD, lanes=lanes(), tracks=tracks((5, 40.0, 0.0, 22.0), (6, 80.0, 0.0, 30.0)))
    values, topics = read(plan=replace(PLAN, lead_identity=5, lead_gap=33.5), world=world)
    assert topics & TRAFFIC and topics & LANE
    assert (values["lead"], values["lead_gap"], values["lead_speed"]) == (True, 33.5, 22.0)
    gone, _ = read(plan=replace(PLAN, lead_identity=9, lead_gap=33.5), world=world)
    assert gone["lead"] is False


def test_who_comes_from_behind_is_looked_for_in_the_lane_that_a_change_leads_to():
    dimensions = car("sedan_ice")[0].facts.dimensions
    back = dimensions.rear_axle_to_front - dimensions.length
    world = replace(
        WORLD,
        lanes=lanes(),
        tracks=tracks((5, back - 20.0 - 2.25, 3.6, 31.0), (6, back - 8.0 - 2.25, -3.6, 20.0)),
    )
    left, _ = read(plan=replace(PLAN, manoeuvre=Manoeuvre.LANE_CHANGE_LEFT), world=world)
    assert (left["rear"], left["rear_gap"], left["rear_speed"]) == (True, pytest.approx(20.0), 31.0)
    right, _ = read(plan=replace(PLAN, manoeuvre=Manoeuvre.LANE_CHANGE_RIGHT), world=world)
    assert right["rear_gap"] == pytest.approx(8.0)
    assert read(world=world)[0]["rear"] is False


@pytest.mark.parametrize("shift", [-1.4, -0.3, 0.0, 0.8])
@pytest.mark.parametrize("turn", [-0.03, 0.0, 0.02])
def test_place_and_motion_across_the_lane_follow_from_its_line(shift, turn):
    values, _ = read(world=replace(WORLD, lanes=lanes(shift, turn)))
    room = 0.5 * (3.6 - car("sedan_ice")[0].facts.dimensions.width)
    assert values["beyond_lane"] == pytest.approx(abs(shift) * np.cos(turn) - room, abs=1e-9)
    assert values["lateral_speed"] == pytest.approx(-25.0 * np.sin(turn), abs=1e-9)


def test_what_is_missing_or_invalid_is_not_known():
    _, nothing = read(None, None, None, None, None)
    assert not nothing & (CAR | TRAFFIC | LANE)
    assert read(plan=replace(PLAN, valid=False))[0]["plan_valid"] is False
    assert not read(plan=replace(PLAN, valid=False))[1] & TRAFFIC
    assert not read(state=replace(STATE, speed=float("nan")))[1] & CAR


def test_broken_numbers_disturb_neither_rules_nor_mode():
    drive = Drive().engaged()
    broken = replace(STATE, speed=float("nan"), acceleration=float("inf"), lateral_acceleration=float("nan"))
    assert GOOD["world"] is not None
    drive.step(world=replace(WORLD, lanes=lanes(float("nan"))))
    drive.step(car={"acceleration": float("nan"), "lateral_acceleration": float("inf")})
    assert drive.run(2.0)[-1].mode is DriveMode.ACTIVE
    read(state=broken)
