"""Writes `pilot_msgs/msg/*.msg` from the dataclasses in `types.py`: `python -m pilot_common.interfaces src/pilot_msgs/msg`.

The dataclasses are the source; a test compares. Enumerations become constants beside the field that holds them.
"""

import inspect
import re
import sys
from pathlib import Path

from pilot_common import types as vocabulary
from pilot_common.messages import FieldPlan, Message, field_plans

SCALARS = {
    "float": "float64",
    "int": "int32",
    "bool": "bool",
    "str": "string",
    "strings": "string[]",
    "enum": "uint8",
}


def interface_files() -> dict[str, str]:
    """Content by file name, for every message class of the vocabulary."""
    classes = (
        c
        for c in vars(vocabulary).values()
        if isinstance(c, type) and issubclass(c, Message) and c is not Message
    )
    return {f"{message_class.__name__}.msg": interface(message_class) for message_class in classes}


def interface(message_class: type[Message]) -> str:
    """The `.msg` text of one class: its docstring as comment, constants, fields with their shapes."""
    comment = "\n".join(
        f"# {line}".rstrip() for line in inspect.cleandoc(message_class.__doc__ or "").splitlines()
    )
    constants: list[str] = []
    lines: list[str] = []
    for plan in field_plans(message_class):
        if plan.kind == "enum":
            prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", plan.python.__name__).upper()
            constants += [f"uint8 {prefix}_{item.name}={item.value}" for item in plan.python]
        lines.append(_line(plan))
    parts = [comment, "\n".join(dict.fromkeys(constants)), "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _line(plan: FieldPlan) -> str:
    if plan.kind == "time":
        return "std_msgs/Header header" if plan.name == "stamp" else f"builtin_interfaces/Time {plan.name}"
    if plan.kind == "message":
        return f"{plan.python.__name__} {plan.name}"
    if plan.layout is not None:
        shape = " x ".join((plan.layout.letter, *map(str, plan.layout.columns)))
        return f"{plan.layout.dtype}[] {plan.name}  # {shape}"
    return f"{SCALARS[plan.kind]} {plan.name}"


def main() -> None:
    """Writes the files into the folder given and removes those that no class stands for."""
    folder = Path(sys.argv[1])
    files = interface_files()
    for stray in folder.glob("*.msg"):
        if stray.name not in files:
            stray.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
