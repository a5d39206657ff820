"""The command gate: the last, independent bound on what reaches the actuators.

It trusts nothing it is given. A command passes only in the modes below, finite and fresh, and only within the limits of the car's
facts (`bounds.py`). What is missing is replaced by the stop that control sent ahead, and when that runs out by braking with the
steering held. The driver's brake or firm hand wins at once. `reason` says what was changed and why.
"""

import math
from dataclasses import dataclass

import numpy as np

from pilot_common.schema import parameter
from pilot_common.types import Actuation, Command, DriveMode, Gear, Limit, Mode, Side, VehicleState
from pilot_common.vehicle import Vehicle
from pilot_vehicle.bounds import Bounds, Notes
from pilot_vehicle.feasibility import check_feasible

# Spelt out here as well: the gate lets nothing pass that another file adds.
PASSING = (DriveMode.ACTIVE, DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK)
LONGEST_STEP = 0.1  # s: after a longer pause no more may change than in this time
LARGEST_SPEED_CHANGE = (
    12.0  # m/s²: no car on tyres gains or loses speed faster, and a reported jump is followed no faster
)
CLOCK_TOLERANCE = 0.05  # s that a command may seem to come from the future


@dataclass(frozen=True, slots=True, kw_only=True)
class GateParameters:
    """What is not a limit of the car (those are in its facts)."""

    override_brake: float = parameter("", 0.005, 0.2, "brake pedal from which the driver has the car")
    override_torque: float = parameter("N m", 2.0, 10.0, "steering torque from which the driver has the car")
    override_release: float = parameter("s", 0.2, 5.0, "how long the driver keeps it after letting go")
    hold_speed: float = parameter("m/s", 0.0, 0.3, "up to it the car counts as standing")
    hold_release_speed: float = parameter("m/s", 0.0, 1.0, "a held car is held up to it")
    hold_deceleration: float = parameter("m/s²", 0.5, 4.0, "brake that holds a standing car")
    drive_off_acceleration: float = parameter("m/s²", 0.0, 0.5, "up to it a standing car stays at rest")
    least_stop_deceleration: float = parameter("m/s²", 0.2, 3.0, "a minimum-risk stop brakes no less")
    speed_margin: float = parameter("m/s", 0.0, 5.0, "so far above the highest speed acceleration ends")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInputs:
    """Newest messages, None where missing or stale."""

    time: float
    command: Command | None
    vehicle_state: VehicleState | None
    mode: Mode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutputs:
    """What goes to the actuators."""

    actuation: Actuation


