"""Holds a drive against rule packs: the same monitor as in the car, with truth in place of measurements where there is truth."""

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.errors import BagError
from pilot_common.graph import Graph
from pilot_common.messages import Message
from pilot_common.rule_signals import SignalReader
from pilot_common.rules import Clause, Finding, Pack, Record, RuleMonitor
from pilot_common.vehicle import Vehicle
from pilot_evaluation.run import Run
from pilot_evaluation.true_signals import true_signals

TOPICS = ("vehicle_state", "mode", "plan", "world", "actuation")
STEPPED_BY = ("truth", "mode", "vehicle_state")  # the first of these that was recorded sets the times
OUTCOMES = {"pass": "hold", "violated": "do not", "not exercised": "were not exercised"}
MOST_TOLD = 100  # findings of a clause that are kept


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What became of one clause, with the moments at which it began not to hold (s since the start)."""

    clause: Clause
    record: Record
    begins: tuple[float, ...]

    @property
    def outcome(self) -> str:
        """pass, violated or not exercised."""
        return self.record.outcome

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        record, clause = self.record, self.clause
        return {
            "id": clause.id,
            "market": clause.market,
            "title": clause.title.en,
            "title_zh": clause.title.zh,
            "severity": clause.severity.name.lower(),
            "provenance": clause.provenance.mark.written,
            "outcome": self.outcome,
            "known": record.known,
            "steps": record.exercised,
            "violations": record.spells,
            "first": self.begins[0] if self.begins else None,
            "worst": None if math.isnan(record.worst) else round(record.worst, 6),
            "limit": None if math.isnan(record.limit) else round(record.limit, 6),
            "unit": clause.unit,
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """All clauses of a drive of `seconds`; it passed if no clause that decides was violated."""

    lines: tuple[AuditLine, ...]
    seconds: float

    @property
    def broken(self) -> tuple[AuditLine, ...]:
        """The clauses that decide against the drive."""
        return tuple(line for line in self.lines if line.clause.gates and line.outcome == "violated")

    @property
    def passed(self) -> bool:
        """Whether nothing that decides was violated."""
        return not self.broken

    def count(self, outcome: str) -> int:
        """How many clauses have an outcome."""
        return sum(line.outcome == outcome for line in self.lines)

    def sentence(self) -> str:
        """The verdict in one line."""
        counts = ", ".join(f"{self.count(outcome)} {word}" for outcome, word in OUTCOMES.items())
        if self.passed:
            return f"PASS: of {len(self.lines)} clauses {counts}"
        first = min(self.broken, key=lambda line: line.begins[0])
        who = f"{first.clause.id} at {first.begins[0]:.1f} s"
        return f"FAIL: {len(self.broken)} clauses decide against the drive, first {who}; of {len(self.lines)} {counts}"


def audit(run: Run, packs: tuple[Pack, ...]) -> Audit:
    """Steps the monitor through a drive. Raises BagError where nothing was recorded that rules could look at."""
    by = next((topic for topic in STEPPED_BY if run.messages(topic)), None)
    if by is None:
        raise BagError(f"nothing to audit: none of {', '.join(STEPPED_BY)} was recorded")
    monitor, reader = RuleMonitor(packs), SignalReader(run.vehicle)
    truths = true_signals(run) if by == "truth" else []
    begins: dict[str, list[float]] = {clause.id: [] for clause in monitor.clauses}
    for index, (stamp, newest) in enumerate(_moments(run, by)):
        signals = reader.read(*newest)
        if truths:
            signals = signals.with_truth(truths[index])
        for finding in monitor.step(stamp, signals):
            _note(begins[finding.clause.id], finding, run.start)
    records = monitor.records
    lines = tuple(
        AuditLine(clause, records[clause.id], tuple(begins[clause.id])) for clause in monitor.clauses
    )
    return Audit(lines, run.duration)


def _note(begins: list[float], finding: Finding, start: float) -> None:
    if finding.new and len(begins) < MOST_TOLD:
        begins.append(finding.time - start)


def _moments(run: Run, by: str) -> Iterable[tuple[float, tuple[Any, ...]]]:
    """Stamp and newest messages (None where missing or too old) at each message of a topic."""
    at = run.log_time(by)
    columns = [_newest(run, topic, at) for topic in TOPICS]
    stamps = [message.stamp for message in run.messages(by)]
    return zip(stamps, zip(*columns, strict=True), strict=True)


def _newest(run: Run, topic: str, at: np.ndarray) -> list[Message | None]:
    messages, times = run.messages(topic), run.log_time(topic)
    oldest = run.graph.topics[topic].maximum_age
    index = np.searchsorted(times, at, side="right") - 1
    fresh = [
        messages[row] if row >= 0 and now - times[row] <= oldest else None
        for now, row in zip(at.tolist(), index.tolist(), strict=True)
    ]
    return fresh


def audit_bag(bag: Path, vehicle: Vehicle, graph: Graph, packs: tuple[Pack, ...]) -> tuple[Audit, list[str]]:
    """The audit of a recording, and what must be said of it (a truncated bag). Raises BagError."""
    run = Run.from_bag(bag, vehicle, graph, (*TOPICS, "truth"))
    return audit(run, packs), run.notes


COLUMNS = ("clause", "market", "mark", "severity", "outcome", "first s", "times", "worst", "limit", "unit")


def rows(result: Audit) -> list[tuple[str, ...]]:
    """The table, as text."""
    return [
        (
            line.clause.id,
            line.clause.market,
            line.clause.provenance.mark.written,
            line.clause.severity.name.lower(),
            line.outcome if line.record.known or line.record.exercised else "not exercised: signals missing",
            f"{line.begins[0]:.1f}" if line.begins else "",
            str(line.record.spells) if line.record.spells else "",
            _number(line.record.worst),
            _number(line.record.limit),
            line.clause.unit,
        )
        for line in result.lines
    ]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def write_audit_page(file: Path, result: Audit, bag: str, vehicle: str) -> None:
    """The table as one HTML file that needs no network."""
    style = (files("pilot_evaluation.report") / "page.css").read_text(encoding="utf-8")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in (*COLUMNS, "title", "中文", "source"))
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in (*row, *_words(line.clause))) + "</tr>"
        for row, line in zip(rows(result), result.lines, strict=True)
    )
    title = html.escape(f"Rule audit · {bag} · {vehicle}")
    file.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{style}'
        "td, th { text-align: left; padding: 3px 12px 3px 0; vertical-align: top; }</style></head><body><main>"
        f"<h1>{title}</h1><p>{html.escape(result.sentence())}</p><table><tr>{head}</tr>{body}</table></main></body></html>\n",
        encoding="utf-8",
    )


def _words(clause: Clause) -> tuple[str, str, str]:
    return clause.title.en, clause.title.zh, clause.provenance.source
