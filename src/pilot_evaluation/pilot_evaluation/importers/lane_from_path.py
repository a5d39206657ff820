"""Lane marks for a recording that has none: the lane is taken to be where the car drove, smoothed.

A stand-in, for shadow replays only: it says nothing of how well lanes are seen. Shapes: T times, P path points.
"""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from pilot_common.messages import to_seconds
from pilot_common.types import LaneMarks, MarkKind

SURROUNDINGS = 241  # m: roads bend over longer distances than drivers weave
LANE_WIDTH = 3.66  # m: 12 feet, as on all interstate highways (AASHTO)
SIGHT = 80.0  # m ahead, as far as cameras see marks well
END_DIRECTION = 20.0  # m over which the direction at the end of the recording is taken; the lane goes straight on from there
DEVIATION = (0.1, 0.005, 1e-4, 1e-6)  # of the cubic's coefficients, as a good camera reports them
SCORE = 0.9
SHORTEST = 10.0  # m of path


def lane_marks(time: np.ndarray, position: np.ndarray, camera: int, ahead: float) -> Iterator[LaneMarks]:
    """Marks of the own lane at each pose of a recorded path.

    `time` (T,) ns; `position` (T, 2) m of a point `ahead` of the rear axle; `camera` is the index of the sensor that is stood in
    for. The car is taken to point where it goes.
    """
    if np.hypot(*(position[-1] - position[0])) < SHORTEST:
        return  # a car that stands shows no lane
    station = np.concatenate(((0.0,), np.cumsum(np.hypot(*np.diff(position, axis=0).T))))
    grid = np.arange(0.0, station[-1], 1.0)
    path = np.stack([np.interp(grid, station, position[:, axis]) for axis in range(2)], axis=-1)
    lane = _prolonged(smoothed(path))
    course = np.unwrap(np.arctan2(*np.gradient(position, axis=0).T[::-1]))
    course = gaussian_filter1d(course, 2.0)
    for row, stamp in enumerate(time.tolist()):
        cosine, sine = np.cos(course[row]), np.sin(course[row])
        own = lane - (position[row] - ahead * np.array((cosine, sine)))
        x, y = own @ (cosine, sine), own @ (-sine, cosine)
        seen = (x > 0.0) & (x < SIGHT)
        centre = np.polynomial.polynomial.polyfit(x[seen], y[seen], 3)
        coefficients = np.stack((centre, centre))
        coefficients[:, 0] += (0.5 * LANE_WIDTH, -0.5 * LANE_WIDTH)
        yield LaneMarks(
            stamp=to_seconds(stamp),
            sensors=np.array([camera]),
            coefficients=coefficients,
            deviation=np.tile(DEVIATION, (2, 1)),
            view=np.tile((0.0, float(x[seen].max())), (2, 1)),
            kind=np.full(2, MarkKind.DASHED),
            score=np.full(2, SCORE),
        )


def _prolonged(lane: np.ndarray) -> np.ndarray:
    """The lane (P, 2), straight on for the sight of a camera."""
    chord = lane[-1] - lane[-1 - min(int(END_DIRECTION), len(lane) - 1)]
    ahead = np.arange(1.0, SIGHT + 1.0)[:, None] * chord / np.hypot(*chord)
    return np.concatenate((lane, lane[-1] + ahead))


def smoothed(path: np.ndarray) -> np.ndarray:
    """A path with a point every metre (P, 2), each point moved onto the cubic that fits its surroundings: bends stay."""
    window = min(SURROUNDINGS, len(path) - (len(path) + 1) % 2)
    return savgol_filter(path, window, min(3, window - 1), axis=0)
