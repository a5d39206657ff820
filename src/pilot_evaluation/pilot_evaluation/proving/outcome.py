"""What came of a drive, in numbers that every row has. T times of truth; time counts from the first message that was kept."""

import numpy as np

from pilot_common.types import Manoeuvre
from pilot_evaluation.criteria import RULES
from pilot_evaluation.measures.lead import find_lead
from pilot_evaluation.measures.measure import spans
from pilot_evaluation.measures.motion import JERK_WINDOW, mean_rate
from pilot_evaluation.run import CHANGING, Run

LIFT_OFF = 0.4  # m/s²: UN R157, annex 4, appendix 3: the careful human's deceleration by taking the foot off
FRICTION = 1.3  # m/s²: UN R13-H asks for stop lamps from here on; what lies below is a drag, not a braking
SIDE_SWIPE, REAR_END = (
    1.0,
    2.0,
)  # as the reference tables count: 1 where the ego's centre is ahead of the other's

# Name: unit and meaning; what `outcome` gives besides the criteria of `criteria.RULES`, which can be limited as well.
MEASURES = {
    "contact": ("", "1 if the ego touched anybody"),
    "impact_speed": ("m/s", "closing speed along the road at the contact"),
    "crash_kind": ("", "1 side swipe (ego's centre ahead of the other's), 2 rear end"),
    "contact_time": ("s", "of the contact"),
    "start_gap": ("m", "gap to a body ahead in the ego's way when measuring began"),
    "min_gap": ("m", "smallest gap to a body ahead in the ego's way"),
    "min_ttc": ("s", "smallest time to collision with a body ahead in the ego's way"),
    "min_time_gap": ("s", "smallest time gap, above 5 m/s"),
    "braked": ("", "1 if more than 0.4 m/s² of deceleration was commanded"),
    "friction_braked": ("", "1 if more than 1.3 m/s² was commanded"),
    "first_brake": ("s", "when 0.4 m/s² was first exceeded"),
    "peak_command": ("m/s²", "hardest commanded deceleration"),
    "peak_deceleration": ("m/s²", "hardest deceleration of the car"),
    "peak_acceleration": ("m/s²", "hardest acceleration of the car"),
    "peak_jerk": ("m/s³", "largest longitudinal jerk, mean of one second, emergencies included"),
    "peak_lateral_acceleration": ("m/s²", "largest lateral acceleration"),
    "lateral_error": ("m", "largest distance from the lane centre while keeping a lane"),
    "lane_changes": ("", "lane changes begun"),
    "evasions": ("", "evasions inside the lane begun"),
    "emergency": ("s", "time the plan was an emergency braking"),
    "driving": ("", "share of the time that the system drove"),
    "start_speed": ("m/s", "speed when measuring began"),
    "end_speed": ("m/s", "speed at the end"),
    "min_speed": ("m/s", "lowest speed"),
    "end_time": ("s", "when the case was over"),
}


def outcome(run: Run) -> dict[str, float]:
    """The measures of `MEASURES` that the drive allows, by name. Raises ValueError for a drive without truth."""
    if not run.messages("truth"):
        raise ValueError("the drive left no truth to measure")
    acceleration, speed = run.column("truth", "acceleration"), run.column("truth", "speed")
    time = run.time("truth")
    jerk = np.abs(mean_rate(time, acceleration, JERK_WINDOW)) if len(time) > 1 else np.zeros(1)
    found = {
        "peak_deceleration": max(-float(acceleration.min()), 0.0),
        "peak_acceleration": max(float(acceleration.max()), 0.0),
        "peak_jerk": float(jerk.max()),
        "peak_lateral_acceleration": float(np.abs(run.column("truth", "lateral_acceleration")).max()),
        "driving": _driving(run),
        "start_speed": float(speed[0]),
        "end_speed": float(speed[-1]),
        "min_speed": float(speed.min()),
        "end_time": float(time[-1]),
        **_lead(run),
        **_braking(run),
        **_manoeuvres(run),
        **_contact(run),
    }
    keeping = run.driving & ~run.changing_lane
    if keeping.any():
        found["lateral_error"] = float(np.abs(run.column("truth", "lane_offset")[keeping]).max())
    return found


