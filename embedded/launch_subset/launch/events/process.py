"""Events of processes."""

import signal

from launch.events import Event
from launch.missing import missing_names


class RunningProcessEvent(Event):
    """Something about one process."""

    def __init__(self, *, action, name, cmd, cwd, env, pid):
        self.action = action
        self.process_name = name
        self.cmd = cmd
        self.cwd = cwd
        self.env = env
        self.pid = pid


class ProcessStarted(RunningProcessEvent):
    """A process runs."""


class ProcessExited(RunningProcessEvent):
    """A process ended."""

    def __init__(self, *, returncode, **keywords):
        super().__init__(**keywords)
        self.returncode = returncode


class ProcessIO(RunningProcessEvent):
    """A process wrote something (bytes in `text`)."""

    def __init__(self, *, text, fd, **keywords):
        super().__init__(**keywords)
        self.text = text
        self.fd = fd

    @property
    def from_stdout(self):
        """Whether it was written to standard output."""
        return self.fd == 1

    @property
    def from_stderr(self):
        """Whether it was written to standard error."""
        return self.fd == 2


class SignalProcess(Event):
    """Send a signal to the processes that a matcher picks."""

    def __init__(self, *, signal_number, process_matcher):
        self.signal = signal.Signals[signal_number] if isinstance(signal_number, str) else signal_number
        self.process_matcher = process_matcher


class ShutdownProcess(Event):
    """End the processes that a matcher picks: SIGINT, then SIGTERM, then SIGKILL."""

    def __init__(self, *, process_matcher):
        self.process_matcher = process_matcher


__getattr__ = missing_names(__name__)
