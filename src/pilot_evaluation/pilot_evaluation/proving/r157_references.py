"""What the reference drivers make of the cases of UN R157, as measures that stand beside ours."""

from collections.abc import Mapping, Sequence

import numpy as np

from pilot_evaluation.proving.r157_cases import GRAVITY
from pilot_evaluation.proving.reference_drivers import (
    Cases,
    CutInCases,
    CutOutCases,
    FollowingCases,
    judge,
)
from pilot_evaluation.proving.reference_models import FULL, REFERENCES

DRIVERS = tuple(REFERENCES)


def known(family: str, rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Per case and driver: contact, impact speed, whether it saw a danger, its peak; and whether any of the four avoids it.

    The published share braked and mean peak deceleration count a driver as braking once it has seen a danger, even where the
    contact or the passing comes before its reaction.
    """
    if not rows:
        return []
    outcomes = judge(cases_of(family, rows))
    columns: dict[str, np.ndarray] = {}
    for driver in (*DRIVERS, FULL):
        outcome = outcomes[driver]
        columns[f"{driver}_contact"] = outcome.collided
        columns[f"{driver}_impact_speed"] = np.abs(outcome.impact_speed)
        columns[f"{driver}_braked"] = outcome.braked
        columns[f"{driver}_peak_deceleration"] = outcome.max_deceleration
        columns[f"{driver}_leader_hit"] = outcome.leader_hit
    columns["preventable"] = ~np.all([outcomes[driver].collided for driver in DRIVERS], axis=0)
    values = np.stack([column.astype(float) for column in columns.values()], axis=-1).tolist()
    return [dict(zip(columns, row, strict=True)) for row in values]


def cases_of(family: str, rows: Sequence[Mapping[str, float]]) -> Cases:
    """The cases of a family as the reference drivers take them, SI."""

    def column(name: str, factor: float = 1.0) -> np.ndarray:
        return np.array([row[name] for row in rows]) * factor

    if family == "cut_in":
        return CutInCases(
            speed=column("ego_speed_kph", 1 / 3.6),
            other_speed=column("cutin_speed_kph", 1 / 3.6),
            gap=column("long_dist_m"),
            lateral_speed=column("lat_vel_mps"),
        )
    if family == "cut_out":
        return CutOutCases(
            speed=column("speed_kph", 1 / 3.6),
            front_distance=column("front_distance_m"),
            lateral_speed=np.abs(column("lateral_speed_mps")),
        )
    return FollowingCases(speed=column("speed_kph", 1 / 3.6), deceleration=column("leader_decel_g", GRAVITY))
