"""A runner steps its core when it should, with what it should see."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

from pilot_common.graph import HEALTH, Function, Graph, Qos, Take, Topic
from pilot_common.runner import Executor, FunctionRunner
from pilot_common.types import DriveMode, Mode

MILLISECOND = 1_000_000


@dataclass(frozen=True)
class Inputs:
    time: float
    wish: Mode | None
    news: tuple[Mode, ...]


class Echo:
    """Repeats the newest wish and remembers what it saw."""

    Inputs = Inputs

    def reset(self):
        self.seen = []

    def step(self, inputs):
        self.seen.append(inputs)
        refused = inputs.wish is not None and inputs.wish.reason == "nonsense"
        return SimpleNamespace(
            answer=None if refused else inputs.wish, reason="it is nonsense" if refused else ""
        )


def topic(**changes):
    return Topic(
        **(
            {"type": "Mode", "rate": 50.0, "qos": Qos.STATE, "recorded": True, "maximum_age_ms": 100.0}
            | changes
        )
    )


def runner(trigger="wish", period=0, watchdog=0):
    topics = {
        "wish": topic(source="driver"),
        "news": topic(source="driver"),
        "answer": topic(),
        HEALTH + "echo": topic(),
    }
    function = Function(
        name="echo",
        class_path="x:y",
        package="x",
        inputs=MappingProxyType({"wish": Take.NEWEST, "news": Take.ALL}),
        outputs=("answer", HEALTH + "echo"),
        trigger=trigger,
        period=period,
        watchdog=watchdog,
        budget=0,
        requires=(),
    )
    graph = Graph(Path("graph.yaml"), topics, (function,))
    return FunctionRunner(function, graph, Echo()), graph


def mode(milliseconds, reason=""):
    return Mode(stamp=milliseconds / 1000.0, mode=DriveMode.ACTIVE, reason=reason, warning=0)


def test_a_trigger_steps_once():
    one, _ = runner()
    assert not one.due(0)
    one.deliver("wish", mode(0))
    assert one.due(0)
    assert one.step(0)["answer"].stamp == 0.0
    assert not one.due(0)


def test_an_input_older_than_its_limit_is_not_seen():
    one, _ = runner()
    one.deliver("wish", mode(0))
    one.step(100 * MILLISECOND)
    one.deliver("wish", mode(0))
    one.step(101 * MILLISECOND)
    assert one.core.seen[0].wish is not None
    assert one.core.seen[1].wish is None


def test_the_newest_is_that_of_the_latest_stamp_in_any_order_of_arrival():
    one, _ = runner()
    for milliseconds in (20, 0, 10):
        one.deliver("wish", mode(milliseconds))
        one.deliver("news", mode(milliseconds))
    one.step(20 * MILLISECOND)
    assert one.core.seen[0].wish.stamp == 0.02
    assert [message.stamp for message in one.core.seen[0].news] == [0.0, 0.01, 0.02]


def test_a_message_from_the_future_is_dropped_and_does_not_hide_later_ones():
    one, _ = runner()
    for name in ("wish", "news"):
        one.deliver(name, mode(10_000))
    one.step(20 * MILLISECOND)
    for name in ("wish", "news"):
        one.deliver(name, mode(40))
    one.step(40 * MILLISECOND)
    assert one.core.seen[0].wish is None and one.core.seen[0].news == ()
    assert one.core.seen[1].wish.stamp == 0.04
    assert [message.stamp for message in one.core.seen[1].news] == [0.04]


def test_a_message_of_a_clock_slightly_ahead_is_seen():
    one, _ = runner()
    for name in ("wish", "news"):
        one.deliver(name, mode(50))
    one.step(0)
    assert one.core.seen[0].wish is not None and len(one.core.seen[0].news) == 1


def test_when_the_clock_is_set_back_the_watchdog_steps_at_once_and_old_messages_are_gone():
    one, _ = runner(watchdog=40 * MILLISECOND)
    one.deliver("wish", mode(10_000))
    one.step(10_000 * MILLISECOND)
    assert one.due(5_000 * MILLISECOND)
    one.step(5_000 * MILLISECOND)
    assert one.core.seen[1].wish is None
    assert not one.due(5_020 * MILLISECOND)
    assert one.due(5_040 * MILLISECOND)


def test_a_watchdog_steps_when_the_trigger_fails_to_come():
    one, _ = runner(watchdog=40 * MILLISECOND)
    steps = []
    for now in range(0, 200 * MILLISECOND, 10 * MILLISECOND):
        if one.due(now):
            one.step(now)
            steps.append(now // MILLISECOND)
    assert steps == [40, 80, 120, 160]


def test_a_rate_steps_once_a_period_whatever_the_ticks():
    one, _ = runner(trigger=None, period=50 * MILLISECOND)
    steps = [
        now
        for now in range(0, 500, 7)
        if one.due(now * MILLISECOND) and one.step(now * MILLISECOND) is not None
    ]
    assert len(steps) == 10


def test_a_step_that_comes_over_a_period_late_is_counted_in_health():
    one, _ = runner()
    for now in (0, 20, 40, 90, 110):
        one.deliver("wish", mode(now))
        one.step(now * MILLISECOND)
    report = one.health(110 * MILLISECOND)
    assert (report.steps, report.missed, report.valid) == (5, 1, True)
    assert one.health(111 * MILLISECOND) is None  # ten a second
    assert not one.health(210 * MILLISECOND).valid  # silence since the last report


def test_a_core_that_refuses_its_input_is_not_healthy():
    one, _ = runner()
    one.deliver("wish", mode(0, "nonsense"))
    assert one.step(0) == {}
    report = one.health(0)
    assert (report.valid, report.reason) == (False, "it is nonsense")
    one.deliver("wish", mode(100))
    one.step(100 * MILLISECOND)
    assert one.health(100 * MILLISECOND).valid


def test_a_restored_runner_goes_on_as_it_would_have():
    one, graph = runner()
    executor = Executor(graph, [one])
    executor.advance(0, [("news", mode(0)), ("wish", mode(0))])
    executor.advance(20 * MILLISECOND, [("news", mode(20))])
    state = one.snapshot()
    first = executor.advance(40 * MILLISECOND, [("wish", mode(40, "a"))])
    one.restore(state)
    again = executor.advance(40 * MILLISECOND, [("wish", mode(40, "a"))])
    assert first == again
    assert [len(inputs.news) for inputs in one.core.seen] == [1, 1]
