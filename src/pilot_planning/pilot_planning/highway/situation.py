"""What the steps of a planning cycle hand to each other, and what one cycle leaves to the next."""

from dataclasses import dataclass

import numpy as np

from pilot_common.geometry import Pose
from pilot_common.types import DriveMode, Ledger, Route, World
from pilot_planning.highway.evasion import Shift
from pilot_planning.highway.path import Path, Start
from pilot_planning.highway.road import Road
from pilot_planning.highway.speed_plan import Demand
from pilot_planning.highway.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Memory:
    """What one cycle leaves to the next, in the frame of its own `pose` (odom_from_base)."""

    stamp: float
    pose: Pose
    path: Path
    road: Road
    target: float  # offset of the lane centre that the path led to
    speed: np.ndarray  # (T,) of the trajectory
    acceleration: float
    driving: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a cycle begins with. `lane` indexes the lane that the path leads to; `speed` and `last` (commanded acceleration) go
    on from the last plan where the car follows it (`continued`).
    """

    world: World
    mode: DriveMode
    route: Route | None
    pose: Pose
    road: Road
    traffic: Traffic
    continued: bool
    elapsed: float
    start: Start
    lane: int
    speed: float
    last: float


@dataclass(frozen=True, slots=True)
class Course:
    """The lateral decision: centre of the lane, the offset to go to and the time for it (None: as is comfortable), the shift off
    the centre in it, and why.
    """

    centre: float
    target: float
    seconds: float | None
    shift: Shift
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Drive:
    """The longitudinal decision: what bounds, the command, the jerks allowed and the entry that bound it physically."""

    demand: Demand
    speed: float
    command: float
    up: float
    down: float
    physical: int
    ledger: Ledger
