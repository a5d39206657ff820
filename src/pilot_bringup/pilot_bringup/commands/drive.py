"""Drives a scenario in real time: every function a ROS 2 process, the simulator as car and world; records, judges, reports."""

import argparse
import time
from typing import Any

from pilot_bringup.commands.common import Order, add_drive_arguments, take_order, tell_verdict
from pilot_bringup.launch_process import DRIVES, LaunchError, LaunchProcess
from pilot_bringup.ros_domain import free_domain
from pilot_bringup.screen import Bar, Screen
from pilot_common.errors import BagError
from pilot_evaluation.criteria import judge
from pilot_evaluation.results import DriveFacts, write_results
from pilot_evaluation.run import Run

START_PATIENCE = 60.0  # s for all processes to start, on two loaded cores
END_PATIENCE = 45.0  # s for the simulation to end and the recorder to finish
LOOK_PERIOD = 0.1  # s


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `./pilot drive`."""
    add_drive_arguments(parser)


def run(options: argparse.Namespace, screen: Screen) -> dict[str, Any]:
    """Launches, waits, judges what was recorded, writes; returns the summary. Raises LaunchError where nothing drove."""
    order = take_order("drive", options, screen)
    notes: list[str] = []
    with (
        free_domain() as domain,
        screen.progress("starting", order.scenario.duration) as bar,
        LaunchProcess(_launch_words(order), order.folder / "launch.log", _environment(domain)) as process,
    ):
        try:
            _follow(process, order, bar)
        except KeyboardInterrupt:
            notes.append("interrupted")
            bar.to(0.0, "interrupted, closing the bag")
            process.stop()
    try:
        record = Run.from_bag(order.bag, order.vehicle, order.graph)
    except BagError as error:
        raise LaunchError(
            f"nothing was recorded ({error}): {process.complaint()}; see {process.log}"
        ) from None
    record.notes += notes
    verdict = judge(record, order.scenario.criteria, order.scenario.duration)
    facts = DriveFacts(
        command="drive", vehicle=order.vehicle, scenario=order.scenario, seed=order.seed, typed=options.typed
    )
    content = write_results(order.folder, record, verdict, facts)
    for note in record.notes:
        screen.say(note)
    tell_verdict(screen, verdict, order.folder)
    return content


def _launch_words(order: Order) -> list[str]:
    return [
        "simulate.launch.py",
        f"vehicle:={order.vehicle.name}",
        f"scenario:={order.scenario_source}",
        f"seed:={order.seed}",
        f"seconds:={order.scenario.duration}",
        f"record:={order.bag}",
    ]


def _environment(domain: int) -> dict[str, str]:
    return {"ROS_DOMAIN_ID": str(domain)}


def _follow(process: LaunchProcess, order: Order, bar: Bar) -> None:
    """Waits for the end of the drive. Raises LaunchError where it does not begin or does not end."""
    duration = order.scenario.duration
    begin, deadline = None, time.monotonic() + START_PATIENCE
    while process.code is None:
        now = time.monotonic()
        if begin is None and process.said(DRIVES):
            begin, deadline = now, now + duration + END_PATIENCE
        if begin is not None:
            bar.to(min(now - begin, duration), "driving")
        if now > deadline:
            what = "end" if begin is not None else "begin"
            raise LaunchError(f"the drive did not {what} in time: {process.complaint()}; see {process.log}")
        time.sleep(LOOK_PERIOD)
    if begin is None and not process.said(DRIVES):
        raise LaunchError(f"the drive did not begin: {process.complaint()}; see {process.log}")
