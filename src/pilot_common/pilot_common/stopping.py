"""The soft end of a stop, alike in what is planned and in what control does without a plan."""

EASING = 1.2  # 1/s: the last metre per second takes about one second


def soft_stop(deceleration: float, hold: float, speed: float) -> float:
    """Acceleration of a stop at a speed: `deceleration`, eased near standstill down to the `hold` that keeps the car there."""
    return -min(deceleration, hold + EASING * max(speed, 0.0))
