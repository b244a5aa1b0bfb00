"""What went over the wire to a model: the ledger that must agree with the server's own counters."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """Counts of one model object since it was connected."""

    requests: int = 0
    prompt_tokens: int = 0
    """Prompt tokens of all requests, those found in a server's cache included."""
    prompt_tokens_evaluated: int = 0
    """Prompt tokens the server had to compute, where it says so."""
    generated_tokens: int = 0
    guessed: int = 0
    """Requests of which the server did not say how many tokens they were; they were guessed by length."""


class ProcessClock:
    """CPU seconds of another process, read where /proc is; 0 everywhere else."""

    def __init__(self, pid: int) -> None:
        self._path = f"/proc/{pid}/stat" if pid else ""
        self._last = self._read()

    def _read(self) -> float:
        if not self._path:
            return 0.0
        try:
            with open(self._path, "rb") as file:
                # Fields after the command's closing bracket: utime and stime are the 12th and 13th.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def since_last(self) -> float:
        """CPU seconds since this was last asked. Asked at every reply, the shares add up to the whole."""
        now = self._read()
        passed, self._last = max(0.0, now - self._last), now
        return passed
