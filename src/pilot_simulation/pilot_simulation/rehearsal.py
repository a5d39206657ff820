"""Drives a little of everything, so that each compiled loop is compiled before a car needs it.

Part of the set-up (`python -m pilot_simulation.rehearsal`): the machine code is kept, and every later program only loads it. A
drive must not wait for a compiler, least of all in an emergency; `test/test_compiled_loops.py` holds the list below to that.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

from pilot_common.compiled import Signatures, keep_signatures, known_signatures
from pilot_common.folders import config_folder
from pilot_common.vehicle import load_vehicle
from pilot_simulation.lockstep import Lockstep
from pilot_simulation.scenario import Perception, load_scenario
from pilot_simulation.simulation import TICK, Simulation

# Vehicle, scenario, seconds, perception: all kinds of sensors; others ahead, beside and coming in; lanes that end; a stop on
# the shoulder. The first two begin together: one compiles planning and control while the other compiles sensors and fusion.
DRIVES = (
    ("sedan_ice", "cut_in", 8.0, Perception.PERFECT),
    ("flagship_ev", "overtake", 8.0, Perception.SENSORS),
    ("suv_erev", "busy_motorway", 6.0, Perception.SENSORS),
    ("flagship_ev", "lane_drop", 12.0, Perception.SENSORS),
    ("city_ev", "hard_shoulder_stop", 16.0, Perception.SENSORS),
)


def rehearse(config: Path, say: Callable[[str], object]) -> Signatures:
    """Drives the list in two processes; returns for which arguments each loop has machine code now."""
    found: Signatures = {}
    with ProcessPoolExecutor(2) as pool:
        drives = {pool.submit(partial(drive, config), *row): row for row in DRIVES}
        for done in as_completed(drives):
            for name, signatures in done.result().items():
                found.setdefault(name, set()).update(signatures)
            say(f"rehearsed: {drives[done][1]} with {drives[done][0]}")
    return found


def drive(config: Path, vehicle: str, name: str, seconds: float, perception: Perception) -> Signatures:
    """Drives one of them; returns what is compiled in this process."""
    scenario = replace(load_scenario(name, config), perception=perception)
    simulation = Simulation(load_vehicle(vehicle, config), scenario, config)
    loop = Lockstep(simulation, config)
    while simulation.ticks * TICK * 1e-9 < seconds:
        for _ in loop.tick():
            pass
    simulation.close()
    return known_signatures()


if __name__ == "__main__":
    import sys

    keep_signatures(rehearse(config_folder(), lambda words: print(words, file=sys.stdout, flush=True)))  # noqa: T201
