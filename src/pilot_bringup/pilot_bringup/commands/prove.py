"""Proves a vehicle on the proving ground: suites of cases through the whole loop, a scorecard, and every case's row.

All suites unless some are named. `--sample 200` drives so many cases of each suite, spread evenly over all of its grid:
`./pilot prove --suite r157 --vehicle sedan_ice --sample 200 --jobs 1 --json` takes a look at the UN R157 cut-ins in minutes and
names those that failed though a reference driver avoids them (`failed_cases`). `--case NAME` drives one case and writes its
report and bag. `--resume FOLDER` goes on with a run that was stopped or killed: what was driven stands in a journal there.
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pilot_bringup.commands.common import DEFAULT_VEHICLE, natural, result_folder
from pilot_bringup.screen import Screen
from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.vehicle import Vehicle
from pilot_evaluation.proving.case import FAIL, PASS, Case, Row, Setting, Suite
from pilot_evaluation.proving.engine import prove
from pilot_evaluation.proving.journal import Journal, forget
from pilot_evaluation.proving.one_case import drive_case, find_case
from pilot_evaluation.proving.rows import write_rows
from pilot_evaluation.proving.scorecard import Proof, write_scorecard
from pilot_evaluation.proving.suites import load_suites, suite_names
from pilot_evaluation.results import REPORT, versions, write_summary
from pilot_vehicle.feasibility import load_checked_vehicle

SHOWN = 12  # failed cases on the screen; the files have them all
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot prove`."""
    add = parser.add_argument
    add("--suite", action="append", help="of the proving ground, may be given again (default: all)")
    add("--vehicle", action="append", help=f"may be given again (default {DEFAULT_VEHICLE})")
    add("--jobs", type=natural, default=0, help="processes at a time (default: as many as cores)")
    add("--full", action="store_true", help="the whole grids, not the subset for CI")
    add("--sample", type=natural, help="only so many cases of each suite, spread evenly over all of them")
    add("--perfect", action="store_true", help="drive all again with perfect perception: what sensing costs")
    add(
        "--cases",
        type=Path,
        help="CSV with other values for r157, columns as in its rows; for recorded, a folder",
    )
    add("--hours", type=float, help="of driving with each vehicle (motorway)")
    add("--case", help="drive this one case and write its report and bag")
    add("--report", action="store_true", help="with --case: as ever, the report is always written")
    add("--seed", type=natural, default=1, help="of everything random (default 1)")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--out", type=Path, help="folder for the results (default: out/prove-… with suite, vehicle, date)"
    )
    place.add_argument(
        "--resume", type=Path, help="goes on with a run that was stopped, in this folder of its results"
    )


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Proves suite by suite, vehicle by vehicle; returns the summary."""
    config = config_folder()
    names = options.suite or list(suite_names(config))
    suites = load_suites(names, config)
    vehicles = [
        load_checked_vehicle(name, config) for name in dict.fromkeys(options.vehicle or [DEFAULT_VEHICLE])
    ]
    if options.cases is not None and (len(suites) != 1 or suites[0].key not in ("r157", "recorded")):
        raise PilotError("--cases gives values for r157, or recordings; say --suite r157 or --suite recorded")
    if options.hours is not None and not 0.0 < options.hours <= 1000.0:
        raise PilotError(f"--hours must lie above 0 and at most 1000, found {options.hours:g}")
    setting = Setting(
        vehicle=vehicles[0],
        config=config,
        full=options.full or options.sample is not None or options.case is not None,
        seed=options.seed,
        sample=options.sample,
        cases_file=options.cases,
        hours=options.hours,
    )
    parts = ("-".join(options.suite or ["all"]), *(vehicle.name for vehicle in vehicles))
    if options.case is not None:
        return _one_case(suites, replace(setting, perfect=options.perfect), options, screen)
    prepared = {
        vehicle.name: [
            (suite, replace(setting, vehicle=vehicle), cases)
            for suite in suites
            if (cases := suite.cases(replace(setting, vehicle=vehicle)))
        ]
        for vehicle in vehicles
    }
    if not any(prepared.values()):
        raise PilotError("there is no case to drive for this choice of suites and vehicles")
    if options.resume is None:
        folder = result_folder("prove", parts, options.out, screen)
    elif options.resume.is_dir():
        folder = options.resume.absolute()
    else:
        raise PilotError(f"--resume {options.resume}: no such folder")
    proofs, complete = _prove_all(prepared, options, folder, screen)
    return _answer(vehicles, proofs, complete, folder, options.typed, screen)


Prepared = tuple[Suite, Setting, Sequence[Case]]


def _prove_all(
    prepared: dict[str, list[Prepared]], options: argparse.Namespace, folder: Path, screen: Screen
) -> tuple[dict[str, list[Proof]], bool]:
    """Proofs by vehicle, and whether all was driven; rows are written as soon as a suite is done."""
    proofs: dict[str, list[Proof]] = {}
    for vehicle, of_vehicle in prepared.items():
        for suite, setting, cases in of_vehicle:
            rows, summary, complete = _prove(suite, setting, cases, options.jobs, folder, screen)
            perfect = None
            if options.perfect and complete:
                _, perfect, complete = _prove(
                    suite, replace(setting, perfect=True), cases, options.jobs, folder, screen
                )
            proof = Proof(suite=suite, setting=setting, rows=rows, summary=summary, perfect=perfect)
            proofs.setdefault(vehicle, []).append(proof)
            if not complete:
                return proofs, False
    forget(folder)
    return proofs, True


def _prove(
    suite: Suite, setting: Setting, cases: Sequence[Case], jobs: int, folder: Path, screen: Screen
) -> tuple[list[Row], dict[str, Any], bool]:
    started = time.perf_counter()
    words = f"{suite.key} · {setting.vehicle.name}" + (" · perfect perception" if setting.perfect else "")
    journal = Journal(folder, suite, setting)
    with screen.progress(words, len(cases)) as bar:
        rows, complete = prove(suite, setting, cases, jobs or os.cpu_count() or 1, bar.to, journal)
    summary = suite.summary(setting, rows)
    if not complete:
        summary |= {"verdict": FAIL, "sentence": f"interrupted after {len(rows)} of {len(cases)} cases"}
    summary["wall_seconds"] = round(time.perf_counter() - started, 1)
    write_rows(folder, suite, setting, rows)
    passed = summary["verdict"] == PASS
    told = f"{words}: {summary['sentence']} ({summary['wall_seconds']:.0f} s)"
    screen.verdict(f"{'PASS' if passed else 'FAIL'} {told}", passed)
    failed = summary.get("failed_cases", [])
    for line in failed[:SHOWN]:
        screen.say(f"  {line}")
    if len(failed) > SHOWN:
        screen.say(f"  … and {len(failed) - SHOWN} more")
    return rows, summary, complete


def _one_case(
    suites: Sequence[Suite], setting: Setting, options: argparse.Namespace, screen: Screen
) -> dict[str, Any]:
    suite, case = find_case(suites, setting, options.case)
    folder = result_folder("prove", (suite.key, setting.vehicle.name), options.out, screen)
    row, content = drive_case(suite, setting, case, folder, options.typed)
    content |= {"verdict": PASS if row.verdict == PASS else FAIL, "case": row.name, "reason": row.reason}
    content |= {"parameters": dict(row.parameters), "measures": dict(row.measures)}
    write_summary(folder, content)
    told = ", ".join(f"{name} {value:.3g}" for name, value in row.measures.items() if name in case.limits)
    words = row.reason or told or f"peak deceleration {row.measures['peak_deceleration']:.2f} m/s²"
    screen.verdict(f"{row.verdict.upper()} {row.name}: {words} → {folder / REPORT}", row.verdict == PASS)
    return content


def _answer(
    vehicles: Sequence[Vehicle],
    proofs: dict[str, list[Proof]],
    complete: bool,
    folder: Path,
    typed: str,
    screen: Screen,
) -> dict[str, Any]:
    every = [proof for of_vehicle in proofs.values() for proof in of_vehicle]
    passed = complete and all(proof.summary["verdict"] == PASS for proof in every)
    content: dict[str, Any] = {
        "verdict": PASS if passed else FAIL,
        "criteria": {
            f"{proof.suite.key} · {proof.setting.vehicle.name}": {
                "pass": proof.summary["verdict"] == PASS,
                "sentence": proof.summary["sentence"],
            }
            for proof in every
        },
        "complete": complete,
        "versions": versions(),
        "out": str(folder),
        "vehicles": {
            vehicle: {proof.suite.key: _summary_of(proof) for proof in of_vehicle}
            for vehicle, of_vehicle in proofs.items()
        },
    }
    if len(every) == 1:  # the numbers of one suite stand on top, where a script looks for them
        content |= {key: value for key, value in _summary_of(every[0]).items() if key not in content}
    write_summary(folder, content)
    for vehicle in vehicles:
        if vehicle.name in proofs:
            page = folder / f"scorecard-{vehicle.name}.html"
            write_scorecard(page, vehicle, proofs[vehicle.name], typed, content["versions"]["highway_pilot"])
            screen.say(f"→ {page}")
    if not complete:
        content["exit_code"] = INTERRUPTED
    return content


def _summary_of(proof: Proof) -> dict[str, Any]:
    return {**proof.summary, **({"perfect": proof.perfect} if proof.perfect else {})}
