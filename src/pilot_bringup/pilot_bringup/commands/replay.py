"""Feeds a bag's inputs through the functions again: the hash of all outputs, and how they differ from the recorded ones."""

import argparse
from pathlib import Path
from typing import Any

import yaml

from pilot_bringup.commands.common import DEFAULT_VEHICLE, natural, result_folder
from pilot_bringup.screen import Screen
from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_evaluation.replay import ReplayResult, replay
from pilot_evaluation.results import RESOLVED, versions, write_resolved, write_summary
from pilot_evaluation.shadow import ShadowLog
from pilot_evaluation.shadow_page import write_shadow_page
from pilot_vehicle.feasibility import load_checked_vehicle

SHADOW_PAGE = "shadow.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot replay`."""
    parser.add_argument("bag", type=Path, help="folder of a bag or of a drive's results, .mcap or .db3")
    parser.add_argument("--vehicle", help=f"default: the one it was recorded with, else {DEFAULT_VEHICLE}")
    parser.add_argument("--out", type=Path, help="folder for the results (default: out/replay-…)")
    parser.add_argument(
        "--shuffle", type=natural, metavar="SEED", help="random order of arrival within the tolerance"
    )


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Replays and compares; returns the summary. A truncated bag is replayed as far as it goes and ends with code 2."""
    config = config_folder()
    options.bag = bag_of(options.bag)
    recorded = recorded_vehicle(options.bag)
    vehicle = load_checked_vehicle(options.vehicle or recorded or DEFAULT_VEHICLE, config)
    if recorded not in (None, vehicle.name):
        screen.say(f"recorded with {recorded}, replayed with {vehicle.name}: outputs will differ")
    folder = result_folder("replay", (vehicle.name, options.bag.stem), options.out, screen)
    log = ShadowLog()
    try:
        with screen.progress("replaying", 1.0) as bar:
            result = replay(
                options.bag,
                vehicle,
                config,
                shuffle_seed=options.shuffle,
                out=folder / "bag",
                progress=bar.to,
                listener=log,
            )
    except PilotError:
        if not any(folder.iterdir()):
            folder.rmdir()  # a bag that could not be read leaves no empty folder behind
        raise
    write_resolved(folder, vehicle, load_graph(config), config)
    content = _summary(options, result, vehicle.name, folder)
    if result.foreign:
        content["page"] = str(folder / SHADOW_PAGE)
        content["shadow"] = write_shadow_page(folder / SHADOW_PAGE, log, result, options.bag, vehicle, config)
    write_summary(folder, content)
    _tell(screen, result, folder)
    return content


def bag_of(path: Path) -> Path:
    """The bag in a drive's result folder, for a path to that folder; any other path as it is."""
    inside = path / "bag"
    return inside if (path / RESOLVED).exists() and inside.is_dir() else path


def recorded_vehicle(bag: Path) -> str | None:
    """The vehicle of the result folder a bag lies in, None where it lies in none."""
    for folder in (bag.parent, bag.parent.parent):
        try:
            return str(yaml.safe_load((folder / RESOLVED).read_text(encoding="utf-8"))["vehicle"]["name"])
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue
    return None


def _summary(options: argparse.Namespace, result: ReplayResult, vehicle: str, folder: Path) -> dict[str, Any]:
    outputs, complete = sum(result.outputs.values()), not result.damaged
    criteria: dict[str, dict[str, Any]] = {
        "outputs": {"value": outputs, "limit": 1, "pass": outputs >= 1},
        "complete": {"value": complete, "limit": True, "pass": complete},
    }
    return {
        "verdict": "pass" if all(c["pass"] for c in criteria.values()) else "fail",
        "criteria": criteria,
        "command": "replay",
        "bag": str(options.bag),
        "vehicle": vehicle,
        "shuffle": options.shuffle,
        **result.plain(),
        "versions": versions(),
        "out": str(folder),
        **({} if complete else {"exit_code": PilotError.exit_code}),
    }


def _tell(screen: Screen, result: ReplayResult, folder: Path) -> None:
    for note in result.notes:
        screen.say(note)
    for topic, difference in result.differences.items():
        screen.say(f"  {topic}: {difference.sentence()}")
    compared = "identical to what was recorded" if result.identical else "compared above"
    what = compared if result.differences else "nothing was recorded to compare with"
    outputs = sum(result.outputs.values())
    screen.say(f"{outputs} outputs in {result.seconds:.1f} s of recording, {what} → {folder}")
    if result.foreign:
        screen.say(f"{result.foreign}; what we wanted beside what it did: {folder / SHADOW_PAGE}")
    whole = "" if not result.damaged else ", of a damaged recording, as far as it goes"
    screen.verdict(f"hash {result.hash}{whole}", not result.damaged)
