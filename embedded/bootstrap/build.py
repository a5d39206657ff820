"""Builds what changed with colcon and reads the variables of the result."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from bootstrap.progress import SetupError

# Files whose content decides about a build. Python modules are linked, so that their edits need none.
DECIDING_NAMES = {"package.xml", "setup.py", "setup.cfg", "CMakeLists.txt"}
DECIDING_SUFFIXES = (".msg", ".srv", ".action")
# Trees that a package installs from outside its folder: their lists of files decide as well.
LINKED_TREES = {"pilot_bringup": ("launch", "config")}

REASONS = (
    r"Error processing (.+\n)+",
    r"^.*: (fatal )?error: .*$",
    r"^ *\w*(Error|Exception): .*$",
    r"CMake Error.*\n(.+\n)*",
)


def package_files(root):
    """Return {package: {path below the root: digest or ''}} of all that decides about a build."""
    result = {}
    for manifest in sorted((root / "src").glob("*/package.xml")):
        package = manifest.parent
        files = {}
        for folder, folders, names in os.walk(package):
            folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
            for name in names:
                if name in DECIDING_NAMES or name.endswith(DECIDING_SUFFIXES):
                    path = os.path.join(folder, name)
                    files[os.path.relpath(path, root)] = _digest(path)
        for tree in LINKED_TREES.get(package.name, ()):
            for folder, folders, names in os.walk(root / tree):
                folders[:] = [name for name in folders if name != "__pycache__"]
                files.update((os.path.relpath(os.path.join(folder, name), root), "") for name in names)
        result[package.name] = files
    return result


def _digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def build(world, progress, before, now):
    """Build the packages whose deciding files changed; one that lost a file is built from nothing."""
    changed = [name for name, files in now.items() if before.get(name) != files]
    lost = [name for name in before if set(before[name]) - set(now.get(name, {}))]
    for name in lost:
        # Links to files that are gone would stay installed. Messages keep their build: CMake looks anew.
        shutil.rmtree(world.state / "install" / name, ignore_errors=True)
        if name != "pilot_msgs":
            shutil.rmtree(world.state / "build" / name, ignore_errors=True)
    if changed:
        _colcon(world, progress, changed)


def _colcon(world, progress, packages):
    environment = world.base_environment(dict(os.environ))
    definitions = ["-DCMAKE_CXX_FLAGS=-O1", "-DCMAKE_C_FLAGS=-O1", "-Wno-dev"]
    if world.embedded:
        files = [f"{world.root}/embedded/{name}.cmake" for name in ("ros_wheels_fix", "join_type_support")]
        definitions.append(f"-DCMAKE_PROJECT_INCLUDE={';'.join(files)}")
        definitions.append(f"-DPython3_EXECUTABLE={world.python}")
    if shutil.which("ninja", path=environment["PATH"]):
        definitions.insert(0, "-GNinja")
    command = [
        *("colcon", "--log-base", world.state / "log", "build", "--symlink-install"),
        *("--base-paths", world.root / "src"),
        *("--build-base", world.state / "build", "--install-base", world.state / "install"),
        *("--event-handlers", "console_cohesion+", "--packages-select", *packages),
        *("--cmake-args", *definitions),
    ]
    finished = []

    def describe(line):
        match = re.match(r"Finished <<< (\S+)", line)
        if match:
            finished.append(match.group(1))
            return f"{len(finished)} of {len(packages)}, {match.group(1)}"
        return None

    text = f"building {len(packages)} package{'s' if len(packages) > 1 else ''}"
    status, output = progress.run(text, command, environment, describe, world.root)
    if status:
        failed = re.findall(r"Failed\s+<<< (\S+)", output)
        raise SetupError(
            f"The build of {', '.join(failed) or 'the packages'} failed: {_reason(output)}\nLog: {progress.log_file}"
        )


def _reason(output):
    """Return the most telling words of a failed build: of the message generator, a compiler, Python or CMake."""
    for pattern in REASONS:
        match = re.search(pattern, output, re.MULTILINE)
        if match:
            return " ".join(match.group().split())
    return "no reason found"


def built_environment(world):
    """Return {variable: value} of the whole prepared environment, as the built packages ask for it."""
    script = f'. "{world.state}/install/local_setup.bash" >/dev/null && exec env -0'
    result = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script],
        env=world.base_environment(dict(os.environ)),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SetupError(f"The built packages could not be sourced: {result.stderr.strip()}")
    return dict(entry.split("=", 1) for entry in result.stdout.split("\0") if "=" in entry)
