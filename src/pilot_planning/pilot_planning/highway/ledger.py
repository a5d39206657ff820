"""The decision ledger: every constraint with its bound, the numbers it comes from, the object behind it and a sentence.

The kinds of constraint are listed here: modules that hold laws do not know the ledger, those that use laws make entries.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pilot_common.types import Ledger
from pilot_planning.highway.adaptation import AlignLaw, ApproachLaw
from pilot_planning.highway.contingency import CutInLaw
from pilot_planning.highway.following import FollowLaw
from pilot_planning.highway.longitudinal import BrakeLaw, CurveLaw, Law, SpeedLaw, StopLaw
from pilot_planning.highway.sentences import NOBODY, Both, say

ARGUMENTS = (
    20  # numbers a row of `Ledger.argument` has room for: the speed, then the law's; unused ones are 0
)


UNUSED = (0.0,) * ARGUMENTS


def jerk_bound(
    fall: float, last: float, rise: float, wanted: float, time: float, travelled: float, speed: float
) -> float:
    """Of `JerkLaw`."""
    return max(last - fall, min(last + rise, wanted))


def offset_bound(offset: float, time: float, travelled: float, speed: float) -> float:
    """Of `OffsetLaw`."""
    return offset


class JerkLaw(Law):
    """The acceleration moves from the `last` towards the `wanted` one, by no more than `rise` and `fall`."""

    __slots__ = ("fall", "last", "rise", "wanted")
    formula = staticmethod(jerk_bound)

    def __init__(self, last: float, wanted: float, rise: float, fall: float) -> None:
        self.last, self.wanted, self.rise, self.fall = last, wanted, rise, fall


class OffsetLaw(Law):
    """Go to an offset across the road, in metres left of the ego lane's centre line; of the lateral ledger."""

    __slots__ = ("offset",)
    formula = staticmethod(offset_bound)

    def __init__(self, offset: float) -> None:
        self.offset = offset


LAWS: dict[str, type[Law]] = {
    "set_speed": SpeedLaw,
    "speed_limit": SpeedLaw,
    "lane_sight": SpeedLaw,
    "object_sight": SpeedLaw,
    "curve": CurveLaw,
    "follow": FollowLaw,
    "cut_in": CutInLaw,
    "contingency": CutInLaw,
    "brake": BrakeLaw,
    "emergency": BrakeLaw,
    "crossing": BrakeLaw,
    "minimum_risk": StopLaw,
    "hold": StopLaw,
    "lane_lost": ApproachLaw,
    "lane_end": ApproachLaw,
    "limit_ahead": ApproachLaw,
    "pass_right": ApproachLaw,
    "give_way": FollowLaw,
    "next_lane": FollowLaw,
    "merge": AlignLaw,
    "evade_brake": StopLaw,
    "glide": ApproachLaw,
    "glide_behind": ApproachLaw,
    "jerk": JerkLaw,
    "lane_centre": OffsetLaw,
    "lane_change": OffsetLaw,
    "overtake": OffsetLaw,
    "keep_right": OffsetLaw,
    "leave_lane": OffsetLaw,
    "follow_route": OffsetLaw,
    "to_shoulder": OffsetLaw,
    "shoulder": OffsetLaw,
    "evade": OffsetLaw,
    "truck_beside": OffsetLaw,
}
ACCELERATION = Both(": at most {0:.2f} m/s²", "：至多 {0:.2f} m/s²")
OFFSET = Both(": to {0:+.2f} m", "：至 {0:+.2f} m")


class Entry(NamedTuple):
    """One constraint: its bound now (acceleration, or offset in the lateral ledger), the track behind it (0: none), its words and
    numbers.
    """

    name: str
    bound: float
    sentence: str
    identity: int = 0
    sentence_zh: str = ""
    argument: tuple[float, ...] = ()


def entry(
    name: str,
    law: Law,
    speed: float,
    values: tuple[float, ...] = (),
    identity: int = 0,
    who: Both = NOBODY,
    sentence: str = "",
    effect: Both = ACCELERATION,
) -> Entry:
    """The entry of a law at a speed; `values` fill the sentence of its kind, `who` begins it and `effect` says the bound."""
    numbers = law.numbers()
    bound = law.formula(*numbers, 0.0, 0.0, speed)
    english, chinese = say(sentence or name, values)
    return Entry(
        name,
        bound,
        f"{who.english}{english}{effect.english.format(bound)}",
        identity,
        f"{who.chinese}{chinese}{effect.chinese.format(bound)}",
        (speed, *numbers),
    )


def reevaluate(name: str, argument: Sequence[float]) -> float:
    """The bound of a constraint from its kind and its row of `Ledger.argument` alone. Raises KeyError for an unknown kind."""
    return LAWS[name].of(argument[1:]).bound(0.0, 0.0, argument[0])


def settle(entries: list[Entry], last: float, up: float, down: float) -> tuple[float, int, Ledger]:
    """The acceleration to command, the index of the physical constraint that bound it, and the ledger.

    The command is the lowest bound, but no more than `up` above and `down` below the `last` command. Where that jerk limit acts
    it becomes an entry of its own and binds, the constraint behind it is the runner-up: the command is always the binding bound.
    """
    order = sorted(range(len(entries)), key=lambda index: entries[index].bound)
    physical = order[0]
    wanted = entries[physical].bound
    limit = JerkLaw(last, wanted, up, down)
    command = limit.bound(0.0, 0.0, 0.0)
    if command == wanted:
        return command, physical, record(entries, physical, order[1] if len(order) > 1 else physical)
    entries = [*entries, entry("jerk", limit, 0.0, (last, wanted))]
    return command, physical, record(entries, len(entries) - 1, physical)


def record(entries: list[Entry], binding: int, runner_up: int) -> Ledger:
    """The ledger of some entries."""
    name, bound, sentence, identity, sentence_zh, argument = zip(*entries, strict=True)
    return Ledger(
        name=name,
        bound=np.array(bound),
        identity=np.array(identity, np.uint32),
        argument=np.array([numbers + UNUSED[len(numbers) :] for numbers in argument]),
        sentence=sentence,
        sentence_zh=sentence_zh,
        binding=binding,
        runner_up=runner_up,
    )
