"""Our messages as CDR bytes (OMG DDS-XTypes 7.4, as ROS 2 writes it), straight from the dataclasses.

The same bytes as by way of the bag library's own message objects, which a test compares, in a third of the time: every message of
a drive is encoded once. Values are aligned to their size, counted from behind the header.
"""

import sys
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from struct import Struct

import numpy as np

from pilot_common.messages import FieldPlan, Message, field_plans, to_nanoseconds

HEADER = bytes((0, sys.byteorder == "little", 0, 0))
CODES = {"float": "d", "int": "i", "bool": "?", "enum": "B"}
PADDING = [bytes(count) for count in range(8)]
LENGTH = Struct("=I")
TIME = Struct("=iI")

Step = Callable[[bytearray, Message], None]


class CdrEncoder:
    """Encodes any message; what a class looks like is worked out at its first message."""

    def __init__(self) -> None:
        self._steps: dict[type[Message], list[Step]] = {}

    def encode(self, message: Message) -> bytes:
        """The CDR bytes of a message, header included."""
        out = bytearray(HEADER)
        self._write(out, message)
        return bytes(out)

    def _write(self, out: bytearray, message: Message) -> None:
        steps = self._steps.get(type(message))
        if steps is None:
            steps = self._steps[type(message)] = self._steps_of(type(message))
        for step in steps:
            step(out, message)

    def _steps_of(self, message_class: type[Message]) -> list[Step]:
        """Neighbouring numbers become one step, every other field its own."""
        steps: list[Step] = []
        for numbers, group in groupby(field_plans(message_class), lambda plan: plan.kind in CODES):
            plans = list(group)
            steps += [_numbers(plans)] if numbers else [self._step(message_class, plan) for plan in plans]
        return steps

    def _step(self, owner: type[Message], plan: FieldPlan) -> Step:
        get = attrgetter(plan.name)
        if plan.kind == "time":
            frame = owner.FRAME if plan.name == "stamp" else None
            return lambda out, message: _time(out, get(message), frame)
        if plan.kind == "message":
            return lambda out, message: self._write(out, get(message))
        if plan.kind == "array":
            return lambda out, message: _array(out, get(message))
        if plan.kind == "strings":
            return lambda out, message: _strings(out, get(message))
        return lambda out, message: _string(out, get(message))


def _numbers(plans: list[FieldPlan]) -> Step:
    """Neighbouring numbers by one packing, of which there is one for each place that they can start at."""
    names, codes = [plan.name for plan in plans], [CODES[plan.kind] for plan in plans]
    get = attrgetter(*names)
    packings = [_packing(codes, start) for start in range(8)]
    if len(names) == 1:
        return lambda out, message: out.extend(packings[len(out) + 4 & 7].pack(get(message)))
    return lambda out, message: out.extend(packings[len(out) + 4 & 7].pack(*get(message)))


def _packing(codes: list[str], start: int) -> Struct:
    layout, place = "=", start
    for code in codes:
        size = Struct(f"={code}").size
        layout += f"{-place % size}x{code}"
        place += -place % size + size
    return Struct(layout)


def _time(out: bytearray, seconds: float, frame: str | None) -> None:
    """A time, as a header with its frame where one is given."""
    out += PADDING[-len(out) & 3]
    out += TIME.pack(*divmod(to_nanoseconds(seconds), 1_000_000_000))
    if frame is not None:
        _string(out, frame)


def _string(out: bytearray, text: str) -> None:
    content = text.encode()
    out += PADDING[-len(out) & 3]
    out += LENGTH.pack(len(content) + 1)
    out += content
    out.append(0)


def _strings(out: bytearray, texts: tuple[str, ...]) -> None:
    out += PADDING[-len(out) & 3]
    out += LENGTH.pack(len(texts))
    for text in texts:
        _string(out, text)


def _array(out: bytearray, array: np.ndarray) -> None:
    """The elements, row by row, behind their number."""
    out += PADDING[-len(out) & 3]
    out += LENGTH.pack(array.size)
    if array.size:
        if array.itemsize == 8:
            out += PADDING[4 - len(out) & 7]
        out += array.tobytes()
