"""The loop that visits entities and handles events until the launch is over."""

import asyncio
import signal
import threading
import traceback

from launch.events import IncludeLaunchDescription, Shutdown
from launch.launch_context import LaunchContext
from launch.logging import log, log_folder


class LaunchService:
    """Runs launch descriptions."""

    def __init__(self, *, argv=None, noninteractive=False, debug=False):
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self.task = None
        self._debug = debug
        self._return_code = 0
        self._shutting_down = False

    @property
    def event_loop(self):
        """The loop the service runs in, None while it does not run."""
        return self.context.asyncio_loop

    def include_launch_description(self, launch_description):
        """Add a description; thread-safe."""
        self.emit_event(IncludeLaunchDescription(launch_description))

    def emit_event(self, event):
        """Queue an event; thread-safe."""
        self.context.emit_event_sync(event)

    def shutdown(self, force_sync=False):
        """End the launch; thread-safe. `run` returns when all processes are gone."""
        if self.context.asyncio_loop is not None or force_sync:
            self._shutdown("LaunchService.shutdown() called")

    def run(self, *, shutdown_when_idle=True):
        """Run until everything is over. Return 0, or 1 when the launch itself failed."""
        return asyncio.run(self.run_async(shutdown_when_idle=shutdown_when_idle))

    async def run_async(self, *, shutdown_when_idle=True):
        """Run in the current loop. Return 0, or 1 when the launch itself failed."""
        context = self.context
        context.asyncio_loop = asyncio.get_running_loop()
        context._wake = asyncio.Event()
        context.log_folder = context.log_folder or log_folder(context.environment)
        self.task = asyncio.current_task()
        self._handle_signals()
        try:
            while True:
                while context._events:
                    self._process(context._events.popleft())
                if not context._tasks:
                    if self._shutting_down:
                        return self._return_code
                    if shutdown_when_idle:
                        self._shutdown("idle")
                        continue
                await context._wake.wait()
                context._wake.clear()
        finally:
            context.asyncio_loop = context._wake = None

    def _process(self, event):
        """Handle one event; an exception ends the launch with return code 1."""
        try:
            if isinstance(event, Exception):
                raise event
            if isinstance(event, Shutdown):
                if self._shutting_down and self.context.is_shutdown:
                    return
                self._shutting_down = self.context.is_shutdown = True
            if isinstance(event, IncludeLaunchDescription):
                self._visit(event.launch_description)
            for handler in self.context.handlers_of(event):
                for entity in handler.handle(event, self.context):
                    self._visit(entity)
        except Exception as error:
            if self._debug:
                traceback.print_exc()
            log(
                self.context,
                "ERROR",
                "launch",
                f"Caught exception in launch (see debug for traceback): {error}",
            )
            self._return_code = 1
            self._shutdown(f"launch failed: {error}")

    def _visit(self, entity):
        # Actions that end their own scope come back as entities too, so plain recursion keeps the order.
        for part in entity.visit(self.context) or []:
            self._visit(part)

    def _shutdown(self, reason, due_to_sigint=False):
        self._shutting_down = True
        self.emit_event(Shutdown(reason=reason, due_to_sigint=due_to_sigint))

    def _handle_signals(self):
        """End the launch on SIGINT and SIGTERM. Only the main thread may; elsewhere the owner calls shutdown()."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self.context.asyncio_loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number):
        name = signal.Signals(number).name
        if self._shutting_down:
            log(self.context, "WARNING", "launch", f"{name} again, ignored: already shutting down")
            return
        log(self.context, "WARNING", "launch", f"user interrupted with {name}")
        self._shutdown(name, due_to_sigint=number == signal.SIGINT)
