"""The curves: what was wanted, what was sent and what came of it, on one grid of times."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot_evaluation.report.columns import pack
from pilot_evaluation.run import Run

PERIOD = 0.05  # s: the curves' grid
HOLD = 0.2  # s: a value older than that is not drawn on
LANE_JUMP = 1.0  # m in one grid step: no car moves so fast sideways
AGE_LIMIT_MS = 150.0  # the project's bound on sensor-to-actuation age (99 %)


@dataclass(frozen=True, slots=True)
class ExtraCurve:
    """A curve from elsewhere, laid into a panel by its key: what a recorded car really did, say."""

    panel: str
    label: str
    time: np.ndarray  # (T,) s, as the stamps of the run
    value: np.ndarray  # (T,) SI


def curve_panels(run: Run, start: float, end: float, extra: Iterable[ExtraCurve]) -> dict[str, Any]:
    """All panels on the grid from `start` to `end`; the role of a curve says how it is drawn."""
    grid = np.arange(start, end + 0.5 * PERIOD, PERIOD)
    limits = run.vehicle.facts.limits

    def held(topic: str, value: Callable[[Any], float]) -> np.ndarray:
        return _held([(message.stamp, value(message)) for message in run.messages(topic)], grid)

    panels = [
        _panel("speed", "Speed", "km/h", 3.6, 0.1)
        .curve(
            "limit",
            "limit",
            held("world", lambda m: m.lanes.speed_limit if m.lanes.speed_limit > 0.0 else math.nan),
        )
        .curve(
            "set speed",
            "wish",
            held("vehicle_state", lambda m: m.driver.set_speed if m.driver.set_speed > 0.0 else math.nan),
        )
        .curve("target", "command", held("plan", lambda m: m.target_speed if m.valid else math.nan))
        .curve("actual", "actual", held("vehicle_state", lambda m: m.speed)),
        _panel("acceleration", "Acceleration", "m/s²", 1.0, 0.01)
        .curve("commanded", "command", held("command", lambda m: m.acceleration if m.valid else math.nan))
        .curve(
            "sent by the gate", "sent", held("actuation", lambda m: m.acceleration if m.active else math.nan)
        )
        .curve("actual", "actual", held("vehicle_state", lambda m: m.acceleration)),
        _panel("gap", "Gap to the lead", "m", 1.0, 0.1, floor=0.0).curve(
            "actual", "actual", held("plan", lambda m: m.lead_gap if m.lead_identity else math.nan)
        ),
        _time_gap(held),
        _panel("lateral", "Distance from the lane centre", "m", 1.0, 0.001)
        .curve(
            "from the plan", "command", held("command", lambda m: m.lateral_error if m.valid else math.nan)
        )
        .curve("from the true centre", "actual", _broken(held("truth", lambda m: m.lane_offset))),
        _panel("steering", "Steering angle at the wheels", "°", 180.0 / math.pi, 0.002)
        .curve("commanded", "command", held("command", lambda m: m.steering_angle if m.valid else math.nan))
        .curve(
            "sent by the gate",
            "sent",
            held("actuation", lambda m: m.steering_angle if m.active else math.nan),
        )
        .curve("actual", "actual", held("vehicle_state", lambda m: m.steering_angle)),
        _panel("lateral_acceleration", "Lateral acceleration", "m/s²", 1.0, 0.01)
        .bound(limits.max_lateral_acceleration)
        .bound(-limits.max_lateral_acceleration)
        .curve("actual", "actual", held("vehicle_state", lambda m: m.lateral_acceleration)),
        _panel("age", "Age from sensor to actuation", "ms", 1000.0, 1.0, floor=0.0)
        .bound(AGE_LIMIT_MS)
        .curve("worst of 50 ms", "actual", _worst_age(run, grid)),
    ]
    for curve in extra:
        rows = list(zip(curve.time.tolist(), curve.value.tolist(), strict=True))
        next(panel for panel in panels if panel.key == curve.panel).curve(
            curve.label, "other", _held(rows, grid)
        )
    return {"start": 0.0, "period": PERIOD, "count": len(grid), "panels": [panel.data() for panel in panels]}


class _Panel:
    """One panel while it is being filled; values come in SI and are written in the panel's unit."""

    def __init__(
        self, key: str, title: str, unit: str, factor: float, resolution: float, floor: float | None
    ) -> None:
        self.key = key
        self._content: dict[str, Any] = {
            "key": key,
            "title": title,
            "unit": unit,
            "floor": floor,
            "bounds": [],
            "curves": [],
        }
        self._factor, self._resolution = factor, resolution

    def curve(self, label: str, role: str, values: np.ndarray) -> "_Panel":
        """Adds a curve, unless it has no value anywhere."""
        if np.isfinite(values).any():
            column = pack(values * self._factor, self._resolution)
            self._content["curves"].append({"label": label, "role": role, "values": column})
        return self

    def bound(self, value: float) -> "_Panel":
        """Adds a limit line, in the panel's unit."""
        self._content["bounds"].append(value)
        return self

    def data(self) -> dict[str, Any]:
        """The panel as plain data."""
        return self._content


def _panel(
    key: str, title: str, unit: str, factor: float, resolution: float, floor: float | None = None
) -> _Panel:
    return _Panel(key, title, unit, factor, resolution, floor)


def _time_gap(held: Callable[..., np.ndarray]) -> _Panel:
    gap = held("plan", lambda m: m.lead_gap if m.lead_identity else math.nan)
    speed = held(
        "vehicle_state", lambda m: m.speed if m.speed > 1.0 else math.nan
    )  # meaningless near standstill
    time_gap = gap / speed
    return (
        _panel("time_gap", "Time gap to the lead", "s", 1.0, 0.01, floor=0.0)
        .curve(
            "set",
            "wish",
            held("vehicle_state", lambda m: m.driver.time_gap if m.driver.time_gap > 0.0 else math.nan),
        )
        .curve("actual", "actual", np.where(time_gap < 10.0, time_gap, math.nan))
    )


def _held(rows: list[tuple[float, float]], grid: np.ndarray) -> np.ndarray:
    """The newest value at or before each grid time, NaN where it is older than HOLD."""
    if not rows:
        return np.full(len(grid), math.nan)
    table = np.array(sorted(rows, key=lambda row: row[0]))
    index = np.searchsorted(table[:, 0], grid + 1e-6, side="right") - 1
    value = table[np.maximum(index, 0), 1]
    fresh = (index >= 0) & (grid - table[np.maximum(index, 0), 0] <= HOLD)
    return np.where(fresh, value, math.nan)


def _broken(offset: np.ndarray) -> np.ndarray:
    """The offset with a gap where it jumps from one lane's centre to the next: no line across."""
    jump = np.abs(np.diff(offset, prepend=offset[:1])) > LANE_JUMP
    return np.where(jump, math.nan, offset)


def _worst_age(run: Run, grid: np.ndarray) -> np.ndarray:
    """Highest age within each grid step, of the oldest sensor data behind what was sent to the actuators."""
    worst = np.full(len(grid), math.nan)
    for message in run.messages("actuation"):
        slot = round((message.stamp - grid[0]) / PERIOD)
        if message.active and 0 <= slot < len(grid):
            worst[slot] = np.fmax(worst[slot], message.stamp - message.source_stamp)
    return worst
