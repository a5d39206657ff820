"""The car as plant: single-track model with tyre and load limits, powertrain, brakes and steering behind two requests.

Lateral motion is the single-track model (ST) of Althoff, Koschi, Manzinger, "CommonRoad: Vehicle models" (2020), with
load transfer: slip angle β and yaw rate ψ' of the centre of gravity follow from the axle forces

    α_f = δ − β − l_f ψ'/v        F_f = μ C_f N_f α_f      N_f = m (g l_r − a h) / l
    α_r =   − β + l_r ψ'/v        F_r = μ C_r N_r α_r      N_r = m (g l_f + a h) / l
    β' = (F_f + F_r) / (m v) − ψ'          ψ'' = (l_f F_f − l_r F_r) / I

Beyond the published linear tyre each F is saturated by the friction circle: brakes and drive are taken to load the axles in
proportion to N, as a stability control would, so that a share ρ of the grip used along leaves √(1 − ρ²) across. Below
`KINEMATIC_SPEED` slip and yaw rate are those of the kinematic model. The car drives forward only.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from pilot_common.compiled import compiled
from pilot_common.geometry import wrap
from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_common.vehicle import Facts
from pilot_vehicle.actuators import Brake, Steering
from pilot_vehicle.plant import AS_BELIEVED, Plant
from pilot_vehicle.powertrain import Electric, make_powertrain

SUBSTEP = 0.01  # s; resolves dead times, and the tyre dynamics (about 100/s at KINEMATIC_SPEED) stay stable
KINEMATIC_SPEED = 2.0  # m/s
LONGITUDINAL_GRIP = (
    0.98  # share of the grip that brakes and drive may use: the rest keeps the wheels steering
)
HOLD_DECELERATION = 3.0  # m/s² of brake that holds a car at rest


@dataclass(slots=True)
class MotionState:
    """Motion of the rear axle's centre in `map`; accelerations and slip angle are of the centre of gravity."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    speed: float = 0.0
    acceleration: float = 0.0
    lateral_acceleration: float = 0.0
    yaw_rate: float = 0.0
    slip_angle: float = 0.0
    steering_angle: float = 0.0
    gear: int = 1


@dataclass(slots=True)
class Energy:
    """Work at the wheels in J. `dissipated` went into brakes, overrun, air and tyres."""

    driven: float = 0.0
    regenerated: float = 0.0
    dissipated: float = 0.0
    climbed: float = 0.0


