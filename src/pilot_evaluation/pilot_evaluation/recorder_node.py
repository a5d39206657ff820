"""Records the topics of the graph as they travel, without decoding them, into the bag that parameter `folder` names."""

import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile

from pilot_common.codec import wire_name
from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.ros.qos import publisher_profile
from pilot_common.ros.wire import ros_class
from pilot_evaluation.bag import BagWriter

DEPTH = 200  # messages a topic may wait while a chunk is being written
FLUSH_PERIOD = 1.0  # s


class RecorderNode(Node):
    """Subscribes to every recorded topic with its writer's profile and more depth. Raises BagError where the folder exists."""

    def __init__(self) -> None:
        super().__init__("recorder_node")
        self.declare_parameter("vehicle", "sedan_ice")  # given to every node alike
        folder = Path(self.declare_parameter("folder", "bag").value)
        graph = load_graph(config_folder())
        self.writer = BagWriter(folder, graph)
        for name in graph.recorded:
            topic = graph.topics[name]
            offered = publisher_profile(topic)
            profile = QoSProfile(depth=DEPTH, reliability=offered.reliability, durability=offered.durability)
            wire = ros_class(wire_name(topic.message))
            self.create_subscription(wire, name, partial(_record, self.writer, name), profile, raw=True)
        self.create_timer(FLUSH_PERIOD, self.writer.flush)


def _record(writer: BagWriter, name: str, cdr: bytes, info: Any) -> None:
    writer.write_raw(name, cdr, info["received_timestamp"], info["source_timestamp"])


def main() -> None:
    """Records until interrupt or shutdown, then closes the bag."""
    rclpy.init(args=sys.argv)
    try:
        node = RecorderNode()
    except PilotError as error:
        rclpy.try_shutdown()
        print(f"recorder_node: {error}", file=sys.stderr)  # noqa: T201 - nothing records yet that could show a log
        sys.exit(error.exit_code)
    executor = (
        SingleThreadedExecutor()
    )  # the events executor of Kilted spins without end on raw subscriptions
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cost the index of the bag
        node.writer.close()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
