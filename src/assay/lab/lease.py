"""One process per run: a lock that the kernel lets go of when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from assay.core import UserError

PATIENCE_SECONDS = 2.0
"""Whoever only looks holds the lock for a moment."""


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
        raise UserError(
            f"The run {run} is being run by process {_written(folder, run)}.",
            hint="Wait for it, or stop it with Ctrl-C where it runs.",
        ) from None
    try:
        (folder / f"{run}.pid").write_text(str(os.getpid()))
        yield
    finally:
        # The lock's file stays: whoever waits for it has it open already.
        (folder / f"{run}.pid").unlink(missing_ok=True)
        lock.release()


def holder(folder: Path, run: str) -> int | None:
    """The process that is at a run; None where none is, or where it died."""
    if not (folder / f"{run}.lock").exists():
        return None
    lock = FileLock(folder / f"{run}.lock")
    try:
        with lock.acquire(timeout=0), contextlib.suppress(OSError):
            (folder / f"{run}.pid").unlink(missing_ok=True)
        return None
    except Timeout:
        return _written(folder, run)


def state_of(run: str, noted: str, folder: Path) -> str:
    """What is true of a run that was noted so: one that was killed could not say that it stopped."""
    if holder(folder, run) is not None:
        return "running"
    return "stopped" if noted == "running" else noted


def _written(folder: Path, run: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((folder / f"{run}.pid").read_text())
    return None
