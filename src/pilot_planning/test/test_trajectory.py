"""The rollout drives by the same laws as the ledger."""

import numpy as np
import pytest

from pilot_planning.highway.ledger import ARGUMENTS
from pilot_planning.highway.trajectory import KINDS, rolled_bound


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_rollout_asks_a_law_as_the_ledger_does(kind):
    rng = np.random.default_rng(7)
    for _ in range(20):
        law = kind.of(rng.uniform(0.2, 30.0, ARGUMENTS - 1).tolist())
        numbers = np.array(law.numbers())
        assert rolled_bound(KINDS[kind], numbers, 0.4, 6.0, 12.0) == law.bound(0.4, 6.0, 12.0)
