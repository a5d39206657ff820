"""How the object ahead is expected to move, and what that demands of us. Scalars: one law serves ledger and trajectory."""

import math

HARDEST_LEAD_BRAKING = 9.0  # m/s², dry road; estimates beyond it are noise


class LeadMotion:
    """Motion along the road with an acceleration that fades with a time constant, never backwards."""

    __slots__ = ("acceleration", "fade", "gap", "speed", "stop_distance", "stop_time")

    def __init__(self, gap: float, speed: float, acceleration: float, fade: float) -> None:
        self.gap = gap
        self.speed = max(0.0, speed)
        self.acceleration = max(-HARDEST_LEAD_BRAKING, min(2.0, acceleration))
        self.fade = fade
        self.stop_time, self.stop_distance = math.inf, math.inf
        change = self.acceleration * fade
        if self.speed < -change:
            stop_time = -fade * math.log1p(self.speed / change)
            self.stop_distance = self.at(stop_time)[0]
            self.stop_time = stop_time

    def numbers(self) -> tuple[float, float, float, float]:
        """What it is made of, in the order of construction."""
        return self.gap, self.speed, self.acceleration, self.fade

    def at(self, time: float) -> tuple[float, float, float]:
        """Distance covered, speed and acceleration after a time."""
        if self.acceleration == 0.0:  # most of them: within the noise none is believed
            return self.speed * time, self.speed, 0.0
        if time >= self.stop_time:
            return self.stop_distance, 0.0, 0.0
        gone = -math.expm1(-time / self.fade)
        change = self.acceleration * self.fade
        distance = self.speed * time + change * (time - self.fade * gone)
        return distance, max(0.0, self.speed + change * gone), self.acceleration * (1.0 - gone)


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
