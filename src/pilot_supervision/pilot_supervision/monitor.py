"""Watches the functions and what they see: failures that leave nobody to drive, and losses that the driver must make up for."""

from collections.abc import Mapping

from pilot_common.messages import Message
from pilot_common.types import Health, World
from pilot_supervision.held import Held

CRITICAL = ("fusion", "planning", "control", "gate")  # without one of them no command can be trusted
BLIND = (
    "detection",
    "fusion",
    "planning",
    "control",
)  # must turn invalid when the sensors or lanes are lost: that is no failure


class Monitor:
    """`failure` and `loss` in words, "" while there is none; `unseen` is the part of the loss that the world model tells.

    Functions are expected from their first report on.
    """

    def __init__(self, persistence: float) -> None:
        self._persistence = persistence
        self._reported: dict[str, float] = {}  # stamp of the last health report
        self._held: dict[str, Held] = {}
        self.failure, self.loss, self.unseen = "", "", ""

    def update(
        self,
        time: float,
        health: Mapping[str, Health | None],
        world: World | None,
        streams: Mapping[str, Message | None],
    ) -> None:
        """Takes the newest health of all functions, the world, and what must stream by name."""
        for name, report in health.items():
            if report is not None:
                self._reported[name] = report.stamp
        self.unseen = self.loss = self._persistent("loss", _lost(world), time)
        failures: list[str] = []
        absences: list[str] = []
        for name in sorted({*CRITICAL, *self._reported}):
            said = self._state_of(name, health.get(name), time)
            (failures if name in CRITICAL else absences).append(said)
        for name, message in streams.items():
            failures.append(
                self._persistent(f"stream {name}", f"no fresh {name}" if message is None else "", time)
            )
        self.failure = next(filter(None, failures), "")
        self.loss = self.loss or next(filter(None, absences), "")

    def _state_of(self, name: str, report: Health | None, time: float) -> str:
        """What is wrong with a function: silence counts at once (its maximum age is over), invalidity when it persists."""
        if report is None:
            self._persistent(name, "", time)
            last = self._reported.get(name)
            return (
                f"{name} has not reported yet"
                if last is None
                else f"{name} has not reported for {time - last:.1f} s"
            )
        invalid = not report.valid and not (self.loss and name in BLIND)
        return self._persistent(name, f"{name} is invalid: {report.reason}" if invalid else "", time)

    def _persistent(self, key: str, said: str, time: float) -> str:
        if not said:
            self._held.pop(key, None)
            return ""
        held = self._held.setdefault(key, Held()).update(True, time)
        return said if held >= self._persistence else ""


def _lost(world: World | None) -> str:
    if world is None:
        return ""
    if world.sensors_lost:
        return f"sensors lost: {', '.join(world.sensors_lost)}"
    return "" if world.lanes.valid else f"lanes lost: {world.lanes.reason}"
