"""Handlers: what to do when an event happens."""

from launch.entity import LaunchDescriptionEntity
from launch.events import Shutdown
from launch.events.process import ProcessExited, ProcessIO, ProcessStarted
from launch.missing import missing_names


class EventHandler:
    """Gives entities to visit for the events that its matcher picks."""

    def __init__(self, *, matcher, entities=None, handle_once=False):
        self.matcher = matcher
        self.entities = entities
        self.handle_once = handle_once

    def matches(self, event):
        """Return whether the handler is for this event."""
        return self.matcher(event)

    def handle(self, event, context):
        """Return the entities to visit."""
        if self.handle_once:
            context.unregister_event_handler(self)
        return outcome(self.entities, event, context)


def outcome(wanted, *arguments):
    """Return a list of entities for an entity, a sequence of them or a function that gives either."""
    if callable(wanted) and not isinstance(wanted, LaunchDescriptionEntity):
        wanted = wanted(*arguments)
    if wanted is None:
        return []
    return [wanted] if isinstance(wanted, LaunchDescriptionEntity) else list(wanted)


class _OnProcessEvent(EventHandler):
    """Handler of one kind of process events, for one action, for those a function picks, or for all."""

    kind = None

    def __init__(self, *, target_action, entities, handle_once):
        self.target_action = target_action
        super().__init__(matcher=self._picks, entities=entities, handle_once=handle_once)

    def _picks(self, event):
        if not isinstance(event, self.kind):
            return False
        if self.target_action is None:
            return True
        if isinstance(self.target_action, LaunchDescriptionEntity):
            return event.action is self.target_action
        return self.target_action(event.action)


class OnProcessStart(_OnProcessEvent):
    """Handler of the start of a process."""

    kind = ProcessStarted

    def __init__(self, *, target_action=None, on_start, handle_once=False):
        super().__init__(target_action=target_action, entities=on_start, handle_once=handle_once)


class OnProcessExit(_OnProcessEvent):
    """Handler of the end of a process."""

    kind = ProcessExited

    def __init__(self, *, target_action=None, on_exit, handle_once=False):
        super().__init__(target_action=target_action, entities=on_exit, handle_once=handle_once)


class OnProcessIO(_OnProcessEvent):
    """Handler of what a process writes; the functions get the event only."""

    kind = ProcessIO

    def __init__(self, *, target_action=None, on_stdout=None, on_stderr=None):
        self.on_stdout = on_stdout
        self.on_stderr = on_stderr
        super().__init__(target_action=target_action, entities=None, handle_once=False)

    def handle(self, event, context):
        function = self.on_stdout if event.from_stdout else self.on_stderr
        return [] if function is None else outcome(function, event)


class OnShutdown(EventHandler):
    """Handler of the end of the launch."""

    def __init__(self, *, on_shutdown, handle_once=False):
        super().__init__(
            matcher=lambda event: isinstance(event, Shutdown), entities=on_shutdown, handle_once=handle_once
        )


__getattr__ = missing_names(__name__)
