"""What the machine must bring along; each check names what to install."""

import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from bootstrap.progress import SetupError

NEWEST_PYTHON = (3, 14)  # the ROS 2 wheels exist for 3.10 to 3.14
NEEDED_BYTES = 2_000_000_000  # the environment takes 1.0 GB, the build 0.1 GB, pip's temporary files the rest


def check_machine(world, python):
    """Raise SetupError with all that is missing, so that one round of installing is enough."""
    missing = [*_compilers(world), *_python(world, python), *_space(world)]
    if missing:
        raise SetupError("\n".join(f"- {text}" for text in missing))


def _compilers(world):
    if not (shutil.which("gcc") or shutil.which("cc")) or not (shutil.which("g++") or shutil.which("c++")):
        yield "A C and a C++ compiler are needed to build the messages: apt install gcc g++"
    if not world.embedded:
        for program, package in (("cmake", "cmake"), ("colcon", "python3-colcon-common-extensions")):
            if not shutil.which(program):
                yield f"'{program}' is needed to build the packages: apt install {package}"


def _python(world, python):
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if world.embedded and sys.version_info[:2] > NEWEST_PYTHON:
        yield f"Python {version} is newer than the embedded ROS 2 knows: install Python 3.10 to 3.14"
    if world.embedded and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        yield (
            f"The embedded ROS 2 exists for Linux on x86-64 only, this is {platform.system()} on"
            f" {platform.machine()}: install and source an official ROS 2 (Jazzy or newer)"
        )
    if subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode:
        yield f"Python's module 'venv' is missing: apt install python{version}-venv"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        yield f"Python's header files are missing: apt install python{version}-dev"


def _space(world):
    free = shutil.disk_usage(world.root).free
    if free < NEEDED_BYTES and not world.venv.exists():
        yield f"{NEEDED_BYTES / 1e9:.0f} GB of free disk space are needed, {free / 1e9:.1f} GB are left"
