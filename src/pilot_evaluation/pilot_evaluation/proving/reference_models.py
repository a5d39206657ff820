"""The four reference drivers of UN R157: when each sees a danger, and how each then brakes.

Formulas from UN R157 (careful competent human: Annex 4, Appendix 3; clause 5.2.5.2), from Shalev-Shwartz et al., "On a formal
model of safe and scalable self-driving cars" (RSS) and from Mattas et al., "Fuzzy surrogate safety metrics for real-time
assessment of rear-end collision risk" (FSM), with the constants that the regulation's public tool publishes.
Every array has one entry per case (N). Gaps are between the cars' edges; a negative one is an overlap.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

GRAVITY = 9.81
BUILD_UP = 12.65  # m/s³, UN R157 Annex 4 Appendix 3: the full brake after 0.6 s
FULL_BRAKE = 0.774 * GRAVITY  # m/s², the same


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a driver sees at one time."""

    speed: np.ndarray  # own
    acceleration: np.ndarray  # own, since the time before
    other_speed: np.ndarray
    gap: np.ndarray  # along the road
    way: np.ndarray  # until the other is passed: the gap and both lengths
    ahead: np.ndarray  # bool: the other's centre is not behind the own
    side_gap: np.ndarray
    approach: np.ndarray  # lateral speed of the other towards the own lane

    @property
    def closing(self) -> np.ndarray:
        """How fast the gap shrinks."""
        return self.speed - self.other_speed


class ReferenceDriver(ABC):
    """A driver who reacts `reaction` s after a danger. `steps_in(view)`: what else starts or ends the attention."""

    reaction: float = 0.75
    coasting: float = 0.0  # m/s² while reacting

    @abstractmethod
    def danger(self, view: View, from_the_side: bool) -> np.ndarray:
        """Whether the driver sees one, (N,). `from_the_side`: a cut-in; else the other stands or brakes in the own lane."""

    def no_interest(self, view: View, from_the_side: bool) -> np.ndarray | None:
        """Cases that the model's definition closes as harmless at this moment, (N,) or none."""
        return None

    def braking(self, view: View, held: np.ndarray, rate: float) -> np.ndarray:
        """Deceleration after the reaction time, (N,), from the one `held` at the time before; `rate` times a second."""
        return np.minimum(held + BUILD_UP / rate, FULL_BRAKE)

    def following_gap(self, speed: np.ndarray) -> np.ndarray:
        """The gap that the driver keeps at a speed, (N,)."""
        return 2.0 * speed

    def reaction_steps(self, rate: float) -> int:
        """Whole steps that pass before the brake."""
        return math.ceil(self.reaction * rate - 1e-9)


def time_to_contact(view: View) -> np.ndarray:
    """Gap over closing speed without its sign, (N,); infinite at equal speeds."""
    closing = view.closing
    return np.abs(np.divide(view.gap, closing, out=np.full_like(closing, np.inf), where=closing != 0.0))


class CarefulHuman(ReferenceDriver):
    """Lifts off, then brakes fully, once the other overlaps sideways and is 2 s away or less.

    A cut-in that begins to overlap from farther away is not judged any further: the definition calls it no risk.
    """

    coasting = 0.4
    critical_time = 2.0

    def danger(self, view: View, from_the_side: bool) -> np.ndarray:
        if not from_the_side:
            return np.ones(len(view.gap), bool)
        return self._overlaps(view) & ~(time_to_contact(view) > self.critical_time)

    def no_interest(self, view: View, from_the_side: bool) -> np.ndarray | None:
        if not from_the_side:
            return None
        return self._overlaps(view) & (time_to_contact(view) > self.critical_time)

    def _overlaps(self, view: View) -> np.ndarray:
        return view.ahead & (view.side_gap <= 0.0)


class ResponsibilitySensitive(ReferenceDriver):
    """RSS: brakes where both the longitudinal and the lateral safe distance are undercut."""

    most_acceleration = 3.0
    most_deceleration = 6.0
    lateral_acceleration = 1.0
    lateral_margin = 0.3

    def danger(self, view: View, from_the_side: bool) -> np.ndarray:
        fastest = view.speed + self.reaction * self.most_acceleration
        safe_gap = (
            view.speed * self.reaction
            + self.most_acceleration * self.reaction**2 / 2
            + (fastest**2 - view.other_speed**2) / (2 * self.most_deceleration)
        )
        sideways = np.abs(view.approach)
        later = sideways + self.lateral_acceleration * self.reaction
        safe_side = (
            self.lateral_margin
            + (sideways + later) * self.reaction / 2
            + later**2 / (2 * self.lateral_acceleration)
        )
        return view.ahead & (view.gap < safe_gap) & (view.side_gap < safe_side)

    def following_gap(self, speed: np.ndarray) -> np.ndarray:
        """Safe once the leader has braked hardest for the reaction time."""
        reaction, most = self.reaction, self.most_deceleration
        fastest = speed + reaction * self.most_acceleration
        slowest = np.maximum(speed - reaction * most, 0.0)
        return (
            speed * reaction
            + self.most_acceleration * reaction**2 / 2
            + (fastest**2 - slowest**2) / (2 * most)
            + most * reaction**2 / 2
        )


