"""A scenario as data: the road, the ego's start, its driver, the others, faults, and the limits it is judged by.

A scenario is `config/scenarios/<name>.yaml`, any other YAML file of the same form, or a folder with `scenario.yaml` in it.
`road` describes a synthetic road; `recording` names an npz file beside the YAML that holds a recorded road and its traffic
(`recording.py`). Times are seconds from the start; lanes are counted from the right, from 0; everything is loaded strictly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from pilot_common.errors import ScenarioError
from pilot_common.schema import build, optional, parameter, read_yaml
from pilot_common.types import Side
from pilot_simulation.actor_plan import ActorPlan, Event
from pilot_simulation.road_plan import LaneSpan, RoadPlan, Segment, SpeedLimit, WidthChange
from pilot_vehicle.plant import AS_BELIEVED, Plant

__all__ = [
    "ActorPlan",
    "DriverPlan",
    "Ego",
    "Environment",
    "Event",
    "Fault",
    "FaultKind",
    "LaneChangeWish",
    "LaneSpan",
    "Perception",
    "Plant",
    "RecordingPlan",
    "RoadPlan",
    "RoutePlan",
    "RouteStretch",
    "Scenario",
    "Segment",
    "SpeedLimit",
    "TrafficPlan",
    "WidthChange",
    "load_scenario",
    "scenario_from",
    "scenario_names",
]

DEFAULT_SCENARIO = "busy_motorway"
FOLDER_FILE = "scenario.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPlan:
    """Where a recorded road and its traffic lie, and what is known of them."""

    file: str  # npz beside the YAML
    source: str  # what was recorded, in words
    speed_limit: float = optional(0.0, "m/s", 0.0, 70.0, "0: none known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ego:
    """Where the car starts: rear axle at a station in the middle of a lane, or the centre of its box at a pose in `map`."""

    speed: float = parameter("m/s", 0.0, 60.0, "at the start")
    lane: int | None = optional(None, "", 0, 7, "from the right")
    station: float | None = optional(None, "m", 0.0, 100_000.0, "of the rear axle")
    pose: tuple[float, float, float] | None = None  # x, y, yaw of the centre of the box

    def __post_init__(self) -> None:
        if (self.pose is None) == (self.lane is None or self.station is None):
            raise ValueError("the ego needs either a pose or both lane and station")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChangeWish:
    """The driver confirms a lane change with the indicator lever."""

    time: float = parameter("s", 0.0, 36_000.0, "when the lever is pressed")
    side: Side

    def __post_init__(self) -> None:
        if self.side is Side.NONE:
            raise ValueError("a lane change needs a side, left or right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The driver wants the middle of the car to be at a place at a time, and turns his set speed accordingly."""

    station: float = parameter("m", 0.0, 100_000.0, "along the road")
    time: float = parameter("s", 0.0, 36_000.0, "from the start")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverPlan:
    """What the human does."""

    set_speed: float = parameter("m/s", 0.0, 60.0, "wish on the motorway")
    time_gap: float = parameter("s", 0.8, 3.0, "wish behind a leader")
    engage_at: float | None = optional(1.0, "s", 0.0, 36_000.0, "presses the button; none: never")
    cancel_at: float | None = optional(None, "s", 0.0, 36_000.0, "switches off; none: never")
    brakes_at: float | None = optional(None, "s", 0.0, 36_000.0, "takes over by the brake pedal; none: never")
    brakes_with: float = optional(2.0, "m/s²", 0.1, 9.0, "how hard, then")
    takes_over_after: float | None = optional(
        4.0, "s", 0.2, 60.0, "reaction to a takeover demand; none: never"
    )
    hands_on: bool = True
    eyes_on: bool = True
    lane_changes: tuple[LaneChangeWish, ...] = ()
    arrival: Arrival | None = None  # where there is one, `set_speed` is the most he asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPlan:
    """Traffic by SUMO around the ego, at a density that is kept."""

    density: float = parameter("1/km", 0.0, 80.0, "vehicles per kilometre and lane")
    speed: float = parameter("m/s", 3.0, 60.0, "mean wish of cars")
    speed_spread: float = parameter("", 0.0, 0.4, "standard deviation of the wish, share of the mean")
    truck_share: float = parameter("", 0.0, 1.0, "of all vehicles; trucks wish at most 88 km/h")


