"""Drives cases through the whole loop – detection, fusion, planning, control, gate, car, with the vehicle's own sensors.

`run_case` drives and judges one case; `prove` runs the cases of a suite over several processes. The rows come out in the order of
the cases, the same whatever the number of processes.
"""

import contextlib
import gc
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

import numpy as np

from pilot_common.messages import Message
from pilot_common.types import Actuation, Truth
from pilot_common.vehicle import Vehicle
from pilot_evaluation.measures.contact import contacts
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, End, Row, Setting, Suite
from pilot_evaluation.proving.journal import Journal
from pilot_evaluation.proving.outcome import LIFT_OFF, named, outcome
from pilot_evaluation.run import Run
from pilot_simulation.lockstep import Lockstep
from pilot_simulation.scenario import Perception, Scenario
from pilot_simulation.simulation import TICK, Simulation

KEPT = frozenset({"truth", "plan", "mode", "actuation"})  # what measures look at
STILL = 0.05  # m/s
CALM_FOR = 0.5  # s
IN_THE_WAY = 0.3  # m by which bodies overlap across the road
MOVES = 1e-3  # m from one truth to the next
LITTLE = 0.3  # m/s², less than a lift-off
EASED = 0.7  # of the peak deceleration, to which it has fallen
NEEDED_SHARE = 0.4  # of the peak deceleration, that is still needed
GROWING = 0.02  # m/s² from one truth to the next
SPARE = 0.75  # of the deceleration at hand, that must do: laws of following ease it as they close
ROOM, HEADWAY = 2.0, 0.8  # m and s left in front of the ego at least

OnProgress = Callable[[int], None]  # number of cases done
OnMessage = Callable[[int, str, Message], None]  # time in ns, topic


class Watch:
    """Decides when a case is over.

    *Opening*: for `CALM_FOR` nobody moves across the road but those already in the ego's way, and the gap to whoever is ahead
    there opens. *Settled*: the same, or the ego has braked, what it still needs to reach his speed, Δv² / 2 gap, is little, or
    little beside a peak that is past, and less than its deceleration leaves a good gap; meanwhile that does not grow.
    """

    def __init__(self, end: End, vehicle: Vehicle) -> None:
        self._end, dimensions = end, vehicle.facts.dimensions
        self._rear = dimensions.rear_axle_to_front - dimensions.length
        self._half_width, self._front = 0.5 * dimensions.width, dimensions.rear_axle_to_front
        self._stood: float | None = None
        self._calm: float | None = None
        self._offsets: dict[int, float] = {}
        self._braked = False
        self._peak = self._before = 0.0  # deceleration, its peak so far and that of the truth before

    def sent(self, actuation: Actuation) -> None:
        """Notes what was sent to the actuators."""
        self._braked |= actuation.active and actuation.acceleration < -LIFT_OFF

    def over(self, time: float, truth: Truth) -> bool:
        """Whether nothing more can happen; `time` is that of the scenario."""
        end = self._end
        if end.contact and truth.contact_identity:
            return True
        self._stood = _since(self._stood, time, abs(truth.speed) < STILL)
        self._calm = _since(self._calm, time, self._is_calm(truth))
        if time < end.after:
            return False
        if end.standstill is not None and self._stood is not None and time - self._stood >= end.standstill:
            return True
        if end.passed and self._passed(truth):
            return True
        return self._calm is not None and time - self._calm >= CALM_FOR

    def _passed(self, truth: Truth) -> bool:
        behind = truth.station_other + 0.5 * truth.extent[:, 0] < truth.station + self._rear
        return bool((behind & (truth.speed_other < truth.speed)).all())

    def _is_calm(self, truth: Truth) -> bool:
        """Whether this instant is calm in the sense of the end that was asked for."""
        if not (self._end.opening or self._end.settled):
            return False
        deceleration, last = -truth.acceleration, self._before
        self._before, self._peak = deceleration, max(self._peak, deceleration)
        beside = np.abs(truth.offset_other - truth.offset) - 0.5 * truth.extent[:, 1] - self._half_width
        before = self._offsets
        self._offsets = dict(zip(truth.identity.tolist(), truth.offset_other.tolist(), strict=True))
        for (who, offset), aside in zip(self._offsets.items(), beside.tolist(), strict=True):
            if aside > -IN_THE_WAY and abs(offset - before.get(who, 1e9)) > MOVES:
                return False
        gap = truth.station_other - 0.5 * truth.extent[:, 0] - truth.station - self._front
        ahead = (beside < 0.3) & (gap > 0.0)
        if not ahead.any():
            return False
        closing = np.maximum(truth.speed - truth.speed_other[ahead], 0.0)
        needed = float((closing**2 / (2.0 * np.maximum(gap[ahead] - ROOM, 0.1))).max())
        if not self._end.settled:
            return needed == 0.0
        if deceleration > last + GROWING:
            return False
        left = gap[ahead] - closing**2 / (2.0 * max(SPARE * deceleration, LITTLE))
        if bool((left < ROOM + HEADWAY * truth.speed_other[ahead]).any()):
            return needed == 0.0  # it comes too near to be left alone
        eased = deceleration < EASED * self._peak and needed < NEEDED_SHARE * self._peak
        return needed == 0.0 or (self._braked and (eased or needed < LITTLE))


def _since(start: float | None, time: float, holds: bool) -> float | None:
    return (time if start is None else start) if holds else None


