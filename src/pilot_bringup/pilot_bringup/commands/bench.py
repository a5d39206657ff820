"""Measures a room against its peers, back to back in one run."""

import argparse
import importlib
from typing import Any

from pilot_bringup.screen import Screen

# Bench: module with `add_arguments(parser)` and `run(options, tell)`, first line of help.
BENCHES = {
    "control": (
        "pilot_evaluation.bench.control",
        "tracking and CPU time of the controller beside textbook ones",
    ),
    "planning": ("pilot_evaluation.bench.planning", "planning cycle in traffic beside Frenet planners"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand a bench."""
    kinds = parser.add_subparsers(dest="bench", metavar="BENCH", required=True)
    for name, (module, text) in BENCHES.items():
        bench = importlib.import_module(module)
        kind = kinds.add_parser(name, help=text, description=bench.__doc__, allow_abbrev=False)
        kind.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="last line on standard output: one JSON object",
        )
        bench.add_arguments(kind)


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Measures, shows the tables and says whether every claim holds."""
    bench = importlib.import_module(BENCHES[options.bench][0])
    with screen.progress(f"bench {options.bench}", total=1.0) as bar:
        answer = bench.run(options, bar.to)
    for title, columns, rows in answer.pop("tables"):
        screen.table(title, columns, rows)
    for note in answer.pop("notes"):
        screen.say(note)
    failed = [one["sentence"] for one in answer["criteria"].values() if not one["pass"]]
    passed = answer["verdict"] == "pass"
    said = failed or [one["sentence"] for one in answer["criteria"].values()]
    screen.verdict(f"{'PASS' if passed else 'FAIL'}: {'; '.join(said)}", passed)
    return answer
