"""Headings of tracks: what it takes to turn them."""

import math

import numpy as np
import pytest
from fusion_world import parameters

from pilot_fusion.looks import Looks
from pilot_fusion.track_bank import FIELDS, TrackBank


@pytest.mark.parametrize(("deviation", "heading"), [(1.0, 0.0), (0.1, 0.5 * math.pi)])
def test_only_a_plain_course_turns_a_track_across_the_road(deviation: float, heading: float) -> None:
    bank = TrackBank(parameters().motion)
    columns = {name: np.ones((1, *shape), dtype) for name, (shape, dtype) in FIELDS.items()}
    columns["state"] = np.array([[40.0, -3.0, 0.0, 3.0, 0.0, 0.0]])
    columns["covariance"] = deviation**2 * np.eye(6)[None]
    columns["heading"] = np.zeros(1)
    bank.add(**columns)
    Looks(parameters().looks, parameters().motion).follow_velocity(bank, 0.05)
    assert bank.heading[0] == pytest.approx(heading)