def start(setting: Setting, scenario: Scenario, seed: int) -> Lockstep:
    """The loop of a scenario, ready to tick."""
    if setting.perfect:
        scenario = replace(scenario, perception=Perception.PERFECT)
    return Lockstep(Simulation(setting.vehicle, scenario, setting.config, seed), setting.config)


def record(
    setting: Setting,
    loop: Lockstep,
    end: End,
    until: float,
    judge_from: float,
    on_message: OnMessage | None = None,
) -> Run:
    """Ticks the loop until `until` (s of the scenario) or the end of the case; keeps what measures need from `judge_from` on."""
    run = Run(setting.vehicle, loop.graph, real_time=False)
    watch = Watch(end, setting.vehicle)
    last = round(until * 1e9) // TICK
    while loop.simulation.ticks <= last:
        time = loop.simulation.ticks * TICK * 1e-9
        over = False
        for now, topic, message in loop.tick():
            if on_message is not None:
                on_message(now, topic, message)
            if topic not in KEPT or time < judge_from:
                continue
            run.add(topic, now, message)
            if isinstance(message, Actuation):
                watch.sent(message)
            elif isinstance(message, Truth):
                over |= watch.over(time, message)
        if over:
            break
    return run


def run_case(setting: Setting, case: Case, on_message: OnMessage | None = None) -> Row:
    """Drives a case from the start of its scenario to its end and judges it by its limits."""
    if case.scenario is None:
        raise ValueError(f"case {case.name} has no scenario")
    loop = start(setting, case.scenario, seed_of(setting, case.suite, case.name))
    try:
        run = record(setting, loop, case.end, case.scenario.duration, case.judge_from, on_message)
    finally:
        loop.simulation.close()
    return judge(case, run)


def judge(case: Case, run: Run) -> Row:
    """The row of a driven case: its measures, and which limits they break."""
    measures = {**outcome(run), **case.known}
    broken = []
    for name, limit in case.limits.items():
        value = measures.get(name)
        if value is None:
            value = named(run, name, measures)
        if value is None:
            continue
        measures[name] = value
        how = limit.broken_by(value)
        if how:
            broken.append(f"{name} {how}")
    note = "; ".join(f"contact with {c.identity}: {c.reason}" for c in contacts(run)[:1])
    return row(case, FAIL if broken else PASS, "; ".join(broken), measures, note)


def row(case: Case, verdict: str, reason: str, measures: dict[str, float], note: str = "") -> Row:
    """The row of a case."""
    return Row(
        suite=case.suite,
        family=case.family,
        name=case.name,
        parameters=case.parameters,
        verdict=verdict,
        reason=reason,
        measures=measures,
        note=note,
    )


def seed_of(setting: Setting, suite: str, name: str) -> int:
    """Of everything random in a drive: its own in each, the same in each run (FNV-1a; Python's hash differs from run to run)."""
    digest = 2166136261
    for byte in f"{suite}/{name}".encode():
        digest = (digest ^ byte) * 16777619 % 2**32
    return (digest ^ (setting.seed * 2654435761)) % 2**31


def prove(
    suite: Suite,
    setting: Setting,
    cases: Sequence[Case],
    jobs: int,
    on_progress: OnProgress,
    journal: Journal | None = None,
) -> tuple[list[Row], bool]:
    """Rows of all cases in order, and whether they are all there: after Ctrl-C those that were done are returned.

    What the `journal` knows is not driven again; what is driven is noted in it, group by group.
    """
    known = journal.rows if journal is not None else {}
    done = {case.name: known[case.name] for case in cases if case.name in known}
    groups = suite.groups([case for case in cases if case.name not in done])
    complete = True
    try:
        on_progress(len(done))
        for rows in _in_processes(suite, setting, groups, jobs):
            if journal is not None:
                journal.add(rows)
            done.update((row.name, row) for row in rows)
            on_progress(len(done))
    except KeyboardInterrupt:
        complete = False
    return [done[case.name] for case in cases if case.name in done], complete


def _in_processes(suite: Suite, setting: Setting, groups: list[list[Case]], jobs: int) -> Iterator[list[Row]]:
    if jobs == 1 or len(groups) <= 1:
        with _collector_resting():
            for group in groups:
                yield _run_and_tidy(suite, setting, group)
        return
    largest_first = sorted(groups, key=len, reverse=True)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _enter) as pool:
        futures = [pool.submit(_run_and_tidy, suite, setting, group) for group in largest_first]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def run_group(suite: Suite, setting: Setting, group: Sequence[Case]) -> list[Row]:
    """The rows of a group; what a crash left undone becomes rows of its own kind."""
    rows: list[Row] = []
    try:
        rows.extend(suite.run(setting, group))
    except (
        Exception
    ) as error:  # a case that crashes must not take the others with it; the row says so and fails the run
        reason = f"{type(error).__name__}: {error}"
        rows += [row(case, ERROR, reason, {}) for case in group[len(rows) :]]
    return rows


def _run_and_tidy(suite: Suite, setting: Setting, group: Sequence[Case]) -> list[Row]:
    """A group, then its garbage; what outlives it (modules, caches, rows) is not searched again."""
    rows = run_group(suite, setting, group)
    gc.collect()
    gc.freeze()
    return rows


def _enter() -> None:
    """A worker leaves Ctrl-C to its parent, dies when told to, and searches for garbage only between groups."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()
    gc.freeze()


@contextlib.contextmanager
def _collector_resting() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()
