"""Hot loops as machine code: plain Python over flat arrays, compiled by numba on first use and kept beside the build.

What is compiled takes and gives numbers and float64, int64 or bool arrays and nothing else; it raises nothing, holds no state.
`NUMBA_DISABLE_JIT=1` runs the same lines as Python, to step through them with a debugger.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code. Strict floating point, so that every run of a build gives the same bits."""
    machine_code: Any = numba.njit(cache=True, fastmath=False, error_model="numpy")(function)
    return machine_code
