"""One process per run: a lock that the kernel lets go of when its process ends, however it ends.

Who holds it stands beside it, as its number and the moment it began. Numbers are given again: by both together a
process is known, and who only looks needs no lock, so that no look can keep a run from beginning. Only where the
number says nothing, as that of a process in a container, the lock itself is tried.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from assay.core import UserError

PATIENCE_SECONDS = 2.0
"""The one who had it may be about to let go."""


@contextlib.contextmanager
def lease(folder: Path, run: str) -> Iterator[None]:
    """The run is this process's until the end of the block.

    Raises:
        UserError: another process is at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{run}.lock")
    try:
        lock.acquire(timeout=PATIENCE_SECONDS)
    except Timeout:
        found = holder(folder, run)
        raise UserError(
            f"The run {run} is being run by {f'process {found}' if found else 'another process'}.",
            hint="Wait for it, or stop it with Ctrl-C where it runs.",
        ) from None
    try:
        (folder / f"{run}.pid").write_text(f"{os.getpid()} {began(os.getpid())}")
        yield
    finally:
        # The lock's file stays: whoever waits for it has it open already.
        (folder / f"{run}.pid").unlink(missing_ok=True)
        lock.release()


def holder(folder: Path, run: str) -> int | None:
    """The process that is at a run; None where none is, where it died, or where its number says nothing here."""
    try:
        number, _, moment = (folder / f"{run}.pid").read_text().partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return None
    return pid if moment and began(pid) == moment else None


def is_held(folder: Path, run: str) -> bool:
    """Whether a process is at a run, also one whose number says nothing here: it may be in a container."""
    if holder(folder, run) is not None:
        return True
    if not (folder / f"{run}.pid").exists():
        return False
    try:
        with (folder / f"{run}.lock").open() as lock:
            # Shared, for this moment: two who look do not take each other for the one who is at it.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def state_of(run: str, noted: str, folder: Path) -> str:
    """What is true of a run that was noted so: one that was killed could not say that it stopped."""
    return "stopped" if noted == "running" and not is_held(folder, run) else noted


def began(pid: int) -> str:
    """When a process began, in words of the system; empty where it is no more, or dead and not yet buried."""
    if Path("/proc/self/stat").exists():
        try:
            # The name before it is in brackets and may hold anything.
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    # The moment must be written alike by whoever asks.
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    state, _, moment = told.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else moment.strip()
