"""Whether the ledger says why: its binding entry alone gives the command again, and no command jumps without a reason."""

import math

import numpy as np

from pilot_common.arc import foot
from pilot_common.geometry import Pose, compose, inverse
from pilot_common.road import ReferenceLine
from pilot_common.types import Plan
from pilot_evaluation.measures.measure import Measure, nothing
from pilot_evaluation.run import Run
from pilot_planning.highway.ledger import reevaluate

SAME = 1e-6  # m/s² or m: two numbers that are one
CHANGE = 0.3  # m/s² between two plans that asks for a reason
SIDEWAYS = 0.2  # m across between two paths that asks for a reason
SOON = 1.0  # s ahead: as far along a path as control is about to drive
PAUSE = 0.15  # s, plans farther apart are not compared


def ledger_error(run: Run) -> Measure:
    """Largest difference between a command and what its binding entry alone gives (m/s², or m across the road)."""
    worst, when, name, count = 0.0, 0.0, "", 0
    for plan in _valid(run):
        for ledger, command in (
            (plan.ledger, float(plan.trajectory.acceleration[0])),
            (plan.lateral, None),
        ):
            binding = ledger.binding
            if not len(ledger.name) or not ledger.argument[binding].any():
                continue  # recorded before ledgers held numbers, or the centre of the lane, which is 0 of 0
            count += 1
            again = reevaluate(ledger.name[binding], ledger.argument[binding])
            wrong = max(
                abs(again - float(ledger.bound[binding])),
                abs(again - command) if command is not None else 0.0,
            )
            if wrong > worst or math.isnan(wrong):
                worst, when, name = wrong, plan.stamp - run.start, ledger.name[binding]
    if not count:
        return nothing("no plan had a ledger")
    if worst <= SAME:
        return Measure(worst, f"{count} commands follow from their binding entry alone")
    return Measure(worst, f"'{name}' at {when:.1f} s gives something else than the command, by {worst:.3g}")


def unexplained_changes(run: Run) -> Measure:
    """How often a command changed by more than 0.3 m/s² or 0.2 m sideways with the same entry binding on the same numbers."""
    plans, found = _valid(run), []
    pose = _poses(run, plans)
    for index in range(1, len(plans)):
        before, now = plans[index - 1], plans[index]
        if not now.stamp - before.stamp <= PAUSE:
            continue
        change = float(now.trajectory.acceleration[0] - before.trajectory.acceleration[0])
        if abs(change) > CHANGE and not _explains(before, now):
            found.append(f"{now.stamp - run.start:.1f} s: {change:+.2f} m/s²")
        if pose is not None:
            aside = sideways(before, now, compose(inverse(pose[index - 1]), pose[index]))
            if aside > SIDEWAYS and not _leads_elsewhere(before, now):
                found.append(f"{now.stamp - run.start:.1f} s: {aside:.2f} m sideways")
    if len(plans) < 2:
        return nothing("fewer than two plans")
    if not found:
        return Measure(0.0, f"every large change among {len(plans)} plans has its entry")
    return Measure(float(len(found)), f"{len(found)} changes without an entry ({'; '.join(found[:3])})")


def sideways(before: Plan, now: Plan, now_from_before: Pose) -> float:
    """Largest distance across between two paths over what is driven within a second; the pose is of now in before's frame."""
    line = ReferenceLine.from_points(before.path)
    reach = max(float(now.trajectory.speed[0]) * SOON, 5.0)
    along = np.concatenate(((0.0,), np.cumsum(np.hypot(*np.diff(now.path, axis=0).T))))
    cosine, sine = math.cos(now_from_before[2]), math.sin(now_from_before[2])
    worst = 0.0
    for x, y in now.path[along <= reach]:
        place = (now_from_before[0] + cosine * x - sine * y, now_from_before[1] + sine * x + cosine * y)
        worst = max(worst, abs(foot(line, *place)[1]))
    return worst


def _explains(before: Plan, now: Plan) -> bool:
    """Whether another entry binds, or the same one on other numbers that give both commands."""
    one, two = before.ledger, now.ledger
    if not len(one.name) or not len(two.name):
        return False
    first, second = one.argument[one.binding], two.argument[two.binding]
    told = (
        abs(reevaluate(ledger.name[ledger.binding], ledger.argument[ledger.binding]) - command) <= SAME
        for ledger, command in (
            (one, before.trajectory.acceleration[0]),
            (two, now.trajectory.acceleration[0]),
        )
    )
    same = one.name[one.binding] == two.name[two.binding] and bool(np.array_equal(first, second))
    return all(told) and not same


def _leads_elsewhere(before: Plan, now: Plan) -> bool:
    """Whether the lateral ledger has another entry binding, or another offset to go to."""
    one, two = before.lateral, now.lateral
    if not len(one.name) or not len(two.name):
        return False
    same = (one.name[one.binding], int(one.identity[one.binding])) == (
        two.name[two.binding],
        int(two.identity[two.binding]),
    )
    return not same or abs(float(one.bound[one.binding] - two.bound[two.binding])) > SIDEWAYS


def _valid(run: Run) -> list[Plan]:
    return [
        plan
        for plan in run.messages("plan")
        if plan.valid and len(plan.trajectory.time) and len(plan.path) > 1
    ]


def _poses(run: Run, plans: list[Plan]) -> list[Pose] | None:
    """Where the car was at each plan's stamp, from truth; None without it."""
    if not run.messages("truth"):
        return None
    stamps, wanted = run.column("truth", "stamp"), np.array([plan.stamp for plan in plans])
    columns = [run.column("truth", "x"), run.column("truth", "y"), np.unwrap(run.column("truth", "yaw"))]
    return list(zip(*(np.interp(wanted, stamps, column).tolist() for column in columns), strict=True))
