"""Where the recordings of a suite lie: where `--cases` says, in `PILOT_DATA`, or in `shared/data` beside the checkout."""

import os
from pathlib import Path

from pilot_common.errors import ScenarioError
from pilot_evaluation.proving.case import Setting

VARIABLE = "PILOT_DATA"


def recordings(setting: Setting, folder_name: str, pattern: str, what: str) -> list[Path]:
    """The files of a kind, `what` in words, in order of name. Raises ScenarioError where a folder was named that holds none."""
    given = setting.cases_file
    if given is not None and given.is_file():
        return [given]
    named = os.environ.get(VARIABLE)
    root = Path(named) if named else setting.config.parent.parent / "shared" / "data"
    folder = given or root / folder_name
    files = sorted(folder.glob(pattern))
    if not files and (given is not None or named):
        raise ScenarioError(
            f"{folder}: no {what}; --cases names their folder, or {VARIABLE} that of all recordings"
        )
    return files
