"""Road coordinates: `station` along a reference line, `offset` to its left. The same class serves the true road of a simulation,
the lanes of the world model and the path of a plan.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pilot_common.geometry import wrap_angle


@dataclass(frozen=True)
class ReferenceLine:
    """A smooth line through P ≥ 2 points, with heading and curvature at each; straight beyond both ends.

    Between points, position follows the chord and heading is linear: with points 2–5 m apart on roads of radius over 200 m the
    error is below 16 mm.
    """

    point: np.ndarray  # (P, 2)
    station: np.ndarray  # (P,), increasing
    heading: np.ndarray  # (P,), continuous (unwrapped)
    curvature: np.ndarray  # (P,)

    @classmethod
    def from_points(cls, point: np.ndarray, first_station: float = 0.0) -> "ReferenceLine":
        """A line through points (P, 2) alone; heading and curvature by central differences. Raises ValueError below 2 points."""
        point = np.asarray(point, float)
        if len(point) < 2:
            raise ValueError(f"a reference line needs at least 2 points, got {len(point)}")
        step = np.hypot(*np.diff(point, axis=0).T)
        if np.any(step <= 1e-9):
            keep = np.concatenate(((True,), step > 1e-9))
            return cls.from_points(point[keep], first_station)
        station = first_station + np.concatenate(((0.0,), np.cumsum(step)))
        tangent = np.gradient(point, station, axis=0)
        heading = np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))
        return cls(point, station, heading, np.gradient(heading, station))

    @cached_property
    def _normal(self) -> np.ndarray:
        return np.stack((-np.sin(self.heading), np.cos(self.heading)), axis=-1)

    @cached_property
    def _chord(self) -> tuple[np.ndarray, np.ndarray]:
        delta = self.point[1:] - self.point[:-1]
        return delta, (delta * delta).sum(axis=1)

    @cached_property
    def _coordinates(self) -> np.ndarray:
        """X and y (2, P), each in one piece: `np.interp` would copy a column of a long road at every call."""
        return np.ascontiguousarray(self.point.T)

    def to_road(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Station, offset and the line's heading (each (N,)) at points (N, 2): foot on the nearest chord, ends prolonged."""
        point = np.atleast_2d(point)
        delta, squared = self._chord
        # Component by component: a third of the time of (N, P, 2) arrays.
        x = point[:, :1] - self.point[:-1, 0]
        y = point[:, 1:] - self.point[:-1, 1]
        share = (x * delta[:, 0] + y * delta[:, 1]) / squared
        inside = np.minimum(np.maximum(share, 0.0), 1.0)
        x -= inside * delta[:, 0]
        y -= inside * delta[:, 1]
        nearest = (x * x + y * y).argmin(axis=1)
        last = len(squared) - 1
        own = delta[nearest]
        station = self.station[nearest]
        along = share[np.arange(len(point)), nearest]
        along = np.where(nearest > 0, np.maximum(along, 0.0), along)
        along = np.where(nearest < last, np.minimum(along, 1.0), along)
        across_x = point[:, 0] - self.point[nearest, 0] - along * own[:, 0]
        across_y = point[:, 1] - self.point[nearest, 1] - along * own[:, 1]
        offset = (across_y * own[:, 0] - across_x * own[:, 1]) / np.sqrt(squared[nearest])
        station = station + along * (self.station[nearest + 1] - station)
        return station, offset, np.interp(station, self.station, self.heading)

    def at(self, station: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (N, 2), heading and curvature (N,) at stations, prolonged straight beyond the ends."""
        station = np.atleast_1d(np.asarray(station, float))
        heading = np.interp(station, self.station, self.heading)
        beyond = station - np.minimum(np.maximum(station, self.station[0]), self.station[-1])
        x, y = self._coordinates
        x = np.interp(station, self.station, x) + beyond * np.cos(heading)
        y = np.interp(station, self.station, y) + beyond * np.sin(heading)
        curvature = np.where(beyond == 0.0, np.interp(station, self.station, self.curvature), 0.0)
        return np.stack((x, y), axis=-1), heading, curvature

    def to_cartesian(self, station: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Points (N, 2) at stations and offsets."""
        point, heading, _ = self.at(station)
        return point + np.asarray(offset)[..., None] * np.stack((-np.sin(heading), np.cos(heading)), axis=-1)

    def shifted(self, offset: np.ndarray | float) -> "ReferenceLine":
        """The line `offset` (scalar or (P,)) to the left, with its own points and curvature and the same number of points."""
        return ReferenceLine.from_points(
            self.point + np.broadcast_to(offset, self.station.shape)[:, None] * self._normal
        )


def relative_heading(heading: np.ndarray, line_heading: np.ndarray) -> np.ndarray:
    """Heading relative to the line, in (−π, π]."""
    return wrap_angle(heading - line_heading)
