"""UN R157's reference drivers: physical invariants, the published figures, and every case of the published tables."""

import csv

import numpy as np
import pytest
from real_data import real_data

from pilot_evaluation.proving.reference_courses import CutIn, CutOut
from pilot_evaluation.proving.reference_drivers import (
    REAR_END,
    SIDE_SWIPE,
    CutInCases,
    CutOutCases,
    FollowingCases,
    drive,
    judge,
    mean_peak_deceleration,
    preventable,
    published_cut_ins,
    share_braked,
)
from pilot_evaluation.proving.reference_models import FULL_BRAKE, REFERENCES, Clause

COLUMNS = {"human": "CC", "rss": "RSS", "reg157": "Reg157", "fsm": "FSM", "full_brake": "FULLBRAKE"}
FIELDS = {
    "collided": "collided",
    "crash_type": "crash_type",
    "impact_speed": "impact_dv_mps",
    "brake_time": "brake_t_s",
    "max_deceleration": "max_decel",
    "initial_gap": "initial_gap_m",
    "leader_hit": "leader_hits_stopped",
}
ROUNDING = 0.00051  # the tables hold three decimals


@pytest.fixture(scope="module")
def grid():
    cases = published_cut_ins()
    return cases, judge(cases)


def cut_ins(count: int = 3000, seed: int = 5) -> CutInCases:
    """Values that are on no grid."""
    random = np.random.default_rng(seed)
    speed = random.uniform(8, 36, count)
    return CutInCases(
        speed=speed,
        other_speed=speed * random.uniform(0.1, 0.95, count),
        gap=random.uniform(1, 120, count),
        lateral_speed=random.uniform(0.05, 1.8, count),
    )


def test_a_car_that_stays_in_its_lane_is_hit_by_nobody_and_no_human_or_clause_brakes():
    cases = cut_ins()
    still = CutInCases(
        speed=cases.speed,
        other_speed=cases.other_speed,
        gap=cases.gap,
        lateral_speed=np.zeros_like(cases.gap),
    )
    outcomes = judge(still)
    assert not any(outcome.collided.any() for outcome in outcomes.values())
    for name in ("human", "reg157", "fsm"):
        assert not outcomes[name].braked.any()
        assert outcomes[name].max_deceleration.max() == 0.0


def test_a_later_reaction_never_hits_a_standing_car_slower():
    speed = np.linspace(8, 36, 60)
    near, fast = np.full_like(speed, 12.0), np.full_like(speed, 2.5)
    cases = CutOutCases(speed=speed, front_distance=near, lateral_speed=fast)
    before = np.zeros_like(speed)
    for reaction in (0.0, 0.35, 0.75, 1.2):
        driver = Clause()
        driver.reaction = reaction
        impact = drive(driver, CutOut(cases, 1.2 * speed)).impact_speed
        assert (impact >= before - 1e-9).all()
        before = impact
    assert before.max() > 0.0


def test_nobody_brakes_harder_than_its_definition_allows_nor_before_it_sees_a_danger():
    outcomes = judge(cut_ins())
    most = {"human": FULL_BRAKE, "rss": FULL_BRAKE, "reg157": 6.0, "fsm": 6.0, "full_brake": FULL_BRAKE}
    for name, outcome in outcomes.items():
        assert outcome.max_deceleration.max() <= most[name] + 1e-9
        assert (outcome.max_deceleration[~outcome.braked] == 0.0).all()
        assert (outcome.brake_time[~outcome.braked] == 0.0).all()


def test_a_full_brake_from_the_first_moment_is_never_run_into_faster_than_any_reference_runs_into():
    outcomes = judge(cut_ins())
    rear = outcomes["full_brake"].crash_type == REAR_END
    for name in REFERENCES:
        also = rear & (outcomes[name].crash_type == REAR_END)
        assert also.any()
        assert (outcomes[name].impact_speed[also] >= outcomes["full_brake"].impact_speed[also] - 1e-9).all()


def test_who_has_no_contact_has_no_impact_and_who_has_one_says_of_what_kind():
    for outcome in judge(cut_ins()).values():
        assert set(np.unique(outcome.crash_type)) <= {0, SIDE_SWIPE, REAR_END}
        assert (outcome.collided == (outcome.crash_type > 0)).all()
        assert (outcome.impact_speed[~outcome.collided] == 0.0).all()
        # Who has not braked closes at the speed at which it came.
        rushing = outcome.collided & (outcome.max_deceleration == 0.0)
        assert (outcome.impact_speed[rushing] > 0.0).all()


