"""What every planner is: same inputs, same plan, whatever the surroundings.

The highway planner stands in `highway/`. A planner for other surroundings (parking) stands beside it in a folder of its own as a
class with `Inputs`, `Outputs` and `Parameters`, a row in `config/graph.yaml` that says when it runs, and nothing else: control,
supervision and evaluation know only `Plan`. A planner never raises for bad live data, it answers with an invalid plan and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pilot_common.types import Mode, Plan, Route, VehicleState, World
from pilot_common.vehicle import Vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerInputs:
    """Newest messages at `time` (s); None where there is none or it is too old."""

    time: float
    world: World | None
    vehicle_state: VehicleState | None
    mode: Mode | None
    route: Route | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerOutputs:
    """The plan, and numbers that explain it beyond its ledger (for plots; nobody drives by them)."""

    plan: Plan
    debug: Mapping[str, float]


class Planner(Protocol):
    """A planner core."""

    Inputs: ClassVar[type[PlannerInputs]]
    Outputs: ClassVar[type[PlannerOutputs]]
    Parameters: ClassVar[type]

    def __init__(self, vehicle: Vehicle, parameters: Any) -> None: ...

    def reset(self) -> None:
        """Forgets all memory."""
        ...

    def step(self, inputs: PlannerInputs) -> PlannerOutputs:
        """The plan for these inputs."""
        ...
