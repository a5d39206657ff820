"""Open Frenet planners on our bench's traffic, run by the interpreter of an environment that has them; imports nothing of ours.

    PYTHON peer_planners.py PLANNER < scene lines

Each line on standard input is one scene as JSON (`traffic.Scene.plain`); each line on standard output the CPU times of one
planning cycle each (ms), as JSON, or {"error": …}. Objects keep their speed and lane, and the planner is told so. Planners:

    commonroad    commonroad-reactive-planner: horizon 2 s, steps of 0.1 s, its own sampling; set-up and collision checker are
                  built before the clock runs
    frenetix      the C++ core of frenetix: 800 candidates of 30 steps, feasibility and costs with collision probability; without
                  the Python planner around it, which is on no package index
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

STEP = 0.1  # s
REPLAN = 3  # steps between cycles
ROAD = 3000.0  # m
Measure = Callable[[dict], list[float]]


def commonroad(scene: dict) -> list[float]:
    """CPU times (ms) of commonroad-reactive-planner."""
    from commonroad_clcs.config import CLCSParams
    from commonroad_rp.reactive_planner import ReactivePlanner
    from commonroad_rp.state import ReactivePlannerState
    from commonroad_rp.utility.config import ReactivePlannerConfiguration
    from commonroad_rp.utility.utils_coordinate_system import CoordinateSystem

    logging.disable(logging.CRITICAL)
    configuration = ReactivePlannerConfiguration()
    configuration.debug.multiproc = False
    configuration.debug.logging_level = "ERROR"
    configuration.planning.time_steps_computation = 20
    configuration.planning.planning_horizon = 2.0
    configuration.update(scenario=_scenario(scene))
    planner = ReactivePlanner(configuration)
    lane, speed = scene["ego"]
    y = scene["lane_width"] * lane
    x = np.arange(-100.0, ROAD, 2.0)
    road = CoordinateSystem(np.stack((x, np.full(len(x), y)), axis=-1), clcs_params=CLCSParams())
    planner.set_reference_path(coordinate_system=road)
    state = ReactivePlannerState(
        time_step=0,
        position=np.array((0.0, y)),
        orientation=0.0,
        velocity=speed,
        acceleration=0.0,
        yaw_rate=0.0,
        steering_angle=0.0,
    )
    planner.reset(
        initial_state_cart=state, collision_checker=planner.collision_checker, coordinate_system=road
    )
    times = []
    for _ in range(scene["cycles"]):
        begun = time.thread_time()
        planner.set_desired_velocity(desired_velocity=scene["set_speed"], current_speed=planner.x_0.velocity)
        found = planner.plan()
        times.append(1e3 * (time.thread_time() - begun))
        if found is None:
            raise RuntimeError(f"no trajectory found in cycle {len(times)}")
        planner.reset(
            initial_state_cart=found[0].state_list[REPLAN],
            initial_state_curv=(found[1][REPLAN], found[2][REPLAN]),
            collision_checker=planner.collision_checker,
            coordinate_system=road,
        )
    return times


def _scenario(scene: dict) -> object:
    """Straight lanes and the objects, each with its way to come."""
    from commonroad.geometry.shape import Rectangle
    from commonroad.prediction.prediction import TrajectoryPrediction
    from commonroad.scenario.lanelet import Lanelet, LaneletNetwork
    from commonroad.scenario.obstacle import DynamicObstacle, ObstacleType
    from commonroad.scenario.scenario import Scenario
    from commonroad.scenario.state import InitialState, KSState
    from commonroad.scenario.trajectory import Trajectory

    width, lanes = scene["lane_width"], scene["lanes"]
    x = np.arange(-400.0, ROAD, 50.0)

    def line(y: float) -> np.ndarray:
        return np.stack((x, np.full(len(x), y)), axis=-1)

    network = LaneletNetwork.create_from_lanelet_list(
        [
            Lanelet(
                line(width * (lane + 0.5)),
                line(width * lane),
                line(width * (lane - 0.5)),
                lane + 1,
                adjacent_left=lane + 2 if lane + 1 < lanes else None,
                adjacent_left_same_direction=True if lane + 1 < lanes else None,
                adjacent_right=lane if lane else None,
                adjacent_right_same_direction=True if lane else None,
            )
            for lane in range(lanes)
        ]
    )
    scenario = Scenario(STEP)
    scenario.add_objects(network)
    steps = REPLAN * scene["cycles"] + 60
    for index, (station, lane, speed, length, breadth) in enumerate(scene["objects"]):
        y, shape = width * lane, Rectangle(length=length, width=breadth)
        states = [
            KSState(
                time_step=step,
                position=np.array((station + speed * STEP * step, y)),
                orientation=0.0,
                velocity=speed,
                steering_angle=0.0,
            )
            for step in range(1, steps)
        ]
        begin = InitialState(
            time_step=0,
            position=np.array((station, y)),
            orientation=0.0,
            velocity=speed,
            acceleration=0.0,
            yaw_rate=0.0,
            slip_angle=0.0,
        )
        prediction = TrajectoryPrediction(Trajectory(1, states), shape)
        scenario.add_objects(DynamicObstacle(1000 + index, ObstacleType.CAR, shape, begin, prediction))
    return scenario


def frenetix(scene: dict) -> list[float]:
    """CPU times (ms) of the core of frenetix."""
    import frenetix._frenetix as core

    functions = core.trajectory_functions
    costs, checks = functions.cost_functions, functions.feasability_functions
    lane, speed = scene["ego"]
    width = scene["lane_width"]
    x = np.arange(-100.0, ROAD, 2.0)
    road = core.CoordinateSystemWrapper(np.stack((x, np.full(len(x), width * lane)), axis=-1))
    horizon, wheelbase = 3.0, 2.83
    station, times = 100.0, []
    for cycle in range(scene["cycles"]):
        predictions = _predictions(core, scene, cycle * REPLAN * STEP, round(horizon / STEP) + 1)
        matrix = _samples(station, speed, scene["set_speed"], horizon)
        begun = time.thread_time()
        handler = core.TrajectoryHandler(dt=STEP)
        handler.add_feasability_function(checks.CheckAccelerationConstraint(7.3, 9.0, True))
        handler.add_feasability_function(checks.CheckCurvatureConstraint(0.6, wheelbase, True))
        handler.add_feasability_function(checks.CheckCurvatureRateConstraint(wheelbase, 0.4, True))
        handler.add_feasability_function(checks.CheckYawRateConstraint(0.6, wheelbase, True))
        handler.add_function(functions.FillCoordinates(False, 0.0, road, horizon))
        handler.add_cost_function(costs.CalculateAccelerationCost("acceleration", 1.0))
        handler.add_cost_function(costs.CalculateLateralJerkCost("lateral_jerk", 0.2))
        handler.add_cost_function(costs.CalculateLongitudinalJerkCost("longitudinal_jerk", 0.2))
        handler.add_cost_function(costs.CalculateDistanceToReferencePathCost("distance", 5.0))
        handler.add_cost_function(
            costs.CalculateVelocityOffsetCost("speed", 1.0, scene["set_speed"], STEP, 1.1, False, 1)
        )
        if predictions:
            handler.add_cost_function(
                costs.CalculateCollisionProbabilityFast("prediction", 0.2, predictions, 4.87, 1.84)
            )
        handler.generate_trajectories(matrix, False)
        handler.evaluate_all_current_functions(True)
        handler.sort()
        best = next((one for one in handler.get_sorted_trajectories() if one.feasible), None)
        times.append(1e3 * (time.thread_time() - begun))
        if best is None:
            raise RuntimeError(f"no feasible trajectory in cycle {cycle}")
        station += speed * REPLAN * STEP
    return times


def _samples(station: float, speed: float, set_speed: float, horizon: float) -> np.ndarray:
    """800 candidates: 5 times, 16 speeds, 10 offsets; 13 columns as the core takes them."""
    ends = np.linspace(1.0, horizon, 5)
    speeds = np.linspace(max(speed - 8.0, 0.1), max(set_speed, speed) + 2.0, 16)
    offsets = np.linspace(-3.0, 3.0, 10)
    end, target, offset = (grid.ravel() for grid in np.meshgrid(ends, speeds, offsets, indexing="ij"))
    zero = np.zeros_like(end)
    columns = (
        zero,
        end,
        zero + station,
        zero + speed,
        zero,
        target,
        zero,
        zero,
        zero,
        zero,
        offset,
        zero,
        zero,
    )
    return np.stack(columns, axis=-1)


def _predictions(core: Any, scene: dict, begin: float, steps: int) -> dict:
    """Objects with a covariance that grows, by index."""
    width, covariances = (
        scene["lane_width"],
        [np.diag([0.2 + 0.1 * k, 0.1 + 0.02 * k, 1, 1, 1, 1]) for k in range(steps)],
    )
    upright = np.array((0.0, 0.0, 0.0, 1.0))
    found = {}
    for index, (station, lane, speed, length, breadth) in enumerate(scene["objects"]):
        path = [
            core.PoseWithCovariance(
                np.array((station + speed * (begin + STEP * k), width * lane, 0.0)), upright, covariances[k]
            )
            for k in range(steps)
        ]
        found[index] = core.PredictedObject(index, path, length, breadth)
    return found


def main() -> None:
    """Answers scenes until there are no more."""
    measure: Measure = {"commonroad": commonroad, "frenetix": frenetix}[sys.argv[1]]
    answers, sys.stdout = sys.stdout, sys.stderr  # planners print
    for line in sys.stdin:
        try:
            answer: object = measure(json.loads(line))
        except Exception as error:  # whatever it is, the bench tells it and goes on without this planner
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
