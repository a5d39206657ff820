"""The page of a shadow replay: our wishes beside what was commanded and what was true, in one file without any network."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from pilot_common.vehicle import Vehicle
from pilot_evaluation.replay import ReplayResult
from pilot_evaluation.shadow import Likeness, Shadow, ShadowLog, lay_beside

WIDTH, HEIGHT, LEFT, BOTTOM = 1100, 190, 52, 22  # px of a panel
COLOURS = ("var(--actual)", "var(--command)", "var(--truth)", "var(--other)")
STYLE = """
main.shadow { display: block; max-width: 1180px; }
.shadow section { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; }
.shadow section { padding: 12px 16px; margin: 0 0 14px; }
.shadow svg { width: 100%; height: auto; display: block; overflow: visible; }
.shadow svg text { fill: var(--muted); font-size: 12px; }
.shadow table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.shadow th, .shadow td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.shadow td.number { text-align: right; white-space: nowrap; }
.shadow .curve-name { display: inline-block; margin-right: 18px; font-size: 0.85rem; color: var(--muted); }
.shadow .curve-name i { display: inline-block; width: 18px; border-top: 3px solid; margin-right: 6px; vertical-align: middle; }
.shadow ul { margin: 6px 0 0 18px; padding: 0; }
"""

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves over the same time: title with unit, factor from SI, and name and values of each."""

    title: str
    factor: float
    curves: Sequence[tuple[str, np.ndarray]]


def write_shadow_page(
    file: Path, log: ShadowLog, result: ReplayResult, bag: Path, vehicle: Vehicle, config: Path
) -> dict[str, dict[str, float]]:
    """Writes the page of a foreign bag's replay that `log` has heard, and returns its numbers (SI) by pair of signals."""
    shadow = lay_beside(bag, log, vehicle, config)
    file.write_text(page(shadow, result, vehicle, bag.name), encoding="utf-8")
    return {name: asdict(likeness) for name, likeness in shadow.likeness().items()}


def page(shadow: Shadow, result: ReplayResult, vehicle: Vehicle, bag: str) -> str:
    """The page as text."""
    parts = [
        _head(result, vehicle, bag),
        _numbers(shadow),
        *(_panel(panel, shadow) for panel in _panels(shadow)),
        _decisions(shadow),
    ]
    style = (files("pilot_evaluation.report") / "page.css").read_text(encoding="utf-8")
    title = html.escape(f"Shadow drive · {bag} · {vehicle.name}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}{STYLE}</style></head>'
        f'<body><main class="shadow">{"".join(parts)}</main></body></html>\n'
    )


def _panels(shadow: Shadow) -> list[Panel]:
    degrees = 180.0 / np.pi
    return [
        Panel(
            "Acceleration, m/s²",
            1.0,
            (
                ("ours, planned", shadow.planned_acceleration),
                ("commanded to the car", shadow.commanded_acceleration),
                ("true, from the poses", shadow.true_acceleration),
                ("ours, after control", shadow.our_acceleration),
            ),
        ),
        Panel(
            "Steering angle at the road wheels, degrees",
            degrees,
            (("ours, of our vehicle", shadow.our_steering), ("the car's own", shadow.car_steering)),
        ),
        Panel(
            "Curvature of the path, 1/km",
            1e3,
            (
                ("ours, planned", shadow.planned_curvature),
                ("ours, after control", shadow.our_curvature),
                ("true, from the poses", shadow.true_curvature),
            ),
        ),
        Panel(
            "Speed, km/h",
            3.6,
            (
                ("of the wheels", shadow.speed),
                ("we aimed at", shadow.target_speed),
                ("true, from the poses", shadow.true_speed),
                ("of the car ahead, as we saw it", shadow.lead_speed),
            ),
        ),
        Panel(
            "Gap to the car ahead, m",
            1.0,
            (("of our plan", shadow.lead_gap), ("nearest radar track straight ahead", shadow.radar_gap)),
        ),
    ]


def _head(result: ReplayResult, vehicle: Vehicle, bag: str) -> str:
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in result.notes)
    return (
        f"<section><h1>Shadow drive: {html.escape(result.foreign)}</h1>"
        f"<p>{html.escape(bag)}, replayed for {html.escape(vehicle.name)} ({html.escape(vehicle.facts.title)}); "
        f"{result.seconds:.1f} s. Nobody drives by what we say here: each moment is planned from where the other driver took "
        "the car, and what control adds grows with every difference that it cannot take away. "
        f"Hash of all outputs: <code>{result.hash}</code></p><ul>{notes}</ul></section>"
    )


