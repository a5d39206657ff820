"""The stop that goes out with every command: what the gate plays when commands stop coming."""

import numpy as np

from pilot_common.arc import linear_on
from pilot_common.compiled import compiled
from pilot_common.road import ReferenceLine
from pilot_common.vehicle import Facts
from pilot_control.lateral import Lateral
from pilot_control.longitudinal import Longitudinal

EVERY = 0.1  # s
TIMES = EVERY * np.arange(
    101
)  # 10 s suffice to stop from 130 km/h at 3.7 m/s², and the gate holds the car afterwards
EASING = 0.7  # s in which the present correction of the path error fades


class Fallback:
    """Open-loop stop along a path from now on."""

    def __init__(self, facts: Facts) -> None:
        self._release = facts.limits.max_jerk
        self._deceleration = facts.limits.minimum_risk_deceleration
        self._delay = facts.actuators.steering_delay + facts.actuators.steering_time_constant
        self._fading = np.exp(-TIMES / EASING)

    def steps(
        self, line: ReferenceLine, station: float, speed: float, lateral: Lateral, longitudinal: Longitudinal
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, steering angles and accelerations (T each): braking as strong as now or as the stop demands, then held."""
        curvature, speeds, acceleration = _to_rest(
            line.station,
            line.curvature,
            station,
            speed,
            longitudinal.command,
            self._deceleration,
            self._release,
            longitudinal.stopping(0.0),
            self._delay,
        )
        return TIMES, lateral.fading_angle(curvature, speeds, acceleration, self._fading), acceleration


@compiled
def _to_rest(
    own: np.ndarray,
    bends: np.ndarray,
    station: float,
    speed: float,
    start: float,
    deceleration: float,
    release: float,
    held: float,
    delay: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Curvatures `delay` ahead, speeds and accelerations (T each) of a stop along a line with curvatures `bends` (P,) at its
    stations `own`: from the acceleration at the `start` to at least `deceleration` at the jerk `release`, then `held`.
    """
    curvature, speeds, acceleration = np.empty(len(TIMES)), np.empty(len(TIMES)), np.empty(len(TIMES))
    bottom = min(start, -deceleration)
    change, distance, before = 0.0, 0.0, start
    for index in range(len(TIMES)):
        demanded = max(bottom, start - release * TIMES[index])
        change += 0.5 * EVERY * (before + demanded) if index else 0.0
        before = demanded
        speeds[index] = max(speed + change, 0.0)
        acceleration[index] = demanded if speeds[index] > 0.0 else held
        distance += 0.5 * EVERY * (speeds[index - 1] + speeds[index]) if index else 0.0
        curvature[index] = linear_on(own, bends, station + distance + speeds[index] * delay)
    return curvature, speeds, acceleration
