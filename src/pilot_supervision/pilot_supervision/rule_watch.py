"""The live place of the rule packs: what the car does is held against every clause, and what does not hold is told.

It changes no mode. A clause that no source confirms could not even ask for it, and one that is confirmed judges what planning and
gate have been built to keep; the event is for the reason shown and for the record.
"""

from pilot_common.rule_signals import SignalReader
from pilot_common.rules import Pack, RuleMonitor, Severity
from pilot_common.types import Actuation, Mode, Plan, VehicleState, World
from pilot_common.vehicle import Vehicle

TOLD_FOR = 1.0  # s that a finding stays in the reason, so that a single one can be read


class RuleWatch:
    """`said` is the gravest finding of the last second in words, empty where all rules hold."""

    def __init__(self, vehicle: Vehicle, packs: tuple[Pack, ...]) -> None:
        self._reader, self._monitor = SignalReader(vehicle), RuleMonitor(packs)
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._monitor.reset()
        self.said, self._until = "", 0.0

    def update(
        self,
        time: float,
        state: VehicleState | None,
        mode: Mode,
        plan: Plan | None,
        world: World | None,
        actuation: Actuation | None,
    ) -> None:
        """One step; `mode` is the one that the system is in since its last step."""
        found = self._monitor.step(time, self._reader.read(state, mode, plan, world, actuation))
        told = [finding for finding in found if finding.clause.severity is not Severity.INFORMATION]
        if told:
            gravest = min(told, key=lambda finding: not finding.clause.gates)
            self.said, self._until = f"rule {gravest.sentence()}", time + TOLD_FOR
        elif not time <= self._until <= time + TOLD_FOR:
            self.said = ""
