"""What the scorecard shows of UN R157: ours beside the reference drivers, the trade-off, the peaks, and a map of every cut-in."""

import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from pilot_evaluation.proving.case import ERROR, FAIL, Row, Setting
from pilot_evaluation.proving.charts import Dot, Series, distribution, trade_off
from pilot_evaluation.proving.r157_grid import load_grid
from pilot_evaluation.proving.r157_references import DRIVERS

NAMES = {
    "human": "careful competent human",
    "rss": "RSS",
    "reg157": "Reg157",
    "fsm": "fuzzy safety model",
    "full_brake": "full brake from the first moment",
}
LINES = {
    "": "var(--actual)",
    "human": "var(--wish)",
    "rss": "var(--command)",
    "reg157": "var(--other)",
    "fsm": "var(--sent)",
    "full_brake": "var(--muted)",
}
HARD = 5.0  # m/s²
# Kinds of cells: words and colour, the same in dark and light.
KINDS = (
    ("not braked, no contact", "#8fa3b8"),
    ("braked, no contact", "#4aa37a"),
    ("braked with more than 5 m/s², no contact", "#d9a520"),
    ("contact that no reference driver avoids", "#8b5fbf"),
    ("contact that a reference driver avoids", "#e0352b"),
    ("error", "#000000"),
)


def r157_section(
    setting: Setting, rows: Sequence[Row], summary: Mapping[str, Any], perfect: Mapping[str, Any] | None
) -> str:
    """Tables, charts and maps as HTML; `perfect` is the summary with perfect perception, where that was driven too."""
    sharp = perfect["families"] if perfect is not None else {}
    tables = "".join(
        _table(family, figures, sharp.get(family)) for family, figures in summary["families"].items()
    )
    cut_ins = [row for row in rows if row.family == "cut_in"]
    return tables + (
        _charts(cut_ins, summary["families"]["cut_in"]) + _maps(setting, cut_ins) if cut_ins else ""
    )


def _table(family: str, figures: Mapping[str, Any], perfect: Mapping[str, Any] | None) -> str:
    head = (
        "",
        "contacts",
        "share braked",
        "mean peak deceleration, braked without contact",
        "mean impact speed of contacts",
    )
    lines = [("Highway Pilot", figures, "ours")]
    lines += [("Highway Pilot with perfect perception", perfect, "")] if perfect is not None else []
    lines += [(NAMES[name], of_driver, "") for name, of_driver in figures["reference_drivers"].items()]
    titles = "".join(f'<th scope="col"{" class=number" if title else ""}>{title}</th>' for title in head)
    body = "".join(_line(name, values, css) for name, values, css in lines)
    beside = ""
    if figures["unpreventable_cases"]:
        beside = (
            f"<p class='note'>In the {figures['unpreventable_cases']} cases that no reference driver avoids we touch in "
            f"{figures['unpreventable_contacts']}; mean impact speed over all of them "
            f"{_kph(figures['unpreventable_impact_speed'])}, of the best reference driver "
            f"{_kph(figures['unpreventable_best_reference_impact_speed'])}, of whichever is best in each case "
            f"{_kph(figures['unpreventable_best_in_each_impact_speed'])}.</p>"
        )
    title = html.escape(family.replace("_", " ")).capitalize()
    return (
        f"<h3>{title}: {figures['cases']:,} cases, {figures['preventable_contacts']} preventable contacts</h3>"
        f'<div class="table-wrap"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>{beside}'
    )


def _line(name: str, figures: Mapping[str, Any], css: str) -> str:
    share, peak = figures["share_braked"], figures["mean_peak_deceleration"]
    cells = (
        f"{figures['contacts']:,} ({100.0 * figures['contacts'] / max(figures['cases'], 1):.2f} %)",
        "–" if share is None else f"{100.0 * share:.1f} %",
        "–" if peak is None else f"{peak:.2f} m/s²",
        _kph(figures["mean_impact_speed"]),
    )
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    return f'<tr class="{css}"><td>{html.escape(name)}</td>{numbers}</tr>'


def _kph(speed: float | None) -> str:
    return "–" if speed is None else f"{3.6 * speed:.1f} km/h"


