"""Values that are known only when the launch runs."""

import os
from pathlib import PurePath

from launch.missing import missing_names


class Substitution:
    """A value that is resolved with the launch context."""

    def perform(self, context):
        """Return the text this stands for. Abstract: every substitution has its own."""
        raise NotImplementedError

    def describe(self):
        """Return how the value is shown in `--show-args`."""
        return type(self).__name__


class TextSubstitution(Substitution):
    """A fixed text."""

    def __init__(self, *, text):
        self.text = str(text)

    def perform(self, context):
        return self.text

    def describe(self):
        return f"'{self.text}'"


class LaunchConfiguration(Substitution):
    """The value of a launch argument."""

    def __init__(self, variable_name, *, default=None):
        self.variable_name = normalize(variable_name)
        self.default = None if default is None else normalize(default)

    def perform(self, context):
        name = perform(context, self.variable_name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self.default is None:
            raise RuntimeError(f"launch configuration '{name}' does not exist")
        return perform(context, self.default)

    def describe(self):
        return f"LaunchConfig({describe(self.variable_name)})"


class EnvironmentVariable(Substitution):
    """The value of an environment variable."""

    def __init__(self, name, *, default_value=None):
        self.name = normalize(name)
        self.default_value = None if default_value is None else normalize(default_value)

    def perform(self, context):
        name = perform(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is None:
            raise RuntimeError(f"environment variable '{name}' does not exist")
        return perform(context, self.default_value)

    def describe(self):
        return f"EnvVar({describe(self.name)})"


class PathJoinSubstitution(Substitution):
    """A path from its parts; a part may itself be a list that is joined to one text."""

    def __init__(self, substitutions):
        self.substitutions = [normalize(part) for part in substitutions]

    def perform(self, context):
        return os.path.join(*(perform(context, part) for part in self.substitutions))

    def describe(self):
        return f"PathJoin({', '.join(describe(part) for part in self.substitutions)})"


def normalize(value):
    """Return a list of substitutions for a text, a path, a substitution or a sequence of these."""
    if isinstance(value, (str, PurePath)):
        return [TextSubstitution(text=value)]
    if isinstance(value, Substitution):
        return [value]
    return [part for item in value for part in normalize(item)]


def perform(context, value):
    """Return the text of anything that `normalize` accepts."""
    return "".join(part.perform(context) for part in normalize(value))


def describe(value):
    """Return how a value is shown before the launch runs."""
    return " + ".join(part.describe() for part in normalize(value))


__getattr__ = missing_names(__name__)
