"""Driving cases: what ends one, what is measured, the same rows from any number of processes, a crash that hurts only itself."""

import dataclasses

import pytest
from plain_run import PERIOD, Other, actuation, make_run, put, truth

from pilot_common.folders import config_folder
from pilot_common.types import Manoeuvre
from pilot_common.vehicle import load_vehicle
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, End, Limit, Row, Setting, Suite
from pilot_evaluation.proving.engine import Watch, judge, prove, run_group, seed_of
from pilot_evaluation.proving.journal import Journal, forget
from pilot_evaluation.proving.outcome import MEASURES, REAR_END, SIDE_SWIPE, outcome
from pilot_evaluation.proving.r157 import R157
from pilot_evaluation.results import FolderError

CONFIG = config_folder()
VEHICLE = load_vehicle("sedan_ice", CONFIG)
FRONT = VEHICLE.facts.dimensions.rear_axle_to_front
LENGTH = VEHICLE.facts.dimensions.length
SETTING = Setting(vehicle=VEHICLE, config=CONFIG)
SPEED = 20.0


def ahead(gap: float, speed: float, offset: float = 0.0, sideways: float = 0.0) -> Other:
    """A car whose rear is `gap` before the ego's front at the start."""
    start = FRONT + gap + 0.5 * 4.5
    return Other(
        station=lambda time: start + speed * time,
        speed=lambda time: speed,
        offset=lambda time: offset + sideways * time,
    )


def over_at(end: End, other: Other, seconds: float = 20.0, sent: float = 0.0, **ego) -> float | None:
    """When a drive at 20 m/s is over."""
    watch = Watch(end, VEHICLE)
    for index in range(round(seconds / PERIOD)):
        time = index * PERIOD
        watch.sent(dataclasses.replace(actuation(time), acceleration=sent))
        values = {name: course(time) for name, course in ego.items()}
        if watch.over(time, truth(time, (other,), **values)):
            return time
    return None


def test_a_contact_ends_a_case():
    touched = {"contact_identity": lambda time: 7 if time >= 1.0 else 0}
    assert over_at(End(), ahead(10, 20), **touched) == pytest.approx(1.0)
    assert over_at(End(contact=False), ahead(10, 20), **touched) is None


def test_nothing_ends_a_case_that_names_no_end():
    assert over_at(End(), ahead(10, 30)) is None


def test_a_case_is_over_once_everybody_is_left_behind():
    time = over_at(End(passed=True), ahead(10, 10, offset=3.5))
    assert time == pytest.approx((10 + 4.5 + LENGTH) / 10, abs=2 * PERIOD)


def test_a_faster_car_behind_is_not_left_behind():
    assert over_at(End(passed=True), ahead(-60, 30, offset=3.5), seconds=1.0) is None


def test_a_case_is_over_when_the_gap_opens_but_not_while_it_closes():
    assert over_at(End(opening=True), ahead(10, 22)) == pytest.approx(0.5, abs=PERIOD)
    assert over_at(End(opening=True), ahead(60, 18)) is None
    assert over_at(End(opening=True), ahead(10, 22, offset=3.5)) is None  # it is not in the way


def test_who_still_moves_into_the_way_keeps_a_case_going():
    time = over_at(End(opening=True), ahead(10, 22, offset=-4.0, sideways=1.0))
    assert time > (4.0 - 0.5 * (1.8 + VEHICLE.facts.dimensions.width)) / 1.0


def test_a_closing_gap_settles_only_once_braked_and_little_is_needed():
    end, slow = End(settled=True), ahead(60, 18)
    assert over_at(end, slow) is None  # has not braked
    still = {"acceleration": lambda time: -3.0}
    assert over_at(end, slow, sent=-3.0, **still) == pytest.approx(0.5, abs=2 * PERIOD)
    grows = {"acceleration": lambda time: -min(1.0 + 2.0 * time, 5.0)}
    assert over_at(end, slow, sent=-3.0, **grows) == pytest.approx(2.5, abs=2 * PERIOD)
    assert over_at(end, ahead(12, 5), seconds=0.7, sent=-3.0, **still) is None  # much more is needed


