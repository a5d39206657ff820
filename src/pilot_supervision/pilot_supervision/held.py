"""How long something has been so."""


class Held:
    """The time since a condition has held without a break; 0 while it does not hold."""

    def __init__(self) -> None:
        self._since: float | None = None

    def update(self, holds: bool, time: float) -> float:
        """Notes whether it holds now; returns for how long it has."""
        if not holds:
            self._since = None
            return 0.0
        if self._since is None or self._since > time:
            self._since = time
        return time - self._since