def _numbers(shadow: Shadow) -> str:
    share = float(np.mean(shadow.active)) if len(shadow.active) else 0.0
    rows = "".join(_row(name, likeness) for name, likeness in shadow.likeness().items())
    return (
        f"<section><h2>While the other system drove ({100 * share:.0f} % of the time)</h2><table><thead><tr><th>signals</th>"
        "<th>root mean square of the difference</th><th>mean difference</th><th>correlation</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _row(name: str, likeness: Likeness) -> str:
    values = (likeness.root_mean_square, likeness.mean, likeness.correlation)
    if name.startswith("curvature"):
        values = (values[0] * 1e3, values[1] * 1e3, values[2])
    if name.startswith("steering"):
        values = (np.degrees(values[0]), np.degrees(values[1]), values[2])
    kinds = {"acceleration": "m/s²", "steering": "°", "curvature": "1/km", "speed": "m/s", "gap": "m"}
    unit = next(unit for kind, unit in kinds.items() if name.startswith(kind))
    cells = "".join(f'<td class="number">{value:.3f} {unit}</td>' for value in values[:2])
    return f'<tr><td>{html.escape(name)}</td>{cells}<td class="number">{values[2]:.2f}</td></tr>'


def _panel(panel: Panel, shadow: Shadow) -> str:
    curves = [(name, values * panel.factor) for name, values in panel.curves]
    finite = [values[np.isfinite(values)] for _, values in curves]
    joined = np.concatenate(finite) if finite else np.empty(0)
    low, high = (float(joined.min()), float(joined.max())) if len(joined) else (0.0, 1.0)
    margin = max(0.08 * (high - low), 1e-3)
    low, high = low - margin, high + margin
    end = float(shadow.time[-1]) if len(shadow.time) else 1.0

    def x(time: float) -> float:
        return LEFT + (WIDTH - LEFT) * time / max(end, 1e-6)

    def y(value: float) -> float:
        return (HEIGHT - BOTTOM) * (1.0 - (value - low) / (high - low))

    keys = "".join(
        f'<span class="curve-name"><i style="border-color:{colour}"></i>{html.escape(name)}</span>'
        for (name, _), colour in zip(curves, COLOURS, strict=False)
    )
    lines = "".join(
        f'<path d="{_path(shadow.time, values, x, y)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        for (_, values), colour in zip(curves, COLOURS, strict=False)
    )
    words = "; ".join(
        f"{name} from {values.min():.2f} to {values.max():.2f}"
        for (name, _), values in zip(curves, finite, strict=True)
        if len(values)
    )
    return (
        f"<section><h2>{html.escape(panel.title)}</h2><p>{keys}</p>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(panel.title)} over time: {html.escape(words)}">'
        f"{_grid(low, high, end, x, y)}{_engaged(shadow, x)}{lines}</svg></section>"
    )


def _path(time: np.ndarray, values: np.ndarray, x: Scale, y: Scale) -> str:
    """Straight pieces between values, a gap where there is none."""
    pieces, pen = [], "M"
    for moment, value in zip(time.tolist(), values.tolist(), strict=True):
        if math.isfinite(value):
            pieces.append(f"{pen}{x(moment):.1f} {y(value):.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(pieces)


def _grid(low: float, high: float, end: float, x: Scale, y: Scale) -> str:
    parts = []
    step = _nice((high - low) / 4.0)
    for value in np.arange(np.ceil(low / step) * step, high, step).tolist():
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="var(--grid)"/>'
            f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    for moment in np.arange(0.0, end + 1e-6, _nice(end / 8.0)).tolist():
        parts.append(f'<text x="{x(moment):.1f}" y="{HEIGHT - 4}" text-anchor="middle">{moment:g} s</text>')
    return "".join(parts)


def _engaged(shadow: Shadow, x: Scale) -> str:
    """A line where the other system took over."""
    active = np.flatnonzero(shadow.active)
    if not len(active):
        return ""
    place = x(float(shadow.time[active[0]]))
    return (
        f'<line x1="{place:.1f}" x2="{place:.1f}" y1="0" y2="{HEIGHT - BOTTOM}" stroke="var(--muted)" stroke-dasharray="4 3"/>'
        f'<text x="{place + 5:.1f}" y="12">the other system drives from here</text>'
    )


def _nice(raw: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(max(raw, 1e-9)))
    return float(next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * 0.999))


def _decisions(shadow: Shadow) -> str:
    rows = "".join(
        f'<tr><td class="number">{d.time:.1f} s</td><td>{html.escape(d.manoeuvre)}</td><td>{html.escape(d.reason)}</td></tr>'
        for d in shadow.decisions
    )
    return f"<section><h2>What we decided, and why</h2><table><tbody>{rows}</tbody></table></section>"
