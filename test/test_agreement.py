"""One scenario, two worlds: separate ROS 2 processes in real time, and lockstep without middleware, end at the same place."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_evaluation.bag import BagReader

pytest.importorskip("rclpy", reason="needs ROS 2")
SECONDS = 31


def driven(command: str, scenario: str, folder: Path) -> tuple[dict, np.ndarray]:
    """What the command says, and rows of time since the start, x, y (s, m)."""
    words = [command, "--scenario", scenario, "--seconds", SECONDS, "--out", folder, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "pilot_bringup.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    with BagReader(folder / "bag", load_graph(config_folder())) as bag:
        truth = [record.message for record in bag.messages(["truth"])]
    rows = np.array([(message.stamp - truth[0].stamp, message.x, message.y) for message in truth])
    return json.loads(done.stdout.splitlines()[-1]), rows


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario",
    [
        "follow_and_stop",
        pytest.param(
            "cut_in",
            marks=pytest.mark.xfail(
                strict=False,
                reason="0.5 to 1.0 m apart: through ROS the lane is seen too short at 29 s and binds, in lockstep not",
            ),
        ),
    ],
)
def test_a_drive_through_ros_and_one_in_lockstep_are_at_the_same_place_after_30_s(scenario, tmp_path):
    through_ros, ros = driven("drive", scenario, tmp_path / "ros")
    in_lockstep, lockstep = driven("simulate", scenario, tmp_path / "lockstep")
    positions = [
        [np.interp(30.0, rows[:, 0], rows[:, column]) for column in (1, 2)] for rows in (ros, lockstep)
    ]
    apart = float(np.hypot(*np.subtract(*positions)))
    assert apart < 0.5, f"{apart:.2f} m apart after 30 s"
    for answer in (through_ros, in_lockstep):
        assert answer["criteria"]["contact"]["pass"]
