"""Suite `openacc`: our car behind every leader that was recorded in platoons of cars under commercial ACC, at a 1.5 s time gap.

The files are those of a folder: `--cases FOLDER` (or one file), else of `openacc` in the folder that PILOT_DATA names, else
in `shared/data` beside the checkout. Columns: Time, Speed⟨i⟩, IVS⟨i⟩ (gap of car i to i+1), 10 Hz. A leader counts from a stretch
of at least 90 s in which his speed, that of the car behind him and their gap are recorded. Beside our car stand, on the same
stretch, the car that was recorded there and the intelligent driver model. All leaders are judged, by the medians. Leaders that
stand at times are told apart as well: whoever starts after another cannot have less deviation than he, whatever his law. No gap
may be smaller than that which the car's planner keeps at a stand.
"""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.errors import ScenarioError
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, Limit, Row, Setting, Suite
from pilot_evaluation.proving.engine import row, seed_of
from pilot_evaluation.proving.recordings import recordings
from pilot_evaluation.proving.spread import spread
from pilot_evaluation.proving.trace_following import (
    STEP,
    amplification,
    can_follow,
    follow,
    jerk_rms,
    standstill_gap,
)

FOLDER = "openacc"
LONG = 900  # steps of a stretch, at least
NEAR = 1.0  # m: smaller recorded gaps are holes in the recording
TIME_GAP = 1.5  # s
ROLLING = 1.0  # m/s: a leader that never goes slower keeps rolling
SUBSET, SUBSET_STEPS = 8, 1200  # leaders, and steps of each, where not all are asked for
MANUAL = "no_ACC"
AMPLIFICATION, JERK = 0.95, 0.2  # medians, and m/s³
LIMITS = {"contact": Limit(at_most=0.0), "gap_reserve": Limit(at_least=0.0), "driven": Limit(at_least=0.999)}


@dataclass(frozen=True)
class Stretch:
    """A leader, the car that was recorded behind him, and their gap, (T,) each at 10 Hz."""

    name: str
    family: str
    leader: np.ndarray
    follower: np.ndarray
    gap: np.ndarray


