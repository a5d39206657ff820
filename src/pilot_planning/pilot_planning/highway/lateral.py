"""The lateral ledger: what would have the car where across the road, and which of it decides."""

from pilot_common.types import Ledger
from pilot_planning.highway.ledger import NOBODY, OFFSET, Entry, OffsetLaw, entry, record


def offset_entry(name: str, offset: float, values: tuple[float, ...] = (), identity: int = 0) -> Entry:
    """An entry of the lateral ledger: an offset to go to, left of the ego lane's centre line."""
    return entry(name, OffsetLaw(offset), 0.0, values, identity, NOBODY, "", OFFSET)


def lateral_ledger(entries: list[Entry]) -> Ledger:
    """The ledger of entries in order of rank: the last one decides."""
    last = len(entries) - 1
    return record(entries, last, max(last - 1, 0))
