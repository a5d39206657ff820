"""Bodies that SUMO does not drive, put into it so that its vehicles react to them: the ego and the scripted actors."""

from typing import Any


class Mirrors:
    """Bodies by name, their vehicle type in SUMO having the same name.

    A body that reaches over a marking stands in both lanes, so that those in the other lane see it in time.
    """

    def __init__(self, sumo: Any, lanes: int, lane_width: float) -> None:
        self._vehicle, self._lanes, self._lane_width = sumo.vehicle, lanes, lane_width
        self._known: set[str] = set()

    def lane_of(self, offset: float) -> int:
        """The lane whose middle is nearest."""
        return min(max(round(offset / self._lane_width), 0), self._lanes - 1)

    def move(self, name: str, x: float, offset: float, speed: float, width: float) -> None:
        """Puts the front of a body at x (of SUMO) and an offset, moving at a speed."""
        lane = self.lane_of(offset)
        beside = offset - lane * self._lane_width
        other = lane + (1 if beside > 0.0 else -1)
        self._place(name, name, lane, x, speed)
        second = f"{name}_beside"
        if abs(beside) + 0.5 * width > 0.5 * self._lane_width and 0 <= other < self._lanes:
            self._place(second, name, other, x, speed)
        elif second in self._known:
            self._vehicle.remove(second)
            self._known.discard(second)

    def _place(self, name: str, kind: str, lane: int, x: float, speed: float) -> None:
        if name not in self._known:
            self._vehicle.add(name, "road", kind, "now", str(lane), f"{x:.3f}", f"{speed:.3f}")
            self._vehicle.setSpeedMode(name, 0)
            self._vehicle.setLaneChangeMode(name, 0)
            self._known.add(name)
        self._vehicle.moveToXY(name, "road", lane, x, lane * self._lane_width, 90.0, 1)
        self._vehicle.setSpeed(name, speed)
