"""Reads a CommonRoad file (XML, versions 2018b and 2020a) into plain arrays, or says what is wrong with it.

Format: https://commonroad.in.tum.de (scenario documentation). Positions of cars are the centres of their boxes; times are
integer steps of `step` seconds.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from pilot_common.errors import ScenarioError
from pilot_evaluation.importers.commonroad_goal import Goal, read_goal

VERSIONS = ("2018b", "2020a")
POSITION_SHAPES = ("rectangle", "circle")
POINT_SIZE = 0.5  # m, diameter of an obstacle whose shape is only a point


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanelet:
    """A piece of lane between bounds of Q points, in driving direction. `left`, `right`: neighbours of the same direction."""

    identity: int
    left_bound: np.ndarray  # (Q, 2)
    right_bound: np.ndarray  # (Q, 2)
    successors: tuple[int, ...]
    predecessors: tuple[int, ...]
    left: int | None
    right: int | None
    speed_limit: float  # m/s, 0: none given

    @property
    def centre(self) -> np.ndarray:
        """Centre line (Q, 2)."""
        return 0.5 * (self.left_bound + self.right_bound)

    @property
    def outline(self) -> np.ndarray:
        """Around it (2 Q, 2)."""
        return np.concatenate((self.left_bound, self.right_bound[::-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A recorded road user, or an obstacle that stands (one state): T states at integer time steps."""

    identity: int
    moves: bool
    kind: str  # as CommonRoad names it: car, truck, bus, motorcycle, bicycle, pedestrian, …
    length: float
    width: float
    step: np.ndarray  # (T,) int, increasing
    position: np.ndarray  # (T, 2), box centre
    heading: np.ndarray  # (T,)
    speed: np.ndarray  # (T,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningProblem:
    """Where the ego starts (box centre) and where it is wanted. `goal` is None where the goal names neither place nor lanelet."""

    identity: int
    position: tuple[float, float]
    heading: float
    speed: float
    first_step: int
    last_step: int
    goal: tuple[float, float] | None
    goal_lanelet: int | None
    goals: tuple[Goal, ...]  # in full, any one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonRoadFile:
    """All of a file that a drive needs."""

    name: str
    step: float  # s
    lanelets: dict[int, Lanelet]
    obstacles: tuple[Obstacle, ...]
    problems: tuple[PlanningProblem, ...]


def read_commonroad(file: Path) -> CommonRoadFile:
    """The content of a CommonRoad file. Raises ScenarioError that names the file, the element and the rule it breaks."""
    try:
        root = ElementTree.parse(file).getroot()
    except FileNotFoundError:
        raise ScenarioError(f"{file}: no such file") from None
    except ElementTree.ParseError as error:
        raise ScenarioError(f"{file}: is no complete XML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file}: cannot be read: {error}") from None
    try:
        return _read(root)
    except _FormatError as error:
        raise ScenarioError(f"{file}: {error}") from None


class _FormatError(Exception):
    """What is wrong within the file; `read_commonroad` adds the file's name."""


def _read(root: Element) -> CommonRoadFile:
    if root.tag != "commonRoad":
        raise _FormatError(f"the root element must be commonRoad, found {root.tag}")
    version = root.get("commonRoadVersion")
    if version not in VERSIONS:
        raise _FormatError(f"CommonRoad version {version} is not known; known are {', '.join(VERSIONS)}")
    step = _number(root.get("timeStepSize"), "commonRoad timeStepSize")
    if not step > 0.0:
        raise _FormatError(f"timeStepSize must be positive, found {step:g}")
    lanelets = {lanelet.identity: lanelet for lanelet in map(_lanelet, root.iterfind("lanelet"))}
    if not lanelets:
        raise _FormatError("holds no lanelet")
    obstacles = tuple(
        _obstacle(element)
        for element in root
        if element.tag in ("obstacle", "dynamicObstacle", "staticObstacle")
    )
    problems = tuple(_problem(element, lanelets) for element in root.iterfind("planningProblem"))
    if not problems:
        raise _FormatError("holds no planningProblem, so nobody knows where the ego starts")
    name = root.get("benchmarkID") or "commonroad"
    return CommonRoadFile(name=name, step=step, lanelets=lanelets, obstacles=obstacles, problems=problems)


