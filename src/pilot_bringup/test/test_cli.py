"""What holds for every command: help at once, one line for an error, the right code, one JSON object for programs."""

import json
import os
import subprocess
import sys

import pytest

from pilot_bringup import cli

HEAVY = ("numpy", "scipy", "rich", "yaml", "rclpy", "pilot_common", "pilot_evaluation")


def test_help_imports_nothing_heavy():
    program = "import sys; from pilot_bringup import cli; code = cli.main(['--help']); print(sorted(sys.modules)); exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    help_text, _, modules = done.stdout.rpartition("\n[")
    for command in (*cli.COMMANDS, *cli.PASS_THROUGH):
        assert command in help_text
    assert not [name for name in HEAVY if f"'{name}'" in modules]


def test_no_command_at_all_is_bad_input(capsys):
    assert cli.main([]) == cli.BAD_INPUT
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["fly"], ["drive", "--seconds", "soon"], ["simulate", "--vehicle"], ["vehicles", "--no"]]
)
def test_wrong_words_are_one_line_and_code_2(words, capsys):
    assert cli.main(words) == cli.BAD_INPUT
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert "Traceback" not in error


def test_an_error_is_a_json_object_where_one_was_asked_for(capsys):
    assert cli.main(["simulate", "--vehicle", "cart", "--json"]) == cli.BAD_INPUT
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["verdict"] == "fail"
    assert answer["criteria"] == {}
    assert "cart" in answer["error"]


@pytest.fixture
def broken_command(monkeypatch):
    """A command with an error of ours in it."""
    from pilot_bringup.commands import vehicles

    def run(options, screen):
        raise RuntimeError("gearbox fell out")

    monkeypatch.setattr(vehicles, "run", run)


def test_an_error_of_ours_keeps_its_traceback_in_a_file(broken_command, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HIGHWAY_PILOT_ROOT", str(tmp_path))
    assert cli.main(["vehicles"]) == cli.OUR_ERROR
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert "Traceback" not in error
    (file,) = (tmp_path / ".pilot" / "log").iterdir()
    assert str(file) in error
    text = file.read_text()
    assert "Traceback" in text and "gearbox fell out" in text and "./pilot vehicles" in text


def test_an_interrupt_ends_quietly_with_its_own_code(monkeypatch, capsys):
    from pilot_bringup.commands import vehicles

    def run(options, screen):
        raise KeyboardInterrupt

    monkeypatch.setattr(vehicles, "run", run)
    assert cli.main(["vehicles"]) == cli.INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command, key", [("vehicles", "vehicles"), ("scenarios", "scenarios")])
def test_lists_are_tables_for_people_and_json_for_programs(command, key, capsys):
    assert cli.main([command, "--json"]) == cli.PASSED
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    answer = json.loads(line)
    assert answer["verdict"] == "pass"
    assert len(answer[key]) >= 4
    assert all(entry["name"] in captured.err for entry in answer[key])
    assert cli.main([command]) == cli.PASSED
    assert all(entry["name"] in capsys.readouterr().out for entry in answer[key][:1])
