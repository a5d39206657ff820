"""Plays the sensor topics of a bag in real time into the driving functions."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from pilot_bringup.launch_logic import checked_bag, common_arguments, player_node


def generate_launch_description():
    drive = PathJoinSubstitution([FindPackageShare("pilot_bringup"), "launch", "drive.launch.py"])
    return LaunchDescription(
        [
            *common_arguments(),
            DeclareLaunchArgument("bag", description="folder of the bag"),
            # What is refused, here and by the functions, ends the launch before any process starts.
            OpaqueFunction(function=checked_bag),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(drive)),
            OpaqueFunction(function=player_node),
        ]
    )
