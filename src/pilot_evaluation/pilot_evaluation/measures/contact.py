"""Contacts, and who caused them."""

from dataclasses import dataclass

import numpy as np

from pilot_common.geometry import wrap
from pilot_common.regulation import cut_in_time, rear_distance
from pilot_evaluation.measures.measure import Measure, nothing, spans
from pilot_evaluation.run import Run

LOOK_BACK = 3.0  # s before the contact in which a lane change may have led to it
SIDEWAYS = 0.15  # m/s: who moves less than this across the road did not move over


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact: with whom, when (s since start), whether the ego caused it, and why one must say so."""

    identity: int
    time: float
    caused: bool
    reason: str


def contacts(run: Run) -> list[Contact]:
    """Every contact of the run, in order."""
    touched = run.column("truth", "contact_identity")
    found = []
    for first, _ in spans(touched != 0):
        identity = int(touched[first])
        caused, reason = _judge(run, first, identity)
        found.append(Contact(identity, float(run.time("truth")[first]), caused, reason))
    return found


def contact_count(run: Run) -> Measure:
    """Number of contacts, whoever caused them."""
    if not run.messages("truth"):
        return nothing("no truth was recorded, so contacts cannot be seen")
    found = contacts(run)
    if not found:
        return Measure(0.0, "no contact")
    told = "; ".join(f"with {c.identity} at {c.time:.1f} s: {c.reason}" for c in found)
    return Measure(float(len(found)), f"{len(found)} contact{'s' if len(found) > 1 else ''}: {told}")


def contact_caused(run: Run) -> Measure:
    """Number of contacts that the ego caused."""
    if not run.messages("truth"):
        return nothing("no truth was recorded, so contacts cannot be seen")
    found = contacts(run)
    caused = [c for c in found if c.caused]
    told = "; ".join(f"with {c.identity} at {c.time:.1f} s: {c.reason}" for c in caused or found)
    return Measure(float(len(caused)), told or "no contact")


def _judge(run: Run, index: int, identity: int) -> tuple[bool, str]:
    """Whether the ego caused the contact that begins at time `index`, with the reason in words."""
    track = _track(run, index, identity)
    if track is None:
        return True, "the other is not in the truth, so the ego answers for it"
    row, past_rows, past = track
    others, dimensions = run.others, run.vehicle.facts.dimensions
    x, y, yaw = (float(run.column("truth", name)[index]) for name in ("x", "y", "yaw"))
    centre = dimensions.rear_axle_to_front - 0.5 * dimensions.length
    dx, dy = others.position[row] - np.array((x + centre * np.cos(yaw), y + centre * np.sin(yaw)))
    ahead = dx * np.cos(yaw) + dy * np.sin(yaw)
    aside = -dx * np.sin(yaw) + dy * np.cos(yaw)
    if abs(wrap(float(others.heading[row]) - yaw)) > 0.5 * np.pi:
        return False, "the other came against the traffic"
    reach = 0.5 * (dimensions.length + others.length[row])
    width = 0.5 * (dimensions.width + others.width[row])
    ego_sideways, other_sideways = _sideways(run, past, past_rows)
    if abs(ahead) / reach < abs(aside) / width:  # along their sides
        toward = np.sign(aside)
        ego_toward, other_toward = toward * ego_sideways, -toward * other_sideways
        if ego_toward >= other_toward:
            return True, "the ego moved sideways into it"
        return False, "the other moved sideways into the ego"
    if ahead > 0.0:
        return _ran_into(run, past, past_rows)
    speed = float(run.column("truth", "speed")[index])
    if speed < -SIDEWAYS:
        return True, "the ego reversed into it"
    if run.driving[index] and np.any(run.changing_lane[past]):
        return _cut_in_front(run, index, identity)
    return False, "hit from behind"


def _track(run: Run, index: int, identity: int) -> tuple[int, np.ndarray, np.ndarray] | None:
    """Row of the other at `index`, its rows in the seconds before (ending there) and the times they belong to."""
    others, time = run.others, run.time("truth")
    rows = np.flatnonzero(others.identity == identity)
    rows = rows[(others.row[rows] <= index) & (time[others.row[rows]] >= time[index] - LOOK_BACK)]
    if len(rows) == 0 or others.row[rows[-1]] != index:
        return None
    return int(rows[-1]), rows, others.row[rows]


def _sideways(run: Run, past: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Speeds of ego and other across the road, left positive, mean of the last second."""
    time = run.time("truth")[past]
    recent = time >= time[-1] - 1.0
    if np.count_nonzero(recent) < 2:
        return 0.0, 0.0
    duration = time[recent][-1] - time[recent][0]
    ego, other = run.column("truth", "offset")[past][recent], run.others.offset[rows][recent]
    return float((ego[-1] - ego[0]) / duration), float((other[-1] - other[0]) / duration)


def _cut_in_front(run: Run, index: int, identity: int) -> tuple[bool, str]:
    """The ego changed lanes and was hit from behind: caused, unless it left the distance that UN R79 asks for when it began."""
    others, dimensions = run.others, run.vehicle.facts.dimensions
    begin = int(np.flatnonzero(run.changing_lane[: index + 1])[-1])
    while begin > 0 and run.changing_lane[begin - 1]:
        begin -= 1
    rows = np.flatnonzero((others.identity == identity) & (others.row == begin))
    if not len(rows):
        return False, "it came into sight after the ego had begun to change lanes"
    row = int(rows[0])
    rear = float(run.column("truth", "station")[begin]) + dimensions.rear_axle_to_front - dimensions.length
    gap = rear - float(others.station[row]) - 0.5 * float(others.length[row])
    needed = rear_distance(float(run.column("truth", "speed")[begin]), float(others.speed[row]))
    if gap < needed:
        return True, f"the ego changed lanes {gap:.0f} m in front of it, UN R79 asks for {needed:.0f} m"
    return (
        False,
        f"hit from behind after a lane change {gap:.0f} m in front of it, UN R79 asks for {needed:.0f} m",
    )


def _ran_into(run: Run, past: np.ndarray, rows: np.ndarray) -> tuple[bool, str]:
    """The ego's front met the other's rear: caused, unless the other cut in where UN R157 calls it unavoidable."""
    others, dimensions = run.others, run.vehicle.facts.dimensions
    apart = np.abs(others.offset[rows] - run.column("truth", "offset")[past]) > 0.5 * (
        others.width[rows] + dimensions.width
    )
    if not np.any(apart) or np.any(run.changing_lane[past]):
        return True, "the ego drove into its rear"
    moment = int(np.flatnonzero(apart)[-1]) + 1
    if moment >= len(rows):
        return True, "the ego drove into its rear"
    gap = others.station[rows[moment]] - 0.5 * others.length[rows[moment]]
    gap -= run.column("truth", "station")[past[moment]] + dimensions.rear_axle_to_front
    closing = float(run.column("truth", "speed")[past[moment]] - others.speed[rows[moment]])
    if closing <= 0.0:
        return True, "the ego drove into its rear"
    left, needed = max(float(gap), 0.0) / closing, cut_in_time(closing)
    if left < needed:
        return (
            False,
            f"it cut in with {left:.2f} s to collision, UN R157 asks to avoid it from {needed:.2f} s on",
        )
    return True, f"it cut in with {left:.2f} s to collision, which UN R157 asks to avoid"
