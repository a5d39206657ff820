"""Simulation and functions in one loop."""

import pytest

from pilot_common.messages import to_nanoseconds
from pilot_simulation.lockstep import drive
from pilot_simulation.scenario import Fault, FaultKind
from pilot_simulation.simulation import EPOCH

pytest.importorskip("pilot_supervision")


@pytest.fixture
def told(sedan, scenario, config, actor):
    """What a short drive tells: (time, topic, message), and what it came to."""

    def make(seconds: float = 2.0, **changes):
        messages = []
        changes = {"actors": (actor(station=250.0, speed=18.0),)} | changes
        result = drive(
            sedan,
            scenario(**changes),
            config,
            lambda time, topic, message: messages.append((time, topic, message)),
            seconds=seconds,
        )
        return messages, result

    return make


def test_every_recorded_topic_of_the_vehicle_is_told_in_order_of_time(told, graph, sedan):
    messages, result = told()
    times = [time for time, _, _ in messages]
    assert times == sorted(times)
    assert times[0] == EPOCH and times[-1] == EPOCH + 2_000_000_000
    topics = {topic for _, topic, _ in messages}
    written = {name for function in graph.fitted(sedan) for name in function.outputs}
    assert written <= topics | {name for name in written if not graph.topics[name].recorded}
    assert result.seconds == 2.0 and result.messages == len(messages)


def test_two_drives_are_the_same(told):
    one, same = ([(time, topic, repr(message)) for time, topic, message in told(1.5)[0]] for _ in range(2))
    assert one == same


def test_nothing_is_told_before_it_is_due(told, graph, sedan):
    for time, topic, message in told()[0]:
        if topic in graph.sources:
            assert (
                time >= to_nanoseconds(message.stamp) + graph.latency(topic, sedan) - 1000
            )  # ns of rounding


def test_a_killed_function_is_silent_and_comes_back(told):
    fault = Fault(time=1.0, kind=FaultKind.FUNCTION_KILLED, function="planning")
    messages, _ = told(3.0, faults=(fault,))
    plans = [(time - EPOCH) * 1e-9 for time, topic, _ in messages if topic == "plan"]
    assert any(time < 0.99 for time in plans)
    assert not any(1.0 < time < 2.0 for time in plans)
    assert any(time > 2.0 for time in plans)
    commands = [time for time, topic, _ in messages if topic == "command"]
    assert len(commands) > 140  # the others go on


def test_progress_is_told_every_second(sedan, scenario, config):
    heard = []
    drive(sedan, scenario(), config, lambda *_: None, seconds=2.0, on_progress=heard.append)
    assert heard == [0.0, 1.0, 2.0]
