"""The folder of a drive: complete, and never at the cost of somebody else's files."""

import json

import pytest
import yaml
from plain_run import make_run

from pilot_common.folders import config_folder
from pilot_evaluation.criteria import judge
from pilot_evaluation.results import (
    DriveFacts,
    FolderError,
    fresh_folder,
    write_resolved,
    write_results,
)
from pilot_simulation.scenario import load_scenario


def test_a_new_folder_is_made(tmp_path):
    assert fresh_folder(tmp_path / "a" / "b") is None
    assert (tmp_path / "a" / "b").is_dir()


def test_a_former_result_moves_aside_unharmed(tmp_path):
    for number in ("first", "second"):
        fresh_folder(tmp_path / "out")
        (tmp_path / "out" / "summary.json").write_text(number)
    assert fresh_folder(tmp_path / "out") == tmp_path / "out.2"
    assert (tmp_path / "out.1" / "summary.json").read_text() == "first"
    assert (tmp_path / "out.2" / "summary.json").read_text() == "second"
    assert not any((tmp_path / "out").iterdir())


def test_a_folder_of_something_else_is_refused_and_untouched(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FolderError, match="something else"):
        fresh_folder(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("words")
    with pytest.raises(FolderError):
        fresh_folder(tmp_path / "out")


def test_the_results_say_what_was_driven_with_what(tmp_path):
    config = config_folder()
    run = make_run(5.0)
    scenario = load_scenario("busy_motorway", config)
    facts = DriveFacts(
        command="simulate",
        vehicle=run.vehicle,
        scenario=scenario,
        seed=4,
        typed="./pilot simulate --seed 4",
        hash="ab" * 32,
        figures={"real_time_factor": 12.0},
    )
    verdict = judge(run, {})
    content = write_results(tmp_path, run, verdict, facts)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written == json.loads(json.dumps(content))
    assert written["verdict"] == "pass"
    assert (written["vehicle"], written["scenario"], written["seed"]) == ("sedan_ice", "busy_motorway", 4)
    assert written["real_time_factor"] == 12.0
    page = (tmp_path / "report.html").read_text()
    assert "./pilot simulate --seed 4" in page and "ab" * 32 in page


def test_the_resolved_vehicle_holds_every_parameter_of_its_functions(tmp_path):
    config = config_folder()
    run = make_run(0.1)
    write_resolved(tmp_path, run.vehicle, run.graph, config)
    content = yaml.safe_load((tmp_path / "resolved_vehicle.yaml").read_text())
    assert content["vehicle"]["name"] == "sedan_ice"
    assert set(content["parameters"]) == {function.name for function in run.graph.fitted(run.vehicle)}
