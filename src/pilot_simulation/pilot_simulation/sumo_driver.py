"""SUMO's own driver in the ego's place: the same start, the same traffic, the same wish. Nothing else runs, so it takes no time.

What it reaches is what a drive is compared with. It has the abilities of the car it stands for: one that may not change lanes
does not.
"""

from pilot_common.errors import ScenarioError
from pilot_common.vehicle import Vehicle
from pilot_simulation.actors import EgoOnRoad
from pilot_simulation.scenario import Scenario
from pilot_simulation.simulation import scenario_road
from pilot_simulation.traffic import MARGIN, STEP, SumoTraffic

NAME = "twin"
KIND = "saloon"  # of `sumo_files.TYPES`
NO_LANE_CHANGE = 0  # SUMO's lane change mode


class _Twin(SumoTraffic):
    """Traffic whose ego is driven by SUMO from the moment that `release` is called."""

    released = False

    def release(self, ego: EgoOnRoad, wish: float, changes_lanes: bool) -> None:
        """Takes the mirrored ego out and puts a vehicle of SUMO in its place."""
        vehicle = self._sumo.vehicle
        for name in ("ego", "ego_beside"):
            if name in vehicle.getIDList():
                vehicle.remove(name)
        lane = self._mirrors.lane_of(ego.offset)
        place = f"{ego.front + MARGIN:.3f}"
        vehicle.add(NAME, "road", KIND, "now", str(lane), place, f"{min(ego.speed, wish):.3f}")
        vehicle.setMaxSpeed(NAME, wish)
        if not changes_lanes:
            vehicle.setLaneChangeMode(NAME, NO_LANE_CHANGE)
        self.released = True

    def _mirror_ego(self, front: float, ego: EgoOnRoad) -> None:
        if not self.released:
            super()._mirror_ego(front, ego)

    def seen(self, length: float, width: float) -> EgoOnRoad | None:
        """Where the twin is; None while it is not on the road."""
        vehicle = self._sumo.vehicle
        if NAME not in vehicle.getIDList():
            return None
        x, y = vehicle.getPosition(NAME)
        return EgoOnRoad(x - MARGIN, y, vehicle.getSpeed(NAME), length, width)


def sumo_driver_speed(
    vehicle: Vehicle, scenario: Scenario, seed: int, changes_lanes: bool, since: float
) -> float:
    """Mean speed of SUMO's driver from `since` (s) to the scenario's end. Raises ScenarioError without traffic."""
    if scenario.traffic is None:
        raise ScenarioError(f"{scenario.title}: there is no traffic that SUMO could drive in")
    road, size = scenario_road(vehicle, scenario), vehicle.facts.dimensions
    station, lane = float(scenario.ego.station or 0.0), scenario.ego.lane or 0
    front, offset = station + size.rear_axle_to_front, road.lane_centre(lane, station)
    ego = EgoOnRoad(front, offset, scenario.ego.speed, size.length, size.width)
    twin = _Twin(scenario.traffic, road, ego, (ego.length, ego.width), (), seed)
    try:
        twin.release(ego, scenario.driver.set_speed, changes_lanes)
        total, counted = 0.0, 0
        for step in range(1, round(scenario.duration / STEP) + 1):
            twin.advance(step * STEP, ego)
            ego = twin.seen(ego.length, ego.width) or ego
            if step * STEP >= since:
                total, counted = total + ego.speed, counted + 1
        return total / max(counted, 1)
    finally:
        twin.close()
