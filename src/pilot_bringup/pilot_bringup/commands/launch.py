"""Passes through to `ros2 launch pilot_bringup`: `./pilot launch drive vehicle:=city_ev` or the full name of a launch file."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

SUFFIX = ".launch.py"


def run(words: Sequence[str]) -> int:
    """Becomes `ros2 launch`; with --json stays to say how it ended."""
    rest = [word for word in words if word != "--json"]
    if rest and not rest[0].startswith("-") and ":=" not in rest[0]:
        file = rest[0] if rest[0].endswith(SUFFIX) else rest[0] + SUFFIX
        rest = ["pilot_bringup", file, *rest[1:]]
    command = ["ros2", "launch", *rest]
    if "--json" not in words:
        sys.stdout.flush()
        os.execvp(command[0], command)
    code = subprocess.run(command, stdout=sys.stderr, check=False).returncode
    criteria = {"exit_code": {"value": code, "limit": 0, "pass": code == 0}}
    print(json.dumps({"verdict": "pass" if code == 0 else "fail", "criteria": criteria, "command": command}))
    return code
