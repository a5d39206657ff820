"""The faults of a scenario that the simulation itself brings about, checked against the vehicle and the graph."""

import math

from pilot_common.errors import ScenarioError
from pilot_common.vehicle import Vehicle
from pilot_simulation.scenario import Fault, FaultKind, Scenario


class LostSensors:
    """A fault that silences sensors, by index, for a while."""

    def __init__(self, fault: Fault, indices: tuple[int, ...]) -> None:
        self._from = fault.time
        self._to = math.inf if fault.duration is None else fault.time + fault.duration
        self._indices = indices

    def silent(self, time: float) -> tuple[int, ...]:
        """Those that are silent at a time."""
        return self._indices if self._from <= time < self._to else ()


def lost_sensors(vehicle: Vehicle, scenario: Scenario) -> list[LostSensors]:
    """The faults of a scenario that silence sensors of a vehicle. Raises ScenarioError for a sensor that it has not."""
    lost = []
    for fault in scenario.faults:
        if fault.kind is FaultKind.SENSOR_LOST:
            named = [i for i, s in enumerate(vehicle.sensors) if fault.sensor in (s.name, s.kind.value)]
            if not named:
                names = ", ".join(sensor.name for sensor in vehicle.sensors)
                raise ScenarioError(
                    f"{scenario.name}: {vehicle.name} has no sensor '{fault.sensor}'; it has {names}"
                )
            lost.append(LostSensors(fault, tuple(named)))
    return lost


def check_functions(scenario: Scenario, known: list[str]) -> None:
    """Raises ScenarioError where a scenario kills a function that does not exist."""
    for fault in scenario.faults:
        if fault.kind is FaultKind.FUNCTION_KILLED and fault.function not in known:
            raise ScenarioError(
                f"{scenario.name}: no function '{fault.function}' to kill; there are {', '.join(known)}"
            )
