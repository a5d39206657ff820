"""Picks some of many so that they lie evenly over all of them: a seeded low-discrepancy sequence, nothing chosen by hand."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from scipy.stats import qmc

Item = TypeVar("Item")


def spread(items: Sequence[Item], count: int | None, seed: int) -> Sequence[Item]:
    """`count` of the items in their own order, all of them for None or too large a count."""
    if count is None or count >= len(items):
        return items
    chosen = spread_indices((len(items),), count, seed)
    return [items[index] for (index,) in chosen]


def spread_indices(shape: Sequence[int], count: int, seed: int) -> list[tuple[int, ...]]:
    """`count` different index tuples of a grid, in its order: the cells that scrambled Sobol points fall into.

    Raises ValueError where the grid has fewer cells.
    """
    cells = int(np.prod(shape))
    if count > cells:
        raise ValueError(f"{count} different cells of a grid of {cells}")
    sampler = qmc.Sobol(len(shape), scramble=True, rng=np.random.default_rng(seed))
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < count:
        points = sampler.random(64)
        for cell in np.minimum((points * shape).astype(int), np.array(shape) - 1).tolist():
            if len(chosen) < count:
                chosen[tuple(cell)] = None
    return sorted(chosen)
