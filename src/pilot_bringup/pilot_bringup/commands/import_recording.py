"""Makes something to drive of a real recording: a CommonRoad file becomes a scenario, a KITTI sequence a bag."""

import argparse
from pathlib import Path
from typing import Any

from pilot_bringup.commands.common import DEFAULT_VEHICLE
from pilot_bringup.screen import Screen
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import SensorKind, load_vehicle, vehicle_names
from pilot_evaluation.importers import Imported
from pilot_evaluation.results import fresh_folder
from pilot_simulation.scenario import FOLDER_FILE
from pilot_vehicle.feasibility import load_checked_vehicle

MARKS = (FOLDER_FILE, "metadata.yaml")  # what a former import left


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot import`, by kind of recording."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="commonroad|kitti")
    commonroad = kinds.add_parser("commonroad", help="CommonRoad XML to scenario folder")
    commonroad.add_argument("source", type=Path, metavar="FILE.xml")
    commonroad.add_argument("--problem", type=int, help="id of the planning problem (default: the first)")
    kitti = kinds.add_parser("kitti", help="KITTI tracking sequence to bag")
    kitti.add_argument("source", type=Path, metavar="DIR", help="folder of the data set")
    kitti.add_argument("--sequence", required=True, help="four digits, such as 0000")
    kitti.add_argument(
        "--vehicle", help="whose sensors stand in for KITTI's (default: the first that has a lidar)"
    )
    for kind in (commonroad, kitti):
        kind.add_argument("--out", type=Path, help="new folder (default: out/import-…)")
        kind.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Imports and says what came of it. Raises PilotError for a recording that cannot be used."""
    imported = _commonroad(options) if options.kind == "commonroad" else _kitti(options)
    facts = ", ".join(f"{key} {value}" for key, value in imported.facts.items())
    screen.verdict(f"imported {options.source}: {facts} → {imported.path}", True)
    if options.kind == "commonroad":
        screen.say(f"drive it with: ./pilot simulate --scenario {imported.path}")
    else:
        screen.say(f"replay it with: ./pilot replay {imported.path} --vehicle {options.vehicle}")
    criteria = {"imported": {"value": True, "limit": True, "pass": True}}
    return {
        "verdict": "pass",
        "criteria": criteria,
        "command": "import",
        "source": str(options.source),
        "out": str(imported.path),
        **imported.facts,
    }


def _commonroad(options: argparse.Namespace) -> Imported:
    from pilot_evaluation.importers.commonroad import import_commonroad

    return import_commonroad(options.source, _folder(options, options.source.stem), options.problem)


def _kitti(options: argparse.Namespace) -> Imported:
    from pilot_evaluation.importers.kitti import import_kitti

    config = config_folder()
    options.vehicle = options.vehicle or _with_lidar(config)
    vehicle = load_checked_vehicle(options.vehicle, config)
    folder = _folder(options, f"kitti-{options.sequence}")
    return import_kitti(options.source, options.sequence, folder, vehicle, load_graph(config))


def _with_lidar(config: Path) -> str:
    for name in vehicle_names(config):
        if load_vehicle(name, config).fitted(SensorKind.LIDAR):
            return name
    return DEFAULT_VEHICLE


def _folder(options: argparse.Namespace, name: str) -> Path:
    """The folder to write; empty and gone again, for importers make it themselves."""
    folder = (Path("out") / f"import-{name}" if options.out is None else options.out).absolute()
    fresh_folder(folder, MARKS)
    folder.rmdir()
    return folder
