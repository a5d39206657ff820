"""What the navigation tells of the road ahead, from the true road and the scenario's route."""

import math

import numpy as np

from pilot_common.types import Route
from pilot_simulation.road import Place, TrueRoad
from pilot_simulation.scenario import RoutePlan, RouteStretch

ANYWHERE = RoutePlan()
ROUNDING = 1e-6  # m
UNKNOWN = -1


class Navigation:
    """Knows the map and where the car is on it; says nothing of who else is there."""

    def __init__(self, road: TrueRoad, plan: RoutePlan | None) -> None:
        self._road, self._plan = road, plan or ANYWHERE
        self._limits = [(-math.inf, road.speed_limit), *((limit.start, limit.speed) for limit in road.limits)]

    def route(self, stamp: float, place: Place) -> Route:
        """The route from where the rear axle is."""
        horizon, station = self._plan.horizon, place.station
        lanes = self._road.lanes_at(place)
        own, _, _ = self._road.lane_at(station, place.offset)
        ends = [self._end(lane, station) for lane in lanes]
        near = [(max(at - station, 0.0), closed) for at, closed in ends]
        limits = self._limits_ahead(station)
        return Route(
            stamp=stamp,
            valid=True,
            reason="",
            horizon=horizon,
            lane=lanes.index(own) if own in lanes else UNKNOWN,
            lane_distance=np.array([min(distance, horizon) for distance, _ in near]),
            lane_ends=np.array([closed and distance < horizon for distance, closed in near], bool),
            shoulder_width=self._road.shoulder_width,
            limit_distance=np.array([distance for distance, _ in limits]),
            limit_speed=np.array([speed for _, speed in limits]),
            guidance=self._guidance(station),
        )

    def _end(self, lane: int, station: float) -> tuple[float, bool]:
        """Station up to which a lane can be followed on the route, and whether it is closed there."""
        end, closed = math.inf, False
        for mark in self._road.ends[lane]:
            on_route = not mark.closed and lane in self._lanes_of_route(mark.station)
            if mark.gone >= station - ROUNDING and not on_route:
                end, closed = mark.station, mark.closed
                break
        now = self._stretch(station)
        if now is not None and lane not in now.lanes:
            near = (
                closed and end - station < self._plan.horizon
            )  # off the route already, but there it must stop
            return (end, True) if near else (station, now.closed)
        for stretch in self._plan.stretches:
            if station < stretch.start < end and lane not in stretch.lanes:
                return stretch.start, stretch.closed
        return end, closed

    def _stretch(self, station: float) -> RouteStretch | None:
        """The stretch that holds at a station."""
        return next(
            (stretch for stretch in reversed(self._plan.stretches) if stretch.start <= station + ROUNDING),
            None,
        )

    def _lanes_of_route(self, station: float) -> tuple[int, ...]:
        """Lanes that a stretch names at a station; none where the scenario says nothing."""
        stretch = self._stretch(station)
        return () if stretch is None else stretch.lanes

    def _limits_ahead(self, station: float) -> list[tuple[float, float]]:
        """The limit that holds now at distance 0, then those to come; empty where none is known up to the horizon."""
        current = [speed for start, speed in self._limits if start <= station][-1]
        ahead = [
            (start - station, speed)
            for start, speed in self._limits
            if station < start <= station + self._plan.horizon
        ]
        return [(0.0, current), *ahead] if current or ahead else []

    def _guidance(self, station: float) -> str:
        coming = (stretch for stretch in self._plan.stretches if stretch.start > station and stretch.guidance)
        stretch = next(coming, None)
        if stretch is None or stretch.start - station > self._plan.horizon:
            return ""
        return f"{stretch.guidance} in {stretch.start - station:.0f} m"
