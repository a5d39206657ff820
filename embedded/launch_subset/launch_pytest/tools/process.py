"""Waiting for processes. The functions without `_sync` are for coroutine tests.

A validation function returns whether the text will do, or asserts it.
"""

import asyncio
import time

from launch.missing import missing_names

PERIOD_SECONDS = 0.01


def wait_for_output_sync(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard output is as wanted. Return whether it became so; an assertion is raised."""
    return _wait_sync(lambda: validate_output(execute_process_action.get_stdout()), timeout)


def wait_for_stderr_sync(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard error is as wanted."""
    return _wait_sync(lambda: validate_output(execute_process_action.get_stderr()), timeout)


def wait_for_start_sync(launch_context, execute_process_action, timeout=None):
    """Wait until the process runs. Return whether it does."""
    return _wait_sync(lambda: execute_process_action.process_details is not None, timeout)


def wait_for_exit_sync(launch_context, execute_process_action, timeout=None):
    """Wait until the process has ended. Return whether it has."""
    return _wait_sync(lambda: execute_process_action.return_code is not None, timeout)


def assert_output_sync(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard output is as wanted; raise AssertionError otherwise."""
    assert wait_for_output_sync(launch_context, execute_process_action, validate_output, timeout)


def assert_stderr_sync(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard error is as wanted; raise AssertionError otherwise."""
    assert wait_for_stderr_sync(launch_context, execute_process_action, validate_output, timeout)


async def wait_for_output(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard output is as wanted."""
    return await _wait(lambda: validate_output(execute_process_action.get_stdout()), timeout)


async def wait_for_stderr(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard error is as wanted."""
    return await _wait(lambda: validate_output(execute_process_action.get_stderr()), timeout)


async def wait_for_start(launch_context, execute_process_action, timeout=None):
    """Wait until the process runs."""
    return await _wait(lambda: execute_process_action.process_details is not None, timeout)


async def wait_for_exit(launch_context, execute_process_action, timeout=None):
    """Wait until the process has ended."""
    return await _wait(lambda: execute_process_action.return_code is not None, timeout)


async def assert_output(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard output is as wanted; raise AssertionError otherwise."""
    assert await wait_for_output(launch_context, execute_process_action, validate_output, timeout)


async def assert_stderr(launch_context, execute_process_action, validate_output, timeout=None):
    """Wait until the standard error is as wanted; raise AssertionError otherwise."""
    assert await wait_for_stderr(launch_context, execute_process_action, validate_output, timeout)


def _holds(condition):
    """Return whether a condition holds now; a failed assertion counts as not yet."""
    try:
        return condition() in (None, True)
    except AssertionError:
        return False


def _wait_sync(condition, timeout):
    end = None if timeout is None else time.monotonic() + timeout
    while not _holds(condition):
        if end is not None and time.monotonic() > end:
            return condition() in (None, True)  # without the catch: pytest shows the assertion
        time.sleep(PERIOD_SECONDS)
    return True


async def _wait(condition, timeout):
    end = None if timeout is None else time.monotonic() + timeout
    while not _holds(condition):
        if end is not None and time.monotonic() > end:
            return condition() in (None, True)
        await asyncio.sleep(PERIOD_SECONDS)
    return True


__getattr__ = missing_names(__name__)
