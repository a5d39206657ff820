"""Helpers of launch tests."""

from launch.missing import missing_names
from launch_pytest.tools import process

__all__ = ["process"]

__getattr__ = missing_names(__name__)
