"""The highway planner: world in, plan with reasons out."""

import math
from dataclasses import replace

import numpy as np

from pilot_common.arc import foot
from pilot_common.geometry import Pose, compose, inverse
from pilot_common.messages import empty_arrays
from pilot_common.regulation import braking_jerk
from pilot_common.types import (
    DriveMode,
    Ledger,
    Manoeuvre,
    Plan,
    Route,
    Side,
    Trajectory,
    VehicleState,
    World,
)
from pilot_common.vehicle import Vehicle
from pilot_planning.highway.behaviour import Choice
from pilot_planning.highway.following import FollowLaw
from pilot_planning.highway.lane_change import Phase
from pilot_planning.highway.lateral import LateralPlanner
from pilot_planning.highway.ledger import Entry, settle
from pilot_planning.highway.longitudinal import Law, SpeedLaw
from pilot_planning.highway.parameters import PlanningParameters
from pilot_planning.highway.path import (
    Path,
    start_at_car,
    start_on,
)
from pilot_planning.highway.prediction import LateralMemory
from pilot_planning.highway.relevance import Obstacle, Role, obstacles
from pilot_planning.highway.road import Remembered, Road, pose_of, see_road
from pilot_planning.highway.route import limit_now
from pilot_planning.highway.situation import Course, Drive, Memory, Situation
from pilot_planning.highway.speed_plan import Demand, SpeedPlanner
from pilot_planning.highway.traffic import see_traffic
from pilot_planning.highway.trajectory import along_path, roll_out
from pilot_planning.interface import PlannerInputs, PlannerOutputs

FOLLOWING = (
    "follow",
    "cut_in",
    "contingency",
    "brake",
    "crossing",
)  # entries that are about another road user
ROLLED_LAWS = 4  # the tightest laws go into the rollout; the others are far from binding within its horizon


