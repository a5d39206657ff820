"""Between our dataclasses and ROS messages of the same name, be they rclpy's or those of a bag library.

Both worlds name the same fields: `pilot_msgs/msg/*.msg` is written from the dataclasses by `interfaces.py`. A `stamp` travels as
`header`, arrays as flat sequences, row by row.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from pilot_common.messages import FieldPlan, Message, field_plans, to_nanoseconds, to_seconds

PACKAGE = "pilot_msgs"
MessageType = TypeVar("MessageType", bound=Message)
Converter = Callable[[Any], Any]


def wire_name(message_class: type[Message]) -> str:
    """Full ROS name of a message class."""
    return f"{PACKAGE}/msg/{message_class.__name__}"


class Codec:
    """Converts messages for one world: `lookup` gives that world's class for a full name, `sequence` its kind of array."""

    def __init__(self, lookup: Callable[[str], type], sequence: Callable[[np.ndarray], Any]) -> None:
        self._lookup = lookup
        self._sequence = sequence
        self._writers: dict[type, tuple[type, list[tuple[str, str, Converter]]]] = {}
        self._readers: dict[type, list[tuple[str, str, Converter]]] = {}
        self._time = lookup("builtin_interfaces/msg/Time")
        self._header = lookup("std_msgs/msg/Header")

    def to_wire(self, message: Message) -> Any:
        """The ROS message that says the same."""
        own = type(message)
        if own not in self._writers:
            fields = [(plan.name, _wire_field(plan), self._writer(own, plan)) for plan in field_plans(own)]
            self._writers[own] = (self._lookup(wire_name(own)), fields)
        wire_class, writers = self._writers[own]
        return wire_class(**{wire: convert(getattr(message, name)) for name, wire, convert in writers})

    def from_wire(self, message_class: type[MessageType], wire: Any) -> MessageType:
        """The dataclass that says the same. Raises ValueError where array lengths contradict each other."""
        if message_class not in self._readers:
            self._readers[message_class] = [
                (p.name, _wire_field(p), self._reader(p)) for p in field_plans(message_class)
            ]
        readers = self._readers[message_class]
        return message_class(**{name: convert(getattr(wire, field)) for name, field, convert in readers})

    def _writer(self, owner: type[Message], plan: FieldPlan) -> Converter:
        if plan.kind == "time" and plan.name == "stamp":
            return lambda seconds: self._header(stamp=self._time_message(seconds), frame_id=owner.FRAME)
        if plan.kind == "time":
            return self._time_message
        if plan.kind == "message":
            return self.to_wire
        if plan.kind == "array":
            return lambda array: self._sequence(array.reshape(-1))
        return {"enum": int, "strings": list}.get(plan.kind, plan.python)

    def _reader(self, plan: FieldPlan) -> Converter:
        if plan.kind == "time" and plan.name == "stamp":
            return lambda header: _seconds(header.stamp)
        if plan.kind == "time":
            return _seconds
        if plan.kind == "message":
            return lambda wire: self.from_wire(plan.python, wire)
        if plan.layout is not None:
            # Always a copy: what a bag library lends is read-only, another type to compiled loops.
            dtype, columns = np.dtype(plan.layout.dtype), plan.layout.columns
            if not columns:
                return lambda wire: np.array(wire, dtype)
            return lambda wire: np.array(wire, dtype).reshape(-1, *columns)
        return {"strings": tuple}.get(plan.kind, plan.python)

    def _time_message(self, seconds: float) -> Any:
        whole, rest = divmod(to_nanoseconds(seconds), 1_000_000_000)
        return self._time(sec=whole, nanosec=rest)


def _wire_field(plan: FieldPlan) -> str:
    return "header" if plan.kind == "time" and plan.name == "stamp" else plan.name


def _seconds(time: Any) -> float:
    return to_seconds(time.sec * 1_000_000_000 + time.nanosec)
