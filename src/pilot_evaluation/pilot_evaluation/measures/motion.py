"""How the car moved: in its lane, how smoothly, how fast; from the truth of the simulation."""

import numpy as np

from pilot_common.types import DriveMode
from pilot_evaluation.measures.measure import Measure, nothing
from pilot_evaluation.run import Run

JERK_WINDOW = 1.0  # s; ISO 15622 averages longitudinal jerk over one second
LATERAL_JERK_WINDOW = 0.5  # s; ISO 11270 averages lateral jerk over half a second
SETTLING = 12.0  # s that the car may take to slow down after a limit fell
STANDSTILL = 0.1  # m/s


def lateral_error_95(run: Run) -> Measure:
    """Distance of the rear axle from the lane centre, 95 % of the time the system kept a lane, m."""
    keeping = run.driving & ~run.changing_lane
    if not np.any(keeping):
        return nothing("the system never kept a lane")
    error = np.abs(run.column("truth", "lane_offset")[keeping])
    value = float(np.percentile(error, 95))
    return Measure(
        value, f"within {value:.2f} m of the lane centre 95 % of the time, at most {error.max():.2f} m"
    )


def out_of_lane(run: Run) -> Measure:
    """Share of the time the system kept a lane in which the body was over a marking."""
    keeping = run.driving & ~run.changing_lane
    if not np.any(keeping):
        return nothing("the system never kept a lane")
    over = _beyond_lane(run)[keeping] > 0.0
    return Measure(float(over.mean()), f"over a marking {100 * over.mean():.1f} % of the time")


def _beyond_lane(run: Run) -> np.ndarray:
    """How far the body reaches beyond its lane, negative inside, at each time of truth (body taken parallel to the lane)."""
    room = 0.5 * (run.column("truth", "lane_width") - run.vehicle.facts.dimensions.width)
    return np.abs(run.column("truth", "lane_offset")) - room


def mean_rate(time: np.ndarray, values: np.ndarray, window: float) -> np.ndarray:
    """Rate of change averaged over `window` seconds around each time; the ends take the window that is there."""
    before, after = np.maximum(time - 0.5 * window, time[0]), np.minimum(time + 0.5 * window, time[-1])
    change = np.interp(after, time, values) - np.interp(before, time, values)
    return change / np.maximum(after - before, 0.5 * window)


def _jerk(run: Run) -> np.ndarray:
    calm = run.driving & ~near(run.time("truth"), run.emergency, JERK_WINDOW)
    if not np.any(calm):
        return np.empty(0)
    return np.abs(mean_rate(run.time("truth"), run.column("truth", "acceleration"), JERK_WINDOW)[calm])


def near(time: np.ndarray, mask: np.ndarray, distance: float) -> np.ndarray:
    """Times within `distance` seconds of a time at which `mask` is true."""
    at = time[mask]
    if len(at) == 0:
        return np.zeros(len(time), bool)
    index = np.clip(np.searchsorted(at, time), 1, len(at)) - 1
    after = np.minimum(index + 1, len(at) - 1)
    return np.minimum(np.abs(time - at[index]), np.abs(time - at[after])) <= distance


def jerk_95(run: Run) -> Measure:
    """Longitudinal jerk (mean of one second) not exceeded 95 % of the driven time, emergencies apart, m/s³."""
    jerk = _jerk(run)
    if len(jerk) == 0:
        return nothing("the system never drove outside emergencies")
    value = float(np.percentile(jerk, 95))
    return Measure(value, f"longitudinal jerk below {value:.2f} m/s³ 95 % of the time")


def jerk_maximum(run: Run) -> Measure:
    """Largest longitudinal jerk (mean of one second) while driven, emergencies apart, m/s³."""
    jerk = _jerk(run)
    if len(jerk) == 0:
        return nothing("the system never drove outside emergencies")
    return Measure(float(jerk.max()), f"longitudinal jerk at most {jerk.max():.2f} m/s³")