def test_each_case_is_judged_alone():
    cases = cut_ins(200)
    together = judge(cases)
    for index in (0, 77, 199):
        one = slice(index, index + 1)
        alone = judge(
            CutInCases(
                speed=cases.speed[one],
                other_speed=cases.other_speed[one],
                gap=cases.gap[one],
                lateral_speed=cases.lateral_speed[one],
            )
        )
        for name, outcome in alone.items():
            assert outcome.impact_speed[0] == together[name].impact_speed[index]
            assert outcome.brake_time[0] == together[name].brake_time[index]


def test_the_cut_in_is_beside_by_the_stated_gap_when_it_has_its_lateral_speed():
    cases = cut_ins(50)
    course = CutIn(cases)
    own = course.start.copy()
    for step, other in enumerate(course.others()):
        now = step == course.ramp
        assert np.allclose((other.position - own)[now] - 4.3, cases.gap[now])
        assert np.allclose(other.offset[now], 3.5)
        own = own + cases.speed / 10.0
        if (course.ramp < step).all():
            break


def test_preventable_is_what_one_of_the_four_avoids_and_not_what_only_the_full_brake_avoids(grid):
    _, outcomes = grid
    avoided = preventable(outcomes)
    assert (avoided == ~np.all([outcomes[name].collided for name in REFERENCES], axis=0)).all()
    assert (~avoided & ~outcomes["full_brake"].collided).any()


def test_the_whole_published_grid_gives_the_published_figures(grid):
    cases, outcomes = grid
    assert len(cases.speed) == 29970
    hits = {name: int(outcomes[name].collided.sum()) for name in REFERENCES}
    assert hits == {"fsm": 2550, "human": 7280, "rss": 2371, "reg157": 5121}
    braked = {name: round(100 * share_braked(outcomes[name]), 1) for name in REFERENCES}
    assert braked == {"fsm": 73.9, "human": 24.1, "rss": 89.7, "reg157": 75.3}
    peak = {name: mean_peak_deceleration(outcomes[name]) for name in REFERENCES}
    assert peak == pytest.approx({"fsm": 3.11, "human": 7.34, "rss": 7.12, "reg157": 5.78}, abs=0.0051)
    assert int(preventable(outcomes).sum()) == 28119


def table(name: str) -> dict[str, list[str]]:
    with open(real_data("r157", f"{name}.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def numbers(values: list[str]) -> np.ndarray:
    return np.array([float(value) if value else np.nan for value in values])


def compared(cases, columns: dict[str, list[str]], unlike: np.ndarray | None = None) -> int:
    """How many values were compared; all must agree. `unlike`: cases in which the table's full brake used another grid."""
    count = 0
    for name, outcome in judge(cases).items():
        for field, column in FIELDS.items():
            expected = columns.get(f"{COLUMNS[name]}_{column}")
            if expected is None:
                continue
            ours = np.asarray(getattr(outcome, field), float)
            if field == "brake_time":
                ours = np.where(outcome.braked, ours, np.nan)
            same = np.isclose(ours, numbers(expected), rtol=0.0, atol=ROUNDING, equal_nan=True)
            if name == "full_brake" and unlike is not None:
                same |= unlike
            differing = np.flatnonzero(~same)
            assert not len(differing), f"{name} {field}: {len(differing)} differ, first case {differing[0]}"
            count += len(same)
    return count


def test_every_cut_in_of_the_published_table_is_reproduced():
    columns = table("cut_in")
    lateral = numbers(columns["lat_vel_mps"])
    cases = CutInCases(
        speed=numbers(columns["ego_speed_kph"]) / 3.6,
        other_speed=numbers(columns["cutin_speed_kph"]) / 3.6,
        gap=numbers(columns["long_dist_m"]),
        lateral_speed=lateral,
    )
    # The table's full brake was made with decimal fractions: at these three speeds its other car is a step earlier.
    other_step = np.isin(np.round(lateral, 1), (0.3, 0.6, 1.2))
    assert compared(cases, columns, other_step) == 16038 * (4 * 5 + 3)


def test_every_cut_out_of_the_published_table_is_reproduced():
    columns = table("cut_out")
    cases = CutOutCases(
        speed=numbers(columns["speed_kph"]) / 3.6,
        front_distance=numbers(columns["front_distance_m"]),
        lateral_speed=-numbers(columns["lateral_speed_mps"]),
    )
    assert compared(cases, columns) == 3150 * 4 * 6


def test_every_braking_leader_of_the_published_table_is_reproduced():
    columns = table("car_following")
    cases = FollowingCases(
        speed=numbers(columns["speed_kph"]) / 3.6, deceleration=numbers(columns["leader_decel_mps2"])
    )
    assert compared(cases, columns) == 570 * 4 * 5
