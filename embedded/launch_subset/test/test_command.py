"""The `ros2` command, the Node action and what the subset says about what it lacks."""

import importlib
from pathlib import Path

import pytest
import yaml
from launch import LaunchContext
from launch.command import main
from launch.missing import NotInSubsetError
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

LAUNCH_FILE = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo
from launch.substitutions import LaunchConfiguration

def generate_launch_description():
    vehicle = DeclareLaunchArgument("vehicle", default_value="sedan_ice", description="name of the vehicle")
    return LaunchDescription([vehicle, LogInfo(msg=LaunchConfiguration("vehicle"))])
"""


@pytest.fixture
def launch_file(tmp_path, monkeypatch):
    """Return the path of a small launch file."""
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    path = tmp_path / "small.launch.py"
    path.write_text(LAUNCH_FILE)
    return str(path)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package with one executable and a launch file."""
    prefix = tmp_path / "prefix"
    for folder in ("lib/sample", "share/sample/launch", "share/ament_index/resource_index/packages"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "share/ament_index/resource_index/packages/sample").touch()
    (prefix / "share/sample/launch/sample.launch.py").write_text(LAUNCH_FILE)
    executable = prefix / "lib/sample/sample_node"
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(prefix))
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    return prefix


def test_launch_file_runs_with_arguments(launch_file, capsys):
    assert main(["launch", launch_file, "vehicle:=city_ev"]) == 0
    assert "city_ev" in capsys.readouterr().out


def test_launch_file_of_a_package_runs(package, capsys):
    assert main(["launch", "sample", "sample.launch.py"]) == 0
    assert "sedan_ice" in capsys.readouterr().out


def test_arguments_are_shown(launch_file, capsys):
    assert main(["launch", launch_file, "--show-args"]) == 0
    output = capsys.readouterr().out
    assert "'vehicle':" in output and "name of the vehicle" in output and "(default: 'sedan_ice')" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["launch", "no_such_package", "a.launch.py"], "no_such_package"),
        (["launch", "sample", "missing.launch.py"], "file 'missing.launch.py' was not found"),
        (["launch", "sample", "sample.launch.py", "vehcle:=x"], "unknown argument 'vehcle'"),
        (["launch", "sample", "sample.launch.py", "vehicle"], "malformed launch argument 'vehicle'"),
        (["launch", "nothing"], "'nothing' is no launch file"),
        (["topic", "list"], "'ros2 topic' is not in the embedded launch subset"),
    ],
)
def test_wrong_command_lines_are_named(package, words, message, capsys):
    assert main(words) == 1
    assert message in capsys.readouterr().err


def test_what_the_subset_lacks_says_so():
    for module, name in (
        ("launch.actions", "PushLaunchConfigurations"),
        ("launch_ros.actions", "LoadComposableNodes"),
    ):
        with pytest.raises(NotInSubsetError, match=f"'{module}.{name}' is not in the embedded launch subset"):
            getattr(importlib.import_module(module), name)
    for module in ("launch.frontend", "launch_testing", "launch_ros.events"):
        with pytest.raises(NotInSubsetError, match="use an official ROS 2"):
            importlib.import_module(module)


def test_node_becomes_a_command_with_ros_arguments(package):
    context = LaunchContext()
    context.launch_configurations.update(vehicle="suv_erev", rate="20.0")
    node = Node(
        package="sample",
        executable="sample_node",
        name="fusion",
        namespace="pilot",
        parameters=[
            {
                "vehicle": LaunchConfiguration("vehicle"),
                "rate": LaunchConfiguration("rate"),
                "nested": {"flag": True},
            },
            {"seed": ParameterValue(LaunchConfiguration("rate"), value_type=str), "limits": [1.0, 2.0]},
            "/some/file.yaml",
        ],
        remappings=[("world", "world_shadow")],
        arguments=["--verbose"],
    )
    command = node._command(context)
    assert command[0] == str(package / "lib/sample/sample_node")
    assert command[1:7] == ["--verbose", "--ros-args", "-r", "__node:=fusion", "-r", "__ns:=/pilot"]
    assert command[-4:] == ["--params-file", "/some/file.yaml", "-r", "world:=world_shadow"]
    files = [command[index + 1] for index, word in enumerate(command) if word == "--params-file"]
    first, second = (yaml.safe_load(Path(path).read_text()) for path in files[:2])
    assert first == {
        "/pilot/fusion": {"ros__parameters": {"vehicle": "suv_erev", "rate": 20.0, "nested.flag": True}}
    }
    assert second["/pilot/fusion"]["ros__parameters"] == {"seed": "20.0", "limits": [1.0, 2.0]}


def test_executable_that_does_not_exist_is_named(package):
    with pytest.raises(RuntimeError, match="executable 'other_node' not found"):
        Node(package="sample", executable="other_node")._command(LaunchContext())
