"""Watches the driver: what he does with pedals, wheel and buttons, and whether he is attentive."""

from dataclasses import dataclass

from pilot_common.types import DriverInput
from pilot_supervision.held import Held
from pilot_supervision.parameters import Attention, SupervisionParameters


@dataclass(slots=True)
class Acts:
    """What the driver does, in words where it has a consequence ("" where he does not)."""

    brakes: str = ""
    accelerates: str = ""
    steers: str = ""
    steers_on: str = ""  # long enough to be his wish to drive
    cancels: str = ""
    engages: bool = False  # the button is pressed and this press has not engaged yet
    takes_over: str = ""  # by what he would answer a demand to take over; the accelerator counts with a hand on the wheel only
    acting_for: float = 0.0  # s that he has done so
    idle_for: float = 0.0  # s without pedal and torque
    inattentive: str = ""
    warning: int = 0


class DriverWatch:
    """Turns the driver's inputs into acts. Hands-free cars ask for no attention while they drive."""

    def __init__(self, parameters: SupervisionParameters, hands_free: bool, eyes_seen: bool) -> None:
        self._parameters = parameters
        self._hands_free = hands_free
        self._ladders = () if hands_free else ("hands", "eyes") if eyes_seen else ("hands",)
        self._steering, self._acting, self._idle = Held(), Held(), Held()
        self._off = {name: Held() for name in self._ladders}
        self._button_ready = False  # one press engages once, and a button stuck from the start never does
        self.acts = Acts()

    def update(self, time: float, driver: DriverInput, driving: bool) -> Acts:
        """Takes the newest inputs; attention is asked for while the system is `driving`. A missing input changes nothing."""
        own = self._parameters
        brakes, accelerates = driver.brake > own.brake_pedal, driver.accelerator > own.accelerator_pedal
        steers = abs(driver.steering_torque) > own.steering_torque
        steering_for = self._steering.update(steers, time)
        takes_over = (
            "braking"
            if brakes
            else "steering"
            if steers
            else "accelerating"
            if accelerates and driver.hands_on
            else ""
        )
        cancels = driver.cancel and (
            driver.hands_on or not self._hands_free
        )  # hands-free: nobody would be steering
        acts = Acts(
            brakes="the driver brakes" if brakes else "",
            accelerates="the driver accelerates" if accelerates else "",
            steers="the driver steers" if steers else "",
            steers_on="the driver keeps steering" if steering_for >= own.steering_takeover else "",
            cancels="cancelled by the driver" if cancels else "",
            engages=driver.engage and self._button_ready,
            takes_over=takes_over,
            acting_for=self._acting.update(bool(takes_over), time),
            idle_for=self._idle.update(not (brakes or steers or accelerates), time),
        )
        if not driver.engage:
            self._button_ready = True
        if "hands" in self._ladders:
            self._climb(
                acts, own.hands_off, "hands", "hands off the wheel", driving and not driver.hands_on, time
            )
        if "eyes" in self._ladders:
            self._climb(acts, own.eyes_off, "eyes", "eyes off the road", driving and not driver.eyes_on, time)
        self.acts = acts
        return acts

    def engaged(self) -> None:
        """The press of the button has had its effect."""
        self._button_ready = False

    def _climb(self, acts: Acts, ladder: Attention, name: str, what: str, away: bool, time: float) -> None:
        absent = self._off[name].update(away, time)
        steps = (ladder.visual, ladder.acoustic, ladder.takeover)
        level = sum(absent >= step for step in steps)
        if level > acts.warning:
            acts.warning = level
            acts.inattentive = f"{what} for {steps[level - 1]:.0f} s"
