"""Launch tests as a user writes them; each form that the subset knows."""

import sys

import launch_pytest
import pytest
from launch import LaunchDescription
from launch.actions import ExecuteProcess
from launch_pytest.actions import ReadyToTest
from launch_pytest.tools import process as process_tools

CODE = """
import time
try:
    print('ready', flush=True)  # inside, for the interrupt may come at once
    time.sleep(60)
except KeyboardInterrupt:
    print('bye', flush=True)
"""


@pytest.fixture
def talker():
    """Return a process that says something."""
    return ExecuteProcess(cmd=[sys.executable, "-c", CODE], cached_output=True)


@launch_pytest.fixture
def description(talker):
    """Launch the talker."""
    return LaunchDescription([talker, ReadyToTest()])


@pytest.mark.launch(fixture=description)
def test_output_is_seen(talker, launch_context):
    process_tools.assert_output_sync(launch_context, talker, lambda text: "ready" in text, timeout=10)


@pytest.mark.launch(fixture=description)
def test_failed_validation_shows_its_assertion(talker, launch_context):
    def validate(text):
        assert "never" in text, "the reason"

    with pytest.raises(AssertionError, match="the reason"):
        process_tools.wait_for_output_sync(launch_context, talker, validate, timeout=0.2)


@pytest.mark.launch(fixture=description)
async def test_coroutine_runs_beside_the_launch(talker, launch_context):
    assert await process_tools.wait_for_start(launch_context, talker, timeout=10)
    await process_tools.assert_output(launch_context, talker, lambda text: "ready" in text, timeout=10)


@pytest.mark.launch(fixture=description)
def test_generator_goes_on_after_the_shutdown(talker, launch_context):
    process_tools.assert_output_sync(launch_context, talker, lambda text: "ready" in text, timeout=10)
    yield
    assert talker.return_code == 0
    assert talker.get_stdout().endswith("bye\n")


shared = ExecuteProcess(cmd=[sys.executable, "-c", CODE], cached_output=True)


@launch_pytest.fixture(scope="module")
def shared_description():
    """Launch one talker for several tests."""
    return LaunchDescription([shared])


@pytest.mark.launch(fixture=shared_description, shutdown=True)
def test_shutdown_test_comes_last():
    assert shared.return_code == 0


@pytest.mark.launch(fixture=shared_description)
def test_shared_launch_runs():
    assert process_tools.wait_for_output_sync(None, shared, lambda text: "ready" in text, timeout=10)
    assert shared.return_code is None
