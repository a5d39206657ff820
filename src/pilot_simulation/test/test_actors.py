"""Scripted and recorded road users."""

import math

import numpy as np
import pytest
from test_road import recorded

from pilot_common.errors import ScenarioError
from pilot_common.types import ObjectClass
from pilot_simulation.actors import EgoOnRoad, RecordedActors
from pilot_simulation.recording import Recording, load_recording
from pilot_simulation.scenario import Event
from pilot_simulation.scripted_actors import ScriptedActors

FAR = EgoOnRoad(front=-1000.0, offset=3.75, speed=20.0, length=4.8, width=1.9)
STEP = 0.02


def play(source: ScriptedActors, seconds: float, ego=lambda time: FAR) -> np.ndarray:
    """Time, station, offset, course, speed of the first actor at every step."""
    rows = []
    for number in range(round(seconds / STEP) + 1):
        time = number * STEP
        source.advance(time, ego(time))
        one = source.at(time)
        rows.append((time, one.station[0], one.offset[0], one.course[0], one.speed[0]))
    return np.array(rows)


def test_an_actor_without_events_keeps_lane_and_speed(actor, straight):
    rows = play(ScriptedActors([actor(speed=25.0, lane=2)], straight), 4.0)
    assert rows[:, 1] == pytest.approx(300.0 + 25.0 * rows[:, 0])
    assert rows[:, 2] == pytest.approx(7.5)
    assert rows[:, 4] == pytest.approx(25.0)


def test_a_hard_brake_takes_the_distance_of_physics_and_ends_at_rest(actor, straight):
    brake = Event(time=1.0, speed=0.0, acceleration=8.0)
    rows = play(ScriptedActors([actor(speed=20.0, events=(brake,))], straight), 6.0)
    assert rows[-1, 4] == 0.0
    assert rows[-1, 1] - rows[50, 1] == pytest.approx(20.0**2 / (2.0 * 8.0), abs=20.0 * STEP)
    assert np.diff(rows[:, 4]).min() >= -8.0 * STEP - 1e-9
    assert rows[:50, 4] == pytest.approx(20.0)


def test_events_follow_one_another_in_time(actor, straight):
    events = (Event(time=4.0, speed=15.0, acceleration=5.0), Event(time=1.0, speed=10.0, acceleration=5.0))
    rows = play(ScriptedActors([actor(speed=20.0, events=events)], straight), 8.0)
    assert rows[round(3.9 / STEP), 4] == pytest.approx(10.0)
    assert rows[-1, 4] == pytest.approx(15.0)


def test_a_lane_change_starts_and_ends_softly_in_the_middle_of_the_lanes(actor, straight):
    change = Event(time=1.0, lane=2, duration=4.0)
    rows = play(ScriptedActors([actor(events=(change,))], straight), 7.0)
    offset = rows[:, 2]
    assert offset[0] == pytest.approx(3.75) and offset[-1] == pytest.approx(7.5)
    assert offset[round(3.0 / STEP)] == pytest.approx(5.625, abs=0.05)  # half-way at half time
    assert np.all(np.diff(offset) >= -1e-12)
    lateral_acceleration = np.diff(offset, 2) / STEP**2
    assert np.abs(lateral_acceleration).max() == pytest.approx(
        5.7735 * 3.75 / 4.0**2, rel=0.05
    )  # of the quintic
    assert rows[-1, 3] == 0.0


def test_course_is_the_direction_of_motion(actor, straight):
    rows = play(ScriptedActors([actor(events=(Event(time=0.5, lane=0, duration=3.0),))], straight), 4.0)
    middle = round(2.0 / STEP)
    across = (rows[middle + 1, 2] - rows[middle - 1, 2]) / (2.0 * STEP)
    assert rows[middle, 3] == pytest.approx(math.atan2(across, 20.0), abs=1e-3)


def test_who_does_not_turn_moves_across_with_its_box_along_the_road(actor, straight):
    moves = Event(time=0.0, lane=1, lateral_speed=1.0)
    source = ScriptedActors([actor(lane=0, speed=10.0, events=(moves,), turns=False)], straight)
    play(source, 2.0)
    others = source.at(2.0)
    assert others.heading == pytest.approx(0.0)
    assert 10.0 * np.sin(others.way) == pytest.approx(1.0, abs=0.02)