def test_a_standstill_ends_a_case_after_its_time():
    still = {"speed": lambda time: max(5.0 - 5.0 * time, 0.0), "station": lambda time: 5.0}
    assert over_at(End(standstill=1.0), ahead(100, 0), **still) == pytest.approx(2.0, abs=2 * PERIOD)
    assert over_at(End(standstill=1.0, after=5.0), ahead(100, 0), **still) == pytest.approx(5.0, abs=PERIOD)


def test_every_measure_is_explained():
    run = make_run(5.0, (ahead(30, 19),))
    assert set(outcome(run)) <= set(MEASURES)


def test_a_rear_end_contact_has_the_closing_speed_of_the_moment_of_contact():
    touch = 10.0 / 8.0  # s until a gap of 10 m is closed at 8 m/s
    run = make_run(
        3.0, (ahead(10, 12),), contact_identity=lambda time: 7 if 0.0 <= time - touch < PERIOD else 0
    )
    found = outcome(run)
    assert found["contact"] == 1.0
    assert found["crash_kind"] == REAR_END
    assert found["impact_speed"] == pytest.approx(8.0)
    assert found["contact_time"] == pytest.approx(touch, abs=PERIOD)


def test_a_car_that_comes_from_the_side_behind_the_ego_s_centre_is_a_side_swipe():
    apart = 3.0 - 0.5 * (1.8 + VEHICLE.facts.dimensions.width)
    run = make_run(
        3.0,
        (ahead(-LENGTH - 2.0, 20, offset=3.0, sideways=-1.0),),
        contact_identity=lambda time: 7 if 0.0 <= time - apart < PERIOD else 0,
    )
    found = outcome(run)
    assert found["crash_kind"] == SIDE_SWIPE
    assert found["contact_time"] == pytest.approx(apart, abs=PERIOD)


def test_braking_is_more_than_a_lift_of_the_foot():
    def braking(command: float) -> dict[str, float]:
        run = make_run(2.0)
        put(run, "actuation", dataclasses.replace(actuation(2.0), acceleration=-command))
        return outcome(run)

    assert braking(0.39)["braked"] == 0.0
    assert (braking(0.41)["braked"], braking(0.41)["friction_braked"]) == (1.0, 0.0)
    assert braking(1.4)["friction_braked"] == 1.0
    assert braking(1.4)["first_brake"] == pytest.approx(2.0)


def test_manoeuvres_are_counted():
    steps = [(0.0, Manoeuvre.CRUISE), (1.0, Manoeuvre.EVADE), (1.1, Manoeuvre.CRUISE), (2.0, Manoeuvre.EVADE)]
    assert outcome(make_run(3.0, manoeuvres=steps))["evasions"] == 2.0


def case(name: str = "a", **limits: Limit) -> Case:
    return Case(suite="s", family="f", name=name, parameters={"x": 1.0}, limits=limits)


def test_a_limit_may_be_on_any_measure_or_criterion():
    run = make_run(5.0, (ahead(30, 20),))
    assert judge(case(min_gap=Limit(at_least=29.0), jerk_95=Limit(at_most=0.1)), run).verdict == PASS
    row = judge(case(min_gap=Limit(at_least=31.0), distance=Limit(at_least=1e4)), run)
    assert row.verdict == FAIL
    assert "min_gap 30 below 31" in row.reason
    assert "distance" in row.reason
    assert row.measures["distance"] == pytest.approx(100.0)


def test_a_measure_that_does_not_exist_holds_every_limit():
    assert judge(case(min_gap=Limit(at_least=5.0)), make_run(2.0)).verdict == PASS


