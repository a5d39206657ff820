"""ROS 2 shell of supervision."""

from pilot_common.ros.function_node import run_function


def main() -> None:
    """Entry of `supervision_node`."""
    run_function("supervision")