class Perception(Enum):
    """Where the world model comes from: the car's own sensors, or (to see what they cost) the truth."""

    SENSORS = "sensors"
    PERFECT = "perfect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What acts on the ego besides its actuators; the others do not feel it."""

    grade: float = optional(0.0, "", -0.2, 0.2, "rise over run, uphill positive")
    headwind: float = optional(
        0.0, "m/s", -40.0, 40.0, "against the direction of travel; negative: tail wind"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStretch:
    """From a station on, the route is in these lanes only, counted from the right as everywhere."""

    start: float = parameter("m", 0.0, 100_000.0, "station from which on this holds")
    lanes: tuple[int, ...]
    closed: bool = False  # nobody can drive in the others; else they only lead elsewhere
    guidance: str = ""  # what the navigation says on the way there

    def __post_init__(self) -> None:
        if not self.lanes:
            raise ValueError("a stretch of a route needs at least one lane")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """What the navigation knows. Before the first stretch every lane is on the route; lanes that end are known from the road."""

    stretches: tuple[RouteStretch, ...] = ()
    horizon: float = optional(2000.0, "m", 100.0, 20_000.0, "how far ahead the route is told")

    def __post_init__(self) -> None:
        starts = [stretch.start for stretch in self.stretches]
        if starts != sorted(starts):
            raise ValueError("the stretches of a route follow one another")


class FaultKind(Enum):
    """What breaks."""

    SENSOR_LOST = "sensor_lost"
    FUNCTION_KILLED = "function_killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A sensor that is silent for a while (`sensor`: its name, or a kind such as `radar` for all of it), or a killed process."""

    time: float = parameter("s", 0.0, 36_000.0, "from the start")
    kind: FaultKind
    sensor: str | None = None
    duration: float | None = optional(
        None, "s", 0.0, 36_000.0, "how long the sensor is silent; none: to the end"
    )
    function: str | None = None

    def __post_init__(self) -> None:
        needed = "sensor" if self.kind is FaultKind.SENSOR_LOST else "function"
        if getattr(self, needed) is None:
            raise ValueError(f"a fault of kind {self.kind.value} needs a {needed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario as loaded. `name` and `folder` come from where it lies; `criteria` are limits by name, for the evaluation."""

    title: str
    duration: float = parameter("s", 0.5, 36_000.0, "of the drive")
    seed: int = parameter("", 0, 2**31 - 1, "of everything random")
    ego: Ego
    driver: DriverPlan
    criteria: dict[str, float]
    road: RoadPlan | None = None
    recording: RecordingPlan | None = None
    traffic: TrafficPlan | None = None
    actors: tuple[ActorPlan, ...] = ()
    friction: float = optional(1.0, "", 0.05, 1.2, "of the road, relative to dry asphalt")
    environment: Environment = Environment()
    plant: Plant = AS_BELIEVED
    perception: Perception = Perception.SENSORS
    route: RoutePlan | None = None
    faults: tuple[Fault, ...] = ()
    name: str = ""
    folder: str = ""

    def __post_init__(self) -> None:
        if (self.road is None) == (self.recording is None):
            raise ValueError("a scenario needs either a road or a recording")
        if self.recording is not None and self.traffic is not None:
            raise ValueError("a recording brings its own traffic; leave traffic out")
        if self.road is not None:
            self._check_lanes(self.road.lanes)
            if self.traffic is not None and self.road.varies:
                raise ValueError("traffic by SUMO needs a road whose lanes stay as they are")

    def _check_lanes(self, lanes: int) -> None:
        used = [("ego", self.ego.lane)]
        for index, actor in enumerate(self.actors):
            used += [
                (f"actors[{index}]", lane) for lane in (actor.lane, *(event.lane for event in actor.events))
            ]
        if self.route is not None:
            used += [
                (f"route.stretches[{index}]", lane)
                for index, stretch in enumerate(self.route.stretches)
                for lane in stretch.lanes
            ]
        for who, lane in used:
            if lane is not None and lane >= lanes:
                raise ValueError(
                    f"{who} uses lane {lane}, but the road has {lanes} lanes, counted from 0 at the right"
                )

    @property
    def recording_file(self) -> Path | None:
        """The npz file of a recorded scenario."""
        return Path(self.folder) / self.recording.file if self.recording else None


def scenario_names(config: Path) -> tuple[str, ...]:
    """The scenarios in `config/scenarios/`."""
    return tuple(sorted(file.stem for file in (config / "scenarios").glob("*.yaml")))


def load_scenario(name_or_path: str | Path, config: Path) -> Scenario:
    """A shipped scenario by name, or one by the path of its YAML file or folder.

    Raises ScenarioError with the known names where there is none, ConfigError for any bad value in its file.
    """
    file = _find(name_or_path, config)
    return scenario_from(read_yaml(file), file)


def scenario_from(content: Mapping[str, Any], file: Path) -> Scenario:
    """The scenario in the content of a file; its name is the file's, or the folder's for a `scenario.yaml`."""
    for key in ("name", "folder"):
        if key in content:
            raise ScenarioError(f"{file}: {key}: is given by where the file lies; leave it out")
    scenario = build(Scenario, content, file)
    name = file.resolve().parent.name if file.name == FOLDER_FILE else file.stem
    scenario = replace(scenario, name=name, folder=str(file.parent))
    recording = scenario.recording_file
    if recording is not None and not recording.exists():
        raise ScenarioError(f"{file}: recording.file: no such file: {recording}")
    return scenario


def _find(name_or_path: str | Path, config: Path) -> Path:
    path = Path(name_or_path)
    if path.name == str(name_or_path) and (config / "scenarios" / f"{name_or_path}.yaml").exists():
        return config / "scenarios" / f"{name_or_path}.yaml"
    if path.is_file():
        return path
    if (path / FOLDER_FILE).is_file():
        return path / FOLDER_FILE
    known = ", ".join(scenario_names(config))
    raise ScenarioError(
        f"no scenario '{name_or_path}': neither a file, nor a folder with {FOLDER_FILE}, nor one of {known}"
    )
