"""What to do about those who may come into our path: go on and be past, brake and be behind, gently early or hard late.

For every plausible mode of everybody (`prediction.py`) there must be an escape: we are past when he arrives, or braking, with
the real delay and build-up of this car, still brings us behind him. What is likely is braked for gently and early, what is merely
possible only when the hardest braking would otherwise soon be needed. Where no braking helps any more and going on does, or he
comes in beside us, we go on.
"""

from enum import Enum
from typing import NamedTuple

from pilot_common.compiled import compiled
from pilot_planning.highway.longitudinal import Law
from pilot_planning.highway.motion import LeadMotion, lead_at, needed_deceleration
from pilot_planning.highway.parameters import ContingencyParameters

RECOVERY = 1.0  # s in which a gap that is below the margin is opened again
MOST_NEEDED = 99.0  # m/s², as good as impossible


class Brakes(NamedTuple):
    """What this car's brakes do: dead time until they act, build-up of comfortable and hard braking, comfortable and hardest, and
    what letting go of the pedal does.
    """

    delay: float
    gentle_jerk: float
    hard_jerk: float
    comfortable: float
    hardest: float
    coasting: float


@compiled
def gently(needed: float, coasting: float) -> float:
    """What is done of a small need: below twice what coasting does, coasting is enough for now."""
    return min(needed, coasting) if needed < 2.0 * coasting else needed


