"""Proves a vehicle on the proving ground: suites of cases through the whole loop, a scorecard, and every case's row.

All suites unless some are named. `--sample 200` drives so many cases of each suite, spread evenly over all of its grid:
`./pilot prove --suite r157 --vehicle sedan_ice --sample 200 --jobs 1 --json` takes a look at the UN R157 cut-ins in minutes and
names those that failed though a reference driver avoids them (`failed_cases`). `--case NAME` drives one case and writes its
report and bag.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from pilot_bringup.commands.common import DEFAULT_VEHICLE, natural, result_folder
from pilot_bringup.screen import Screen
from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_evaluation.proving.case import PASS, Row, Setting, Suite
from pilot_evaluation.proving.engine import prove
from pilot_evaluation.proving.rows import write_rows
from pilot_evaluation.proving.suites import load_suites, suite_names
from pilot_evaluation.results import versions, write_summary
from pilot_vehicle.feasibility import load_checked_vehicle

SHOWN = 12  # failed cases on the screen; the files have them all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot prove`."""
    add = parser.add_argument
    add("--suite", action="append", help="of the proving ground, may be given again (default: all)")
    add("--vehicle", action="append", help=f"may be given again (default {DEFAULT_VEHICLE})")
    add("--jobs", type=natural, default=0, help="processes at a time (default: as many as cores)")
    add("--full", action="store_true", help="the whole grids, not the subset for CI")
    add("--sample", type=natural, help="only so many cases of each suite, spread evenly over all of them")
    add(
        "--perfect",
        action="store_true",
        help="drive everything again with perfect perception: what sensing costs",
    )
    add("--cases", type=Path, help="CSV with other values of the parameters, columns as in the suite's rows")
    add("--seed", type=natural, default=1, help="of everything random (default 1)")
    add("--out", type=Path, help="folder for the results (default: out/prove-… with suite, vehicle, date)")


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Proves suite by suite, vehicle by vehicle; returns the summary."""
    config = config_folder()
    names = options.suite or list(suite_names(config))
    suites = load_suites(names, config)
    vehicles = [
        load_checked_vehicle(name, config) for name in dict.fromkeys(options.vehicle or [DEFAULT_VEHICLE])
    ]
    settings = [
        Setting(
            vehicle=vehicle,
            config=config,
            full=options.full or options.sample is not None,
            seed=options.seed,
            sample=options.sample,
            cases_file=options.cases,
        )
        for vehicle in vehicles
    ]
    prepared = [(suite, setting, suite.cases(setting)) for setting in settings for suite in suites]
    if not any(cases for _, _, cases in prepared):
        raise PilotError("there is no case to drive for this choice of suites and vehicles")
    jobs = options.jobs or os.cpu_count() or 1
    parts = ("-".join(names) if options.suite else "all", *(vehicle.name for vehicle in vehicles))
    folder = result_folder("prove", parts, options.out, screen)
    summaries: dict[str, dict[str, Any]] = {}
    complete = True
    for suite, setting, cases in prepared:
        if not cases:
            continue
        rows, summary, complete = _prove(suite, setting, cases, jobs, screen)
        write_rows(folder, suite, setting, rows)
        summaries.setdefault(setting.vehicle.name, {})[suite.key] = summary
        _tell(suite, setting, summary, screen)
        if not complete:
            break
    return _answer(folder, summaries, complete, screen)


def _prove(
    suite: Suite, setting: Setting, cases: Any, jobs: int, screen: Screen
) -> tuple[list[Row], dict[str, Any], bool]:
    wall = time.perf_counter()
    with screen.progress(f"{suite.key} · {setting.vehicle.name}", len(cases)) as bar:
        rows, complete = prove(suite, setting, cases, jobs, bar.to)
    summary = suite.summary(setting, rows)
    summary["wall_seconds"] = round(time.perf_counter() - wall, 1)
    return rows, summary, complete


def _tell(suite: Suite, setting: Setting, summary: dict[str, Any], screen: Screen) -> None:
    word = summary["verdict"].upper()
    screen.verdict(
        f"{word} {suite.key} · {setting.vehicle.name}: {summary['sentence']} ({summary['wall_seconds']:.0f} s)",
        summary["verdict"] == PASS,
    )
    failed = summary.get("failed_cases", [])
    for line in failed[:SHOWN]:
        screen.say(f"  {line}")
    if len(failed) > SHOWN:
        screen.say(f"  … and {len(failed) - SHOWN} more")


def _answer(
    folder: Path, summaries: dict[str, dict[str, Any]], complete: bool, screen: Screen
) -> dict[str, Any]:
    every = [summary for of_vehicle in summaries.values() for summary in of_vehicle.values()]
    passed = complete and bool(every) and all(summary["verdict"] == PASS for summary in every)
    content: dict[str, Any] = {
        "verdict": PASS if passed else "fail",
        "criteria": {
            f"{suite} · {vehicle}": {"pass": summary["verdict"] == PASS, "sentence": summary["sentence"]}
            for vehicle, of_vehicle in summaries.items()
            for suite, summary in of_vehicle.items()
        },
        "complete": complete,
        "versions": versions(),
        "out": str(folder),
        "vehicles": summaries,
    }
    if len(every) == 1:  # the numbers of one suite stand on top, where a script looks for them
        content |= {key: value for key, value in every[0].items() if key not in content}
    write_summary(folder, content)
    if not complete:
        screen.verdict(f"interrupted; what was done is in {folder}", False)
        content["exit_code"] = 130
    else:
        screen.say(f"→ {folder}")
    return content
