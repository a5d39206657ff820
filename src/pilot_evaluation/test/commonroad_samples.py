"""Writes tiny CommonRoad files of both versions, for the tests."""

from collections.abc import Sequence

Point = tuple[float, float]


def bound(name: str, points: Sequence[Point], extra: str = "") -> str:
    body = "".join(f"<point><x>{x}</x><y>{y}</y></point>" for x, y in points)
    return f"<{name}>{body}{extra}</{name}>"


def lanelet(
    identity: int, middle: Sequence[Point], links: str = "", width: float = 3.5, across: Point = (0.0, 1.0)
) -> str:
    half = 0.5 * width
    left = [(x + half * across[0], y + half * across[1]) for x, y in middle]
    right = [(x - half * across[0], y - half * across[1]) for x, y in middle]
    return f'<lanelet id="{identity}">{bound("leftBound", left)}{bound("rightBound", right)}{links}</lanelet>'


def state(tag: str, time: int, x: float, y: float, speed: float, heading: float = 0.0) -> str:
    return (
        f"<{tag}><position><point><x>{x}</x><y>{y}</y></point></position><orientation><exact>{heading}</exact></orientation>"
        f"<time><exact>{time}</exact></time><velocity><exact>{speed}</exact></velocity></{tag}>"
    )


SHAPE = "<shape><rectangle><length>4.5</length><width>1.8</width></rectangle></shape>"


def car(identity: int, x: float, y: float, speed: float, steps: Sequence[int], version: str = "2018b") -> str:
    """A car at constant speed along x, seen at the given steps of 0.1 s."""
    where = [(time, x + 0.1 * speed * (time - steps[0])) for time in steps]
    first = state("initialState", where[0][0], where[0][1], y, speed)
    rest = "".join(state("state", time, place, y, speed) for time, place in where[1:])
    body = f"<type>car</type>{SHAPE}{first}<trajectory>{rest}</trajectory>"
    if version == "2018b":
        return f'<obstacle id="{identity}"><role>dynamic</role>{body}</obstacle>'
    return f'<dynamicObstacle id="{identity}">{body}</dynamicObstacle>'


def standing(identity: int, x: float, y: float) -> str:
    return (
        f'<obstacle id="{identity}"><role>static</role><type>unknown</type>{SHAPE}'
        f"{state('initialState', 0, x, y, 0.0)}</obstacle>"
    )


def problem(x: float, y: float, speed: float, goal: str = '<lanelet ref="1"/>', heading: float = 0.0) -> str:
    time = "<time><intervalStart>0</intervalStart><intervalEnd>20</intervalEnd></time>"
    return (
        f'<planningProblem id="9">{state("initialState", 0, x, y, speed, heading)}'
        f"<goalState><position>{goal}</position>{time}</goalState></planningProblem>"
    )


def document(*parts: str, version: str = "2018b", root: str = "commonRoad") -> str:
    head = f'<{root} benchmarkID="SAMPLE-1" commonRoadVersion="{version}" timeStepSize="0.1">'
    return f'<?xml version="1.0" encoding="utf-8"?>{head}{"".join(parts)}</{root}>'


def straight(identity: int, y: float, links: str = "", length: float = 200.0) -> str:
    return lanelet(identity, [(0.25 * i * length, y) for i in range(5)], links)


LEFT_OF_2 = '<adjacentLeft ref="3" drivingDir="same"/>'


def three_lanes(version: str = "2018b") -> str:
    """Three lanes along x, 3.5 m wide, the ego in the middle one; a car in each other lane, and one far ahead of the ego."""
    return document(
        straight(1, -3.5),
        straight(2, 0.0, LEFT_OF_2),
        straight(3, 3.5),
        car(11, 30.0, -3.5, 20.0, range(0, 21), version),
        car(12, 90.0, 0.0, 20.0, range(5, 16), version),
        problem(20.0, 0.2, 18.0, '<lanelet ref="2"/>'),
        version=version,
    )