def test_a_gap_event_waits_for_the_ego(actor, straight):
    event = Event(gap=30.0, speed=0.0, acceleration=5.0)
    source = ScriptedActors([actor(speed=10.0, events=(event,))], straight)
    rows = play(source, 8.0, lambda time: EgoOnRoad(200.0 + 25.0 * time, 3.75, 25.0, 4.8, 1.9))
    start = rows[np.flatnonzero(rows[:, 4] < 10.0 - 1e-9)[0]]
    gap = start[1] - 0.5 * 4.7 - (200.0 + 25.0 * start[0])
    assert gap == pytest.approx(30.0, abs=25.0 * 2 * STEP)


@pytest.fixture
def recording() -> Recording:
    """Two cars at 10 Hz on a straight road: one drives 20 m/s all the time, the other is seen from 1 s to 2 s."""
    x = np.linspace(0.0, 500.0, 60)
    bounds = [np.stack((x, np.full_like(x, 3.5 * number - 1.75)), axis=-1) for number in range(3)]
    road = recorded([bounds[1], bounds[2]], [bounds[0], bounds[1]])
    time = 0.1 * np.arange(31)
    position = np.zeros((31, 2, 2))
    position[:, 0, 0] = 50.0 + 20.0 * time
    position[:, 1] = (100.0, 3.5)
    present = np.ones((31, 2), bool)
    present[:, 1] = (time > 0.99) & (time < 2.01)
    return Recording(
        left=road.left,
        right=road.right,
        left_kind=road.left_kind,
        right_kind=road.right_kind,
        time=time,
        identity=np.array([7, 9], np.uint32),
        class_id=np.array([ObjectClass.CAR, ObjectClass.TRUCK], np.uint8),
        extent=np.array([(4.5, 1.8, 1.5), (12.0, 2.5, 3.5)]),
        position=position,
        heading=np.zeros((31, 2)),
        speed=np.tile((20.0, 0.0), (31, 1)),
        present=present,
    )


def test_a_recording_comes_back_as_it_was_saved(recording, tmp_path):
    recording.save(tmp_path / "recording.npz")
    loaded = load_recording(tmp_path / "recording.npz")
    assert all(np.array_equal(a, b) for a, b in zip(loaded.left, recording.left, strict=True))
    assert np.array_equal(loaded.position, recording.position)
    assert loaded.identity.dtype == np.uint32


def test_a_broken_recording_is_refused_in_words(recording, tmp_path):
    (tmp_path / "text.npz").write_text("no archive", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"text\.npz: is no recording"):
        load_recording(tmp_path / "text.npz")
    with np.errstate(all="ignore"), pytest.raises(ScenarioError, match="position is missing"):
        arrays = {"left_kind": recording.left_kind, "right_kind": recording.right_kind}
        arrays |= {name: getattr(recording, name) for name in ("time", "identity", "class_id", "extent")}
        np.savez(tmp_path / "part.npz", **arrays)
        load_recording(tmp_path / "part.npz")


def test_shapes_that_do_not_fit_are_refused(recording):
    from dataclasses import replace

    with pytest.raises(ValueError, match="heading has shape"):
        replace(recording, heading=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="time must increase"):
        replace(recording, time=recording.time[::-1])
    with pytest.raises(ValueError, match="identities must differ"):
        replace(recording, identity=np.array([7, 7], np.uint32))


def test_recorded_cars_are_where_they_were_and_in_between(recording):
    from pilot_simulation.road import recorded_road

    source = RecordedActors(recording, recorded_road(recording, 0.0))
    for time in (0.0, 0.5, 1.23, 3.0):
        others = source.at(time)
        row = others.identity.tolist().index(7)
        assert others.position[row] == pytest.approx((50.0 + 20.0 * time, 0.0), abs=0.01)
        assert others.speed[row] == pytest.approx(20.0)
        assert others.heading[row] == pytest.approx(0.0, abs=1e-6)


def test_a_recorded_car_is_there_only_while_it_was_seen(recording):
    from pilot_simulation.road import recorded_road

    source = RecordedActors(recording, recorded_road(recording, 0.0))
    seen = {time: 9 in source.at(time).identity for time in (0.5, 1.0, 1.55, 2.05, 2.5)}
    assert seen == {0.5: False, 1.0: True, 1.55: True, 2.05: False, 2.5: False}
    assert len(source.at(3.2).identity) == 0
