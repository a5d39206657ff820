"""Lists the vehicles: what is fitted, what they can do, how fast their sight lets them drive."""

import argparse
from collections import Counter
from typing import Any

from pilot_bringup.screen import Screen
from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.schema import plain
from pilot_common.vehicle import Vehicle, vehicle_names
from pilot_vehicle.feasibility import load_checked_vehicle
from pilot_vehicle.sight import derived_max_speed, sight_distance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No further options."""


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Prints the table; a vehicle whose files are wrong is listed with the reason and fails the command."""
    config = config_folder()
    graph = load_graph(config)
    vehicles, errors = [], {}
    for name in vehicle_names(config):
        try:
            vehicles.append(load_checked_vehicle(name, config))
        except ConfigError as error:
            errors[name] = str(error)
    rows = [_row(vehicle) for vehicle in vehicles]
    screen.table(
        "Vehicles", ("name", "title", "drive", "fitted", "equipped for", "sees", "drives up to"), rows
    )
    for name, reason in errors.items():
        screen.say(f"{name}: {reason}", "red")
    listed = [
        {
            "name": vehicle.name,
            "title": vehicle.facts.title,
            "powertrain": vehicle.facts.powertrain.kind.value,
            "fitted": fitted(vehicle),
            "capabilities": plain(vehicle.facts.capabilities),
            "functions": [function.name for function in graph.fitted(vehicle)],
            "sight": sight_distance(vehicle),
            "derived_max_speed": derived_max_speed(vehicle),
            "max_speed": vehicle.facts.limits.max_speed,
        }
        for vehicle in vehicles
    ]
    criteria = {
        f"{name} is feasible": {"value": name not in errors, "limit": True, "pass": name not in errors}
        for name in vehicle_names(config)
    }
    return {
        "verdict": "fail" if errors else "pass",
        "criteria": criteria,
        "vehicles": listed,
        "errors": errors,
        **({"exit_code": 2} if errors else {}),
    }


def fitted(vehicle: Vehicle) -> dict[str, int]:
    """Number of sensors by kind."""
    return dict(Counter(sensor.kind.value for sensor in vehicle.sensors))


def _row(vehicle: Vehicle) -> tuple[str, ...]:
    facts = vehicle.facts
    return (
        vehicle.name,
        facts.title,
        facts.powertrain.kind.value.replace("_", " "),
        ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in fitted(vehicle).items()),
        ", ".join(capability.value.replace("_", " ") for capability in facts.capabilities),
        f"{sight_distance(vehicle):.0f} m",
        f"{3.6 * min(facts.limits.max_speed, derived_max_speed(vehicle)):.0f} km/h",
    )
