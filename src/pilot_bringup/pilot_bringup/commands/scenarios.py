"""Lists the scenarios that come with Highway Pilot."""

import argparse
from typing import Any

from pilot_bringup.screen import Screen
from pilot_common.folders import config_folder
from pilot_evaluation.criteria import check_criteria
from pilot_simulation.scenario import DEFAULT_SCENARIO, Scenario, load_scenario, scenario_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No further options."""


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Prints the table. Raises PilotError for a scenario whose file is wrong."""
    config = config_folder()
    scenarios = [load_scenario(name, config) for name in scenario_names(config)]
    for scenario in scenarios:
        check_criteria(scenario.criteria, scenario.name)
    screen.table(
        "Scenarios", ("name", "title", "length", "others", "judged by"), [_row(s) for s in scenarios]
    )
    listed = [
        {"name": s.name, "title": s.title, "duration": s.duration, "seed": s.seed, "criteria": s.criteria}
        for s in scenarios
    ]
    return {"verdict": "pass", "criteria": {}, "scenarios": listed, "default": DEFAULT_SCENARIO}


def _row(scenario: Scenario) -> tuple[str, ...]:
    others = []
    if scenario.traffic is not None:
        others.append("traffic")
    if scenario.actors:
        others.append(f"{len(scenario.actors)} scripted")
    if scenario.recording is not None:
        others.append("recorded")
    name = f"{scenario.name} (default)" if scenario.name == DEFAULT_SCENARIO else scenario.name
    return (
        name,
        scenario.title,
        f"{scenario.duration:g} s",
        ", ".join(others) or "none",
        ", ".join(scenario.criteria) or "defaults",
    )
