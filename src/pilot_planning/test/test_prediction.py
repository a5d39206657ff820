"""Who keeps his lane and who comes on into our path."""

import numpy as np
import pytest
from motorway import Motorway, Other, planner, replace_tracks

from pilot_planning.highway.prediction import LateralMemory, comings
from pilot_planning.highway.road import pose_of, see_road
from pilot_planning.highway.traffic import see_traffic

P = planner()._p
HALF = 0.92


def look(others, error: float = 0.2, change: float = 0.0):
    """Comings of others beside the ego in the middle lane, with an error of their lateral speed."""
    motorway = Motorway(others=others)
    world = motorway.world()
    covariance = np.tile(np.diag((0.02, 0.02, 0.1, error**2)), (len(others), 1, 1))
    world = replace_tracks(world, covariance=covariance)
    road = see_road(world, pose_of(world.ego), None, 2.0)
    traffic = see_traffic(world.tracks, road, P.relevance)
    clearance = np.abs(traffic.offset) - traffic.half_width - HALF
    side = np.sign(traffic.offset)
    return comings(traffic, road, traffic.offset, clearance, -side * change, P.contingency)


def beside(rate: float, offset: float = 3.6, speed: float = 20.0) -> Other:
    other = Other(7, 40.0, offset, speed)
    other.rate = rate
    return other


def test_the_faster_he_moves_towards_us_the_likelier_and_the_sooner_he_comes():
    seen = [look([beside(-rate)]) for rate in (0.1, 0.3, 0.6, 1.0, 1.6)]
    assert np.all(np.diff([one.probability[0] for one in seen]) > 0.0)
    assert np.all(np.diff([one.likely[0] for one in seen]) < 0.0)
    assert seen[-1].probability[0] > 0.95
    assert all(one.soonest[0] <= one.likely[0] for one in seen)


@pytest.mark.parametrize("rate", [0.3, 0.0, -0.3])
def test_who_sways_in_his_lane_is_not_expected(rate):
    assert look([beside(rate, 3.6 - 0.15)]).probability[0] < P.contingency.possible


def test_who_moves_away_never_comes():
    assert look([beside(0.8)]).probability[0] < 0.01


def test_who_is_over_the_line_comes_though_he_seems_to_stay():
    """His lateral speed errs by 0.2 m/s; 0.4 m of his car are in our lane."""
    over = 1.8 + 0.925 - 0.4
    assert look([beside(0.05, over)]).probability[0] > P.contingency.likely
    assert look([beside(0.05, 3.2)]).probability[0] == 0.0
    assert look([beside(0.8, over)]).probability[0] < P.contingency.possible


def test_a_slow_drift_is_believed_once_he_is_near_the_line():
    drift = [look([beside(-0.3, offset)]).probability[0] for offset in (3.6, 3.2, 2.8, 2.4)]
    assert np.all(np.diff(drift) > 0.0)
    assert drift[0] < P.contingency.possible < P.contingency.likely < drift[-1]


def test_what_is_hardly_known_says_little():
    assert look([beside(-0.7)], error=0.15).probability[0] > P.contingency.possible
    assert look([beside(-0.3)], error=1.0).probability[0] < P.contingency.possible


def test_who_changes_into_the_lane_beside_is_expected_to_stay_in_it():
    seen = [look([beside(-0.8, offset)]).probability[0] for offset in (3.6 + 1.5, 3.6 + 0.8, 3.6 - 0.3)]
    assert seen[0] < P.contingency.possible
    assert seen[-1] > P.contingency.likely


def test_who_stands_does_not_come_sideways():
    assert look([beside(-0.5, speed=0.0)]).soonest[0] > 100.0


def test_a_lateral_speed_that_grows_brings_him_sooner():
    steady, growing = look([beside(-0.6)]), look([beside(-0.6)], change=1.5)
    assert growing.soonest[0] < steady.soonest[0]
    assert growing.touching[0] == steady.touching[0]


def test_growth_of_lateral_speed_is_remembered_by_identity():
    memory, rates = LateralMemory(0.3), (0.0, -0.1, -0.2, -0.3)
    for index, rate in enumerate(rates):
        motorway = Motorway(others=[beside(rate), Other(9, 80.0, -3.6, 20.0)][:: 1 if index % 2 else -1])
        world = motorway.world()
        road = see_road(world, pose_of(world.ego), None, 2.0)
        traffic = see_traffic(world.tracks, road, P.relevance)
        change = memory.update(100.0 + 0.05 * index, traffic)
    by_identity = dict(zip(traffic.identity.tolist(), change.tolist(), strict=True))
    assert by_identity[7] < -0.5
    assert by_identity[9] == 0.0
