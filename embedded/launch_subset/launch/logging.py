"""Lines of the launch and of its processes, on the screen and in the log folder."""

import os
import sys
import threading
import time
from pathlib import Path

from launch.missing import missing_names

_lock = threading.Lock()


def log_folder(environment):
    """Create and return the folder of this launch's log, below ROS_LOG_DIR or ~/.ros/log as everywhere in ROS 2."""
    base = environment.get("ROS_LOG_DIR") or Path(environment.get("ROS_HOME") or Path.home() / ".ros") / "log"
    folder = Path(base) / f"{time.strftime('%Y-%m-%d-%H-%M-%S')}-launch-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log(context, level, name, text):
    """Report what the launch itself does, on the screen and in its log."""
    write_line(context, f"[{level}] [{name}]: {text}", screen=True)


def write_line(context, line, *, screen, file=True):
    """Write one line to the wanted places."""
    with _lock:
        if screen:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        if file and context.log_folder is not None:
            with open(context.log_folder / "launch.log", "a", encoding="utf-8") as stream:
                stream.write(f"{time.time():.3f} {line}\n")


__getattr__ = missing_names(__name__)
