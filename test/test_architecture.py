"""The house as it is drawn: who may import whom, where ROS stands, and what no core may touch."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.runner import core_class
from pilot_common.vehicle import vehicle_names

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
FUNCTION_ROOMS = ("pilot_detection", "pilot_fusion", "pilot_planning", "pilot_control", "pilot_supervision")
SMALL_ROOMS = {
    "pilot_common": set(),
    "pilot_vehicle": {"pilot_common"},
    "pilot_control": {"pilot_common", "pilot_vehicle"},
}
HOUSE = {*FUNCTION_ROOMS, "pilot_common", "pilot_vehicle"}
MAY_IMPORT = {
    **{room: {"pilot_common"} for room in FUNCTION_ROOMS},
    **SMALL_ROOMS,
    "pilot_simulation": HOUSE,
    "pilot_evaluation": HOUSE | {"pilot_simulation"},
    "pilot_bringup": HOUSE | {"pilot_simulation", "pilot_evaluation"},
}
# No clock, log, file, environment, process, network or thread inside what must be the same in every run.
FORBIDDEN_IN_CORES = {
    *(
        "time",
        "datetime",
        "random",
        "secrets",
        "uuid",
        "logging",
        "os",
        "sys",
        "socket",
        "subprocess",
        "threading",
    ),
    *("multiprocessing", "asyncio", "tempfile", "shutil", "signal", "io", "warnings"),
}
FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval", "id", "hash"}
SEEDED = ("default_rng", "Generator", "SeedSequence", "PCG64")
LONGEST_FILE = 400


def python_files(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*.py")
        if not {"test", "__pycache__", "build", "install"} & set(file.relative_to(ROOT).parts)
    )


def room(file: Path) -> str:
    return file.relative_to(SOURCES).parts[0]


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """Full names of the modules a file imports anywhere in it, with the line."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def place(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


FILES = [file for file in python_files(SOURCES) if file.name != "setup.py"]


def is_ros_side(file: Path) -> bool:
    """Where rclpy and messages of ROS may appear."""
    parts = file.relative_to(SOURCES).parts
    return file.name.endswith("_node.py") or parts[:3] in (
        ("pilot_common", "pilot_common", "ros"),
        ("pilot_vehicle", "pilot_vehicle", "drivers"),
    )


def is_core(file: Path) -> bool:
    """Code of a function: all of its room but the node."""
    if file.name.endswith("_node.py"):
        return False
    return room(file) in FUNCTION_ROOMS or file.name in {"gate.py", "bounds.py"}


def test_there_is_a_house_to_look_at():
    assert len(FILES) > 50
    assert {room(file) for file in FILES} == set(MAY_IMPORT)