class HighwayPlanner:
    """Core of `planning` on motorways."""

    Inputs = PlannerInputs
    Outputs = PlannerOutputs
    Parameters = PlanningParameters

    def __init__(self, vehicle: Vehicle, parameters: PlanningParameters) -> None:
        self._p = parameters
        self._vehicle = vehicle
        self._limits = vehicle.facts.limits
        self._step = parameters.path.horizon / (parameters.path.samples - 1)
        self._lateral = LateralPlanner(vehicle, parameters)
        self._speeds = SpeedPlanner(vehicle, parameters)
        self._drifts = LateralMemory(parameters.contingency.memory)
        self.reset()

    def reset(self) -> None:
        """Forgets all memory."""
        self._lateral.reset()
        self._speeds.reset()
        self._drifts.reset()
        self._memory: Memory | None = None
        self._lanes: Remembered | None = None
        self._state: VehicleState | None = None
        self._members = np.empty(0, int)
        self._likely, self._comers = frozenset[int](), frozenset[int]()

    def step(self, inputs: PlannerInputs) -> PlannerOutputs:
        """The plan of this cycle; invalid, with the reason, where the world does not let the car plan."""
        world = inputs.world
        reason = _unusable(world)
        if world is None or reason:
            stamp = world.stamp if world is not None and math.isfinite(world.stamp) else inputs.time
            return PlannerOutputs(plan=_no_plan(stamp, reason), debug={})
        if inputs.vehicle_state is not None and inputs.vehicle_state.valid:
            self._state = inputs.vehicle_state
        mode = inputs.mode.mode if inputs.mode is not None else DriveMode.OFF
        return self._plan(self._look(world, mode, inputs.route))

    def _plan(self, now: Situation) -> PlannerOutputs:
        lever = self._state.driver.lane_change if self._state is not None else Side.NONE
        choice, course = self._lateral.decide(now, lever, *self._wishes(now.speed), self._comers)
        path = self._lateral.path(now, course)
        found = self._relevant(now, path)
        drive = self._accelerate(now, course, found, choice)
        rolled = roll_out(
            _rolled_laws(drive.demand),
            drive.speed,
            drive.command,
            drive.up,
            drive.down,
            self._step,
            self._p.path.samples,
        )
        trajectory = along_path(path, self._step, *rolled)
        self._memory = Memory(
            now.world.stamp,
            now.pose,
            path,
            now.road,
            course.centre,
            trajectory.speed,
            drive.command,
            now.mode.system_drives,
        )
        plan = self._message(now, course, path, found, drive, trajectory)
        return PlannerOutputs(plan=plan, debug=self._debug(now, path, course.target, found, drive))

    def _look(self, world: World, mode: DriveMode, route: Route | None) -> Situation:
        """Road and traffic as seen, and what the last cycle left: start of the path, planned speed, lane."""
        ego, pose = world.ego, pose_of(world.ego)
        memory = self._usable_memory(world.stamp)
        continued = memory is not None and memory.driving and mode.system_drives
        road = see_road(world, pose, self._lanes, self._p.path.memory)
        if road.fresh:
            self._lanes = Remembered(road, world.stamp, pose)
        limit = limit_now(route, world.stamp, ego.speed)
        if limit > 0.0 and not 0.0 < road.speed_limit < limit:
            road = replace(road, speed_limit=limit)
        speed, last, lane, elapsed = max(0.0, ego.speed), ego.acceleration, road.ego_lane, 1.0 / 20.0
        start = start_at_car(ego.yaw_rate, ego.speed)
        if memory is not None and continued:
            last_from_now = compose(inverse(memory.pose), pose)
            start = start_on(memory.path, last_from_now, ego.yaw_rate, ego.speed, self._p.path)
            speed, last = self._continued_speed(memory, world.stamp, speed)
            lane = self._same_lane(memory, last_from_now, road)
            elapsed = world.stamp - memory.stamp
        return Situation(
            world=world,
            mode=mode,
            route=route,
            pose=pose,
            road=road,
            traffic=see_traffic(world.tracks, road, self._p.relevance),
            continued=continued,
            elapsed=elapsed,
            start=start,
            lane=lane,
            speed=speed,
            last=last,
        )

    def _relevant(self, now: Situation, path: Path) -> list[Obstacle]:
        """Who is in the way of this path."""
        dimensions = self._vehicle.facts.dimensions
        found = obstacles(
            now.traffic,
            now.road,
            now.road.ego_station + dimensions.rear_axle_to_front,
            now.world.ego.speed,
            0.5 * dimensions.width,
            dimensions.length,
            path.station,
            path.offset,
            self._members,
            self._drifts.update(now.world.stamp, now.traffic),
            self._p.relevance,
            self._p.contingency,
        )
        self._members = np.array([item.identity for item in found if item.role is Role.IN_PATH], int)
        self._note_comers(found)
        return found

    def _note_comers(self, found: list[Obstacle]) -> None:
        """Who likely came in at the last two looks, and goes on to; noise of one cycle makes nobody a comer."""
        likely = frozenset(
            item.identity
            for item in found
            if (item.certain and item.coming is not None and item.coming.chance >= self._p.contingency.likely)
            or (item.role is Role.IN_PATH and item.identity in self._comers)
        )
        self._likely, self._comers = likely, likely & self._likely

    def _accelerate(self, now: Situation, course: Course, found: list[Obstacle], choice: Choice) -> Drive:
        """The acceleration to command, with all that bounds it."""
        speed, last = now.speed, now.last
        set_speed, time_gap = self._wishes(speed)
        was_held = self._speeds.held
        demand = self._speeds.demand(
            now.road,
            found,
            speed,
            now.world.ego,
            set_speed,
            time_gap,
            now.mode,
            now.world.sensors_lost,
            choice.advice,
            choice.haven.deceleration if choice.haven is not None else 0.0,
            course.shift,
            choice.pressing,
        )
        if self._speeds.held:
            speed = 0.0
        elif was_held:
            last = max(last, 0.0)  # letting the brakes go at a stand is no jerk
        up, down = self._jerks(speed, last, demand)
        command, physical, ledger = settle(demand.entries, last, up * now.elapsed, down * now.elapsed)
        return Drive(demand, speed, command, up, down, physical, ledger)

    def _message(
        self,
        now: Situation,
        course: Course,
        path: Path,
        found: list[Obstacle],
        drive: Drive,
        trajectory: Trajectory,
    ) -> Plan:
        lead = next((item for item in found if item.role is Role.IN_PATH), None)
        return Plan(
            stamp=now.world.stamp,
            source_stamp=now.world.source_stamp,
            valid=True,
            reason=self._reason(drive.demand.entries[drive.physical], now.road),
            manoeuvre=self._manoeuvre(now.mode, course, drive, float(trajectory.speed.min())),
            indicator=self._lateral.change.indicator,
            target_speed=drive.demand.target_speed,
            lead_identity=lead.identity if lead is not None else 0,
            lead_gap=lead.gap if lead is not None else 0.0,
            trajectory=trajectory,
            path=path.point,
            path_heading=path.heading,
            path_curvature=path.curvature,
            ledger=drive.ledger,
            lateral=course.ledger,
        )

    def _debug(
        self, now: Situation, path: Path, target: float, found: list[Obstacle], drive: Drive
    ) -> dict[str, float]:
        return {
            "ego_offset": now.road.ego_offset,
            "target_offset": target,
            "start_offset": float(path.offset[0]),
            "continued": float(now.start.continued),
            "planned_speed": drive.speed,
            "lane_change_phase": float(self._lateral.change.phase.value),
            "obstacles": float(len(found)),
        }

    def _usable_memory(self, stamp: float) -> Memory | None:
        memory = self._memory
        return (
            memory if memory is not None and 0.0 < stamp - memory.stamp <= self._p.path.continuity else None
        )

    def _continued_speed(self, memory: Memory, stamp: float, measured: float) -> tuple[float, float]:
        """Planned speed now and last commanded acceleration; the plan does not run away from a car that cannot follow."""
        share = (stamp - memory.stamp) / self._step
        low = min(int(share), len(memory.speed) - 2)
        planned = float(memory.speed[low] + (share - low) * (memory.speed[low + 1] - memory.speed[low]))
        band = self._p.speed.tracking_band
        return max(0.0, measured - band, min(measured + band, planned)), memory.acceleration

    def _same_lane(self, memory: Memory, last_from_now: Pose, road: Road) -> int:
        """The lane the last path led to, by its place on the ground: lane numbers may jump while the car crosses a mark."""
        relative = road.ego_offset + memory.target - _offset_on(memory.road, last_from_now)
        lane = road.lane_nearest(relative)
        near = abs(float(road.offset[lane]) - relative) < 0.5 * float(road.width[lane])
        return lane if near else road.ego_lane

    def _wishes(self, speed: float) -> tuple[float, float]:
        """Set speed and time gap of the driver; the present speed and the usual gap where none is set."""
        p = self._p.follow
        driver = self._state.driver if self._state is not None else None
        set_speed = driver.set_speed if driver is not None and driver.set_speed > 0.0 else speed
        time_gap = driver.time_gap if driver is not None and driver.time_gap > 0.0 else p.usual_time_gap
        return set_speed, max(p.shortest_time_gap, time_gap)

    def _jerks(self, speed: float, last: float, demand: Demand) -> tuple[float, float]:
        """Allowed rise and fall of acceleration a second: gentle upwards, ISO 15622 downwards, more in an emergency."""
        down = min(self._limits.max_jerk, braking_jerk(speed))
        up = min(self._limits.max_jerk, self._p.speed.jerk) if last >= 0.0 else down
        if last < -self._limits.comfort_deceleration:
            up = self._p.follow.release_jerk  # what is no longer needed must not slow the car down further
        return up, self._limits.max_emergency_jerk if demand.emergency else down

    def _manoeuvre(self, mode: DriveMode, course: Course, drive: Drive, slowest: float) -> Manoeuvre:
        binding = drive.demand.entries[drive.physical]
        if drive.demand.emergency:
            return Manoeuvre.EMERGENCY_BRAKE
        if mode is DriveMode.MINIMUM_RISK:
            return Manoeuvre.MINIMUM_RISK
        if self._lateral.change.phase is Phase.MOVING:
            left = self._lateral.change.side is Side.LEFT
            return Manoeuvre.LANE_CHANGE_LEFT if left else Manoeuvre.LANE_CHANGE_RIGHT
        if course.shift.cause == "evade":
            return Manoeuvre.EVADE
        if binding.name in ("hold", "lane_lost") or (binding.bound < 0.0 and slowest <= 0.0):
            return Manoeuvre.STOP
        return Manoeuvre.FOLLOW if binding.name in FOLLOWING else Manoeuvre.CRUISE

    def _reason(self, entry: Entry, road: Road) -> str:
        return "; ".join(part for part in (entry.sentence, self._lateral.change.note, road.note) if part)


