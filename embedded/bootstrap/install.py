"""Makes the virtual environment of a world from the lock file."""

import re
import shutil
import subprocess
from pathlib import Path

from bootstrap.machine import check_machine
from bootstrap.progress import SetupError
from bootstrap.worlds import interpreter

COMPLETE = ".complete"  # exists in a virtual environment that was finished; without it, it is made anew
CAUSES = (
    (r"No space left on device", "The disk is full: free some space and start again."),
    (
        r"(?i)name resolution|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|IncompleteRead",
        "The package index could not be reached: check the network (and pip's index and proxy settings),"
        " then start again.",
    ),
    (
        r"No matching distribution found for (\S+)",
        "The package index does not offer {0} for this Python and machine.",
    ),
    (r"Permission denied: '?([^'\n]*)", "No permission to write {0}: use a checkout that is your own."),
)


def install(world, progress):
    """Create or bring up to date the virtual environment. Raises SetupError."""
    python = interpreter(world)
    check_machine(world, python)
    if world.venv.exists() and not (world.venv / COMPLETE).exists():
        progress.step("removing an unfinished environment")
        shutil.rmtree(world.venv)
    (world.venv / COMPLETE).unlink(missing_ok=True)
    if not world.python.exists():
        options = [] if world.embedded else ["--system-site-packages"]
        _checked(progress, "creating the Python environment", [python, "-m", "venv", *options, world.venv])
    if world.embedded:
        _install_embedded(world, progress)
    else:
        _install_beside_distribution(world, progress)
    for shell in ("sh", "bash", "zsh"):
        # colcon expects these in every prefix; what they would set, ./pilot sets.
        (world.venv / f"local_setup.{shell}").touch()
    (world.venv / COMPLETE).touch()


def _install_embedded(world, progress):
    lock = world.root / "embedded" / "requirements.txt"
    packages = sum(1 for line in lock.read_text().splitlines() if "==" in line)
    _pip(world, progress, f"installing {packages} packages", ["-r", lock])
    subset = world.root / "embedded" / "launch_subset"
    # As a plain path: the checkout has a folder launch/ itself, which a finder for editables would lose to.
    options = ["--no-deps", "--no-build-isolation", "--config-settings", "editable_mode=compat"]
    options += ["--editable", subset]
    _pip(world, progress, "installing the launch subset", options)


def _install_beside_distribution(world, progress):
    """Add the libraries which the distribution lacks, never its own ones in another version.

    numpy above all stays the distribution's: the message extensions of ROS 2 are compiled against it.
    """
    embedded = world.root / "embedded"
    wanted = [
        re.match(r"[A-Za-z0-9-]+", line).group()
        for line in (embedded / "requirements.in").read_text().splitlines()
        if line and not line.startswith(("#", "ros-", "colcon-", "setuptools", "cmake", "ninja"))
    ]
    present = _present_versions(world.python)
    missing = [name for name in wanted if _normal(name) not in present]
    if not missing:
        return
    pins = [
        line
        for line in (embedded / "requirements.txt").read_text().splitlines()
        # scipy comes in the version that fits the distribution's numpy.
        if "==" in line and _normal(line.split("==")[0]) not in {*present, "scipy"}
    ]
    kept = [f"{name}=={version}" for name, version in present.items() if name in ("numpy", "scipy")]
    constraints = world.state / "constraints.txt"
    constraints.parent.mkdir(parents=True, exist_ok=True)
    constraints.write_text("\n".join([*pins, *kept]) + "\n")
    _pip(world, progress, f"installing {len(missing)} libraries", ["-c", constraints, *missing])


def _present_versions(python):
    """Return {normal name: version} of every library the interpreter sees."""
    code = "from importlib.metadata import distributions as d\nfor x in d(): print(x.name, x.version)"
    output = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return {_normal(line.split()[0]): line.split()[1] for line in output.splitlines()}


def _normal(name):
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _pip(world, progress, text, arguments):
    collected = set()

    def describe(line):
        match = re.match(r"\s*(?:Collecting|Processing) ([A-Za-z0-9_.-]+)", line)
        if match:
            collected.add(match.group(1))
            return f"{len(collected)} found, {match.group(1)}"
        return "unpacking" if line.startswith("Installing collected") else None

    # No cache: nothing outside the checkout is written. No compiling: Python does it for what is imported.
    options = ["--no-cache-dir", "--no-compile", "--disable-pip-version-check", "--no-input"]
    _checked(progress, text, [world.python, "-m", "pip", "install", *options, *arguments], describe)


def _checked(progress, text, command, describe=lambda line: None):
    status, output = progress.run(text, command, None, describe)
    if status == 0:
        return
    for pattern, advice in CAUSES:
        match = re.search(pattern, output)
        if match:
            raise SetupError(f"{advice.format(*match.groups())}\nLog: {progress.log_file}")
    lines = [line for line in output.splitlines() if line.strip()]
    reason = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")
    raise SetupError(f"Failed while {text}: {reason}\nLog: {Path(progress.log_file)}")
