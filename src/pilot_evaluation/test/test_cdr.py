"""The bytes of our messages are those that the bag library, and so ROS 2, writes."""

import numpy as np
import pytest

from pilot_common import types as vocabulary
from pilot_common.codec import Codec, wire_name
from pilot_common.messages import FieldPlan, Message, field_plans
from pilot_evaluation.cdr import CdrEncoder
from pilot_evaluation.message_store import message_store

CLASSES = [
    c
    for c in vars(vocabulary).values()
    if isinstance(c, type) and issubclass(c, Message) and c is not Message
]
TEXTS = ("", "a", "gap", "Überholen – 5 m", "eight by")


def some(message_class: type[Message], generator: np.random.Generator, most: int) -> Message:
    """A message of random content, arrays of up to `most` rows; lengths and texts move what follows to every alignment."""
    rows: dict[str, int] = {}

    def value(plan: FieldPlan):
        if plan.layout is not None:
            count = rows.setdefault(plan.layout.letter, int(generator.integers(most + 1)))
            return generator.integers(0, 2, (count, *plan.layout.columns)).astype(plan.layout.dtype)
        return {
            "time": lambda: float(generator.uniform(0.0, 2e9)),
            "float": lambda: float(generator.standard_normal()),
            "int": lambda: int(generator.integers(-1000, 1000)),
            "bool": lambda: bool(generator.integers(2)),
            "enum": lambda: generator.choice(list(plan.python)),
            "str": lambda: str(generator.choice(TEXTS)),
            "strings": lambda: tuple(map(str, generator.choice(TEXTS, int(generator.integers(4))))),
            "message": lambda: some(plan.python, generator, most),
        }[plan.kind]()

    return message_class(**{plan.name: value(plan) for plan in field_plans(message_class)})


@pytest.mark.parametrize("message_class", CLASSES, ids=lambda c: c.__name__)
@pytest.mark.parametrize("most", [0, 5])
def test_bytes_are_those_of_the_bag_library(message_class, most):
    types = message_store().types
    codec, encoder = Codec(lambda name: types.types[name], np.ascontiguousarray), CdrEncoder()
    generator = np.random.default_rng(most)
    for _ in range(20):
        message = some(message_class, generator, most)
        expected = bytes(types.serialize_cdr(codec.to_wire(message), wire_name(message_class)))
        assert encoder.encode(message) == expected


def test_arrays_that_are_not_in_one_piece_are_written_row_by_row():
    table = np.arange(12.0).reshape(2, 6)
    scattered = vocabulary.LaneMarks(
        stamp=1.0,
        sensors=(0,),
        coefficients=table[:, :4],
        deviation=table[:, 2:],
        view=table[:, ::3],
        kind=(0, 1),
        score=table[:, 1],
    )
    back = message_store().decode(vocabulary.LaneMarks, CdrEncoder().encode(scattered))
    assert np.array_equal(back.coefficients, table[:, :4])
    assert np.array_equal(back.view, table[:, ::3])
    assert np.array_equal(back.score, table[:, 1])
