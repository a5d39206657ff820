"""The command line: finds the command, keeps the promises that hold for all of them, and ends with the right code.

Exit codes: 0 pass, 1 criteria failed, 2 bad input, 70 an error of ours (its traceback is in a log file), 130 interrupted.
"""

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

PASSED, FAILED, BAD_INPUT, OUR_ERROR, INTERRUPTED = 0, 1, 2, 70, 130
# Command: module, first line of help. Modules are imported only when called, so that help and errors come at once.
COMMANDS = {
    "drive": ("drive", "drive a scenario in real time through ROS 2 nodes, with report and bag"),
    "simulate": ("simulate", "the same in one process without middleware, as fast as it goes"),
    "replay": ("replay", "feed a bag through the functions again: hash and differences"),
    "audit": ("audit", "hold a bag against rule packs: UN R157, UN R79, ISO 11270, ISO 15622, …"),
    "prove": ("prove", "prove a vehicle on suites of cases (UN R157, Euro NCAP, …) with a scorecard"),
    "bench": ("bench", "measure the controller or the planner beside its peers, back to back"),
    "import": ("import_recording", "make a scenario or a bag of a real recording (commonroad, kitti)"),
    "vehicles": ("vehicles", "list the vehicles"),
    "scenarios": ("scenarios", "list the scenarios"),
}
# These take their words as they are.
PASS_THROUGH = {
    "test": ("pilot_bringup.test_command", "run the tests of all packages and of the house"),
    "launch": ("pilot_bringup.commands.launch", "ros2 launch pilot_bringup …"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    words = list(sys.argv[1:] if words is None else words)
    as_json = "--json" in words
    signal.signal(
        signal.SIGTERM, _interrupt
    )  # to be told to stop is Ctrl-C to us: close what is open, keep what there is
    try:
        return _run(words)
    except KeyboardInterrupt:
        return _end("interrupted", INTERRUPTED, as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more
        return INTERRUPTED
    except Exception as error:  # the last resort: a line for people, the traceback for us
        code = getattr(error, "exit_code", None)
        if isinstance(code, int):
            return _end(str(error), code, as_json)
        return _end(f"an error of Highway Pilot itself: {error!r}; see {_log(words)}", OUR_ERROR, as_json)


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _help()
        return PASSED if words else BAD_INPUT
    command, rest = words[0], words[1:]
    if command in PASS_THROUGH:
        return importlib.import_module(PASS_THROUGH[command][0]).run(rest)
    if command not in COMMANDS:
        known = ", ".join((*COMMANDS, *PASS_THROUGH))
        return _end(f"no command '{command}'; there are {known}", BAD_INPUT, "--json" in words)
    module = importlib.import_module(f"pilot_bringup.commands.{COMMANDS[command][0]}")
    parser = _Parser(prog=f"./pilot {command}", description=module.__doc__, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="last line on standard output: one JSON object")
    module.add_arguments(parser)
    options = parser.parse_args(rest)
    options.typed = " ".join(("./pilot", *(word for word in words if word != "--json")))
    from pilot_bringup.screen import Screen

    screen = Screen(options.json)
    content = module.run(options, screen)
    screen.answer(content)
    return PASSED if content["verdict"] == "pass" else content.get("exit_code", FAILED)


class _Parser(argparse.ArgumentParser):
    """Wrong words are bad input like any other: one line, and the JSON object where it was asked for."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise _UsageError(f"{message} (see {self.prog} --help)")


class _UsageError(Exception):
    exit_code = BAD_INPUT


def _help() -> None:
    lines = ["usage: ./pilot COMMAND [options]    (./pilot COMMAND --help tells more)", ""]
    for name, (_, text) in {**COMMANDS, **PASS_THROUGH}.items():
        lines.append(f"  {name:<11}{text}")
    lines += [
        "",
        "  setup      only make everything that is missing",
        "  exec       run any program in the environment",
        "  shell      an interactive shell in the environment",
    ]
    print("\n".join(lines))


def _end(text: str, code: int, as_json: bool) -> int:
    """Says in one line what went wrong."""
    red, plain = ("\033[31m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{red}{' '.join(text.split())}{plain}", file=sys.stderr)
    if as_json:
        print(
            json.dumps(
                {"verdict": "fail", "criteria": {}, "error": text, "exit_code": code}, ensure_ascii=False
            )
        )
    return code


def _log(words: Sequence[str]) -> Path:
    """Writes the traceback of the error at hand and returns the file."""
    root = os.environ.get("HIGHWAY_PILOT_ROOT")
    folder = Path(root, ".pilot", "log") if root else Path(tempfile.gettempdir())
    file = folder / f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(f"./pilot {' '.join(words)}\n\n{traceback.format_exc()}", encoding="utf-8")
    except OSError:
        file = Path(tempfile.gettempdir()) / file.name
        file.write_text(f"./pilot {' '.join(words)}\n\n{traceback.format_exc()}", encoding="utf-8")
    return file


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
