"""How measures become a verdict."""

import json

import pytest
from plain_run import Other, command, make_run, put

from pilot_common.errors import ScenarioError
from pilot_common.folders import config_folder
from pilot_common.types import DriveMode
from pilot_evaluation.criteria import RULES, check_criteria, judge
from pilot_simulation.scenario import load_scenario, scenario_names


def by_name(verdict):
    return {criterion.name: criterion for criterion in verdict.criteria}


def test_a_calm_drive_passes():
    assert judge(make_run(), {}).passed


def test_what_no_scenario_names_informs_but_does_not_decide():
    run = make_run(acceleration=lambda t: 30.0 * t)
    verdict = judge(run, {})
    assert not by_name(verdict)["jerk_maximum"].passed
    assert verdict.passed
    assert not judge(run, {"jerk_maximum": 5.0}).passed


def test_any_contact_fails_unless_the_scenario_asks_only_for_those_caused():
    behind = Other(station=lambda t: -60.0 + 30.0 * t, speed=lambda t: 30.0)
    run = make_run(5.0, [behind], contact_identity=lambda t: 7.0 if t > 4.9 else 0.0)
    assert not judge(run, {}).passed
    assert judge(run, {"contact_caused": 0.0}).passed
    assert not judge(run, {"contact_caused": 0.0, "contact": 0.0}).passed


def test_limits_hold_at_the_limit_itself():
    run = make_run(lane_offset=lambda t: 0.25)
    assert judge(run, {"lateral_error_95": 0.25}).passed
    assert not judge(run, {"lateral_error_95": 0.2499}).passed


def test_a_drive_that_never_engages_fails():
    run = make_run(modes=((0.0, DriveMode.STANDBY),))
    assert [criterion.name for criterion in judge(run, {}).failed] == ["engaged"]
    assert judge(run, {"engaged": 0.0}).passed


def test_a_drive_that_ends_early_fails():
    run = make_run(10.0)
    assert judge(run, {}, duration=10.0).passed
    assert [criterion.name for criterion in judge(run, {}, duration=20.0).failed] == ["completed"]


def test_deadlines_decide_only_against_the_clock():
    run = make_run()
    put(run, "command", command(11.0))
    for time in (11.1, 11.2, 11.3, 11.4, 11.5, 11.6):
        put(run, "command", command(time))
    assert [criterion.name for criterion in judge(run, {}).failed] == ["control_deadline"]
    run.real_time = False
    assert judge(run, {}).passed


def test_the_summary_is_plain_json():
    content = json.loads(json.dumps(judge(make_run(), {}).plain()))
    assert set(content) == set(RULES)
    for line in content.values():
        assert isinstance(line["pass"], bool)
        assert line["value"] is None or isinstance(line["value"], float)


def test_a_misspelt_criterion_is_refused_with_the_right_name():
    with pytest.raises(ScenarioError, match="did you mean 'minimum_gap'"):
        check_criteria({"minimal_gap": 2.0}, "own")


def test_every_scenario_names_only_known_criteria():
    config = config_folder()
    assert scenario_names(config)
    for name in scenario_names(config):
        check_criteria(load_scenario(name, config).criteria, name)
