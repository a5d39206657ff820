"""Planning cycle of our planner in synthetic traffic, beside Frenet planners on the same scenes.

CPU time of one thread for one planning cycle with 0 to 60 cars around the ego on four lanes. Beside ours runs the textbook
planner (`textbook_frenet.py`), and with --peers PYTHON, the interpreter of an environment in which they are installed
(pip install commonroad-reactive-planner==2025.1 frenetix==0.4.0), two open planners (`peer_planners.py`).
"""

import argparse
import json
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.types import DriveMode, Mode
from pilot_common.vehicle import load_parameters
from pilot_evaluation.bench import compare
from pilot_evaluation.bench.compare import CLAIM, Subject, Tell, Times
from pilot_evaluation.bench.textbook_frenet import TextbookFrenet
from pilot_evaluation.bench.traffic import SET_SPEED, Drive, Scene, make_scene
from pilot_planning.highway.planner import HighwayPlanner
from pilot_planning.interface import PlannerInputs
from pilot_vehicle.feasibility import load_checked_vehicle

COUNTS = (0, 10, 30, 60)
PERIOD = 0.05  # s, of planning
CYCLES, PEER_CYCLES = 60, 10  # a round
WARM_UP = 10  # cycles that do not count
MOST = 25.0  # ms, 99 % of the cycles with 60 cars
PEERS = {"commonroad": "commonroad-reactive-planner", "frenetix": "frenetix, C++ core alone"}
TEXTBOOK = "textbook Frenet planner"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--vehicle", default="sedan_ice", help="of config/vehicles/ (default sedan_ice)")
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="interpreter of an environment with the open planners"
    )


def run(options: argparse.Namespace, tell: Tell) -> dict[str, Any]:
    """Measures. Raises PilotError for an interpreter that cannot be started."""
    config = config_folder()
    car = load_checked_vehicle(options.vehicle, config)
    planner = HighwayPlanner(car, load_parameters(HighwayPlanner.Parameters, "planning", car, config))
    scenes = {count: make_scene(count) for count in COUNTS}
    subjects: dict[str, Subject] = {
        _name("ours", count): partial(_ours, planner, scene) for count, scene in scenes.items()
    }
    heaviest = scenes[COUNTS[-1]]
    subjects[_name(TEXTBOOK, COUNTS[-1])] = partial(_textbook, heaviest)
    peers = [_Peer(options.peers, name) for name in PEERS] if options.peers else []
    for peer in peers:
        subjects[_name(PEERS[peer.name], COUNTS[-1])] = partial(peer.measure, heaviest)
    try:
        measured = compare.alternate(subjects, tell)
    finally:
        for peer in peers:
            peer.close()
    return _answer(measured, {PEERS[peer.name]: peer.fault for peer in peers})


def _name(planner: str, count: int) -> str:
    return f"{planner}, {count} cars"


def _answer(measured: dict[str, Times], faults: dict[str, str]) -> dict[str, Any]:
    own = measured[_name("ours", COUNTS[-1])]
    slowest = own.percentile(0.99)
    criteria = {
        "planning_p99": compare.criterion(
            slowest,
            MOST,
            f"99 % of the planning cycles with {COUNTS[-1]} cars within {slowest:.1f} ms",
            unit="ms",
        )
    }
    ratios = {}
    for name, times in measured.items():
        if name.startswith("ours"):
            continue
        if not times.all:
            continue
        ratios[name] = many = compare.ratio(times, own)
        criteria[f"faster than {name}"] = compare.criterion(
            many, CLAIM, f"{name}: {many:.1f} × our time", at_least=True, unit="×"
        )
    rows = [
        (
            name,
            f"{times.median:.2f}" if times.all else "–",
            f"{times.percentile(0.99):.2f}" if times.all else "–",
            f"{ratios[name]:.1f} ×" if name in ratios else "",
        )
        for name, times in measured.items()
    ]
    notes = [f"{name} not measured: {fault}" for name, fault in faults.items() if fault]
    return {
        "verdict": compare.verdict(criteria.values()),
        "criteria": criteria,
        "times": {name: times.plain() for name, times in measured.items() if times.all},
        "ratios": ratios,
        "not_measured": {name: fault for name, fault in faults.items() if fault},
        "tables": [("Planning cycle, CPU ms", ("planner", "p50", "p99", "of ours, p50"), rows)],
        "notes": notes,
    }


def _ours(planner: HighwayPlanner, scene: Scene) -> list[float]:
    planner.reset()
    drive, times = Drive(scene), list[float]()
    for _ in range(WARM_UP + CYCLES):
        mode = Mode(stamp=drive.time, mode=DriveMode.ACTIVE, reason="", warning=0)
        inputs = PlannerInputs(time=drive.time, world=drive.world(), vehicle_state=drive.state(), mode=mode)
        plan = compare.timed(partial(planner.step, inputs), times).plan
        if not plan.valid:
            raise PilotError(f"our planner gave no plan in the bench: {plan.reason}")
        drive.advance(float(plan.trajectory.acceleration[0]), PERIOD)
    return times[WARM_UP:]


def _textbook(scene: Scene) -> list[float]:
    drive, times = Drive(scene), list[float]()
    planner = TextbookFrenet(drive.speed, SET_SPEED)
    for _ in range(3):
        station, offset = drive.others()
        compare.timed(partial(planner.plan, station, offset, scene.speed), times)
        drive.advance(0.0, 0.3)
    return times


class _Peer:
    """A planner in an interpreter of its own, that waits for scenes; `fault` says why it cannot be measured."""

    def __init__(self, interpreter: Path, name: str) -> None:
        self.name, self.fault = name, ""
        script = Path(__file__).with_name("peer_planners.py")
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        try:
            self._process = subprocess.Popen(
                [str(interpreter), str(script), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**kept, **threads},
            )
        except OSError as error:
            raise PilotError(f"--peers {interpreter}: {error.strerror}") from None

    def measure(self, scene: Scene) -> list[float]:
        """One round; nothing after a fault."""
        if self.fault or self._process.stdin is None or self._process.stdout is None:
            return []
        try:
            self._process.stdin.write(json.dumps(scene.plain(PEER_CYCLES)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"error": "the interpreter ended"}
        if isinstance(answer, dict):
            self.fault = answer["error"]
            return []
        return answer[1:]  # the first cycle also loads what is needed

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=30)
