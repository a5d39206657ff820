"""The simulation in real time: what stands in for the car's sensors, its actuators and the world."""

import heapq
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from pilot_common.codec import wire_name
from pilot_common.errors import PilotError, ScenarioError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.messages import Message
from pilot_common.ros.function_node import EventsExecutor
from pilot_common.ros.qos import publisher_profile, subscription_profile
from pilot_common.ros.wire import ros_class, ros_codec
from pilot_common.vehicle import load_vehicle
from pilot_simulation.scenario import DEFAULT_SCENARIO, Perception, load_scenario
from pilot_simulation.simulation import TICK, Simulation

POLL = 0.005  # s: how finely due messages are looked at
PATIENCE = 20_000_000_000  # ns to wait for the functions before driving without those that are missing
SETTLING = 500_000_000  # ns from the moment all functions are there to the start
FARTHEST_BEHIND = 25  # ticks that are made up for in one go, so that commands are heard in between
FEEDBACK = ("actuation", "mode")


class SimulationNode(Node):
    """Drives scenario `scenario` with vehicle `vehicle` for `seconds` (0: its own duration) by `seed` (−1: its own).

    Starts once every function of the vehicle is there and, where the drive is `recorded`, the recorder; `done` becomes true
    at the end. Raises PilotError for what cannot be driven.
    """

    def __init__(self) -> None:
        super().__init__("simulation_node")
        config = Path(self.declare_parameter("config", str(config_folder())).value)
        graph = load_graph(config)
        vehicle = load_vehicle(self.declare_parameter("vehicle", "sedan_ice").value, config)
        scenario = load_scenario(self.declare_parameter("scenario", DEFAULT_SCENARIO).value, config)
        seed = int(self.declare_parameter("seed", -1).value)
        seconds = float(self.declare_parameter("seconds", 0.0).value)
        recorded = bool(self.declare_parameter("recorded", False).value)
        if scenario.perception is Perception.PERFECT:
            raise ScenarioError(f"{scenario.name}: perfect perception exists only in ./pilot simulate")
        if seconds > 0.0:
            scenario = replace(scenario, duration=seconds)
        self.simulation = Simulation(vehicle, scenario, config, None if seed < 0 else seed)
        self.done = False
        self._end = round(scenario.duration * 1e9)
        self._codec = ros_codec()
        self._latest: dict[str, Any] = dict.fromkeys(FEEDBACK)
        self._pending: list[tuple[int, int, str, Message]] = []
        self._pushed = 0
        self._start = 0
        self._ready_at = 0
        self._waiting_since = self.get_clock().now().nanoseconds
        topics = {name: graph.topics[name] for name in (*graph.sources, *FEEDBACK)}
        self._publishers_by_topic: dict[str, Any] = {
            name: self.create_publisher(
                ros_class(wire_name(topics[name].message)), name, publisher_profile(topics[name])
            )
            for name in graph.sources
        }
        for name in FEEDBACK:
            message = topics[name].message
            receive = partial(self._receive, name, message)
            self.create_subscription(
                ros_class(wire_name(message)), name, receive, subscription_profile(topics[name])
            )
        functions = graph.fitted(vehicle)
        self._functions = {function.executable for function in functions}
        self._listeners = {
            name: sum(name in function.inputs for function in functions)
            + int(recorded and graph.topics[name].recorded)
            for name in graph.sources
        }
        self.create_timer(POLL, self._look)

    def _receive(self, name: str, message_class: type[Message], wire: Any) -> None:
        try:
            self._latest[name] = self._codec.from_wire(message_class, wire)
        except ValueError as error:
            self.get_logger().error(f"refused a message on {name}: {error}", throttle_duration_sec=5.0)

    def _look(self) -> None:
        """Starts when all are there; then moves the world on to now and publishes what is due."""
        now = self.get_clock().now().nanoseconds
        if self._start == 0:
            self._wait(now)
            return
        for _ in range(FARTHEST_BEHIND):
            if self._next_tick() > now:
                break
            for due, topic, message in self.simulation.step(self._latest["actuation"], self._latest["mode"]):
                self._pushed += 1
                heapq.heappush(self._pending, (due, self._pushed, topic, message))
        while self._pending and self._pending[0][0] <= now:
            _, _, topic, message = heapq.heappop(self._pending)
            self._publishers_by_topic[topic].publish(self._codec.to_wire(message))
        if self.simulation.now - self._start >= self._end:
            self.done = True

    def _next_tick(self) -> int:
        return self._start + self.simulation.ticks * TICK

    def _wait(self, now: int) -> None:
        """For all functions to be there: on the bus, everybody connected who shall hear a source, and the way back too."""
        missing = self._functions - set(self.get_node_names())
        connected = (
            not missing
            and all(self.count_publishers(name) for name in FEEDBACK)
            and all(
                publisher.get_subscription_count() >= self._listeners[name]
                for name, publisher in self._publishers_by_topic.items()
            )
        )
        late = now - self._waiting_since > PATIENCE
        if not connected and not late:
            self._ready_at = 0
            return
        if late and not connected:
            self.get_logger().warning(
                f"starts without {', '.join(sorted(missing)) or 'a connection to all listeners'}"
            )
        self._ready_at = self._ready_at or now
        if now - self._ready_at >= SETTLING or late:
            self._start = now
            self.simulation.begin(now)
            self.get_logger().info(
                f"drives {self.simulation.scenario.name} with {self.simulation.vehicle.name}"
            )


def main() -> None:
    """Drives once and ends with code 0; a scenario that cannot be driven ends it with code 2 and the reason."""
    rclpy.init(args=sys.argv)
    try:
        node = SimulationNode()
    except PilotError as error:
        rclpy.try_shutdown()
        print(f"simulation_node: {error}", file=sys.stderr)  # noqa: T201 - nothing runs yet that could show a log
        sys.exit(error.exit_code)
    executor = EventsExecutor()
    executor.add_node(node)
    try:
        while rclpy.ok() and not node.done:
            executor.spin_once(timeout_sec=1.0)  # not spin(): see `spin` of the function node
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.simulation.close()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