def _lanelet(element: Element) -> Lanelet:
    identity = _identity(element)
    place = f"lanelet {identity}"
    left, right = (
        _points(_child(element, name, place), f"{place} {name}") for name in ("leftBound", "rightBound")
    )
    if len(left) != len(right) or len(left) < 2:
        raise _FormatError(
            f"{place}: the bounds have {len(left)} and {len(right)} points, needed are 2 or more, as many on each side"
        )
    return Lanelet(
        identity=identity,
        left_bound=left,
        right_bound=right,
        successors=_references(element, "successor", place),
        predecessors=_references(element, "predecessor", place),
        left=_neighbour(element, "adjacentLeft", place),
        right=_neighbour(element, "adjacentRight", place),
        speed_limit=_speed_limit(element, place),
    )


def _obstacle(element: Element) -> Obstacle:
    identity = _identity(element)
    place = f"obstacle {identity}"
    role = element.findtext("role") or element.tag.removesuffix("Obstacle")
    length, width = _extent(_child(element, "shape", place), place)
    states = [_child(element, "initialState", place)]
    if role == "dynamic":
        if element.find("occupancySet") is not None:
            raise _FormatError(
                f"{place}: its motion is a set of occupancies; only recorded trajectories can be driven among"
            )
        states += element.iterfind("trajectory/state")  # none where it leaves at once
    elif role != "static":
        raise _FormatError(f"{place}: role must be dynamic or static, found {role}")
    step = np.array([_time(state, place) for state in states])
    if np.any(np.diff(step) <= 0):
        raise _FormatError(f"{place}: the times of its states must increase")
    return Obstacle(
        identity=identity,
        moves=role == "dynamic",
        kind=(element.findtext("type") or "unknown").strip(),
        length=length,
        width=width,
        step=step,
        position=np.array([_position(_child(state, "position", place), place) for state in states]),
        heading=np.array([_value(state, "orientation", place) for state in states]),
        speed=np.array([_value(state, "velocity", place, 0.0) for state in states]),
    )


def _problem(element: Element, lanelets: dict[int, Lanelet]) -> PlanningProblem:
    identity = _identity(element)
    place = f"planningProblem {identity}"
    start = _child(element, "initialState", place)
    goal_state = _child(element, "goalState", place)
    goal, goal_lanelet = None, None
    wanted = goal_state.find("position")
    if wanted is not None and (reference := wanted.find("lanelet")) is not None:
        goal_lanelet = _integer(reference.get("ref"), f"{place} goal lanelet")
        if goal_lanelet not in lanelets:
            raise _FormatError(f"{place}: its goal is lanelet {goal_lanelet}, which the file does not hold")
    elif wanted is not None:
        goal = _position(wanted, place)
    return PlanningProblem(
        identity=identity,
        position=_position(_child(start, "position", place), place),
        heading=_value(start, "orientation", place),
        speed=_value(start, "velocity", place),
        first_step=_time(start, place),
        last_step=round(_value(goal_state, "time", place, end=True)),
        goal=goal,
        goal_lanelet=goal_lanelet,
        goals=tuple(
            read_goal(state, lambda identity: _outline(lanelets, identity, place), _content, place)
            for state in element.iterfind("goalState")
        ),
    )


def _outline(lanelets: dict[int, Lanelet], identity: int, place: str) -> np.ndarray:
    if identity not in lanelets:
        raise _FormatError(f"{place}: its goal is lanelet {identity}, which the file does not hold")
    return lanelets[identity].outline


def _content(element: Element | None, place: str) -> float:
    return _number(None if element is None else element.text, place)


