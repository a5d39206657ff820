"""A launch as a child: it ends when told to, leaves nothing behind, and runs in a domain of its own."""

import os
import signal
import sys
import textwrap
import time

import pytest

from pilot_bringup.launch_process import LaunchError, LaunchProcess
from pilot_bringup.ros_domain import DOMAINS, free_domain


@pytest.fixture
def fake_ros2(tmp_path, monkeypatch):
    """A `ros2` whose body the test gives."""

    def make(body):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "ros2"
        script.write_text(f"#!{sys.executable}\n" + textwrap.dedent(body))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return make


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_it_hears_what_the_launch_says(fake_ros2, tmp_path):
    fake_ros2("import sys, time\nprint('words', sys.argv[1:], flush=True)\ntime.sleep(60)")
    with LaunchProcess(["x.launch.py", "a:=1"], tmp_path / "log", {}) as process:
        assert until(lambda: process.said(r"words \['launch', 'pilot_bringup', 'x.launch.py', 'a:=1'\]"))
        assert not process.said("never said")


def test_stopping_asks_first_so_that_a_bag_can_be_closed(fake_ros2, tmp_path):
    fake_ros2(
        """
        import signal, sys, time, pathlib
        def end(number, frame):
            pathlib.Path(sys.argv[0] + ".closed").write_text("properly")
            sys.exit(0)
        signal.signal(signal.SIGINT, end)
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    with LaunchProcess([], tmp_path / "log", {}) as process:
        assert until(lambda: process.said("ready"))
    assert process.code == 0
    assert (tmp_path / "bin" / "ros2.closed").read_text() == "properly"


def test_what_refuses_to_end_is_ended_with_all_its_children(fake_ros2, tmp_path, monkeypatch):
    monkeypatch.setattr("pilot_bringup.launch_process.PATIENCE", 0.3)
    monkeypatch.setattr("pilot_bringup.launch_process.LAST_PATIENCE", 0.3)
    fake_ros2(
        """
        import signal, subprocess, sys, time
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print("child", child.pid, "end", flush=True)
        time.sleep(60)
        """
    )
    with LaunchProcess([], tmp_path / "log", {}) as process:
        assert until(lambda: process.said("end"))
        child = int((tmp_path / "log").read_text().split()[1])
        assert alive(child)
    assert process.code == -signal.SIGKILL
    assert until(lambda: not alive(child))


def test_children_that_outlive_their_launch_end_too(fake_ros2, tmp_path):
    fake_ros2(
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print("child", child.pid, "end", flush=True)
        """
    )
    with LaunchProcess([], tmp_path / "log", {}) as process:
        assert until(lambda: process.code == 0)
        child = int((tmp_path / "log").read_text().split()[1])
    assert until(lambda: not alive(child))


def test_the_complaint_is_the_line_that_says_what_is_wrong(fake_ros2, tmp_path):
    fake_ros2("print('hello')\nprint('fusion_node: facts.yaml: speed: must be a float')\nprint('bye')")
    with LaunchProcess([], tmp_path / "log", {}) as process:
        assert until(lambda: process.code is not None)
    assert process.complaint() == "fusion_node: facts.yaml: speed: must be a float"


def test_without_ros2_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="no ros2"):
        LaunchProcess([], tmp_path / "log", {})


def test_two_runs_never_share_a_domain():
    with free_domain() as one, free_domain() as two:
        assert one != two
        assert {one, two} <= set(DOMAINS)
