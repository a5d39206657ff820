"""For every clause of the rule packs a trace that keeps it and one that breaks it.

A trace is a list of phases: how many seconds, and which signals differ from an uneventful drive. A signal is a number, a
condition, or a function of the time since the phase began.
"""

from pilot_common.rule_memories import Kind
from pilot_common.rule_signals import SIGNALS, Signals

STEP = 0.05
ALL_TOPICS = 255
DRIVE = {
    "car_max_speed": 36.0,
    "car_max_deceleration": 9.0,
    "plan_valid": True,
    "functions_well": True,
    "speed": 25.0,
    "set_speed": 25.0,
    "hands_on": True,
    "eyes_on": True,
    "system_drives": True,
    "active": True,
    "beyond_lane": -0.8,
    "age": 0.08,
}
MANUAL = {"system_drives": False, "active": False}
DEMAND = {"active": False, "takeover": True, "warning": 2.0}
STOPPING = {"active": False, "minimum_risk": True, "warning": 3.0, "hazard_lights": 1.0}
HANDS_FREE = {"hands_free": True, "hands_on": False}


def with_lead(gap, speed, **more):
    return {"lead": True, "lead_identity": 7.0, "lead_gap": gap, "lead_speed": speed, "speed": speed, **more}


def cut_in(gap, closing):
    """A car that comes in, as it is at that step alone."""
    return {"cut_in": True, "cut_in_gap": gap, "cut_in_closing": closing}


def changing(side=1.0, **more):
    return {"changing": side, "indicator": side, "beyond_lane": -0.3, "lateral_speed": 0.8 * side, **more}


def crossing(seconds, **more):
    """Over the marking for so long, in the middle of a lane change."""
    return [
        (4.0, {"indicator": 1.0}),
        (1.0, changing()),
        (seconds, changing(beyond_lane=0.5, **more)),
        (1.0, changing()),
        (3.0, {}),
    ]


def after_wait(seconds, **more):
    """A lane change so long after the driver pressed the lever."""
    wish = {"lever": 1.0, "indicator": 1.0}
    return [(2.0, {}), (0.3, wish), (seconds - 0.3, {"indicator": 1.0}), (3.0, changing(**more))]


def stop_by_itself(**then):
    """A minimum-risk manoeuvre from 10 m/s, and what follows the stop."""
    braking = {"speed": lambda t: max(10.0 - 2.0 * t, 0.0), "acceleration": -2.0}
    return [(1.0, {"speed": 10.0}), (6.0, STOPPING | braking), (3.0, STOPPING | {"speed": 0.0} | then)]


