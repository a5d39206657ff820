"""UN R157's reference drivers as judges: what each of them would have made of a cut-in, a cut-out or a braking leader.

The own car never goes faster than at its start. Time goes on in steps of 0.1 s by semi-implicit Euler, cars are boxes along the
road, contact is an overlap at a step: so the regulation's public tool does it, and so its tables can be reproduced.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pilot_evaluation.proving.reference_courses import (
    LENGTH,
    RATE,
    WIDTH,
    BrakingLeader,
    Cases,
    Course,
    CutIn,
    CutInCases,
    CutOut,
    CutOutCases,
    FollowingCases,
)
from pilot_evaluation.proving.reference_models import FULL, REFERENCES, FullBrake, ReferenceDriver, View

__all__ = ["CutInCases", "CutOutCases", "FollowingCases", "ReferenceOutcome", "judge", "preventable"]

NO_CRASH, SIDE_SWIPE, REAR_END = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOutcome:
    """What became of N cases under one driver. Where `braked` is false, `brake_time` has no meaning (0)."""

    collided: np.ndarray  # bool
    crash_type: np.ndarray  # 0 none, 1 side swipe (the own centre ahead), 2 rear end
    impact_speed: np.ndarray  # own speed less the other's at contact; 0 without
    braked: np.ndarray  # bool: saw a danger
    brake_time: np.ndarray  # when it did, from the start of the other's manoeuvre
    max_deceleration: np.ndarray  # of the speed really driven, to the contact
    initial_gap: np.ndarray
    leader_hit: np.ndarray  # bool: a cut-out's leader itself ran into the standing car


def course_of(cases: Cases, driver: ReferenceDriver) -> Course:
    """The other's course in all cases; behind a leader the driver starts with the gap that it keeps."""
    if isinstance(cases, CutInCases):
        return CutIn(cases)
    gap = driver.following_gap(np.asarray(cases.speed, float))
    return CutOut(cases, gap) if isinstance(cases, CutOutCases) else BrakingLeader(cases, gap)


def judge(cases: Cases) -> dict[str, ReferenceOutcome]:
    """The outcome of all cases under the four reference drivers and under a full brake from the first moment."""
    drivers = {**REFERENCES, FULL: FullBrake()}
    return {name: drive(driver, course_of(cases, driver)) for name, driver in drivers.items()}


def drive(driver: ReferenceDriver, course: Course) -> ReferenceOutcome:
    """Takes all cases of a course through time under one driver."""
    count = course.count
    position, speed, before = course.start.copy(), course.speed.copy(), course.speed.copy()
    held, hardest, impact = np.zeros(count), np.zeros(count), np.zeros(count)
    patience = np.full(count, driver.reaction_steps(RATE))
    crash, brake_step = np.zeros(count, int), np.full(count, -1)
    end = course.last_step.copy()
    for step, other in enumerate(course.others()):
        going = step < end
        if not going.any():
            break
        centres = other.position - position
        apart = np.abs(centres)
        view = View(
            speed=speed,
            acceleration=(speed - before) * RATE,
            other_speed=other.speed,
            gap=apart - LENGTH / 2 - other.length / 2,
            way=apart + LENGTH / 2 + other.length / 2,
            ahead=centres >= 0.0,
            side_gap=np.abs(other.offset) - WIDTH / 2 - WIDTH / 2,
            approach=other.approach,
        )
        danger = driver.danger(view, course.from_the_side) & other.seen & going
        reacting = danger & (patience > 0)
        braking = danger & ~reacting
        patience = patience - reacting
        held = np.where(reacting & (driver.coasting > 0.0), driver.coasting, held)
        held = np.where(braking, driver.braking(view, held, RATE), held)
        slower = np.maximum(speed - np.where(reacting, driver.coasting, held) / RATE, 0.0)
        following = np.where(danger, slower, speed)

        touching = (view.gap < 0.0) & (view.side_gap < 0.0) & other.seen & going & (crash == NO_CRASH)
        crash = np.where(touching, np.where(view.ahead, REAR_END, SIDE_SWIPE), crash)
        impact = np.where(touching, view.closing, impact)
        brake_step = np.where(danger & (brake_step < 0), step, brake_step)
        driven = going & ~touching
        hardest = np.where(driven, np.maximum(hardest, (speed - following) * RATE), hardest)
        harmless = driver.no_interest(view, course.from_the_side)
        over = touching | (harmless if harmless is not None else False)
        if course.stops_when_standing:
            over = over | (speed <= 0.0)
        end = np.where(over & going, step, end)
        before, speed = speed, np.where(going, following, speed)
        position = np.where(going, position + speed / RATE, position)
    return ReferenceOutcome(
        collided=crash != NO_CRASH,
        crash_type=crash,
        impact_speed=impact,
        braked=brake_step >= 0,
        brake_time=np.maximum(brake_step, 0) / RATE,
        max_deceleration=hardest,
        initial_gap=course.gap,
        leader_hit=course.leader_hit_by(end),
    )


def preventable(outcomes: Mapping[str, ReferenceOutcome]) -> np.ndarray:
    """Cases in which at least one of the four reference drivers has no contact, bool (N,)."""
    return ~np.all([outcomes[name].collided for name in REFERENCES], axis=0)


def share_braked(outcome: ReferenceOutcome) -> float:
    """Share of all cases in which the driver saw a danger and answered it, whatever came of it."""
    return float(np.mean(outcome.braked))


def mean_peak_deceleration(outcome: ReferenceOutcome) -> float:
    """Mean over the cases that were answered and ended without contact, in m/s²; 0 where there are none."""
    answered = outcome.braked & ~outcome.collided
    return float(outcome.max_deceleration[answered].mean()) if answered.any() else 0.0


def published_cut_ins() -> CutInCases:
    """The whole grid of the regulation's tool: 15,930 cases to 60 km/h and 14,040 from 70 to 130 km/h."""
    lateral = np.arange(18) * 0.1
    grids = [
        np.stack(np.meshgrid(own, other, gaps, lateral, indexing="ij"), -1).reshape(-1, 4)
        for speeds, slower, gaps in (
            (range(10, 61, 10), 10, np.arange(1.0, 60.0)),
            (range(70, 131, 20), 30, np.arange(1.0, 120.0, 2.0)),
        )
        for own in speeds
        for other in range(10, own, slower)
    ]
    own, other, gap, sideways = np.concatenate(grids).T
    return CutInCases(speed=own / 3.6, other_speed=other / 3.6, gap=gap, lateral_speed=sideways)