def named(run: Run, name: str, known: dict[str, float]) -> float | None:
    """A measure of `outcome` or of the criteria of a drive by its name, None where there was nothing to measure."""
    return known.get(name) if name in MEASURES else RULES[name].measure(run).value


def _lead(run: Run) -> dict[str, float]:
    lead, speed = find_lead(run), run.column("truth", "speed")
    closing = speed - lead.speed
    found = {
        "start_gap": float(lead.gap[0]),
        "min_gap": float(lead.gap.min()),
        "min_ttc": float(np.where(closing > 0.1, lead.gap / np.maximum(closing, 0.1), np.inf).min()),
        "min_time_gap": float(np.where(speed > 5.0, lead.gap / np.maximum(speed, 5.0), np.inf).min()),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _driving(run: Run) -> float:
    """Share of the time since the first mode was heard; what was kept may begin between two of them."""
    known = run.time("truth") >= run.time("mode")[0] if run.messages("mode") else np.zeros(0, bool)
    return float(run.driving[known].mean()) if known.any() else 0.0


def _braking(run: Run) -> dict[str, float]:
    if not run.messages("actuation"):
        return {"braked": 0.0, "friction_braked": 0.0, "peak_command": 0.0}
    sent = np.where(run.column("actuation", "active"), run.column("actuation", "acceleration"), 0.0)
    peak = max(-float(sent.min()), 0.0)
    found = {
        "braked": float(peak > LIFT_OFF),
        "friction_braked": float(peak > FRICTION),
        "peak_command": peak,
    }
    if peak > LIFT_OFF:
        found["first_brake"] = float(run.time("actuation")[np.argmax(sent < -LIFT_OFF)])
    return found


def _manoeuvres(run: Run) -> dict[str, float]:
    if not run.messages("plan"):
        return {"lane_changes": 0.0, "evasions": 0.0, "emergency": 0.0}
    manoeuvre = run.column("plan", "manoeuvre")
    period = 1.0 / run.graph.topics["plan"].rate
    return {
        "lane_changes": float(len(spans(np.isin(manoeuvre, CHANGING)))),
        "evasions": float(len(spans(manoeuvre == Manoeuvre.EVADE))),
        "emergency": float((manoeuvre == Manoeuvre.EMERGENCY_BRAKE).sum() * period),
    }


def _contact(run: Run) -> dict[str, float]:
    """The first contact. Truth tells it at its next cycle; the moment itself is where the gap between the bodies closed."""
    touched = run.column("truth", "contact_identity")
    if not touched.any():
        return {"contact": 0.0}
    index = int(np.argmax(touched != 0))
    others, dimensions = run.others, run.vehicle.facts.dimensions
    rows = np.flatnonzero((others.identity == touched[index]) & np.isin(others.row, (index - 1, index)))
    time = run.time("truth")[others.row[rows]]
    if len(rows) == 0:
        return {"contact": 1.0, "contact_time": float(run.time("truth")[index])}
    centre = run.column("truth", "station")[others.row[rows]] + dimensions.rear_axle_to_front
    ahead = others.station[rows] - (centre - 0.5 * dimensions.length)
    aside = others.offset[rows] - run.column("truth", "offset")[others.row[rows]]
    # Distance between the bodies along and across the road; they touch where the larger of the two falls to zero.
    apart = np.maximum(
        np.abs(ahead) - 0.5 * (dimensions.length + others.length[rows]),
        np.abs(aside) - 0.5 * (dimensions.width + others.width[rows]),
    )
    share = apart[0] / (apart[0] - apart[-1]) if apart[0] > 0.0 > apart[-1] else 1.0
    closing = run.column("truth", "speed")[others.row[rows]] - others.speed[rows]

    def at_contact(values: np.ndarray) -> float:
        return float(values[0] + share * (values[-1] - values[0]))

    return {
        "contact": 1.0,
        "impact_speed": abs(at_contact(closing)),
        "crash_kind": SIDE_SWIPE if at_contact(ahead) < 0.0 else REAR_END,
        "contact_time": at_contact(time),
    }
