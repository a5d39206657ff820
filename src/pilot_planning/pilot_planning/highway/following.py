"""Following a leader: the law of the gap."""

import math

from pilot_common.compiled import compiled
from pilot_common.regulation import LARGEST_REGULATION_GAP, regulation_gap
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.motion import LeadMotion, lead_at
from pilot_planning.highway.parameters import FollowParameters

_regulation_gap = compiled(regulation_gap)


@compiled
def wanted_gap(speed: float, time_gap: float, standstill: float) -> float:
    """The gap to keep at a speed: the driver's choice, never less than the regulation's."""
    own = standstill + time_gap * speed
    return own if own > LARGEST_REGULATION_GAP else max(own, _regulation_gap(speed))


@compiled
def close_gap(speed: float, time_gap: float, standstill: float, close: float) -> float:
    """The gap to keep where a time gap `close` will do for a while; 0: as ever."""
    return standstill + close * speed if close > 0.0 else wanted_gap(speed, time_gap, standstill)


@compiled
def follow_bound(
    gap: float,
    lead_speed: float,
    lead_acceleration: float,
    fade: float,
    ahead: float,
    anticipation: float,
    approach: float,
    close: float,
    danger_gain: float,
    danger_speed: float,
    deceleration: float,
    gain: float,
    gain_speed: float,
    gain_standing: float,
    opening: float,
    safe_reaction: float,
    speed_gain: float,
    standstill: float,
    time_gap: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """Of `FollowLaw`."""
    speed -= ahead
    distance, lead_speed, _ = lead_at(lead_speed, lead_acceleration, fade, time + anticipation)
    gap = gap + distance - travelled - speed * anticipation
    surplus = gap - close_gap(speed, time_gap, standstill, close)
    if lead_speed < gain_speed:
        gain = gain_standing + lead_speed / gain_speed * (gain - gain_standing)
    knee = approach / (gain * gain)
    if surplus > knee:
        shrink = math.sqrt(2.0 * approach * (surplus - 0.5 * knee))
    else:
        # RSS distance (Shalev-Shwartz 2017) at equal speeds and brakes
        danger = max(0.0, safe_reaction * speed - gap)
        shrink = max(gain * surplus, -min(danger_speed, opening + danger_gain * danger))
    return max((shrink + speed_gain * (lead_speed - speed)) / time_gap, -deceleration)


class FollowLaw(Law):
    """Keep the wanted gap g* behind a leader.

    The surplus e = gap − g*(v) may shrink with u(e): linear near the wanted gap, as under constant deceleration farther away
    (square-root law), and grow no faster than the opening speed, unless the gap is below the safe distance. With
    constant time gap T the surplus follows ė = −u exactly for a = (u(e) − closing) / T, which is string stable for T > 2 ×
    actuator lag (Rajamani, Vehicle Dynamics and Control, 6.6). Leader and gap are looked at `anticipation` ahead with the
    leader's acceleration, which makes up for the car's own delay.

    Near the wanted gap, with u = λ e and the difference of speeds weighted by κ, a leader's swing of frequency ω comes
    through with |G|² ≈ 1 − ω² (T² + 2 T (κ − 1) / λ): κ > 1 lets the gap breathe and calms slow swings as well. That
    holds for the speed the car has. Against the planned speed, which is `ahead` of the car's by its lag τ, the bracket
    loses 2 τ / λ and slow swings grow from car to car.

    With a time gap `close` (s) that one will do, and the regulation's gap is grown again afterwards: for as long as the
    leader is about to be left. 0: none such.
    """

    __slots__ = (
        "_ahead",
        "_anticipation",
        "_approach",
        "_close",
        "_danger_gain",
        "_danger_speed",
        "_deceleration",
        "_gain",
        "_gain_speed",
        "_gain_standing",
        "_opening",
        "_safe_reaction",
        "_speed_gain",
        "_standstill",
        "_time_gap",
        "lead",
    )
    formula = staticmethod(follow_bound)

    def __init__(
        self,
        lead: LeadMotion,
        time_gap: float,
        deceleration: float,
        p: FollowParameters,
        ahead: float = 0.0,
        close: float = 0.0,
    ) -> None:
        self.lead = lead
        self._ahead, self._close = ahead, close
        self._speed_gain = p.speed_gain
        self._time_gap = max(time_gap, p.shortest_time_gap)
        self._deceleration = deceleration
        self._standstill = p.collision_margin if close > 0.0 else p.standstill_gap
        self._anticipation, self._approach = p.anticipation, p.approach_deceleration
        self._gain = p.close_gain if close > 0.0 else p.gain
        self._gain_standing, self._gain_speed = p.gain_standing, p.gain_speed
        self._opening, self._safe_reaction = p.opening_speed, p.safe_reaction
        self._danger_gain, self._danger_speed = p.danger_gain, p.danger_speed

    def wanted(self, speed: float) -> float:
        """The gap to keep at a speed."""
        return close_gap(speed, self._time_gap, self._standstill, self._close)

    def never_above(self, other: Law) -> bool:
        """Whether this law surely allows no more than another at any time: a leader that is nearer and no faster, nor will be.

        Not below `gain_speed`, where the gain changes with the leader's speed.
        """
        if not isinstance(other, FollowLaw):
            return False
        one, two = self.lead, other.lead
        return (
            one.gap <= two.gap
            and self._gain_speed <= one.speed <= two.speed
            and 0.0 <= one.acceleration <= two.acceleration
            and self._deceleration >= other._deceleration
            and self._time_gap == other._time_gap
            and self._close == other._close
        )
