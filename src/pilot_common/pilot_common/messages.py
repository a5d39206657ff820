"""What a message is: a frozen dataclass of scalars and parallel arrays, checked once, at construction.

A field's annotation says all there is to know of it: `Vector` is a column of N floats, `Points` N rows of two, `Stamp` a time.
From these annotations come the shape check here, the `.msg` files of `pilot_msgs` and the conversion at the ROS border, so none
of them can disagree with the dataclasses in `types.py`.
"""

import enum
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType
from typing import Annotated, Any, ClassVar

import numpy as np

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """An array field: element type, the letter its length is counted by within the message, and the columns a row has."""

    dtype: str
    letter: str = "N"
    columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeMark:
    """Marks a float field as a point in time (float seconds here, integer nanoseconds in messages)."""


Stamp = Annotated[float, TimeMark()]
Array = np.ndarray
Vector = Annotated[Array, Layout("float64")]
Points = Annotated[Array, Layout("float64", "N", (2,))]
Points3 = Annotated[Array, Layout("float64", "N", (3,))]
Boxes = Annotated[Array, Layout("float64", "N", (4,))]
Matrices2 = Annotated[Array, Layout("float64", "N", (2, 2))]
Matrices4 = Annotated[Array, Layout("float64", "N", (4, 4))]
Codes = Annotated[Array, Layout("uint8")]
Identities = Annotated[Array, Layout("uint32")]
Flags = Annotated[Array, Layout("bool")]
SensorCodes = Annotated[Array, Layout("uint8", "S")]
MarkCodes = Annotated[Array, Layout("uint8", "M")]
MarkVector = Annotated[Array, Layout("float64", "M")]
MarkCubics = Annotated[Array, Layout("float64", "M", (4,))]
MarkRanges = Annotated[Array, Layout("float64", "M", (2,))]
LaneVector = Annotated[Array, Layout("float64", "L")]
LaneCodes = Annotated[Array, Layout("uint8", "L")]
PathVector = Annotated[Array, Layout("float64", "P")]
PathPoints = Annotated[Array, Layout("float64", "P", (2,))]
TimeVector = Annotated[Array, Layout("float64", "T")]
TimePoints = Annotated[Array, Layout("float64", "T", (2,))]
LinePoints = Annotated[Array, Layout("float64", "Q", (2,))]
LineCodes = Annotated[Array, Layout("uint8", "Q")]
BoundVector = Annotated[Array, Layout("float64", "C")]
BoundIdentities = Annotated[Array, Layout("uint32", "C")]
BoundArguments = Annotated[Array, Layout("float64", "C", (20,))]
RouteVector = Annotated[Array, Layout("float64", "R")]
RouteFlags = Annotated[Array, Layout("bool", "R")]
LimitVector = Annotated[Array, Layout("float64", "K")]
Intentions = Annotated[Array, Layout("float64", "N", (3,))]


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field of a message, resolved: its name, kind and, for arrays, layout."""

    name: str
    kind: str  # time | float | int | bool | str | enum | strings | array | message
    python: Any
    layout: Layout | None = None


def _field_plans(message_class: type) -> tuple[FieldPlan, ...]:
    """The fields of a message class in order, with what each holds. Raises TypeError for an annotation no message can carry."""
    hints = typing.get_type_hints(message_class, include_extras=True)
    return tuple(_plan(message_class, field.name, hints[field.name]) for field in fields(message_class))


field_plans: Callable[[type], tuple[FieldPlan, ...]] = cache(_field_plans)


def _plan(owner: type, name: str, hint: Any) -> FieldPlan:
    if typing.get_origin(hint) is Annotated:
        base, mark = typing.get_args(hint)[:2]
        if isinstance(mark, TimeMark):
            return FieldPlan(name, "time", float)
        if isinstance(mark, Layout):
            return FieldPlan(name, "array", base, mark)
    if hint == tuple[str, ...]:
        return FieldPlan(name, "strings", tuple)
    if isinstance(hint, type) and hint is not NoneType:
        if issubclass(hint, Message):
            return FieldPlan(name, "message", hint)
        if issubclass(hint, enum.IntEnum):
            return FieldPlan(name, "enum", hint)
        for python, kind in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
            if hint is python:
                return FieldPlan(name, kind, python)
    raise TypeError(f"{owner.__name__}.{name}: a message cannot carry {hint!r}")


ArrayPlan = tuple[str, np.dtype, str, tuple[int, ...]]


def _read_array_plans(message_class: type) -> tuple[ArrayPlan, ...]:
    return tuple(
        (plan.name, np.dtype(plan.layout.dtype), plan.layout.letter, plan.layout.columns)
        for plan in field_plans(message_class)
        if plan.layout is not None
    )


# Looked up at every construction of a message, so computed once a class.
_array_plans: Callable[[type], tuple[ArrayPlan, ...]] = cache(_read_array_plans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Base of everything that travels over a topic. `FRAME` is the frame of every quantity that does not name another."""

    FRAME: ClassVar[str] = "base_link"

    def __post_init__(self) -> None:
        """Arrays get their declared type and are not to be changed. Raises ValueError where shapes do not fit."""
        lengths: dict[str, int] = {}
        for plan in _array_plans(type(self)):
            name, dtype, letter, columns = plan
            value = getattr(self, name)
            # Almost always it is right already; the rest is for what is not. (Compiled code has dtypes of its own, equal ones.)
            if type(value) is np.ndarray and (value.dtype is dtype or value.dtype == dtype):
                shape = value.shape
                if shape and shape[1:] == columns and lengths.setdefault(letter, shape[0]) == shape[0]:
                    continue
            object.__setattr__(self, name, self._fitted(plan, value, lengths))

    def _fitted(self, plan: ArrayPlan, value: Any, lengths: dict[str, int]) -> np.ndarray:
        """The value of a field as an array of its type and shape. Raises ValueError where it cannot be one."""
        name, dtype, letter, columns = plan
        array = np.asarray(value, dtype)
        if array.size == 0 and array.ndim != 1 + len(columns):
            array = array.reshape((0, *columns))
        if array.ndim != 1 + len(columns) or array.shape[1:] != columns:
            expected = (letter, *columns)
            raise ValueError(f"{type(self).__name__}.{name} has shape {array.shape}, expected {expected}")
        if lengths.setdefault(letter, array.shape[0]) != array.shape[0]:
            raise ValueError(
                f"{type(self).__name__}.{name} has {array.shape[0]} rows where {letter} = {lengths[letter]}"
            )
        return array


def empty_arrays(message_class: type[Message]) -> dict[str, np.ndarray]:
    """Arrays of length zero for every array field, as keyword arguments: a message that reports nothing."""
    return {name: np.empty((0, *columns), dtype) for name, dtype, _, columns in _array_plans(message_class)}


def take(message: Message, rows: np.ndarray, letter: str = "N") -> dict[str, np.ndarray]:
    """The array fields counted by `letter`, reduced to `rows` (indices or a mask), as keyword arguments for `replace`."""
    return {
        name: getattr(message, name)[rows] for name, _, own, _ in _array_plans(type(message)) if own == letter
    }


def to_nanoseconds(seconds: float) -> int:
    """Integer nanoseconds of a time in float seconds, which `to_seconds` reads back exactly (whole seconds are split off first).

    Not the other way round: a float of seconds since the epoch tells 2.4e-7 s apart, so a foreign stamp is rounded once.
    """
    whole = int(seconds)
    return whole * NANOSECONDS + round((seconds - whole) * NANOSECONDS)


def to_seconds(nanoseconds: int) -> float:
    """Float seconds of a time in integer nanoseconds."""
    whole, rest = divmod(nanoseconds, NANOSECONDS)
    return whole + rest * 1e-9
