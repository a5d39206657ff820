"""The part of the official `launch_pytest` API that Highway Pilot uses."""

import launch  # noqa: F401  (its import makes missing modules say so)
from launch.missing import missing_names
from launch_pytest import actions, tools
from launch_pytest.fixture import fixture

__all__ = ["actions", "fixture", "tools"]

__getattr__ = missing_names(__name__)
