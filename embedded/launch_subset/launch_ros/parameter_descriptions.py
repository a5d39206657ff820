"""Parameters of nodes, evaluated when the node starts."""

import yaml
from launch.missing import missing_names
from launch.substitutions import Substitution, perform


class ParameterValue:
    """A parameter value, with its type where a text must not be read as a number."""

    def __init__(self, value, *, value_type=None):
        self.value = value
        self.value_type = value_type

    def evaluate(self, context):
        """Return the value."""
        value = evaluated(context, self.value)
        if self.value_type is None or isinstance(value, self.value_type):
            return value
        return self.value_type(value)


class ParameterFile:
    """A parameter file as ROS 2 reads it."""

    def __init__(self, param_file):
        self.param_file = param_file

    def evaluate(self, context):
        """Return the path."""
        return perform(context, self.param_file)


def evaluated(context, value):
    """Return a parameter as a plain Python value; a substitution is read as YAML, as officially."""
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if isinstance(value, Substitution):
        return yaml.safe_load(perform(context, value))
    if isinstance(value, (list, tuple)):
        if value and any(isinstance(item, Substitution) for item in value):
            return yaml.safe_load(perform(context, value))
        return [evaluated(context, item) for item in value]
    return value


def flattened(context, parameters, prefix=""):
    """Return {name: value} of a nested mapping, names joined by dots."""
    result = {}
    for key, value in parameters.items():
        name = prefix + (key if isinstance(key, str) else perform(context, key))
        if isinstance(value, dict):
            result.update(flattened(context, value, f"{name}."))
        else:
            result[name] = evaluated(context, value)
    return result


__getattr__ = missing_names(__name__)
