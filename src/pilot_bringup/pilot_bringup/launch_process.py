"""`ros2 launch` as a child: its words go to a file, it is asked to end and made to end, and nothing of it stays behind."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pilot_common.errors import PilotError

DRIVES = r"drives \S+ with \S+"  # what the simulation says when all functions are there and the drive begins
PATIENCE = 30.0  # s from asking to end to SIGTERM; the recorder finishes its bag in this time
LAST_PATIENCE = 5.0  # s from SIGTERM to SIGKILL of the whole group


class LaunchError(PilotError):
    """The launch did not do what it was started for."""

    exit_code = 70


class LaunchProcess:
    """A running `ros2 launch pilot_bringup …` in a process group of its own: Ctrl-C reaches it only through `stop`."""

    def __init__(self, words: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        command = ["ros2", "launch", "pilot_bringup", *words]
        with log.open("wb") as output:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise LaunchError(
                    "there is no ros2 command: start through ./pilot or source a ROS 2"
                ) from None
        self._read = 0
        self._text = ""

    @property
    def code(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.poll()

    def said(self, pattern: str) -> bool:
        """Whether a line of its output matches so far."""
        with self.log.open("rb") as stream:
            stream.seek(self._read)
            new = stream.read()
        self._read += len(new)
        self._text += new.decode(errors="replace")
        return re.search(pattern, self._text) is not None

    def complaint(self) -> str:
        """What it said last that sounds like an error, in one line."""
        self.said("")
        lines = [line.strip() for line in self._text.splitlines() if line.strip()]
        wrong = [line for line in lines if re.search(r"(?i)error|_node: |died|exception|refus", line)]
        return (wrong or lines or ["it said nothing"])[-1]

    def stop(self) -> None:
        """Asks it to end as Ctrl-C does, then insists; returns when it and all it started are gone."""
        for number, patience in ((signal.SIGINT, PATIENCE), (signal.SIGTERM, LAST_PATIENCE)):
            if self.code is not None:
                break
            self._process.send_signal(number)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self._end_group()

    def _end_group(self) -> None:
        """What the launch left behind, if it did, goes with its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> "LaunchProcess":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
