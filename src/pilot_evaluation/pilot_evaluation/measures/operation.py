"""How the system worked: who drove, how old its data was, whether it kept its deadlines."""

import numpy as np

from pilot_common.types import DriveMode
from pilot_evaluation.measures.measure import Measure, nothing, spans
from pilot_evaluation.run import Run


def engaged(run: Run) -> Measure:
    """Share of the time from the driver's first press of the button to the end in which the system drove."""
    pressed = np.flatnonzero(run.column("vehicle_state", "driver.engage"))
    if len(pressed) == 0:
        return Measure(0.0, "the driver never engaged the system")
    since = run.time("truth") >= run.time("vehicle_state")[pressed[0]]
    if not np.any(since):
        return nothing("the drive ended as the driver engaged the system")
    value = float(run.driving[since].mean())
    return Measure(value, f"drove {100 * value:.0f} % of the time since the driver engaged it")


def active_share(run: Run) -> Measure:
    """Share of the whole run in which the system drove."""
    if not len(run.driving):
        return nothing("no truth was recorded")
    return Measure(float(run.driving.mean()), f"drove {100 * run.driving.mean():.0f} % of the run")


def _entries(run: Run, mode: DriveMode, words: str) -> Measure:
    if not run.messages("mode"):
        return nothing("no mode was recorded")
    modes = run.column("mode", "mode")
    found = spans(modes == mode)
    if not found:
        return Measure(0.0, f"no {words}")
    reasons = "; ".join(
        f"{run.time('mode')[first]:.1f} s: {run.messages('mode')[first].reason}" for first, _ in found
    )
    return Measure(float(len(found)), f"{len(found)} × {words} ({reasons})")


def completed(run: Run) -> Measure:
    """Seconds that were driven."""
    return Measure(run.duration, f"drove {run.duration:.1f} s")


def takeovers(run: Run) -> Measure:
    """How often the system demanded a takeover."""
    return _entries(run, DriveMode.TAKEOVER, "takeover demand")


def minimum_risk(run: Run) -> Measure:
    """How often the system stopped the car by itself."""
    return _entries(run, DriveMode.MINIMUM_RISK, "minimum-risk manoeuvre")


def _ages(run: Run) -> np.ndarray:
    if not run.messages("actuation"):
        return np.empty(0)
    active = run.column("actuation", "active")
    return (run.column("actuation", "stamp") - run.column("actuation", "source_stamp"))[active]


def sensor_to_actuation_age(run: Run) -> Measure:
    """Age of the oldest sensor data behind what was sent to the actuators, 99 % of the driven time, s."""
    ages = _ages(run)
    if len(ages) == 0:
        return nothing("the system never drove")
    middle, value = (float(np.percentile(ages, share)) for share in (50, 99))
    return Measure(
        value,
        f"sensor data was at most {1e3 * value:.0f} ms old 99 % of the time, {1e3 * middle:.0f} ms in the middle",
    )


def control_deadline(run: Run) -> Measure:
    """Share of commands that came within two periods of the one before."""
    stamps = np.sort(run.time("command"))
    if len(stamps) < 2:
        return nothing("control never commanded")
    period = 1.0 / run.graph.topics["command"].rate
    intervals = np.diff(stamps)
    value = float((intervals <= 2.0 * period + 1e-6).mean())
    return Measure(
        value, f"{100 * value:.2f} % of commands in time, longest wait {1e3 * intervals.max():.0f} ms"
    )