class OpenAcc(Suite):
    """The suite."""

    key = "openacc"
    title = "Behind recorded leaders"

    def __init__(self, config: Path) -> None:
        self._config = config

    def cases(self, setting: Setting) -> Sequence[Case]:
        """One per leader that the car is fast enough for."""
        found = [
            Case(
                suite=self.key,
                family=stretch.family,
                name=stretch.name,
                parameters={
                    "seconds": STEP * len(stretch.leader),
                    "mean_speed": float(stretch.leader.mean()),
                    "rolling": float(stretch.leader.min() > ROLLING),
                },
                limits=LIMITS,
            )
            for file in recorded_files(setting)
            for stretch in stretches(file)
            if can_follow(setting.vehicle, stretch.leader)
        ]
        return spread(found, setting.sample if setting.full else SUBSET, setting.seed)

    def groups(self, cases: Sequence[Case]) -> list[list[Case]]:
        """Leaders of one file together: it is read once."""
        files = list(dict.fromkeys(case.name.rpartition("-")[0] for case in cases))
        return [[case for case in cases if case.name.rpartition("-")[0] == file] for file in files]

    def run(self, setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
        """Drives behind each leader."""
        wanted = {case.name for case in group}
        found = {
            stretch.name: stretch
            for file in recorded_files(setting)
            if any(name.startswith(_stem(file)) for name in wanted)
            for stretch in stretches(file)
        }
        for case in group:
            yield self._drive(setting, case, found[case.name])

    def _drive(self, setting: Setting, case: Case, stretch: Stretch) -> Row:
        until = len(stretch.leader) if setting.full else SUBSET_STEPS
        leader, recorded = stretch.leader[:until], stretch.follower[:until]
        driven = follow(setting, leader, TIME_GAP, seed_of(setting, case.suite, case.name))
        model = intelligent_driver(leader)
        standstill = standstill_gap(setting)
        moving = driven.speed > 3.0 * ROLLING
        measures = {
            "contact": float(driven.contact),
            "driven": driven.driven,
            "rolling": float(leader.min() > ROLLING),
            "amplification": amplification(driven.leader, driven.speed),
            "jerk_rms": jerk_rms(driven.speed),
            "min_gap": float(driven.gap.min()),
            "gap_reserve": float(driven.gap.min()) - standstill,
            "recorded_amplification": amplification(leader, recorded),
            "recorded_jerk_rms": jerk_rms(recorded),
            "model_amplification": amplification(leader, model),
            "model_jerk_rms": jerk_rms(model),
            "leader_jerk_rms": jerk_rms(leader),
        }
        if moving.any():
            held = (driven.gap[moving] - standstill) / driven.speed[moving]
            measures["mean_time_gap"] = float(held.mean())
        broken = [
            f"{name} {how}" for name, limit in case.limits.items() if (how := limit.broken_by(measures[name]))
        ]
        return row(case, FAIL if broken else PASS, "; ".join(broken), measures)

    def summary(self, setting: Setting, rows: Sequence[Row]) -> dict[str, Any]:
        """Medians over the leaders, ours beside the recorded cars' (those under ACC) and the model's."""
        told: dict[str, Any] = {
            "cases": len(rows),
            "contacts": sum(bool(item.measures.get("contact")) for item in rows),
            "failed_cases": [f"{item.name}: {item.reason}" for item in rows if item.verdict != PASS],
            "errors": sum(item.verdict == ERROR for item in rows),
        }
        judged = [item for item in rows if item.family != MANUAL and item.verdict != ERROR]
        rolling = [item for item in judged if item.measures["rolling"]]
        for words, chosen in (("all", judged), ("rolling", rolling)):
            if chosen:
                told[words] = {
                    "leaders": len(chosen),
                    **_compared(chosen, "amplification"),
                    **_compared(chosen, "jerk_rms"),
                    "min_gap": min(item.measures["min_gap"] for item in chosen),
                }
        every = told.get("all")
        passed = every is not None and not told["failed_cases"]
        sentence = "no leader was driven behind"
        if every is not None:
            passed = passed and every["amplification"] <= AMPLIFICATION and every["jerk_rms"] <= JERK
            best = told.get("rolling", every)
            sentence = (
                f"deviation of speed × {best['amplification']:.3f} behind leaders that keep rolling (commercial "
                f"{best['recorded_amplification']:.3f}, IDM {best['model_amplification']:.3f}), × {every['amplification']:.3f} "
                f"behind all ({every['recorded_amplification']:.3f}, {every['model_amplification']:.3f}), jerk "
                f"{every['jerk_rms']:.2f} m/s³ ({every['recorded_jerk_rms']:.2f}, {every['model_jerk_rms']:.2f})"
            )
        return {"verdict": PASS if passed else FAIL, "sentence": sentence, **told}


def _compared(rows: Sequence[Row], name: str) -> dict[str, float]:
    told = {}
    for whose in ("", "recorded_", "model_"):
        values = np.array([item.measures[whose + name] for item in rows])
        told[whose + name] = round(float(np.median(values)), 4)
        told[f"{whose}{name}_mean"] = round(float(values.mean()), 4)
        if name == "amplification":
            told[f"{whose}share_amplified"] = round(float((values > 1.0).mean()), 4)
    return told


def recorded_files(setting: Setting) -> list[Path]:
    """The recorded platoons, see `recordings`."""
    return recordings(setting, FOLDER, "*.csv.gz", "*.csv.gz")


def stretches(file: Path) -> list[Stretch]:
    """Every leader of a recording on its longest stretch without a hole. Raises ScenarioError for another kind of file."""
    with gzip.open(file, "rt", newline="") as lines:
        table = list(csv.reader(lines))
    try:
        values = np.array([[float(cell or "nan") for cell in line] for line in table[1:]])
    except ValueError as error:
        raise ScenarioError(f"{file}: {error}") from error
    column = dict(zip(table[0], values.T, strict=True)) if len(values) else {}
    found = []
    for index in range(1, 100):
        names = (f"Speed{index}", f"Speed{index + 1}", f"IVS{index}")
        if not all(name in column for name in names):
            continue
        leader, follower, gap = (column[name] for name in names)
        first, end = _longest(np.isfinite(leader) & np.isfinite(follower) & (np.nan_to_num(gap) > NEAR))
        if end - first >= LONG:
            stem = _stem(file)
            kept = slice(first, end)
            family = stem.partition("__")[0]
            leader = np.maximum(leader[kept], 0.0)
            found.append(Stretch(f"{stem}-{index}", family, leader, follower[kept], gap[kept]))
    return found


def _stem(file: Path) -> str:
    return file.name.removesuffix(".csv.gz")


def _longest(good: np.ndarray) -> tuple[int, int]:
    """First index and end of the longest stretch of True in a mask (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(((False,), good, (False,))).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    index = int(np.argmax(ends - starts))
    return int(starts[index]), int(ends[index])


def intelligent_driver(leader: np.ndarray) -> np.ndarray:
    """Speeds of the intelligent driver model (Treiber, Hennecke, Helbing 2000) behind a leader, from its own gap on.

    Acceleration 1.5 m/s², comfortable deceleration 3.0 m/s², standstill 2 m, wish 130 km/h, the same time gap.
    """
    acceleration, comfort, standstill, wish = 1.5, 3.0, 2.0, 130.0 / 3.6
    speed = float(leader[0])
    gap = standstill + TIME_GAP * speed
    found = []
    for ahead in leader.tolist():
        found.append(speed)
        approach = speed * (speed - ahead) / (2.0 * (acceleration * comfort) ** 0.5)
        wanted = standstill + max(0.0, speed * TIME_GAP + approach)
        change = acceleration * (1.0 - (speed / wish) ** 4 - (wanted / max(gap, 0.1)) ** 2)
        after = max(0.0, speed + change * STEP)
        gap += (ahead - 0.5 * (speed + after)) * STEP
        speed = after
    return np.array(found)
