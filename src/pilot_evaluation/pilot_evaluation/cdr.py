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
# By the place, modulo 8, that they are written at: padding, a length, and padding again where elements of 8 bytes follow.
# (The header's 4 bytes count for the place, but not for alignment.)
LENGTH = [Struct(f"={-place % 4}xI").pack for place in range(8)]
LENGTH_OF_WIDE = [Struct(f"={-place % 4}xI{(place + -place % 4) % 8}x").pack for place in range(8)]
TIME = [Struct(f"={-place % 4}xiI").pack for place in range(8)]
NANOSECONDS = 1_000_000_000

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
        """Neighbouring numbers become one step, neighbouring arrays another, every other field its own."""
        steps: list[Step] = []
        for kind, group in groupby(field_plans(message_class), _kind):
            plans = list(group)
            if kind == "numbers":
                steps.append(_numbers(plans))
            elif kind == "array":
                steps.append(_arrays([plan.name for plan in plans]))
            else:
                steps += [self._step(message_class, plan) for plan in plans]
        return steps

    def _step(self, owner: type[Message], plan: FieldPlan) -> Step:
        get = attrgetter(plan.name)
        if plan.kind == "time":
            tail = _header_tail(owner.FRAME) if plan.name == "stamp" else b""
            return lambda out, message: _time(out, get(message), tail)
        if plan.kind == "message":
            return lambda out, message: self._write(out, get(message))
        if plan.kind == "strings":
            return lambda out, message: _strings(out, get(message))
        return lambda out, message: _string(out, get(message))


def _kind(plan: FieldPlan) -> str:
    return "numbers" if plan.kind in CODES else plan.kind


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


def _time(out: bytearray, seconds: float, tail: bytes) -> None:
    """A time, and behind it what a header has."""
    out += TIME[len(out) & 7](*divmod(to_nanoseconds(seconds), NANOSECONDS))
    out += tail


def _header_tail(frame: str) -> bytes:
    """The frame as it stands in a header: behind the time, so always in the same alignment."""
    out = bytearray()
    _string(out, frame)
    return bytes(out)


def _string(out: bytearray, text: str) -> None:
    content = text.encode()
    out += LENGTH[len(out) & 7](len(content) + 1)
    out += content
    out.append(0)


def _strings(out: bytearray, texts: tuple[str, ...]) -> None:
    out += LENGTH[len(out) & 7](len(texts))
    for text in texts:
        _string(out, text)


def _arrays(names: list[str]) -> Step:
    """Neighbouring arrays in one step."""
    if len(names) == 1:
        get_one = attrgetter(names[0])
        return lambda out, message: _write_arrays(out, (get_one(message),))
    get = attrgetter(*names)
    return lambda out, message: _write_arrays(out, get(message))


def _write_arrays(out: bytearray, arrays: tuple[np.ndarray, ...]) -> None:
    """The elements of each, row by row, behind their number."""
    for array in arrays:
        size = array.size
        if size and array.itemsize == 8:
            out += LENGTH_OF_WIDE[len(out) & 7](size)
            out += array.tobytes()
        else:
            out += LENGTH[len(out) & 7](size)
            if size:
                out += array.tobytes()
