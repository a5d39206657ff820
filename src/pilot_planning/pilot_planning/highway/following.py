"""Following a leader: the law of the gap."""

import math
from collections.abc import Callable

from pilot_common.regulation import LARGEST_REGULATION_GAP, regulation_gap
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.motion import LeadMotion
from pilot_planning.highway.parameters import FollowParameters


class FollowLaw:
    """Keep the wanted gap g* behind a leader.

    The surplus e = gap − g*(v) may shrink with u(e): linear near the wanted gap, as under constant deceleration farther away
    (square-root law), and grow no faster than the opening speed, unless the gap is below the safe distance. With
    constant time gap T the surplus follows ė = −u exactly for a = (u(e) − closing) / T, which is string stable for T > 2 ×
    actuator lag (Rajamani, Vehicle Dynamics and Control, 6.6). Leader and gap are looked at `anticipation` ahead with the
    leader's acceleration, which makes up for the car's own delay.
    """

    __slots__ = ("_anticipation", "_approach", "_deceleration", "_knee", "_p", "_time_gap", "_wanted", "lead")

    def __init__(
        self,
        lead: LeadMotion,
        time_gap: float,
        wanted_gap: Callable[[float], float],
        deceleration: float,
        p: FollowParameters,
    ) -> None:
        self.lead = lead
        self._p = p
        self._anticipation, self._approach = p.anticipation, p.approach_deceleration
        self._knee = p.approach_deceleration / (p.gain * p.gain)
        self._time_gap = max(time_gap, p.shortest_time_gap)
        self._wanted = wanted_gap
        self._deceleration = deceleration

    def never_above(self, other: Law) -> bool:
        """Whether this law surely allows no more than another at any time: a leader that is nearer and no faster, nor will be.

        Not below `gain_speed`, where the gain changes with the leader's speed.
        """
        if not isinstance(other, FollowLaw):
            return False
        one, two = self.lead, other.lead
        return (
            one.gap <= two.gap
            and self._p.gain_speed <= one.speed <= two.speed
            and 0.0 <= one.acceleration <= two.acceleration
            and self._deceleration >= other._deceleration
            and self._time_gap == other._time_gap
        )

    def bound(self, time: float, travelled: float, speed: float) -> float:
        """See class."""
        p, lead, anticipation = self._p, self.lead, self._anticipation
        distance, lead_speed, _ = lead.at(time + anticipation)
        gap = lead.gap + distance - travelled - speed * anticipation
        surplus = gap - self._wanted(speed)
        gain, knee = p.gain, self._knee
        if lead_speed < p.gain_speed:
            gain = p.gain_standing + lead_speed / p.gain_speed * (p.gain - p.gain_standing)
            knee = self._approach / (gain * gain)
        if surplus > knee:
            shrink = math.sqrt(2.0 * self._approach * (surplus - 0.5 * knee))
        else:
            danger = max(
                0.0, p.safe_reaction * speed - gap
            )  # RSS distance (Shalev-Shwartz 2017) at equal speeds and brakes
            opening = min(p.danger_speed, p.opening_speed + p.danger_gain * danger)
            shrink = max(gain * surplus, -opening)
        wanted = (shrink + lead_speed - speed) / self._time_gap
        return wanted if wanted > -self._deceleration else -self._deceleration
