"""The human at the wheel: drives by himself until the system does and after it has given up, and works its buttons.

Along the road he follows the intelligent driver model of Treiber and Kesting, across it he steers towards the middle of his lane.
"""

from dataclasses import dataclass

from pilot_common.types import DriveMode, DriverInput, Mode, Side
from pilot_common.tyres import Tyres
from pilot_common.vehicle import Facts
from pilot_simulation.car_following import following_acceleration
from pilot_simulation.scenario import DriverPlan
from pilot_vehicle.steady_turn import SteadyTurn

PRESS = 0.4  # s that a button or the lever is held
PATIENCE = 1.5  # s between two tries to engage a system that is not ready
BRAKE_PRESS = 1.0  # s that the pedal is held to take over by braking
RESUMES_AFTER = 0.5  # s until he drives when the system has handed over
TAKEOVER_TORQUE = 4.0  # N·m at the wheel: firmly above what road and friction cause
LANE_FREQUENCY = 0.5  # rad/s, of the damped return to the middle of the lane
SLOWEST = 3.0  # m/s: below, steering gains are those of this speed
LAST_TURN = 1.0  # s before he is due somewhere, from which on he leaves the set speed as it is


@dataclass(frozen=True, slots=True)
class View:
    """What the driver sees. The gap is bumper to bumper, infinite where nobody is ahead; errors are left positive."""

    speed: float
    lane_offset: float
    heading_error: float
    curvature: float
    gap: float
    lead_speed: float


@dataclass(frozen=True, slots=True)
class Hands:
    """What he does beside pedals and buttons; the acceleration becomes pedals in the car."""

    driving: bool
    acceleration: float
    steering_angle: float


RESTING = Hands(False, 0.0, 0.0)


class Driver:
    """The driver of a scenario's plan."""

    def __init__(self, plan: DriverPlan, facts: Facts) -> None:
        self._plan = plan
        self._turn = SteadyTurn(facts)  # he knows his car
        self._rear_slip = Tyres(facts).rear(0.0)
        self._deceleration = facts.actuators.max_deceleration
        self._demanded: float | None = None  # since when the system demands a takeover
        self._takes_over = False
        self._engaged = False  # has been, once
        self._released: float | None = None  # since when the system no longer drives
        dimensions = facts.dimensions
        self._middle = dimensions.rear_axle_to_front - 0.5 * dimensions.length
        self._wish = plan.set_speed

    def watch(self, time: float, mode: Mode | None, station: float = 0.0) -> None:
        """Notes what the system shows (without a mode it is off), and where the rear axle is."""
        arrival = self._plan.arrival
        if arrival is not None and arrival.time - time > LAST_TURN:
            wish = (arrival.station - station - self._middle) / (arrival.time - time)
            self._wish = min(max(wish, SLOWEST), self._plan.set_speed)
        drive_mode = mode.mode if mode is not None else DriveMode.OFF
        if drive_mode.system_drives:
            self._engaged, self._released = True, None
        elif self._engaged and self._released is None:
            self._released = time
        if drive_mode not in (DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK):
            self._demanded = None
        elif self._demanded is None:
            self._demanded = time
        after = self._plan.takes_over_after
        if self._demanded is not None and after is not None and time - self._demanded >= after:
            self._takes_over = True

    def drives(self, time: float) -> bool:
        """Whether he drives himself. One who never takes over does nothing any more once he has engaged the system."""
        if self._takes_over or not self._engaged:
            return True
        able = self._plan.takes_over_after is not None
        return able and self._released is not None and time - self._released >= RESUMES_AFTER

    def hands(self, view: View) -> Hands:
        """What he does with pedals and steering wheel when he drives."""
        return Hands(True, self._follow(view), self._steer(view))

    def _follow(self, view: View) -> float:
        plan = self._plan
        return following_acceleration(view.speed, self._wish, plan.time_gap, view.gap, view.lead_speed)

    def _steer(self, view: View) -> float:
        """Curvature of the road, less a critically damped return to the middle of the lane."""
        speed = max(view.speed, SLOWEST)
        frequency = min(LANE_FREQUENCY, 0.1 * speed)
        curvature = view.curvature - (frequency / speed) ** 2 * view.lane_offset
        drift = (
            self._rear_slip * view.speed**2 * view.curvature
        )  # the car points this far into a curve that it follows
        curvature -= 2.0 * frequency / speed * (view.heading_error - drift)
        return self._turn.steering_angle(curvature, view.speed)

    def inputs(
        self, time: float, mode: Mode | None, hands: Hands, pedals: tuple[float, float]
    ) -> DriverInput:
        """Pedals, torque and buttons at a time; `pedals` (accelerator, brake) count while he drives."""
        plan = self._plan
        engages = self._presses_engage(time)
        accelerator, brake = pedals if hands.driving and not engages else (0.0, 0.0)  # feet off to hand over
        if plan.brakes_at is not None and 0.0 <= time - plan.brakes_at < BRAKE_PRESS:
            accelerator, brake = 0.0, max(brake, plan.brakes_with / self._deceleration)
        return DriverInput(
            accelerator=accelerator,
            brake=brake,
            steering_torque=TAKEOVER_TORQUE if self._takes_over else 0.0,
            hands_on=plan.hands_on or self._takes_over,
            eyes_on=plan.eyes_on or self._takes_over,
            engage=engages,
            cancel=_held(time, plan.cancel_at),
            lane_change=next((wish.side for wish in plan.lane_changes if _held(time, wish.time)), Side.NONE),
            set_speed=self._wish,
            time_gap=plan.time_gap,
        )

    def _presses_engage(self, time: float) -> bool:
        """Again and again until the system drives for the first time."""
        start = self._plan.engage_at
        if start is None or self._engaged or time < start:
            return False
        return (time - start) % PATIENCE < PRESS


def _held(time: float, start: float | None) -> bool:
    return start is not None and 0.0 <= time - start < PRESS
