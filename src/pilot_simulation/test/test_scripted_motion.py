"""Motion of scripted road users against its integrals."""

import math

import numpy as np
import pytest

from pilot_simulation.actors import EgoOnRoad
from pilot_simulation.scenario import Event
from pilot_simulation.scripted_actors import ScriptedActors, SpeedTrace

STEP = 0.02
FAR = EgoOnRoad(front=-1000.0, offset=3.75, speed=20.0, length=4.8, width=1.9)


def play(source: ScriptedActors, seconds: float, step: float = STEP, ego=lambda time: FAR) -> np.ndarray:
    """Time, station, offset, speed of the first actor at every step."""
    rows = []
    for number in range(round(seconds / step) + 1):
        time = number * step
        source.advance(time, ego(time))
        one = source.at(time)
        rows.append((time, one.station[0], one.offset[0], one.speed[0]))
    return np.array(rows)


def test_a_regulation_cut_in_ramps_up_its_lateral_speed_and_then_keeps_it(actor, straight):
    cut = Event(time=1.0, lane=1, lateral_speed=1.2)
    time, _, offset, _ = play(ScriptedActors([actor(lane=2, events=(cut,))], straight), 6.0).T
    rate = np.diff(offset) / STEP
    middle = time[:-1] + 0.5 * STEP
    end = 1.0 + 0.8 + (3.75 - 0.5 * 1.5 * 0.8**2) / 1.2  # ramp of 0.8 s at 1.5 m/s², the rest at 1.2 m/s
    ramp = (middle > 1.0) & (middle < 1.8)
    assert rate[middle < 1.0] == pytest.approx(0.0)
    assert rate[ramp] == pytest.approx(-1.5 * (middle[ramp] - 1.0))
    assert rate[(middle > 1.82) & (middle < end - STEP)] == pytest.approx(-1.2)
    assert rate[middle > end + STEP] == pytest.approx(0.0, abs=1e-9)
    assert offset[-1] == 3.75


def test_a_short_cut_in_ends_at_its_offset_while_still_speeding_up(actor, straight):
    cut = Event(time=0.5, offset=3.5, lateral_speed=3.0)
    time, _, offset, _ = play(ScriptedActors([actor(events=(cut,))], straight), 3.0).T
    arrival = 0.5 + math.sqrt(2.0 * 0.25 / 1.5)
    assert offset[time > arrival] == pytest.approx(3.5)
    assert offset[time < arrival - STEP].min() > 3.5


@pytest.mark.parametrize("start", [1.0, 1.003, 1.017])
def test_events_begin_at_their_own_time_whatever_the_ticks(start, actor, straight):
    events = (Event(time=start, speed=10.0, acceleration=4.0), Event(time=start, lane=0, lateral_speed=0.9))
    rows = play(ScriptedActors([actor(speed=20.0, events=events)], straight), 5.0)
    assert rows[-1, 1] == pytest.approx(300.0 + 20.0 * start + 15.0 * 2.5 + 10.0 * (5.0 - start - 2.5))
    assert rows[150, 2] == pytest.approx(3.75 - (0.5 * 1.5 * 0.6**2 + 0.9 * (3.0 - start - 0.6)))


def test_motion_does_not_depend_on_the_steps(actor, straight):
    events = (Event(time=0.7, speed=5.0, acceleration=3.3), Event(time=2.1, lane=2, duration=2.7))
    coarse = play(ScriptedActors([actor(events=events)], straight), 6.0, step=0.2)
    fine = play(ScriptedActors([actor(events=events)], straight), 6.0, step=0.01)
    assert coarse[:, 1:] == pytest.approx(fine[::20, 1:], abs=1e-9)


def test_a_gap_event_begins_where_the_gap_is_reached_within_a_tick(actor, straight):
    event = Event(gap=30.0, lane=0, lateral_speed=1.0)
    source = ScriptedActors([actor(speed=10.0, events=(event,))], straight)
    rows = play(source, 6.0, ego=lambda time: EgoOnRoad(200.0 + 25.0 * time, 3.75, 25.0, 4.8, 1.9))
    start = (300.0 - 0.5 * 4.7 - 200.0 - 30.0) / 15.0
    assert rows[-1, 2] == pytest.approx(
        3.75 - 0.5 * 1.5 * (1.0 / 1.5) ** 2 - 1.0 * (6.0 - start - 1.0 / 1.5), abs=1e-6
    )


def test_a_speed_trace_is_followed_and_integrated_exactly(actor, straight):
    generator = np.random.default_rng(3)
    time = np.cumsum(generator.uniform(0.05, 0.4, 400))
    speed = np.abs(20.0 + np.cumsum(generator.normal(0.0, 0.3, 400)))
    trace = tuple(zip(time.tolist(), speed.tolist(), strict=True))
    rows = play(ScriptedActors([actor(speed=3.0, speed_trace=trace)], straight), 60.0)
    assert rows[:, 3] == pytest.approx(np.interp(rows[:, 0], time, speed))
    fine = np.linspace(0.0, 60.0, 600_001)
    way = np.trapezoid(np.interp(fine, time, speed), fine)
    assert rows[-1, 1] - rows[0, 1] == pytest.approx(way, abs=1e-3)
    assert rows[0, 1] == 300.0


def test_a_trace_is_constant_beyond_both_ends():
    trace = SpeedTrace([(1.0, 10.0), (2.0, 20.0)])
    assert trace.at(0.0) == (-10.0, 10.0)
    assert trace.at(1.5) == pytest.approx((0.5 * (10.0 + 15.0) * 0.5, 15.0))
    assert trace.at(4.0) == pytest.approx((15.0 + 40.0, 20.0))


def test_new_events_replace_those_that_have_not_begun(actor, straight):
    source = ScriptedActors(
        [actor(speed=20.0, events=(Event(time=3.0, speed=0.0, acceleration=9.0),))], straight
    )
    play(source, 1.0)
    source.script(1, (Event(time=1.5, lane=0, lateral_speed=1.0),))
    for time in np.arange(1.0, 8.0, STEP).tolist():
        source.advance(time, FAR)
    now = source.at(7.98)
    assert now.speed[0] == 20.0 and now.offset[0] == 0.0
    with pytest.raises(ValueError, match="no scripted actor 2; they are 1 to 1"):
        source.script(2, ())


def test_one_that_keeps_its_distance_stops_behind_who_stops_and_behind_the_ego(actor, straight):
    follower = actor(station=200.0, speed=20.0, time_gap=1.4)
    stops = actor(station=260.0, speed=20.0, events=(Event(time=2.0, speed=0.0, acceleration=3.0),))
    source = ScriptedActors([follower, stops], straight)
    gaps = []
    for time in np.arange(0.0, 40.0, STEP).tolist():
        source.advance(time, FAR)
        one = source.at(time)
        gaps.append(one.station[1] - one.station[0] - 4.7)
    assert min(gaps) > 1.5 and source.at(39.98).speed[0] < 0.1
    standing = EgoOnRoad(front=300.0, offset=3.75, speed=0.0, length=4.8, width=1.9)
    rows = play(ScriptedActors([follower], straight), 40.0, ego=lambda time: standing)
    assert 300.0 - 4.8 - 6.0 < rows[-1, 1] + 0.5 * 4.7 < 300.0 - 4.8


def test_one_in_the_next_lane_is_not_followed(actor, straight):
    follower = actor(station=200.0, speed=20.0, time_gap=1.4)
    rows = play(ScriptedActors([follower, actor(station=260.0, speed=0.0, lane=2)], straight), 10.0)
    assert rows[-1, 3] > 19.0
