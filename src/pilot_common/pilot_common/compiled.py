"""Hot loops as machine code: plain Python over flat arrays, compiled by numba on first use and kept beside the build.

What is compiled takes and gives numbers, tuples of them, arrays of float64, int64 or bool (uint8, uint32 where a message has
them), and arrays of records of these; nothing else. It raises nothing and holds no state.
`NUMBA_DISABLE_JIT=1` runs the same lines as Python, to step through them with a debugger.
"""

import pickle
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

SIGNATURES = "signatures.pickle"
Signatures = dict[str, set[tuple[Any, ...]]]  # types of the arguments by module and name of the loop
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code. Strict floating point, so that every run of a build gives the same bits."""
    machine_code: Any = numba.njit(cache=True, fastmath=False, error_model="numpy")(function)
    return machine_code


def as_record(parameters: Any) -> np.ndarray:
    """A flat dataclass of numbers as an array (1,) of one record with the same names: how compiled functions get parameters."""
    names = [field.name for field in fields(parameters)]
    values = tuple(float(getattr(parameters, name)) for name in names)
    return np.array([values], np.dtype([(name, np.float64) for name in names]))


def loops() -> dict[str, Any]:
    """Every compiled loop of what has been imported of Highway Pilot, by module and name."""
    modules = [module for name, module in tuple(sys.modules.items()) if name.startswith("pilot_")]
    found: list[Any] = [
        value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)
    ]
    return {f"{loop.__module__}.{loop.__name__}": loop for loop in found}


def known_signatures() -> Signatures:
    """For which arguments each loop has machine code in this process."""
    return {name: set(loop.signatures) for name, loop in loops().items()}


def keep_signatures(signatures: Signatures) -> None:
    """Notes them beside the kept machine code."""
    kept = _kept_signatures()
    if kept is not None:
        kept.write_bytes(pickle.dumps(signatures))


def load_machine_code() -> int:
    """Loads the kept machine code of all loops imported so far, not each at its first call; returns how many there were."""
    kept = _kept_signatures()
    if kept is None or not kept.exists():
        return 0
    known = pickle.loads(kept.read_bytes())
    wanted = [(loop, signature) for name, loop in loops().items() for signature in known.get(name, ())]
    for loop, signature in wanted:
        loop.compile(signature)
    return len(wanted)


def _kept_signatures() -> Path | None:
    folder = numba.config.CACHE_DIR  # type: ignore[attr-defined]  # NUMBA_CACHE_DIR
    return Path(folder) / SIGNATURES if folder else None
