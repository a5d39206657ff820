"""The measures that hold a drive against its ledger: a true drive passes, a doctored one does not."""

from dataclasses import replace

import numpy as np
import pytest

from pilot_common.folders import config_folder
from pilot_common.types import Plan
from pilot_evaluation.measures.ledger import ledger_error, unexplained_changes
from pilot_evaluation.run import Run
from pilot_simulation.lockstep import drive
from pilot_simulation.scenario import load_scenario
from pilot_vehicle.feasibility import load_checked_vehicle


@pytest.fixture(scope="module")
def driven() -> Run:
    """Fifteen seconds of a cut-in through the whole loop."""
    config = config_folder()
    vehicle = load_checked_vehicle("sedan_ice", config)
    from pilot_common.graph import load_graph

    run = Run(vehicle, load_graph(config), real_time=False)

    def keep(time: int, topic: str, message: object) -> None:
        if topic in ("truth", "plan"):
            run.add(topic, time, message)

    drive(vehicle, load_scenario("cut_in", config), config, keep, seconds=15.0)
    return run


def with_plans(run: Run, change: dict[int, Plan]) -> Run:
    """The same run with some plans replaced."""
    other = Run(run.vehicle, run.graph, real_time=False)
    for topic in ("truth", "plan"):
        for index, message in enumerate(run.messages(topic)):
            other.add(topic, 0, change.get(index, message) if topic == "plan" else message)
    return other


def test_a_true_drive_follows_from_its_ledger(driven):
    assert ledger_error(driven).value <= 1e-6
    assert unexplained_changes(driven).value == 0.0


def test_a_command_that_its_entry_does_not_give_is_found(driven):
    plans = driven.messages("plan")
    index = len(plans) // 2
    trajectory = plans[index].trajectory
    acceleration = trajectory.acceleration.copy()
    acceleration[0] -= 0.5
    wrong = replace(plans[index], trajectory=replace(trajectory, acceleration=acceleration))
    run = with_plans(driven, {index: wrong})
    assert ledger_error(run).value == pytest.approx(0.5)
    assert unexplained_changes(run).value >= 1.0


def test_a_path_that_jumps_without_an_entry_is_found(driven):
    plans = driven.messages("plan")
    index = len(plans) // 2
    run = with_plans(driven, {index: replace(plans[index], path=plans[index].path + np.array((0.0, 0.4)))})
    assert unexplained_changes(run).value == 2.0  # there and back
