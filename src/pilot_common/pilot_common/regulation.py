"""What regulations ask of distances and of braking, for all who keep to it or judge by it: planning, checks of a car's equipment,
rule packs (formulas in `config/rules/` may call the functions in FORMULAS), measures.
"""

from collections.abc import Callable
from typing import Any

# UN R79 5.6.4.7, lane change category C: s, m/s², s
REAR_REACTION, REAR_DECELERATION, REAR_TIME_GAP = 0.4, 3.0, 1.0
LARGEST_REGULATION_GAP = 60.0 / 3.6 * 1.6  # m, UN R157 5.2.3.3: from 60 km/h on
# UN R157, cut-ins that must be avoided: m/s², s (JRC's implementation of the clause)
CUT_IN_DECELERATION, CUT_IN_REACTION = 6.0, 0.35


def rear_distance(speed: Any, rear_speed: Any, time_gap: float = REAR_TIME_GAP) -> Any:
    """Distance to a car behind in the target lane that UN R79 5.6.4.7 asks for: dv t_B + dv² / (2 a) + v t_G.

    Numbers or arrays of them. A shorter `time_gap` is for where the own lane ends.
    """
    faster = (rear_speed - speed) * (rear_speed > speed)
    return faster * REAR_REACTION + faster * faster / (2.0 * REAR_DECELERATION) + speed * time_gap


def regulation_gap(speed: float) -> float:
    """Least following distance of UN R157, 5.2.3.3: speed × 1.0 s at 7.2 km/h … 1.6 s at 60 km/h, at least 2 m."""
    kph = 3.6 * speed
    if kph >= 60.0:
        return LARGEST_REGULATION_GAP
    time = 1.0 + 0.1 * (kph - 7.2) / 2.8 if kph < 10.0 else 1.0 + 0.01 * kph
    return max(2.0, kph / 3.6 * max(1.0, time))


def braking_jerk(speed: float) -> float:
    """ISO 15622:2018, negative jerk outside emergencies: 5.0 m/s³ below 5 m/s, 2.5 above 20 m/s, linear between."""
    return max(2.5, min(5.0, 5.83 - speed / 6.0))


def following_deceleration(speed: float) -> float:
    """ISO 15622:2018, mean deceleration of 2 s outside emergencies: 5.0 m/s² below 5 m/s, 3.5 above 20 m/s, linear between."""
    return max(3.5, min(5.0, 5.5 - speed / 10.0))


def following_acceleration(speed: float) -> float:
    """ISO 15622:2018, mean acceleration of 2 s: 4.0 m/s² below 5 m/s, 2.0 above 20 m/s, linear between."""
    return max(2.0, min(4.0, (14.0 - 0.4 * speed) / 3.0))


def cut_in_time(closing: float) -> float:
    """Time to collision at intrusion from which on UN R157 asks to avoid a cut-in: closing speed / (2 · 6 m/s²) + 0.35 s."""
    return closing / (2.0 * CUT_IN_DECELERATION) + CUT_IN_REACTION


FORMULAS: dict[str, tuple[Callable[..., float], int]] = {  # function, how many numbers it takes
    "rear_distance": (rear_distance, 2),
    "regulation_gap": (regulation_gap, 1),
    "braking_jerk": (braking_jerk, 1),
    "following_deceleration": (following_deceleration, 1),
    "following_acceleration": (following_acceleration, 1),
    "cut_in_time": (cut_in_time, 1),
}
