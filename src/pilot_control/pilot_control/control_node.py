"""ROS node of the controller."""

from pilot_common.ros.function_node import run_function


def main() -> None:
    """Entry point of `control_node`."""
    run_function("control")


if __name__ == "__main__":
    main()
