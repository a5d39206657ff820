"""The action that runs a process."""

import asyncio
import contextlib
import itertools
import os
import shlex
import signal

from launch.entity import Action
from launch.event_handlers import EventHandler, OnProcessExit, OnShutdown
from launch.events.process import ProcessExited, ProcessIO, ProcessStarted, ShutdownProcess, SignalProcess
from launch.logging import log, write_line
from launch.substitutions import normalize, perform

_number = itertools.count(1)  # processes are numbered through a whole launch, as in [fusion_node-3]


class ExecuteProcess(Action):
    """Runs a command until it ends or the launch does."""

    def __init__(
        self,
        *,
        cmd,
        name=None,
        prefix=None,
        cwd=None,
        env=None,
        additional_env=None,
        output="log",
        emulate_tty=False,
        cached_output=False,
        shell=False,
        sigterm_timeout=5,
        sigkill_timeout=5,
        on_exit=None,
        respawn=False,
        respawn_delay=0.0,
        respawn_max_retries=-1,
        **keywords,
    ):
        super().__init__(**keywords)
        self.cmd = [normalize(word) for word in cmd]
        self.name = name
        self.process_details = None
        self.return_code = None
        self._prefix, self._cwd, self._env, self._additional_env = prefix, cwd, env, additional_env or {}
        self._output, self._shell, self._cached_output = output, shell, cached_output
        self._emulate_tty = emulate_tty
        self._timeouts = sigterm_timeout, sigkill_timeout
        self._on_exit, self._respawn = on_exit, respawn
        self._respawn_delay, self._respawn_retries = respawn_delay, respawn_max_retries
        self._process = self._stopping = None
        self._text = {1: bytearray(), 2: bytearray()}

    def get_stdout(self):
        """Return what was written to standard output; needs `cached_output=True`."""
        return self._text[1].decode(errors="replace")

    def get_stderr(self):
        """Return what was written to standard error; needs `cached_output=True`."""
        return self._text[2].decode(errors="replace")

    def execute(self, context):
        if context.is_shutdown:
            return
        command = self._command(context)
        label = perform(context, self.name) if self.name else os.path.basename(command[0])
        details = {
            "action": self,
            "name": f"{label}-{next(_number)}",
            "cmd": command,
            "cwd": perform(context, self._cwd) if self._cwd else None,
            "env": self._environment(context),
            "pid": None,
        }
        handlers = [
            OnShutdown(on_shutdown=self._on_shutdown),
            EventHandler(matcher=lambda event: isinstance(event, SignalProcess), entities=self._on_signal),
            EventHandler(matcher=lambda event: isinstance(event, ShutdownProcess), entities=self._on_stop),
        ]
        if self._on_exit is not None:
            handlers.append(OnProcessExit(target_action=self, on_exit=self._on_exit))
        for handler in handlers:
            context.register_event_handler(handler)
        context.start_task(self._supervise(context, details))

    def _command(self, context):
        words = [perform(context, word) for word in self.cmd]
        prefix = shlex.split(perform(context, self._prefix)) if self._prefix else []
        return [*prefix, *words]

    def _environment(self, context):
        def resolved(variables):
            return {
                perform(context, name): perform(context, value) for name, value in dict(variables).items()
            }

        environment = dict(context.environment) if self._env is None else resolved(self._env)
        if self._emulate_tty:
            # The official package gives the process a terminal; what matters here is that lines come at once.
            environment["PYTHONUNBUFFERED"] = "1"
        return {**environment, **resolved(self._additional_env)}

    async def _supervise(self, context, details):
        """Run the process, and again after it ended while `respawn` says so."""
        respawn = (
            self._respawn if isinstance(self._respawn, bool) else perform(context, self._respawn) == "true"
        )
        for attempt in itertools.count():
            await self._run_once(context, details)
            wanted = respawn and (self._respawn_retries < 0 or attempt < self._respawn_retries)
            if not wanted or self._stopping:
                return
            if await self._sleep_unless_shutdown(context, self._respawn_delay or 0.0):
                return

    async def _run_once(self, context, details):
        if context.is_shutdown:
            return
        name, command = details["name"], details["cmd"]
        start = asyncio.create_subprocess_shell if self._shell else asyncio.create_subprocess_exec
        words = [" ".join(command)] if self._shell else command
        try:
            self._process = await start(
                *words,
                cwd=details["cwd"],
                env=details["env"],
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise RuntimeError(f"'{command[0]}' cannot be started: {error.strerror}") from None
        details["pid"] = self._process.pid
        self.process_details = dict(details)
        log(context, "INFO", name, f"process started with pid [{self._process.pid}]")
        context.emit_event_sync(ProcessStarted(**details))
        if context.is_shutdown:
            self._stop(context)
        streams = ((1, self._process.stdout), (2, self._process.stderr))
        await asyncio.gather(*(self._read(context, details, number, stream) for number, stream in streams))
        self.return_code = await self._process.wait()
        self._report_exit(context, name, command)
        context.emit_event_sync(ProcessExited(returncode=self.return_code, **details))
        self._process = None

    async def _read(self, context, details, number, stream):
        output = self._output if isinstance(self._output, str) else perform(context, self._output)
        # "log": all of it to the log file and standard error to the screen, as officially.
        screen = output in ("screen", "both", "full") or (output == "log" and number == 2)
        rest = b""
        while chunk := await stream.read(65536):
            if self._cached_output:
                self._text[number] += chunk
            context.emit_event_sync(ProcessIO(text=chunk, fd=number, **details))
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                write_line(context, f"[{details['name']}] {line.decode(errors='replace')}", screen=screen)
        if rest:
            write_line(context, f"[{details['name']}] {rest.decode(errors='replace')}", screen=screen)

    def _report_exit(self, context, name, command):
        pid, code = self._process.pid, self.return_code
        if code == 0:
            log(context, "INFO", name, f"process has finished cleanly [pid {pid}]")
        else:
            words = " ".join(command)
            log(context, "ERROR", name, f"process has died [pid {pid}, exit code {code}, cmd '{words}'].")

    def _on_signal(self, event, context):
        if event.process_matcher(self):
            self._send(context, event.signal)

    def _on_shutdown(self, event, context):
        # Ctrl-C in a terminal has reached the process by itself: a second one would disturb its clean-up.
        self._stop(context, interrupt=context.noninteractive or not event.due_to_sigint)

    def _on_stop(self, event, context):
        if event.process_matcher(self):
            self._stop(context)

    def _stop(self, context, interrupt=True):
        """End the process: SIGINT now, SIGTERM and SIGKILL when it does not go."""
        if self._stopping is None and self._process is not None:
            task = self._escalate(context, self._process, interrupt)
            self._stopping = context.asyncio_loop.create_task(task)

    async def _escalate(self, context, process, interrupt):
        for number, timeout in zip(
            (signal.SIGINT, signal.SIGTERM, signal.SIGKILL), (*self._timeouts, None), strict=True
        ):
            if interrupt or number != signal.SIGINT:
                self._send(context, number)
            if timeout is None:
                return
            seconds = timeout if isinstance(timeout, (int, float)) else float(perform(context, timeout))
            deadline = context.asyncio_loop.time() + seconds
            while process.returncode is None and context.asyncio_loop.time() < deadline:
                await asyncio.sleep(0.01)
            if process.returncode is not None:
                return
            log(
                context,
                "ERROR",
                self.process_details["name"],
                f"did not end {seconds:g} s after {number.name}",
            )

    def _send(self, context, number):
        if self._process is None or self._process.returncode is not None:
            return
        name = self.process_details["name"]
        log(context, "INFO", name, f"sending signal '{signal.Signals(number).name}'")
        with contextlib.suppress(ProcessLookupError):  # it may end by itself in this very moment
            self._process.send_signal(number)

    @staticmethod
    async def _sleep_unless_shutdown(context, seconds):
        """Return whether a shutdown came before the time was over."""
        end = context.asyncio_loop.time() + seconds
        while not context.is_shutdown and context.asyncio_loop.time() < end:
            await asyncio.sleep(min(0.05, seconds))
        return context.is_shutdown
