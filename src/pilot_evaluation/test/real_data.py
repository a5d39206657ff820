"""Where real recordings lie, for the tests that use them: they are in nobody's repository and may be anywhere or nowhere."""

import os
from pathlib import Path

import pytest

from pilot_common.folders import config_folder

VARIABLE = "PILOT_DATA"  # names the folder; else `shared/data` beside the checkout is tried


def real_data(*parts: str) -> Path:
    """A folder or file among the real recordings; without it the test is skipped."""
    named = os.environ.get(VARIABLE)
    root = Path(named) if named else config_folder().parent.parent / "shared" / "data"
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no real recordings at {path}; {VARIABLE} names their folder")
    return path
