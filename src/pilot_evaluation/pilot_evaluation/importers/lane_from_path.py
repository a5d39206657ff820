"""Lane marks for a recording that has none: the lane is taken to be where the car drove, smoothed.

A stand-in, for shadow replays only: it says nothing of how well lanes are seen. Shapes: T times, P path points.
"""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pilot_common.messages import to_seconds
from pilot_common.types import LaneMarks, MarkKind

SMOOTHING = 60.0  # m, standard deviation: roads bend over longer distances than drivers weave
LANE_WIDTH = 3.66  # m: 12 feet, as on all interstate highways (AASHTO)
SIGHT = 80.0  # m ahead, as far as cameras see marks well
SHORTEST_SIGHT = 20.0  # m: at the end of the recording less is left
DEVIATION = (0.1, 0.005, 1e-4, 1e-6)  # of the cubic's coefficients, as a good camera reports them
SCORE = 0.9


def lane_marks(time: np.ndarray, position: np.ndarray, camera: int, ahead: float) -> Iterator[LaneMarks]:
    """Marks of the own lane at each pose of a recorded path.

    `time` (T,) ns; `position` (T, 2) m of a point `ahead` of the rear axle; `camera` is the index of the sensor that is stood in
    for. The car is taken to point where it goes.
    """
    station = np.concatenate(((0.0,), np.cumsum(np.hypot(*np.diff(position, axis=0).T))))
    grid = np.arange(0.0, station[-1], 1.0)
    path = np.stack([np.interp(grid, station, position[:, axis]) for axis in range(2)], axis=-1)
    lane = smoothed(path)
    course = np.unwrap(np.arctan2(*np.gradient(position, axis=0).T[::-1]))
    course = gaussian_filter1d(course, 2.0)
    for row, stamp in enumerate(time.tolist()):
        cosine, sine = np.cos(course[row]), np.sin(course[row])
        own = lane - (position[row] - ahead * np.array((cosine, sine)))
        x, y = own @ (cosine, sine), own @ (-sine, cosine)
        seen = (x > 0.0) & (x < SIGHT)
        if np.count_nonzero(seen) < SHORTEST_SIGHT:
            continue
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


def smoothed(path: np.ndarray) -> np.ndarray:
    """A path with a point every metre (P, 2), filtered by a Gaussian; both ends are mirrored through the end point."""
    reach = len(path) - 1
    before, after = 2.0 * path[0] - path[reach:0:-1], 2.0 * path[-1] - path[-2::-1]
    padded = np.concatenate((before, path, after))
    return gaussian_filter1d(padded, SMOOTHING, axis=0)[reach : reach + len(path)]
