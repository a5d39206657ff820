"""Where included launch descriptions come from: Python files."""

import importlib.util
import os

from launch.missing import NotInSubsetError, missing_names
from launch.substitutions import describe, normalize, perform


class LaunchDescriptionSource:
    """A description that is read when it is needed."""

    def __init__(self, location):
        self._location = normalize(location)
        self._description = None

    @property
    def location(self):
        """The path, in words while it is not resolved."""
        return describe(self._location)

    def get_launch_description(self, context):
        """Return the description of the file."""
        if self._description is None:
            path = perform(context, self._location)
            if not path.endswith(".py"):
                raise NotInSubsetError(f"launch file format of {path}")
            self._description = get_launch_description_from_python_launch_file(path)
        return self._description

    def try_get_launch_description_without_context(self):
        """Return the description where the path is known before the launch runs, else None."""
        from launch.launch_context import LaunchContext

        try:
            return self.get_launch_description(LaunchContext())
        except (RuntimeError, LookupError):
            return None


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A Python launch file."""

    def __init__(self, launch_file_path):
        super().__init__(launch_file_path)


class AnyLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file of any format; here only Python is read."""

    def __init__(self, launch_file_path):
        super().__init__(launch_file_path)


def get_launch_description_from_python_launch_file(path):
    """Return what `generate_launch_description` of a Python file gives."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"launch file '{path}' does not exist")
    specification = importlib.util.spec_from_file_location("python_launch_file", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not hasattr(module, "generate_launch_description"):
        raise RuntimeError(f"launch file '{path}' does not contain generate_launch_description()")
    return module.generate_launch_description()


__getattr__ = missing_names(__name__)
