"""What a drive leaves in its folder: summary.json, report.html and the resolved vehicle, beside the bag."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.errors import PilotError
from pilot_common.graph import Graph
from pilot_common.runner import core_class
from pilot_common.vehicle import Vehicle, load_parameters, resolved_yaml
from pilot_evaluation.criteria import Verdict
from pilot_evaluation.report import ReportHeader, write_report
from pilot_evaluation.run import Run
from pilot_simulation.scenario import Scenario
from pilot_simulation.simulation import scenario_road

SUMMARY, REPORT, RESOLVED = "summary.json", "report.html", "resolved_vehicle.yaml"


class FolderError(PilotError):
    """The folder for results cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveFacts:
    """What is known of a drive besides its messages. `figures` are further numbers for the summary, SI."""

    command: str
    vehicle: Vehicle
    scenario: Scenario
    seed: int
    typed: str
    hash: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def fresh_folder(folder: Path, marks: tuple[str, ...] = (SUMMARY, RESOLVED)) -> Path | None:
    """Makes an empty folder. A former result in its place (a folder with one of `marks`) moves aside; returns where to.

    Raises FolderError where the place is taken by anything else: nothing of somebody's is ever overwritten.
    """
    aside = None
    try:
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            if not any((folder / mark).is_file() for mark in marks):
                raise FolderError(
                    f"{folder}: exists and holds something else than a former result; name a new folder"
                )
            aside = next(
                place
                for n in range(1, 10_000)
                if not (place := folder.with_name(f"{folder.name}.{n}")).exists()
            )
            folder.rename(aside)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(f"{folder}: cannot be made: {error.strerror}") from None
    return aside


def write_resolved(folder: Path, vehicle: Vehicle, graph: Graph, config: Path) -> None:
    """Writes the vehicle with all parameters of its functions, as they act. Raises ConfigError for a bad one."""
    parameters = {
        function.name: load_parameters(core_class(function).Parameters, function.name, vehicle, config)
        for function in graph.fitted(vehicle)
    }
    (folder / RESOLVED).write_text(resolved_yaml(vehicle, parameters), encoding="utf-8")


def summary(run: Run, verdict: Verdict, facts: DriveFacts, folder: Path) -> dict[str, Any]:
    """The content of summary.json: verdict, criteria, and what was driven with what. SI units."""
    return {
        "verdict": verdict.word,
        "criteria": verdict.plain(),
        "command": facts.command,
        "vehicle": facts.vehicle.name,
        "scenario": facts.scenario.name,
        "seed": facts.seed,
        "seconds": run.duration,
        **facts.figures,
        **({"hash": facts.hash} if facts.hash else {}),
        "notes": list(run.notes),
        "versions": versions(),
        "out": str(folder),
    }


def write_results(
    folder: Path, run: Run, verdict: Verdict, facts: DriveFacts, report: bool = True
) -> dict[str, Any]:
    """Writes summary.json and, if wanted, report.html; returns the summary. Raises BagError for a run without any position."""
    content = summary(run, verdict, facts, folder)
    write_summary(folder, content)
    if report:
        header = ReportHeader(
            title=facts.scenario.title,
            scenario=facts.scenario.name,
            command=facts.typed,
            version=versions()["highway_pilot"],
            seed=facts.seed,
            hash=facts.hash,
            facts=_told(facts.figures),
            road=scenario_road(facts.vehicle, facts.scenario),
        )
        write_report(folder / REPORT, run, verdict, header)
    return content


def write_summary(folder: Path, content: Mapping[str, Any]) -> None:
    """Writes summary.json."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=plain_number)
    (folder / SUMMARY).write_text(text + "\n", encoding="utf-8")


def plain_number(value: Any) -> Any:
    """A numpy scalar as JSON takes it."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON")


def versions() -> dict[str, str]:
    """What the results were made with."""
    try:
        own = version("pilot_evaluation")
    except PackageNotFoundError:
        own = "unknown"
    return {"highway_pilot": own, "python": platform.python_version(), "numpy": np.__version__}


def _told(figures: Mapping[str, float]) -> dict[str, str]:
    told = {}
    if "real_time_factor" in figures:
        told["Speed"] = f"{figures['real_time_factor']:.1f} × real time"
    return told
