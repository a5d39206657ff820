"""Any process may die in mid-drive and come back: the car stops in its lane, and nobody lets go of it on the way."""

from dataclasses import replace

import pytest

from pilot_common.folders import config_folder
from pilot_common.types import DriveMode
from pilot_common.vehicle import load_vehicle
from pilot_simulation.lockstep import drive
from pilot_simulation.scenario import Fault, FaultKind, load_scenario

KILLED_AT = 4.0  # s
SECONDS = 18.0
UNKNOWING = 0.05  # s until a restarted gate has heard the mode


@pytest.mark.parametrize("function", ["fusion", "planning", "control", "gate", "supervision"])
def test_the_car_stops_in_its_lane_when_a_function_dies_and_comes_back(function):
    config = config_folder()
    fault = Fault(time=KILLED_AT, kind=FaultKind.FUNCTION_KILLED, function=function)
    scenario = replace(load_scenario("planning_killed", config), faults=(fault,))
    heard = {}

    def listen(time, topic, message):
        heard.setdefault(topic, []).append(message)

    drive(load_vehicle("sedan_ice", config), scenario, config, listen, seconds=SECONDS)
    begin = heard["truth"][0].stamp + KILLED_AT
    modes = [mode.mode for mode in heard["mode"] if mode.stamp > begin]
    inactive = [one.stamp for one in heard["actuation"] if one.stamp > begin and not one.active]
    truth = heard["truth"]
    assert set(modes) <= {DriveMode.ACTIVE, DriveMode.MINIMUM_RISK}
    assert modes[-1] is DriveMode.MINIMUM_RISK
    assert not inactive or inactive[-1] - inactive[0] <= UNKNOWING
    assert truth[-1].speed == 0.0
    assert max(abs(one.lane_offset) for one in truth) < 0.3
    assert not any(one.contact_identity for one in truth)
