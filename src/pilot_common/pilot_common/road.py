"""Road coordinates: `station` along a reference line, `offset` to its left. The same class serves the true road of a simulation,
the lanes of the world model and the path of a plan.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.geometry import wrap_angle

X, Y, STATION, HEADING, CURVATURE = range(5)  # columns of `ReferenceLine.samples`


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
    def _coordinates(self) -> np.ndarray:
        """X and y (2, P), each in one piece: `np.interp` would copy a column of a long road at every call."""
        return np.ascontiguousarray(self.point.T)

    @cached_property
    def samples(self) -> np.ndarray:
        """x, y, station, heading, curvature (P, 5) in one piece, as the compiled functions read them."""
        return np.column_stack((self.point, self.station, self.heading, self.curvature))

    def to_road(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Station, offset and the line's heading (each (N,)) at points (N, 2): foot on the nearest chord, ends prolonged."""
        station, offset, heading = _to_road(
            self.samples, np.ascontiguousarray(np.atleast_2d(point), np.float64)
        )
        return station, offset, heading

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


@compiled
def chord_foot(samples: np.ndarray, x: float, y: float) -> tuple[int, float, float]:
    """The foot of a point on the nearest chord of a line's `samples` (P, 5): the chord's index, the share of it up to the foot
    (below 0 and above 1 only where an end is prolonged) and the offset to its left.
    """
    last = len(samples) - 2
    nearest, least, along = 0, np.inf, 0.0
    for index in range(last + 1):
        chord_x, chord_y = (
            samples[index + 1, 0] - samples[index, 0],
            samples[index + 1, 1] - samples[index, 1],
        )
        from_x, from_y = x - samples[index, 0], y - samples[index, 1]
        share = (from_x * chord_x + from_y * chord_y) / (chord_x * chord_x + chord_y * chord_y)
        inside = min(max(share, 0.0), 1.0)
        beside_x, beside_y = from_x - inside * chord_x, from_y - inside * chord_y
        squared = beside_x * beside_x + beside_y * beside_y
        if squared < least:
            nearest, least, along = index, squared, share
    if nearest > 0:
        along = max(along, 0.0)
    if nearest < last:
        along = min(along, 1.0)
    chord_x = samples[nearest + 1, 0] - samples[nearest, 0]
    chord_y = samples[nearest + 1, 1] - samples[nearest, 1]
    across_x = x - samples[nearest, 0] - along * chord_x
    across_y = y - samples[nearest, 1] - along * chord_y
    offset = (across_y * chord_x - across_x * chord_y) / math.sqrt(chord_x * chord_x + chord_y * chord_y)
    return nearest, along, offset


@compiled
def on_chord(samples: np.ndarray, column: int, nearest: int, share: float) -> float:
    """A column of a line's `samples` (P, 5) at a share of a chord, linear and constant beyond the ends."""
    first = samples[nearest, column]
    return first + min(max(share, 0.0), 1.0) * (samples[nearest + 1, column] - first)


@compiled
def at_station(samples: np.ndarray, column: int, station: float) -> float:
    """A column of a line's `samples` (P, 5) at a station, linear and constant beyond the ends."""
    nearest, last = 0, len(samples) - 1
    while last - nearest > 1:
        middle = (nearest + last) // 2
        if samples[middle, STATION] < station:
            nearest = middle
        else:
            last = middle
    first = samples[nearest, STATION]
    return on_chord(samples, column, nearest, (station - first) / (samples[nearest + 1, STATION] - first))


@compiled
def _to_road(samples: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Station, offset, heading (3, N) of points (N, 2)."""
    result = np.empty((3, len(point)))
    for row in range(len(point)):
        nearest, share, offset = chord_foot(samples, point[row, 0], point[row, 1])
        first = samples[nearest, STATION]
        result[0, row] = first + share * (samples[nearest + 1, STATION] - first)
        result[1, row] = offset
        result[2, row] = on_chord(samples, HEADING, nearest, share)
    return result


def relative_heading(heading: np.ndarray, line_heading: np.ndarray) -> np.ndarray:
    """Heading relative to the line, in (−π, π]."""
    return wrap_angle(heading - line_heading)
