"""Entry for colcon; setup.cfg declares all but the linked trees of launch and configuration files."""

from pathlib import Path

from setuptools import setup

NAME = "pilot_bringup"


def installed_tree(folder):
    """Return (target folder, files) for every folder of a tree, which data_files wants one by one."""
    files = sorted(
        path for path in Path(folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    parents = sorted({path.parent for path in files})
    return [
        (f"share/{NAME}/{parent}", [str(path) for path in files if path.parent == parent])
        for parent in parents
    ]


setup(
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *installed_tree("launch"),
        *installed_tree("config"),
    ],
)
