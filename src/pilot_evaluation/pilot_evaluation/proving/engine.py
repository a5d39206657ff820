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

from pilot_common.types import Truth
from pilot_evaluation.measures.contact import contacts
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, End, Row, Setting, Suite
from pilot_evaluation.proving.outcome import named, outcome
from pilot_evaluation.run import Run
from pilot_simulation.lockstep import Lockstep
from pilot_simulation.scenario import Perception, Scenario
from pilot_simulation.simulation import TICK, Simulation

KEPT = frozenset({"truth", "plan", "mode", "actuation"})  # what measures look at
STILL = 0.05  # m/s
OPENING_FOR = 0.3  # s that a gap opens until nothing is expected any more

OnProgress = Callable[[int], None]  # number of cases done


class Watch:
    """Decides from truth when a case is over."""

    def __init__(self, end: End, rear_axle_to_front: float, length: float, width: float) -> None:
        self._end = end
        self._rear, self._half_width = rear_axle_to_front - length, 0.5 * width
        self._front = rear_axle_to_front
        self._stood: float | None = None
        self._opened: float | None = None
        self._offsets: dict[int, float] = {}

    def over(self, time: float, truth: Truth) -> bool:
        """Whether nothing more can happen; `time` is that of the scenario."""
        end = self._end
        if end.contact and truth.contact_identity:
            return True
        self._stood = (self._stood if self._stood is not None else time) if abs(truth.speed) < STILL else None
        opening = end.opening and self._opening(truth)
        self._opened = (self._opened if self._opened is not None else time) if opening else None
        if time < end.after:
            return False
        if end.standstill is not None and self._stood is not None and time - self._stood >= end.standstill:
            return True
        if end.passed and bool(
            (truth.station_other + 0.5 * truth.extent[:, 0] < truth.station + self._rear).all()
        ):
            return True
        return self._opened is not None and time - self._opened >= OPENING_FOR

    def _opening(self, truth: Truth) -> bool:
        """Whether everybody keeps his place across the road and whoever is ahead in the ego's way is faster than it."""
        before, self._offsets = (
            self._offsets,
            dict(zip(truth.identity.tolist(), truth.offset_other.tolist(), strict=True)),
        )
        if any(abs(offset - before.get(identity, 1e9)) > 1e-3 for identity, offset in self._offsets.items()):
            return False
        beside = np.abs(truth.offset_other - truth.offset) - 0.5 * truth.extent[:, 1] - self._half_width
        ahead = (beside < 0.3) & (truth.station_other > truth.station + self._front)
        return bool(ahead.any()) and bool((truth.speed_other[ahead] >= truth.speed).all())


def start(setting: Setting, scenario: Scenario, seed: int) -> Lockstep:
    """The loop of a scenario, ready to tick."""
    if setting.perfect:
        scenario = replace(scenario, perception=Perception.PERFECT)
    return Lockstep(Simulation(setting.vehicle, scenario, setting.config, seed), setting.config)


def record(setting: Setting, loop: Lockstep, end: End, until: float, judge_from: float) -> Run:
    """Ticks the loop until `until` (s of the scenario) or the end of the case; keeps what measures need from `judge_from` on."""
    run = Run(setting.vehicle, loop.graph, real_time=False)
    dimensions = setting.vehicle.facts.dimensions
    watch = Watch(end, dimensions.rear_axle_to_front, dimensions.length, dimensions.width)
    last = round(until * 1e9) // TICK
    while loop.simulation.ticks <= last:
        time = loop.simulation.ticks * TICK * 1e-9
        over = False
        for now, topic, message in loop.tick():
            if topic in KEPT and time >= judge_from:
                run.add(topic, now, message)
                over |= topic == "truth" and watch.over(time, message)  # type: ignore[arg-type]
        if over:
            break
    return run


def run_case(setting: Setting, case: Case) -> Row:
    """Drives a case from the start of its scenario to its end and judges it by its limits."""
    if case.scenario is None:
        raise ValueError(f"case {case.name} has no scenario")
    loop = start(setting, case.scenario, seed_of(setting, case))
    try:
        run = record(setting, loop, case.end, case.scenario.duration, case.judge_from)
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


def seed_of(setting: Setting, case: Case) -> int:
    """Of everything random in a case: its own in each case, the same in each run."""
    digest = 2166136261  # FNV-1a over suite and name; Python's own hash differs from run to run
    for byte in f"{case.suite}/{case.name}".encode():
        digest = (digest ^ byte) * 16777619 % 2**32
    return (digest ^ (setting.seed * 2654435761)) % 2**31


def prove(
    suite: Suite, setting: Setting, cases: Sequence[Case], jobs: int, on_progress: OnProgress
) -> tuple[list[Row], bool]:
    """Rows of all cases in order, and whether they are all there: after Ctrl-C those that were done are returned."""
    groups = suite.groups(cases)
    done: dict[str, Row] = {}
    complete = True
    try:
        for rows in _in_processes(suite, setting, groups, jobs):
            done.update((row.name, row) for row in rows)
            on_progress(len(done))
    except KeyboardInterrupt:
        complete = False
    return [done[case.name] for case in cases if case.name in done], complete


def _in_processes(suite: Suite, setting: Setting, groups: list[list[Case]], jobs: int) -> Iterator[list[Row]]:
    if jobs == 1 or len(groups) == 1:
        with _collector_resting():
            for group in groups:
                yield run_group(suite, setting, group)
        return
    largest_first = sorted(groups, key=len, reverse=True)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _enter) as pool:
        futures = [pool.submit(run_group, suite, setting, group) for group in largest_first]
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
    gc.collect()
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
        gc.enable()