class VehicleModel:
    """A car that answers requests for a steering angle and an acceleration over ground.

    Its own control adds what air, tyres and slope take, as the acceleration interface of a production car does. It believes
    `facts`: with another `plant` its forces move the true mass, and nobody tells it of a headwind.
    """

    def __init__(self, facts: Facts, plant: Plant = AS_BELIEVED) -> None:
        self.believed = facts
        self.facts = facts = facts if plant == AS_BELIEVED else plant.true(facts)
        self._load = facts.body.mass / self.believed.body.mass
        body, wheelbase = facts.body, facts.dimensions.wheelbase
        self._front = body.front_axle_to_centre
        self._rear = wheelbase - body.front_axle_to_centre
        self._wheelbase = wheelbase
        self._track = np.array(
            (
                self._front,
                self._rear,
                wheelbase,
                body.centre_height,
                body.front_cornering_stiffness,
                body.rear_cornering_stiffness,
                body.mass / body.yaw_inertia,
            )
        )
        self._drag = 0.5 * AIR_DENSITY * body.drag_area / self.believed.body.mass
        self._rolling = GRAVITY * body.rolling_resistance
        # Forces by the believed mass: what the powertrain can do does not grow with the load.
        self.powertrain = make_powertrain(replace(self.believed, powertrain=facts.powertrain))
        self._recovers = isinstance(self.powertrain, Electric)
        self._steering = Steering(facts.actuators)
        self._brake = Brake(facts.actuators)
        self.reset(0.0, 0.0, 0.0, 0.0)

    def reset(self, x: float, y: float, yaw: float, speed: float) -> None:
        """Drives straight ahead at constant speed, or stands on the brake. Raises ValueError for a negative speed."""
        if speed < 0.0:
            raise ValueError(f"the model drives forward only, got {speed} m/s")
        self._x, self._y, self._yaw = x + self._rear * math.cos(yaw), y + self._rear * math.sin(yaw), yaw
        self._speed, self._slip, self._yaw_rate = speed, 0.0, 0.0
        self._acceleration, self._lateral_acceleration, self._angle = 0.0, 0.0, 0.0
        self._grip_used = 0.0
        self._steering.reset()
        self._brake.reset(0.0 if speed > 0.0 else HOLD_DECELERATION)
        self.powertrain.reset(self.resistance(speed) if speed > 0.0 else 0.0, speed)
        self.energy = Energy()
        self.state = self._motion()

    def resistance(self, speed: float, grade: float = 0.0) -> float:
        """Deceleration by air, tyres and slope (rise over run) in still air and at the believed mass: what is made up for."""
        if grade == 0.0:
            return self._drag * speed * speed + self._rolling
        cosine = 1.0 / math.sqrt(1.0 + grade * grade)
        return self._drag * speed * speed + GRAVITY * cosine * (self.facts.body.rolling_resistance + grade)

    def _true_resistance(self, speed: float, grade: float, headwind: float) -> float:
        """Deceleration at the true mass and in wind, which pushes from behind where it is faster than the car."""
        air = speed + headwind
        cosine = 1.0 / math.sqrt(1.0 + grade * grade)
        tyres = GRAVITY * cosine * (self.facts.body.rolling_resistance + grade)
        return self._drag / self._load * air * abs(air) + tyres

    def coasting_acceleration(self, grade: float = 0.0) -> float:
        """What the car does with no pedal touched: overrun or creep, less the resistances."""
        return self.powertrain.floor(self._speed) - self.resistance(self._speed, grade)

    def step(
        self,
        steering_request: float,
        acceleration_request: float,
        duration: float,
        friction: float = 1.0,
        grade: float = 0.0,
        headwind: float = 0.0,
    ) -> MotionState:
        """Drives on for `duration`. `friction` scales that of the dry road, `grade` is the slope ahead (rise over run)."""
        count = max(1, math.ceil(duration / SUBSTEP - 1e-6))
        part = duration / count
        grip = self.facts.body.friction * friction
        for _ in range(count):
            self._angle = self._steering.step(steering_request, part)
            before = self._speed
            self._longitudinal(acceleration_request, part, grip, grade, headwind)
            middle = 0.5 * (before + self._speed)
            if middle < KINEMATIC_SPEED:
                self._kinematic(middle, part)
            else:
                self._single_track(middle, part, grip)
        self.state = self._motion()
        return self.state

    def _longitudinal(
        self, request: float, duration: float, grip: float, grade: float, headwind: float
    ) -> None:
        """Powertrain first, brakes below its floor; at rest the car is held until drive exceeds what holds it."""
        speed = self._speed
        resistance = self.resistance(speed, grade)
        standing = speed == 0.0 and request <= 0.0
        floor = self.powertrain.floor(speed)
        demand = floor if standing else request + resistance
        drive = self.powertrain.step(demand, speed, duration) / self._load
        wanted = HOLD_DECELERATION + max(0.0, floor) if standing else max(0.0, floor - demand)
        brake = self._brake.step(wanted, duration) / self._load
        if headwind or self._load != 1.0:
            resistance = self._true_resistance(speed, grade, headwind)
        limit = LONGITUDINAL_GRIP * grip * GRAVITY
        drive = max(-limit, min(drive, limit))
        brake = min(brake, limit + min(drive, 0.0))
        acceleration = drive - brake - resistance
        after = speed + acceleration * duration
        if after <= 0.0:  # neither brakes nor tyres push backwards, and a slope is held
            acceleration, after = 0.0 if speed == 0.0 else acceleration, 0.0
        self._count_energy(drive, speed, after, duration, grade)
        self._grip_used = abs(drive - brake) / (grip * GRAVITY) if after > 0.0 else 0.0
        self._acceleration = acceleration if after > 0.0 else 0.0
        self._speed = after

    def _count_energy(self, drive: float, before: float, after: float, duration: float, grade: float) -> None:
        """By the change of kinetic energy, so that the balance closes also in the step that ends at rest."""
        mass, energy = self.facts.body.mass, self.energy
        work = mass * drive * 0.5 * (before + after) * duration
        climb = mass * GRAVITY * grade / math.sqrt(1.0 + grade * grade) * 0.5 * (before + after) * duration
        driven = max(work, 0.0)
        regenerated = max(-work, 0.0) if self._recovers else 0.0
        energy.driven += driven
        energy.regenerated += regenerated
        energy.climbed += climb
        energy.dissipated += driven - regenerated - climb - 0.5 * mass * (after * after - before * before)

    def _kinematic(self, speed: float, duration: float) -> None:
        tangent = math.tan(self._angle)
        self._slip = math.atan(tangent * self._rear / self._wheelbase)
        self._yaw_rate = speed * math.cos(self._slip) * tangent / self._wheelbase
        self._lateral_acceleration = speed * self._yaw_rate
        self._move(speed, self._slip, self._yaw_rate, duration)

    def _single_track(self, speed: float, duration: float, grip: float) -> None:
        """One midpoint step of slip angle and yaw rate."""
        middle_slip, middle_rate, self._slip, self._yaw_rate, self._lateral_acceleration = single_track(
            self._track,
            speed,
            duration,
            grip,
            self._slip,
            self._yaw_rate,
            self._angle,
            self._acceleration,
            self._grip_used,
        )
        self._move(speed, middle_slip, middle_rate, duration)

    def _move(self, speed: float, slip: float, yaw_rate: float, duration: float) -> None:
        course = self._yaw + slip + 0.5 * duration * yaw_rate
        self._x += speed * math.cos(course) * duration
        self._y += speed * math.sin(course) * duration
        self._yaw += yaw_rate * duration

    def _motion(self) -> MotionState:
        return MotionState(
            x=self._x - self._rear * math.cos(self._yaw),
            y=self._y - self._rear * math.sin(self._yaw),
            yaw=wrap(self._yaw),
            speed=self._speed * math.cos(self._slip),
            acceleration=self._acceleration,
            lateral_acceleration=self._lateral_acceleration,
            yaw_rate=self._yaw_rate,
            slip_angle=self._slip,
            steering_angle=self._angle,
            gear=self.powertrain.gear,
        )


