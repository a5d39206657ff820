"""A drive without middleware: simulation and functions in one loop, as fast as it goes, the same in every run.

After each tick of the simulation the functions run once, in graph order, with all that has become due by then (as a replay of
the same drive does). What they send to the actuators acts from that tick on.
"""

import copy
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pilot_common.messages import Message
from pilot_common.runner import Executor, make_executor
from pilot_common.vehicle import Vehicle, load_parameters
from pilot_fusion.parameters import Parameters as FusionParameters
from pilot_simulation.perfect_world import perfect_runner
from pilot_simulation.road import TrueRoad
from pilot_simulation.scenario import FaultKind, Perception, Scenario
from pilot_simulation.simulation import TICK, Simulation
from pilot_simulation.snapshot import Memo, snapshot

RESPAWN = 1.0  # s until a killed function runs again, as long as a process takes to be started anew

OnMessage = Callable[[int, str, Message], None]
OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Drive:
    """What a drive came to: simulated seconds, messages told, the seed and the true road."""

    seconds: float
    messages: int
    seed: int
    road: TrueRoad


def drive(
    vehicle: Vehicle,
    scenario: Scenario,
    config: Path,
    on_message: OnMessage,
    *,
    seed: int | None = None,
    seconds: float | None = None,
    on_progress: OnProgress | None = None,
    respawn: float = RESPAWN,
) -> Drive:
    """Drives the scenario and tells every recorded message with its time (ns); `on_progress` hears each simulated second.

    `seed` and `seconds` are the scenario's own unless given. Raises PilotError for what cannot be driven.
    """
    if seconds is not None:
        scenario = replace(scenario, duration=seconds)
    simulation = Simulation(vehicle, scenario, config, seed)
    try:
        loop = Lockstep(simulation, config, respawn)
        ticks = round(scenario.duration * 1e9) // TICK
        for tick in range(ticks + 1):
            for time, topic, message in loop.tick():
                on_message(time, topic, message)
            if on_progress is not None and tick * TICK % 1_000_000_000 == 0:
                on_progress(tick * TICK * 1e-9)
        return Drive(ticks * TICK * 1e-9, loop.told, simulation.seed, simulation.road)
    finally:
        simulation.close()


class Lockstep:
    """Simulation and functions, one tick at a time.

    `copy.deepcopy` of one gives an independent drive in the same state that goes on bit by bit as the original would; neither
    knows of the other. It takes a few milliseconds, for all that is immutable is shared (`snapshot.py`). So a trunk can be driven
    once and forked where cases begin to differ:

        loop = Lockstep(Simulation(vehicle, scenario, config), config)
        while loop.simulation.ticks * TICK < 3_000_000_000:
            for time, topic, message in loop.tick(): ...
        fork = loop.fork(seed=7)                                # own sensor noise from here on
        fork.simulation.script(1, [Event(time=3.1, lane=1, lateral_speed=1.2)])  # actor 1 does this from now on

    Times of events are those of the scenario; one that has passed begins at once. A drive with SUMO traffic cannot be copied.
    """

    def __init__(self, simulation: Simulation, config: Path, respawn: float = RESPAWN) -> None:
        self.simulation = simulation
        self.graph = simulation.graph
        self._executor = make_executor(self.graph, simulation.vehicle, config)
        if simulation.scenario.perception is Perception.PERFECT:
            self._executor = _without_sensing(self._executor, simulation, config)
        self._all = self._executor.runners
        self._pending: list[tuple[int, int, int, str, Message]] = []
        self._latest: dict[str, Any] = {"actuation": None, "mode": None}
        self._kills = sorted(_kills(simulation, respawn))
        self._recorded = frozenset(self.graph.recorded)
        self.told = 0
        self._pushed = 0

    def __deepcopy__(self, memo: Memo) -> "Lockstep":
        """See above. Raises ValueError where there is SUMO traffic."""
        twin = object.__new__(Lockstep)
        memo[id(self)] = twin
        twin.__dict__.update({name: snapshot(value, memo) for name, value in self.__dict__.items()})
        return twin

    def fork(self, seed: int | None = None) -> "Lockstep":
        """An independent drive from this state on; with a `seed`, of which the noise of its sensors is drawn from now on."""
        twin = copy.deepcopy(self)
        if seed is not None:
            twin.simulation.reseed(seed)
        return twin

    def tick(self) -> Iterator[tuple[int, str, Message]]:
        """One tick of the simulation, then all functions up to its end; yields what is recorded, in order."""
        for due, topic, message in self.simulation.step(self._latest["actuation"], self._latest["mode"]):
            self._pushed += 1
            heapq.heappush(self._pending, (due, self.graph.order(topic), self._pushed, topic, message))
        now = self.simulation.now
        self._kill_and_respawn(now)
        arrivals = []
        while self._pending and self._pending[0][0] <= now:
            _, _, _, topic, message = heapq.heappop(self._pending)
            arrivals.append((topic, message))
        said = self._executor.advance(now, arrivals)
        for topic, message in (*arrivals, *said):
            if topic in self._latest:
                self._latest[topic] = message
            if topic in self._recorded:
                self.told += 1
                yield now, topic, message

    def _kill_and_respawn(self, now: int) -> None:
        while self._kills and self._kills[0][0] <= now:
            _, name, alive = self._kills.pop(0)
            runners = []
            for runner in self._all:
                running = runner in self._executor.runners
                if runner.function.name == name:
                    running = alive
                    runner.reset()
                if running:
                    runners.append(runner)
            self._executor = Executor(self.graph, runners)


def _without_sensing(executor: Executor, simulation: Simulation, config: Path) -> Executor:
    """The functions without detection, the truth in place of fusion."""
    parameters = load_parameters(FusionParameters, "fusion", simulation.vehicle, config)
    runners = []
    for runner in executor.runners:
        function = runner.function
        if "world" in function.outputs:
            runners.append(perfect_runner(simulation, function, parameters))
        elif "camera_objects" not in function.inputs:
            runners.append(runner)
    return Executor(executor.graph, runners)


def _kills(simulation: Simulation, respawn: float) -> Iterator[tuple[int, str, bool]]:
    """Time in ns, function, whether it lives from then on."""
    start = simulation.now
    for fault in simulation.scenario.faults:
        if fault.kind is FaultKind.FUNCTION_KILLED and fault.function is not None:
            yield start + round(fault.time * 1e9), fault.function, False
            yield start + round((fault.time + respawn) * 1e9), fault.function, True
