"""Puts the page together: template, style, scripts and data in one HTML file that works from a disk without any network."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from pilot_evaluation.criteria import AT_MOST, Criterion, Verdict
from pilot_evaluation.report.data import report_data
from pilot_evaluation.report.signals import ExtraCurve
from pilot_evaluation.run import Run
from pilot_simulation.road import TrueRoad

# In this order; the last one puts the page together.
SCRIPTS = ("unpack", "player", "camera", "road", "cars", "scene", "curves", "story", "main")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHeader:
    """What the page says of a run besides what is in its messages.

    `facts` are further pairs for the banner and for "Run it again" (real-time factor, machine). `road` is drawn as the truth.
    """

    title: str  # what was run, in words
    scenario: str
    command: str  # as typed, to do it again
    version: str
    seed: int | None = None
    hash: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    road: TrueRoad | None = None
    extra_curves: tuple[ExtraCurve, ...] = ()


def write_report(file: Path, run: Run, verdict: Verdict, header: ReportHeader) -> None:
    """Writes the page of a run. Raises BagError where the run does not even say where the car was."""
    data = report_data(run, road=header.road, extra=header.extra_curves)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(data, run, verdict, header), encoding="utf-8")


def page(data: dict[str, Any], run: Run, verdict: Verdict, header: ReportHeader) -> str:
    """The page as text."""
    contents = {
        "title": html.escape(f"{verdict.word.upper()} · {header.scenario} · {run.vehicle.name}"),
        "style": _part("page.css"),
        "scripts": "\n".join(f"<script>\n{_part(name + '.js')}</script>" for name in SCRIPTS),
        "verdict": verdict.word,
        "verdict_sign": "✓" if verdict.passed else "✗",
        "verdict_word": "Pass" if verdict.passed else "Fail",
        "heading": html.escape(header.title),
        "sentence": html.escape(_sentence(verdict)),
        "facts": _facts(data, run, header),
        "criteria": _criteria(verdict),
        "reproduce": _reproduce(run, header),
        "version": html.escape(header.version),
        "data": json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: contents[match[1]], _part("page.html"))


def _part(name: str) -> str:
    return (files("pilot_evaluation.report") / name).read_text(encoding="utf-8")


def _sentence(verdict: Verdict) -> str:
    gating = [criterion for criterion in verdict.criteria if criterion.gates]
    held = sum(criterion.passed for criterion in gating)
    told = verdict.sentence().split(": ", 1)[-1]
    count = (
        f"all {held} criteria hold"
        if held == len(gating)
        else f"{len(gating) - held} of {len(gating)} criteria fail"
    )
    return f"{told[:1].upper()}{told[1:]} – {count}."


def _facts(data: dict[str, Any], run: Run, header: ReportHeader) -> str:
    facts = {"Vehicle": run.vehicle.name, "Scenario": header.scenario}
    if header.seed is not None:
        facts["Seed"] = str(header.seed)
    facts |= {"Duration": f"{data['duration']:.0f} s", **header.facts}
    return "".join(
        f"<div><dt>{html.escape(key)}</dt><dd>{html.escape(value)}</dd></div>" for key, value in facts.items()
    )


def _criteria(verdict: Verdict) -> str:
    """What decides, failures first; folded away, what was measured besides."""
    deciding = sorted((c for c in verdict.criteria if c.gates), key=lambda criterion: criterion.passed)
    others = [criterion for criterion in verdict.criteria if not criterion.gates]
    folded = f"<details><summary>{len(others)} more measures, for information</summary>{_table('measures', others)}</details>"
    return _table("criteria", deciding) + (folded if others else "")


def _table(name: str, criteria: list[Criterion]) -> str:
    head = "".join(
        f'<th scope="col">{title}</th>' for title in ("Result", "Criterion", "Value", "Limit", "Unit")
    )
    rows = "\n".join(_row(criterion) for criterion in criteria)
    return f'<div class="table-wrap"><table id="{name}"><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _row(criterion: Criterion) -> str:
    if not criterion.gates:
        css, result = "skip", "–" if criterion.passed else "– beyond its limit"
    else:
        css, result = ("pass", "✓ pass") if criterion.passed else ("fail", "✗ fail")
    limit = (
        ""
        if criterion.limit is None
        else f"{'≤' if criterion.bound == AT_MOST else '≥'} {_number(criterion.limit)}"
    )
    return (
        f'<tr class="{css}" data-name="{html.escape(criterion.name)}"><td class="result">{result}</td>'
        f"<td>{html.escape(criterion.title)}<small>{html.escape(criterion.sentence)}</small></td>"
        f'<td class="number">{_number(criterion.value)}</td><td class="number">{limit}</td>'
        f"<td>{html.escape(criterion.unit)}</td></tr>"
    )


def _number(value: float | None) -> str:
    """Three digits that say something, no exponent."""
    if value is None:
        return "–"
    digits = (
        0
        if value == int(value) or abs(value) >= 100.0
        else 1
        if abs(value) >= 10.0
        else 2
        if abs(value) >= 1.0
        else 3
    )
    return f"{value:.{digits}f}".replace("-", "−")


def _reproduce(run: Run, header: ReportHeader) -> str:
    parts = [f"<pre><code>{html.escape(header.command)}</code></pre>"]
    if header.hash:
        parts.append(
            f"<p>Same build, same vehicle, same input: the outputs hash to<br><code>{html.escape(header.hash)}</code></p>"
        )
    parts += [f"<p>{html.escape(note)}</p>" for note in run.notes]
    return "\n".join(parts)
