"""How a human keeps his distance: the intelligent driver model of Treiber and Kesting."""

import math

# Treiber, Kesting: Traffic Flow Dynamics, table 11.2 (motorway).
ACCELERATION, DECELERATION, STANDSTILL_GAP = 1.2, 2.0, 3.0
HARDEST = 8.0  # m/s²


def following_acceleration(
    speed: float, set_speed: float, time_gap: float, gap: float, lead_speed: float
) -> float:
    """A (1 − (v / v0)⁴ − (s* / s)²), bumper to bumper; an infinite gap where nobody is ahead."""
    free = 1.0 - (speed / max(set_speed, 1.0)) ** 4
    if math.isinf(gap):
        return max(ACCELERATION * free, -DECELERATION)
    closing = speed * (speed - lead_speed) / (2.0 * math.sqrt(ACCELERATION * DECELERATION))
    wanted = STANDSTILL_GAP + max(0.0, speed * time_gap + closing)
    return max(ACCELERATION * (free - (wanted / max(gap, 0.1)) ** 2), -HARDEST)
