"""Suite `platoon`: ten of our own cars in a row, each through its whole loop; a disturbance must shrink from car to car.

The speed that a car drove is the leader's trace of the next. Families: `own` – ten cars alike; `mixed` – all vehicles in turn.
Disturbances: `sweep` – many sines at once, so that every frequency is judged by itself, as the H∞ norm has it; `pulse` – the
leader brakes and is back; `stop_and_go` – to a stand and off again.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pilot_common.vehicle import Vehicle, vehicle_names
from pilot_evaluation.proving.case import ERROR, FAIL, PASS, Case, Row, Setting, Suite
from pilot_evaluation.proving.engine import row, seed_of
from pilot_evaluation.proving.trace_following import (
    STEP,
    Followed,
    amplification,
    follow,
    jerk_rms,
    standstill_gap,
)
from pilot_vehicle.feasibility import load_checked_vehicle

CARS, SUBSET_CARS = 10, 4
TIME_GAP = 1.5  # s
BASE = 60.0  # s: the sines are harmonics of this period
HARMONICS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
SWING, SWING_ACCELERATION = 0.5, 0.2  # m/s and m/s²: amplitude of each sine at most
FLOOR = 0.05  # m/s: swings below it drown in what sensors and actuators add; they must stay below it
RATIO = 1.0  # a swing by that of the car ahead, at most
NOISE = 0.02  # of this ratio, from measuring it over one period


class Platoon(Suite):
    """The suite."""

    key = "platoon"
    title = "Ten of our cars"

    def __init__(self, config: Path) -> None:
        self._config = config

    def cases(self, setting: Setting) -> Sequence[Case]:
        """One drive of the whole platoon per disturbance."""
        cars = CARS if setting.full else SUBSET_CARS
        speed = cruising_speed(setting.vehicle)
        return [
            Case(
                suite=self.key,
                family=family,
                name=f"{family}-{disturbance}",
                parameters={"cars": cars, "speed": speed, "time_gap": TIME_GAP},
            )
            for family in ("own", "mixed")
            for disturbance in DISTURBANCES
            if setting.full or family == "own"
        ]

    def run(self, setting: Setting, group: Sequence[Case]) -> Iterator[Row]:
        """Drives one platoon after another."""
        for case in group:
            yield self._drive(setting, case)

    def _drive(self, setting: Setting, case: Case) -> Row:
        vehicles = [setting.vehicle]
        if case.family == "mixed":
            names = [name for name in vehicle_names(setting.config) if name != setting.vehicle.name]
            vehicles += [load_checked_vehicle(name, setting.config) for name in names]
        speed = min(cruising_speed(vehicle) for vehicle in vehicles)
        disturbance = case.name.partition("-")[2]
        trace = DISTURBANCES[disturbance](speed)
        speeds, found, reserve = [trace], [], math.inf
        for index in range(int(case.parameters["cars"])):
            own = replace(setting, vehicle=vehicles[index % len(vehicles)])
            found.append(follow(own, speeds[-1], TIME_GAP, seed_of(setting, case.suite, case.name) + index))
            speeds.append(np.maximum(found[-1].speed, 0.0))
            reserve = min(reserve, float(found[-1].gap.min()) - standstill_gap(own))
        measures = _common(found) | {"gap_reserve": reserve}
        judge = swings if disturbance == "sweep" else peaks
        broken, more = judge(speeds)
        measures |= more
        if measures["contact"]:
            broken.append("contact")
        if measures["gap_reserve"] < 0.0:
            broken.append(f"gap of {measures['min_gap']:.2f} m")
        if measures["driven"] < 0.999:
            broken.append(f"driven {100.0 * measures['driven']:.0f} % only")
        return row(case, FAIL if broken else PASS, "; ".join(broken), measures)

    def summary(self, setting: Setting, rows: Sequence[Row]) -> dict[str, Any]:
        """Passes where every disturbance shrank from car to car."""
        bad = [item for item in rows if item.verdict != PASS]
        ratios = [item.measures["largest_ratio"] for item in rows if "largest_ratio" in item.measures]
        ends = [item.measures["last_share"] for item in rows if "last_share" in item.measures]
        told = f"{len(rows)} disturbances, largest ratio from car to car {max(ratios, default=math.nan):.3f}"
        told += (
            f", the last car swings {100.0 * max(ends, default=math.nan):.0f} % of the first leader at most"
        )
        if bad:
            told = (
                f"{len(bad)} of {len(rows)} disturbances do not shrink, first {bad[0].name}: {bad[0].reason}"
            )
        return {
            "verdict": PASS if rows and not bad else FAIL,
            "sentence": told,
            "cases": len(rows),
            "errors": sum(item.verdict == ERROR for item in rows),
            "contacts": sum(bool(item.measures.get("contact")) for item in rows),
            "largest_ratio": max(ratios, default=None),
            "failed_cases": [f"{item.name}: {item.reason}" for item in bad],
        }


def cruising_speed(vehicle: Vehicle) -> float:
    """A speed on the motorway that leaves every car room above it."""
    return min(20.0, 0.75 * vehicle.facts.limits.max_speed)


def sweep(speed: float) -> np.ndarray:
    """Sines of several frequencies for two common periods, the first to settle; phases after Schroeder, so they do not add up."""
    time = np.arange(0.0, 2.0 * BASE, STEP)
    found = np.full(len(time), speed)
    for place, harmonic in enumerate(HARMONICS):
        phase = -math.pi * place * (place + 1) / len(HARMONICS)
        found += _swing(harmonic) * np.sin(2.0 * math.pi * harmonic / BASE * time + phase)
    begin = np.minimum(time / 5.0, 1.0)
    return speed + (found - speed) * begin


def pulse(speed: float) -> np.ndarray:
    """5 m/s slower within 5 s, for 5 s, and back within 10 s."""
    return _through(
        (0.0, speed), (3.0, speed), (8.0, speed - 5.0), (13.0, speed - 5.0), (23.0, speed), (55.0, speed)
    )


def stop_and_go(speed: float) -> np.ndarray:
    """To a stand at 1.5 m/s², ten seconds there, and off to half the speed at 1 m/s²."""
    slow, half = speed / 1.5, 0.5 * speed
    stop = 3.0 + slow
    return _through(
        (0.0, speed),
        (3.0, speed),
        (stop, 0.0),
        (stop + 10.0, 0.0),
        (stop + 10.0 + half, half),
        (stop + 45.0, half),
    )


DISTURBANCES = {"sweep": sweep, "pulse": pulse, "stop_and_go": stop_and_go}


def swings(speeds: Sequence[np.ndarray]) -> tuple[list[str], dict[str, float]]:
    """What grew in a sweep, by frequency: amplitudes over the last common period, of each car by that of the car ahead."""
    last = np.array([speed[-round(BASE / STEP) :] for speed in speeds])
    spectrum = 2.0 * np.abs(np.fft.rfft(last, axis=1))[:, list(HARMONICS)] / last.shape[1]  # (cars + 1, F)
    broken, largest = [], 0.0
    for car, (ahead, own) in enumerate(pairwise(spectrum), start=1):
        for harmonic, before, after in zip(HARMONICS, ahead, own, strict=True):
            ratio = after / max(before, 1e-9)
            if before > FLOOR:
                largest = max(largest, ratio)
            if after > max((RATIO + NOISE) * before, FLOOR):
                broken.append(
                    f"car {car} swings {ratio:.2f} times as far as the one ahead at {BASE / harmonic:.1f} s"
                )
    shares = {
        f"share_{BASE / h:g}s": float(spectrum[-1, k] / spectrum[0, k]) for k, h in enumerate(HARMONICS)
    }
    return broken[:3], {
        "largest_ratio": float(largest),
        "last_share": float(spectrum[-1].max() / spectrum[0].max()),
        **shares,
    }


def peaks(speeds: Sequence[np.ndarray]) -> tuple[list[str], dict[str, float]]:
    """What grew after a single disturbance: the largest deviation below the first speed, the hardest braking."""
    drops = [float(speed[0] - speed.min()) for speed in speeds]
    brakes = [float(-np.gradient(speed, STEP).min()) for speed in speeds]
    broken = [
        f"car {car} falls {own:.2f} m/s, the one ahead {ahead:.2f}"
        for car, (ahead, own) in enumerate(pairwise(drops), start=1)
        if own > (RATIO + NOISE) * ahead
    ]
    broken += [
        f"car {car} brakes {own:.2f} m/s², the one ahead {ahead:.2f}"
        for car, (ahead, own) in enumerate(pairwise(brakes), start=1)
        if own > (RATIO + 5.0 * NOISE) * ahead
    ]
    return broken[:3], {
        "largest_ratio": max(own / ahead for ahead, own in pairwise(drops)),
        "last_share": drops[-1] / drops[0],
        "last_deceleration": brakes[-1],
        "first_deceleration": brakes[0],
    }


def _common(found: Sequence[Followed]) -> dict[str, float]:
    return {
        "contact": float(any(one.contact for one in found)),
        "driven": min(one.driven for one in found),
        "min_gap": min(float(one.gap.min()) for one in found),
        "first_amplification": amplification(found[0].leader, found[0].speed),
        "largest_amplification": max(amplification(one.leader, one.speed) for one in found),
        "jerk_rms_first": jerk_rms(found[0].speed),
        "jerk_rms_last": jerk_rms(found[-1].speed),
    }


def _swing(harmonic: int) -> float:
    return min(SWING, SWING_ACCELERATION * BASE / (2.0 * math.pi * harmonic))


def _through(*points: tuple[float, float]) -> np.ndarray:
    times, values = zip(*points, strict=True)
    return np.interp(np.arange(0.0, times[-1], STEP), times, values)
