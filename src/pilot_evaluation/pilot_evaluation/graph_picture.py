"""The data flow as a picture, drawn from `config/graph.yaml`: `python -m pilot_evaluation.graph_picture docs/graph.svg`.

Left to right: what measures, then the functions in the order of the table, then the vehicle. Below: those who watch over the
others (functions that report only as feedback), with all they read and say.
"""

import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from pilot_common.folders import config_folder
from pilot_common.graph import HEALTH, Function, Graph, load_graph

VEHICLE = "vehicle"  # the source that also receives what the last function sends
BOX = 140.0  # px, width of a box
PITCH = 214.0  # px between columns
TALL = 58.0  # px, height of a box
MARGIN = 20.0
LABEL_WIDTH = 11  # characters that fit between two boxes
SOURCE_PITCH = 78.0
BUS_BELOW = 52.0  # px below the chain: the line that carries the vehicle's state to all
WATCHER_BELOW = 150.0

STYLE = """
svg { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: #17202b; }
.box { fill: #ffffff; stroke: #0a66c2; stroke-width: 1.6; } .source { stroke: #5d6978; fill: #f4f6f8; }
.watcher { stroke: #8a3ab9; }
.name { font-weight: 650; fill: #17202b; } .note { font-size: 11px; fill: #586474; } .label { font-size: 11.5px; fill: #17202b; }
.back { stroke: #ffffff; stroke-width: 4; stroke-linejoin: round; paint-order: stroke; }
.line { fill: none; stroke: #0a66c2; stroke-width: 1.6; } .state { stroke: #5d6978; }
.feedback { stroke: #8a3ab9; stroke-dasharray: 6 4; }
.tip { fill: #0a66c2; } .tip-state { fill: #5d6978; } .tip-feedback { fill: #8a3ab9; }
@media (prefers-color-scheme: dark) {
  .box { fill: #151b23; stroke: #5cb0ff; } .source { stroke: #9aa7b6; fill: #1d242e; } .watcher { stroke: #d39bff; }
  .name, .label { fill: #e8edf3; } .note { fill: #a9b5c3; } .back { stroke: #0d1117; }
  .line { stroke: #5cb0ff; } .state { stroke: #9aa7b6; } .feedback { stroke: #d39bff; }
  .tip { fill: #5cb0ff; } .tip-state { fill: #9aa7b6; } .tip-feedback { fill: #d39bff; }
}
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Centre of a box and its half width."""

    x: float
    y: float
    half: float = BOX / 2


