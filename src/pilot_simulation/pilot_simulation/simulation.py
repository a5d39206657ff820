"""The world around the software: car, driver, road, others and sensors, moved on in fixed ticks.

The same class stands in the lockstep loop and in the simulation node. Sensors measure at their exact cycle times,
between ticks if need be; what they measured is due after their latency.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pilot_common.geometry import Pose, wrap
from pilot_common.graph import load_graph
from pilot_common.messages import Message, to_seconds
from pilot_common.types import Actuation, Mode, Truth
from pilot_common.vehicle import Capability, Vehicle, load_parameters
from pilot_simulation.actors import ActorSource, EgoOnRoad, Others, RecordedActors, nobody, together
from pilot_simulation.between_ticks import motion_between, place_between
from pilot_simulation.contact import touched
from pilot_simulation.driver import RESTING, Driver, View
from pilot_simulation.faults import check_functions, lost_sensors
from pilot_simulation.navigation import Navigation
from pilot_simulation.parameters import Parameters
from pilot_simulation.recording import Recording, load_recording
from pilot_simulation.road import Place, TrueRoad, recorded_road, synthetic_road
from pilot_simulation.scenario import Event, Perception, Scenario
from pilot_simulation.scene import make_scene
from pilot_simulation.scripted_actors import ScriptedActors
from pilot_simulation.sensors import SensorSuite
from pilot_simulation.traffic import SumoTraffic
from pilot_vehicle.drivers.simulated import SimulatedCar
from pilot_vehicle.model import MotionState

TICK = 20_000_000  # ns
ROUTE_TICKS = 25  # a route every half second
EPOCH = 1_700_000_000 * 1_000_000_000  # ns: stamps of a run without a clock start here
SIGHT = 300.0  # m: others farther along the road are in no message
ROAD_AHEAD = 1000.0  # m of road beyond where the car can get

Due = tuple[int, str, Message]


class Simulation:
    """One drive of a vehicle through a scenario, reproducible by its seed (the scenario's own unless another is given).

    Raises ScenarioError where this vehicle cannot drive the scenario, PilotError where SUMO is needed and missing.
    """

    def __init__(
        self, vehicle: Vehicle, scenario: Scenario, config: Path, seed: int | None = None, start: int = EPOCH
    ) -> None:
        self.vehicle, self.scenario, self._start = vehicle, scenario, start
        self.seed = scenario.seed if seed is None else seed
        self.graph = load_graph(config)
        self._lost = lost_sensors(vehicle, scenario)
        check_functions(scenario, [function.name for function in self.graph.functions])
        parameters = load_parameters(Parameters, "simulation", vehicle, config)
        self._senses = scenario.perception is Perception.SENSORS
        self._sensors = SensorSuite(vehicle, self.graph, parameters, self.seed)
        generator = np.random.default_rng((self.seed, 2))
        self._car = SimulatedCar(vehicle.facts, generator, plant=scenario.plant)
        self._driver = Driver(scenario.driver, vehicle.facts)
        recording = load_recording(scenario.recording_file) if scenario.recording_file else None
        self.road = scenario_road(vehicle, scenario, recording)
        self._tick = 0
        self._cycle = 0
        self._contact = 0
        self._navigation = (
            Navigation(self.road, scenario.route)
            if Capability.NAVIGATION in vehicle.facts.capabilities
            else None
        )
        self._place_ego()
        self._traffic: SumoTraffic | None = None
        self._sources: list[ActorSource] = (
            [RecordedActors(recording, self.road)] if recording is not None else []
        )
        self._add_sources()
        self._others = self._others_at(0.0)
        self._bodies = self._others.bodies

    def _place_ego(self) -> None:
        ego, dimensions, line = self.scenario.ego, self.vehicle.facts.dimensions, self.road.line
        if ego.pose is not None:
            x, y, yaw = ego.pose
            back = dimensions.rear_axle_to_front - 0.5 * dimensions.length
            x, y = x - back * math.cos(yaw), y - back * math.sin(yaw)
            hint = self.road.nearest_station(x, y)
        else:
            hint = float(ego.station or 0.0)
            offset = self.road.lane_centre(ego.lane or 0, hint)
            x, y = line.to_cartesian(np.array([hint]), np.array([offset]))[0].tolist()
            yaw = wrap(float(line.at(np.array([hint]))[1][0]))
        self._car.reset(x, y, yaw, ego.speed)
        self._place = self.road.project(x, y, hint)
        self._before, self._place_before = self._car.true, self._place

    def _add_sources(self) -> None:
        scenario, dimensions = self.scenario, self.vehicle.facts.dimensions
        scripted = ScriptedActors(scenario.actors, self.road) if scenario.actors else None
        self._scripted = scripted
        if scripted is not None:
            self._sources.append(scripted)
        if scenario.traffic is not None:
            actors = [actor for actor in scripted.actors if actor.plan.solid] if scripted is not None else []
            size = (dimensions.length, dimensions.width)
            self._traffic = SumoTraffic(
                scenario.traffic, self.road, self._ego_on_road(), size, actors, self.seed
            )
            self._sources.append(self._traffic)

    def begin(self, start: int) -> None:
        """Sets the stamp (ns) at which the drive starts. Raises ValueError once it has."""
        if self._tick:
            raise ValueError("the drive has begun")
        self._start = start

    def reseed(self, seed: int) -> None:
        """Draws all noise of sensors and bus from `seed` from now on; what was drawn once for the drive stays."""
        self.seed = seed
        self._sensors.reseed(seed)
        self._car.reseed(np.random.default_rng((seed, 2)))

    def script(self, identity: int, events: Sequence[Event]) -> None:
        """Replaces the events of scripted actor `identity` (from 1 on) that have not begun. Raises ValueError for none such."""
        if self._scripted is None:
            raise ValueError("this scenario has no scripted actors")
        self._scripted.script(identity, events)

    @property
    def now(self) -> int:
        """Time that the simulation has reached, ns."""
        return self._start + max(self._tick - 1, 0) * TICK

    @property
    def ticks(self) -> int:
        """How often `step` was called."""
        return self._tick

    @property
    def motion(self) -> MotionState:
        """The car's true motion."""
        return self._car.true

    @property
    def place(self) -> Place:
        """Where the rear axle truly is on the road."""
        return self._place

    @property
    def bodies(self) -> Others:
        """All others that are bodies, as they truly are."""
        return self._bodies

    @property
    def bodies_before(self) -> Others:
        """The same at the beginning of the tick."""
        return self._others_at(max(self._tick - 2, 0) * TICK * 1e-9).bodies

    def close(self) -> None:
        """Ends the traffic."""
        if self._traffic is not None:
            self._traffic.close()

    def step(self, actuation: Actuation | None, mode: Mode | None) -> list[Due]:
        """Moves on by one tick (the first call only looks) under what was last sent to the actuators and shown to the driver.

        Returns what was measured meanwhile as (time at which it is due in ns, topic, message), in order of time.
        """
        if actuation is not None:
            self._car.actuate(actuation)
        before = max(self._tick - 1, 0) * TICK * 1e-9
        time = self._tick * TICK * 1e-9
        messages: list[Due] = [self._drive(before, time, mode)]
        for source in self._sources:
            source.advance(time, self._ego_on_road())
        self._touch(time)
        if self._navigation is not None and self._tick % ROUTE_TICKS == 0:
            stamp = self._start + round(time * 1e9)
            messages.append((stamp, "route", self._navigation.route(to_seconds(stamp), self._place)))
        period = 1.0 / self._sensors.rate
        while self._cycle * period <= time + 1e-9:
            messages += self._measure(self._cycle * period, before, time)
            self._cycle += 1
        self._tick += 1
        return sorted(messages, key=lambda due: due[0])

    def _drive(self, before: float, time: float, mode: Mode | None) -> Due:
        """The car, by whoever drives; its state at the end of the tick."""
        driver, car = self._driver, self._car
        driver.watch(before, mode, self._place.station)
        hands = driver.hands(self._view()) if driver.drives(before) else RESTING
        scenario, environment = self.scenario, self.scenario.environment
        inputs = driver.inputs(before, mode, hands, car.pedals_for(hands.acceleration, environment.grade))
        self._before, self._place_before = car.true, self._place
        stamp = self._start + round(time * 1e9)
        begin = to_seconds(self._start + round(before * 1e9))
        state = car.step(
            begin,
            time - before,
            inputs,
            hands.steering_angle,
            friction=scenario.friction,
            grade=environment.grade,
            headwind=environment.headwind,
        )
        motion = car.true
        self._place = self.road.project(motion.x, motion.y, self._place.station)
        return stamp, "vehicle_state", state

    def _view(self) -> View:
        motion, place = self._car.true, self._place
        _, lane_offset, _ = self.road.lane_at(place.station, place.offset)
        gap, lead_speed = self._lead()
        error = wrap(motion.yaw - place.heading)
        return View(motion.speed, lane_offset, error, place.curvature, gap, lead_speed)

    def _lead(self) -> tuple[float, float]:
        """Gap to the nearest other ahead in the ego's way, and its speed."""
        others, dimensions = self._bodies, self.vehicle.facts.dimensions
        gap = others.station - 0.5 * others.extent[:, 0] - self._place.station - dimensions.rear_axle_to_front
        beside = np.abs(others.offset - self._place.offset) - 0.5 * (others.extent[:, 1] + dimensions.width)
        ahead = (gap > -2.0) & (beside < 0.2)
        if not ahead.any():
            return math.inf, 0.0
        nearest = int(np.where(ahead, gap, np.inf).argmin())
        return max(float(gap[nearest]), 0.0), float(others.speed[nearest])

    def _ego_on_road(self) -> EgoOnRoad:
        place, dimensions = self._place, self.vehicle.facts.dimensions
        front = place.station + dimensions.rear_axle_to_front
        speed = self._car.true.speed
        return EgoOnRoad(front, place.offset, speed, dimensions.length, dimensions.width)

    def _others_at(self, time: float) -> Others:
        return (
            together(self.road, [source.at(time) for source in self._sources])
            if self._sources
            else nobody(self.road)
        )

    def _touch(self, time: float) -> None:
        """Notes whom the ego touches at the end of a tick, until the next truth has told it."""
        self._others = self._others_at(time)
        self._bodies = self._others.bodies
        if not self._contact:
            dimensions = self.vehicle.facts.dimensions
            self._contact = touched(self._bodies, self._car.true, self._place, dimensions)

    def _measure(self, at: float, before: float, time: float) -> list[Due]:
        """Sensors and truth at a cycle time within the tick, the ego being in between its states."""
        share = (at - before) / (time - before) if time > before else 1.0
        motion = motion_between(self._before, self._car.true, share)
        place = self._place if share >= 1.0 else place_between(self._place_before, self._place, share)
        others = self._others if share >= 1.0 else self._others_at(at)
        near = np.abs(others.station - place.station) < SIGHT
        if not np.logical_and.reduce(near):
            others = others.rows(near)
        nanoseconds = self._start + round(at * 1e9)
        stamp = to_seconds(nanoseconds)
        truth = self._truth(stamp, motion, place, others.bodies)
        if not self._senses:
            return [(nanoseconds, "truth", truth)]
        pose: Pose = (motion.x, motion.y, motion.yaw)
        scene = make_scene(stamp, self.road, pose, place, motion.speed, motion.yaw_rate, others)
        lost = frozenset(index for fault in self._lost for index in fault.silent(at))
        sensed = self._sensors.measure(self._cycle, scene, lost)
        messages = [(nanoseconds + latency, topic, message) for latency, topic, message in sensed]
        return [(nanoseconds, "truth", truth), *messages]

    def _truth(self, stamp: float, motion: MotionState, place: Place, others: Others) -> Truth:
        lane, lane_offset, lane_width = self.road.lane_at(place.station, place.offset)
        contact, self._contact = self._contact, 0
        return Truth(
            stamp=stamp,
            x=motion.x,
            y=motion.y,
            yaw=motion.yaw,
            speed=motion.speed,
            acceleration=motion.acceleration,
            lateral_acceleration=motion.lateral_acceleration,
            steering_angle=motion.steering_angle,
            station=place.station,
            offset=place.offset,
            lane=lane,
            lane_offset=lane_offset,
            lane_width=lane_width,
            friction=self.scenario.friction,
            contact_identity=contact,
            identity=others.identity,
            class_id=others.class_id,
            position=others.position,
            heading=others.heading,
            speed_other=others.speed,
            extent=others.extent,
            station_other=others.station,
            offset_other=others.offset,
        )


def scenario_road(vehicle: Vehicle, scenario: Scenario, recording: Recording | None = None) -> TrueRoad:
    """The road a vehicle can reach in a scenario. Raises ScenarioError for a recording that cannot be used."""
    if scenario.recording is not None and scenario.recording_file is not None:
        return recorded_road(
            recording or load_recording(scenario.recording_file), scenario.recording.speed_limit
        )
    ego, fastest = scenario.ego, max(vehicle.facts.limits.max_speed, scenario.ego.speed)
    length = (ego.station or 0.0) + scenario.duration * fastest + ROAD_AHEAD
    return synthetic_road(scenario.road, length)  # type: ignore[arg-type]
