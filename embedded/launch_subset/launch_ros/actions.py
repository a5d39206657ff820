"""The action that runs a node."""

import os
import tempfile
from pathlib import PurePath

import yaml
from ament_index_python.packages import get_package_prefix
from launch.actions import ExecuteProcess
from launch.missing import missing_names
from launch.substitutions import Substitution, perform
from launch_ros.parameter_descriptions import ParameterFile, flattened


class Node(ExecuteProcess):
    """Runs an executable of a package as a node."""

    def __init__(
        self,
        *,
        executable,
        package=None,
        name=None,
        namespace=None,
        exec_name=None,
        parameters=None,
        remappings=None,
        ros_arguments=None,
        arguments=None,
        **keywords,
    ):
        super().__init__(cmd=[], name=exec_name, **keywords)
        self.node_package, self.node_executable = package, executable
        self._node_name, self._namespace = name, namespace
        self._parameters, self._remappings = list(parameters or []), list(remappings or [])
        self._ros_arguments, self._arguments = list(ros_arguments or []), list(arguments or [])

    @property
    def node_name(self):
        """The name the node gets, or None where the executable decides."""
        return self._node_name

    def execute(self, context):
        if self.name is None:
            self.name = perform(context, self.node_executable)
        return super().execute(context)

    def _command(self, context):
        self.cmd = [self._executable(context), *(perform(context, word) for word in self._arguments)]
        options = [*(perform(context, word) for word in self._ros_arguments)]
        if self._node_name is not None:
            options += ["-r", f"__node:={perform(context, self._node_name)}"]
        if self._namespace is not None:
            namespace = perform(context, self._namespace)
            options += ["-r", f"__ns:={namespace if namespace.startswith('/') else '/' + namespace}"]
        for parameters in self._parameters:
            options += ["--params-file", self._parameter_file(context, parameters)]
        for source, target in self._remappings:
            options += ["-r", f"{perform(context, source)}:={perform(context, target)}"]
        if options:
            self.cmd += ["--ros-args", *options]
        return super()._command(context)

    def _executable(self, context):
        executable = perform(context, self.node_executable)
        if self.node_package is None:
            return executable
        package = perform(context, self.node_package)
        folder = os.path.join(get_package_prefix(package), "lib", package)
        path = os.path.join(folder, executable)
        if not os.access(path, os.X_OK):
            raise RuntimeError(f"executable '{executable}' not found on the libexec directory '{folder}'")
        return path

    def _parameter_file(self, context, parameters):
        """Return the path of a given file, or of a temporary one written from a mapping."""
        if isinstance(parameters, ParameterFile):
            return parameters.evaluate(context)
        if isinstance(parameters, (str, PurePath, Substitution)):
            return perform(context, parameters)
        node = perform(context, self._node_name) if self._node_name is not None else "/**"
        if self._node_name is not None and self._namespace is not None:
            node = f"/{perform(context, self._namespace).strip('/')}/{node}".replace("//", "/")
        content = {node: {"ros__parameters": flattened(context, parameters)}}
        with tempfile.NamedTemporaryFile(
            "w", prefix="launch_params_", suffix=".yaml", dir=context.log_folder, delete=False
        ) as stream:
            yaml.safe_dump(content, stream)
        return stream.name


__getattr__ = missing_names(__name__)
