"""Cases that share their approach: it is driven once, and each case leaves it where its own first event begins.

The cases of a group have the same scenario up to the events of the first actor, each an event by time or by gap. The approach is
the scenario without them. A fork continues from the very state of the approach with a noise of its own, so the row of a case
does not depend on which others are driven with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pilot_common.types import Truth
from pilot_evaluation.proving.case import Case, Row, Setting
from pilot_evaluation.proving.engine import OnMessage, judge, record, seed_of, start
from pilot_simulation.lockstep import Lockstep
from pilot_simulation.scenario import Scenario
from pilot_simulation.simulation import TICK

ACTOR = 1  # identity of the first actor of a scenario
AHEAD = 0.07  # s before its event that a case leaves the approach at the latest: a truth period and a tick


def approach_of(case: Case) -> Scenario:
    """The scenario of a case without what makes it this case."""
    scenario = case.scenario
    if scenario is None or not scenario.actors:
        raise ValueError(f"case {case.name} has no actor to share an approach with")
    first = replace(scenario.actors[0], events=())
    return replace(scenario, actors=(first, *scenario.actors[1:]))


def run_forked(setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
    """Rows of a group that shares its approach, in its order."""
    rows: dict[str, Row] = {}
    for case, fork in leave(setting, group):
        rows[case.name] = finish(setting, case, fork)
    for case in group:
        yield rows[case.name]


def leave(
    setting: Setting, group: Sequence[Case], on_message: OnMessage | None = None
) -> Iterator[tuple[Case, Lockstep]]:
    """Drives the approach and hands out each case with its fork when its moment comes. Raises ValueError where it never does."""
    scenario = approach_of(group[0])
    loop = start(setting, scenario, seed_of(setting, group[0].suite, group[0].approach))
    waiting = sorted(group, key=_moment)
    truth: Truth | None = None
    while waiting:
        if loop.simulation.ticks * TICK * 1e-9 > scenario.duration:
            raise ValueError(f"the moment of {waiting[0].name} never came")
        for now, topic, message in loop.tick():
            if topic == "truth":
                truth = message  # type: ignore[assignment]
            if on_message is not None:
                on_message(now, topic, message)
        while waiting and truth is not None and _begins(setting, waiting[0], truth, loop):
            case = waiting.pop(0)
            fork = loop.fork() if waiting else loop  # the last one drives on in the approach itself
            fork.simulation.reseed(seed_of(setting, case.suite, case.name))
            fork.simulation.script(ACTOR, case.scenario.actors[0].events)  # type: ignore[union-attr]
            yield case, fork
    loop.simulation.close()


def finish(setting: Setting, case: Case, fork: Lockstep, on_message: OnMessage | None = None) -> Row:
    """Drives a fork to the end of its case; measuring begins at once, the time of the case with it."""
    begin = fork.simulation.ticks * TICK * 1e-9
    return judge(case, record(setting, fork, case.end, begin + case.lasts, begin, on_message))


def _moment(case: Case) -> tuple[float, float]:
    """Sorts cases: earlier first, larger gaps first."""
    event = case.scenario.actors[0].events[0]  # type: ignore[union-attr]
    return event.time or 0.0, -(event.gap or 0.0)


def _begins(setting: Setting, case: Case, truth: Truth, loop: Lockstep) -> bool:
    """Whether the first event of a case is about to begin."""
    event = case.scenario.actors[0].events[0]  # type: ignore[union-attr]
    if event.time is not None:
        return event.time - loop.simulation.ticks * TICK * 1e-9 <= AHEAD
    if ACTOR not in truth.identity:  # out of sight yet
        return False
    index = truth.identity.tolist().index(ACTOR)
    front = truth.station + setting.vehicle.facts.dimensions.rear_axle_to_front
    gap = float(truth.station_other[index] - 0.5 * truth.extent[index, 0]) - front
    closing = max(truth.speed - float(truth.speed_other[index]), 0.0)
    return gap - closing * AHEAD <= float(event.gap or 0.0)
