"""ROS 2 node of fusion."""

from pilot_common.ros.function_node import run_function


def main() -> None:
    """Entry point of `fusion_node`."""
    run_function("fusion")


if __name__ == "__main__":
    main()
