"""No function of the car ever waits for a compiler: the set-up's rehearsal has compiled every loop they call."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from pilot_common.compiled import keep_signatures
from pilot_common.folders import config_folder
from pilot_simulation.rehearsal import rehearse

FUNCTIONS = ("pilot_detection", "pilot_fusion", "pilot_planning", "pilot_control", "pilot_vehicle")


def compiled_in(tree: ast.AST) -> set[str]:
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(mark, ast.Name) and mark.id == "compiled" for mark in node.decorator_list)
    }


def called_from_python(module: str, tree: ast.AST) -> set[tuple[str, str]]:
    """Functions (module, name) that are called outside compiled loops."""
    names = set()
    imported = {
        name.asname or name.name: (node.module, name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef) and node.name in compiled_in(tree):
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names.add(imported.get(node.func.id, (module, node.func.id)))
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return names


@pytest.fixture(scope="module")
def signatures() -> dict:
    return rehearse(config_folder(), lambda words: None)


def test_the_rehearsal_compiles_every_loop_that_a_function_of_the_car_calls(signatures):
    files = [
        file
        for room in FUNCTIONS
        for place in importlib.util.find_spec(room).submodule_search_locations
        for file in Path(place).rglob("*.py")
    ]
    trees = {module_name(file): ast.parse(file.read_text()) for file in files}
    called = {function for name, tree in trees.items() for function in called_from_python(name, tree)}
    loops = called & {(name, loop) for name, tree in trees.items() for loop in compiled_in(tree)}
    assert len(loops) > 40
    assert not [f"{module}.{name}" for module, name in loops if not signatures.get(f"{module}.{name}")]


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[max(index for index, part in enumerate(parts) if part in FUNCTIONS) :])


LOADS = """
from pilot_common.compiled import load_machine_code, loops
import pilot_planning.highway.planner
assert load_machine_code() > 20
found = loops().values()
assert any(loop.signatures for loop in found)
assert not any(loop.stats.cache_misses for loop in found), "compiled again"
"""


@pytest.mark.skipif(
    not numba.config.CACHE_DIR, reason="machine code is not kept here: NUMBA_CACHE_DIR is not set"
)
def test_a_node_loads_all_machine_code_before_it_drives(signatures):
    keep_signatures(signatures)
    subprocess.run([sys.executable, "-c", LOADS], check=True, timeout=200)