class Arithmetic(Suite):
    """A suite without any driving: groups of three, one case of which may crash."""

    key, title = "arithmetic", "Arithmetic"

    def cases(self, setting):
        return [case(f"case-{index}") for index in range(12)]

    def groups(self, cases):
        return [list(cases[start : start + 3]) for start in range(0, len(cases), 3)]

    def run(self, setting, group):
        for one in group:
            if one.name == "case-4":
                raise RuntimeError("out of luck")
            yield Row(
                suite=self.key,
                family="f",
                name=one.name,
                parameters={},
                verdict=PASS,
                reason="",
                measures={"seed": float(seed_of(setting, self.key, one.name))},
            )


def test_rows_are_the_same_from_any_number_of_processes():
    suite = Arithmetic()
    cases, done = suite.cases(SETTING), []
    alone, complete = prove(suite, SETTING, cases, 1, done.append)
    together, _ = prove(suite, SETTING, cases, 2, done.append)
    assert complete
    assert [row.name for row in alone] == [one.name for one in cases]
    assert alone == together
    assert done[-1] == len(cases)


def test_a_crash_becomes_a_row_and_spares_what_was_done_before_it():
    rows, _ = prove(Arithmetic(), SETTING, Arithmetic().cases(SETTING), 1, lambda done: None)
    verdicts = {row.name: row.verdict for row in rows}
    assert verdicts["case-3"] == PASS
    assert (
        verdicts["case-4"] == verdicts["case-5"] == ERROR
    )  # the rest of its group has no state to go on from
    assert sum(verdict == ERROR for verdict in verdicts.values()) == 2
    assert "out of luck" in next(row.reason for row in rows if row.name == "case-4")


def test_ctrl_c_keeps_what_was_done():
    def press(done: int) -> None:
        if done >= 6:
            raise KeyboardInterrupt

    rows, complete = prove(Arithmetic(), SETTING, Arithmetic().cases(SETTING), 1, press)
    assert not complete
    assert [row.name for row in rows] == [f"case-{index}" for index in range(6)]


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    def press(done: int) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    suite, cases = Arithmetic(), Arithmetic().cases(SETTING)
    prove(suite, SETTING, cases, 1, press, Journal(tmp_path, suite, SETTING))
    (file,) = tmp_path.iterdir()
    with file.open("a") as lines:
        lines.write('{"suite": "arith')  # killed while it wrote
    progress: list[int] = []
    journal = Journal(tmp_path, suite, SETTING)
    rows, complete = prove(suite, SETTING, cases, 1, progress.append, journal)
    assert complete
    assert progress[0] == 3
    assert rows == prove(suite, SETTING, cases, 1, progress.append)[0]
    assert {row.name for row in rows if row.verdict == PASS} == set(Journal(tmp_path, suite, SETTING).rows)
    forget(tmp_path)
    assert not list(tmp_path.iterdir())


def test_rows_of_another_seed_are_not_gone_on_with(tmp_path):
    Journal(tmp_path, Arithmetic(), SETTING)
    with pytest.raises(FolderError, match="seed"):
        Journal(tmp_path, Arithmetic(), dataclasses.replace(SETTING, seed=2))


def test_seeds_differ_from_case_to_case_and_from_seed_to_seed():
    seeds = {seed_of(SETTING, "s", f"case-{index}") for index in range(200)}
    assert len(seeds) == 200
    assert seed_of(dataclasses.replace(SETTING, seed=2), "s", "a") != seed_of(SETTING, "s", "a")


@pytest.mark.slow
def test_a_case_drives_the_same_alone_and_beside_others_of_its_approach():
    suite = R157(CONFIG)
    cases = [
        one
        for one in suite.cases(dataclasses.replace(SETTING, full=True, sample=1500))
        if one.approach.startswith("cut_in-60-30-")
    ]
    group = max(suite.groups(cases), key=len)[:3]
    assert len(group) > 1
    together = run_group(suite, SETTING, group)
    alone = run_group(suite, SETTING, group[-1:])
    assert together[-1] == alone[0]
    assert together[-1].measures["driving"] == 1.0
    assert together[-1].measures["start_speed"] == pytest.approx(60 / 3.6, abs=0.5)
    assert together[0].measures != together[1].measures
