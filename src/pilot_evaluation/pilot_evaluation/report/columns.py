"""Numbers made small: a column becomes integers of a stated resolution, each written as the difference from the one before."""

import math
from collections.abc import Iterable
from typing import Any


def pack(values: Iterable[float], resolution: float) -> dict[str, Any]:
    """A column as `{"r": resolution, "d": [first, difference, …]}`; a value that is not finite becomes null (no value there).

    Rounding happens before the differences are taken, so errors do not add up: every value is right to half a resolution.
    """
    differences: list[int | None] = []
    last = 0
    for value in values:
        if not math.isfinite(value):
            differences.append(None)
            continue
        rounded = round(value / resolution)
        differences.append(rounded - last)
        last = rounded
    return {"r": resolution, "d": differences}


def unpack(column: dict[str, Any]) -> list[float]:
    """The values of a packed column, NaN where there is none: what the page does, for tests and other readers."""
    values, last = [], 0
    for difference in column["d"]:
        if difference is None:
            values.append(math.nan)
            continue
        last += difference
        values.append(last * column["r"])
    return values
