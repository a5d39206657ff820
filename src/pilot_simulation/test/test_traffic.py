"""SUMO's traffic around the ego: dense enough, in its lanes, reproducible, and aware of the ego."""

import numpy as np
import pytest

from conftest import road_plan
from pilot_common.types import ObjectClass
from pilot_simulation.actors import EgoOnRoad, Others
from pilot_simulation.road import synthetic_road
from pilot_simulation.scenario import TrafficPlan
from pilot_simulation.scripted_actors import ScriptedActors
from pilot_simulation.traffic import STEP, SumoTraffic

pytest.importorskip("libsumo")

PLAN = TrafficPlan(density=25.0, speed=32.0, speed_spread=0.08, truck_share=0.12)
SIZE = (4.87, 1.84)
MIDDLE = 3.75


class Drive:
    """An ego at constant speed among traffic; the traffic at every step of SUMO."""

    def __init__(
        self, seconds: float, speed: float, seed: int = 1, lane: int = 1, scripted=(), plan=PLAN
    ) -> None:
        road = synthetic_road(road_plan(), 4000.0)
        self.source = ScriptedActors(scripted, road) if scripted else None
        ego = EgoOnRoad(500.0, lane * MIDDLE, speed, 4.8, 1.9)
        actors = self.source.actors if self.source else ()
        self.traffic = SumoTraffic(plan, road, ego, SIZE, actors, seed)
        self.ego: list[EgoOnRoad] = []
        self.others: list[Others] = []
        for number in range(1, round(seconds / STEP) + 1):
            time = number * STEP
            ego = EgoOnRoad(500.0 + speed * time, lane * MIDDLE, speed, 4.8, 1.9)
            if self.source:
                self.source.advance(time, ego)
            self.traffic.advance(time, ego)
            self.ego.append(ego)
            self.others.append(self.traffic.at(time))
        self.traffic.close()


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive(40.0, 25.0)


def test_about_forty_vehicles_are_within_300_m_and_stay_so(drive):
    counts = [
        int(np.sum(np.abs(others.station - ego.front) < 300.0))
        for ego, others in zip(drive.ego, drive.others, strict=True)
    ]
    wanted = PLAN.density * 3 * 0.6
    assert min(counts) > 0.6 * wanted and max(counts) < 1.4 * wanted
    assert np.mean(counts) == pytest.approx(wanted, rel=0.2)
    assert np.mean(counts[-100:]) > 0.7 * wanted


def test_everybody_is_in_a_lane_or_changing_to_the_next(drive):
    for others in drive.others:
        assert others.offset.min() > -0.1 and others.offset.max() < 7.6
        between = np.abs(others.offset / MIDDLE - np.round(others.offset / MIDDLE)) > 0.1
        assert between.mean() < 0.3


def test_nobody_appears_or_vanishes_in_sight(drive):
    for ego, before, after in zip(drive.ego[1:], drive.others[:-1], drive.others[1:], strict=True):
        for one, other in ((before, after), (after, before)):
            alone = ~np.isin(one.identity, other.identity)
            assert (np.abs(one.station[alone] - ego.front) > 300.0).all()


def test_motion_is_continuous(drive):
    for before, after in zip(drive.others[:-1], drive.others[1:], strict=True):
        _, one, other = np.intersect1d(before.identity, after.identity, return_indices=True)
        way = after.station[other] - before.station[one]
        mean_speed = 0.5 * (after.speed[other] + before.speed[one])
        assert np.abs(way - mean_speed * STEP).max() < 0.2
        assert np.abs(after.offset[other] - before.offset[one]).max() < 0.15
        assert np.abs(after.course[other]).max() < 0.15


def test_vehicles_do_not_run_into_one_another(drive):
    for others in drive.others:
        order = np.argsort(others.station)
        for lane in range(3):
            row = order[np.abs(others.offset[order] - lane * MIDDLE) < 0.5]
            front = others.station[row] + 0.5 * others.extent[row, 0]
            rear = others.station[row] - 0.5 * others.extent[row, 0]
            assert (rear[1:] - front[:-1] > 0.0).all()


def test_there_are_trucks_but_none_in_the_left_lane(drive):
    others = drive.others[-1]
    trucks = others.class_id == ObjectClass.TRUCK
    assert trucks.any() and not trucks.all()
    assert (others.extent[trucks, 0] >= 10.0).all()
    assert (others.offset[trucks] < 1.5 * MIDDLE).all()


def test_between_steps_positions_are_in_between(drive):
    traffic = Drive(1.0, 25.0).traffic
    late, middle, early = traffic.at(1.0), traffic.at(0.95), traffic.at(0.9)
    assert middle.station == pytest.approx(0.5 * (late.station + early.station))


def test_the_same_seed_is_the_same_traffic_and_another_is_not():
    one, same, other = Drive(5.0, 25.0), Drive(5.0, 25.0), Drive(5.0, 25.0, seed=2)
    assert all(
        np.array_equal(a.station, b.station) and np.array_equal(a.identity, b.identity)
        for a, b in zip(one.others, same.others, strict=True)
    )
    assert not np.array_equal(one.others[-1].station, other.others[-1].station)


def test_followers_do_not_run_into_a_slow_ego():
    slow = Drive(40.0, 12.0)
    closest = np.inf
    for ego, others in zip(slow.ego, slow.others, strict=True):
        behind = (np.abs(others.offset - MIDDLE) < 1.8) & (others.station < ego.front)
        gap = ego.front - SIZE[0] - others.station[behind] - 0.5 * others.extent[behind, 0]
        closest = min(closest, gap.min(initial=np.inf))
    assert 0.5 < closest < 40.0  # they come up to it, and not into it


def test_the_way_of_the_ego_is_free_at_the_start():
    for seed in range(1, 6):
        start = Drive(STEP, 30.0, seed=seed)
        ego, others = start.ego[0], start.others[0]
        own = np.abs(others.offset - MIDDLE) < 1.8
        gap = np.abs(others.station - ego.front + 0.5 * SIZE[0]) - 0.5 * (others.extent[:, 0] + SIZE[0])
        assert gap[own].min(initial=np.inf) > 20.0


def test_traffic_goes_round_or_behind_a_scripted_car(actor):
    plan = actor(station=560.0, speed=15.0, lane=0)
    together = Drive(20.0, 25.0, seed=2, lane=2, scripted=[plan])
    assert together.source is not None
    for number, others in enumerate(together.others, start=1):
        station = 560.0 + 15.0 * number * STEP
        behind = (np.abs(others.offset) < 1.2) & (others.station < station)
        gap = station - others.station - 0.5 * (others.extent[:, 0] + 4.7)
        assert gap[behind].min(initial=np.inf) > 0.0


def test_an_empty_road_stays_empty():
    none = TrafficPlan(density=0.0, speed=30.0, speed_spread=0.0, truck_share=0.0)
    assert len(Drive(2.0, 25.0, plan=none).others[-1].station) == 0


def test_an_older_traffic_cannot_go_on_once_another_has_begun():
    road = synthetic_road(road_plan(), 2000.0)
    ego = EgoOnRoad(500.0, MIDDLE, 25.0, 4.8, 1.9)
    first = SumoTraffic(PLAN, road, ego, SIZE, (), 1)
    second = SumoTraffic(PLAN, road, ego, SIZE, (), 1)
    with pytest.raises(ValueError, match="another simulation has taken SUMO over"):
        first.advance(1.0, ego)
    first.close()  # closes nothing that is not its own
    second.advance(1.0, ego)
    second.close()
