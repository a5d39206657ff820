"""The two worlds the project runs in: ROS 2 from PyPI in `embedded/venv`, or a sourced official ROS 2.

A world knows where its files are, which Python it uses and which variables it adds to the caller's.
"""

import glob
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.progress import SetupError

MARK = "HIGHWAY_PILOT_WORLD"  # set by us, so that a ./pilot inside ./pilot recognises its own ROS_DISTRO
OLDEST_DISTRIBUTION = "jazzy"  # distributions are named in alphabetical order
EMBEDDED_DISTRIBUTION = "kilted"


@dataclass(frozen=True)
class World:
    """Where one kind of ROS 2 lives and what it needs."""

    name: str
    root: Path
    venv: Path
    embedded: bool
    fixed: dict = field(default_factory=dict)
    defaults: dict = field(default_factory=dict)

    @property
    def state(self):
        """Folder of everything that is made for this world, except the virtual environment."""
        return self.root / ".pilot" / self.name

    @property
    def python(self):
        """The interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def site_packages(self):
        """Folder of the libraries of the virtual environment."""
        return Path(
            glob.glob(f"{self.venv}/lib/python3*/site-packages")[0] if self.venv.exists() else self.venv
        )

    def base_environment(self, environment):
        """Return the variables in which colcon runs: the caller's, plus those of this world."""
        result = {**self.defaults, **environment, **self.fixed, MARK: self.name}
        if self.embedded:
            for name in (
                "PYTHONPATH",
                "PYTHONHOME",
                "AMENT_PREFIX_PATH",
                "CMAKE_PREFIX_PATH",
                "COLCON_PREFIX_PATH",
            ):
                result.pop(name, None)
            libraries = [f"{self.venv}/lib", *sorted(glob.glob(f"{self.site_packages}/ros_*.libs"))]
            prepend(result, "PATH", [f"{self.venv}/bin"])
            prepend(result, "LD_LIBRARY_PATH", libraries)
            prepend(result, "AMENT_PREFIX_PATH", [str(self.venv)])
            prepend(result, "CMAKE_PREFIX_PATH", [str(self.venv)])
        else:
            prepend(result, "PATH", [f"{self.venv}/bin"])
            # Nodes start with the distribution's interpreter: this is how they find what the venv adds.
            prepend(result, "PYTHONPATH", [str(self.site_packages)])
        return result


def prepend(environment, name, entries):
    """Put entries in front of a colon-separated variable, each of them once."""
    present = [entry for entry in environment.get(name, "").split(":") if entry]
    environment[name] = ":".join([*entries, *(entry for entry in present if entry not in entries)])


def find_world(root, environment):
    """Return the world to use: official where one is sourced, else embedded.

    Raises SetupError for a sourced ROS 2 that is too old.
    """
    distribution = environment.get("ROS_DISTRO", "")
    official = distribution and environment.get("AMENT_PREFIX_PATH") and environment.get(MARK) != "embedded"
    defaults = {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_LOG_DIR": f"{root}/.pilot/log/ros",
        # One thread per process: eight processes share few cores, and sums stay in one order.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    fixed = {"HIGHWAY_PILOT_ROOT": str(root), "COLCON_HOME": f"{root}/.pilot/colcon"}
    if official:
        if distribution < OLDEST_DISTRIBUTION:
            raise SetupError(
                f"The sourced ROS 2 '{distribution}' is too old: use Jazzy, Kilted or newer,\n"
                "or start in a shell without a sourced ROS 2 to use the embedded one."
            )
        return World(distribution, root, root / ".pilot" / distribution / "venv", False, fixed, defaults)
    fixed.update(
        ROS_DISTRO=EMBEDDED_DISTRIBUTION,
        ROS_VERSION="2",
        ROS_PYTHON_VERSION="3",
        PYTHONNOUSERSITE="1",
        VIRTUAL_ENV=f"{root}/embedded/venv",
        # Without this each interpreter of the wheels starts itself a second time to set LD_LIBRARY_PATH.
        _ROS_WHEELS_BOOTSTRAP_COMPLETE="1",
    )
    defaults.update(
        FASTDDS_DEFAULT_PROFILES_FILE=f"{root}/embedded/fastdds_shm.xml",
        # Large images: keep their memory instead of giving it back to the kernel each time.
        MALLOC_MMAP_THRESHOLD_="1073741824",
        MALLOC_TRIM_THRESHOLD_="2147483648",
        MALLOC_TOP_PAD_="67108864",
    )
    return World("embedded", root, root / "embedded" / "venv", True, fixed, defaults)


def interpreter(world):
    """Return the Python the virtual environment is made from."""
    return sys.executable if world.embedded or not os.path.exists("/usr/bin/python3") else "/usr/bin/python3"
