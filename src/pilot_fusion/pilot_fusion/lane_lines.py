"""The painted lines around the ego lane: where each runs, of what kind it is, and how sure one may be that it is there.

Lines are slots, right to left; the ego lane lies between slots `RIGHT` and `LEFT`. Offsets are from the ego lane's centre.
Plain lists: eight slots, read one by one.
"""

import math

from pilot_common.types import MarkKind
from pilot_fusion.parameters import LaneParameters

REACH = 4  # lines remembered on either side
RIGHT, LEFT = REACH - 1, REACH
SLOTS = 2 * REACH
UNKNOWN, DASHED, SOLID, ROAD_EDGE = (int(kind) for kind in MarkKind)
OFFSET_GAIN = 0.2  # share by which a mark corrects the remembered offset of a neighbour line
VOTE_MEMORY = 0.9  # weight of the past per vote on a line's kind


class LaneLines:
    """By slot: `offset` (m), `confidence` in [0, 1], `votes` for each kind."""

    def __init__(self, parameters: LaneParameters) -> None:
        self._parameters = parameters
        self.clear()

    def clear(self) -> None:
        """No line known."""
        self.offset = [0.0] * SLOTS
        self.confidence = [0.0] * SLOTS
        self.votes = [[0.0] * len(MarkKind)] * SLOTS

    def fade(self, distance: float, duration: float) -> None:
        """Lines not seen become doubtful with the way driven and with time."""
        halves = distance / self._parameters.memory + duration / self._parameters.memory_time
        left, fewest = 0.5**halves, self._parameters.fewest_confidence
        self.confidence = [c * left if c * left >= fewest else 0.0 for c in self.confidence]

    def expected(self, width: float) -> list[float]:
        """Offset of every slot: as remembered, else one lane width beyond the line before."""
        offset = [0.0] * SLOTS
        offset[RIGHT], offset[LEFT] = -0.5 * width, 0.5 * width
        for slot in range(LEFT + 1, SLOTS):
            offset[slot] = self.offset[slot] if self.confidence[slot] > 0.0 else offset[slot - 1] + width
        for slot in range(RIGHT - 1, -1, -1):
            offset[slot] = self.offset[slot] if self.confidence[slot] > 0.0 else offset[slot + 1] - width
        return offset

    def see(self, slot: int, offset: float, kind: int, score: float) -> None:
        """A mark was seen as the line of a slot."""
        known = self.confidence[slot] > 0.0
        self.offset[slot] += (OFFSET_GAIN if known else 1.0) * (offset - self.offset[slot])
        self.votes[slot] = [VOTE_MEMORY * vote if known else 0.0 for vote in self.votes[slot]]
        self.votes[slot][kind] += max(score, 0.05)
        # Seen once is half believed, seen again and again fully.
        self.confidence[slot] += 0.5 * min(max(score, 0.05), 1.0) * (1.0 - self.confidence[slot])

    def kind(self, slot: int) -> int:
        """What most marks of a slot were (a MarkKind); UNKNOWN where none is remembered."""
        if not self.seen(slot):
            return UNKNOWN
        votes = self.votes[slot]
        return votes.index(max(votes))

    def seen(self, slot: int) -> bool:
        """Whether the line of a slot is remembered."""
        return 0 <= slot < SLOTS and self.confidence[slot] > 0.0

    def shift(self, lanes: int, offset: float) -> None:
        """The ego lane is now `lanes` further left, its centre `offset` left of the old one."""
        slots = [slot + lanes for slot in range(SLOTS)]
        self.offset = [self.offset[slot] - offset if 0 <= slot < SLOTS else -offset for slot in slots]
        self.confidence = [self.confidence[slot] if 0 <= slot < SLOTS else 0.0 for slot in slots]
        self.votes = [self.votes[slot] if 0 <= slot < SLOTS else [0.0] * len(MarkKind) for slot in slots]

    def confirm_ego(self, width: float) -> None:
        """The ego lane's own lines lie where the filter has them."""
        self.offset[RIGHT], self.offset[LEFT] = -0.5 * width, 0.5 * width

    def lanes(self, width: float) -> list[tuple[float, float, float, int, int]]:
        """Lanes right to left: offset of the centre, width, confidence, slots of right and left line; the ego's is among them."""
        parameters = self._parameters
        own = 1.0 - (1.0 - self.confidence[RIGHT]) * (1.0 - self.confidence[LEFT])
        found = [(0.0, width, own, RIGHT, LEFT)]
        for step in (1, -1):
            inner = LEFT if step > 0 else RIGHT
            lane = (0.0, width, own, RIGHT, LEFT)
            while self.kind(inner) != ROAD_EDGE and self.seen(inner):
                outer = inner + step
                beside, confidence = width, parameters.guessed_confidence * own
                if self.seen(outer):
                    beside = step * (self.offset[outer] - (lane[0] + step * 0.5 * lane[1]))
                    confidence = self.confidence[outer]
                elif self.kind(inner) != DASHED or outer in (-1, SLOTS):
                    break
                if not parameters.narrowest <= beside <= parameters.widest:
                    break
                centre = lane[0] + step * 0.5 * (lane[1] + beside)
                lane = (centre, beside, confidence, min(inner, outer), max(inner, outer))
                found.append(lane)
                if not self.seen(outer):
                    break
                inner = outer
        return sorted(found)


def nearest_slot(expected: list[float], offset: float) -> tuple[int, float]:
    """The slot whose expected offset is nearest, and how far it is."""
    best, distance = 0, math.inf
    for slot, value in enumerate(expected):
        if abs(value - offset) < distance:
            best, distance = slot, abs(value - offset)
    return best, distance
