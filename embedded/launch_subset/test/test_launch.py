"""What a launch description does when it runs."""

import os
import signal
import subprocess
import sys
import time

import pytest
from launch import LaunchDescription, LaunchService
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.event_handlers import OnProcessExit, OnProcessStart, OnShutdown
from launch.events import matches_action
from launch.events.process import ShutdownProcess, SignalProcess
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); {more}print('up', flush=True)\n"
)


@pytest.fixture(autouse=True)
def log_in_temporary_folder(tmp_path, monkeypatch):
    """Keep the logs of the launches out of the checkout."""
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))


def run(*entities):
    """Run entities until they are over. Return (return code, service)."""
    service = LaunchService(noninteractive=True)
    service.include_launch_description(LaunchDescription(entities))
    return service.run(), service


def python(code, **keywords):
    """Return the action that runs a piece of Python."""
    return ExecuteProcess(cmd=[sys.executable, "-c", code], **keywords)


def test_arguments_have_defaults_and_given_values_win(capsys):
    code, _ = run(
        SetLaunchConfiguration("vehicle", "given"),
        DeclareLaunchArgument("vehicle", default_value="default"),
        DeclareLaunchArgument("speed", default_value=["1", "30"]),
        LogInfo(msg=[LaunchConfiguration("vehicle"), " at ", LaunchConfiguration("speed")]),
    )
    assert code == 0
    assert "[INFO] [launch.user]: given at 130" in capsys.readouterr().out


def test_missing_argument_ends_the_launch_with_its_name(capsys):
    code, _ = run(DeclareLaunchArgument("bag", description="folder of the bag"), python("print('never')"))
    output = capsys.readouterr().out
    assert code == 1
    assert "Required launch argument 'bag' (folder of the bag) was not provided" in output


def test_value_outside_the_choices_is_refused(capsys):
    declared = DeclareLaunchArgument("mode", default_value="fly", choices=["drive", "park"])
    assert run(declared)[0] == 1
    assert "'fly', but must be one of ['drive', 'park']" in capsys.readouterr().out


def test_conditions_choose_actions(capsys):
    run(
        LogInfo(msg="seen", condition=IfCondition("True")),
        LogInfo(msg="hidden", condition=UnlessCondition("1")),
    )
    output = capsys.readouterr().out
    assert "seen" in output and "hidden" not in output


def test_group_undoes_its_settings(capsys):
    run(
        SetLaunchConfiguration("name", "outside"),
        GroupAction([LogInfo(msg=LaunchConfiguration("name"))], launch_configurations={"name": "inside"}),
        LogInfo(msg=LaunchConfiguration("name")),
    )
    output = capsys.readouterr().out
    assert output.index("inside") < output.index("outside")


def test_included_file_gets_its_arguments(tmp_path, capsys):
    (tmp_path / "inner.launch.py").write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import DeclareLaunchArgument, LogInfo\n"
        "from launch.substitutions import LaunchConfiguration\n"
        "def generate_launch_description():\n"
        "    return LaunchDescription([DeclareLaunchArgument('a'), LogInfo(msg=LaunchConfiguration('a'))])\n"
    )
    source = PythonLaunchDescriptionSource(PathJoinSubstitution([str(tmp_path), "inner.launch.py"]))
    include = IncludeLaunchDescription(source, launch_arguments={"a": "passed on"}.items())
    assert [argument.name for argument in LaunchDescription([include]).get_launch_arguments()] == ["a"]
    assert run(include)[0] == 0
    assert "passed on" in capsys.readouterr().out


def test_opaque_function_returns_actions_and_its_exception_ends_the_launch(capsys):
    def fail(context):
        raise ValueError("vehicle 'tank' is unknown")

    code, _ = run(OpaqueFunction(function=lambda context, text: [LogInfo(msg=text)], args=["from python"]))
    assert code == 0
    assert run(OpaqueFunction(function=fail))[0] == 1
    output = capsys.readouterr().out
    assert "from python" in output and "vehicle 'tank' is unknown" in output


def test_output_carries_the_process_name_and_goes_where_it_should(tmp_path, capsys):
    action = python("import sys; print('out'); print('err', file=sys.stderr)", name="speaker", output="log")
    run(action, python("print('loud')", name="loud", output="screen"))
    output = capsys.readouterr().out
    log = next((tmp_path / "log").glob("*/launch.log")).read_text()
    assert "[speaker-" in log and "] out" in log
    assert "] err" in output and "] out" not in output and "] loud" in output


