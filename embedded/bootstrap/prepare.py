"""Brings the checkout up to date when something changed, and gives the variables to run in.

The outcome is kept in `.pilot/<world>/state.json`, so that the next start only compares and reads.
"""

import fcntl
import hashlib
import json
import os
import sys
from pathlib import Path

from bootstrap.build import build, built_environment, package_files
from bootstrap.install import install
from bootstrap.kernels import compile_kernels, kernel_modules, machine_code_folder
from bootstrap.progress import Progress, SetupError
from bootstrap.worlds import find_world

# Variables that are lists: what the world adds goes in front of what the caller has at the time.
LISTS = (
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
)


def prepared_environment(root):
    """Return (variables, interpreter) in which the project runs, after making what is missing."""
    world = find_world(Path(root), os.environ)
    _, digest = kernel_modules(world.root)
    wanted = {
        "environment": _environment_key(world),
        "packages": package_files(world.root),
        "kernels": digest,
    }
    state = _read(world)
    if not _current(state, wanted, world):
        state = _update(world, wanted)
    return _apply(world, state), str(world.python)


def _environment_key(world):
    """Return a digest of what decides about the virtual environment and the variables."""
    digest = hashlib.sha256(f"{world.root} {sys.version_info[:2] if world.embedded else ''}".encode())
    embedded = world.root / "embedded"
    for path in ("requirements.txt", "requirements.in", "launch_subset/setup.cfg", "bootstrap/worlds.py"):
        if (embedded / path).exists():
            digest.update((embedded / path).read_bytes())
    if not world.embedded:
        digest.update(
            os.environ["AMENT_PREFIX_PATH"].encode() if not os.environ.get("HIGHWAY_PILOT_WORLD") else b""
        )
    return digest.hexdigest()[:16]


def _read(world):
    try:
        return json.loads((world.state / "state.json").read_text())
    except (OSError, ValueError):
        return {}


def _current(state, wanted, world):
    return all(state.get(key) == value for key, value in wanted.items()) and world.python.exists()


def _update(world, wanted):
    """Make what is missing while no other ./pilot does."""
    try:
        world.state.mkdir(parents=True, exist_ok=True)
        lock = (world.root / ".pilot" / "lock").open("w")
    except OSError as error:
        raise SetupError(f"Cannot write {error.filename}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("Another ./pilot is setting up this checkout; waiting for it.\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        state = _read(world)
        wanted["packages"] = package_files(world.root)
        if _current(state, wanted, world):
            return state
        try:
            return _make(world, state, wanted)
        except OSError as error:
            raise SetupError(f"{error.strerror}: {error.filename or world.root}") from None


def _make(world, state, wanted):
    title = "Highway Pilot: sources changed, bringing the build up to date"
    if not state:
        title = "Highway Pilot: first start, this takes one to five minutes"
    progress = Progress(title, world.state / "setup.log")
    before = state.get("packages", {})
    if state.get("environment") != wanted["environment"] or not world.python.exists():
        install(world, progress)
        before = {}
        # What was built belongs to the former environment; from here on an interruption builds again.
        (world.state / "state.json").unlink(missing_ok=True)
    build(world, progress, before, wanted["packages"])
    progress.step("reading the environment of the built packages")
    state = {**wanted, "variables": _additions(world, built_environment(world))}
    compile_kernels(world, progress, _apply(world, state), wanted["kernels"])
    temporary = world.state / "state.json.new"
    temporary.write_text(json.dumps(state, indent=1))
    temporary.replace(world.state / "state.json")
    progress.done("ready")
    return state


def _additions(world, built):
    """Return what the world adds to a caller's variables: {"set": {...}, "default": {...}, "prepend": {...}}."""
    caller = {} if world.embedded else os.environ
    prepend = {}
    for name in LISTS:
        known = caller.get(name, "").split(":") + ([] if name != "PATH" else os.environ["PATH"].split(":"))
        prepend[name] = [entry for entry in built.get(name, "").split(":") if entry and entry not in known]
    return {
        "set": {**world.fixed, "HIGHWAY_PILOT_WORLD": world.name},
        "default": world.defaults,
        "prepend": prepend,
    }


def _apply(world, state):
    """Return the caller's variables with the additions of the world."""
    variables = state["variables"]
    result = {**variables["default"], **os.environ, **variables["set"]}
    result.setdefault("NUMBA_CACHE_DIR", str(machine_code_folder(world, state["kernels"])))
    if world.embedded:
        result.pop("PYTHONHOME", None)
        for name in ("PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH"):
            result.pop(name, None)
    for name, entries in variables["prepend"].items():
        present = [entry for entry in result.get(name, "").split(":") if entry and entry not in entries]
        if entries or present:
            result[name] = ":".join([*entries, *present])
    # Who wants no compiled files beside the sources gets them elsewhere: each of the eight processes of a drive would
    # otherwise spend its first second compiling what it imports.
    if result.pop("PYTHONDONTWRITEBYTECODE", ""):
        result.setdefault("PYTHONPYCACHEPREFIX", f"{world.root}/.pilot/pycache")
    return result
