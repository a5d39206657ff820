"""What regulations ask of distances, for all who judge by them: planning, and the checks of a car's equipment."""

# UN R79 5.6.4.7, lane change category C: s, m/s², s
REAR_REACTION, REAR_DECELERATION, REAR_TIME_GAP = 0.4, 3.0, 1.0


def rear_distance(speed: float, rear_speed: float) -> float:
    """Distance to a car behind in the target lane that UN R79 5.6.4.7 asks for: dv t_B + dv² / (2 a) + v t_G."""
    faster = max(0.0, rear_speed - speed)
    return faster * REAR_REACTION + faster * faster / (2.0 * REAR_DECELERATION) + speed * REAR_TIME_GAP
