"""Copies of a whole drive, fast: what is immutable is shared, everything else is copied.

`copy.deepcopy` knows nothing of immutable values and takes ten times as long: it would copy the road, the vehicle and every
message. Here a frozen dataclass counts as a value, and so does what it holds (arrays of messages are not to be changed either).
"""

import copy
import enum
import types
from collections import deque
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

Memo = dict[int, Any]  # copies by the id of what they are of, and the originals, to keep them alive
Copier = Callable[[Any, Memo], Any]

VALUES = (
    *(type(None), bool, int, float, complex, str, bytes, frozenset, range, slice, type),
    *(enum.Enum, np.generic, np.dtype, PurePath),
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.MappingProxyType, np.ufunc),
)


def snapshot(thing: Any, memo: Memo) -> Any:
    """A copy that shares values with the original; what is met twice is copied once.

    Raises TypeError for what cannot be copied, and whatever the `__deepcopy__` of a part raises.
    """
    kind = type(thing)
    copier = _COPIERS.get(kind)
    if copier is None:
        copier = _COPIERS[kind] = _copier_of(kind)
    if copier is _itself:
        return thing
    done = memo.get(id(thing))
    return done if done is not None else copier(thing, memo)


def _remember(thing: Any, twin: Any, memo: Memo) -> Any:
    memo[id(thing)] = twin
    memo.setdefault(id(memo), []).append(thing)
    return twin


def _itself(thing: Any, _memo: Memo) -> Any:
    return thing


def _tuple(thing: tuple[Any, ...], memo: Memo) -> Any:
    parts = [snapshot(part, memo) for part in thing]
    if all(part is own for part, own in zip(parts, thing, strict=True)):
        return thing
    kind = type(thing)
    twin = kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    return _remember(thing, twin, memo)


def _list(thing: list[Any], memo: Memo) -> Any:
    twin = _remember(thing, type(thing)(), memo)
    twin.extend([snapshot(part, memo) for part in thing])
    return twin


def _deque(thing: deque[Any], memo: Memo) -> Any:
    twin: deque[Any] = _remember(thing, deque(maxlen=thing.maxlen), memo)
    twin.extend([snapshot(part, memo) for part in thing])
    return twin


def _dict(thing: dict[Any, Any], memo: Memo) -> Any:
    twin = _remember(thing, thing.copy(), memo)
    for key, value in thing.items():  # keys can be compared and hashed: they are values
        twin[key] = snapshot(value, memo)
    return twin


def _set(thing: set[Any], memo: Memo) -> Any:
    return _remember(thing, thing.copy(), memo)


def _array(thing: np.ndarray, memo: Memo) -> Any:
    if thing.dtype.hasobject:
        return copy.deepcopy(thing, memo)
    return _remember(thing, thing.copy(), memo)


def _generator(thing: np.random.Generator, memo: Memo) -> Any:
    source = type(thing.bit_generator)(0)
    source.state = thing.bit_generator.state
    return _remember(thing, np.random.Generator(source), memo)


def _method(thing: types.MethodType, memo: Memo) -> Any:
    return types.MethodType(thing.__func__, snapshot(thing.__self__, memo))


def _object(thing: Any, memo: Memo) -> Any:
    kind: Any = type(thing)
    twin = _remember(thing, kind.__new__(kind), memo)
    for name in _slots(kind):
        if hasattr(thing, name):
            object.__setattr__(twin, name, snapshot(getattr(thing, name), memo))
    own = getattr(thing, "__dict__", None)
    if own:
        twin.__dict__.update({name: snapshot(value, memo) for name, value in own.items()})
    return twin


def _slots(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += (slots,) if isinstance(slots, str) else slots
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def _by_deepcopy(thing: Any, memo: Memo) -> Any:
    return copy.deepcopy(thing, memo)


_COPIERS: dict[type, Copier] = {  # grows by what is met
    tuple: _tuple,
    list: _list,
    dict: _dict,
    set: _set,
    deque: _deque,
    np.ndarray: _array,
    np.random.Generator: _generator,
    types.MethodType: _method,
}


def _copier_of(kind: type) -> Copier:
    """How instances of a class are copied."""
    frozen = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    if issubclass(kind, VALUES) or frozen:
        return _itself
    if issubclass(kind, tuple):
        return _tuple
    return _object if all(_is_plain(base) for base in kind.__mro__[:-1]) else _by_deepcopy


OWN_WAYS = frozenset(
    {"__deepcopy__", "__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__copy__"}
)


def _is_plain(base: type) -> bool:
    """Whether a class is written in Python and leaves copying to others."""
    own = vars(base)
    in_python = any(isinstance(value, types.FunctionType) for value in own.values())
    return in_python and (is_dataclass(base) or OWN_WAYS.isdisjoint(own))
