"""The launch files with the real nodes; runs with the embedded launch subset and with the official packages."""

import os
import signal
import subprocess
import time
from pathlib import Path

import launch_pytest
import pytest
import rclpy
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_pytest.actions import ReadyToTest
from launch_ros.substitutions import FindPackageShare
from rclpy.qos import qos_profile_sensor_data

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import load_vehicle
from pilot_msgs.msg import Health

VEHICLE = "sedan_ice"
START_SECONDS = 30.0  # for all nodes on two loaded cores


def launch_file(name, **arguments):
    """Return the action that includes one of our launch files."""
    path = PathJoinSubstitution([FindPackageShare("pilot_bringup"), "launch", name])
    return IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=arguments.items())


def functions():
    """Return the functions of the graph that run on the vehicle."""
    return load_graph(config_folder()).fitted(load_vehicle(VEHICLE, config_folder()))


@launch_pytest.fixture
def drive():
    """Launch the driving functions alone."""
    return LaunchDescription([launch_file("drive.launch.py", vehicle=VEHICLE), ReadyToTest()])


@pytest.fixture
def health():
    """Return a function that waits for a health report of every named function, from now on."""
    rclpy.init()
    node = rclpy.create_node("launch_test")
    heard = {}

    def listen(name):
        heard[name] = 0

        def count(message):
            heard[name] += 1

        node.create_subscription(Health, f"health/{name}", count, qos_profile_sensor_data)

    def wait(names, seconds=START_SECONDS):
        heard.update(dict.fromkeys(heard, 0))
        end = time.monotonic() + seconds
        while not all(heard[name] for name in names) and time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
        return sorted(name for name in names if not heard[name])

    for function in functions():
        listen(function.name)
    yield wait
    node.destroy_node()
    rclpy.shutdown()


@pytest.mark.launch(fixture=drive)
def test_every_function_that_fits_the_vehicle_reports_its_health(health):
    assert health([function.name for function in functions()]) == []


@pytest.mark.launch(fixture=drive)
def test_killed_function_comes_back(health):
    assert health(["fusion"]) == []
    for process in node_processes("fusion_node"):
        os.kill(process, signal.SIGKILL)
    time.sleep(0.3)  # what it said before is on its way
    assert health(["fusion"]) == []


def node_processes(executable):
    """Return the processes of a node in our domain."""
    domain = f"ROS_DOMAIN_ID={os.environ['ROS_DOMAIN_ID']}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                command = Path("/proc", entry, "cmdline").read_bytes()
                environment = Path("/proc", entry, "environ").read_bytes()
            except OSError:
                continue
            if f"/{executable}".encode() in command and domain in environment.split(b"\0"):
                found.append(int(entry))
    return found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["drive.launch.py", "vehicle:=tank"], "tank: unknown vehicle"),
        (["simulate.launch.py", "scenario:=nowhere"], "no scenario 'nowhere'"),
        (["simulate.launch.py", "seconds:=long"], "'long' is no float"),
        (["replay.launch.py", "bag:=/no/such/bag"], "/no/such/bag: no such bag"),
    ],
)
def test_bad_configuration_refuses_before_any_process_starts(words, message):
    result = subprocess.run(
        ["ros2", "launch", "pilot_bringup", *words], capture_output=True, text=True, timeout=60, check=False
    )
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert message in output
    assert "process started" not in output
    assert "Traceback" not in output


def test_simulation_ends_by_itself_and_leaves_a_bag(tmp_path):
    words = ["simulate.launch.py", f"vehicle:={VEHICLE}", "seconds:=4", f"record:={tmp_path}/bag"]
    result = subprocess.run(
        ["ros2", "launch", "pilot_bringup", *words], capture_output=True, text=True, timeout=90, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "bag" / "metadata.yaml").exists()
    assert list((tmp_path / "bag").glob("*.mcap"))
