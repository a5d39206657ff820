"""The set-up: which world, when to build, what to say when something fails. Nothing is installed here."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from bootstrap import install, prepare
from bootstrap.build import package_files
from bootstrap.kernels import compile_kernels, kernel_modules, machine_code_folder
from bootstrap.progress import Progress, SetupError
from bootstrap.worlds import find_world, prepend

OFFICIAL = {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": "/opt/ros/jazzy", "PATH": "/usr/bin"}


def add(root, path, text=""):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout with one Python package and one of messages."""
    for path in ("package.xml", "setup.py", "pilot_bringup/cli.py"):
        add(tmp_path, f"src/pilot_bringup/{path}", "x")
    for path in ("package.xml", "msg/World.msg"):
        add(tmp_path, f"src/pilot_msgs/{path}", "x")
    add(tmp_path, "config/graph.yaml")
    return tmp_path


def test_sourced_ros_is_used_and_else_the_embedded_one(tmp_path):
    assert find_world(tmp_path, OFFICIAL).name == "jazzy"
    assert find_world(tmp_path, {"PATH": "/usr/bin"}).embedded
    assert find_world(tmp_path, {"ROS_DISTRO": "jazzy"}).embedded  # the name alone is no installation


def test_own_environment_is_not_taken_for_an_official_one(tmp_path):
    ours = {"ROS_DISTRO": "kilted", "AMENT_PREFIX_PATH": "/x", "HIGHWAY_PILOT_WORLD": "embedded"}
    assert find_world(tmp_path, ours).embedded


def test_too_old_distribution_is_refused(tmp_path):
    with pytest.raises(SetupError, match=r"humble.*too old"):
        find_world(tmp_path, {**OFFICIAL, "ROS_DISTRO": "humble"})


def test_values_of_the_caller_win_over_defaults(tmp_path):
    world = find_world(tmp_path, {})
    environment = world.base_environment({"OMP_NUM_THREADS": "4", "PYTHONPATH": "/elsewhere", "PATH": "/bin"})
    assert environment["OMP_NUM_THREADS"] == "4"
    assert "PYTHONPATH" not in environment
    assert environment["PATH"] == f"{tmp_path}/embedded/venv/bin:/bin"


def test_lists_keep_each_entry_once():
    environment = {"PATH": "/b:/a"}
    prepend(environment, "PATH", ["/a"])
    assert environment["PATH"] == "/a:/b"


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("src/pilot_msgs/msg/Plan.msg", "pilot_msgs"),
        ("src/pilot_msgs/msg/World.msg", "pilot_msgs"),
        ("src/pilot_bringup/setup.py", "pilot_bringup"),
        ("launch/new.launch.py", "pilot_bringup"),
        ("config/vehicles/new/facts.yaml", "pilot_bringup"),
        ("src/pilot_new/package.xml", "pilot_new"),
    ],
)
def test_new_and_changed_files_build_their_package(checkout, path, package):
    before = package_files(checkout)
    add(checkout, path, "changed")
    after = package_files(checkout)
    assert {name for name in after if after[name] != before.get(name)} == {package}


@pytest.mark.parametrize("path", ["src/pilot_bringup/pilot_bringup/cli.py", "config/graph.yaml"])
def test_edits_of_linked_files_build_nothing(checkout, path):
    before = package_files(checkout)
    add(checkout, path, "changed")
    assert package_files(checkout) == before


def test_variables_are_added_to_those_of_the_moment(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/mine:/usr/bin")
    monkeypatch.setenv("ROS_LOG_DIR", "/my/log")
    world = find_world(tmp_path, {})
    variables = {
        "set": {"A": "1"},
        "default": {"ROS_LOG_DIR": "x"},
        "prepend": {"PATH": ["/venv/bin", "/mine"]},
    }
    environment = prepare._apply(world, {"variables": variables, "kernels": "7"})
    assert environment["PATH"] == "/venv/bin:/mine:/usr/bin"
    assert environment["A"] == "1"
    assert environment["ROS_LOG_DIR"] == "/my/log"


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "could not be reached"),
        ("ERROR: No matching distribution found for libsumo==1.28.0", "does not offer libsumo==1.28.0"),
        ("error: something else", "Failed while installing: error: something else"),
    ],
)
def test_failures_say_what_to_do_and_where_the_log_is(tmp_path, output, advice):
    progress = Progress("title", tmp_path / "setup.log")
    command = [sys.executable, "-c", f"import sys; print({output!r}); sys.exit(1)"]
    with pytest.raises(SetupError, match=advice) as caught:
        install._checked(progress, "installing", command)
    assert str(tmp_path / "setup.log") in str(caught.value)
    assert output in (tmp_path / "setup.log").read_text()


def test_all_that_a_machine_lacks_is_said_at_once(tmp_path, monkeypatch):
    from bootstrap import machine

    monkeypatch.setattr(machine.shutil, "which", lambda program: None)
    monkeypatch.setattr(machine.sysconfig, "get_path", lambda name: "/nowhere")
    world = SimpleNamespace(embedded=True, root=tmp_path, venv=tmp_path / "venv")
    with pytest.raises(SetupError) as caught:
        machine.check_machine(world, sys.executable)
    assert "apt install gcc g++" in str(caught.value) and "header files are missing" in str(caught.value)


def test_any_changed_loop_compiles_all_anew_and_other_edits_none(checkout):
    """A loop may call one of another file: machine code of before the change must never be used with it."""
    add(checkout, "src/pilot_fusion/pilot_fusion/gate.py", "from pilot_common.compiled import compiled")
    add(checkout, "src/pilot_fusion/test/test_gate.py", "from pilot_common.compiled import compiled")
    modules, digest = kernel_modules(checkout)
    assert modules == ["pilot_fusion.gate"]
    add(checkout, "src/pilot_bringup/pilot_bringup/cli.py", "edited")
    assert kernel_modules(checkout)[1] == digest
    add(
        checkout,
        "src/pilot_fusion/pilot_fusion/gate.py",
        "from pilot_common.compiled import compiled  # edited",
    )
    assert kernel_modules(checkout)[1] != digest


def test_loops_are_compiled_into_their_folder_and_former_ones_leave(tmp_path):
    rehearsal = "import os, pathlib; pathlib.Path(os.environ['NUMBA_CACHE_DIR']).mkdir(parents=True)"
    add(tmp_path, "pilot_simulation/rehearsal.py", rehearsal)
    world = SimpleNamespace(root=tmp_path, name="w", python=sys.executable)
    former, other = machine_code_folder(world, "old"), tmp_path / ".pilot/compiled/jazzy-old"
    for folder in (former, other):
        folder.mkdir(parents=True)
    progress = Progress("title", tmp_path / "setup.log")
    compile_kernels(world, progress, {"PYTHONPATH": str(tmp_path)}, "new")
    assert machine_code_folder(world, "new").is_dir()
    assert not former.exists() and other.exists()
