"""The figures of UN R157: ours and those of the four reference drivers, over the same cases."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Row
from pilot_evaluation.proving.r157_references import DRIVERS
from pilot_evaluation.proving.reference_models import FULL

CUT_IN, FALSE_ACTIVATION = "cut_in", "false_activation"


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Contacts, share braked, peak deceleration; fails for a preventable contact, a false activation or an error."""
    false = [row for row in rows if row.suite == FALSE_ACTIVATION]
    driven = [row for row in rows if row.suite != FALSE_ACTIVATION]
    families = {
        family: figures([row for row in driven if row.family == family]) for family in _families(driven)
    }
    errors = sum(row.verdict == ERROR for row in rows)
    preventable = sum(row.verdict == FAIL for row in driven)
    activations = sum(row.verdict == FAIL for row in false)
    passed = bool(driven) and not (preventable or activations or errors)
    braking = families.get(CUT_IN) or figures(driven)
    contacts = sum(family["contacts"] for family in families.values())
    return {
        "verdict": PASS if passed else "fail",
        "sentence": _sentence(len(rows), contacts, preventable, braking, activations, len(false), errors),
        "cases": len(rows),
        "contacts": contacts,
        "preventable_contacts": preventable,
        "share_braked": braking["share_braked"],
        "mean_peak_deceleration": braking["mean_peak_deceleration"],
        "false_activations": activations,
        "false_activation_cases": len(false),
        "errors": errors,
        "families": families,
        "failed_cases": [f"{row.name}: {row.reason}" for row in rows if row.verdict != PASS],
    }


def _families(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.family for row in rows))


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Ours, and by reference driver."""
    done = [row for row in rows if row.verdict != ERROR]
    ours = _of(done, "")
    unpreventable = [row for row in done if not row.measures["preventable"]]
    of_drivers = np.array(
        [[row.measures[f"{driver}_impact_speed"] for driver in DRIVERS] for row in unpreventable]
    )
    beside = {driver: _of(done, f"{driver}_") for driver in (*DRIVERS, FULL)}
    return {
        **ours,
        "friction_share_braked": _mean([row.measures["friction_braked"] for row in done]),
        "preventable_contacts": sum(row.verdict == FAIL for row in done),
        "unpreventable_cases": len(unpreventable),
        "unpreventable_contacts": sum(bool(row.measures["contact"]) for row in unpreventable),
        "unpreventable_impact_speed": _mean([row.measures.get("impact_speed", 0.0) for row in unpreventable]),
        "unpreventable_best_reference_impact_speed": float(of_drivers.mean(axis=0).min())
        if len(of_drivers)
        else None,
        "unpreventable_best_in_each_impact_speed": float(of_drivers.min(axis=1).mean())
        if len(of_drivers)
        else None,
        "reference_drivers": beside,
    }


def _of(rows: Sequence[Row], prefix: str) -> dict[str, Any]:
    contact = np.array([row.measures[f"{prefix}contact"] for row in rows]) > 0.0
    braked = np.array([row.measures[f"{prefix}braked"] for row in rows]) > 0.0
    peak = np.array([row.measures[f"{prefix}peak_deceleration"] for row in rows])
    impact = np.array([row.measures.get(f"{prefix}impact_speed", 0.0) for row in rows])
    gentle = braked & ~contact
    return {
        "cases": len(rows),
        "contacts": int(contact.sum()),
        "share_braked": float(braked.mean()) if len(rows) else None,
        "mean_peak_deceleration": float(peak[gentle].mean()) if gentle.any() else None,
        "mean_impact_speed": float(impact[contact].mean()) if contact.any() else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _sentence(
    cases: int,
    contacts: int,
    preventable: int,
    braking: dict[str, Any],
    activations: int,
    false: int,
    errors: int,
) -> str:
    share, peak = braking["share_braked"], braking["mean_peak_deceleration"]
    parts = [
        f"{preventable} preventable contacts in {cases} cases ({contacts} contacts)",
        f"braked in {100.0 * (share or 0.0):.1f} %",
        f"mean peak {peak or 0.0:.2f} m/s²",
    ]
    parts += [f"{activations} false activations in {false} cases"] if false else []
    return ", ".join(parts) + (f", {errors} errors" if errors else "")