def _rolled_laws(demand: Demand) -> list[Law]:
    """The tightest laws, without those that another of them is never above: of set speed and speed limit the lower will do."""
    laws: list[Law] = []
    for index in sorted(range(len(demand.laws)), key=lambda index: demand.entries[index].bound)[:ROLLED_LAWS]:
        law = demand.laws[index]
        if not any(isinstance(tight, SpeedLaw | FollowLaw) and tight.never_above(law) for tight in laws):
            laws.append(law)
    return laws


def _offset_on(road: Road, here: Pose) -> float:
    """Offset on an earlier road of a point in its frame."""
    return foot(road.line, here[0], here[1])[1]


def _unusable(world: World | None) -> str:
    """Why a world cannot be planned in; empty where it can."""
    if world is None:
        return "no world, or too old"
    if not world.valid:
        return f"world not valid: {world.reason}"
    ego = world.ego
    numbers = (world.stamp, ego.x_odom, ego.y_odom, ego.yaw_odom, ego.speed, ego.acceleration, ego.yaw_rate)
    return "" if all(map(math.isfinite, numbers)) else "ego motion is not finite"


def _no_plan(stamp: float, reason: str) -> Plan:
    return Plan(
        stamp=stamp,
        source_stamp=stamp,
        valid=False,
        reason=reason,
        manoeuvre=Manoeuvre.NONE,
        indicator=Side.NONE,
        target_speed=0.0,
        lead_identity=0,
        lead_gap=0.0,
        trajectory=Trajectory(**empty_arrays(Trajectory)),
        **empty_arrays(Plan),
        ledger=Ledger.empty(),
        lateral=Ledger.empty(),
    )
