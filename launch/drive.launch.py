"""Starts the driving functions of a vehicle, one process each: the rows of config/graph.yaml that fit it."""

from launch import LaunchDescription
from launch.actions import OpaqueFunction

from pilot_bringup.launch_logic import common_arguments, function_nodes, single_threaded


def generate_launch_description():
    return LaunchDescription(
        [*common_arguments(), *single_threaded(), OpaqueFunction(function=function_nodes)]
    )
