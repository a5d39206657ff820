"""One hash over all that the functions said: the same for the same build, vehicle and input."""

import hashlib

from pilot_common.graph import Graph
from pilot_common.messages import Message, to_nanoseconds
from pilot_evaluation.message_store import MessageStore, message_store


class Digest:
    """Collects outputs in any order; source topics are no outputs and are passed over.

    Hashed are topic, stamp and CDR bytes, ordered by stamp, then by topic as in the graph, then by bytes: neither the speed
    of the run nor the order of arrival shows. Health reports must come without compute times, as in lockstep.
    """

    def __init__(self, graph: Graph, store: MessageStore | None = None) -> None:
        self._graph = graph
        self._store = store or message_store()
        self._entries: list[tuple[int, int, bytes]] = []

    def add(self, topic: str, message: Message, cdr: bytes | None = None) -> None:
        """Takes one output; `cdr` saves encoding it again where that was done already."""
        if self._graph.topics[topic].source:
            return
        content = self._store.encode(message) if cdr is None else cdr
        entry = hashlib.sha256(topic.encode() + b"\0" + content).digest()
        self._entries.append((to_nanoseconds(message.stamp), self._graph.order(topic), entry))  # type: ignore[attr-defined]

    @property
    def count(self) -> int:
        """Number of outputs taken."""
        return len(self._entries)

    def hexdigest(self) -> str:
        """SHA-256 of all outputs so far."""
        total = hashlib.sha256()
        for stamp, order, entry in sorted(self._entries):
            total.update(stamp.to_bytes(8, "little", signed=True) + order.to_bytes(2, "little") + entry)
        return total.hexdigest()
