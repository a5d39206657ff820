"""Real recordings, where they are at hand: every problem is imported, some are driven, lidar detections pass through fusion."""

from pathlib import Path

from real_data import real_data

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.importers.commonroad import import_commonroad
from pilot_evaluation.importers.kitti import import_kitti
from pilot_evaluation.proving.case import Setting
from pilot_evaluation.proving.engine import run_group
from pilot_evaluation.proving.recorded import Recorded
from pilot_evaluation.replay import replay

CONFIG = config_folder()
GRAPH = load_graph(CONFIG)


def test_every_real_problem_can_be_imported(tmp_path: Path) -> None:
    files = sorted(real_data("commonroad").glob("*.xml"))
    assert files
    for file in files:
        imported = import_commonroad(file, tmp_path / file.stem)
        assert imported.facts["lanes"], file.name


def test_real_traffic_is_driven_among_without_a_contact_caused() -> None:
    """Two of the shortest recordings; all of them: `./pilot prove --suite recorded`."""
    folder = real_data("commonroad")
    setting = Setting(vehicle=load_vehicle("sedan_ice", CONFIG), config=CONFIG, cases_file=folder)
    suite = Recorded(CONFIG)
    shortest = sorted(
        (case for case in suite.cases(setting) if case.name.startswith("USA_US101")),
        key=lambda case: case.parameters["seconds"],
    )[:2]
    for row in run_group(suite, setting, shortest):
        assert row.measures["contact_caused"] == 0.0, row.reason
        assert row.measures["driving"] > 0.9


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
