"""Where the configuration lies: in the source tree, or installed in `share/pilot_bringup/config`."""

import os
from pathlib import Path

from pilot_common.errors import ConfigError


def config_folder() -> Path:
    """The folder that holds `graph.yaml`. Raises ConfigError where neither the source tree nor an installation is found."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "config" / "graph.yaml").exists():
            return parent / "config"
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(
        os.pathsep
    ):  # how ROS 2 finds every installed resource
        candidate = Path(prefix) / "share" / "pilot_bringup" / "config"
        if (candidate / "graph.yaml").exists():
            return candidate
    raise ConfigError(
        "config/graph.yaml", "", "not found beside the sources nor in an installed pilot_bringup"
    )