def _extent(shape: Element, place: str) -> tuple[float, float]:
    """Length and width of the first rectangle, of the square around a circle, or of the box around a polygon."""
    if (rectangle := shape.find("rectangle")) is not None:
        return _positive(rectangle, "length", place), _positive(rectangle, "width", place)
    if (circle := shape.find("circle")) is not None:
        return (2.0 * _positive(circle, "radius", place),) * 2
    if (polygon := shape.find("polygon")) is not None:
        length, width = np.ptp(_points(polygon, f"{place} shape"), axis=0)
        return float(length), float(width)
    if shape.find("point") is not None:
        return POINT_SIZE, POINT_SIZE
    raise _FormatError(f"{place}: shape must be a rectangle, circle, polygon or point")


def _position(element: Element, place: str) -> tuple[float, float]:
    """A point, or the centre of a region."""
    for name in POSITION_SHAPES:
        if (shape := element.find(name)) is not None:
            return _point(_child(shape, "center", place), place)
    if (polygon := element.find("polygon")) is not None:
        x, y = _points(polygon, f"{place} position").mean(axis=0)
        return float(x), float(y)
    return _point(_child(element, "point", place), place)


def _points(element: Element, place: str) -> np.ndarray:
    return np.array([_point(point, place) for point in element.iterfind("point")]).reshape(-1, 2)


def _point(element: Element, place: str) -> tuple[float, float]:
    return _number(element.findtext("x"), f"{place} x"), _number(element.findtext("y"), f"{place} y")


def _value(state: Element, name: str, place: str, default: float | None = None, end: bool = False) -> float:
    """The exact value of a quantity, else the middle (or the end) of its interval."""
    element = state.find(name)
    if element is None and default is not None:
        return default
    element = _child(state, name, place)
    if (exact := element.findtext("exact")) is not None:
        return _number(exact, f"{place} {name}")
    first, last = (
        _number(element.findtext(key), f"{place} {name}") for key in ("intervalStart", "intervalEnd")
    )
    return last if end else 0.5 * (first + last)


def _time(state: Element, place: str) -> int:
    return round(_value(state, "time", place))


def _child(element: Element, name: str, place: str) -> Element:
    child = element.find(name)
    if child is None:
        raise _FormatError(f"{place}: {element.tag} has no {name}")
    return child


def _neighbour(element: Element, name: str, place: str) -> int | None:
    """The lanelet beside, where traffic runs the same way there."""
    neighbour = element.find(name)
    if neighbour is None or neighbour.get("drivingDir") != "same":
        return None
    return _integer(neighbour.get("ref"), f"{place} {name}")


def _speed_limit(element: Element, place: str) -> float:
    """As version 2018b gives it; later versions put it on signs, which nobody reads here."""
    text = element.findtext("speedLimit")
    return 0.0 if text is None or text.strip() == "inf" else _number(text, f"{place} speedLimit")


def _references(element: Element, name: str, place: str) -> tuple[int, ...]:
    return tuple(_integer(other.get("ref"), f"{place} {name}") for other in element.iterfind(name))


def _identity(element: Element) -> int:
    return _integer(element.get("id"), f"{element.tag} id")


def _integer(text: str | None, place: str) -> int:
    value = _number(text, place)
    if value != int(value):
        raise _FormatError(f"{place}: must be a whole number, found {text}")
    return int(value)


def _positive(element: Element, name: str, place: str) -> float:
    value = _number(element.findtext(name), f"{place} {name}")
    if not value > 0.0:
        raise _FormatError(f"{place}: {name} must be positive, found {value:g}")
    return value


def _number(text: str | None, place: str) -> float:
    if text is None:
        raise _FormatError(f"{place}: is missing")
    try:
        value = float(text)
    except ValueError:
        raise _FormatError(f"{place}: must be a number, found {text.strip()!r}") from None
    if not math.isfinite(value):
        raise _FormatError(f"{place}: must be finite, found {text.strip()}")
    return value