class Clause(ReferenceDriver):
    """Reg157, clause 5.2.5.2: 6 m/s² at once where a car 0.5 m beside the own edge is too near in time."""

    reaction = 0.35
    side = 0.5
    deceleration = 6.0
    reserve = 0.1  # s, that the public tool adds to the clause's 0.35 s

    def danger(self, view: View, from_the_side: bool) -> np.ndarray:
        if not from_the_side:
            return np.ones(len(view.gap), bool)
        critical = view.closing / (2 * self.deceleration) + self.reaction + self.reserve
        return view.ahead & (view.side_gap <= self.side) & ~(time_to_contact(view) > critical)

    def braking(self, view: View, held: np.ndarray, rate: float) -> np.ndarray:
        return np.full_like(held, self.deceleration)


class FuzzySafety(ReferenceDriver):
    """FSM: brakes softly and early (proactive, PFS) and harder the more critical it is (CFS), each a degree of 0 to 1."""

    comfortable = 4.0
    hardest = 6.0
    leader_hardest = 7.0
    margin = 2.0
    margin_safe = 2.0
    lateral_reserve = 0.1

    def danger(self, view: View, from_the_side: bool) -> np.ndarray:
        return view.ahead & self._meets(view) & ((self._critical(view) > 0.0) | (self._proactive(view) > 0.0))

    def braking(self, view: View, held: np.ndarray, rate: float) -> np.ndarray:
        critical = self._critical(view)
        wish = np.where(
            critical > 0.0,
            self.comfortable + critical * (self.hardest - self.comfortable),
            self._proactive(view) * self.comfortable,
        )
        return np.minimum(super().braking(view, held, rate), wish)

    def following_gap(self, speed: np.ndarray) -> np.ndarray:
        return (
            speed * self.reaction
            + speed**2 / (2 * self.comfortable)
            - speed**2 / (2 * self.leader_hardest)
            + self.margin
            + self.margin_safe
        )

    def _meets(self, view: View) -> np.ndarray:
        """Whether the other will be beside or before the own car sideways before it has been passed."""
        beside = view.side_gap <= 0.0
        approaching = view.approach > 0.0
        arrival = np.divide(
            view.side_gap, view.approach, out=np.full_like(view.gap, np.inf), where=approaching
        )
        closing = view.closing
        passed = np.divide(view.way, closing, out=np.full_like(closing, np.inf), where=closing != 0.0)
        return beside | (approaching & (arrival <= passed + self.lateral_reserve))

    def _proactive(self, view: View) -> np.ndarray:
        """1 where even the hardest braking meets a leader that brakes hardest; 0 where the comfortable one does not."""
        gap = view.gap - self.margin
        reacting = view.speed * self.reaction
        leader = view.other_speed**2 / (2 * self.leader_hardest)
        safe = reacting + view.speed**2 / (2 * self.comfortable) - leader + self.margin_safe
        unsafe = reacting + view.speed**2 / (2 * self.hardest) - leader
        return np.clip((safe - gap) / (safe - unsafe), 0.0, 1.0)

    def _critical(self, view: View) -> np.ndarray:
        """1 where even the hardest braking meets a leader that goes on as it does; 0 where the comfortable one does not."""
        closing = view.closing
        assumed = np.maximum(view.acceleration, -self.comfortable)
        after = closing + assumed * self.reaction
        travel = (closing + assumed * self.reaction / 2) * self.reaction
        safe = travel + after**2 / (2 * self.comfortable)
        unsafe = travel + after**2 / (2 * self.hardest)
        spread = np.where(safe > unsafe, safe - unsafe, 1.0)
        degree = np.where(view.gap > safe, 0.0, np.where(view.gap < unsafe, 1.0, (safe - view.gap) / spread))
        own = 2.0 * np.abs(view.acceleration)
        alone = np.divide(closing**2, own, out=np.zeros_like(own), where=own > 0.0)
        slows_enough = after < 0.0
        degree = np.where(slows_enough, view.gap < alone, degree)
        return np.where(closing <= 0.0, 0.0, degree)


class FullBrake(ReferenceDriver):
    """Brakes fully from the first moment: what braking alone could avoid at best. Not a reference of the regulation."""

    reaction = 0.0

    def danger(self, view: View, from_the_side: bool) -> np.ndarray:
        return np.ones(len(view.gap), bool)


REFERENCES: dict[str, ReferenceDriver] = {
    "human": CarefulHuman(),
    "rss": ResponsibilitySensitive(),
    "reg157": Clause(),
    "fsm": FuzzySafety(),
}
FULL = "full_brake"
