"""Parameters of supervision."""

from dataclasses import dataclass

from pilot_common.rules import Pack
from pilot_common.schema import parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """When inattention has which consequence, as time since the driver was last seen attentive."""

    visual: float = parameter("s", 1.0, 60.0, "he is shown a warning")
    acoustic: float = parameter("s", 1.0, 120.0, "and hears it")
    takeover: float = parameter("s", 1.0, 180.0, "he is told to take over")

    def __post_init__(self) -> None:
        """Raises ValueError for a ladder that does not climb."""
        if not self.visual < self.acoustic < self.takeover:
            raise ValueError("visual, acoustic and takeover must follow one another")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionParameters:
    """Persistence, thresholds of the driver's acts, and how long he is given."""

    start_patience: float = parameter(
        "s", 1.0, 30.0, "at the start, to hear from the gate whether the system drives already"
    )
    persistence: float = parameter("s", 0.0, 2.0, "so long something must be invalid or missing to count")
    brake_pedal: float = parameter("", 0.005, 0.2, "pedal from which the driver brakes")
    accelerator_pedal: float = parameter("", 0.005, 0.2, "pedal from which the driver accelerates")
    steering_torque: float = parameter("N m", 1.0, 8.0, "hand torque from which the driver steers")
    steering_takeover: float = parameter("s", 0.2, 5.0, "steering so long is taking over")
    engage_grace: float = parameter("s", 0.0, 2.0, "the accelerator may stay down so long after engaging")
    override_release: float = parameter(
        "s", 0.1, 5.0, "after so long without pedal and torque the system goes on"
    )
    hands_off: Attention
    eyes_off: Attention
    takeover_time: float = parameter("s", 1.0, 20.0, "for the driver to take over, hands-on driving (L2)")
    takeover_time_hands_free: float = parameter(
        "s", 10.0, 30.0, "the same in hands-free driving (L3), UN R157: 10 s"
    )
    takeover_escalation: float = parameter("s", 0.5, 10.0, "after so long the demand becomes haptic as well")
    restore_time: float = parameter(
        "s", 0.2, 10.0, "cause of a takeover demand gone so long: the system goes on"
    )
    stop_takeover: float = parameter("s", 0.1, 3.0, "acting so long ends a minimum-risk stop")
    standstill_speed: float = parameter("m/s", 0.0, 0.3, "up to it the car counts as standing")
    speed_margin: float = parameter(
        "m/s", 0.0, 5.0, "above the highest speed by this the system cannot be engaged"
    )
    rules: tuple[Pack, ...]  # watched while driving; by name, of config/rules/
