"""What may enter fusion: live data that cannot be trusted is refused as a whole, with a reason, and changes nothing."""

import math

import numpy as np

from pilot_common.types import Detections, LaneMarks, MarkKind, ObjectClass, RadarReturns, VehicleState
from pilot_common.vehicle import SensorKind, Vehicle

SHORTEST_VIEW = 1.0  # m
FARTHEST = 2000.0  # m; no sensor of a car sees farther
LARGEST = 60.0  # m; longest road train
FASTEST = 150.0  # m/s; no road user or car is faster
FASTEST_TURN = 5.0  # rad/s
# Limits of detections: position, covariance, size, score, heading (any finite one, but such are seen to more closely).
HIGHEST = np.array([FARTHEST] * 3 + [FARTHEST**2] * 4 + [LARGEST] * 3 + [1.0, 1e9])
LOWEST = -HIGHEST
LOWEST[[3, 6, 7, 8, 9]] = 0.0


class Screening:
    """Judges messages by number, range and origin."""

    def __init__(self, vehicle: Vehicle, maximum_rows: int) -> None:
        self._maximum_rows = maximum_rows
        self._kind = tuple(sensor.kind for sensor in vehicle.sensors)

    def state(self, state: VehicleState) -> str:
        """Why a vehicle state cannot be used; empty where it can."""
        if not state.valid:
            return "vehicle state not valid"
        numbers = (state.stamp, state.speed, state.acceleration, state.yaw_rate)
        if not all(map(math.isfinite, numbers)):
            return "vehicle state not finite"
        if (
            abs(state.speed) > FASTEST
            or abs(state.yaw_rate) > FASTEST_TURN
            or abs(state.acceleration) > FASTEST
        ):
            return f"vehicle state impossible: {state.speed:g} m/s, {state.yaw_rate:g} rad/s, {state.acceleration:g} m/s²"
        return ""

    def detections(self, message: Detections, kind: SensorKind, topic: str) -> str:
        """Why detections cannot be used; empty where they can."""
        count = len(message.score)
        if count > self._maximum_rows:
            return f"{topic} with {count} objects refused"
        if not self._known(message.sensors, message.sensor, kind):
            return f"{topic} of a sensor that is no {kind.value} of this vehicle"
        if count == 0:
            return ""
        if _plausible(message):
            return ""
        # Not so: what is wrong?
        if not _finite(
            message.score, message.position, message.position_covariance, message.heading, message.extent
        ):
            return f"{topic} not finite"
        if np.abs(message.position).max() > FARTHEST or int(message.class_id.max()) >= len(ObjectClass):
            return f"{topic} out of range"
        if message.extent.min() < 0.0 or message.extent.max() > LARGEST or np.abs(message.score).max() > 1.0:
            return f"{topic} with an impossible size or score"
        covariance = message.position_covariance
        a, b, d = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
        if np.abs(covariance).max() > FARTHEST**2:
            return f"{topic} with an impossible covariance"
        # The determinant may be negative by rounding where the covariance is almost a line.
        if min(a.min(), d.min(), (a * d * (1.0 + 1e-9) - b * b).min()) < 0.0:
            return f"{topic} with an impossible covariance"
        return ""

    def radar(self, message: RadarReturns) -> str:
        """Why radar returns cannot be used; empty where they can."""
        count = len(message.range)
        if count > self._maximum_rows:
            return f"radar_returns with {count} objects refused"
        if not self._known(message.sensors, message.sensor, SensorKind.RADAR):
            return "radar_returns of a sensor that is no radar of this vehicle"
        if count == 0:
            return ""
        if not _finite(message.range, message.azimuth, message.range_rate):
            return "radar_returns not finite"
        if (
            message.range.max() > FARTHEST
            or message.range.min() < 0.0
            or np.abs(message.range_rate).max() > 2.0 * FASTEST
        ):
            return "radar_returns out of range"
        return ""

    def marks(self, message: LaneMarks) -> str:
        """Why lane marks cannot be used; empty where they can."""
        count = len(message.score)
        if count > self._maximum_rows:
            return f"lane_marks with {count} marks refused"
        if not self._known(message.sensors, message.sensors, SensorKind.CAMERA):
            return "lane_marks of a sensor that is no camera of this vehicle"
        if count and not _finite(message.coefficients, message.deviation, message.view, message.score):
            return "lane_marks not finite"
        if count and max(np.abs(message.coefficients).max(), message.deviation.max()) > FARTHEST:
            return "lane_marks out of range"
        if count and (message.deviation.min() < 0.0 or int(message.kind.max()) >= len(MarkKind)):
            return "lane_marks with an impossible deviation or kind"
        near, far = message.view.T
        if count and not ((near >= 0.0) & (far >= near + SHORTEST_VIEW)).all():
            return "lane_marks with an impossible view"
        return ""

    def _known(self, sensors: np.ndarray, used: np.ndarray, kind: SensorKind) -> bool:
        """Whether all sensors named are of that kind, and all rows of sensors that measured."""
        named = set(sensors.tolist())
        return set(used.tolist()) <= named and all(
            i < len(self._kind) and self._kind[i] is kind for i in named
        )


def _finite(*arrays: np.ndarray) -> bool:
    """Whether all numbers are finite (a sum is finite only where every summand is, or the sum overflows: then refuse as well)."""
    return math.isfinite(sum(float(np.add.reduce(array, axis=None)) for array in arrays))


def _plausible(message: Detections) -> bool:
    """Whether all numbers of detections are within their limits, in one look at all of them (what is not a number is not)."""
    covariance = message.position_covariance.reshape(-1, 4)
    columns = np.concatenate(
        (message.position, covariance, message.extent, message.score[:, None], message.heading[:, None]),
        axis=1,
    )
    if not ((columns >= LOWEST) & (columns <= HIGHEST)).all():
        return False
    if int(message.class_id.max()) >= len(ObjectClass):
        return False
    a, b, d = covariance[:, 0], covariance[:, 1], covariance[:, 3]
    return bool((a * d * (1.0 + 1e-9) >= b * b).all())