def test_environment_of_processes(capsys):
    show = "import os; print(os.environ['A'], os.environ['B'])"
    run(
        SetEnvironmentVariable("A", "one"),
        python(show, output="screen", additional_env={"B": EnvironmentVariable("A")}),
    )
    assert "one one" in capsys.readouterr().out
    assert "A" not in os.environ


def test_exit_is_seen_by_handlers_and_ends_the_launch():
    seen = []
    first = python("raise SystemExit(7)")
    handler = OnProcessExit(target_action=first, on_exit=lambda event, context: seen.append(event.returncode))
    started = OnProcessStart(target_action=first, on_start=lambda event, context: seen.append("start"))
    shutdown = OnShutdown(on_shutdown=lambda event, context: seen.append(event.reason))
    code, _ = run(*(RegisterEventHandler(entry) for entry in (handler, started, shutdown)), first)
    assert seen == ["start", 7, "idle"]
    assert code == 0 and first.return_code == 7


def test_shutdown_on_exit_ends_the_other_processes():
    waiting = python("import time; time.sleep(60)")
    ending = python("pass", on_exit=Shutdown(reason="the important one ended"))
    start = time.monotonic()
    assert run(waiting, ending)[0] == 0
    assert time.monotonic() - start < 10.0
    assert waiting.return_code == -signal.SIGINT


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [("", signal.SIGTERM), ("signal.signal(signal.SIGTERM, signal.SIG_IGN); ", signal.SIGKILL)],
)
def test_stubborn_process_gets_harder_signals(ignored, expected):
    code = STUBBORN.format(more=ignored) + "time.sleep(60)"
    action = python(code, sigterm_timeout=0.3, sigkill_timeout="0.3")
    run(action, TimerAction(period=1.0, actions=[Shutdown()]))
    assert action.return_code == -expected


def test_respawn_starts_again_until_the_shutdown():
    starts = []
    action = python("pass", respawn=True, respawn_delay=0.05)
    handler = OnProcessStart(
        target_action=action,
        on_start=lambda event, context: starts.append(1) or ([Shutdown()] if len(starts) == 3 else []),
    )
    assert run(RegisterEventHandler(handler), action)[0] == 0
    assert len(starts) == 3


def test_respawn_stops_after_its_retries():
    starts = []
    action = python("pass", respawn=True, respawn_max_retries=1)
    handler = OnProcessStart(on_start=lambda event, context: starts.append(1))
    run(RegisterEventHandler(handler), action)
    assert len(starts) == 2


def test_events_signal_and_end_single_processes():
    killed, ended = python("import time; time.sleep(60)"), python("import time; time.sleep(60)")
    kill = SignalProcess(signal_number=signal.SIGKILL, process_matcher=matches_action(killed))
    end = ShutdownProcess(process_matcher=matches_action(ended))
    emit = [EmitEvent(event=kill), EmitEvent(event=end)]
    assert run(killed, ended, TimerAction(period=0.5, actions=emit))[0] == 0
    assert (killed.return_code, ended.return_code) == (-signal.SIGKILL, -signal.SIGINT)


def test_program_that_does_not_exist_is_named(capsys):
    assert run(ExecuteProcess(cmd=["/no/such/program"]))[0] == 1
    assert "'/no/such/program' cannot be started" in capsys.readouterr().out


def test_interrupt_of_a_terminal_is_not_sent_twice():
    count = "import signal, time\nseen = []\nsignal.signal(signal.SIGINT, lambda *_: seen.append(1))\n"
    code = (
        count + "print('up', flush=True)\nwhile not seen: time.sleep(0.01)\ntime.sleep(0.5)\nprint(len(seen))"
    )
    program = (
        "import sys\nfrom launch import LaunchDescription, LaunchService\n"
        "from launch.actions import ExecuteProcess\n"
        "service = LaunchService()\n"
        f"action = ExecuteProcess(cmd=[sys.executable, '-c', {code!r}], output='screen', cached_output=True)\n"
        "service.include_launch_description(LaunchDescription([action]))\n"
        "service.run()\nsys.exit(0 if action.get_stdout().endswith('1\\n') else 9)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    while "] up" not in process.stdout.readline():
        pass
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 0, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_launch_ends_its_processes(number, tmp_path):
    code = (
        "import sys\nfrom launch import LaunchDescription, LaunchService\n"
        "from launch.actions import ExecuteProcess\n"
        "service = LaunchService(noninteractive=True)\n"
        "sleep = ExecuteProcess(cmd=['sleep', '60'])\n"
        "service.include_launch_description(LaunchDescription([sleep]))\n"
        "code = service.run()\nsys.exit(code if sleep.return_code == -2 else 9)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert "process started" in process.stdout.readline()
    process.send_signal(number)
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 0, output
