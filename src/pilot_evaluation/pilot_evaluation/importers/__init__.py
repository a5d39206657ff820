"""Real recordings made into scenarios and bags of this project."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote: where, and what is in it (counts, seconds), for the command to print."""

    path: Path
    facts: dict[str, int | float | str]
