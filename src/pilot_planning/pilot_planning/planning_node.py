"""ROS node of the highway planner."""

from pilot_common.ros.function_node import run_function


def main() -> None:
    """Entry point of `planning_node`."""
    run_function("planning")


if __name__ == "__main__":
    main()
