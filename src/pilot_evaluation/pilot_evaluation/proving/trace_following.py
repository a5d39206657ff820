"""One of our cars behind a leader whose speed over time is given: the scenario, the drive through the whole loop, its comfort.

Speeds are compared as the recorded ones are: at 10 Hz; *amplification* is the standard deviation of the follower's speed over
that of the leader's, *jerk* the RMS of the second derivative of the speed after a mean over half a second. T times.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot_common.vehicle import Vehicle, load_parameters
from pilot_evaluation.proving.case import Setting
from pilot_evaluation.proving.engine import start
from pilot_planning.highway.following import wanted_gap
from pilot_planning.highway.planner import HighwayPlanner
from pilot_simulation.scenario import ActorPlan, DriverPlan, Ego, RoadPlan, Scenario, Segment

STEP = 0.1  # s, of recorded and compared speeds
SETTLE = 4.0  # s at the first speed of the trace before it begins: the system takes over
SMOOTH = 5  # steps, mean over half a second before the jerk: recorded speeds are rounded and filtered alike
LEADER = (4.7, 1.85, 1.5)  # m, length, width, height
EGO_STATION = 100.0  # m, of the rear axle at the start
CREEP = 1.5  # m that an idling engine takes a standing car forward until the system drives
MARGIN = 1.0  # m/s that the car's highest speed must leave above the leader's


@dataclass(frozen=True)
class Followed:
    """What came of it, (T,) each at 10 Hz from the beginning of the trace on: speeds, gap; the share driven by the system."""

    leader: np.ndarray
    speed: np.ndarray
    gap: np.ndarray
    driven: float
    contact: bool


def can_follow(vehicle: Vehicle, speed: np.ndarray) -> bool:
    """Whether the car may drive as fast as this leader."""
    return float(speed.max()) <= vehicle.facts.limits.max_speed - MARGIN


def follow(setting: Setting, speed: np.ndarray, time_gap: float, seed: int) -> Followed:
    """Drives behind a leader with these speeds (T,) at 10 Hz. Keeps only truth: a platoon needs many drives and no bags."""
    scenario = _scenario(setting, speed, time_gap, seed)
    loop = start(setting, scenario, seed)
    rows: list[tuple[float, float, float, float]] = []
    driven: list[bool] = []
    contact = False
    front = setting.vehicle.facts.dimensions.rear_axle_to_front + 0.5 * LEADER[0]
    began = loop.simulation.now * 1e-9
    try:
        while not rows or rows[-1][0] < scenario.duration - 1e-6:
            for _, topic, said in loop.tick():
                message: Any = said
                if topic == "truth":
                    ahead = message.station_other[0] - message.station - front
                    rows.append((message.stamp - began, message.speed, message.speed_other[0], ahead))
                    contact |= bool(message.contact_identity)
                elif topic == "actuation" and rows and rows[-1][0] > SETTLE:
                    driven.append(message.active)
    finally:
        loop.simulation.close()
    time, own, other, gap = np.array(rows).T
    grid = SETTLE + STEP * np.arange(len(speed))
    return Followed(
        leader=np.interp(grid, time, other),
        speed=np.interp(grid, time, own),
        gap=np.interp(grid, time, gap),
        driven=float(np.mean(driven)) if driven else 0.0,
        contact=contact,
    )


def amplification(leader: np.ndarray, follower: np.ndarray) -> float:
    """Standard deviation of the follower's speed by that of the leader's."""
    return float(follower.std() / max(leader.std(), 1e-6))


def jerk_rms(speed: np.ndarray) -> float:
    """RMS of the jerk of a speed at 10 Hz, see module."""
    smooth = np.convolve(speed, np.full(SMOOTH, 1.0 / SMOOTH), "valid")
    return float(np.sqrt(np.mean(np.gradient(np.gradient(smooth, STEP), STEP) ** 2)))


def standstill_gap(setting: Setting) -> float:
    """The gap that the car's planner keeps at a stand."""
    parameters = load_parameters(HighwayPlanner.Parameters, "planning", setting.vehicle, setting.config)
    return float(parameters.follow.standstill_gap)


def _scenario(setting: Setting, speed: np.ndarray, time_gap: float, seed: int) -> Scenario:
    """The car at its gap behind a leader that keeps the first speed for a while, then follows all of them; one lane, no limit."""
    dimensions = setting.vehicle.facts.dimensions
    first = float(speed[0])
    gap = wanted_gap(first, time_gap, standstill_gap(setting))
    if first < setting.vehicle.facts.powertrain.creep_speed:
        gap += CREEP
    return Scenario(
        title="behind a leader whose speeds are given",
        duration=SETTLE + STEP * (len(speed) - 1),
        seed=seed,
        ego=Ego(speed=first, lane=0, station=EGO_STATION),
        driver=DriverPlan(set_speed=setting.vehicle.facts.limits.max_speed, time_gap=time_gap),
        criteria={},
        road=RoadPlan(lanes=1, lane_width=3.75, speed_limit=0.0, segments=(Segment(length=5000.0),)),
        actors=(
            ActorPlan(
                station=EGO_STATION + dimensions.rear_axle_to_front + gap + 0.5 * LEADER[0],
                lane=0,
                speed=first,
                speed_trace=tuple((SETTLE + STEP * index, float(value)) for index, value in enumerate(speed)),
                extent=LEADER,
            ),
        ),
    )
