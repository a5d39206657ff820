"""The benches: fair turns, scenes that are roads, peers that are missing told so."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest

from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.vehicle import load_vehicle
from pilot_control.track import Plant
from pilot_evaluation.bench import compare, planning
from pilot_evaluation.bench.baselines import PurePursuit, Stanley, TextbookRegulator
from pilot_evaluation.bench.compare import Times
from pilot_evaluation.bench.control import SPEED, _follow, corners, with_actuator
from pilot_evaluation.bench.textbook_frenet import TextbookFrenet
from pilot_evaluation.bench.traffic import AHEAD, BEHIND, EGO_LANE, LENGTH, Drive, make_scene

CAR = load_vehicle("sedan_ice", config_folder())


def test_subjects_take_turns():
    called = []
    subjects = {name: lambda name=name: called.append(name) or [1.0] for name in "ab"}
    found = compare.alternate(subjects, lambda share, words: None)
    assert called == ["a", "b"] * compare.ROUNDS
    assert found["a"].all == [1.0] * compare.ROUNDS


def test_a_ratio_is_of_rounds_not_of_sums():
    """One round on a machine ten times as slow changes nothing."""
    own, other = Times(((1.0,), (10.0,), (1.0,))), Times(((3.0,), (30.0,), (3.0,)))
    assert compare.ratio(other, own) == pytest.approx(3.0)


def test_the_99th_percentile_is_a_time_that_was_measured():
    times = Times((tuple(float(number) for number in range(1, 201)),))
    assert times.percentile(0.99) == 198.0 and times.median == 100.5


@pytest.mark.parametrize("count", planning.COUNTS)
def test_a_scene_has_its_cars_apart_and_the_ego_free(count):
    scene = make_scene(count)
    assert len(scene.station) == count
    for lane in range(4):
        own = np.sort(scene.station[scene.lane == lane])
        assert (np.diff(own) > LENGTH).all()
        if lane == EGO_LANE:
            assert (np.abs(own) > LENGTH + 2.0).all()
    assert (scene.station > -BEHIND - 5.0).all() and (scene.station < AHEAD + BEHIND + 30.0).all()
    world = Drive(scene).world()
    assert len(world.tracks.identity) == count and world.valid


def test_the_textbook_planner_goes_around_what_stands_in_its_way():
    free = TextbookFrenet(22.0, 22.0).plan(*(np.zeros(0) for _ in range(3)))
    assert free is not None and np.abs(free.offset).max() < 0.1
    around = TextbookFrenet(22.0, 22.0).plan(np.array((60.0,)), np.array((0.0,)), np.array((0.0,)))
    assert around is None or np.hypot(around.station - 60.0, around.offset).min() > 1.8


@pytest.mark.parametrize("make", [lambda w: PurePursuit(w, 0.6), Stanley, TextbookRegulator])
def test_the_textbook_controllers_hold_the_course_with_an_ideal_actuator(make):
    ideal = with_actuator(CAR, 0.01, 0.0)
    assert _follow(make(CAR.facts.dimensions.wheelbase), Plant(facts=ideal.facts)).largest < 0.6


def test_every_corner_of_the_errors_is_driven():
    plants = list(corners(CAR.facts))
    told = {
        (
            p.facts.body.mass,
            p.facts.body.rear_cornering_stiffness,
            p.steering_gain,
            p.facts.actuators.steering_delay,
        )
        for p in plants
    }
    assert len(plants) == len(told) == 16 and SPEED > 33.0


def test_an_interpreter_that_does_not_exist_is_bad_input():
    options = argparse.Namespace(vehicle="sedan_ice", peers=Path("no/such/python"))
    with pytest.raises(PilotError, match="no/such/python"):
        planning.run(options, lambda share, words: None)


def test_a_peer_that_is_not_installed_is_told_and_left_out():
    peer = planning._Peer(Path(sys.executable), "commonroad")
    try:
        assert peer.measure(make_scene(10)) == []
        assert "commonroad" in peer.fault
        assert peer.measure(make_scene(10)) == []
    finally:
        peer.close()
