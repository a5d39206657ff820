"""A copied drive is a drive of its own, and goes on as the original does."""

import copy
import threading
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import pytest
from test_simulation import plain_bytes

from pilot_simulation.lockstep import Lockstep
from pilot_simulation.scenario import Event, Perception, TrafficPlan, load_scenario
from pilot_simulation.simulation import Simulation
from pilot_simulation.snapshot import snapshot

pytest.importorskip("pilot_supervision")


@pytest.fixture
def start(vehicle, config):
    """A loop that has driven some seconds of a scenario."""

    def make(seconds: float, name: str = "cut_in", vehicle_name: str = "sedan_ice", **changes) -> Lockstep:
        scenario = replace(load_scenario(name, config), **changes)
        loop = Lockstep(Simulation(vehicle(vehicle_name), scenario, config), config)
        go_on(loop, seconds)
        return loop

    return make


def go_on(loop: Lockstep, seconds: float) -> list[tuple[int, str, bytes]]:
    return [
        (time, topic, plain_bytes(message))
        for _ in range(round(seconds * 50))
        for time, topic, message in loop.tick()
    ]


@pytest.mark.parametrize("vehicle_name", ["sedan_ice", "flagship_ev"])
@pytest.mark.parametrize("perception", list(Perception))
def test_a_copy_goes_on_bit_by_bit_and_the_original_as_if_there_were_none(vehicle_name, perception, start):
    alone = go_on(start(2.5, vehicle_name=vehicle_name, perception=perception), 1.5)
    loop = start(2.5, vehicle_name=vehicle_name, perception=perception)
    early, late = copy.deepcopy(loop), copy.deepcopy(loop)
    assert go_on(early, 1.5) == alone
    assert go_on(loop, 1.5) == alone
    assert go_on(late, 1.5) == alone


def test_copies_of_copies_are_the_same(start):
    loop = start(2.0)
    again = copy.deepcopy(loop)
    for _ in range(4):
        again = copy.deepcopy(again)
    assert go_on(again, 1.0) == go_on(loop, 1.0)


def test_a_fork_has_noise_of_its_own_that_depends_on_nothing_but_its_seed(start):
    loop = start(2.0)
    forks = [loop.fork(seed) for seed in (7, 7, 8)]
    one, same, other = (go_on(fork, 1.0) for fork in forks)
    assert one == same
    assert [row for row in one if row[1] == "radar_returns"] != [
        row for row in other if row[1] == "radar_returns"
    ]
    assert [row for row in one if row[1] == "vehicle_state"] != [
        row for row in other if row[1] == "vehicle_state"
    ]
    assert go_on(loop.fork(), 1.0) == go_on(loop, 1.0)


def test_a_scripted_fork_leaves_the_others_alone(start):
    loop = start(3.0)
    fork = loop.fork()
    fork.simulation.script(1, (Event(time=3.25, lane=1, lateral_speed=1.5),))
    go_on(fork, 2.0), go_on(loop, 2.0)
    since = 4.98 - 3.25  # of the last tick
    assert fork.simulation.bodies.offset[0] == pytest.approx(0.5 * 1.5 + 1.5 * (since - 1.0))
    assert loop.simulation.bodies.offset[0] == 0.0


def test_a_case_that_is_forked_is_the_case_that_is_driven_alone(start, vehicle, config):
    """With the same noise, a fork with new events is the drive of a scenario that had them from the start."""
    scenario = load_scenario("cut_in", config)
    events = (Event(time=4.0, lane=1, lateral_speed=1.0),)
    whole = replace(scenario, actors=(replace(scenario.actors[0], events=events), *scenario.actors[1:]))
    alone = Lockstep(Simulation(vehicle("sedan_ice"), whole, config), config)
    go_on(alone, 3.0)
    fork = start(3.0).fork()
    fork.simulation.script(1, events)
    assert go_on(fork, 2.0) == go_on(alone, 2.0)


def test_traffic_by_sumo_refuses_in_words(start):
    loop = start(0.1, traffic=TrafficPlan(density=5.0, speed=28.0, speed_spread=0.1, truck_share=0.1))
    try:
        with pytest.raises(ValueError, match="one SUMO in a process"):
            loop.fork()
    finally:
        loop.simulation.close()


def test_a_drive_without_actors_has_none_to_script(start):
    with pytest.raises(ValueError, match="no scripted actors"):
        start(0.1, "free_motorway").simulation.script(1, ())


def test_what_cannot_change_is_shared_and_the_rest_is_not(start):
    loop = start(1.0)
    twin = loop.fork()
    assert twin.simulation.road is loop.simulation.road
    assert twin.simulation.vehicle is loop.simulation.vehicle
    assert twin.graph is loop.graph
    assert twin.simulation is not loop.simulation
    mine = {id(thing) for thing in mutable(loop)}
    assert not [type(thing) for thing in mutable(twin) if id(thing) in mine]


def mutable(root) -> list:
    """All that is reached without passing a value or an object that has a way of its own to be copied."""
    found, seen, waiting = [], set(), [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or snapshot_is_shared(thing) or has_its_own_way(thing):
            continue
        seen.add(id(thing))
        if not isinstance(thing, tuple):
            found.append(thing)
        if isinstance(thing, dict):
            waiting += thing.values()
        elif isinstance(thing, list | tuple | set | deque):
            waiting += thing
        else:
            waiting += getattr(thing, "__dict__", {}).values()
    return found


def has_its_own_way(thing) -> bool:
    return hasattr(type(thing), "__deepcopy__") and not isinstance(thing, Lockstep | np.ndarray)


def snapshot_is_shared(thing) -> bool:
    try:
        return snapshot(thing, {}) is thing and not isinstance(thing, tuple)
    except TypeError:
        return False


@dataclass(slots=True)
class Slotted:
    values: list
    other: object = None


class Plain:
    def __init__(self):
        self.array = np.arange(3.0)
        self.call = self.method
        self.generator = np.random.default_rng(1)
        self.queue = deque([1, [2]], maxlen=3)

    def method(self) -> float:
        return float(self.array[0])


def test_parts_that_are_met_twice_are_copied_once_and_methods_are_bound_anew():
    plain = Plain()
    slotted = Slotted([plain, plain], plain)
    slotted.values.append(slotted)
    twin = snapshot(slotted, {})
    assert twin.values[0] is twin.values[1] is twin.other is not plain
    assert twin.values[2] is twin
    twin.other.array[0] = 9.0
    assert (twin.other.call(), plain.call()) == (9.0, 0.0)
    assert twin.other.queue.maxlen == 3 and twin.other.queue[1] is not plain.queue[1]
    assert twin.other.generator.random() == plain.generator.random()


def test_what_cannot_be_copied_says_so():
    with pytest.raises(TypeError):
        snapshot([threading.Lock()], {})
