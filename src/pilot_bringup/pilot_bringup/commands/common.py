"""What drive and simulate share: their options, and loading all that is checked before anything starts."""

import argparse
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pilot_bringup.screen import Screen
from pilot_common.folders import config_folder
from pilot_common.graph import Graph, load_graph
from pilot_common.vehicle import Vehicle
from pilot_evaluation.criteria import Verdict, check_criteria
from pilot_evaluation.results import REPORT, fresh_folder, write_resolved
from pilot_simulation.scenario import DEFAULT_SCENARIO, Scenario, load_scenario
from pilot_vehicle.feasibility import load_checked_vehicle

DEFAULT_VEHICLE = "sedan_ice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What shall be driven, checked. `scenario` has the wanted duration."""

    config: Path
    graph: Graph
    vehicle: Vehicle
    scenario: Scenario
    scenario_source: str  # as named by the user, with a path made absolute
    seed: int
    folder: Path

    @property
    def bag(self) -> Path:
        """Where the bag goes."""
        return self.folder / "bag"


def add_drive_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of drive and simulate."""
    parser.add_argument(
        "--vehicle", default=DEFAULT_VEHICLE, help=f"of config/vehicles/ (default {DEFAULT_VEHICLE})"
    )
    parser.add_argument(
        "--scenario", default=DEFAULT_SCENARIO, help=f"name, file or folder (default {DEFAULT_SCENARIO})"
    )
    parser.add_argument("--seconds", type=positive, help="length of the drive (default: the scenario's own)")
    parser.add_argument("--seed", type=natural, help="of everything random (default: the scenario's own)")
    parser.add_argument(
        "--out", type=Path, help="folder for the results (default: out/… with vehicle, scenario, date)"
    )


def positive(text: str) -> float:
    """A number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.5 <= value <= 36_000.0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds between 0.5 and 36000")
    return value


def natural(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 0 to {2**31 - 1}")
    return int(text)


def take_order(command: str, options: argparse.Namespace, screen: Screen) -> Order:
    """Loads and checks vehicle and scenario and makes the folder. Raises PilotError before anything starts."""
    config = config_folder()
    graph = load_graph(config)
    vehicle = load_checked_vehicle(options.vehicle, config)
    scenario = load_scenario(options.scenario, config)
    check_criteria(scenario.criteria, scenario.name)
    if options.seconds is not None:
        scenario = replace(scenario, duration=options.seconds)
    seed = scenario.seed if options.seed is None else options.seed
    folder = result_folder(command, (vehicle.name, scenario.name), options.out, screen)
    write_resolved(folder, vehicle, graph, config)
    given = Path(options.scenario)
    return Order(
        config=config,
        graph=graph,
        vehicle=vehicle,
        scenario=scenario,
        scenario_source=str(given.absolute()) if given.exists() else options.scenario,
        seed=seed,
        folder=folder,
    )


def result_folder(command: str, parts: tuple[str, ...], out: Path | None, screen: Screen) -> Path:
    """Makes the folder for results; says where a former result went."""
    name = "-".join((command, *parts, time.strftime("%Y%m%d-%H%M%S")))
    folder = (Path("out") / name if out is None else out).absolute()
    aside = fresh_folder(folder)
    if aside is not None:
        screen.say(f"the former result is now in {aside}")
    return folder


def tell_verdict(screen: Screen, verdict: Verdict, folder: Path, report: bool = True) -> None:
    """The one line that counts, and where to look."""
    where = folder / REPORT if report else folder
    screen.verdict(f"{verdict.sentence()} → {where}", verdict.passed)
