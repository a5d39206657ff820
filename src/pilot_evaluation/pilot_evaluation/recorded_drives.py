"""Drives CommonRoad problems in lockstep among their recorded traffic, and tells contacts by who caused them.

    python -m pilot_evaluation.recorded_drives --vehicle sedan_ice FILE.xml …

prints the table; the exit code is 0 where at least `--share` of them end without a contact of the ego's own making.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pilot_common.errors import PilotError
from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.vehicle import Vehicle, load_vehicle
from pilot_evaluation.importers.commonroad import import_commonroad
from pilot_evaluation.measures.contact import Contact, contacts
from pilot_evaluation.run import DRIVING, Run
from pilot_simulation.lockstep import drive
from pilot_simulation.scenario import load_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDrive:
    """One problem driven: the first contact (None without one), how long, how fast and how hard it braked (s, m/s, m/s²)."""

    name: str
    seconds: float
    contact: Contact | None
    braking: float
    mean_speed: float
    driven: float  # share of the time in which the system drove
    error: str  # why it could not be driven, empty where it could

    @property
    def clean(self) -> bool:
        """Whether it was driven without a contact that the ego caused."""
        return not self.error and (self.contact is None or not self.contact.caused)

    def outcome(self) -> str:
        """In words."""
        if self.error:
            return self.error
        if self.contact is None:
            return "no contact"
        who = "caused" if self.contact.caused else "not caused"
        return f"contact at {self.contact.time:.1f} s, {who}: {self.contact.reason}"


def drive_recorded(
    files: Iterable[Path], vehicle: Vehicle, config: Path, told: Callable[[RecordedDrive], None] | None = None
) -> list[RecordedDrive]:
    """Every file imported and driven; `told` hears each as soon as it is done. What cannot be imported is an entry as well."""
    drives = []
    for file in files:
        try:
            done = _drive(file, vehicle, config)
        except PilotError as error:
            done = RecordedDrive(
                name=file.stem,
                seconds=0.0,
                contact=None,
                braking=0.0,
                mean_speed=0.0,
                driven=0.0,
                error=str(error),
            )
        drives.append(done)
        if told is not None:
            told(done)
    return drives


def _drive(file: Path, vehicle: Vehicle, config: Path) -> RecordedDrive:
    with tempfile.TemporaryDirectory() as folder:
        imported = import_commonroad(file, Path(folder) / file.stem)
        scenario = load_scenario(imported.path, config)
        run = Run(vehicle, load_graph(config), real_time=False)
        finished = drive(
            vehicle, scenario, config, lambda time, topic, message: run.add(topic, time, message)
        )
    found = contacts(run)
    acceleration, speed = run.column("truth", "acceleration"), run.column("truth", "speed")
    return RecordedDrive(
        name=str(imported.facts["source"]),
        seconds=finished.seconds,
        contact=found[0] if found else None,
        braking=max(-float(acceleration.min()), 0.0),
        mean_speed=float(speed.mean()),
        driven=sum(mode.mode in DRIVING for mode in run.messages("mode")) / max(len(run.messages("mode")), 1),
        error="",
    )


def table(drives: Iterable[RecordedDrive]) -> str:
    """The drives as a table in Markdown, and a line that sums them up."""
    drives = list(drives)
    lines = [
        "| problem | s | mean m/s | hardest braking m/s² | driven % | outcome |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {d.name} | {d.seconds:.1f} | {d.mean_speed:.1f} | {d.braking:.1f} | {100 * d.driven:.0f} | {d.outcome()} |"
        for d in drives
    ]
    clean = sum(d.clean for d in drives)
    behind = sum(d.contact is not None and not d.contact.caused for d in drives)
    return "\n".join(
        [*lines, "", f"{clean} of {len(drives)} without a contact of its own making, {behind} hit by others."]
    )


def _tell(done: RecordedDrive) -> None:
    sys.stderr.write(f"{done.name}: {done.outcome()}\n")


def main() -> int:
    """Drives the files named and prints the table."""
    parser = argparse.ArgumentParser(description="Drive CommonRoad problems among their recorded traffic.")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.xml")
    parser.add_argument("--vehicle", default="sedan_ice")
    parser.add_argument(
        "--share", type=float, default=0.8, help="that must end without a contact caused (default 0.8)"
    )
    options = parser.parse_args()
    config = config_folder()
    try:
        vehicle = load_vehicle(options.vehicle, config)
    except PilotError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    drives = drive_recorded(options.files, vehicle, config, _tell)
    sys.stdout.write(table(drives) + "\n")
    return 0 if sum(done.clean for done in drives) >= options.share * len(drives) else 1


if __name__ == "__main__":
    sys.exit(main())