@compiled
def single_track(
    track: np.ndarray,
    speed: float,
    duration: float,
    grip: float,
    slip: float,
    yaw_rate: float,
    angle: float,
    acceleration: float,
    grip_used: float,
) -> tuple[float, float, float, float, float]:
    """Slip angle and yaw rate in the middle of a step and at its end, and the lateral acceleration; `track` as of the model."""
    slip_change, yaw_change = _lateral(track, speed, slip, yaw_rate, grip, angle, acceleration, grip_used)
    middle_slip, middle_rate = slip + 0.5 * duration * slip_change, yaw_rate + 0.5 * duration * yaw_change
    slip_change, yaw_change = _lateral(
        track, speed, middle_slip, middle_rate, grip, angle, acceleration, grip_used
    )
    lateral = speed * (slip_change + middle_rate)
    return middle_slip, middle_rate, slip + duration * slip_change, yaw_rate + duration * yaw_change, lateral


@compiled
def _lateral(
    track: np.ndarray,
    speed: float,
    slip: float,
    yaw_rate: float,
    grip: float,
    angle: float,
    acceleration: float,
    grip_used: float,
) -> tuple[float, float]:
    """Rates of slip angle and yaw rate from the axle forces (per mass)."""
    front, rear, wheelbase, height, front_stiffness, rear_stiffness, mass_by_inertia = track
    transfer = acceleration * height
    front_grip = grip * (GRAVITY * rear - transfer) / wheelbase
    rear_grip = grip * (GRAVITY * front + transfer) / wheelbase
    across = math.sqrt(max(0.04, 1.0 - grip_used * grip_used))
    turn = yaw_rate / speed
    front_force = _saturated(front_stiffness * (angle - slip - front * turn), across) * front_grip
    rear_force = _saturated(rear_stiffness * (rear * turn - slip), across) * rear_grip
    return (front_force + rear_force) / speed - yaw_rate, mass_by_inertia * (
        front * front_force - rear * rear_force
    )


@compiled
def _saturated(linear: float, limit: float) -> float:
    """Tyre force as a share of grip: linear at first (0.2 % less at 0.3 of the limit), never above the limit."""
    ratio = linear / limit
    square = ratio * ratio
    return linear / math.sqrt(math.sqrt(1.0 + square * square))
