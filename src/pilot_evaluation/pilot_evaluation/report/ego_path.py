"""Where the car was: the frame everything on the page is drawn in."""

from dataclasses import dataclass

import numpy as np

from pilot_common.errors import BagError
from pilot_common.geometry import Pose
from pilot_evaluation.run import Run


@dataclass(frozen=True, slots=True)
class EgoPath:
    """Poses of the rear axle over time: in `map` from the truth, or in `odom` where a real drive knows no truth."""

    frame: str
    time: np.ndarray  # (T,), increasing
    x: np.ndarray
    y: np.ndarray
    yaw: np.ndarray  # unwrapped

    @classmethod
    def from_run(cls, run: Run) -> "EgoPath":
        """From `truth`, else from the odometry in `world`. Raises BagError where there is neither."""
        for frame, topic, fields in (
            ("map", "truth", ("x", "y", "yaw")),
            ("odom", "world", ("ego.x_odom", "ego.y_odom", "ego.yaw_odom")),
        ):
            if len(run.messages(topic)) > 1:
                return cls._from_columns(frame, *(run.column(topic, field) for field in ("stamp", *fields)))
        raise BagError("nothing to report: the run holds fewer than two messages of truth and of world")

    @classmethod
    def _from_columns(
        cls, frame: str, time: np.ndarray, x: np.ndarray, y: np.ndarray, yaw: np.ndarray
    ) -> "EgoPath":
        _, rows = np.unique(time, return_index=True)  # in order of time, each time once
        return cls(frame, time[rows], x[rows], y[rows], np.unwrap(yaw[rows]))

    def pose(self, time: float) -> Pose:
        """The pose at a time, linear between messages, held beyond the ends."""
        return (
            float(np.interp(time, self.time, self.x)),
            float(np.interp(time, self.time, self.y)),
            float(np.interp(time, self.time, self.yaw)),
        )
