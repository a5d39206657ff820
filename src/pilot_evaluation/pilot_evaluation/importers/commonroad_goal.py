"""Where and when a CommonRoad problem wants the ego: regions, an interval of time, perhaps of speed and heading.

A problem may name several goals; reaching one of them is enough. Positions are of the middle of the ego's box, as at its start.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from pilot_common.geometry import wrap

CIRCLE_POINTS = 48
Number = Callable[[Element | None, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`outlines` are polygons (Q, 2); empty: anywhere. Intervals are closed, None: any. Steps as in the file."""

    outlines: tuple[np.ndarray, ...]
    lanelets: tuple[int, ...]
    first_step: float
    last_step: float
    speed: tuple[float, float] | None
    heading: tuple[float, float] | None

    def holds(self, position: tuple[float, float], heading: float, speed: float) -> bool:
        """Whether place, heading and speed are as wanted, at whatever time."""
        if self.speed is not None and not self.speed[0] <= speed <= self.speed[1]:
            return False
        if self.heading is not None and not self._heads(heading):
            return False
        return not self.outlines or any(inside(outline, position) for outline in self.outlines)

    def _heads(self, heading: float) -> bool:
        assert self.heading is not None
        middle = 0.5 * (self.heading[0] + self.heading[1])
        return abs(wrap(heading - middle)) <= 0.5 * (self.heading[1] - self.heading[0])

    @property
    def middle(self) -> tuple[float, float] | None:
        """Of the first region; None where any place will do."""
        if not self.outlines:
            return None
        x, y = self.outlines[0].mean(axis=0)
        return float(x), float(y)


def read_goal(element: Element, outline_of: Callable[[int], np.ndarray], number: Number, place: str) -> Goal:
    """A `goalState`. `number` reads the number in an element and says what is wrong with it."""
    where = element.find("position")
    lanelets = [] if where is None else [int(part.get("ref", "0")) for part in where.iterfind("lanelet")]
    outlines = [outline_of(identity) for identity in lanelets]
    if where is not None:
        outlines += [_rectangle(part, number, place) for part in where.iterfind("rectangle")]
        outlines += [_circle(part, number, place) for part in where.iterfind("circle")]
        outlines += [_polygon(part, number, place) for part in where.iterfind("polygon")]
    time = _interval(element.find("time"), number, f"{place} goal time")
    return Goal(
        outlines=tuple(outlines),
        lanelets=tuple(lanelets),
        first_step=time[0] if time is not None else 0.0,
        last_step=time[1] if time is not None else math.inf,
        speed=_interval(element.find("velocity"), number, f"{place} goal velocity"),
        heading=_interval(element.find("orientation"), number, f"{place} goal orientation"),
    )


def inside(outline: np.ndarray, point: tuple[float, float]) -> bool:
    """Whether a point lies in a polygon (Q, 2), by the even-odd rule."""
    following = np.roll(outline, -1, axis=0)
    spans = (outline[:, 1] > point[1]) != (following[:, 1] > point[1])
    rise = np.where(spans, following[:, 1] - outline[:, 1], 1.0)
    crossing = outline[:, 0] + (point[1] - outline[:, 1]) * (following[:, 0] - outline[:, 0]) / rise
    return bool(np.count_nonzero(spans & (point[0] < crossing)) % 2)


def _interval(element: Element | None, number: Number, place: str) -> tuple[float, float] | None:
    if element is None:
        return None
    exact = element.find("exact")
    if exact is not None:
        value = number(exact, place)
        return value, value
    return number(element.find("intervalStart"), place), number(element.find("intervalEnd"), place)


def _point(element: Element | None, number: Number, place: str) -> tuple[float, float]:
    x, y = (None, None) if element is None else (element.find("x"), element.find("y"))
    return number(x, place), number(y, place)


def _rectangle(element: Element, number: Number, place: str) -> np.ndarray:
    x, y = _point(element.find("center"), number, place)
    length, width = number(element.find("length"), place), number(element.find("width"), place)
    turn = element.find("orientation")
    angle = number(turn, place) if turn is not None else 0.0
    along = 0.5 * length * np.array((math.cos(angle), math.sin(angle)))
    across = 0.5 * width * np.array((-math.sin(angle), math.cos(angle)))
    corners = (along + across, along - across, -along - across, -along + across)
    return np.array(corners) + np.array((x, y))


def _circle(element: Element, number: Number, place: str) -> np.ndarray:
    x, y = _point(element.find("center"), number, place)
    angle = np.linspace(0.0, 2.0 * np.pi, CIRCLE_POINTS, endpoint=False)
    radius = number(element.find("radius"), place)
    return np.stack((x + radius * np.cos(angle), y + radius * np.sin(angle)), axis=-1)


def _polygon(element: Element, number: Number, place: str) -> np.ndarray:
    return np.array([_point(point, number, place) for point in element.iterfind("point")]).reshape(-1, 2)
