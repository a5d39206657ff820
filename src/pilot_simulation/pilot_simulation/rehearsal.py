"""Drives a little of everything, so that each compiled loop is compiled before a car needs it.

Part of the set-up (`python -m pilot_simulation.rehearsal`): the machine code is kept, and every later program only loads it. A
drive must not wait for a compiler, least of all in an emergency; `test/test_compiled_loops.py` holds the list below to that.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pilot_common.compiled import remember_signatures
from pilot_common.folders import config_folder
from pilot_common.vehicle import load_vehicle
from pilot_simulation.lockstep import Lockstep
from pilot_simulation.scenario import Perception, load_scenario
from pilot_simulation.simulation import TICK, Simulation

# Vehicle, scenario, seconds, perception: all kinds of sensors; others ahead, beside and coming in; lanes that end; a stop on
# the shoulder.
DRIVES = (
    ("flagship_ev", "overtake", 8.0, Perception.SENSORS),
    ("suv_erev", "busy_motorway", 6.0, Perception.SENSORS),
    ("flagship_ev", "lane_drop", 12.0, Perception.SENSORS),
    ("city_ev", "hard_shoulder_stop", 16.0, Perception.SENSORS),
    ("sedan_ice", "cut_in", 1.0, Perception.PERFECT),
)


def rehearse(config: Path) -> Iterator[str]:
    """Drives the list; says what is done."""
    for vehicle, name, seconds, perception in DRIVES:
        scenario = replace(load_scenario(name, config), perception=perception)
        simulation = Simulation(load_vehicle(vehicle, config), scenario, config)
        loop = Lockstep(simulation, config)
        while simulation.ticks * TICK * 1e-9 < seconds:
            for _ in loop.tick():
                pass
        simulation.close()
        yield f"{name} with {vehicle}"


if __name__ == "__main__":
    import sys

    for done in rehearse(config_folder()):
        sys.stdout.write(f"rehearsed: {done}\n")
        sys.stdout.flush()
    remember_signatures()
