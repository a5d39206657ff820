"""The result of measuring one thing."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Measure:
    """A number and a sentence about it; `value` is None where the drive gave nothing to measure."""

    value: float | None
    sentence: str


def nothing(sentence: str) -> Measure:
    """There was nothing to measure."""
    return Measure(None, sentence)


def spans(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of every stretch of True in a mask (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(((False,), mask, (False,))).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]
