"""What only truth knows, as signals of rules: T times of truth, in the words of `pilot_common.rule_signals`."""

from typing import Any

import numpy as np

from pilot_common.types import Manoeuvre
from pilot_evaluation.measures.contact import contacts
from pilot_evaluation.measures.lead import find_lead
from pilot_evaluation.run import Run

INTRUSION = 0.3  # m that a tyre is past the marking: a cut-in (KBA's reading of UN R157)
SIDES = {Manoeuvre.LANE_CHANGE_LEFT: 1.0, Manoeuvre.LANE_CHANGE_RIGHT: -1.0}


def true_signals(run: Run) -> list[dict[str, Any]]:
    """The signals that truth replaces, by name, at each time of truth."""
    time = run.time("truth")
    if not len(time):
        return []
    offset, width = run.column("truth", "offset"), run.vehicle.facts.dimensions.width
    lead = find_lead(run)
    identities = run.others.identity[lead.row] if len(run.others.identity) else np.zeros(len(time))
    columns: dict[str, np.ndarray] = {
        "speed": run.column("truth", "speed"),
        "acceleration": run.column("truth", "acceleration"),
        "lateral_acceleration": run.column("truth", "lateral_acceleration"),
        "beyond_lane": np.abs(run.column("truth", "lane_offset"))
        - 0.5 * (run.column("truth", "lane_width") - width),
        "lateral_speed": np.gradient(offset, time) if len(time) > 1 else np.zeros(len(time)),
        "lead": lead.there,
        "lead_identity": np.where(lead.there, identities, 0.0),
        "lead_gap": np.where(lead.there, lead.gap, 0.0),
        "lead_speed": lead.speed,
        "contact": (run.column("truth", "contact_identity") != 0).astype(float),
        "contact_caused": np.zeros(len(time)),
        **_cut_ins(run),
        **_behind(run),
    }
    for contact in contacts(run):
        if contact.caused:
            columns["contact_caused"][int(np.searchsorted(time, contact.time - 1e-6))] = 1.0
    names, rows = tuple(columns), zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cut_ins(run: Run) -> dict[str, np.ndarray]:
    """When somebody slower has come into the ego's lane ahead, and his gap and the closing speed then."""
    others, times = run.others, len(run.messages("truth"))
    found = {
        "cut_in": np.zeros(times, bool),
        "cut_in_gap": np.zeros(times),
        "cut_in_closing": np.zeros(times),
    }
    if not len(others.row):
        return found
    centre = run.column("truth", "offset") - run.column("truth", "lane_offset")
    aside = np.abs(others.offset - centre[others.row])
    inside = aside - 0.5 * others.width < 0.5 * run.column("truth", "lane_width")[others.row] - INTRUSION
    front = run.column("truth", "station") + run.vehicle.facts.dimensions.rear_axle_to_front
    gap = others.station - 0.5 * others.length - front[others.row]
    order = np.lexsort((others.row, others.identity))
    before, after = order[:-1], order[1:]
    comes = (others.identity[before] == others.identity[after]) & (
        others.row[after] == others.row[before] + 1
    )
    # The ego's own change of lane brings nobody in.
    same_lane = np.abs(centre[others.row[after]] - centre[others.row[before]]) < 1.0
    changing = run.changing_lane[others.row[after]]
    comes &= inside[after] & ~inside[before] & (gap[after] > 0.0) & same_lane & ~changing
    closing = run.column("truth", "speed")[others.row] - others.speed
    for row in sorted(after[comes & (closing[after] > 0.0)].tolist(), key=lambda row: -gap[row]):
        index = others.row[row]  # of several at once the nearest stays
        found["cut_in"][index] = True
        found["cut_in_gap"][index], found["cut_in_closing"][index] = gap[row], closing[row]
    return found


def _behind(run: Run) -> dict[str, np.ndarray]:
    """Who comes from behind in the lane that a lane change leads to, while the plan changes lanes."""
    others, times = run.others, len(run.messages("truth"))
    found = {"rear": np.zeros(times, bool), "rear_gap": np.zeros(times), "rear_speed": np.zeros(times)}
    manoeuvre = run.held("plan", "manoeuvre", run.time("truth"))
    dimensions = run.vehicle.facts.dimensions
    for manoeuvre_code, side in SIDES.items():
        for index in np.flatnonzero(manoeuvre == manoeuvre_code).tolist():
            truth = run.messages("truth")[index]
            rows = slice(*np.searchsorted(others.row, (index, index + 1)))
            lane = truth.offset - truth.lane_offset + side * truth.lane_width
            rear = truth.station + dimensions.rear_axle_to_front - dimensions.length
            gap = rear - others.station[rows] - 0.5 * others.length[rows]
            there = (np.abs(others.offset[rows] - lane) < 0.5 * truth.lane_width) & (gap > 0.0)
            if there.any():
                nearest = int(np.where(there, gap, np.inf).argmin())
                found["rear"][index] = True
                found["rear_gap"][index] = gap[nearest]
                found["rear_speed"][index] = others.speed[rows][nearest]
    return found
