"""ROS 2 shell of the command gate; a car that its own facts rule out does not start."""

from pilot_common.ros.function_node import run_function


def main() -> None:
    """Entry of `gate_node`."""
    run_function("gate")
