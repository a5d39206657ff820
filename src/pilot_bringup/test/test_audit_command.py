"""`./pilot audit`: verdict, exit code, JSON and page of small bags."""

import json
from pathlib import Path

import pytest

from pilot_bringup.cli import main
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.messages import to_nanoseconds
from pilot_common.rules import load_packs
from pilot_common.types import DriveMode, DriverInput, Gear, Mode, Side, VehicleState
from pilot_evaluation.bag import BagWriter

CONFIG = config_folder()
RESTING = DriverInput(
    accelerator=0.0,
    brake=0.0,
    steering_torque=0.0,
    hands_on=True,
    eyes_on=True,
    engage=False,
    cancel=False,
    lane_change=Side.NONE,
    set_speed=30.0,
    time_gap=1.8,
)


def state(stamp: float, lateral_acceleration: float) -> VehicleState:
    return VehicleState(
        stamp=stamp,
        valid=True,
        speed=25.0,
        acceleration=0.0,
        lateral_acceleration=lateral_acceleration,
        yaw_rate=0.0,
        steering_angle=0.0,
        gear=Gear.DRIVE,
        indicator=Side.NONE,
        driver=RESTING,
    )


@pytest.fixture
def bag(tmp_path: Path):
    """Writes six seconds of driving with a lateral acceleration; returns where."""

    def written(name: str, lateral_acceleration: float) -> str:
        with BagWriter(tmp_path / name, load_graph(CONFIG)) as writer:
            for index in range(120):
                stamp = 50.0 + 0.05 * index
                mode = Mode(stamp=stamp, mode=DriveMode.ACTIVE, reason="", warning=0)
                writer.write("vehicle_state", state(stamp, lateral_acceleration), to_nanoseconds(stamp))
                writer.write("mode", mode, to_nanoseconds(stamp))
        return str(tmp_path / name)

    return written


def answer(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_bag_that_keeps_the_rules_passes_and_its_page_names_every_clause(bag, tmp_path, capsys):
    page = tmp_path / "audit.html"
    assert main(["audit", bag("good", 1.0), "--page", str(page), "--rules", "iso_11270", "--json"]) == 0
    told = answer(capsys)
    assert told["verdict"] == "pass"
    names = {clause.id for pack in load_packs(CONFIG, ["iso_11270"]) for clause in pack.clauses}
    assert {clause["id"] for clause in told["clauses"]} == names
    assert all(name in page.read_text(encoding="utf-8") for name in names)


def test_a_verified_clause_that_is_violated_ends_the_command_with_one(bag, capsys):
    bad = bag("bad", 3.5)
    assert main(["audit", bad, "--rules", "iso_11270", "--json"]) == 1
    told = answer(capsys)
    broken = [name for name, line in told["criteria"].items() if line["gates"] and not line["pass"]]
    assert broken == ["iso11270_lateral_acceleration"]
    clause = next(clause for clause in told["clauses"] if clause["id"] == broken[0])
    assert clause["worst"] == pytest.approx(3.5) and clause["limit"] == 3.0 and clause["first"] > 0.0


def test_rules_that_are_not_asked_for_do_not_count(bag, capsys):
    assert main(["audit", bag("bad", 3.5), "--rules", "un_r79", "--json"]) == 0


@pytest.mark.parametrize(
    ("words", "told"), [(["--rules", "moon"], "no rule pack 'moon'"), (["--page"], "expected one")]
)
def test_bad_input_ends_with_two_and_a_line(bag, capsys, words, told):
    assert main(["audit", bag("good", 1.0), *words]) == 2
    assert told in capsys.readouterr().err


def test_a_bag_that_is_not_there_is_bad_input(tmp_path, capsys):
    assert main(["audit", str(tmp_path / "none")]) == 2
    assert "there is no such bag" in capsys.readouterr().err
