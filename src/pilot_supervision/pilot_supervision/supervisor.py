"""Who drives: the modes of the system, as one table of transitions, and the reason for the mode it is in.

A failure of a critical function ends in a stop in the lane at once; lost lanes or sensors and an inattentive driver first
lead to a demand to take over. A minimum-risk stop ends only by the driver's hand, and the system stays locked until the car
was parked. A supervisor that begins while the gate lets commands through was restarted in mid-drive: it does not know whether
the driver is there, so it goes on with the stop that the gate began without it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pilot_common.types import Actuation, DriveMode, Gear, Health, Mode, Plan, VehicleState, World
from pilot_common.vehicle import Capability, SensorKind, Vehicle
from pilot_supervision.driver import Acts, DriverWatch
from pilot_supervision.held import Held
from pilot_supervision.monitor import Monitor
from pilot_supervision.parameters import SupervisionParameters
from pilot_supervision.rule_watch import RuleWatch

OFF, STANDBY, ACTIVE = DriveMode.OFF, DriveMode.STANDBY, DriveMode.ACTIVE
OVERRIDE, TAKEOVER, MINIMUM_RISK = DriveMode.OVERRIDE, DriveMode.TAKEOVER, DriveMode.MINIMUM_RISK

# From, when (a field of Situation that says something), to. The first that holds acts, so safety and the driver stand first.
TRANSITIONS = (
    (OFF, "in_drive", STANDBY),
    (STANDBY, "not_in_drive", OFF),
    (STANDBY, "engages", ACTIVE),
    (ACTIVE, "not_in_drive", OFF),
    (ACTIVE, "brakes", STANDBY),
    (ACTIVE, "cancels", STANDBY),
    (ACTIVE, "failure", MINIMUM_RISK),
    (ACTIVE, "steers", OVERRIDE),
    (ACTIVE, "accelerates", OVERRIDE),
    (ACTIVE, "loss", TAKEOVER),
    (ACTIVE, "inattentive", TAKEOVER),
    (OVERRIDE, "not_in_drive", OFF),
    (OVERRIDE, "brakes", STANDBY),
    (OVERRIDE, "cancels", STANDBY),
    (OVERRIDE, "steers_on", STANDBY),
    (OVERRIDE, "failure", STANDBY),
    (OVERRIDE, "loss", STANDBY),
    (OVERRIDE, "released", ACTIVE),
    (TAKEOVER, "not_in_drive", OFF),
    (TAKEOVER, "takes_over", STANDBY),
    (TAKEOVER, "cancels", STANDBY),
    (TAKEOVER, "failure", MINIMUM_RISK),
    (TAKEOVER, "takeover_expired", MINIMUM_RISK),
    (TAKEOVER, "restored", ACTIVE),
    (MINIMUM_RISK, "not_in_drive", OFF),
    (MINIMUM_RISK, "ends_stop", STANDBY),
)


@dataclass(slots=True)
class Situation:
    """All that transitions look at, in words; "" where it is not so."""

    in_drive: str
    not_in_drive: str
    engages: str
    brakes: str
    cancels: str
    steers: str
    steers_on: str
    accelerates: str
    released: str
    failure: str
    loss: str
    inattentive: str
    takes_over: str
    takeover_expired: str
    restored: str
    ends_stop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionInputs:
    """Newest messages, None where missing or stale; `health` by function."""

    time: float
    vehicle_state: VehicleState | None
    world: World | None
    plan: Plan | None
    actuation: Actuation | None
    health: Mapping[str, Health | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionOutputs:
    """Who drives and why; None while that is not known yet."""

    mode: Mode | None


class Supervisor:
    """One mode a step."""

    Inputs, Outputs, Parameters = SupervisionInputs, SupervisionOutputs, SupervisionParameters

    def __init__(self, vehicle: Vehicle, parameters: SupervisionParameters) -> None:
        capabilities = vehicle.facts.capabilities
        self._parameters, self._max_speed = parameters, vehicle.facts.limits.max_speed
        self._can_drive = Capability.SINGLE_LANE in capabilities
        self._hands_free = Capability.MOTORWAY_L3 in capabilities
        self._eyes_seen = bool(vehicle.fitted(SensorKind.DRIVER_CAMERA))
        self._rules = RuleWatch(vehicle, parameters.rules)
        self.reset()

    def reset(self) -> None:
        """OFF, nothing seen."""
        self._rules.reset()
        self._monitor = Monitor(self._parameters.persistence)
        self._driver = DriverWatch(self._parameters, self._hands_free, self._eyes_seen)
        self._mode, self._reason, self._since = OFF, "no vehicle state yet", 0.0
        self._state: VehicleState | None = None
        self._well = Held()  # no cause for a takeover demand
        self._locked, self._trusted = False, False
        self._begun, self._waiting_since = False, math.inf

    def step(self, inputs: SupervisionInputs) -> SupervisionOutputs:
        """The mode for now; None until the gate was heard, which knows whether the system drives already."""
        time, state = inputs.time, inputs.vehicle_state
        if not self._begun and not self._begin(inputs.actuation, time):
            return SupervisionOutputs(mode=None)
        self._since = min(self._since, time)  # a clock that is set back lengthens no demand
        self._trusted = state is not None and state.valid and math.isfinite(state.speed)
        streams = {
            "vehicle state": state if self._trusted else None,
            "world": inputs.world,
            "plan": inputs.plan,
            "actuation": inputs.actuation,
        }
        self._monitor.update(time, inputs.health, inputs.world, streams)
        acts = self._driver.acts
        if state is not None:
            self._state = state
            acts = self._driver.update(time, state.driver, self._mode.system_drives)
        if self._state is not None:
            self._change(self._situation(time, self._state, acts), time)
            self._locked = (self._locked or self._mode is MINIMUM_RISK) and self._state.gear is not Gear.PARK
        reason, warning = self._shown(time, acts)
        mode = Mode(stamp=time, mode=self._mode, reason=reason, warning=warning)
        self._rules.update(time, inputs.vehicle_state, mode, inputs.plan, inputs.world, inputs.actuation)
        if self._rules.said and self._mode.system_drives:
            mode = replace(mode, reason=f"{reason}; {self._rules.said}")
        return SupervisionOutputs(mode=mode)

    def _begin(self, actuation: Actuation | None, time: float) -> bool:
        self._waiting_since = min(self._waiting_since, time)
        self._begun = actuation is not None or time - self._waiting_since >= self._parameters.start_patience
        if actuation is not None and actuation.active:
            self._mode, self._since = MINIMUM_RISK, time
            self._reason = "supervision was restarted while the system drove"
        return self._begun

    def _change(self, situation: Situation, time: float) -> None:
        for before, when, after in TRANSITIONS:
            if before is self._mode and getattr(situation, when):
                self._mode, self._reason, self._since = after, getattr(situation, when), time
                if when == "engages":
                    self._driver.engaged()
                return

    def _situation(self, time: float, state: VehicleState, acts: Acts) -> Situation:
        own, monitor = self._parameters, self._monitor
        in_drive, elapsed = state.gear is Gear.DRIVE, time - self._since
        well = not monitor.loss and not acts.inattentive
        well_for = self._well.update(well, time)
        limit = own.takeover_time_hands_free if self._hands_free else own.takeover_time
        standing = abs(state.speed) <= own.standstill_speed
        acts_at_rest = standing and bool(acts.brakes or acts.cancels or acts.accelerates)
        return Situation(
            in_drive="the system waits to be engaged" if in_drive else "",
            not_in_drive="" if in_drive else f"selector in {state.gear.name.lower()}",
            engages="engaged by the driver" if acts.engages and not self._unready(state, acts) else "",
            brakes=acts.brakes,
            cancels=acts.cancels,
            steers=acts.steers,
            steers_on=acts.steers_on,
            accelerates=acts.accelerates if elapsed >= own.engage_grace else "",
            released="the driver gave the car back" if acts.idle_for >= own.override_release else "",
            failure=monitor.failure,
            loss=monitor.loss,
            inattentive=acts.inattentive if acts.warning >= 3 else "",
            takes_over=f"the driver took over by {acts.takes_over}" if acts.takes_over else "",
            takeover_expired=f"the driver did not take over within {limit:.0f} s"
            if elapsed >= limit and not well
            else "",
            restored="the cause of the takeover demand is gone" if well_for >= own.restore_time else "",
            ends_stop="the driver took over" if acts.acting_for >= own.stop_takeover or acts_at_rest else "",
        )

    def _unready(self, state: VehicleState, acts: Acts) -> str:
        """Why the system cannot be engaged, "" if it can."""
        if not self._trusted:
            return "no valid vehicle state"
        if not self._can_drive:
            return "this car has no driving function"
        if self._locked:
            return "locked after a minimum-risk stop until the car was parked"
        if self._monitor.failure or self._monitor.loss:
            return self._monitor.failure or self._monitor.loss
        if state.speed > self._max_speed + self._parameters.speed_margin:
            return f"faster than {self._max_speed * 3.6:.0f} km/h"
        if state.speed < -self._parameters.standstill_speed:
            return "the car rolls backwards"
        if acts.brakes or acts.steers:
            return acts.brakes or acts.steers
        return "" if state.driver.hands_on or self._hands_free else "hands off the wheel"

    def _shown(self, time: float, acts: Acts) -> tuple[str, int]:
        """Reason and warning level that belong to the mode."""
        if self._mode is STANDBY and self._state is not None:
            unready = self._unready(self._state, acts)
            return (f"{self._reason}; not ready: {unready}" if unready else self._reason), int(
                acts.engages and bool(unready)
            )
        if self._mode is ACTIVE:
            return (acts.inattentive or self._reason), acts.warning
        if self._mode is TAKEOVER:
            return (
                self._monitor.unseen or self._reason,
                3 if time - self._since >= self._parameters.takeover_escalation else 2,
            )
        return self._reason, 3 if self._mode is MINIMUM_RISK else 0
