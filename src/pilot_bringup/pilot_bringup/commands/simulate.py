"""Drives a scenario in one process without middleware, as fast as it goes; the same outcome in every run."""

import argparse
import contextlib
import gc
import time
from collections.abc import Iterator
from typing import Any

from pilot_bringup.commands.common import add_drive_arguments, take_order, tell_verdict
from pilot_bringup.screen import Screen
from pilot_common.messages import Message
from pilot_evaluation.bag import BagWriter
from pilot_evaluation.criteria import judge
from pilot_evaluation.digest import Digest
from pilot_evaluation.results import DriveFacts, write_results
from pilot_evaluation.run import Run
from pilot_simulation.lockstep import drive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot simulate`."""
    add_drive_arguments(parser)
    parser.add_argument("--no-report", action="store_true", help="leave the page out")


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Drives, records, judges, writes; returns the summary."""
    order = take_order("simulate", options, screen)
    record = Run(order.vehicle, order.graph, real_time=False)
    digest = Digest(order.graph)
    wall, processor = time.perf_counter(), time.process_time()
    with (
        BagWriter(order.bag, order.graph) as bag,
        screen.progress("simulating", order.scenario.duration) as bar,
        _collector_resting(),
    ):

        def take(now: int, topic: str, message: Message) -> None:
            record.add(topic, now, message)
            digest.add(topic, message, bag.write(topic, message, now))

        try:
            drive(order.vehicle, order.scenario, order.config, take, seed=order.seed, on_progress=bar.to)
        except KeyboardInterrupt:
            record.notes.append(f"interrupted after {record.duration:.1f} s")
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    verdict = judge(record, order.scenario.criteria, order.scenario.duration)
    facts = DriveFacts(
        command="simulate",
        vehicle=order.vehicle,
        scenario=order.scenario,
        seed=order.seed,
        typed=options.typed,
        hash=digest.hexdigest(),
        figures={
            "real_time_factor": record.duration / wall,
            "processor_real_time_factor": record.duration / max(processor, 1e-9),
            "wall_seconds": wall,
        },
    )
    content = write_results(order.folder, record, verdict, facts, not options.no_report)
    screen.say(f"{facts.figures['real_time_factor']:.1f} × real time, outputs {facts.hash}")
    tell_verdict(screen, verdict, order.folder, not options.no_report)
    return content


@contextlib.contextmanager
def _collector_resting() -> Iterator[None]:
    """Without searches for reference cycles: a drive makes none, but keeps messages by the ten thousand to be searched."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