def _charts(rows: Sequence[Row], figures: Mapping[str, Any]) -> str:
    done = [row for row in rows if row.verdict != ERROR]
    series = [
        Series(
            NAMES.get(driver, "Highway Pilot"),
            LINES[driver],
            np.array(
                [
                    row.measures[f"{driver}_peak_deceleration" if driver else "peak_deceleration"]
                    for row in done
                ]
            ),
        )
        for driver in ("", *DRIVERS)
    ]
    cases = max(figures["cases"], 1)
    dots = [Dot("Highway Pilot", LINES[""], figures["share_braked"] or 0.0, figures["contacts"] / cases)]
    dots += [
        Dot(NAMES[driver], LINES[driver], beside["share_braked"] or 0.0, beside["contacts"] / cases)
        for driver, beside in figures["reference_drivers"].items()
    ]
    return (
        '<div class="charts"><div><h3>How hard the cut-ins are braked: share of cases above each peak</h3>'
        f"{distribution(series, 'm/s²', 10.0, len(done))}</div>"
        "<div><h3>Trade-off: share of contacts over share braked</h3>"
        f"{trade_off(dots, 'share of the cut-ins that were braked')}</div></div>"
    )


def _maps(setting: Setting, rows: Sequence[Row]) -> str:
    pairs: dict[tuple[float, float], list[Row]] = {}
    for row in rows:
        parameters = row.parameters
        pairs.setdefault((parameters["ego_speed_kph"], parameters["cutin_speed_kph"]), []).append(row)
    maps, figures = [], []
    for (ego, other), of_pair in sorted(pairs.items()):
        gaps, laterals = _axes(setting, ego, of_pair)
        cells = [_cell(row, gaps, laterals) for row in of_pair]
        maps.append(
            {"ego": _plain(ego), "other": _plain(other), "gaps": gaps, "laterals": laterals, "rows": cells}
        )
        words = f"{ego:g} km/h, cut-in at {other:g} km/h"
        figures.append(
            f'<figure data-words="{words}"><figcaption>{words}</figcaption><div class="map"></div>'
            f'<div class="scale"><span>gap {gaps[0]:g} m</span><span>lateral {laterals[0]:g}–{laterals[-1]:g} m/s</span>'
            f"<span>{gaps[-1]:g} m</span></div></figure>"
        )
    content = {
        "vehicle": setting.vehicle.name,
        "seed": setting.seed,
        "words": [words for words, _ in KINDS],
        "colours": [colour for _, colour in KINDS],
        "maps": maps,
    }
    keys = "".join(
        f'<span><i class="cell" style="background:{colour}"></i>{words}</span>' for words, colour in KINDS[:5]
    )
    data = json.dumps(content, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    script = (files("pilot_evaluation.proving") / "scorecard.js").read_text(encoding="utf-8")
    return (
        "<h3>Every cut-in: gap across, lateral speed up; click for the command that drives it again</h3>"
        f'<p class="keys">{keys}</p><div class="maps">{"".join(figures)}</div><div id="picked" class="note"></div>'
        f'<script type="application/json" id="cut-ins">{data}</script><script>\n{script}</script>'
    )


def _axes(setting: Setting, ego: float, rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Gaps and lateral speeds of a map: those of the published sweep, or, where other values were driven, these."""
    gaps = sorted({row.parameters["long_dist_m"] for row in rows})
    laterals = sorted({row.parameters["lat_vel_mps"] for row in rows})
    for sweep in load_grid(setting.config).cut_in:
        whole = sweep.long_dist_m.values, sweep.lat_vel_mps.values
        if ego in sweep.ego_speed_kph and set(gaps) <= set(whole[0]) and set(laterals) <= set(whole[1]):
            return whole
    return gaps, laterals


def _cell(row: Row, gaps: Sequence[float], laterals: Sequence[float]) -> list[float]:
    """Column, row, kind, impact speed, peak deceleration."""
    place = [gaps.index(row.parameters["long_dist_m"]), laterals.index(row.parameters["lat_vel_mps"])]
    measures = row.measures
    if row.verdict == ERROR:
        return [*place, 5, 0.0, 0.0]
    peak = measures["peak_deceleration"]
    if measures["contact"]:
        kind = 4 if row.verdict == FAIL else 3
    else:
        kind = 0 if not measures["braked"] else 2 if peak > HARD else 1
    return [*place, kind, round(measures.get("impact_speed", 0.0), 2), round(peak, 2)]


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value
