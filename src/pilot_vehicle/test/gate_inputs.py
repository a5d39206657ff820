"""What comes into the gate: sound unless a test says otherwise."""

from dataclasses import replace

import numpy as np

from pilot_common.types import Command, DriveMode, DriverInput, Gear, Mode, Side, VehicleState

TICK = 0.02
STOP = np.arange(0.0, 3.01, 0.1)
NOBODY = DriverInput(
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


def state(time, speed=20.0, *, valid=True, steering=0.0, acceleration=0.0, gear=Gear.DRIVE, **driver):
    return VehicleState(
        stamp=time,
        valid=valid,
        speed=speed,
        acceleration=acceleration,
        lateral_acceleration=0.0,
        yaw_rate=0.0,
        steering_angle=steering,
        gear=gear,
        indicator=Side.NONE,
        driver=replace(NOBODY, **driver),
    )


def command(time, steering=0.0, acceleration=0.0, **fields):
    values = {
        "stamp": time,
        "source_stamp": time - 0.1,
        "valid": True,
        "reason": "",
        "steering_angle": steering,
        "acceleration": acceleration,
        "gear": Gear.DRIVE,
        "indicator": Side.NONE,
        "hazard_lights": False,
        "lateral_error": 0.0,
        "heading_error": 0.0,
        "speed_error": 0.0,
        "fallback_time": STOP,
        "fallback_steering_angle": np.full_like(STOP, 0.01),
        "fallback_acceleration": np.full_like(STOP, -2.0),
    }
    return Command(**(values | fields))


def mode(drive_mode=DriveMode.ACTIVE):
    return Mode(stamp=0.0, mode=drive_mode, reason="test", warning=0)
