"""Hot loops as machine code: plain Python over flat arrays, compiled by numba on first use and kept beside the build.

What is compiled takes and gives numbers, tuples of them, arrays of float64, int64 or bool (uint8, uint32 where a message has
them), and arrays of records of these; nothing else. It raises nothing and holds no state.
`NUMBA_DISABLE_JIT=1` runs the same lines as Python, to step through them with a debugger.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import numba
import numpy as np

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
