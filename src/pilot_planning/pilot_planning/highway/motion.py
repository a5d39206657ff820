"""How the object ahead is expected to move, and what that demands of us. Scalars: one law serves ledger and trajectory."""

import math

from pilot_common.compiled import compiled

HARDEST_LEAD_BRAKING = 9.0  # m/s², dry road; estimates beyond it are noise


class LeadMotion:
    """Motion along the road with an acceleration that fades with a time constant, never backwards."""

    __slots__ = ("acceleration", "fade", "gap", "speed")

    def __init__(self, gap: float, speed: float, acceleration: float, fade: float) -> None:
        self.gap = gap
        self.speed = max(0.0, speed)
        self.acceleration = max(-HARDEST_LEAD_BRAKING, min(2.0, acceleration))
        self.fade = fade

    def numbers(self) -> tuple[float, float, float, float]:
        """What it is made of, in the order of construction."""
        return self.gap, self.speed, self.acceleration, self.fade

    def at(self, time: float) -> tuple[float, float, float]:
        """Distance covered, speed and acceleration after a time."""
        return lead_at(self.speed, self.acceleration, self.fade, time)


@compiled
def lead_at(speed: float, acceleration: float, fade: float, time: float) -> tuple[float, float, float]:
    """Distance covered, speed and acceleration after a time of one with this speed and acceleration now."""
    if acceleration == 0.0:  # most of them: within the noise none is believed
        return speed * time, speed, 0.0
    change, stands = acceleration * fade, False
    if speed < -change:
        stop_time = -fade * math.log1p(speed / change)
        stands, time = time >= stop_time, min(time, stop_time)
    gone = -math.expm1(-time / fade)
    distance = speed * time + change * (time - fade * gone)
    if stands:
        return distance, 0.0, 0.0
    return distance, max(0.0, speed + change * gone), acceleration * (1.0 - gone)


@compiled
def needed_deceleration(
    gap: float, speed: float, lead_speed: float, lead_acceleration: float, delay: float, margin: float
) -> float:
    """Constant deceleration (≥ 0, at most 99) that just keeps `margin`, begun after `delay`, while the leader brakes to a stand.

    The nearest moment is either while both still roll (relative motion) or when both stand (stopping distances).
    """
    braking = max(0.0, -lead_acceleration)
    lead_speed_then = max(0.0, lead_speed - braking * delay)
    lead_time = delay if lead_speed_then > 0.0 or braking <= 1e-3 else lead_speed / braking
    room = (
        gap
        - margin
        + 0.5 * (lead_speed + max(0.0, lead_speed - braking * lead_time)) * lead_time
        - speed * delay
    )
    lead_speed = lead_speed_then
    closing = speed - lead_speed
    if closing <= 0.0 and braking <= 0.0:
        return 0.0
    stopping_room = room + (0.5 * lead_speed * lead_speed / braking if braking > 1e-3 else math.inf)
    at_stand = 0.5 * speed * speed / stopping_room if stopping_room > 0.0 else 99.0
    if closing <= 0.0:
        return min(99.0, at_stand)
    if room <= 0.0:
        return 99.0
    rolling = braking + 0.5 * closing * closing / room
    stop_time = lead_speed / braking if braking > 1e-3 else math.inf
    equal_speed_time = 2.0 * room / closing
    return min(99.0, rolling if equal_speed_time <= stop_time else max(at_stand, 0.0))
