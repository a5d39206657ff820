"""Which cases of UN R157 are driven: the published grids (`config/proving/r157.yaml`), a spread of them, or a file's rows."""

import csv
import itertools
import math
from dataclasses import dataclass
from pathlib import Path

from pilot_common.errors import ConfigError
from pilot_common.schema import build, parameter, read_yaml
from pilot_evaluation.proving.case import Setting
from pilot_evaluation.proving.spread import spread_indices

Parameters = dict[str, float]

COLUMNS = {
    "cut_in": ("ego_speed_kph", "cutin_speed_kph", "long_dist_m", "lat_vel_mps"),
    "cut_out": ("speed_kph", "front_distance_m", "lateral_speed_mps"),
    "car_following": ("speed_kph", "leader_decel_g"),
}
RANGES = {
    "ego_speed_kph": (1.0, 150.0),
    "cutin_speed_kph": (0.0, 150.0),
    "long_dist_m": (0.1, 200.0),
    "lat_vel_mps": (0.0, 5.0),
    "speed_kph": (5.0, 150.0),
    "front_distance_m": (1.0, 300.0),
    "lateral_speed_mps": (-5.0, 5.0),
    "leader_decel_g": (0.01, 1.1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """From `first` to `last` in steps, both included."""

    first: float
    last: float
    step: float

    @property
    def values(self) -> list[float]:
        count = round((self.last - self.first) / self.step) + 1
        return [round(self.first + index * self.step, 6) for index in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutInRange:
    """One of the two cut-in sweeps."""

    ego_speed_kph: tuple[float, ...]
    cutin_speed_kph: Steps
    long_dist_m: Steps
    lat_vel_mps: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOutRange:
    """The cut-out sweep."""

    speed_kph: Steps
    front_distance_m: Steps
    lateral_speed_mps: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingRange:
    """The car-following sweep."""

    speed_kph: Steps
    leader_decel_g: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """`config/proving/r157.yaml`."""

    title: str
    source: str
    time_gap: float = parameter("s", 0.8, 3.0, "the driver's choice behind a leader")
    standstill_gap: float = parameter("m", 0.0, 10.0, "what our own gap is above that")
    subset: dict[str, int]
    cut_in: tuple[CutInRange, ...]
    cut_out: CutOutRange
    car_following: FollowingRange


def load_grid(config: Path) -> Grid:
    """Reads the file. Raises ConfigError."""
    file = config / "proving" / "r157.yaml"
    grid = build(Grid, read_yaml(file), file)
    for family in grid.subset:
        if family not in COLUMNS:
            raise ConfigError(file, f"subset.{family}", f"unknown family; known are {', '.join(COLUMNS)}")
    return grid


def parameters(grid: Grid, setting: Setting, fastest: float) -> dict[str, list[Parameters]]:
    """The parameters of all cases by family; speeds up to `fastest` (km/h)."""
    if setting.cases_file is not None:
        return from_file(setting.cases_file, fastest)
    full = {
        "cut_in": [row for sweep in grid.cut_in for row in _cut_ins(sweep, fastest)],
        "cut_out": _product("cut_out", grid.cut_out, fastest),
        "car_following": _product("car_following", grid.car_following, fastest),
    }
    if setting.full and setting.sample is None:
        return full
    counts = dict(grid.subset)
    if setting.sample is not None:
        counts = {"cut_in": setting.sample}
    return {
        family: _spread(full[family], min(count, len(full[family])), setting.seed)
        for family, count in counts.items()
    }


def _cut_ins(sweep: CutInRange, fastest: float) -> list[Parameters]:
    rows = []
    for ego in sweep.ego_speed_kph:
        others = [other for other in sweep.cutin_speed_kph.values if other < ego]
        if ego <= fastest:
            axes = ([ego], others, sweep.long_dist_m.values, sweep.lat_vel_mps.values)
            rows += [dict(zip(COLUMNS["cut_in"], row, strict=True)) for row in itertools.product(*axes)]
    return rows


def _product(family: str, sweep: CutOutRange | FollowingRange, fastest: float) -> list[Parameters]:
    axes = [getattr(sweep, name).values for name in COLUMNS[family]]
    rows = [dict(zip(COLUMNS[family], row, strict=True)) for row in itertools.product(*axes)]
    return [row for row in rows if row["speed_kph"] <= fastest]


def _spread(rows: list[Parameters], count: int, seed: int) -> list[Parameters]:
    """Even over all axes: the speeds as one axis (not every pair of them is a case), the others each on its own."""
    names = tuple(rows[0])
    speeds = [name for name in names if name.endswith("speed_kph")]
    by_speed: dict[tuple[float, ...], list[Parameters]] = {}
    for row in rows:
        by_speed.setdefault(tuple(row[name] for name in speeds), []).append(row)
    cells = list(by_speed.values())
    others = [name for name in names if name not in speeds]
    sizes = [len({row[name] for row in cells[0]}) for name in others]
    chosen = []
    for speed, *rest in spread_indices((len(cells), *sizes), count, seed):
        position = 0
        for index, size in zip(rest, sizes, strict=True):
            position = position * size + index
        chosen.append(cells[speed][position])
    return chosen


def from_file(file: Path, fastest: float) -> dict[str, list[Parameters]]:
    """The rows of a CSV, of the family whose columns it has; others are ignored. Raises ConfigError with line and column."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            columns = reader.fieldnames or []
            family = _family_of(file, columns)
            rows = [
                {name: _number(file, line, name, row[name]) for name in COLUMNS[family]}
                for line, row in enumerate(reader, start=2)
            ]
    except FileNotFoundError:
        raise ConfigError(file, "", "no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(file, "", f"cannot be read: {error}") from None
    speed = COLUMNS[family][0]
    distinct = {tuple(row.values()): row for row in rows if row[speed] <= fastest}
    if not distinct:
        raise ConfigError(
            file, "", f"holds no case that this car can drive (up to {fastest:.0f} km/h), of {len(rows)} rows"
        )
    for line, row in enumerate(rows, start=2):
        if family == "cut_in" and row["cutin_speed_kph"] >= row["ego_speed_kph"]:
            raise ConfigError(file, f"line {line}", "cutin_speed_kph must be below ego_speed_kph")
    return {family: list(distinct.values())}


def from_name(name: str) -> tuple[str, Parameters] | None:
    """Family and parameters in a case's name, of whatever value; None where it is no name of ours."""
    family, *texts = name.split("-")
    try:
        values = [float(text) for text in texts]
    except ValueError:
        return None
    columns = COLUMNS.get(family, ())
    inside = all(
        RANGES[column][0] <= value <= RANGES[column][1]
        for column, value in zip(columns, values, strict=False)
    )
    if not columns or len(values) != len(columns) or not inside:
        return None
    if family == "cut_in" and values[1] >= values[0]:
        return None
    return family, dict(zip(columns, values, strict=True))


def _family_of(file: Path, columns: object) -> str:
    present = set(columns or ())  # type: ignore[call-overload]
    for family, needed in COLUMNS.items():
        if set(needed) <= present:
            return family
    wanted = "; ".join(f"{family}: {', '.join(names)}" for family, names in COLUMNS.items())
    raise ConfigError(
        file, "line 1", f"needs the columns of one family ({wanted}), found {', '.join(present)}"
    )


def _number(file: Path, line: int, name: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    low, high = RANGES[name]
    if not low <= value <= high:
        raise ConfigError(
            file, f"line {line}, {name}", f"must be a number in [{low:g}, {high:g}], found {text!r}"
        )
    return abs(value)
