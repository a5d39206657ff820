"""The part of the official `launch_ros` API that Highway Pilot uses."""

import launch  # noqa: F401  (its import makes missing modules say so)
from launch.missing import missing_names
from launch_ros import actions, parameter_descriptions, substitutions

__all__ = ["actions", "parameter_descriptions", "substitutions"]

__getattr__ = missing_names(__name__)
