"""The ROS side: a node steps on its trigger, publishes, reports health, and refuses bad configuration."""

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pilot_common.folders import config_folder

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("pilot_msgs.msg", reason="needs the built workspace")

GRAPH = """
topics:
  wish: {type: Mode, rate: 50, qos: state, recorded: true, source: vehicle, maximum_age_ms: 1000}
  answer: {type: Mode, rate: 50, qos: state, recorded: true, maximum_age_ms: 1000}
functions:
  echo:
    class: "echo_core:Echo"
    package: x
    trigger: wish
    watchdog_ms: 200
    inputs: {wish: newest}
    outputs: [answer]
    budget_ms: 5
"""
CORE = """
from dataclasses import dataclass
from types import SimpleNamespace
from pilot_common.schema import parameter
from pilot_common.types import Mode


@dataclass(frozen=True)
class Parameters:
    gain: float = parameter("", 0, 2, "how often to say it")


@dataclass(frozen=True)
class Inputs:
    time: float
    wish: Mode | None


class Echo:
    Inputs, Parameters = Inputs, Parameters

    def __init__(self, vehicle, parameters):
        self.gain = parameters.gain

    def reset(self):
        pass

    def step(self, inputs):
        return SimpleNamespace(answer=inputs.wish)
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(config_folder() / "vehicles", folder / "vehicles")
    (folder / "parameters").mkdir()
    for function in ("detection", "fusion", "planning", "control", "gate", "supervision"):
        (folder / "parameters" / f"{function}.yaml").touch()
    (folder / "parameters" / "echo.yaml").write_text("gain: 1.5\n")
    (folder / "graph.yaml").write_text(GRAPH)
    (tmp_path / "echo_core.py").write_text(textwrap.dedent(CORE))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "echo_core", raising=False)
    return folder


@pytest.fixture
def context() -> Iterator[object]:
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


def make_node(config: Path, context: object):
    from rclpy.parameter import Parameter

    from pilot_common.ros.function_node import FunctionNode

    return FunctionNode("echo", context=context, parameter_overrides=[Parameter("config", value=str(config))])


def spin_until(executor, condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        executor.spin_once(timeout_sec=0.02)
    return condition()


def test_a_node_answers_its_trigger_and_reports_its_health(config, context):
    from rclpy.executors import SingleThreadedExecutor

    from pilot_msgs.msg import Health, Mode

    node = make_node(config, context)
    other = rclpy.create_node("other", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    executor.add_node(other)
    answers, reports = [], []
    other.create_subscription(Mode, "answer", answers.append, 10)
    other.create_subscription(Health, "health/echo", reports.append, 10)
    publisher = other.create_publisher(Mode, "wish", 1)
    node.trigger_configure()
    node.trigger_activate()
    assert node.get_parameter("parameters.gain").value == 1.5

    wish = Mode(mode=2, reason="please")
    wish.header.stamp = other.get_clock().now().to_msg()
    assert spin_until(executor, lambda: publisher.get_subscription_count() == 1)

    def answered() -> bool:
        publisher.publish(wish)
        return any(answer.reason == "please" for answer in answers)

    assert spin_until(executor, answered)
    assert spin_until(executor, lambda: any(report.valid and report.steps > 0 for report in reports))
    node.trigger_deactivate()
    answers.clear()
    publisher.publish(wish)
    assert not spin_until(executor, lambda: bool(answers), 0.3)
    executor.shutdown()
    node.destroy_node()
    other.destroy_node()


def test_a_misspelt_parameter_refuses_to_start(config, context):
    from pilot_common.errors import ConfigError

    (config / "parameters" / "echo.yaml").write_text("gian: 1.5\n")
    with pytest.raises(ConfigError, match="gian: unknown key, did you mean 'gain'"):
        make_node(config, context)
