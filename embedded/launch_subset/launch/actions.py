"""What a launch file can do, processes excepted (execute_process.py)."""

import asyncio

from launch.conditions import IfCondition, UnlessCondition  # noqa: F401  (official launch has them here as well)
from launch.entity import Action
from launch.events import Shutdown as ShutdownEvent
from launch.events import TimerEvent
from launch.launch_description_sources import LaunchDescriptionSource, PythonLaunchDescriptionSource
from launch.logging import log
from launch.missing import missing_names
from launch.substitutions import normalize, perform


class DeclareLaunchArgument(Action):
    """An argument of the launch file; without a default it must be given."""

    def __init__(self, name, *, default_value=None, description=None, choices=None, **keywords):
        super().__init__(**keywords)
        self.name = name
        self.description = str(description) if description else "no description given"
        self.choices = choices
        self.default_value = None if default_value is None else normalize(default_value)

    def execute(self, context):
        values = context.launch_configurations
        if self.name not in values:
            if self.default_value is None:
                raise RuntimeError(
                    f"Required launch argument '{self.name}' ({self.description}) was not provided"
                )
            values[self.name] = perform(context, self.default_value)
        if self.choices is not None and values[self.name] not in self.choices:
            raise RuntimeError(
                f"Argument '{self.name}' has '{values[self.name]}', but must be one of {list(self.choices)}"
            )


class SetLaunchConfiguration(Action):
    """Sets the value of an argument."""

    def __init__(self, name, value, **keywords):
        super().__init__(**keywords)
        self.name, self.value = normalize(name), normalize(value)

    def execute(self, context):
        context.launch_configurations[perform(context, self.name)] = perform(context, self.value)


class SetEnvironmentVariable(Action):
    """Sets a variable for the processes that start afterwards."""

    def __init__(self, name, value, **keywords):
        super().__init__(**keywords)
        self.name, self.value = normalize(name), normalize(value)

    def execute(self, context):
        context.environment[perform(context, self.name)] = perform(context, self.value)


class UnsetEnvironmentVariable(Action):
    """Removes a variable for the processes that start afterwards."""

    def __init__(self, name, **keywords):
        super().__init__(**keywords)
        self.name = normalize(name)

    def execute(self, context):
        context.environment.pop(perform(context, self.name), None)


class LogInfo(Action):
    """Prints a message."""

    def __init__(self, *, msg, **keywords):
        super().__init__(**keywords)
        self.msg = normalize(msg)

    def execute(self, context):
        log(context, "INFO", "launch.user", perform(context, self.msg))


class OpaqueFunction(Action):
    """Calls a Python function with the context; it may return entities to visit."""

    def __init__(self, *, function, args=None, kwargs=None, **keywords):
        super().__init__(**keywords)
        self._function, self._args, self._kwargs = function, args or [], kwargs or {}

    def execute(self, context):
        return self._function(context, *self._args, **self._kwargs)


class GroupAction(Action):
    """Visits actions together; with `scoped`, what they set is undone afterwards."""

    def __init__(self, actions, *, scoped=True, launch_configurations=None, **keywords):
        super().__init__(**keywords)
        self._actions = list(actions)
        self._scoped = scoped
        self._configurations = dict(launch_configurations or {})

    def describe_sub_entities(self):
        return self._actions

    def execute(self, context):
        settings = [SetLaunchConfiguration(name, value) for name, value in self._configurations.items()]
        if not self._scoped:
            return [*settings, *self._actions]
        begin = OpaqueFunction(function=lambda context: context.push_scope())
        end = OpaqueFunction(function=lambda context: context.pop_scope())
        return [begin, *settings, *self._actions, end]


class IncludeLaunchDescription(Action):
    """Adds another launch file; the arguments are (name, value) pairs or a mapping."""

    def __init__(self, launch_description_source, *, launch_arguments=None, **keywords):
        super().__init__(**keywords)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            launch_description_source = PythonLaunchDescriptionSource(launch_description_source)
        self.launch_description_source = launch_description_source
        pairs = launch_arguments.items() if isinstance(launch_arguments, dict) else launch_arguments or ()
        self.launch_arguments = tuple(pairs)

    def describe_sub_entities(self):
        description = self.launch_description_source.try_get_launch_description_without_context()
        return [] if description is None else [description]

    def execute(self, context):
        description = self.launch_description_source.get_launch_description(context)
        settings = [SetLaunchConfiguration(name, value) for name, value in self.launch_arguments]
        return [*settings, description]


class RegisterEventHandler(Action):
    """Adds an event handler."""

    def __init__(self, event_handler, **keywords):
        super().__init__(**keywords)
        self.event_handler = event_handler

    def execute(self, context):
        context.register_event_handler(self.event_handler)


class UnregisterEventHandler(RegisterEventHandler):
    """Removes an event handler."""

    def execute(self, context):
        context.unregister_event_handler(self.event_handler)


class EmitEvent(Action):
    """Emits an event."""

    def __init__(self, *, event, **keywords):
        super().__init__(**keywords)
        self.event = event

    def execute(self, context):
        context.emit_event_sync(self.event)


class Shutdown(EmitEvent):
    """Ends the launch."""

    def __init__(self, *, reason="reason not given", **keywords):
        super().__init__(event=ShutdownEvent(reason=reason), **keywords)


class TimerAction(Action):
    """Visits actions after a time in seconds; a shutdown cancels it."""

    def __init__(self, *, period, actions, cancel_on_shutdown=True, **keywords):
        super().__init__(**keywords)
        self.period = period
        self.actions = list(actions)
        self.cancel_on_shutdown = cancel_on_shutdown
        self._task = None

    def describe_conditional_sub_entities(self):
        return [(f"after {self.period} seconds", self.actions)]

    def cancel(self):
        """Do not visit the actions after all."""
        if self._task is not None:
            self._task.cancel()

    def execute(self, context):
        from launch.event_handlers import EventHandler, OnShutdown

        period = (
            self.period if isinstance(self.period, (int, float)) else float(perform(context, self.period))
        )
        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, TimerEvent) and event.timer_action is self,
                entities=self.actions,
                handle_once=True,
            )
        )
        if self.cancel_on_shutdown:
            context.register_event_handler(OnShutdown(on_shutdown=lambda event, context: self.cancel()))
        self._task = context.start_task(self._wait(context, period))

    async def _wait(self, context, period):
        await asyncio.sleep(period)
        context.emit_event_sync(TimerEvent(timer_action=self))


from launch.execute_process import ExecuteProcess  # noqa: E402, F401

__getattr__ = missing_names(__name__)
