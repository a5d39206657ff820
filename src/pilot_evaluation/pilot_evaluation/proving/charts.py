"""Charts of the scorecard as SVG: distributions and a trade-off. Colours are the page's own, so that dark and light both work."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 640, 300  # px
LEFT, RIGHT, TOP, BOTTOM = 52, 30, 12, 40
LETTER, LINE = 7.0, 13.0  # px, of a label: width of a letter, height of a line
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@dataclass(frozen=True, slots=True)
class Series:
    """A named set of values in a colour."""

    name: str
    colour: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class Dot:
    """A named point of a trade-off."""

    name: str
    colour: str
    x: float
    y: float


def distribution(series: Sequence[Series], unit: str, end: float, cases: int) -> str:
    """For each value up to `end`, the share of all `cases` that lies above it: one line each, all in one chart."""
    axis = np.linspace(0.0, end, 91)
    lines = []
    for one in series:
        share = (one.values[None, :] > axis[:, None]).sum(axis=1) / max(cases, 1)
        points = " ".join(f"{_x(a / end):.1f},{_y(s):.1f}" for a, s in zip(axis, share, strict=True))
        width = 3 if one is series[0] else 1.6
        title = f"<title>{html.escape(one.name)}</title>"
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{one.colour}" stroke-width="{width}">{title}</polyline>'
        )
    ticks = [(value / end, f"{value:g}") for value in np.arange(0.0, end + 1e-9, 1.0).tolist()]
    shares = [(share, f"{100 * share:.0f} %") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    words = f"peak deceleration above …, {unit}"
    return _keys(series) + _frame("".join(lines), ticks, shares, words)


def trade_off(dots: Sequence[Dot], x_words: str) -> str:
    """Share braked across, share of contacts up: the lower left corner is the best."""
    highest = max((dot.y for dot in dots), default=0.0)
    top = max(0.01, 1.15 * highest)
    marks: list[str] = []
    used: list[tuple[float, float, float]] = []  # labels: from, to, height
    for dot in dots:
        x, y = _x(dot.x), _y(dot.y / top)
        left = x > LEFT + 0.72 * PLOT_WIDTH
        anchor, shift = ("end", -10) if left else ("start", 10)
        wide = LETTER * len(dot.name) + 10.0
        begin, end = (x - wide, x) if left else (x, x + wide)
        label_y = y + 4.0
        while any(abs(label_y - at) < LINE and begin < to and low < end for low, to, at in used):
            label_y -= LINE
        used.append((begin, end, label_y))
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{dot.colour}"><title>{html.escape(dot.name)}: braked in '
            f"{100 * dot.x:.1f} %, contact in {100 * dot.y:.2f} %</title></circle>"
            f'<text x="{x + shift:.1f}" y="{label_y:.1f}" text-anchor="{anchor}">{html.escape(dot.name)}</text>'
        )
    ticks = [(share, f"{100 * share:.0f} %") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    shares = [(share, f"{100 * share * top:.1f} %") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return _frame("".join(marks), ticks, shares, x_words)


def _frame(
    inside: str, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]], words: str
) -> str:
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(words)}">']
    for share, text in y_ticks:
        y = _y(share)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--grid)"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for share, text in x_ticks:
        parts.append(
            f'<text x="{_x(share):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{text}</text>'
        )
    middle = LEFT + PLOT_WIDTH / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{html.escape(words)}</text>')
    return "".join((*parts, inside, "</svg>"))


def _keys(series: Sequence[Series]) -> str:
    keys = "".join(
        f'<span><i style="border-color:{one.colour}"></i>{html.escape(one.name)}</span>' for one in series
    )
    return f'<p class="keys">{keys}</p>'


def _x(share: float) -> float:
    return LEFT + share * PLOT_WIDTH


def _y(share: float) -> float:
    return TOP + (1.0 - share) * PLOT_HEIGHT
