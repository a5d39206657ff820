"""A supervisor with all that it hears, well unless a test says otherwise."""

from dataclasses import replace
from functools import cache

from pilot_common.folders import config_folder
from pilot_common.messages import empty_arrays
from pilot_common.types import (
    Actuation,
    DriverInput,
    EgoMotion,
    Gear,
    Health,
    Lanes,
    Ledger,
    Limit,
    Manoeuvre,
    Plan,
    Side,
    Tracks,
    Trajectory,
    VehicleState,
    World,
)
from pilot_common.vehicle import load_parameters, load_vehicle
from pilot_supervision.supervisor import (
    ACTIVE,
    SupervisionInputs,
    SupervisionParameters,
    Supervisor,
)

TICK = 0.05
FUNCTIONS = ("detection", "fusion", "planning", "control", "gate")
RESTING = DriverInput(
    accelerator=0.0,
    brake=0.0,
    steering_torque=0.0,
    hands_on=True,
    eyes_on=True,
    engage=False,
    cancel=False,
    lane_change=Side.NONE,
    set_speed=30.0,
    time_gap=1.5,
)
STATE = VehicleState(
    stamp=0.0,
    valid=True,
    speed=25.0,
    acceleration=0.0,
    lateral_acceleration=0.0,
    yaw_rate=0.0,
    steering_angle=0.0,
    gear=Gear.DRIVE,
    indicator=Side.NONE,
    driver=RESTING,
)
LANES = Lanes(valid=True, reason="", ego_lane=0, sight=100.0, speed_limit=0.0, **empty_arrays(Lanes))
WORLD = World(
    stamp=0.0,
    source_stamp=0.0,
    valid=True,
    reason="",
    sensors_lost=(),
    ego=EgoMotion(x_odom=0.0, y_odom=0.0, yaw_odom=0.0, speed=25.0, acceleration=0.0, yaw_rate=0.0),
    lanes=LANES,
    tracks=Tracks(**empty_arrays(Tracks)),
)
PLAN = Plan(
    stamp=0.0,
    source_stamp=0.0,
    valid=True,
    reason="",
    manoeuvre=Manoeuvre.CRUISE,
    indicator=Side.NONE,
    target_speed=30.0,
    lead_identity=0,
    lead_gap=0.0,
    trajectory=Trajectory(**empty_arrays(Trajectory)),
    ledger=Ledger.empty(),
    lateral=Ledger.empty(),
    **empty_arrays(Plan),
)
ACTUATION = Actuation(
    stamp=0.0,
    source_stamp=0.0,
    active=False,
    steering_angle=0.0,
    acceleration=0.0,
    gear=Gear.DRIVE,
    indicator=Side.NONE,
    hazard_lights=False,
    limit=Limit.NONE,
    reason="",
)
GOOD = {"vehicle_state": STATE, "world": WORLD, "plan": PLAN, "actuation": ACTUATION}
PRESS, LET_GO = {"engage": True}, {"engage": False}
BLIND = {"world": replace(WORLD, lanes=replace(LANES, valid=False, reason="no marks seen"))}
LOST = {"world": replace(WORLD, sensors_lost=("front_radar",))}


def report(time, name, valid=True, reason=""):
    return Health(
        stamp=time,
        function=name,
        valid=valid,
        reason=reason,
        input_age=0.0,
        compute_time=0.0,
        steps=2,
        missed=0,
    )


@cache
def car(name):
    vehicle = load_vehicle(name, config_folder())
    return vehicle, load_parameters(SupervisionParameters, "supervision", vehicle, config_folder())


class Drive:
    """Steps a supervisor; what is not given is well."""

    def __init__(self, name="sedan_ice"):
        vehicle, self.parameters = car(name)
        self.supervisor, self.time = Supervisor(vehicle, self.parameters), 50.0
        self.reports = {}

    def step(self, *, driver=None, car=None, silent=(), invalid=(), **given):
        self.time = round(self.time + TICK, 6)
        for name in FUNCTIONS:
            if name not in silent:
                self.reports[name] = report(
                    self.time, name, name not in invalid, "no plan" if name in invalid else ""
                )
        health = {
            name: self.reports[name]
            if name in self.reports and self.time - self.reports[name].stamp <= 0.5
            else None
            for name in FUNCTIONS
        }
        state = replace(STATE, stamp=self.time, driver=replace(RESTING, **(driver or {})), **(car or {}))
        inputs = GOOD | {"vehicle_state": state} | given
        return self.supervisor.step(SupervisionInputs(time=self.time, health=health, **inputs)).mode

    def run(self, seconds, **given):
        return [self.step(**given) for _ in range(round(seconds / TICK))]

    def engaged(self):
        self.run(1.0)
        self.step(driver=PRESS)
        mode = self.run(1.0)[-1]
        assert mode.mode is ACTIVE, mode
        return self
