"""The state that the entities of one launch share."""

import os
from collections import deque


class LaunchContext:
    """Arguments, environment, event handlers and running work of a launch."""

    def __init__(self, *, argv=None, noninteractive=False):
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.launch_configurations = {}
        self.environment = dict(os.environ)
        self.is_shutdown = False
        self.asyncio_loop = None
        self.log_folder = None
        self._handlers = []
        self._events = deque()
        self._tasks = set()
        self._wake = None
        self._scopes = []

    def emit_event_sync(self, event):
        """Queue an event; may be called from any thread, also before the launch runs."""
        self._events.append(event)
        self._wake_up()

    async def emit_event(self, event):
        """Queue an event."""
        self.emit_event_sync(event)

    def register_event_handler(self, event_handler, append=False):
        """Add a handler, in front of the others unless `append`."""
        self._handlers.insert(len(self._handlers) if append else 0, event_handler)

    def unregister_event_handler(self, event_handler):
        """Remove a handler."""
        if event_handler in self._handlers:
            self._handlers.remove(event_handler)

    def handlers_of(self, event):
        """Return the handlers for an event."""
        return [handler for handler in self._handlers if handler.matches(event)]

    def start_task(self, coroutine):
        """Run a coroutine that keeps the launch alive until it ends. Return its task."""
        task = self.asyncio_loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def push_scope(self):
        """Begin a scope: changes of arguments and environment end with it."""
        self._scopes.append((dict(self.launch_configurations), dict(self.environment)))

    def pop_scope(self):
        """End the innermost scope."""
        self.launch_configurations, self.environment = self._scopes.pop()

    def _task_done(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._events.append(task.exception())
        self._wake_up()

    def _wake_up(self):
        if self._wake is not None:
            self.asyncio_loop.call_soon_threadsafe(self._wake.set)
