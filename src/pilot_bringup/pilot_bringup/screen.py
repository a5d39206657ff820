"""Where words go: with `--json` standard output carries one JSON object and nothing else, and all words go to standard error."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

PAGE_WIDTH = 160  # of tables that go to a file or another program


class Screen:
    """Prints for people and, at the end, for programs."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        people = sys.stderr if as_json else sys.stdout
        width = None if people.isatty() else PAGE_WIDTH
        self.console = Console(file=people, highlight=False, soft_wrap=True, width=width)
        self.progress_console = Console(stderr=True, highlight=False)

    def say(self, text: str, style: str | None = None) -> None:
        """One line for people."""
        self.console.print(text, style=style, markup=False)

    def verdict(self, sentence: str, passed: bool) -> None:
        """The one-line verdict."""
        self.say(sentence, "bold green" if passed else "bold red")

    def table(self, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A table for people."""
        table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, no_wrap=index == 0)
        for row in rows:
            table.add_row(*row)
        self.console.print(table, soft_wrap=False)

    def answer(self, content: Mapping[str, Any]) -> None:
        """The JSON object, if one was asked for: the last line on standard output."""
        if self.as_json:
            sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self, words: str, total: float) -> Iterator["Bar"]:
        """A bar on standard error, where it is a terminal; `total` in the unit that is told to it."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        quiet = not self.progress_console.is_terminal
        with Progress(*columns, console=self.progress_console, transient=True, disable=quiet) as progress:
            yield Bar(progress, progress.add_task(words, total=total))


class Bar:
    """A running progress bar."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress, self._task = progress, task

    def to(self, done: float, words: str | None = None) -> None:
        """Shows how much is done, and of what."""
        if words is None:
            self._progress.update(self._task, completed=done)
        else:
            self._progress.update(self._task, completed=done, description=words)