class GraphPicture:
    """Lays out the boxes of a graph and draws what flows between them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.watchers = tuple(function for function in graph.functions if self._watches(function))
        self.chain = tuple(function for function in graph.functions if function not in self.watchers)
        names = dict.fromkeys(topic.source for topic in graph.topics.values() if topic.source)
        self.sources = tuple(name for name in names if name != VEHICLE and self._readers_of_source(str(name)))
        self.parts: list[str] = []
        top = MARGIN + TALL / 2
        self.chain_y = top + SOURCE_PITCH * max(0, len(self.sources) - 1)
        first = MARGIN + BOX / 2
        self.places = {
            function.name: _Place(first + PITCH * (1 + column), self.chain_y)
            for column, function in enumerate(self.chain)
        }
        for row, source in enumerate(
            self.sources
        ):  # the first source stands in line with the chain, the others above it
            self.places[str(source)] = _Place(first, self.chain_y - SOURCE_PITCH * row)
        self.places[VEHICLE] = _Place(first + PITCH * (1 + len(self.chain)), self.chain_y)
        left, right = self.places[self.chain[0].name].x, self.places[self.chain[-1].name].x
        for row, watcher in enumerate(self.watchers):
            y = self.chain_y + WATCHER_BELOW + row * (TALL + MARGIN)
            self.places[watcher.name] = _Place((left + right) / 2, y, (right - left + BOX) / 2)
        self.width = self.places[VEHICLE].x + BOX / 2 + MARGIN
        self.height = max(place.y for place in self.places.values()) + TALL / 2 + 44.0

    def _watches(self, function: Function) -> bool:
        own = [name for name in function.outputs if not name.startswith(HEALTH)]
        return all(self.graph.topics[name].feedback for name in own) and any(
            n.startswith(HEALTH) for n in function.inputs
        )

    def _readers_of_source(self, source: str) -> list[tuple[str, Function]]:
        return [
            (name, function)
            for name, topic in self.graph.topics.items()
            if topic.source == source
            for function in self.graph.functions
            if name in function.inputs
        ]

    def svg(self) -> str:
        """The picture as text."""
        self.parts = []
        self._state_bus()
        self._source_lines()
        self._chain_lines()
        for watcher in self.watchers:
            self._watcher_lines(watcher)
        self._boxes()
        self._legend()
        size = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" width="{self.width:.0f}" height="{self.height:.0f}"'
        tips = "".join(
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            f'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="{name}" d="M0 0L8 4L0 8z"/></marker>'
            for name in ("tip", "tip-state", "tip-feedback")
        )
        words = " to ".join(function.name for function in self.chain)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">'
            f'<title id="title">Data flow: sensors to {words} to the vehicle</title>'
            f"<style>{STYLE}</style><defs>{tips}</defs>\n" + "\n".join(self.parts) + "\n</svg>\n"
        )

    def _line(self, points: list[tuple[float, float]], kind: str = "", tip: bool = True) -> None:
        path = "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
        marker = f' marker-end="url(#{f"tip-{kind}" if kind else "tip"})"' if tip else ""
        self.parts.append(f'<path class="line {kind}" d="{path}"{marker}/>')

    def _text(self, x: float, y: float, words: str, css: str = "label", anchor: str = "middle") -> None:
        self.parts.append(
            f'<text class="{css}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def _label(self, topic: str) -> str:
        return topic.replace("_", " ")

    def _rate(self, topic: str) -> str:
        return f"{self.graph.topics[topic].rate:g} Hz"

    def _state_bus(self) -> None:
        """What the vehicle reports, along a line below the chain, with a branch up or down to everybody who reads it."""
        readers = self._readers_of_source(VEHICLE)
        if not readers:
            return
        y = self.chain_y + TALL / 2 + BUS_BELOW
        start = self.places[VEHICLE]
        leftmost = min(self.places[f.name].x - 40.0 for _, f in readers if f in self.chain)
        self._line([(start.x, start.y + TALL / 2), (start.x, y), (leftmost, y)], "state", tip=False)
        for _, function in readers:
            place = self.places[function.name]
            if function in self.watchers:
                x = place.x + place.half - 12.0
                self._line([(x, y), (x, place.y - TALL / 2)], "state")
            else:
                self._line([(place.x - 40.0, y), (place.x - 40.0, place.y + TALL / 2)], "state")
        names = dict.fromkeys(name for name, _ in readers)
        self._text(
            start.x, y + 18.0, ", ".join(f"{self._label(name)} · {self._rate(name)}" for name in names)
        )

    def _source_lines(self) -> None:
        for source in self.sources:
            place = self.places[str(source)]
            for topic, function in self._readers_of_source(str(source)):
                target = self.places[function.name]
                start = (place.x + place.half, place.y)
                if place.y == target.y:
                    self._line([start, (target.x - target.half, target.y)])
                else:  # above the chain and down into the function; the highest source comes down rightmost
                    x = target.x - 30.0 + 30.0 * (self.sources.index(source) - 1)
                    self._line([start, (x, place.y), (x, target.y - TALL / 2)])
                self._between(place.x + place.half, place.x + PITCH - BOX / 2, place.y, [topic])

    def _chain_lines(self) -> None:
        columns = {function.name: column for column, function in enumerate(self.chain)}
        for function in self.chain:
            place = self.places[function.name]
            for reader in self.chain:
                topics = [name for name in function.outputs if name in reader.inputs]
                if not topics:
                    continue
                target = self.places[reader.name]
                if columns[reader.name] == columns[function.name] + 1:
                    self._line([(place.x + place.half, place.y), (target.x - target.half, target.y)])
                    self._between(place.x + place.half, target.x - target.half, place.y, topics)
                else:  # over the boxes between
                    y = place.y - TALL / 2 - 22.0
                    kind = "feedback" if columns[reader.name] <= columns[function.name] else ""
                    up, down = (place.x + 20.0, place.y - TALL / 2), (target.x - 20.0, target.y - TALL / 2)
                    self._line([up, (up[0], y), (down[0], y), down], kind)
                    self._text((up[0] + down[0]) / 2, y - 6.0, ", ".join(map(self._label, topics)))
        last, vehicle = self.places[self.chain[-1].name], self.places[VEHICLE]
        sent = [name for name in self.chain[-1].outputs if not name.startswith(HEALTH)]
        self._line([(last.x + last.half, last.y), (vehicle.x - vehicle.half, vehicle.y)])
        self._between(last.x + last.half, vehicle.x - vehicle.half, last.y, sent)

    def _between(self, left: float, right: float, y: float, topics: list[str]) -> None:
        """Names over and rates under a horizontal line."""
        middle = (left + right) / 2 - 3.0
        lines = [line for topic in topics for line in textwrap.wrap(self._label(topic), LABEL_WIDTH)]
        for row, line in enumerate(reversed(lines)):
            self._text(middle, y - 7.0 - 14.0 * row, line, "label back")
        self._text(middle, y + 15.0, self._rate(topics[0]), "note")

    def _watcher_lines(self, watcher: Function) -> None:
        """Down: what it reads of each function; up, dashed: what it says."""
        place = self.places[watcher.name]
        for function in self.chain:
            source = self.places[function.name]
            read = [name for name in function.outputs if name in watcher.inputs]
            told = [name for name in watcher.outputs if name in function.inputs]
            bottom, top = source.y + TALL / 2, place.y - TALL / 2
            if read:
                kind = "feedback" if all(self.graph.topics[name].feedback for name in read) else ""
                self._line([(source.x + 30.0, bottom), (source.x + 30.0, top)], kind)
                for row, name in enumerate(read):
                    words = HEALTH.rstrip("/") if name.startswith(HEALTH) else self._label(name)
                    self._text(source.x + 36.0, bottom + 18.0 + 14.0 * row, words, "label", "start")
            if told:
                self._line([(source.x - 5.0, top), (source.x - 5.0, bottom)], "feedback")
                self._text(
                    source.x - 10.0, top - 14.0, ", ".join(map(self._label, told)), "label back", "end"
                )

    def _boxes(self) -> None:
        for source in self.sources:
            self._box(str(source), "source", "driver or model")
        for function in self.chain:
            self._box(function.name, "", self._note(function))
        for watcher in self.watchers:
            self._box(watcher.name, "watcher", self._note(watcher))
        self._box(VEHICLE, "source", "driver or model")

    def _note(self, function: Function) -> str:
        when = (
            f"{1e9 / function.period:g} Hz"
            if function.period
            else f"per {self._label(str(function.trigger))}"
        )
        return f"{when}, ≤ {function.budget * 1e-6:g} ms" if function.period else when

    def _box(self, name: str, css: str, note: str) -> None:
        place = self.places[name]
        self.parts.append(
            f'<rect class="box {css}" x="{place.x - place.half:.0f}" y="{place.y - TALL / 2:.0f}" '
            f'width="{2 * place.half:.0f}" height="{TALL:.0f}" rx="10"/>'
        )
        self._text(place.x, place.y - 2.0, name, "name")
        self._text(place.x, place.y + 16.0, note, "note")

    def _legend(self) -> None:
        y = self.height - 16.0
        x = MARGIN
        for kind, words in (("", "flows forward"), ("state", "vehicle state"), ("feedback", "feedback")):
            self._line([(x, y - 4.0), (x + 30.0, y - 4.0)], kind)
            self._text(x + 37.0, y, words, "note", "start")
            x += 50.0 + 7.0 * len(words)
        unread = [
            n
            for n, t in self.graph.topics.items()
            if t.source and not any(n in f.inputs for f in self.graph.functions)
        ]
        if unread:
            self._text(
                self.width - MARGIN,
                y,
                f"{', '.join(unread)}: recorded for evaluation, read by no function",
                "note",
                "end",
            )


def main() -> None:
    """Writes the picture to the file named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pilot_evaluation.graph_picture FILE.svg")
    Path(sys.argv[1]).write_text(GraphPicture(load_graph(config_folder())).svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
