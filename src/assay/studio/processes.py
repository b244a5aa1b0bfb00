"""Runs as processes of their own: started here or at a terminal, they outlive whoever looks at them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence

from assay.core import UserError
from assay.core.home import Home
from assay.lab.lease import holder, is_held, state_of
from assay.lab.listing import RunLine
from assay.lab.store import RunRow


class Processes:
    """Starts and stops `assay resume RUN`, and says in which state a run is."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, run: str) -> None:
        """Set a process to work at a run that is noted in the store.

        Raises:
            UserError: one is at it already.
        """
        if self.is_running(run):
            raise UserError(f"The run {run} is going on already.")
        self._home.running.mkdir(parents=True, exist_ok=True)
        with (self._home.running / f"{run}.log").open("wb") as log:
            # A session of its own: Ctrl-C at the studio's terminal must not reach it.
            self._started[run] = subprocess.Popen(
                [sys.executable, "-m", "assay", "resume", run, "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=dict(os.environ),
            )

    def stop(self, run: str) -> None:
        """Ask the process at a run to stop, as Ctrl-C does; where none is at it nothing happens.

        Raises:
            UserError: it runs where no signal of this one comes, as in another container.
        """
        pid = holder(self._home.running, run)
        if pid is None and run in self._started and self._started[run].poll() is None:
            pid = self._started[run].pid
        if pid is None and is_held(self._home.running, run):
            raise UserError(f"The process at {run} is out of reach.", hint="Stop it with Ctrl-C where it runs.")
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def is_running(self, run: str) -> bool:
        """Whether a process is at it, or on its way there."""
        started = self._started.get(run)
        if started is not None and started.poll() is None:
            return True
        return is_held(self._home.running, run)

    def running(self, noted: Sequence[str]) -> set[str]:
        """Of runs that are noted as running those that a process is at, and those on their way there."""
        return {run for run in noted if is_held(self._home.running, run)} | set(self.going_on())

    def state(self, row: RunRow) -> str:
        """`running`, `done` or `stopped`."""
        started = self._started.get(row.id)
        if started is not None and started.poll() is None:
            return "running"
        return state_of(row.id, row.status, self._home.running)

    def state_among(self, line: RunLine, going: Collection[str]) -> str:
        """The same of one of many, where it is known which runs are going on."""
        if line.id in going:
            return "running"
        return "stopped" if line.status == "running" else line.status

    def last_words(self, run: str) -> str:
        """What the process printed last, for a run that ended without saying why."""
        with contextlib.suppress(OSError):
            lines = (self._home.running / f"{run}.log").read_text(errors="replace").strip().splitlines()
            ours = [line.removeprefix("assay: ") for line in lines if line.startswith("assay: ")]
            return next(reversed(ours or lines), "")[:2_000]
        return ""

    def going_on(self) -> Sequence[str]:
        """Runs started here that are still at work."""
        # A copy: pages are made in threads, and runs are started meanwhile.
        return [run for run, process in self._started.copy().items() if process.poll() is None]
