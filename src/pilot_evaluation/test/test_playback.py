"""The order of a replay depends on stamps and latencies alone, never on the order of arrival."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_drive import make_run

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.messages import Message, empty_arrays, to_nanoseconds
from pilot_common.types import RadarReturns, VehicleState
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.playback import TOLERANCE, Playback, Tick

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)
SEDAN = load_vehicle("sedan_ice", CONFIG)
PERIOD = 20_000_000
Arrivals = list[tuple[str, Message]]


@pytest.fixture(scope="module")
def states() -> list[VehicleState]:
    return [
        message for message in make_run(2.0).messages("vehicle_state") if isinstance(message, VehicleState)
    ]


def returns(stamp: float, distance: float = 50.0) -> RadarReturns:
    one = {
        name: np.array([value])
        for name, value in (("range", distance), ("azimuth", 0.0), ("range_rate", 0.0))
    }
    rest = {"cross_section": np.array([10.0]), "sensor": np.array([1]), "sensors": np.array([1])}
    return RadarReturns(stamp=stamp, **(empty_arrays(RadarReturns) | one | rest))


def ticks_of(messages: Arrivals, tolerance: int = TOLERANCE) -> tuple[list[Tick], Playback]:
    playback = Playback(GRAPH, SEDAN, tolerance=tolerance)
    found = [tick for topic, message in messages for tick in playback.add(topic, message)]
    return [*found, *playback.end()], playback


def told(ticks: list[Tick]) -> list[tuple[int, list[tuple[str, float]]]]:
    return [(tick.time, [(topic, message.stamp) for topic, message in tick.arrivals]) for tick in ticks]  # type: ignore[attr-defined]


def test_every_vehicle_state_is_a_tick(states: list[VehicleState]) -> None:
    ticks, playback = ticks_of([("vehicle_state", state) for state in states])
    assert [tick.time for tick in ticks] == [round(state.stamp * 1e6) * 1000 for state in states]
    assert all(len(tick.arrivals) == 1 for tick in ticks)
    assert playback.late == playback.in_flight == 0


def test_a_measurement_arrives_at_the_first_tick_after_its_latency(states: list[VehicleState]) -> None:
    latency = GRAPH.latency("radar_returns", SEDAN)
    assert latency > 0
    radar = returns(states[10].stamp + 0.003)
    messages: Arrivals = [("vehicle_state", state) for state in states]
    messages.insert(12, ("radar_returns", radar))
    ticks, _ = ticks_of(messages)
    arrival = next(tick.time for tick in ticks if any(topic == "radar_returns" for topic, _ in tick.arrivals))
    due = to_nanoseconds(radar.stamp) + latency
    assert 0 <= arrival - due < PERIOD


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_arrival_within_the_tolerance_does_not_matter(
    states: list[VehicleState], seed: int
) -> None:
    messages: Arrivals = [("vehicle_state", state) for state in states]
    messages += [
        ("radar_returns", returns(states[index].stamp + 0.004)) for index in range(0, len(states), 5)
    ]
    messages += [
        ("radar_returns", returns(states[20].stamp, distance)) for distance in (30.0, 40.0)
    ]  # equal stamps
    messages.sort(key=lambda item: item[1].stamp)  # type: ignore[attr-defined]
    delay = np.random.default_rng(seed).uniform(0.0, 0.9 * TOLERANCE * 1e-9, len(messages))
    order = np.argsort(np.array([message.stamp for _, message in messages]) + delay)  # type: ignore[attr-defined]
    assert not np.array_equal(order, np.arange(len(messages)))
    plain, _ = ticks_of(messages)
    shuffled, playback = ticks_of([messages[index] for index in order])
    assert told(shuffled) == told(plain)
    twins = [
        m.range[0]
        for t in shuffled
        for _, m in t.arrivals
        if isinstance(m, RadarReturns) and m.stamp == states[20].stamp
    ]
    again = [
        m.range[0]
        for t in plain
        for _, m in t.arrivals
        if isinstance(m, RadarReturns) and m.stamp == states[20].stamp
    ]
    assert twins == again
    assert playback.late == 0


def test_what_comes_after_its_time_is_counted_and_passed_over(states: list[VehicleState]) -> None:
    messages: Arrivals = [("vehicle_state", state) for state in states]
    straggler = messages.pop(3)
    ticks, playback = ticks_of([*messages, straggler])
    assert playback.late == 1
    assert sum(len(tick.arrivals) for tick in ticks) == len(messages)


def test_a_silent_heartbeat_is_filled_with_ticks(states: list[VehicleState]) -> None:
    kept = [*states[:20], *states[40:]]
    ticks, _ = ticks_of([("vehicle_state", state) for state in kept])
    times = np.array([tick.time for tick in ticks])
    assert len(ticks) == len(states)
    assert np.abs(np.diff(times) - PERIOD).max() <= 1000
    messages: Arrivals = [("vehicle_state", state) for state in kept]
    messages.insert(20, ("radar_returns", returns(states[30].stamp)))
    ticks, _ = ticks_of(messages)
    arrival = next(tick.time for tick in ticks if any(topic == "radar_returns" for topic, _ in tick.arrivals))
    assert arrival - to_nanoseconds(states[30].stamp) <= GRAPH.latency("radar_returns", SEDAN) + PERIOD


def test_without_any_heartbeat_the_rest_is_still_delivered() -> None:
    messages: Arrivals = [("radar_returns", returns(1000.0 + 0.05 * index)) for index in range(60)]
    ticks, _ = ticks_of(messages)
    assert sum(len(tick.arrivals) for tick in ticks) >= len(messages) - 1


def test_what_is_in_flight_at_the_end_makes_no_tick(states: list[VehicleState]) -> None:
    last = ("radar_returns", returns(states[-1].stamp))
    ticks, playback = ticks_of([*(("vehicle_state", state) for state in states), last])
    assert len(ticks) == len(states)
    assert playback.in_flight == 1


def test_stamps_of_today_are_ticks_in_whole_microseconds(states: list[VehicleState]) -> None:
    epoch = 1_700_000_000
    moved = [
        replace(state, stamp=epoch + round((state.stamp - states[0].stamp) * 50) / 50) for state in states
    ]
    ticks, _ = ticks_of([("vehicle_state", state) for state in moved])
    assert [tick.time - epoch * 10**9 for tick in ticks] == [index * PERIOD for index in range(len(states))]
