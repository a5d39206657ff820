"""Bags of other software: the table of the kinds we know, each with the adapter that turns its messages into our sources."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from pilot_common.messages import Message
from pilot_common.vehicle import Vehicle
from pilot_evaluation.bag import BagReader
from pilot_evaluation.importers.comma import CommaCar


class Adapter(Protocol):
    """Turns one kind of foreign bag into source messages.

    `topics` (without leading slash) with their types are what it needs; `withheld` names functions whose place it takes: what
    they would say is among its messages. `notes` say what a reader of the result must know.
    """

    title: str
    topics: Mapping[str, str]
    withheld: tuple[str, ...]
    notes: tuple[str, ...]

    def sources(self, reader: BagReader, vehicle: Vehicle) -> Iterable[tuple[str, Message]]:
        """All messages, in order but for the tolerance of a replay. Raises BagError where the bag holds too little."""


ADAPTERS: tuple[Adapter, ...] = (CommaCar(),)


def adapter_for(types: Mapping[str, str]) -> Adapter | None:
    """The first adapter that finds all its topics with their types in a bag (`types` by topic), None where there is none."""
    for adapter in ADAPTERS:
        if all(types.get(topic) == type_name for topic, type_name in adapter.topics.items()):
            return adapter
    return None