@compiled
def cut_in_needed(
    lead: tuple[float, float, float, float],
    delay: float,
    jerk: float,
    hardest: float,
    margin: float,
    arrival: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """The constant deceleration that is needed, built up with a jerk."""
    gap, lead_speed, lead_acceleration, fade = lead
    distance, speed_now, acceleration = lead_at(lead_speed, lead_acceleration, fade, time)
    there, speed_there, _ = lead_at(lead_speed, lead_acceleration, fade, arrival)
    gap = gap + distance - travelled
    needed, left = 0.0, arrival - time
    for _ in range(2):
        late = delay + 0.5 * min(needed, hardest) / jerk
        needed = needed_deceleration(gap, speed, speed_now, acceleration, late, margin)
        if gap < 0.0:
            needed = MOST_NEEDED
        elif gap < margin:  # too near at any speed: so much of it is opened within RECOVERY
            opening = (speed_now - speed) * RECOVERY
            needed = max(needed, 2.0 * (margin - gap - opening) / (RECOVERY * RECOVERY))
        braking = left - late
        if braking <= 0.0:
            continue
        room = there - distance + gap - margin
        beside = max(0.0, (speed - speed_there) / braking, 2.0 * (speed * left - room) / (braking * braking))
        if beside * braking > speed:  # we stand before he arrives
            room -= speed * late
            beside = 0.5 * speed * speed / room if room > 0.0 else MOST_NEEDED
        needed = min(needed, beside)
    return needed


@compiled
def cut_in_bound(
    gap: float,
    lead_speed: float,
    lead_acceleration: float,
    fade: float,
    coasting: float,
    comfortable: float,
    delay: float,
    gentle_jerk: float,
    hard_jerk: float,
    hardest: float,
    margin: float,
    surplus: float,
    arrival: float,
    emergency: float,
    time: float,
    travelled: float,
    speed: float,
) -> float:
    """Of `CutInLaw`."""
    lead = (gap, lead_speed, lead_acceleration, fade)
    if not emergency:
        needed = cut_in_needed(lead, delay, gentle_jerk, hardest, margin, arrival, time, travelled, speed)
        if needed <= comfortable:
            return -gently(needed, coasting)
    needed = cut_in_needed(lead, delay, hard_jerk, hardest, margin, arrival, time, travelled, speed)
    return -min(hardest, surplus * needed)


class CutInLaw(Law):
    """Be behind somebody when he arrives in our path, `arrival` from now, and from then on.

    The needed deceleration either keeps the gap open all the while, or lets it close beside him and opens it until he
    arrives, whichever is less. Its build-up takes time: gently, where that suffices, else hard and with a surplus.
    """

    __slots__ = (
        "_coasting",
        "_comfortable",
        "_delay",
        "_gentle_jerk",
        "_hard_jerk",
        "_hardest",
        "_margin",
        "_surplus",
        "arrival",
        "emergency",
        "lead",
    )
    formula = staticmethod(cut_in_bound)

    def __init__(
        self, lead: LeadMotion, arrival: float, brakes: Brakes, emergency: bool, margin: float, surplus: float
    ) -> None:
        self.lead, self.arrival, self.emergency = lead, min(arrival, MOST_NEEDED), float(emergency)
        self._delay, self._gentle_jerk, self._hard_jerk = brakes.delay, brakes.gentle_jerk, brakes.hard_jerk
        self._comfortable, self._hardest, self._coasting = brakes.comfortable, brakes.hardest, brakes.coasting
        self._margin, self._surplus = margin, surplus

    def soften(self, most: float) -> None:
        """No harder than that: for somebody who is not confirmed."""
        self.emergency, self._comfortable, self._hardest, self._surplus = 0.0, most, most, 1.0

    def needed(self, time: float, travelled: float, speed: float, hard: bool) -> float:
        """The constant deceleration that is needed, built up gently or hard."""
        jerk = self._hard_jerk if hard else self._gentle_jerk
        own = (self._delay, jerk, self._hardest, self._margin, self.arrival)
        return cut_in_needed(self.lead.numbers(), *own, time, travelled, speed)


class Coming(NamedTuple):
    """How somebody may come into our path: with which probability, when he would touch us, arrives likely and at the
    soonest, length of both cars.
    """

    chance: float
    touching: float
    likely: float
    soonest: float
    length: float


class Resolve(Enum):
    """What was decided about somebody who may come in."""

    OPEN = "open"
    PASS = "pass"
    YIELD = "yield"


class Answer(NamedTuple):
    """The law to obey, None where we go on as we are, the deceleration needed, and what is decided about him from now on."""

    law: CutInLaw | None
    needed: float
    resolve: Resolve


def answer(
    lead: LeadMotion,
    coming: Coming,
    speed: float,
    acceleration: float,
    resolve: Resolve,
    held: bool,
    brakes: Brakes,
    p: ContingencyParameters,
) -> Answer:
    """What to do about somebody. `resolve` is what was decided a cycle ago, `held`: we brake hard for him already.

    Beside somebody is the worst place to be, and a lateral speed is known badly: what was decided stays, as long as it still does
    by what is likely, and who brakes goes on only where being past is safe with `kept` metres to spare.
    """
    going = speed + min(0.0, acceleration) * brakes.delay
    worst = _judge(lead, coming.soonest, coming.length, speed, going, p.gap, brakes, p)
    if worst.past >= (p.kept if resolve is Resolve.YIELD else 0.0):
        return Answer(None, 0.0, Resolve.PASS)
    room = max(p.gap, min(p.time_gap * speed, p.share_of_gap * lead.gap))
    likely = _judge(lead, coming.likely, coming.length, speed, going, room, brakes, p)
    if resolve is Resolve.PASS and likely.past >= 0.0:
        return Answer(None, 0.0, Resolve.PASS)
    if min(worst.hard, likely.hard) > brakes.hardest:
        # Braking is too late: what lacks less when he touches us is done, being past him or being behind him.
        time = min(coming.touching, MOST_NEEDED)
        lacks_behind = _braked(time, speed, acceleration, brakes) - lead.at(time)[0] - lead.gap
        if -_past(lead, time, coming.length, going) < max(lacks_behind, 0.0):
            return Answer(None, 0.0, Resolve.PASS)
    return _choose(worst, likely, coming.chance, resolve is Resolve.YIELD, held, brakes, p)


def _past(lead: LeadMotion, time: float, length: float, going: float) -> float:
    """By how much we are past somebody at a time if we go on."""
    return going * time - lead.at(time)[0] - lead.gap - length


def _braked(time: float, speed: float, acceleration: float, brakes: Brakes) -> float:
    """Way in a time when the hardest braking begins now; until it acts the car goes on with its acceleration."""
    delay = brakes.delay + 0.5 * (brakes.hardest + min(acceleration, 0.0)) / brakes.hard_jerk
    before, after = min(time, delay), max(0.0, time - delay)
    then = max(0.0, speed + acceleration * before)
    after = min(after, then / brakes.hardest)
    return 0.5 * (speed + then) * before + (then - 0.5 * brakes.hardest * after) * after


class _Outcome(NamedTuple):
    """Of one mode: what braking needs (gently and hard built up), and by how many metres we are past if we go on."""

    law: CutInLaw
    gentle: float
    hard: float
    past: float


def _judge(
    lead: LeadMotion,
    arrival: float,
    length: float,
    speed: float,
    going: float,
    room: float,
    brakes: Brakes,
    p: ContingencyParameters,
) -> _Outcome:
    law = CutInLaw(lead, arrival, brakes, False, room, p.surplus)
    gentle, hard = law.needed(0.0, 0.0, speed, False), law.needed(0.0, 0.0, speed, True)
    return _Outcome(law, gentle, hard, _past(lead, law.arrival, length, going) - p.past)


def _choose(
    worst: _Outcome,
    likely: _Outcome,
    chance: float,
    yields: bool,
    held: bool,
    brakes: Brakes,
    p: ContingencyParameters,
) -> Answer:
    """Behind him; no law while the present motion keeps an escape for what is possible and suits what is likely."""
    share = min(1.0, max(0.0, (chance - p.possible) / (p.likely - p.possible)))
    latest = p.latest * brakes.hardest
    early = latest + share * (p.early - latest)
    latest += 0.5 * share * (brakes.comfortable - latest)
    if held:
        early, latest = min(early, p.release), min(latest, p.release)
    if worst.hard >= latest:
        law, needed = worst.law, worst.hard
        law.emergency = float(held or worst.gentle > brakes.comfortable)
        return Answer(law, needed, Resolve.YIELD)
    if likely.gentle >= early and (yields or likely.past < 0.0):
        likely.law.emergency = float(likely.gentle > brakes.comfortable)
        return Answer(likely.law, likely.gentle, Resolve.YIELD)
    return Answer(None, 0.0, Resolve.OPEN)
