"""Strict loading: a YAML mapping becomes a frozen dataclass, or a ConfigError that names file, key and rule.

Unknown, missing, mistyped and out-of-range values all refuse. People write `max_speed_kph: 130`; the field `max_speed` gets SI.
"""

import difflib
import enum
import math
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from pilot_common.errors import ConfigError

# Suffix a person may write instead of SI: factor to SI.
SUFFIXES = {
    "_kph": 1 / 3.6,
    "_deg": math.pi / 180,
    "_ms": 1e-3,
    "_mm": 1e-3,
    "_kw": 1e3,
    "_km": 1e3,
    "_percent": 0.01,
}

DataClass = TypeVar("DataClass")
# libyaml's where the installation has it: ten times as fast.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Range:
    """What a parameter means, its unit and the closed range it must lie in."""

    unit: str
    minimum: float
    maximum: float
    meaning: str


def parameter(unit: str, minimum: float, maximum: float, meaning: str) -> Any:
    """A dataclass field that is a number with unit and range; it has no default, for defaults are in the YAML files."""
    return field(metadata={"range": Range(unit, minimum, maximum, meaning)})


def optional(default: Any, unit: str, minimum: float, maximum: float, meaning: str) -> Any:
    """A field like `parameter` that may be left out."""
    return field(default=default, metadata={"range": Range(unit, minimum, maximum, meaning)})


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file (an empty file is an empty mapping). Raises ConfigError."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader)
    except FileNotFoundError:
        raise ConfigError(path, "", "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, "", f"cannot be read: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        raise ConfigError(path, where, f"is not valid YAML: {getattr(error, 'problem', error)}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(path, "", f"must hold keys and values, found {type(content).__name__}")
    return content


def version(file: Path) -> int:
    """Differs from version to version of a file (time of modification, ns); 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def versions(folder: Path) -> tuple[tuple[str, int], ...]:
    """Of all files in a folder, by name; empty where there is none."""
    if not folder.is_dir():
        return ()
    with os.scandir(folder) as entries:
        return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries))


def build(cls: type[DataClass], mapping: Mapping[str, Any], file: object, prefix: str = "") -> DataClass:
    """An instance of dataclass `cls` from `mapping`; `file` and `prefix` name the place in errors. Raises ConfigError."""
    if not isinstance(mapping, Mapping):
        raise ConfigError(file, prefix, f"must hold keys and values, found {mapping!r}")
    hints = typing.get_type_hints(cls)
    known = {item.name: item for item in fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        name, factor = _strip_suffix(str(key), known)
        place = f"{prefix}.{key}" if prefix else str(key)
        if name not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f", did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"
            raise ConfigError(file, place, f"unknown key{hint}")
        if name in values:
            raise ConfigError(file, place, f"'{name}' is given twice")
        values[name] = _convert(hints[name], _scale(value, factor), file, place)
        _check_range(known[name].metadata.get("range"), values[name], file, place)
    for name, item in known.items():
        if name not in values and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(file, f"{prefix}.{name}" if prefix else name, "is missing")
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(file, prefix, str(error)) from None


def merge(base: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `differences` laid over it, mapping by mapping."""
    merged = dict(base)
    for key, value in differences.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def plain(value: Any) -> Any:
    """A dataclass as plain mappings, lists and scalars in SI, as it can be written to YAML or JSON and read back by `build`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _strip_suffix(key: str, known: Mapping[str, Any]) -> tuple[str, float]:
    if key not in known:
        for suffix, factor in SUFFIXES.items():
            if key.endswith(suffix) and key.removesuffix(suffix) in known:
                return key.removesuffix(suffix), factor
    return key, 1.0


def _scale(value: Any, factor: float) -> Any:
    if isinstance(value, list):
        return [_scale(item, factor) for item in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value * factor if is_number and factor != 1.0 else value


def _convert(hint: Any, value: Any, file: object, place: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):  # only "X | None" is used
        return None if value is None else _convert(arguments[0], value, file, place)
    if origin is tuple:
        return _convert_tuple(arguments, value, file, place)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(file, place, f"must hold keys and values, found {value!r}")
        return {str(k): _convert(arguments[1], v, file, f"{place}.{k}") for k, v in value.items()}
    if hint is Any:
        return value
    if is_dataclass(hint):
        if isinstance(value, str) and hasattr(
            hint, "named"
        ):  # what has a file of its own is given by its name
            return hint.named(value, file, place)
        return build(hint, value, file, place)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        names = {item.name.lower(): item for item in hint}
        if str(value).lower() not in names:
            raise ConfigError(file, place, f"must be one of {', '.join(names)}, found {value!r}")
        return names[str(value).lower()]
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(file, place, f"must be a {hint.__name__}, found {value!r}")
    if hint is float and not math.isfinite(value):
        raise ConfigError(file, place, f"must be finite, found {value!r}")
    return value


def _convert_tuple(arguments: tuple[Any, ...], value: Any, file: object, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(file, place, f"must be a list, found {value!r}")
    if len(arguments) == 2 and arguments[1] is ...:
        return tuple(_convert(arguments[0], item, file, f"{place}[{i}]") for i, item in enumerate(value))
    if len(value) != len(arguments):
        raise ConfigError(file, place, f"must have {len(arguments)} entries, found {len(value)}")
    return tuple(
        _convert(hint, item, file, f"{place}[{i}]")
        for i, (hint, item) in enumerate(zip(arguments, value, strict=True))
    )


def _check_range(limits: Range | None, value: Any, file: object, place: str) -> None:
    if limits is None or value is None:
        return
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int | float) and not limits.minimum <= number <= limits.maximum:
            unit = f" {limits.unit}" if limits.unit else ""
            raise ConfigError(
                file,
                place,
                f"must lie in [{limits.minimum:g}, {limits.maximum:g}]{unit}, found {number:g} ({limits.meaning})",
            )
