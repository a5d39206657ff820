"""Every vehicle that there is, and short ways to say what a test is about."""

from dataclasses import replace

import pytest

from pilot_common.folders import config_folder
from pilot_common.vehicle import Vehicle, load_vehicle, vehicle_names

NAMES = vehicle_names(config_folder())


@pytest.fixture(params=NAMES, scope="session")
def vehicle(request) -> Vehicle:
    return load_vehicle(request.param, config_folder())


@pytest.fixture(scope="session")
def facts(vehicle):
    return vehicle.facts


@pytest.fixture(scope="session")
def load():
    """A vehicle by name."""
    return lambda name: load_vehicle(name, config_folder())


@pytest.fixture(scope="session")
def changed():
    """A frozen dataclass with nested fields changed: changed(vehicle, {"facts.limits.max_speed": 36.1})."""

    def change(thing, values):
        for path, value in values.items():
            thing = _replaced(thing, path.split("."), value)
        return thing

    return change


def _replaced(thing, path, value):
    if not path:
        return value
    head, *rest = path
    if isinstance(thing, tuple):
        index = int(head)
        return (*thing[:index], _replaced(thing[index], rest, value), *thing[index + 1 :])
    return replace(thing, **{head: _replaced(getattr(thing, head), rest, value)})
