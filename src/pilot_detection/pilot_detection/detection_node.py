"""ROS 2 node of camera detection."""

from pilot_common.ros.function_node import run_function


def main() -> None:
    """Entry point of `detection_node`."""
    run_function("detection")


if __name__ == "__main__":
    main()
