"""What happens while a launch runs."""

from launch.missing import missing_names


class Event:
    """Base of all events."""

    name = "launch.Event"


class Shutdown(Event):
    """Everything ends."""

    name = "launch.events.Shutdown"

    def __init__(self, *, reason="reason not given", due_to_sigint=False):
        self.reason = reason
        self.due_to_sigint = due_to_sigint


class IncludeLaunchDescription(Event):
    """A description is added to the launch."""

    name = "launch.events.IncludeLaunchDescription"

    def __init__(self, launch_description):
        self.launch_description = launch_description


class TimerEvent(Event):
    """A timer is due."""

    name = "launch.events.TimerEvent"

    def __init__(self, *, timer_action):
        self.timer_action = timer_action


def matches_action(target_action):
    """Return a matcher of process actions that holds for one of them."""
    return lambda action: action is target_action


from launch.events import process  # noqa: E402

__all__ = ["Event", "IncludeLaunchDescription", "Shutdown", "TimerEvent", "matches_action", "process"]

__getattr__ = missing_names(__name__)
