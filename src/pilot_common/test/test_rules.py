"""Rule packs: every clause is kept by one trace and broken by another, the language refuses what it does not know, and the
monitor is causal, exact and can be copied.
"""

import copy
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_traces import STEP, TRACES, steps

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.rule_language import FormulaError, Program
from pilot_common.rule_signals import NAMES, SIGNALS, Signals
from pilot_common.rule_table import document
from pilot_common.rules import RuleMonitor, Severity, load_packs, pack_from, pack_names
from pilot_common.schema import read_yaml

CONFIG = config_folder()
PACKS = load_packs(CONFIG)
CLAUSES = {clause.id: clause for pack in PACKS for clause in pack.clauses}


def watched(trace):
    monitor = RuleMonitor(PACKS)
    found = [finding for time, signals in steps(trace) for finding in monitor.step(time, signals)]
    return monitor, found


def test_every_clause_has_a_trace_that_keeps_it_and_one_that_breaks_it():
    assert set(TRACES) == set(CLAUSES)


@pytest.mark.parametrize("name", sorted(CLAUSES))
def test_the_trace_that_keeps_a_clause_exercises_it_and_finds_nothing(name):
    monitor, found = watched(TRACES[name][0])
    assert monitor.records[name].outcome == "pass"
    assert name not in {finding.clause.id for finding in found}


@pytest.mark.parametrize("name", sorted(CLAUSES))
def test_the_trace_that_breaks_a_clause_is_found(name):
    monitor, found = watched(TRACES[name][1])
    own = [finding for finding in found if finding.clause.id == name]
    record = monitor.records[name]
    assert record.outcome == "violated"
    assert own[0].new and own[0].time == record.first
    assert record.violated == len(own)
    assert own[0].clause.title.en in own[0].sentence()


@pytest.mark.parametrize("name", sorted(CLAUSES))
def test_a_drive_where_nothing_is_known_exercises_no_clause(name):
    monitor = RuleMonitor(PACKS)
    for time, signals in steps([(3.0, {})]):
        assert monitor.step(time, Signals(signals.values, 0)) == ()
    assert monitor.records[name].outcome == "not exercised"
    assert not monitor.records[name].known


def test_what_no_source_confirms_never_decides():
    for clause in CLAUSES.values():
        assert clause.provenance.mark.verified or clause.severity is not Severity.VIOLATION


def test_an_uneventful_drive_breaks_nothing():
    _, found = watched([(30.0, {})])
    assert found == []


def test_a_copy_in_mid_drive_goes_on_as_the_original_and_apart_from_it():
    trace = list(steps(TRACES["iso15622_braking_jerk"][1]))
    monitor = RuleMonitor(PACKS)
    for time, signals in trace[:90]:
        monitor.step(time, signals)
    twin = copy.deepcopy(monitor)
    before = {name: record.exercised for name, record in twin.records.items()}
    one = [monitor.step(time, signals) for time, signals in trace[90:]]
    assert {name: record.exercised for name, record in twin.records.items()} == before
    assert [twin.step(time, signals) for time, signals in trace[90:]] == one
    assert repr(twin.records) == repr(monitor.records)


@pytest.mark.parametrize("jump", [-50.0, 5.0])
def test_after_a_silence_or_a_clock_set_back_memories_begin_anew(jump):
    monitor = RuleMonitor(PACKS)
    for time, signals in steps([(14.0, {"hands_on": False})]):
        monitor.step(time, signals)
    found = [f for t, s in steps([(3.0, {"hands_on": False})], 114.0 + jump) for f in monitor.step(t, s)]
    assert not [finding for finding in found if finding.clause.id == "r79_hands_off_optical"]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 79))
def test_what_is_found_depends_on_the_past_alone(seed, cut):
    noise = [math.sin(0.37 * seed * (k + 1)) for k in range(80)]
    signals = [
        next(iter(steps([(STEP, {"acceleration": -4.0 * abs(n), "lateral_acceleration": 4.0 * n})])))[1]
        for n in noise
    ]
    whole, part = RuleMonitor(PACKS), RuleMonitor(PACKS)
    found = [whole.step(100.0 + STEP * k, s) for k, s in enumerate(signals)]
    assert [part.step(100.0 + STEP * k, s) for k, s in enumerate(signals[:cut])] == found[:cut]


