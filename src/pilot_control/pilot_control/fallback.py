"""The stop that goes out with every command: what the gate plays when commands stop coming."""

import numpy as np

from pilot_common.road import ReferenceLine
from pilot_common.vehicle import Facts
from pilot_control.lateral import Lateral
from pilot_control.longitudinal import Longitudinal

TIMES = 0.1 * np.arange(
    101
)  # s; 10 s suffice to stop from 130 km/h at 3.7 m/s², and the gate holds the car afterwards
EASING = 0.7  # s in which the present correction of the path error fades


class Fallback:
    """Open-loop stop along a path from now on."""

    def __init__(self, facts: Facts) -> None:
        self._release = facts.limits.max_jerk * TIMES
        self._deceleration = facts.limits.minimum_risk_deceleration
        self._delay = facts.actuators.steering_delay + facts.actuators.steering_time_constant
        self._fading = np.exp(-TIMES / EASING)

    def steps(
        self, line: ReferenceLine, station: float, speed: float, lateral: Lateral, longitudinal: Longitudinal
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, steering angles and accelerations (T each): braking as strong as now or as the stop demands, then held."""
        start = longitudinal.command
        bottom = min(start, -self._deceleration)
        acceleration = np.maximum(bottom, start - self._release)
        moved = np.empty_like(TIMES)
        moved[0] = 0.0
        np.cumsum(0.05 * (acceleration[1:] + acceleration[:-1]), out=moved[1:])
        speeds = np.maximum(speed + moved, 0.0)
        acceleration[speeds <= 0.0] = longitudinal.stopping(0.0)
        distance = np.empty_like(TIMES)
        distance[0] = 0.0
        np.cumsum(0.05 * (speeds[1:] + speeds[:-1]), out=distance[1:])
        curvature = np.interp(station + distance + speeds * self._delay, line.station, line.curvature)
        steady = lateral.steady_angle(curvature, speeds, acceleration)
        return TIMES, steady + (lateral.command - steady[0]) * self._fading, acceleration
