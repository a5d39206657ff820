"""Measuring back to back: every subject in turn, several rounds, so that a loaded machine slows all of them alike."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ROUNDS = 3
CLAIM = 1.5  # smaller ratios say nothing: CPU time of pure Python itself varies that much on a loaded machine

Subject = Callable[[], list[float]]  # one round: CPU times of its calls, ms
Tell = Callable[[float, str], None]  # share done, of what


@dataclass(frozen=True)
class Times:
    """CPU times of one subject, by round, in ms."""

    rounds: tuple[tuple[float, ...], ...]

    @property
    def all(self) -> list[float]:
        """Of all rounds."""
        return [time for part in self.rounds for time in part]

    @property
    def median(self) -> float:
        """Over all calls."""
        return statistics.median(self.all)

    def percentile(self, share: float) -> float:
        """Smallest time that at least this share of the calls keeps."""
        ordered = sorted(self.all)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return {"p50_ms": self.median, "p99_ms": self.percentile(0.99), "calls": len(self.all)}


def alternate(subjects: Mapping[str, Subject], tell: Tell, rounds: int = ROUNDS) -> dict[str, Times]:
    """A B A B …: each subject once a round."""
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in subjects}
    for turn in range(rounds):
        for index, (name, subject) in enumerate(subjects.items()):
            tell((turn * len(subjects) + index) / (rounds * len(subjects)), name)
            found[name].append(tuple(subject()))
    return {name: Times(tuple(parts)) for name, parts in found.items()}


def ratio(other: Times, own: Times) -> float:
    """How many times as long the other takes: median over the rounds of the ratios of medians."""
    pairs = zip(other.rounds, own.rounds, strict=True)
    return statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)


def timed(call: Callable[[], Any], times: list[float]) -> Any:
    """Calls, and notes the CPU time of this thread in ms."""
    begun = time.thread_time_ns()
    result = call()
    times.append(1e-6 * (time.thread_time_ns() - begun))
    return result


def criterion(
    value: float, limit: float, sentence: str, at_least: bool = False, unit: str = ""
) -> dict[str, Any]:
    """One entry of the answer's `criteria`."""
    return {
        "value": value,
        "limit": limit,
        "pass": value >= limit if at_least else value <= limit,
        "bound": "at least" if at_least else "at most",
        "unit": unit,
        "gates": True,
        "sentence": sentence,
    }


def verdict(criteria: Iterable[Mapping[str, Any]]) -> str:
    """Of all that gate."""
    return "pass" if all(one["pass"] for one in criteria) else "fail"
