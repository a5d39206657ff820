"""Holds a recording against rule packs: which clauses held, which did not, which were never exercised.

Ends with 1 where a clause that a source confirms, of severity violation, did not hold.
"""

import argparse
from pathlib import Path
from typing import Any

from pilot_bringup.commands.common import DEFAULT_VEHICLE
from pilot_bringup.commands.replay import bag_of, recorded_vehicle
from pilot_bringup.screen import Screen
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.rules import load_packs
from pilot_evaluation.audit import COLUMNS, audit_bag, rows, write_audit_page
from pilot_evaluation.results import versions
from pilot_vehicle.feasibility import load_checked_vehicle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot audit`."""
    parser.add_argument("bag", type=Path, help="folder of a bag or of a drive's results, .mcap or .db3")
    parser.add_argument("--rules", nargs="+", metavar="PACK", help="of config/rules/ (default: all)")
    parser.add_argument("--vehicle", help=f"default: the one it was recorded with, else {DEFAULT_VEHICLE}")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the table as an HTML page as well")


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Audits the bag; returns the verdict and what became of each clause."""
    config = config_folder()
    packs = load_packs(config, options.rules)
    bag = bag_of(options.bag)
    vehicle = load_checked_vehicle(options.vehicle or recorded_vehicle(bag) or DEFAULT_VEHICLE, config)
    with screen.progress("auditing", 1.0) as bar:
        result, notes = audit_bag(bag, vehicle, load_graph(config), packs)
        bar.to(1.0)
    for note in notes:
        screen.say(note)
    screen.table(f"Rules over {result.seconds:.1f} s of {bag.name}, {vehicle.name}", COLUMNS, rows(result))
    if options.page is not None:
        write_audit_page(options.page, result, bag.name, vehicle.name)
    screen.verdict(result.sentence(), result.passed)
    return {
        "verdict": "pass" if result.passed else "fail",
        "criteria": {
            line.clause.id: {
                "value": line.plain()["worst"],
                "limit": line.plain()["limit"],
                "pass": line.outcome != "violated",
                "gates": line.clause.gates,
            }
            for line in result.lines
        },
        "command": "audit",
        "bag": str(bag),
        "vehicle": vehicle.name,
        "rules": [pack.name for pack in packs],
        "seconds": result.seconds,
        "clauses": [line.plain() for line in result.lines],
        "notes": notes,
        "versions": versions(),
        **({"page": str(options.page)} if options.page is not None else {}),
    }
