"""Recorded traffic is driven among, and who caused a contact is told."""

import sys
from dataclasses import replace
from pathlib import Path

import commonroad_samples as sample
import pytest
from real_data import real_data

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import load_vehicle
from pilot_evaluation import recorded_drives
from pilot_evaluation.importers.commonroad import import_commonroad
from pilot_evaluation.importers.kitti import import_kitti
from pilot_evaluation.measures.contact import Contact
from pilot_evaluation.recorded_drives import RecordedDrive, drive_recorded, table
from pilot_evaluation.replay import replay

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)
SEDAN = load_vehicle("sedan_ice", CONFIG)
DONE = RecordedDrive(
    name="one", seconds=3.0, contact=None, braking=1.0, mean_speed=15.0, driven=1.0, error=""
)


def test_the_ego_follows_a_recorded_car_from_the_first_moment(tmp_path: Path) -> None:
    steps = range(0, 31)
    text = sample.document(
        sample.straight(1, 0.0, length=400.0),
        sample.car(5, 55.0, 0.0, 15.0, steps),
        sample.problem(20.0, 0.0, 16.0),
    )
    file = tmp_path / "sample.xml"
    file.write_text(text, encoding="utf-8")
    (done,) = drive_recorded([file], SEDAN, CONFIG)
    assert done.clean, done.outcome()
    assert done.contact is None
    assert done.seconds == pytest.approx(3.0)
    assert done.driven > 0.9, "engaged from the start"
    assert 13.0 < done.mean_speed < 17.0


def test_a_contact_counts_only_where_the_ego_caused_it() -> None:
    behind = replace(DONE, name="two", contact=Contact(7, 1.5, False, "hit from behind"))
    caused = replace(DONE, name="three", contact=Contact(8, 2.5, True, "the ego drove into its rear"))
    broken = replace(DONE, name="four", error="holds no lanelet")
    assert [d.clean for d in (DONE, behind, caused, broken)] == [True, True, False, False]
    text = table([DONE, behind, caused, broken])
    assert "| two | 3.0 | 15.0 | 1.0 | 100 | contact at 1.5 s, not caused: hit from behind |" in text
    assert text.endswith("2 of 4 without a contact of its own making, 1 hit by others.")


def test_a_broken_file_is_an_entry_and_ends_the_command_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.xml"
    file.write_text("<commonRoad", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["recorded_drives", str(file)])
    assert recorded_drives.main() == 1
    assert "is no complete XML" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["recorded_drives", "--vehicle", "tank", str(file)])
    assert recorded_drives.main() == 2
    assert "unknown vehicle" in capsys.readouterr().err


def test_every_real_problem_can_be_imported(tmp_path: Path) -> None:
    files = sorted(real_data("commonroad").glob("*.xml"))
    assert files
    for file in files:
        imported = import_commonroad(file, tmp_path / file.stem)
        assert imported.facts["lanes"], file.name


def test_real_traffic_is_driven_among_without_a_contact_caused() -> None:
    """Three of the shorter recordings; the whole set takes a minute and a half: `python -m pilot_evaluation.recorded_drives`."""
    files = sorted(real_data("commonroad").glob("USA_US101*.xml"), key=lambda file: file.stat().st_size)[:3]
    drives = drive_recorded(files, SEDAN, CONFIG)
    assert all(done.clean for done in drives), table(drives)
    assert all(done.driven > 0.9 for done in drives)


def test_a_real_sequence_of_lidar_detections_passes_through_fusion(tmp_path: Path) -> None:
    """Cars are tracked, and the world is valid all the time."""
    folder = real_data("kitti_tracking")
    flagship = load_vehicle("flagship_ev", CONFIG)
    import_kitti(folder, "0003", tmp_path / "bag", flagship, GRAPH)
    worlds = []
    replay(
        tmp_path / "bag",
        flagship,
        CONFIG,
        listener=lambda _time, topic, message: worlds.append(message) if topic == "world" else None,
    )
    later = worlds[len(worlds) // 4 :]
    assert all(world.valid for world in later)
    assert all((world.tracks.existence > 0.5).any() for world in later)
