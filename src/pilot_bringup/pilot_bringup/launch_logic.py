"""What the three launch files do: check everything first, then name the nodes to start.

Only the official `launch` and `launch_ros` API, so that the launch files run with any sourced ROS 2.
"""

import re
import signal
from pathlib import Path

from launch import Action, LaunchContext
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    RegisterEventHandler,
    SetEnvironmentVariable,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessIO
from launch.events.process import ProcessIO, SignalProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from pilot_bringup.launch_process import DRIVES
from pilot_common.errors import BagError, ConfigError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.runner import core_class
from pilot_common.vehicle import Vehicle, load_parameters
from pilot_simulation.scenario import Fault, FaultKind, Scenario, load_scenario
from pilot_vehicle.feasibility import load_checked_vehicle

RESPAWN_DELAY = 0.5  # s; long enough for supervision to see that a function was gone
RECORDER_PATIENCE = 15.0  # s between SIGINT and SIGTERM: the recorder finishes its bag first
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def common_arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments of every launch file."""
    return [
        DeclareLaunchArgument("vehicle", default_value="sedan_ice", description="folder in config/vehicles/"),
        DeclareLaunchArgument(
            "record", default_value="", description="folder of a new bag; empty: no recording"
        ),
        DeclareLaunchArgument(
            "respawn", default_value="true", description="start a function again that ended"
        ),
    ]


def single_threaded() -> list[SetEnvironmentVariable]:
    """Return actions that keep numeric libraries to one thread a process: many processes share few cores."""
    return [SetEnvironmentVariable(name, "1") for name in THREAD_VARIABLES]


def value(context: LaunchContext, name: str) -> str:
    """Return the value of a launch argument."""
    return LaunchConfiguration(name).perform(context)


def checked_vehicle(context: LaunchContext) -> Vehicle:
    """Return the vehicle after all that its functions read was loaded once. Raises ConfigError before anything starts."""
    config = config_folder()
    vehicle = load_checked_vehicle(value(context, "vehicle"), config)
    for function in load_graph(config).fitted(vehicle):
        load_parameters(core_class(function).Parameters, function.name, vehicle, config)
    return vehicle


def function_nodes(context: LaunchContext) -> list[Node]:
    """Return one node for every function of the graph that fits the vehicle, and the recorder where one is wanted."""
    vehicle = checked_vehicle(context)
    respawn = value(context, "respawn") == "true"
    nodes = [
        pilot_node(
            context, function.package, function.executable, {}, respawn=respawn, respawn_delay=RESPAWN_DELAY
        )
        for function in load_graph(config_folder()).fitted(vehicle)
    ]
    return nodes + recorder(context)


def recorder(context: LaunchContext) -> list[Node]:
    """Return the recorder for `record:=FOLDER`, or nothing. Raises ConfigError for a folder that is taken."""
    folder = value(context, "record")
    if not folder:
        return []
    if Path(folder).exists():
        raise ConfigError(folder, "record", "exists already; name a new folder for the bag")
    parameters = {"folder": str(Path(folder).absolute())}
    return [
        pilot_node(
            context, "pilot_evaluation", "recorder_node", parameters, sigterm_timeout=str(RECORDER_PATIENCE)
        )
    ]


def checked_simulation(context: LaunchContext) -> None:
    """Look at what `simulation_node` reads. Raises PilotError, to be called before any process starts.

    An exception between two nodes would leave those before it without a launch that ends them.
    """
    _simulation_parameters(context, load_scenario(value(context, "scenario"), config_folder()))


def _simulation_parameters(context: LaunchContext, scenario: Scenario) -> dict:
    return {
        "scenario": located(value(context, "scenario")),
        "seed": number(context, "seed", int, scenario.seed),
        "seconds": number(context, "seconds", float, scenario.duration),
        "recorded": bool(value(context, "record")),
    }


def simulation_node(context: LaunchContext) -> list[Action]:
    """Return the simulation, and the faults of its scenario that kill a process."""
    scenario = load_scenario(value(context, "scenario"), config_folder())
    parameters = _simulation_parameters(context, scenario)
    node = leading_node(context, "pilot_simulation", "simulation_node", parameters)
    kills = [fault for fault in scenario.faults if fault.kind is FaultKind.FUNCTION_KILLED]
    return [*([when_it_drives(node, [kill(fault) for fault in kills])] if kills else []), node]


def checked_bag(context: LaunchContext) -> None:
    """Look for the bag before any process starts. Raises BagError where there is none."""
    bag = Path(value(context, "bag"))
    if not bag.exists():
        raise BagError(f"{bag}: no such bag")


def player_node(context: LaunchContext) -> list[Action]:
    """Return the player of a bag."""
    bag = Path(value(context, "bag"))
    return [leading_node(context, "pilot_evaluation", "player_node", {"bag": str(bag.absolute())})]


def when_it_drives(simulation: Node, actions: list[Action]) -> RegisterEventHandler:
    """Return what lets actions begin once the drive does: the processes before it take as long as the machine needs."""
    waiting = list(actions)

    def heard(event: ProcessIO) -> list[Action] | None:
        if not waiting or not re.search(DRIVES, event.text.decode(errors="replace")):
            return None
        begun = list(waiting)
        waiting.clear()
        return begun

    return RegisterEventHandler(OnProcessIO(target_action=simulation, on_stdout=heard, on_stderr=heard))


def kill(fault: Fault) -> TimerAction:
    """Return the action that kills a function's process at the time of the fault, as a crash would."""

    def matches(action: Action) -> bool:
        return getattr(action, "node_executable", None) == f"{fault.function}_node"

    signal_process = SignalProcess(signal_number=signal.SIGKILL, process_matcher=matches)
    return TimerAction(period=fault.time, actions=[EmitEvent(event=signal_process)])


def leading_node(context: LaunchContext, package: str, executable: str, parameters: dict) -> Node:
    """Return a node whose end ends the launch: the simulation or the player."""
    reason = f"{executable} ended"
    return pilot_node(context, package, executable, parameters, on_exit=Shutdown(reason=reason))


def pilot_node(
    context: LaunchContext, package: str, executable: str, parameters: dict, **options: object
) -> Node:
    """Return one of our nodes, named like its executable, with the vehicle as parameter."""
    return Node(
        package=package,
        executable=executable,
        name=executable,
        parameters=[{"vehicle": value(context, "vehicle"), **parameters}],
        output="both",
        **options,
    )


def number(context: LaunchContext, name: str, kind: type, default: float) -> float:
    """Return a launch argument as a number, the default where it is empty. Raises ConfigError."""
    text = value(context, name)
    try:
        return kind(text) if text else default
    except ValueError:
        raise ConfigError("launch argument", name, f"'{text}' is no {kind.__name__}") from None


def located(name_or_path: str) -> str:
    """Return a path as absolute, for the working directory of a node need not be ours; a name stays."""
    return str(Path(name_or_path).absolute()) if Path(name_or_path).exists() else name_or_path
