"""The recordings in `rosbags/` are what their manifest says, and replay to one hash in any order of arrival."""

import hashlib
from pathlib import Path

import pytest
import yaml

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.bag import BagReader
from pilot_evaluation.replay import replay

FOLDER = Path(__file__).resolve().parents[1] / "rosbags"
MANIFEST = yaml.safe_load((FOLDER / "manifest.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MANIFEST)
def test_a_recording_is_what_the_manifest_says(name):
    entry = MANIFEST[name]
    (file,) = (FOLDER / name).glob("*.mcap")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256_of_mcap"]
    counts = dict.fromkeys(entry["topics"], 0)
    with BagReader(FOLDER / name, load_graph(config_folder())) as bag:
        for record in bag.messages():
            counts["/" + record.topic.lstrip("/")] += 1
    assert counts == entry["topics"]


@pytest.mark.parametrize("name", MANIFEST)
def test_a_recording_replays_to_one_hash_in_any_order_of_arrival(name):
    vehicle = load_vehicle(MANIFEST[name]["vehicle"], config_folder())
    results = [replay(FOLDER / name, vehicle, config_folder(), shuffle_seed=seed) for seed in (None, 1, 2)]
    assert len({result.hash for result in results}) == 1
    assert not results[0].damaged
    # Every message that was recorded of an output is there again.
    assert all(difference.replayed == difference.recorded for difference in results[0].differences.values())


def test_every_recording_stands_in_the_manifest():
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == set(MANIFEST)