def lateral_acceleration_maximum(run: Run) -> Measure:
    """Largest lateral acceleration while the system drove, m/s²."""
    return _largest(run, np.abs(run.column("truth", "lateral_acceleration")), "lateral acceleration", "m/s²")


def lateral_jerk_maximum(run: Run) -> Measure:
    """Largest lateral jerk (mean of half a second) while the system drove, m/s³."""
    if not np.any(run.driving):
        return nothing("the system never drove")
    rate = mean_rate(run.time("truth"), run.column("truth", "lateral_acceleration"), LATERAL_JERK_WINDOW)
    return _largest(run, np.abs(rate), "lateral jerk", "m/s³")


def deceleration_maximum(run: Run) -> Measure:
    """Hardest braking while the system drove, m/s²."""
    return _largest(run, np.maximum(-run.column("truth", "acceleration"), 0.0), "deceleration", "m/s²")


def _largest(run: Run, values: np.ndarray, what: str, unit: str) -> Measure:
    if not np.any(run.driving):
        return nothing("the system never drove")
    index = int(np.argmax(np.where(run.driving, values, -np.inf)))
    return Measure(
        float(values[index]),
        f"{what} at most {values[index]:.2f} {unit}, at {run.time('truth')[index]:.1f} s",
    )


def speed_mean(run: Run) -> Measure:
    """Mean speed over the whole run, m/s."""
    if not run.messages("truth"):
        return nothing("no truth was recorded")
    value = float(run.column("truth", "speed").mean())
    return Measure(value, f"mean speed {3.6 * value:.0f} km/h")


def speed_excess(run: Run) -> Measure:
    """Most by which the car was faster than it may be (set speed, vehicle's limit, known speed limit), m/s.

    Only where the system drove within its limits (not in a takeover), and after time to slow down from a higher limit.
    """
    time = run.time("truth")
    active = run.held("mode", "mode", time, DriveMode.OFF) == DriveMode.ACTIVE
    if not np.any(active):
        return nothing("the system was never active")
    allowed = run.held("vehicle_state", "driver.set_speed", time, np.inf)
    limit = run.held("world", "lanes.speed_limit", time, 0.0)
    allowed = np.minimum(
        np.where(limit > 0.0, np.minimum(allowed, limit), allowed), run.vehicle.facts.limits.max_speed
    )
    fresh = ~active | np.concatenate(((False,), np.diff(allowed) < 0.0))
    settled = active & ~_after(time, fresh, SETTLING)
    if not np.any(settled):
        return nothing("the system was never active long enough")
    excess = np.where(settled, run.column("truth", "speed") - allowed, -np.inf)
    index = int(np.argmax(excess))
    value = max(float(excess[index]), 0.0)
    return Measure(value, f"at most {3.6 * value:.1f} km/h above what was allowed")


def _after(time: np.ndarray, mask: np.ndarray, duration: float) -> np.ndarray:
    """Times at most `duration` seconds after a time at which `mask` is true."""
    last = np.maximum.accumulate(np.where(mask, time, -np.inf))
    return time - last <= duration


def distance(run: Run) -> Measure:
    """Way along the road over the whole run, m."""
    if not run.messages("truth"):
        return nothing("no truth was recorded")
    station = run.column("truth", "station")
    value = float(station[-1] - station[0])
    return Measure(value, f"{value / 1000:.2f} km along the road")


def stopped_in_lane(run: Run) -> Measure:
    """1 if at the end the car stood with its whole body in a lane, else 0."""
    if not run.messages("truth"):
        return nothing("no truth was recorded")
    speed, beyond = float(run.column("truth", "speed")[-1]), float(_beyond_lane(run)[-1])
    if abs(speed) > STANDSTILL:
        return Measure(0.0, f"did not stop: still at {3.6 * speed:.0f} km/h in the end")
    if beyond > 0.0:
        return Measure(0.0, f"stopped {beyond:.2f} m over the marking")
    return Measure(1.0, f"stopped inside its lane, {-beyond:.2f} m from the marking")