# Clause: the trace that keeps it, the trace that breaks it.
TRACES = {
    "r157_following_distance": (
        [(25.0, with_lead(22.0, 13.9))],
        [(25.0, with_lead(15.0, 13.9))],
    ),
    "r157_following_distance_fast": (
        [(25.0, with_lead(45.0, 25.0))],
        [(25.0, with_lead(30.0, 25.0))],
    ),
    "r157_gap_restored_gently": (
        [(5.0, with_lead(12.0, 13.9, acceleration=-1.5))],
        [(5.0, with_lead(12.0, 13.9, acceleration=-4.5))],
    ),
    "r157_cut_in_avoided": (
        [(1.0, {}), (0.05, cut_in(20.0, 8.0)), (5.0, {})],
        [(1.0, {}), (0.05, cut_in(20.0, 8.0)), (2.0, {}), (0.05, {"contact": 1.0}), (1.0, {})],
    ),
    "eu_2022_1426_cut_in_avoided": (
        [(1.0, {}), (0.05, cut_in(9.0, 8.0)), (5.0, {})],
        [(1.0, {}), (0.05, cut_in(9.0, 8.0)), (2.0, {}), (0.05, {"contact": 1.0}), (1.0, {})],
    ),
    "r157_minimum_risk_deceleration": (
        [(1.0, {}), (4.0, STOPPING | {"acceleration": -3.8})],
        [(1.0, {}), (4.0, STOPPING | {"acceleration": -5.0})],
    ),
    "r157_minimum_risk_hazard_lights": (
        [(1.0, {}), (4.0, STOPPING)],
        [(1.0, {}), (4.0, STOPPING | {"hazard_lights": 0.0})],
    ),
    "r157_minimum_risk_stays_stopped": (
        stop_by_itself(),
        stop_by_itself(speed=2.0),
    ),
    "r157_no_reactivation": (
        [*stop_by_itself(), (2.0, MANUAL), (1.0, MANUAL | {"parked": True}), (3.0, {"speed": 5.0})],
        [*stop_by_itself(), (2.0, MANUAL), (3.0, {"speed": 5.0})],
    ),
    "r157_transition_time": (
        [(2.0, HANDS_FREE), (10.0, HANDS_FREE | DEMAND), (2.0, HANDS_FREE | STOPPING)],
        [(2.0, HANDS_FREE), (6.0, HANDS_FREE | DEMAND), (2.0, HANDS_FREE | STOPPING)],
    ),
    "r157_escalation": (
        [(2.0, {}), (4.0, DEMAND), (4.0, DEMAND | {"warning": 3.0})],
        [(2.0, {}), (8.0, DEMAND)],
    ),
    "r157_emergency_manoeuvre": (
        [(2.0, {"demand": -4.0})],
        [(2.0, {"demand": -6.0})],
    ),
    "r157_speed": (
        [(3.0, HANDS_FREE | {"speed": 36.0})],
        [(3.0, HANDS_FREE | {"speed": 37.5})],
    ),
    "r157_no_halt_between_lanes": (
        crossing(3.0),
        crossing(3.0, speed=0.1),
    ),
    "r79_indicator_first": (
        [(1.0, {}), (1.5, {"indicator": 1.0}), (3.0, changing())],
        [(1.0, {}), (0.5, {"indicator": 1.0}), (3.0, changing())],
    ),
    "r79_not_before_three_seconds": (after_wait(3.2), after_wait(1.5)),
    "r79_within_five_seconds": (after_wait(4.8), after_wait(6.5)),
    "r79_done_within_five_seconds": (crossing(4.0), crossing(6.0)),
    "r79_one_movement": (
        crossing(3.0),
        [*crossing(2.0)[:3], (2.0, changing(beyond_lane=0.5, lateral_speed=-0.5))],
    ),
    "r79_rear_gap": (
        after_wait(3.5, rear=True, rear_gap=60.0, rear_speed=30.0),
        after_wait(3.5, rear=True, rear_gap=20.0, rear_speed=30.0),
    ),
    "r79_hands_off_optical": (
        [(2.0, {}), (15.0, {"hands_on": False}), (5.0, {"hands_on": False, "warning": 1.0})],
        [(2.0, {}), (20.0, {"hands_on": False})],
    ),
    "r79_hands_off_escalated": (
        [(2.0, {}), (30.0, {"hands_on": False, "warning": 1.0}), (5.0, {"hands_on": False, "warning": 2.0})],
        [(2.0, {}), (35.0, {"hands_on": False, "warning": 1.0})],
    ),
    "r79_hands_off_end": (
        [(2.0, {}), (45.0, {"hands_on": False, "warning": 2.0}), (20.0, DEMAND | {"hands_on": False})],
        [(2.0, {}), (65.0, {"hands_on": False, "warning": 2.0})],
    ),
    "iso11270_lateral_acceleration": (
        [(2.0, {}), (3.0, {"lateral_acceleration": -2.9})],
        [(2.0, {}), (3.0, {"lateral_acceleration": -3.3})],
    ),
    "iso11270_lateral_jerk": (
        [(2.0, {}), (0.6, {"lateral_acceleration": lambda t: 4.5 * t}), (1.0, {"lateral_acceleration": 2.7})],
        [
            (2.0, {}),
            (0.6, {"lateral_acceleration": lambda t: -6.0 * t}),
            (1.0, {"lateral_acceleration": -3.6}),
        ],
    ),
    "iso15622_deceleration": (
        [(4.0, {}), (3.0, {"acceleration": -3.4})],
        [(4.0, {}), (3.0, {"acceleration": -3.7})],
    ),
    "iso15622_acceleration": (
        [(4.0, {"speed": 4.0}), (3.0, {"speed": 4.0, "acceleration": 3.9})],
        [(4.0, {}), (3.0, {"acceleration": 2.4})],
    ),
    "iso15622_braking_jerk": (
        [(4.0, {}), (1.2, {"acceleration": lambda t: -2.4 * t}), (2.0, {"acceleration": -2.9})],
        [(4.0, {}), (1.2, {"acceleration": lambda t: -3.2 * t}), (2.0, {"acceleration": -3.8})],
    ),
    "iso15622_time_gap": (
        [(25.0, with_lead(22.0, 25.0))],
        [(25.0, with_lead(18.0, 25.0))],
    ),
    "cn_l2_hands_off": (
        [(2.0, {}), (15.0, {"hands_on": False}), (5.0, {"hands_on": False, "warning": 1.0})],
        [(2.0, {}), (20.0, {"hands_on": False})],
    ),
    "cn_l2_eyes_off": (
        [(2.0, {}), (5.0, {"eyes_on": False}), (5.0, {"eyes_on": False, "warning": 1.0})],
        [(2.0, {}), (8.0, {"eyes_on": False})],
    ),
    "cn_l2_emergency_braking": (
        [(2.0, {}), (2.0, {"emergency": True, "demand": -8.0})],
        [(2.0, {}), (2.0, {"emergency": True, "demand": 0.0})],
    ),
    "cn_l2_lane_change_indicator": (
        after_wait(3.5),
        after_wait(3.5, indicator=0.0),
    ),
    "house_no_contact_caused": (
        [(2.0, {}), (0.05, {"contact": 1.0}), (1.0, {})],
        [(2.0, {}), (0.05, {"contact": 1.0, "contact_caused": 1.0}), (1.0, {})],
    ),
    "house_contact": (
        [(2.0, {})],
        [(2.0, {}), (0.05, {"contact": 1.0}), (1.0, {})],
    ),
    "house_age": (
        [(3.0, {}), (0.05, {"age": 0.4}), (3.0, {})],
        [(3.0, {}), (3.0, {"age": 0.2})],
    ),
    "house_not_blind": (
        [(2.0, {}), (0.5, {"plan_valid": False}), (3.0, STOPPING | {"plan_valid": False})],
        [(2.0, {}), (2.0, {"plan_valid": False})],
    ),
    "house_speed": (
        [(15.0, {}), (8.0, {"set_speed": 20.0}), (15.0, {"set_speed": 20.0, "speed": 20.3})],
        [(15.0, {}), (25.0, {"set_speed": 20.0})],
    ),
    "house_demand": (
        [(2.0, {"demand": -9.0})],
        [(2.0, {"demand": -9.5})],
    ),
    "house_in_lane": (
        [(6.0, {}), (1.0, changing(beyond_lane=0.5)), (4.0, {})],
        [(6.0, {}), (2.0, {"beyond_lane": 0.2})],
    ),
    "house_gap": (
        [(5.0, with_lead(4.0, 0.0))],
        [(5.0, with_lead(0.6, 0.0))],
    ),
    "house_takeover": (
        [(5.0, {})],
        [(5.0, {}), (3.0, DEMAND)],
    ),
}


def steps(trace, start=100.0):
    """Time and signals of a trace."""
    time, names = start, tuple(SIGNALS)
    resting = {name: False if row.kind is Kind.CONDITION else 0.0 for name, row in SIGNALS.items()} | DRIVE
    for seconds, differences in trace:
        unknown = set(differences) - set(names)
        assert not unknown, unknown
        for index in range(max(round(seconds / STEP), 1)):
            now = resting | {
                name: value(index * STEP) if callable(value) else value for name, value in differences.items()
            }
            yield round(time, 6), Signals(tuple(now[name] for name in names), ALL_TOPICS)
            time += STEP
