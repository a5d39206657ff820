"""The run told in words: what the car decided and why, who drove, and what interfered."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pilot_common.graph import HEALTH
from pilot_common.types import Actuation, DriveMode, Limit, Manoeuvre, Mode, Plan, Side, World
from pilot_evaluation.run import Run

JERK = "jerk"  # name in the ledger of the limit on changes
BRIEF = 0.5  # s: a change of reason that lasts less is counted, not listed; a change of manoeuvre is always listed
GATE_PAUSE = 2.0  # s: interventions of the same limit that are closer together are told as one

MANOEUVRES = {
    Manoeuvre.NONE: "No manoeuvre",
    Manoeuvre.CRUISE: "Cruise",
    Manoeuvre.FOLLOW: "Follow",
    Manoeuvre.STOP: "Stop",
    Manoeuvre.LANE_CHANGE_LEFT: "Lane change to the left",
    Manoeuvre.LANE_CHANGE_RIGHT: "Lane change to the right",
    Manoeuvre.EMERGENCY_BRAKE: "Emergency braking",
    Manoeuvre.MINIMUM_RISK: "Minimum-risk stop",
    Manoeuvre.EVADE: "Room made to the side",
}
MODES = {
    DriveMode.OFF: "Off",
    DriveMode.STANDBY: "Standby: the driver drives",
    DriveMode.ACTIVE: "Active: the system drives",
    DriveMode.OVERRIDE: "Override: the driver steps in",
    DriveMode.TAKEOVER: "Takeover demanded",
    DriveMode.MINIMUM_RISK: "Minimum-risk stop",
}
LIMITS = {
    Limit.STALE_COMMAND: "no fresh command",
    Limit.MODE: "mode does not allow it",
    Limit.STEERING_ANGLE: "steering angle",
    Limit.STEERING_RATE: "steering rate",
    Limit.LATERAL_ACCELERATION: "lateral acceleration",
    Limit.LATERAL_JERK: "lateral jerk",
    Limit.ACCELERATION: "acceleration",
    Limit.DECELERATION: "deceleration",
    Limit.JERK: "jerk",
    Limit.INVALID_COMMAND: "invalid command",
    Limit.OVERRIDE: "the driver overrides",
}
ALARMING_MODES = (DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK)

Entry = dict[str, Any]


def deciding(plan: Plan) -> tuple[int | None, int | None]:
    """The constraint that decides and the one after it, as rows of the ledger.

    A jerk limit only says how fast the car gets to where another constraint wants it: then that other one decides.
    """
    ledger = plan.ledger
    order = [int(row) for row in np.argsort(ledger.bound, kind="stable") if ledger.name[row] != JERK]
    if 0 <= ledger.binding < len(ledger.name) and ledger.name[ledger.binding] != JERK:
        order = [ledger.binding, *(row for row in order if row != ledger.binding)]
    first, second = (*order, None, None)[:2]
    return first, second


def plan_words(plan: Plan) -> str:
    """Why the car does what it does, in one line."""
    first, _ = deciding(plan)
    if not plan.valid:
        return f"no valid plan: {plan.reason}"
    return plan.reason if first is None else plan.ledger.sentence[first]


def plan_words_zh(plan: Plan) -> str:
    """The same in Chinese; empty where the plan says nothing in Chinese."""
    first, _ = deciding(plan)
    return plan.ledger.sentence_zh[first] if plan.valid and first is not None else ""


def decisions(plans: Sequence[Plan]) -> list[Entry]:
    """Manoeuvre and binding constraint over time, one entry as long as neither changes."""
    entries: list[Entry] = []
    for plan in plans:
        first, second = deciding(plan) if plan.valid else (None, None)
        key = _decision_key(plan, first)
        if entries and entries[-1]["key"] == key:
            entries[-1]["end"] = plan.stamp
            continue
        entries.append(
            {
                "key": key,
                "t": plan.stamp,
                "end": plan.stamp,
                "manoeuvre": int(plan.manoeuvre),
                "title": MANOEUVRES[plan.manoeuvre] if plan.valid else "No valid plan",
                "why": plan_words(plan),
                "why_zh": plan_words_zh(plan),
                "next": "" if second is None else plan.ledger.sentence[second],
                "lead": plan.lead_identity,
                "brief": 0,
            }
        )
    return [
        {name: value for name, value in entry.items() if name != "key"} for entry in _without_brief(entries)
    ]


def _decision_key(plan: Plan, first: int | None) -> tuple[Any, ...]:
    if first is None:
        return (plan.valid, plan.manoeuvre, plan.reason)
    return (True, plan.manoeuvre, plan.ledger.name[first], int(plan.ledger.identity[first]))


def _without_brief(entries: list[Entry]) -> list[Entry]:
    """Short-lived changes of the reason alone are counted on the entry before them, and what it was then goes on."""
    kept: list[Entry] = []
    for entry in entries:
        before = kept[-1] if kept else None
        if before and before["key"] == entry["key"]:
            before["end"] = entry["end"]
        elif before and before["manoeuvre"] == entry["manoeuvre"] and entry["end"] - entry["t"] < BRIEF:
            before["brief"] += 1
            before["end"] = entry["end"]
        else:
            kept.append(entry)
    return kept


def modes(messages: Sequence[Mode]) -> list[Entry]:
    """Who drove, one entry a change of mode or of the warning to the driver."""
    entries: list[Entry] = []
    last = None
    for message in messages:
        if (message.mode, message.warning) != last:
            last = (message.mode, message.warning)
            entries.append(
                {
                    "t": message.stamp,
                    "mode": int(message.mode),
                    "title": MODES[message.mode],
                    "why": message.reason,
                    "warning": message.warning,
                }
            )
    return entries


def events(run: Run) -> list[Entry]:
    """What is worth a mark besides modes and decisions, in order of time."""
    found = [
        *_gate_events(run.messages("actuation")),
        *_sensor_events(run.messages("world")),
        *_driver_events(run),
        *_contact_events(run),
        *_health_events(run),
    ]
    return sorted(found, key=lambda entry: (entry["t"], entry["kind"]))


def _event(kind: str, level: str, time: float, title: str, why: str) -> Entry:
    return {"kind": kind, "level": level, "t": time, "end": time, "title": title, "why": why}


def _gate_events(actuations: Sequence[Actuation]) -> list[Entry]:
    found: list[Entry] = []
    running: dict[Limit, Entry] = {}
    for message in actuations:
        if not message.active or message.limit is Limit.NONE:
            continue
        entry = running.get(message.limit)
        if entry and message.stamp - entry["end"] <= GATE_PAUSE:
            entry["end"] = message.stamp
            continue
        alarming = message.limit in (Limit.STALE_COMMAND, Limit.INVALID_COMMAND)
        level = "alarm" if alarming else "notice"
        entry = _event("gate", level, message.stamp, f"Gate limits: {LIMITS[message.limit]}", message.reason)
        running[message.limit] = entry
        found.append(entry)
    return found


def _sensor_events(worlds: Sequence[World]) -> list[Entry]:
    found: list[Entry] = []
    lost: frozenset[str] = frozenset()
    valid = True
    for message in worlds:
        now = frozenset(message.sensors_lost)
        for name in sorted(now - lost):
            found.append(_event("sensor", "alarm", message.stamp, f"Sensor lost: {name}", message.reason))
        for name in sorted(lost - now):
            found.append(_event("sensor", "notice", message.stamp, f"Sensor back: {name}", ""))
        if message.valid != valid:
            title = "World model valid again" if message.valid else "World model not valid"
            found.append(
                _event("sensor", "notice" if message.valid else "alarm", message.stamp, title, message.reason)
            )
        lost, valid = now, message.valid
    return found


def _driver_events(run: Run) -> list[Entry]:
    found: list[Entry] = []
    before = None
    for message in run.messages("vehicle_state"):
        driver = message.driver
        now = (driver.engage, driver.cancel, driver.lane_change)
        if before is not None:
            if driver.engage and not before[0]:
                found.append(_event("driver", "notice", message.stamp, "Driver presses engage", ""))
            if driver.cancel and not before[1]:
                found.append(_event("driver", "notice", message.stamp, "Driver presses cancel", ""))
            if driver.lane_change is not before[2] and driver.lane_change is not Side.NONE:
                side = "left" if driver.lane_change is Side.LEFT else "right"
                found.append(
                    _event(
                        "driver", "notice", message.stamp, f"Driver asks for a lane change to the {side}", ""
                    )
                )
        before = now
    return found


def _contact_events(run: Run) -> list[Entry]:
    found: list[Entry] = []
    before = 0
    for message in run.messages("truth"):
        if message.contact_identity and message.contact_identity != before:
            found.append(
                _event(
                    "contact", "alarm", message.stamp, f"Contact with object {message.contact_identity}", ""
                )
            )
        before = message.contact_identity
    return found


def _health_events(run: Run) -> list[Entry]:
    found: list[Entry] = []
    for topic in sorted(run.topics):
        if not topic.startswith(HEALTH):
            continue
        before = (
            None  # not well is news only after the function was well once: all of them take a moment to start
        )
        for message in run.messages(topic):
            if before is not None and message.valid != before:
                title = f"{message.function.capitalize()} is {'well again' if message.valid else 'not well'}"
                found.append(
                    _event(
                        "health", "notice" if message.valid else "alarm", message.stamp, title, message.reason
                    )
                )
            if before is not None or message.valid:
                before = message.valid
    return found
