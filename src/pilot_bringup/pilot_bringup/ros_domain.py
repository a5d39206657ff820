"""A ROS domain of its own for every run, so that two drives on one machine do not hear one another."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilot_common.errors import PilotError

DOMAINS = range(1, 102)  # up to 101 the ports lie below those the system hands out
PORT_BASE, DOMAIN_GAIN, UNICAST_OFFSET = 7400, 250, 10  # DDS-RTPS 9.6.1


@contextmanager
def free_domain() -> Iterator[int]:
    """A domain that nobody uses, kept for as long as the context lasts. Raises PilotError when all are taken."""
    first = os.getpid() % len(DOMAINS)
    for number in (*DOMAINS[first:], *DOMAINS[:first]):
        with _claimed(number) as ours:
            if ours and _is_silent(number):
                yield number
                return
    raise PilotError("all ROS domains from 1 to 101 are in use on this machine")


@contextmanager
def _claimed(number: int) -> Iterator[bool]:
    """Whether the number is ours now; the lock ends with the process at the latest."""
    file = Path(tempfile.gettempdir()) / f"highway-pilot-{os.getuid()}-domain-{number}"
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _is_silent(number: int) -> bool:
    """Whether no participant of the domain listens on this machine (it would hold the first unicast port)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", PORT_BASE + DOMAIN_GAIN * number + UNICAST_OFFSET))
        except OSError:
            return False
    return True
