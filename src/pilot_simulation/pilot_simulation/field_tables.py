"""The page of all fields of a scenario, from the dataclasses: `python -m pilot_simulation.field_tables docs/scenarios.md`."""

import enum
import inspect
import sys
import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from pilot_simulation.scenario import Scenario

HEAD = """# Scenarios

What stands in `config/scenarios/<name>.yaml`. Written by `python -m pilot_simulation.field_tables` from the dataclasses that
load it; a test compares. Times count from the start, lanes from the right and from 0, stations along the road from its
beginning. Instead of SI a key may end in `_kph`, `_deg`, `_ms`, `_mm`, `_km` or `_percent`.
"""


def page() -> str:
    """The page, each class once, in the order in which the fields of `Scenario` lead to them."""
    classes: list[type] = [Scenario]
    for owner in classes:
        for hint in typing.get_type_hints(owner).values():
            classes += [part for part in _dataclasses(hint) if part not in classes]
    return "\n".join([HEAD, *(_section(owner) for owner in classes)])


def _dataclasses(hint: Any) -> list[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        return [hint]
    return [found for part in typing.get_args(hint) for found in _dataclasses(part)]


def _section(owner: type) -> str:
    hints = typing.get_type_hints(owner)
    rows = [
        _row(item, hints[item.name])
        for item in fields(owner)
        if not (owner is Scenario and item.name in ("name", "folder"))  # given by where the file lies
    ]
    table = "\n".join(["| field | holds | unless given | range | means |", "|---|---|---|---|---|", *rows])
    said = " ".join((inspect.getdoc(owner) or "").split())
    return f"## {owner.__name__}\n\n{said}\n\n{table}\n"


def _row(item: "Field[Any]", hint: Any) -> str:
    limits = item.metadata.get("range")
    unit = f" {limits.unit}" if limits is not None and limits.unit else ""
    span = f"{limits.minimum:g} to {limits.maximum:g}{unit}" if limits is not None else ""
    meaning = limits.meaning if limits is not None else ""
    return f"| `{item.name}` | {_holds(hint)} | {_default(item)} | {span} | {meaning} |"


def _holds(hint: Any) -> str:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return _holds(arguments[0])
    if typing.get_origin(hint) is tuple:
        if len(arguments) == 2 and arguments[1] is ...:
            return f"list of {_holds(arguments[0])}"
        return "[" + ", ".join(_holds(part) for part in arguments) + "]"
    if typing.get_origin(hint) is dict:
        return "limits by name"
    if is_dataclass(hint):
        name = hint.__name__  # type: ignore[union-attr]
        return f"[{name}](#{name.lower()})"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " \\| ".join(value.name.lower() for value in hint)
    return {float: "number", int: "whole number", str: "text", bool: "true or false"}[hint]


def _default(item: "Field[Any]") -> str:
    value = item.default
    if value is MISSING:
        return "**must be given**"
    if value is None or value == ():
        return "none"
    if is_dataclass(value):
        return "as it is"
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def main() -> None:
    """Writes the page to the file named."""
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