def test_numbers_that_are_not_finite_break_nothing_and_raise_nothing():
    monitor = RuleMonitor(PACKS)
    for value in (math.nan, math.inf, -math.inf):
        for time, signals in steps([(5.0, {})]):
            broken = tuple(
                value if isinstance(v, float) and name not in ("age",) else v
                for (name, v) in zip(SIGNALS, signals.values, strict=True)
            )
            monitor.step(time, Signals(broken, 255))


def number(text, constants=None, definitions=None, **signals):
    program = Program(NAMES)
    expression = program.translate(text, constants or {}, definitions or {})
    return expression.evaluate([signals.get(name, 0.0) for name in SIGNALS])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * speed", 32.0),
        ("-abs(speed - 12)", -2.0),
        ("min(speed, 3, 7) / 2", 1.5),
        ("cap(speed)", 4.0),
        ("cap(0 - 100) + cap(100)", 7.0),
        ("speed > 9 and not speed > 11", True),
        ("within(speed, 1, 5) or fast", True),
        ("speed / 0 > 1", False),
    ],
)
def test_expressions_mean_what_they_say(text, value):
    constants = {"cap": ((5.0, 5.0), (15.0, 3.0), (20.0, 2.0))}
    assert number(text, constants, {"fast": "speed >= 10"}, speed=10.0) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("__import__('os').system('x')", "not part of the language"),
        ("speed.real", "not part of the language"),
        ("[speed][0]", "not part of the language"),
        ("(lambda: 1)()", "not part of the language"),
        ("'text'", "not part of the language"),
        ("True", "not part of the language"),
        ("speed ** 2", "not part of the language"),
        ("1 < speed < 3", "not part of the language"),
        ("open(speed)", "there is no function 'open'"),
        ("velocity", "neither a signal"),
        ("speed and system_drives", "must be a condition"),
        ("system_drives + 1", "must be a number"),
        ("mean_over(speed)", "takes 2 arguments"),
        ("mean_over(speed, speed)", "must be a constant"),
        ("table", "is a table"),
        ("round_about", "is defined by itself"),
        ("speed +", "cannot be read"),
    ],
)
def test_the_language_refuses_what_it_does_not_know(text, rule):
    with pytest.raises(FormulaError, match=rule):
        number(text, {"table": ((0.0, 1.0), (1.0, 2.0))}, {"round_about": "round_about > 1"})


def broken(change):
    content = copy.deepcopy(read_yaml(CONFIG / "rules" / "iso_11270.yaml"))
    change(content["clauses"][0])
    return content


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda c: c.update(formula="speed"), r"clauses\[0\] \(.*\)\.formula: must be one comparison"),
        (lambda c: c.update(when="speed"), r"\.when: must be a condition"),
        (
            lambda c: c.update(sevrity="warning"),
            r"clauses\[0\]\.sevrity: unknown key, did you mean 'severity'",
        ),
        (lambda c: c.pop("provenance"), r"clauses\[0\]\.provenance: is missing"),
        (lambda c: c.update(market="moon"), r"clauses\[0\]: market must be one of"),
        (lambda c: c["provenance"].update(mark="M"), "no source confirms"),
        (lambda c: c["parameters"]["most"].update(value="3"), r"parameters\.most\.value: must be a float"),
        (lambda c: c["parameters"].update(speed=c["parameters"]["most"]), "is the name of a signal"),
        (lambda c: c["parameters"]["most"].update(table=[[1, 2], [0, 3]], value=None), "x increasing"),
        (lambda c: c.update(id="iso11270_lateral_jerk"), "is given twice"),
    ],
)
def test_a_bad_pack_is_refused_with_file_key_and_rule(change, rule):
    with pytest.raises(ConfigError, match=rule) as error:
        pack_from(broken(change), "rules/bad.yaml")
    assert "rules/bad.yaml" in str(error.value)


def test_an_unknown_pack_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="no rule pack 'moon'; there are cn_l2_draft"):
        load_packs(CONFIG, ["moon"])
    assert {pack.name for pack in PACKS} == set(pack_names(CONFIG))


def test_the_table_of_rules_in_the_documents_is_up_to_date():
    file = CONFIG.parent / "docs" / "rules.md"
    if not file.exists():
        pytest.skip("documents are not installed")
    assert file.read_text(encoding="utf-8") == document(PACKS), (
        "run: python -m pilot_common.rule_table docs/rules.md"
    )
