"""Drives one case of a suite with everything recorded: bag, report page, and its scenario as a file for `./pilot simulate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pilot_common.errors import ScenarioError
from pilot_common.graph import load_graph
from pilot_common.messages import Message
from pilot_common.schema import plain
from pilot_evaluation.bag import BagWriter
from pilot_evaluation.criteria import judge
from pilot_evaluation.digest import Digest
from pilot_evaluation.proving.case import Case, Row, Setting, Suite
from pilot_evaluation.proving.engine import run_case, seed_of
from pilot_evaluation.proving.forks import finish, leave
from pilot_evaluation.results import DriveFacts, write_resolved, write_results
from pilot_evaluation.run import Run

SCENARIO = "case.yaml"


def find_case(suites: Sequence[Suite], setting: Setting, name: str) -> tuple[Suite, Case]:
    """The case of a name in one of the suites. Raises ScenarioError."""
    for suite in suites:
        case = suite.find(setting, name)
        if case is None:
            continue
        if case.scenario is None:
            raise ScenarioError(f"case {name} is no single drive; run its suite: --suite {suite.key}")
        return suite, case
    keys = ", ".join(suite.key for suite in suites)
    raise ScenarioError(
        f"no case '{name}' in {keys} for {setting.vehicle.name}; the rows of a run have all names"
    )


def drive_case(
    suite: Suite, setting: Setting, case: Case, folder: Path, typed: str
) -> tuple[Row, dict[str, Any]]:
    """Drives the case as its suite does, approach included; returns its row and the content of summary.json."""
    scenario = case.scenario
    if scenario is None:
        raise ScenarioError(f"case {case.name} has no scenario of its own")
    graph = load_graph(setting.config)
    write_resolved(folder, setting.vehicle, graph, setting.config)
    content = {key: value for key, value in plain(scenario).items() if key not in ("name", "folder")}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None)
    (folder / SCENARIO).write_text(text, encoding="utf-8")
    run, digest = Run(setting.vehicle, graph, real_time=False), Digest(graph)
    with BagWriter(folder / "bag", graph) as bag:

        def take(now: int, topic: str, message: Message) -> None:
            run.add(topic, now, message)
            digest.add(topic, message, bag.write(topic, message, now))

        row = _drive(setting, case, take)
    row = suite.judged(row)
    facts = DriveFacts(
        command="prove",
        vehicle=setting.vehicle,
        scenario=scenario,
        seed=seed_of(setting, case.suite, case.name),
        typed=typed,
        hash=digest.hexdigest(),
    )
    return row, write_results(folder, run, judge(run, scenario.criteria), facts)


def _drive(setting: Setting, case: Case, take: Any) -> Row:
    if not case.approach:
        return run_case(setting, case, take)
    for _, fork in leave(setting, [case], take):
        return finish(setting, case, fork, take)
    raise ValueError(f"{case.name} never left its approach")
