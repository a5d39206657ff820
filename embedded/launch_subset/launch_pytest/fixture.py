"""The fixture that runs a launch description while tests look at it."""

import asyncio
import threading

import pytest
from launch import LaunchDescription, LaunchService
from launch.entity import walk
from launch_pytest.actions import ReadyToTest

READY_SECONDS = 30.0
STOP_SECONDS = 30.0  # more than SIGINT, SIGTERM and SIGKILL take together


def fixture(decorated=None, *, shutdown_when_idle=True, auto_shutdown=True, **keywords):
    """Make a fixture of a function that returns a LaunchDescription, or a sequence that begins with one."""

    def decorator(function):
        function._launch_options = {"shutdown_when_idle": shutdown_when_idle, "auto_shutdown": auto_shutdown}
        return pytest.fixture(**keywords)(function)

    return decorator if decorated is None else decorator(decorated)


class RunningLaunch:
    """A launch service in a thread of its own, so that tests run in the main thread."""

    def __init__(self, result, options, name):
        description = result if isinstance(result, LaunchDescription) else result[0]
        if not isinstance(description, LaunchDescription):
            raise TypeError(f"the launch_pytest fixture '{name}' must return a LaunchDescription")
        self.service = LaunchService(noninteractive=True)
        self._options = options
        self._name = name
        self._return_code = None
        self._ready = threading.Event()
        self._begin(description)

    def _begin(self, description):
        ready = [entity for entity in walk(description) if isinstance(entity, ReadyToTest)]
        if len(ready) > 1:
            raise RuntimeError(
                "launch_pytest fixtures must return a LaunchDescription with one ReadyToTest action"
            )
        if not ready:
            ready = [ReadyToTest()]
            description.add_action(ready[0])
        ready[0]._add_callback(self._ready.set)
        self.service.include_launch_description(description)
        self._thread = threading.Thread(target=self._run, name=f"launch of {self._name}", daemon=True)
        self._thread.start()
        if not self._ready.wait(READY_SECONDS):
            self.stop()
            raise RuntimeError(
                f"the launch of '{self._name}' was not ready to test after {READY_SECONDS:g} s"
            )

    def _run(self):
        idle = self._options["shutdown_when_idle"]
        self._return_code = asyncio.run(self.service.run_async(shutdown_when_idle=idle))
        self._ready.set()  # a launch that failed must not keep the test waiting

    def run(self, coroutine):
        """Run a coroutine of a test in the loop of the launch."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.service.event_loop).result()

    def stop(self):
        """End the launch and wait for it; without auto_shutdown it must end by itself."""
        if self._options["auto_shutdown"]:
            self.service.shutdown(force_sync=True)
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive(), f"the launch of '{self._name}' did not end"
        assert self._return_code == 0, f"the launch of '{self._name}' failed, return code {self._return_code}"
