"""Plays what the sensors of a bag said into their topics, in real time; all else is for the functions to say anew."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from pilot_common.codec import wire_name
from pilot_common.errors import BagError, PilotError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.messages import to_seconds
from pilot_common.ros.qos import publisher_profile
from pilot_common.ros.wire import ros_class, ros_codec
from pilot_evaluation.bag import BagReader

SETTLING = 2.0  # s in which the functions start and find the publishers


class PlayerNode(Node):
    """Plays the bag of parameter `bag`, `rate` times as fast as it was recorded.

    Parameter `topics` names what is played (default: the source topics of the graph). Stamps are moved to now, for the functions
    refuse old data; at another rate than 1 the distances between them are those of the playing. Raises BagError.
    """

    def __init__(self) -> None:
        super().__init__("player_node")
        self.declare_parameter("vehicle", "sedan_ice")  # given to every node alike
        bag = Path(self.declare_parameter("bag", "bag").value)
        self.rate = float(self.declare_parameter("rate", 1.0).value)
        if not self.rate > 0.0:
            raise BagError(f"rate must be above 0, found {self.rate:g}")
        graph = load_graph(config_folder())
        wanted: tuple[str, ...] = tuple(self.declare_parameter("topics", list(graph.sources)).value)
        unknown = sorted(set(wanted) - set(graph.topics))
        if unknown:
            raise BagError(f"no topic {', '.join(unknown)}; there are {', '.join(graph.topics)}")
        self.reader = BagReader(bag, graph)
        self.reader.require(wanted)
        self.topics = tuple(name for name in wanted if name in self.reader.own_topics)
        self.codec = ros_codec()
        self.outputs: dict[str, Any] = {
            name: self.create_publisher(
                ros_class(wire_name(graph.topics[name].message)), name, publisher_profile(graph.topics[name])
            )
            for name in self.topics
        }

    def play(self) -> None:
        """Publishes every message at its time; returns at the end of the bag or at shutdown."""
        clock = self.get_clock()
        clock.sleep_for(Duration(seconds=SETTLING))
        start, first = clock.now(), self.reader.start
        for record in self.reader.messages(self.topics):
            due = start + Duration(nanoseconds=round((record.log_time - first) / self.rate))
            clock.sleep_until(due)
            if not rclpy.ok():
                return
            age = to_seconds(record.log_time) - record.message.stamp  # type: ignore[attr-defined]
            stamp = to_seconds(due.nanoseconds) - age / self.rate
            message = replace(record.message, stamp=stamp)  # type: ignore[call-arg]
            self.outputs[record.topic].publish(self.codec.to_wire(message))
        if self.reader.warning:
            self.get_logger().warning(self.reader.warning)


def main() -> None:
    """Plays once; a bag that cannot be played ends it with code 2 and the reason."""
    rclpy.init(args=sys.argv)
    code = 0
    try:
        PlayerNode().play()
    except PilotError as error:
        print(f"player_node: {error}", file=sys.stderr)  # noqa: T201 - it may concern what a log would need
        code = error.exit_code
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    rclpy.try_shutdown()
    sys.exit(code)


if __name__ == "__main__":
    main()
