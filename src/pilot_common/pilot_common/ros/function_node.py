"""The ROS side of every function: lifecycle, parameters, subscriptions, steps, publishing, health."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from pilot_common.codec import wire_name
from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.graph import HEALTH, load_graph
from pilot_common.messages import Message
from pilot_common.ros.qos import publisher_profile, subscription_profile
from pilot_common.ros.wire import ros_class, ros_codec
from pilot_common.runner import FunctionRunner, core_class
from pilot_common.schema import plain
from pilot_common.vehicle import Vehicle, load_parameters, load_vehicle

try:  # half the CPU of the single-threaded executor, but only in Kilted and newer
    from rclpy.experimental import EventsExecutor
except ImportError:
    EventsExecutor = SingleThreadedExecutor

POLLS_PER_PERIOD = 4  # how finely a rate or watchdog is looked at


class FunctionNode(LifecycleNode):
    """Node `<function>_node`: row `function` of the graph, for the vehicle named by parameter `vehicle`.

    Starts itself (configure, activate) unless parameter `autostart` is false, so that a restarted process drives on at once.
    """

    def __init__(self, function_name: str, **options: Any) -> None:
        super().__init__(f"{function_name}_node", **options)
        self.declare_parameter("vehicle", "sedan_ice")
        self.declare_parameter("config", str(config_folder()))
        self.declare_parameter("autostart", True)
        config = Path(self.get_parameter("config").value)
        self.graph = load_graph(config)
        self.function = self.graph.function(function_name)
        self.vehicle: Vehicle = load_vehicle(self.get_parameter("vehicle").value, config)
        core = core_class(self.function)
        parameters = load_parameters(core.Parameters, function_name, self.vehicle, config)
        self._declare_resolved(parameters)
        self.runner = FunctionRunner(self.function, self.graph, core(self.vehicle, parameters))
        self.codec = ros_codec()
        self._active = False
        self._valid: bool | None = None
        self._refused: set[str] = set()
        self._outputs: dict[str, Any] = {}

    def _declare_resolved(self, parameters: Any) -> None:
        for name, value in plain(parameters).items():
            if isinstance(value, bool | int | float | str):
                self.declare_parameter(f"parameters.{name}", value, ParameterDescriptor(read_only=True))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Opens publishers, subscriptions and the timer."""
        for name in self.function.outputs:
            topic = self.graph.topics[name]
            wire = ros_class(wire_name(topic.message))
            self._outputs[name] = self.create_lifecycle_publisher(wire, name, publisher_profile(topic))
        for name, take in self.function.inputs.items():
            topic = self.graph.topics[name]
            wire, profile = ros_class(wire_name(topic.message)), subscription_profile(topic, take)
            self.create_subscription(wire, name, partial(self._receive, name, topic.message), profile)
        shortest = min(
            period for period in (self.function.period, self.function.watchdog, 100_000_000) if period
        )
        self.create_timer(shortest * 1e-9 / POLLS_PER_PERIOD, self._look)
        if (
            "pilot_common.compiled" in sys.modules
        ):  # of cores with compiled loops: nothing is loaded in mid-drive
            sys.modules["pilot_common.compiled"].load_machine_code()
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Starts with a fresh core."""
        self.runner.reset()
        self._active = True
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stops stepping; subscriptions stay."""
        self._active = False
        return super().on_deactivate(state)

    def _receive(self, name: str, message_class: type[Message], wire: Any) -> None:
        if not self._active:
            return
        try:
            message = self.codec.from_wire(message_class, wire)
        except ValueError as error:
            if name not in self._refused:
                self._refused.add(name)
                self.get_logger().error(f"refused a message on {name}: {error}")
            return
        self.runner.deliver(name, message)
        if name == self.function.trigger:
            self._step(self.get_clock().now().nanoseconds)

    def _look(self) -> None:
        if not self._active:
            return
        now = self.get_clock().now().nanoseconds
        self._step(now)
        report = self.runner.health(now)
        if report is not None:
            self._publish(HEALTH + self.function.name, report)

    def _step(self, now: int) -> None:
        if not self.runner.due(now):
            return
        started = time.perf_counter()
        said = self.runner.step(now)
        self.runner.spent(time.perf_counter() - started)
        for name, message in said.items():
            self._publish(name, message)
            if hasattr(message, "valid") and message.valid != self._valid:
                self._valid = message.valid
                self.get_logger().info(
                    "valid" if self._valid else f"invalid: {getattr(message, 'reason', '')}"
                )

    def _publish(self, name: str, message: Message) -> None:
        self._outputs[name].publish(self.codec.to_wire(message))


def run_function(function_name: str) -> None:
    """`main` of every `*_node.py`: runs the function's node until it is told to stop. Bad configuration ends it with code 2."""
    rclpy.init(args=sys.argv)
    try:
        node = FunctionNode(function_name)
    except PilotError as error:
        rclpy.try_shutdown()
        sys.exit(_refuse(function_name, error))
    spin(node)


def _refuse(function_name: str, error: PilotError) -> int:
    sys.stderr.write(f"{function_name}_node: {error}\n")
    return error.exit_code


def run_executor(executor: Any, done: Callable[[], bool] = lambda: False) -> None:
    """Runs callbacks until `done` or shutdown.

    Not by spin() or spin_until_future_complete(): in the wheels of ROS 2 the events executor burns a core when it waits
    without a limit, and may never get to an event.
    """
    while rclpy.ok() and not done():
        executor.spin_once(timeout_sec=1.0)


def spin(node: LifecycleNode) -> None:
    """Brings a node to life unless it shall wait, and runs it until interrupt or shutdown."""
    executor = EventsExecutor()
    executor.add_node(node)
    if node.get_parameter("autostart").value:
        for transition in (node.trigger_configure, node.trigger_activate):
            if transition() is not TransitionCallbackReturn.SUCCESS:
                sys.exit(
                    f"{node.get_name()}: could not be started"
                )  # a silent process would never be started anew
    try:
        run_executor(executor)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
