"""A recording is held against rule packs: with truth, and with what was measured alone."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_run import START, Other, actuation, graph, mode, plan, put, state, times, truth, vehicle

from pilot_common.errors import BagError
from pilot_common.folders import config_folder
from pilot_common.messages import to_nanoseconds
from pilot_common.rules import load_packs
from pilot_common.types import DriveMode, Manoeuvre, Side
from pilot_evaluation.audit import audit, audit_bag, rows, write_audit_page
from pilot_evaluation.bag import BagWriter
from pilot_evaluation.run import Run
from pilot_evaluation.true_signals import true_signals

PACKS = load_packs(config_folder())
FRONT = vehicle().facts.dimensions.rear_axle_to_front


def drive(seconds=12.0, others=(), manoeuvre=lambda t: Manoeuvre.CRUISE, side=lambda t: Side.NONE, **ego):
    """A whole drive: every topic at 20 Hz, the system active, the car keeping its lane at 20 m/s unless told otherwise."""
    run = Run(vehicle(), graph())
    for time in times(seconds):
        put(run, "vehicle_state", replace(state(time), indicator=side(time)))
        put(run, "truth", truth(time, others, **{name: course(time) for name, course in ego.items()}))
        put(run, "mode", mode(time, DriveMode.ACTIVE))
        put(run, "plan", plan(time, manoeuvre(time)))
        put(run, "actuation", actuation(time))
    return run


def outcome(run, clause):
    return next(line for line in audit(run, PACKS).lines if line.clause.id == clause)


def test_a_drive_without_events_passes_and_says_what_was_not_exercised():
    result = audit(drive(), PACKS)
    assert result.passed, result.sentence()
    assert result.count("violated") == 0
    assert result.count("pass") + result.count("not exercised") == len(result.lines)
    assert outcome(drive(), "r157_cut_in_avoided").outcome == "not exercised"
    assert result.sentence().startswith("PASS")


def test_a_contact_of_our_making_fails_the_drive_at_its_time():
    ahead = Other(station=lambda t: 80.0 + 10.0 * t, speed=lambda t: 10.0)
    hit = (80.0 - 2.25 - FRONT) / 10.0
    run = drive(10.0, [ahead], contact_identity=lambda t: 7.0 if hit <= t < hit + 0.05 else 0.0)
    result = audit(run, PACKS)
    assert not result.passed
    assert "house_no_contact_caused" in {line.clause.id for line in result.broken}
    assert outcome(run, "house_no_contact_caused").begins[0] == pytest.approx(hit, abs=0.051)


def test_being_hit_from_behind_is_told_but_does_not_fail_the_drive():
    behind = Other(station=lambda t: -60.0 + 30.0 * t, speed=lambda t: 30.0)
    run = drive(5.7, [behind], contact_identity=lambda t: 7.0 if t > 5.6 else 0.0)
    assert outcome(run, "house_contact").outcome == "violated"
    assert outcome(run, "house_no_contact_caused").outcome == "pass"


def test_braking_jerk_beyond_the_standard_is_found_in_the_truth():
    hard = drive(12.0, acceleration=lambda t: -3.4 * min(max(t - 6.0, 0.0), 1.0))
    gentle = drive(12.0, acceleration=lambda t: -2.0 * min(max(t - 6.0, 0.0), 1.0))
    assert outcome(hard, "iso15622_braking_jerk").outcome == "violated"
    assert outcome(gentle, "iso15622_braking_jerk").outcome == "pass"


def test_a_cut_in_is_seen_when_a_tyre_is_past_the_marking_and_not_when_the_ego_changes_lanes():
    into = Other(
        station=lambda t: 60.0 + 15.0 * t, offset=lambda t: max(3.75 - 1.0 * t, 0.0), speed=lambda t: 15.0
    )
    seen = [row["cut_in"] for row in true_signals(drive(4.0, [into]))]
    # Its edge is 0.3 m inside the lane: 3.75 − t − 0.9 = 1.875 − 0.3
    assert np.flatnonzero(seen).tolist() == [math.ceil((3.75 - 0.9 - 1.575) / 0.05)]
    stays = Other(station=lambda t: 60.0 + 15.0 * t, offset=lambda t: 3.75, speed=lambda t: 15.0)
    moved = drive(
        4.0,
        [stays],
        manoeuvre=lambda t: Manoeuvre.LANE_CHANGE_LEFT,
        offset=lambda t: min(t, 3.75),
        lane_offset=lambda t: min(t, 3.75) if t < 1.875 else min(t, 3.75) - 3.75,
    )
    assert not any(row["cut_in"] for row in true_signals(moved))


@pytest.mark.parametrize(("behind", "expected"), [(40.0, "pass"), (8.0, "violated")])
def test_the_distance_to_who_comes_in_the_target_lane_is_held_against_the_regulation(behind, expected):
    length = vehicle().facts.dimensions.length
    follower = Other(
        station=lambda t: FRONT - length - behind - 2.25 + 20.0 * t,
        offset=lambda t: 3.75,
        speed=lambda t: 20.0,
    )
    run = drive(
        10.0,
        [follower],
        manoeuvre=lambda t: Manoeuvre.LANE_CHANGE_LEFT if t >= 5.0 else Manoeuvre.CRUISE,
        side=lambda t: Side.LEFT if t >= 2.0 else Side.NONE,
    )
    assert outcome(run, "r79_rear_gap").outcome == expected
    assert outcome(run, "r79_indicator_first").outcome == "pass"


def test_without_truth_the_measurements_are_audited_and_contacts_stay_unknown():
    whole, measured = drive(), Run(vehicle(), graph())
    for topic in ("vehicle_state", "mode", "plan", "actuation"):
        for message in whole.messages(topic):
            put(measured, topic, message)
    lines = {line.clause.id: line for line in audit(measured, PACKS).lines}
    assert lines["house_age"].outcome == "pass"
    assert lines["house_contact"].outcome == "not exercised"
    assert "signals missing" in " ".join(
        next(row for row in rows(audit(measured, PACKS)) if row[0] == "house_contact")
    )


def test_a_run_of_other_topics_cannot_be_audited():
    with pytest.raises(BagError, match="nothing to audit"):
        audit(Run(vehicle(), graph()), PACKS)


def test_a_stale_plan_is_none():
    run = drive(6.0)
    alone = Run(vehicle(), graph())
    for topic in ("vehicle_state", "truth", "mode", "actuation"):
        for message in run.messages(topic):
            put(alone, topic, message)
    put(alone, "plan", plan(0.0))
    assert outcome(alone, "house_not_blind").outcome == "violated"
    assert outcome(run, "house_not_blind").outcome == "pass"


@pytest.fixture
def bags(tmp_path: Path):
    """A bag that keeps all rules, and one that breaks one."""

    def written(name: str, run: Run) -> Path:
        messages = [(to_nanoseconds(m.stamp), topic, m) for topic in run.topics for m in run.messages(topic)]
        with BagWriter(tmp_path / name, run.graph) as writer:
            for time, topic, message in sorted(messages, key=lambda item: item[0]):
                writer.write(topic, message, time)
        return tmp_path / name

    good = written("good", drive(6.0))
    bad = written("bad", drive(6.0, lateral_acceleration=lambda t: 3.5 if t > 3.0 else 0.0))
    return good, bad


def test_the_audit_of_a_bag_is_that_of_the_run(bags):
    result, notes = audit_bag(bags[1], vehicle(), graph(), PACKS)
    assert notes == []
    assert {line.clause.id for line in result.broken} >= {"iso11270_lateral_acceleration"}
    assert audit_bag(bags[0], vehicle(), graph(), PACKS)[0].passed


def test_the_page_escapes_what_it_shows(tmp_path):
    write_audit_page(tmp_path / "page.html", audit(drive(3.0), PACKS), "<bag>", "sedan_ice")
    assert "<bag>" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_times_in_the_audit_count_from_the_start():
    assert START > 10.0
    late = drive(8.0, lateral_acceleration=lambda t: 3.5 if t > 5.0 else 0.0)
    assert 5.0 < outcome(late, "iso11270_lateral_acceleration").begins[0] < 5.4
