"""Clear words for whatever of the official launch API this subset leaves out."""

import importlib.abc
import sys

PACKAGES = (
    "launch",
    "launch_ros",
    "launch_pytest",
    "launch_testing",
    "launch_xml",
    "launch_yaml",
    "ros2launch",
)


class NotInSubsetError(ImportError):
    """A part of the official launch API that the embedded subset does not have."""

    def __init__(self, name):
        super().__init__(f"'{name}' is not in the embedded launch subset; use an official ROS 2 for it")


def missing_names(module):
    """Return a module-level __getattr__ that raises NotInSubsetError for classes the module lacks.

    Other names stay an AttributeError, since tools that look into modules ask for all kinds of them.
    """

    def __getattr__(name):  # noqa: N807
        if name[0].isupper():
            raise NotInSubsetError(f"{module}.{name}")
        raise AttributeError(f"module '{module}' has no attribute '{name}'")

    return __getattr__


class _MissingModules(importlib.abc.MetaPathFinder):
    """Last finder of all: only asked for modules that nobody has."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in PACKAGES:
            raise NotInSubsetError(fullname)
        return None


def refuse_missing_modules():
    """Make the import of an official launch module that is not here say so."""
    if not any(isinstance(finder, _MissingModules) for finder in sys.meta_path):
        sys.meta_path.append(_MissingModules())
