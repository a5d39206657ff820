"""Starts the driving functions with the simulated car, road and traffic around them, in real time."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from pilot_bringup.launch_logic import checked_simulation, common_arguments, simulation_node


def generate_launch_description():
    drive = PathJoinSubstitution([FindPackageShare("pilot_bringup"), "launch", "drive.launch.py"])
    return LaunchDescription(
        [
            *common_arguments(),
            DeclareLaunchArgument("scenario", default_value="busy_motorway", description="name or file"),
            DeclareLaunchArgument("seed", default_value="", description="empty: the scenario's own"),
            DeclareLaunchArgument("seconds", default_value="", description="empty: the scenario's own"),
            # What is refused, here and by the functions, ends the launch before any process starts.
            OpaqueFunction(function=checked_simulation),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(drive)),
            OpaqueFunction(function=simulation_node),
        ]
    )
