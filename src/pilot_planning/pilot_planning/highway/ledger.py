"""The decision ledger: every constraint on the acceleration with its bound, object and sentence."""

from dataclasses import dataclass

import numpy as np

from pilot_common.types import Ledger


@dataclass(frozen=True, slots=True)
class Entry:
    """One constraint: the highest acceleration it allows now, the track behind it (0: none) and what it says."""

    name: str
    bound: float
    sentence: str
    identity: int = 0
    sentence_zh: str = ""
    argument: tuple[float, ...] = ()


def settle(entries: list[Entry], last: float, up: float, down: float) -> tuple[float, int, Ledger]:
    """The acceleration to command, the index of the physical constraint that bound it, and the ledger.

    The command is the lowest bound, but no more than `up` above and `down` below the `last` command. Where that jerk limit acts
    it becomes an entry of its own and binds, the constraint behind it is the runner-up: the command is always the binding bound.
    """
    order = sorted(range(len(entries)), key=lambda index: entries[index].bound)
    physical = order[0]
    wanted = entries[physical].bound
    command = max(last - down, min(last + up, wanted))
    binding, runner_up = physical, order[1] if len(order) > 1 else physical
    if command != wanted:
        change = "rise" if wanted > last else "fall"
        sentence = f"jerk limit: {change} from {last:.2f} towards {wanted:.2f} m/s²: {command:.2f} m/s² now"
        entries = [*entries, Entry("jerk", command, sentence)]
        binding, runner_up = len(entries) - 1, physical
    ledger = Ledger(
        name=tuple(entry.name for entry in entries),
        bound=np.array([entry.bound for entry in entries]),
        identity=np.array([entry.identity for entry in entries], np.uint32),
        argument=np.array([(*entry.argument, *(8 - len(entry.argument)) * (0.0,)) for entry in entries]),
        sentence=tuple(entry.sentence for entry in entries),
        sentence_zh=tuple(entry.sentence_zh for entry in entries),
        binding=binding,
        runner_up=runner_up,
    )
    return command, physical, ledger
