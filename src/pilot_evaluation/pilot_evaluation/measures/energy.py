"""Energy at the wheels, from the true motion and the car's facts: what drives, what the motor recovers, what the brakes burn.

Of the force that the motion takes beside air and tyres, what is positive comes from the powertrain. What is negative the
powertrain takes first, down to its floor: recovered by an electric one, lost in overrun by an engine. Friction brakes the rest.
T times; level road.
"""

from dataclasses import dataclass

import numpy as np

from pilot_common.physics import AIR_DENSITY, GRAVITY
from pilot_common.vehicle import Facts, PowertrainKind
from pilot_evaluation.measures.measure import Measure, nothing
from pilot_evaluation.run import Run
from pilot_vehicle.powertrain import make_powertrain

JOULE_PER_KWH = 3.6e6
SHORTEST = 100.0  # m: over less, energy by distance says nothing


@dataclass(frozen=True, slots=True)
class Energy:
    """In J, over a drive of `distance` m."""

    driven: float
    recovered: float
    overrun: float
    friction: float
    distance: float

    @property
    def net(self) -> float:
        """What the wheels took, in kWh for 100 km."""
        return (self.driven - self.recovered) / JOULE_PER_KWH * 1e5 / self.distance

    @property
    def burnt(self) -> float:
        """What the friction brakes took, in kWh for 100 km."""
        return self.friction / JOULE_PER_KWH * 1e5 / self.distance


def at_wheels(facts: Facts, time: np.ndarray, speed: np.ndarray, acceleration: np.ndarray) -> Energy:
    """The energy of a motion (T,)."""
    body, electric = facts.body, facts.powertrain.kind is not PowertrainKind.COMBUSTION
    powertrain = make_powertrain(facts)
    resistance = 0.5 * AIR_DENSITY * body.drag_area / body.mass * speed**2 + GRAVITY * body.rolling_resistance
    wheel = np.where(speed > 0.05, acceleration + resistance, 0.0)
    floor = np.array([min(powertrain.floor(value), 0.0) for value in speed.tolist()])
    taken = np.maximum(np.minimum(wheel, 0.0), floor)

    def work(force: np.ndarray) -> float:
        return float(body.mass * np.trapezoid(force * speed, time))

    powertrain_work = -work(taken)
    return Energy(
        driven=work(np.maximum(wheel, 0.0)),
        recovered=powertrain_work if electric else 0.0,
        overrun=0.0 if electric else powertrain_work,
        friction=work(np.maximum(taken - np.minimum(wheel, 0.0), 0.0)),
        distance=float(np.trapezoid(speed, time)),
    )


def _of(run: Run) -> Energy | None:
    if len(run.messages("truth")) < 2:
        return None
    time = run.time("truth")
    found = at_wheels(
        run.vehicle.facts, time, run.column("truth", "speed"), run.column("truth", "acceleration")
    )
    return found if found.distance >= SHORTEST else None


def energy(run: Run) -> Measure:
    """What the wheels took less what was recovered, kWh for 100 km."""
    found = _of(run)
    if found is None:
        return nothing("too short a way")
    words = f"recovered {found.recovered / 3.6e6:.2f} kWh" if found.recovered else "nothing recovered"
    return Measure(found.net, f"{found.net:.1f} kWh/100 km at the wheels, {words}")


def friction_energy(run: Run) -> Measure:
    """What the friction brakes took, kWh for 100 km."""
    found = _of(run)
    if found is None:
        return nothing("too short a way")
    return Measure(found.burnt, f"{found.burnt:.2f} kWh/100 km lost in the friction brakes")
