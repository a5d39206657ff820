"""Suites as data: expressions, strictness, and that every shipped suite can be driven by every vehicle."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilot_common.errors import ConfigError, ScenarioError
from pilot_common.folders import config_folder
from pilot_common.vehicle import load_vehicle, vehicle_names
from pilot_evaluation.proving.case import FAIL, PASS, Limit, Row, Setting, summary_of
from pilot_evaluation.proving.data_suite import DataSuite
from pilot_evaluation.proving.expression import evaluate, fill
from pilot_evaluation.proving.spread import spread, spread_indices
from pilot_evaluation.proving.suites import load_suite, suite_names

CONFIG = config_folder()
NUMBERS = st.floats(-1e6, 1e6)

CONTENT = {
    "title": "A suite",
    "families": {
        "standing": {
            "title": "a standing car",
            "grid": {
                "speed_kph": {"subset": [50], "full": [50, 80, 300]},
                "overlap": {"full": [-0.5, 0.5]},
            },
            "let": {"front": "100 + ego_front"},
            "where": "speed_kph <= max_speed_kph",
            "scenario": {
                "duration": 14,
                "road": {"lanes": 2, "lane_width": 3.5, "speed_limit": 0, "segments": [{"length": 2000}]},
                "ego": {"lane": 0, "station": 100, "speed_kph": "= speed_kph"},
                "driver": {"set_speed_kph": "= speed_kph", "time_gap": 1.6},
                "actors": [
                    {"station": "= front + 2 * speed_kph", "speed": 0, "offset": "= overlap * ego_width"}
                ],
            },
            "limits": {"contact": {"at_most": 0}, "peak_deceleration": {"at_most": "= 4 + 2"}},
        }
    },
}


def setting(**more) -> Setting:
    return Setting(vehicle=load_vehicle("sedan_ice", CONFIG), config=CONFIG, **more)


def suite_of(tmp_path: Path, content=CONTENT) -> DataSuite:
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return DataSuite(file)


def changed(path: tuple[str, ...], value) -> dict:
    """The content with one value changed."""
    content = yaml.safe_load(yaml.safe_dump(CONTENT))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


@given(a=NUMBERS, b=NUMBERS)
def test_expressions_compute_what_python_computes(a, b):
    names = {"a": a, "b": b}
    assert evaluate("a + 2 * b - min(a, b)", names) == a + 2 * b - min(a, b)
    assert evaluate("a if a < b else -b", names) == (a if a < b else -b)
    assert evaluate("0 < a <= b or not a > 1", names) == (0 < a <= b or not a > 1)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a.real", "[a]", "a; b", "c", "'text'", "1 / 0", "lambda: 1", "open(a)", ""]
)
def test_whatever_is_not_arithmetic_on_known_names_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        evaluate(text, {"a": 1.0, "b": 2.0})


def test_only_texts_with_an_equals_sign_are_filled():
    assert fill({"a": ["= x * 2", "x"], "b": 3}, {"x": 4.0}) == {"a": [8.0, "x"], "b": 3}


def test_every_combination_that_the_car_can_drive_is_a_case(tmp_path):
    suite = suite_of(tmp_path)
    assert [case.parameters["overlap"] for case in suite.cases(setting())] == [-0.5, 0.5]
    full = suite.cases(setting(full=True))
    assert {case.parameters["speed_kph"] for case in full} == {50, 80}  # nobody drives at 300 km/h
    assert len({case.name for case in full}) == len(full) == 4
    case = full[-1]
    front = 100 + setting().vehicle.facts.dimensions.rear_axle_to_front
    assert case.scenario.actors[0].station == pytest.approx(front + 160)
    assert case.scenario.ego.speed == pytest.approx(80 / 3.6)
    assert case.limits["peak_deceleration"].at_most == 6.0


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("families", "standing", "limits"), {"kontact": {"at_most": 0}}, "did you mean 'contact'"),
        (("families", "standing", "limits"), {"contact": {}}, "at_most"),
        (("families", "standing", "where"), "speed <= 3", "'speed' is unknown"),
        (("families", "standing", "let"), {"front": "100 +"}, "no expression"),
        (("families", "standing", "grid"), {"speed_kph": {"subset": [1], "full": [2]}}, "subset"),
        (("families", "standing", "scenario", "duration"), "= 'long'", "not allowed"),
        (("families", "standing", "scenario", "ego", "lane"), 5, "lane 5"),
        (("families", "standing", "color"), "red", "unknown key"),
    ],
)
def test_a_mistake_in_a_suite_file_names_file_and_rule(tmp_path, path, value, words):
    with pytest.raises(ConfigError, match=r"own\.yaml") as error:
        suite_of(tmp_path, changed(path, value)).cases(setting(full=True))
    assert words in str(error.value)


def test_an_unknown_suite_is_refused_with_the_known_ones():
    with pytest.raises(ScenarioError, match="r157"):
        load_suite("r158", CONFIG)


@pytest.mark.parametrize(
    "name", [name for name in suite_names(CONFIG) if (CONFIG / "proving" / f"{name}.yaml").exists()]
)
def test_every_shipped_suite_makes_cases_for_every_vehicle(name):
    suite = load_suite(name, CONFIG)
    for vehicle in vehicle_names(CONFIG):
        cases = suite.cases(Setting(vehicle=load_vehicle(vehicle, CONFIG), config=CONFIG))
        assert len({case.name for case in cases}) == len(cases)
    assert len(suite.cases(setting())) > 0


@pytest.mark.parametrize(
    ("limit", "value", "holds"),
    [
        (Limit(at_most=1.0), 1.0, True),
        (Limit(at_most=1.0), 1.01, False),
        (Limit(at_least=1.0), 1.0, True),
        (Limit(at_least=1.0, at_most=2.0), 2.5, False),
        (Limit(at_least=1.0, at_most=2.0), 0.5, False),
    ],
)
def test_limits_include_their_border(limit, value, holds):
    assert bool(limit.broken_by(value)) is not holds


def row(name: str, verdict: str = PASS) -> Row:
    return Row(suite="s", family="f", name=name, parameters={}, verdict=verdict, reason="why", measures={})


def test_a_suite_passes_only_where_every_case_does_and_there_is_one():
    assert summary_of([row("a"), row("b")])["verdict"] == PASS
    assert summary_of([])["verdict"] == FAIL
    summary = summary_of([row("a"), row("b", FAIL), row("c", "error")])
    assert (summary["verdict"], summary["failed"], summary["errors"]) == (FAIL, 1, 1)
    assert summary["failed_cases"] == ["b: why", "c: why"]


@given(shape=st.lists(st.integers(1, 12), min_size=1, max_size=3), seed=st.integers(0, 99), data=st.data())
def test_a_spread_has_so_many_different_cells_all_inside_the_grid(shape, seed, data):
    cells = 1
    for size in shape:
        cells *= size
    count = data.draw(st.integers(0, min(cells, 60)))
    chosen = spread_indices(shape, count, seed)
    assert len(set(chosen)) == len(chosen) == count
    assert chosen == sorted(chosen) == spread_indices(shape, count, seed)
    assert all(0 <= index < size for cell in chosen for index, size in zip(cell, shape, strict=True))


def test_a_spread_reaches_every_part_of_what_it_is_spread_over():
    chosen = spread(range(1000), 50, seed=1)
    assert all(
        sum(start <= value < start + 100 for value in chosen) in range(3, 8) for start in range(0, 1000, 100)
    )
    assert spread(range(1000), 50, seed=2) != chosen
    assert spread(range(10), None, 1) == range(10) == spread(range(10), 11, 1)