class Gate:
    """One actuation a step, whatever comes in."""

    Inputs, Outputs, Parameters = GateInputs, GateOutputs, GateParameters

    def __init__(self, vehicle: Vehicle, parameters: GateParameters) -> None:
        """Raises ConfigError for a car whose limits cannot hold."""
        check_feasible(vehicle)
        self._facts, self._parameters = vehicle.facts, parameters
        self.reset()

    def reset(self) -> None:
        """Nothing is known, nothing passes."""
        self._bounds = Bounds(self._facts)
        self._time, self._speed, self._gear = math.inf, 0.0, Gear.PARK
        self._seen = False  # a vehicle state, ever
        self._passing = False  # the last mode
        self._holding = False  # at rest
        self._overridden_until = -math.inf
        self._good: Command | None = None  # the last good command
        self._checked: Command | None = None  # the last one looked at, and what was wrong with it
        self._fault = _fault(None, 0.0)

    def step(self, inputs: GateInputs) -> GateOutputs:
        """The actuation for now."""
        elapsed = min(max(inputs.time - self._time, 0.0), LONGEST_STEP)
        if (
            inputs.time < self._time < math.inf
        ):  # the clock was set back: that must not give the car to the driver
            self._overridden_until -= self._time - inputs.time
        self._time = inputs.time
        state = self._sense(inputs.vehicle_state, elapsed)
        mode, why = self._mode(inputs.mode)
        self._passing = mode in PASSING
        if not self._passing or not self._seen:
            self._overridden_until = -math.inf
            return self._driver_drives(state, Limit.MODE, why if self._seen else "no vehicle state yet")
        if self._overridden(inputs.vehicle_state):
            return self._driver_drives(state, Limit.OVERRIDE, "the driver brakes or steers")
        notes: Notes = [] if inputs.mode is not None else [(Limit.MODE, why)]
        steering, acceleration, lost = self._wanted(inputs.command, notes)
        self._bounds.steer(steering, self._speed, elapsed, notes)
        highest = self._highest(mode)
        if self._holds(min(acceleration, highest)):
            acceleration = min(acceleration, -self._parameters.hold_deceleration)
        self._bounds.accelerate(acceleration, highest, elapsed, notes)
        return self._say(True, notes, None if lost else self._good, lost or mode is DriveMode.MINIMUM_RISK)

    def _sense(self, state: VehicleState | None, elapsed: float) -> VehicleState | None:
        """The state if it can be trusted. The speed follows it no faster than physics allows, and is dead-reckoned without."""
        if (
            state is None
            or not state.valid
            or not _finite(state.speed, state.acceleration, state.steering_angle)
        ):
            self._speed = max(0.0, self._speed + self._bounds.acceleration * elapsed)
            return None
        reach = LARGEST_SPEED_CHANGE * elapsed
        if not self._seen:
            reach = math.inf
            self._bounds.track(
                state.steering_angle, state.acceleration
            )  # also where a restarted gate finds the system driving
        self._speed = min(max(abs(state.speed), self._speed - reach), self._speed + reach)
        self._gear, self._seen = state.gear, True
        return state

    def _mode(self, mode: Mode | None) -> tuple[DriveMode, str]:
        if mode is not None:
            return mode.mode, f"mode {mode.mode.name.lower()}: {mode.reason}"
        if self._passing:
            return DriveMode.MINIMUM_RISK, "no mode reported: stopping"
        return DriveMode.OFF, "no mode reported"

    def _overridden(self, state: VehicleState | None) -> bool:
        """Whether the driver acts, or did so within the release time. Pedals and wheel count even in an invalid state."""
        own = self._parameters
        acts = state is not None and (
            state.driver.brake > own.override_brake or abs(state.driver.steering_torque) > own.override_torque
        )
        if acts:
            self._overridden_until = self._time + own.override_release
        return self._time < self._overridden_until

    def _wanted(self, command: Command | None, notes: Notes) -> tuple[float, float, bool]:
        """Steering angle, acceleration, lost: of the command, else of the last good one's stop, else braking as it steers."""
        if command is not self._checked:
            self._checked, self._fault = command, _fault(command, self._time)
        if command is not None and not self._fault:
            self._good = command
            return command.steering_angle, command.acceleration, False
        limit, good = Limit.STALE_COMMAND if command is None else Limit.INVALID_COMMAND, self._good
        if good is not None and len(good.fallback_time):
            age = self._time - good.stamp
            if 0.0 <= age <= good.fallback_time[-1]:
                notes.append((limit, f"{self._fault}: stopping as control planned {age:.2f} s ago"))
                steering = float(np.interp(age, good.fallback_time, good.fallback_steering_angle))
                return steering, float(np.interp(age, good.fallback_time, good.fallback_acceleration)), False
        notes.append((limit, f"{self._fault}: holding the steering and braking to rest"))
        return self._bounds.steering, -self._facts.limits.minimum_risk_deceleration, True

    def _highest(self, mode: DriveMode) -> float:
        """Acceleration that mode and speed allow."""
        if mode is DriveMode.MINIMUM_RISK:
            return -self._parameters.least_stop_deceleration
        return 0.0 if self._speed > self._facts.limits.max_speed + self._parameters.speed_margin else math.inf

    def _holds(self, wanted: float) -> bool:
        """Whether the car is held at rest; once held, noise of the speed does not let it go."""
        own = self._parameters
        slow = own.hold_release_speed if self._holding else own.hold_speed
        self._holding = self._speed <= slow and wanted <= own.drive_off_acceleration
        return self._holding

    def _driver_drives(self, state: VehicleState | None, limit: Limit, reason: str) -> GateOutputs:
        """Lets the driver drive and follows, so that the system begins where he leaves off."""
        if state is not None:
            self._bounds.track(state.steering_angle, state.acceleration)
        return self._say(False, [(limit, reason)], None, False)

    def _say(self, active: bool, notes: Notes, command: Command | None, hazard: bool) -> GateOutputs:
        """The first note is the binding limit; gears change at rest only."""
        standing = self._speed <= self._parameters.hold_speed
        actuation = Actuation(
            stamp=self._time,
            source_stamp=command.source_stamp if command else self._time,
            active=active,
            steering_angle=self._bounds.steering,
            acceleration=self._bounds.acceleration,
            gear=command.gear if command and standing else self._gear,
            indicator=command.indicator if command else Side.NONE,
            hazard_lights=hazard or (command is not None and command.hazard_lights),
            limit=notes[0][0] if notes else Limit.NONE,
            reason="; ".join(sentence for _, sentence in notes),
        )
        return GateOutputs(actuation=actuation)


def _fault(command: Command | None, time: float) -> str:
    """What is wrong with a command, "" for nothing."""
    if command is None:
        return "no fresh command"
    if not command.valid:
        return f"command invalid ({command.reason})"
    if not _finite(command.stamp, command.source_stamp, command.steering_angle, command.acceleration):
        return "command not finite"
    if command.stamp > time + CLOCK_TOLERANCE:
        return "command from the future"
    plan = (command.fallback_time, command.fallback_steering_angle, command.fallback_acceleration)
    finite = np.isfinite(plan[0] + plan[1] + plan[2]).all()  # a sum of finite numbers of a car is finite
    if not finite or (plan[0][1:] <= plan[0][:-1]).any():
        return "fallback not finite or not in order of time"
    return ""


def _finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)
