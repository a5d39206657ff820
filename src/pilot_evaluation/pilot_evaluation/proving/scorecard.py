"""The scorecard of a vehicle: every suite it was proved on, in one HTML file that works without any network."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pilot_common.vehicle import Vehicle
from pilot_evaluation.proving.case import PASS, Row, Setting, Suite
from pilot_evaluation.proving.r157_page import r157_section

SHOWN = 200  # failed cases a suite; the rows have them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A suite as driven for a vehicle; `perfect` is the summary with perfect perception, where that was driven too."""

    suite: Suite
    setting: Setting
    rows: Sequence[Row]
    summary: Mapping[str, Any]
    perfect: Mapping[str, Any] | None = None


def write_scorecard(file: Path, vehicle: Vehicle, proofs: Sequence[Proof], typed: str, version: str) -> None:
    """Writes the page."""
    file.write_text(page(vehicle, proofs, typed, version), encoding="utf-8")


def page(vehicle: Vehicle, proofs: Sequence[Proof], typed: str, version: str) -> str:
    """The page as text."""
    passed = all(proof.summary["verdict"] == PASS for proof in proofs)
    style = _part("pilot_evaluation.report", "page.css") + _part("pilot_evaluation.proving", "scorecard.css")
    sections = [_suites(proofs), *(section for proof in proofs for section in _sections(proof))]
    title = html.escape(f"{'PASS' if passed else 'FAIL'} · proving ground · {vehicle.name}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">'
        f"<title>{title}</title><style>{style}</style></head><body>{_banner(vehicle, proofs, passed)}"
        f'<main class="scorecard">{"".join(sections)}<section><h2>Run it again</h2><pre><code>{html.escape(typed)}</code></pre>'
        '<p class="note">One case with its report and bag: add <code>--case NAME</code> to a suite. Every case\'s row stands '
        "beside this page as CSV and JSON.</p></section></main>"
        f"<footer>Highway Pilot {html.escape(version)}. This page holds all its data and needs no network.</footer>"
        "</body></html>\n"
    )


def _part(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")


def _banner(vehicle: Vehicle, proofs: Sequence[Proof], passed: bool) -> str:
    held = sum(proof.summary["verdict"] == PASS for proof in proofs)
    facts = {
        "Vehicle": vehicle.name,
        "Cases": f"{sum(len(proof.rows) for proof in proofs):,}",
        "Seed": str(proofs[0].setting.seed) if proofs else "–",
        "Drives": _extent(proofs[0].setting) if proofs else "–",
    }
    told = "".join(f"<div><dt>{key}</dt><dd>{html.escape(value)}</dd></div>" for key, value in facts.items())
    css, sign, word = ("pass", "✓", "Pass") if passed else ("fail", "✗", "Fail")
    return (
        f'<header class="banner {css}"><div class="verdict" role="status"><span aria-hidden="true">{sign}</span> {word}</div>'
        f'<div class="headline"><h1>Proving ground: {html.escape(vehicle.facts.title)}</h1>'
        f'<p>{held} of {len(proofs)} suites hold.</p></div><dl class="facts">{told}</dl></header>'
    )


def _extent(setting: Setting) -> str:
    if setting.cases_file is not None:
        return setting.cases_file.name
    if setting.sample is not None:
        return f"a sample of {setting.sample}"
    return "whole grids" if setting.full else "CI subset"


def _suites(proofs: Sequence[Proof]) -> str:
    beside = any(proof.perfect for proof in proofs)
    head = ("Result", "Suite", "What came of it", *(("With perfect perception",) if beside else ()))
    rows = []
    for proof in proofs:
        cells = [
            f"{html.escape(proof.suite.title)}<small>{html.escape(proof.suite.key)}</small>",
            html.escape(str(proof.summary["sentence"])),
        ]
        if beside:
            cells.append(html.escape(str(proof.perfect["sentence"])) if proof.perfect else "–")
        rows.append((proof.summary["verdict"] == PASS, cells))
    return f"<section><h2>Suites</h2>{verdict_table(head, rows)}</section>"


def verdict_table(head: Sequence[str], rows: Sequence[tuple[bool, Sequence[str]]]) -> str:
    """A table whose first column is pass or fail; cells are HTML."""
    titles = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in head)
    body = "".join(
        f'<tr class="{"pass" if passed else "fail"}"><td class="result">{"✓ pass" if passed else "✗ fail"}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for passed, cells in rows
    )
    return (
        f'<div class="table-wrap"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _sections(proof: Proof) -> list[str]:
    inside = (
        r157_section(proof.setting, proof.rows, proof.summary, proof.perfect)
        if proof.suite.key == "r157"
        else _families(proof)
    )
    head = f"<h2>{html.escape(proof.suite.title)} <small>{html.escape(proof.suite.key)}</small></h2>"
    return [f"<section>{head}{inside}{_figures(proof.summary)}{_failed(proof.summary)}</section>"]


def _families(proof: Proof) -> str:
    families: dict[str, list[Row]] = {}
    for row in proof.rows:
        families.setdefault(row.family, []).append(row)
    head = ("Result", "Family", "Cases", "Failed", "Contacts", "Braked")
    rows = []
    for family, of_family in families.items():
        failed = sum(row.verdict != PASS for row in of_family)
        counts = [len(of_family), failed]
        counts += [sum(bool(row.measures.get(name)) for row in of_family) for name in ("contact", "braked")]
        rows.append((failed == 0, [html.escape(family.replace("_", " ")), *map(str, counts)]))
    return verdict_table(head, rows)


def _figures(summary: Mapping[str, Any]) -> str:
    """Whatever plain numbers a suite sums itself up in."""
    plain = {
        key: value
        for key, value in summary.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    rows = "".join(
        f'<tr><td>{html.escape(key.replace("_", " "))}</td><td class="number">{value:,.5g}</td></tr>'
        for key, value in plain.items()
    )
    return f"<details><summary>{len(plain)} figures</summary><table><tbody>{rows}</tbody></table></details>"


def _failed(summary: Mapping[str, Any]) -> str:
    failed = list(summary.get("failed_cases", ()))
    if not failed:
        return ""
    more = f"<li>… and {len(failed) - SHOWN} more</li>" if len(failed) > SHOWN else ""
    lines = "".join(f"<li>{html.escape(str(line))}</li>" for line in failed[:SHOWN])
    return f'<h3>{len(failed)} cases that do not hold</h3><ul class="failed">{lines}{more}</ul>'
