"""Headings of tracks: what it takes to turn them."""

import math

import numpy as np
import pytest
from fusion_world import parameters

from pilot_common.compiled import as_record
from pilot_fusion.looks import follow_velocity
from pilot_fusion.track_bank import TRACK, TrackBank


@pytest.mark.parametrize(("deviation", "heading"), [(1.0, 0.0), (0.1, 0.5 * math.pi)])
def test_only_a_plain_course_turns_a_track_across_the_road(deviation: float, heading: float) -> None:
    bank = TrackBank(parameters().motion)
    track = np.ones(1, TRACK)
    track["state"] = (40.0, -3.0, 0.0, 3.0, 0.0, 0.0)
    track["covariance"] = deviation**2 * np.eye(6)
    track["heading"] = 0.0
    bank.add(track)
    follow_velocity(bank.tracks, 0.05, as_record(parameters().motion))
    assert bank.tracks["heading"][0] == pytest.approx(heading)
