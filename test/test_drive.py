"""`./pilot drive` as a newcomer runs it: processes, bag, page, verdict; and with a process killed on the way."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2")

# A test machine may be busy with other things; how late the processes were is measured and told, but is not tested here.
TIMING = {"sensor_to_actuation_age", "control_deadline"}


def failed(answer):
    """The criteria that do not hold, by name, but for those of timing."""
    criteria = answer["criteria"].items()
    return {name: criterion for name, criterion in criteria if not criterion["pass"] and name not in TIMING}


def drive(folder, *words):
    """Exit code and JSON answer of a drive."""
    done = subprocess.run(
        [sys.executable, "-m", "pilot_bringup.cli", "drive", *words, "--out", str(folder), "--json"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_drive_leaves_a_bag_a_page_a_summary_and_the_vehicle_as_resolved(tmp_path):
    folder = tmp_path / "drive"
    code, answer = drive(folder, "--vehicle", "city_ev", "--seconds", "15")
    assert code == {"pass": 0, "fail": 1}[answer["verdict"]]
    assert not failed(answer)
    assert answer.items() >= json.loads((folder / "summary.json").read_text()).items()
    assert "<canvas" in (folder / "report.html").read_text(encoding="utf-8")
    assert "city_ev" in (folder / "resolved_vehicle.yaml").read_text(encoding="utf-8")
    assert list((folder / "bag").glob("*.mcap"))


@pytest.mark.slow
def test_a_car_whose_planner_is_killed_stops_in_its_lane(tmp_path):
    code, answer = drive(tmp_path / "drive", "--scenario", "planning_killed", "--seconds", "30")
    criteria = answer["criteria"]
    assert criteria["stopped_in_lane"]["value"] == 1.0, criteria["stopped_in_lane"]
    assert criteria["minimum_risk"]["value"] >= 1.0
    assert criteria["lateral_error_95"]["value"] < 0.3
    assert code in (0, 1)
    assert not failed(answer)
