"""Progress lines, the log file and the one error of the set-up."""

import os
import subprocess
import sys
import time

REPEAT_SECONDS = 15.0  # how often a step reports where the output is no terminal


class SetupError(Exception):
    """A failed set-up, worded for the person who has to do something about it."""


class Progress:
    """Prints one line per step with the elapsed time and runs commands whose output goes to the log file."""

    def __init__(self, title, log_file):
        self.log_file = log_file
        self._title = title
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._last_line = 0.0
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log_file.write_text(f"{title}\n")
        sys.stderr.write(f"{title}\n")

    def step(self, text):
        """Report a step that begins."""
        if self._terminal and self._last_line:
            sys.stderr.write("\n")
        self._last_line = time.monotonic()
        self._write(text)

    def done(self, text):
        """Report the end of the set-up."""
        self.step(text)
        if self._terminal:
            sys.stderr.write("\n")

    def run(self, text, command, environment, describe=lambda line: None, folder=None):
        """Run a command as one step. Return its exit status and its output.

        `describe` maps a line of output to a short progress text, or None for a line of no interest.
        """
        self.step(text)
        output = []
        with open(self.log_file, "a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(map(str, command))}\n")
            process = subprocess.Popen(
                [str(word) for word in command],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            try:
                for line in process.stdout:
                    log.write(line)
                    log.flush()
                    output.append(line)
                    detail = describe(line)
                    if detail:
                        self._update(f"{text}: {detail}")
            except BaseException:
                process.terminate()
                process.wait()
                raise
        return process.wait(), "".join(output)

    def _update(self, text):
        """Rewrite the line of the running step on a terminal; elsewhere add a line now and then."""
        if self._terminal:
            self._write(text)
        elif time.monotonic() - self._last_line > REPEAT_SECONDS:
            self._last_line = time.monotonic()
            self._write(text)

    def _write(self, text):
        line = f"  [{time.monotonic() - self._start:5.1f} s] {text}"
        if self._terminal:
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            sys.stderr.write(f"\r\033[K{line[:width]}")
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