def test_rooms_import_only_what_they_may():
    wrong = [
        f"{place(file, line)}: {room(file)} imports {name}"
        for file in FILES
        for name, line in imports(file)
        if name.startswith("pilot_")
        and name.split(".")[0] not in MAY_IMPORT[room(file)] | {room(file), "pilot_msgs"}
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_is_relative():
    wrong = [place(file, line) for file in FILES for name, line in imports(file) if name.startswith(".")]
    assert not wrong, "\n".join(wrong)


def test_ros_stands_only_at_the_border():
    def of_ros(name: str) -> bool:
        head = name.split(".", maxsplit=1)[0]
        return head == "rclpy" or head.endswith(("_msgs", "_interfaces"))

    wrong = [
        f"{place(file, line)} imports {name}"
        for file in FILES
        if not is_ros_side(file)
        for name, line in imports(file)
        if of_ros(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_launch_stands_only_in_bringup():
    wrong = [
        f"{place(file, line)} imports {name}"
        for file in FILES
        if room(file) != "pilot_bringup"
        for name, line in imports(file)
        if name.split(".")[0] in ("launch", "launch_ros", "ament_index_python")
    ]
    assert not wrong, "\n".join(wrong)


def test_networks_stand_only_in_detection():
    wrong = [
        f"{place(file, line)} imports {name}"
        for file in FILES
        if room(file) != "pilot_detection"
        for name, line in imports(file)
        if name.split(".")[0] in ("torch", "tensorrt", "onnxruntime")
    ]
    assert not wrong, "\n".join(wrong)


def test_cores_have_no_clock_no_files_and_no_chance():
    wrong = [
        f"{place(file, line)} imports {name}"
        for file in FILES
        if is_core(file)
        for name, line in imports(file)
        if name.split(".")[0] in FORBIDDEN_IN_CORES
    ]
    for file in filter(is_core, FILES):
        for node in ast.walk(tree(file)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in FORBIDDEN_CALLS
            ):
                wrong.append(f"{place(file, node.lineno)} calls {node.func.id}()")
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "random"
                and ast.unparse(node.value) in ("np", "numpy")
            ):
                wrong.append(f"{place(file, node.lineno)} uses numpy's random numbers")
    assert not wrong, "\n".join(wrong)


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def test_whatever_is_random_has_a_seed():
    wrong = []
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call):
                name = dotted(node.func)
                unseeded = name.endswith("default_rng") and not node.args and not node.keywords
                shared = name.startswith(("np.random.", "numpy.random.", "random."))
                if unseeded or (shared and not name.endswith(SEEDED)):
                    wrong.append(f"{place(file, node.lineno)} calls {name}()")
    assert not wrong, "\n".join(wrong)


def test_no_code_tells_vehicles_apart_by_name():
    names = set(vehicle_names(config_folder()))
    wrong = []
    for file in FILES:
        for node in ast.walk(tree(file)):
            compared: list[ast.AST] = []
            if isinstance(node, ast.Compare):
                compared = [node.left, *node.comparators]
            elif isinstance(node, ast.MatchValue):
                compared = [node.value]
            elif isinstance(node, ast.Dict):
                compared = [key for key in node.keys if key is not None]
            elif isinstance(node, ast.Subscript):
                compared = [node.slice]
            constants = (
                part for side in compared for part in ast.walk(side) if isinstance(part, ast.Constant)
            )
            wrong += [
                f"{place(file, node.lineno)}: {part.value}" for part in constants if part.value in names
            ]
    assert not wrong, "\n".join(wrong)


def test_no_error_is_swallowed_unseen():
    wrong = []
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.ExceptHandler):
                bare = node.type is None
                silent = all(isinstance(line, ast.Pass) for line in node.body)
                broad = node.type is not None and ast.unparse(node.type) in ("Exception", "BaseException")
                if bare or (broad and silent):
                    wrong.append(place(file, node.lineno))
    assert not wrong, "\n".join(wrong)


def test_no_file_grows_too_long():
    wrong = [
        f"{file.relative_to(ROOT)}: {count} lines"
        for file in FILES
        if (count := len(file.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_to_do_later():
    marks = tuple(
        "".join(parts) for parts in (("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("Not", "Implemented"))
    )
    wrong = [
        place(file, number)
        for file in FILES
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if any(mark in text for mark in marks)
    ]
    assert not wrong, "\n".join(wrong)


GRAPH = load_graph(config_folder())


def test_every_topic_has_exactly_one_writer():
    writers: dict[str, list[str]] = {}
    for name, topic in GRAPH.topics.items():
        if topic.source:
            writers.setdefault(name, []).append(topic.source)
    for function in GRAPH.functions:
        for name in function.outputs:
            writers.setdefault(name, []).append(function.name)
    assert set(writers) == set(GRAPH.topics)
    assert {name: who for name, who in writers.items() if len(who) != 1} == {}


@pytest.mark.parametrize("function", GRAPH.functions, ids=lambda function: function.name)
def test_every_function_is_a_core_beside_a_node(function):
    core = core_class(function)
    ports = {name for name in function.inputs if not name.startswith("health/")}
    fields = set(core.Inputs.__dataclass_fields__) - {"time", "health"}
    assert fields == ports
    assert {name for name in function.outputs if not name.startswith("health/")} <= set(
        core.Outputs.__dataclass_fields__
    )
    module = sys.modules[core.__module__]
    assert room(Path(module.__file__).resolve()) == function.package
    node = SOURCES / function.package / function.package / f"{function.executable}.py"
    assert node.exists()
    assert len(node.read_text(encoding="utf-8").splitlines()) <= 40
    scripts = (SOURCES / function.package / "setup.cfg").read_text(encoding="utf-8")
    assert f"{function.executable} = {function.package}.{function.executable}:main" in scripts


@pytest.mark.parametrize("function", GRAPH.functions, ids=lambda function: function.name)
def test_no_parameter_of_a_function_has_a_default_in_code(function):
    import dataclasses

    def fields(cls: type) -> Iterator[dataclasses.Field]:
        for item in dataclasses.fields(cls):
            yield item
            if dataclasses.is_dataclass(item.type):
                yield from fields(item.type)

    for item in fields(core_class(function).Parameters):
        assert item.default is dataclasses.MISSING, item.name
        assert item.default_factory is dataclasses.MISSING, item.name
