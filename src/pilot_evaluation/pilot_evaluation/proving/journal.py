"""What is done of a long run, written down as it goes on, so that a run that was stopped is taken up where it was.

One line of JSON per row behind a first line that says of what: without the same code, configuration, vehicle and seed the rows
would not belong together.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from pilot_common.vehicle import resolved_yaml
from pilot_evaluation.proving.case import ERROR, Row, Setting, Suite
from pilot_evaluation.proving.rows import stem
from pilot_evaluation.results import FolderError, plain_number

ROOMS = (
    "common",
    "vehicle",
    "detection",
    "fusion",
    "planning",
    "control",
    "supervision",
    "simulation",
    "evaluation",
)
SUFFIX = ".journal"


class Journal:
    """Rows of a suite in `folder`; `rows` are those of an earlier run, by name. Raises FolderError for one of something else."""

    def __init__(self, folder: Path, suite: Suite, setting: Setting) -> None:
        self.rows: dict[str, Row] = {}
        self._file = folder / f"{stem(suite, setting)}{SUFFIX}"
        key = json.dumps({"of": origin(setting)})
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        if lines and lines[0] != key:
            raise FolderError(
                f"{self._file}: was written by other code, configuration, seed or vehicle; its rows cannot be gone on with"
            )
        for line in lines[1:]:
            try:
                row = Row(**json.loads(line))
            except (ValueError, TypeError):  # the last line of a run that was killed
                continue
            if row.verdict != ERROR:  # what crashed is tried again
                self.rows[row.name] = row
        # Written anew, for a line that was cut off must not swallow the next one.
        self._file.write_text(
            "".join(f"{line}\n" for line in (key, *map(_line, self.rows.values()))), "utf-8"
        )

    def add(self, rows: Sequence[Row]) -> None:
        """Notes rows as done."""
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(f"{_line(row)}\n" for row in rows)


def forget(folder: Path) -> None:
    """The whole run in a folder is complete: its rows stand in files of their own."""
    for file in folder.glob(f"*{SUFFIX}"):
        file.unlink()


def origin(setting: Setting) -> str:
    """Digest of all that decides about a row besides its case: code, configuration, vehicle, seed, kind of perception."""
    digest = hashlib.sha256(f"{setting.seed} {setting.perfect}".encode())
    digest.update(resolved_yaml(setting.vehicle, {}).encode())
    for room in ROOMS:
        found = find_spec(f"pilot_{room}")
        for place in (found.submodule_search_locations or ()) if found is not None else ():
            for file in sorted(Path(place).rglob("*.py")):
                digest.update(file.read_bytes())
    for file in sorted(setting.config.rglob("*.yaml")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _line(row: Row) -> str:
    return json.dumps(asdict(row), ensure_ascii=False, default=plain_number)
