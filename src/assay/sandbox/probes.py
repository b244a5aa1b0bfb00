"""Tries a sandbox with hostile programs and reports which it contained; `assay doctor` prints it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from assay.core.replies import Ended, Execution
from assay.core.requests import Execute
from assay.sandbox.box import Sandbox
from assay.sandbox.corpus import CORPUS, Probe

SECONDS = 1.0
GRACE = 2.0
MEMORY_MB = 64


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What became of one probe."""

    probe: Probe
    contained: bool
    execution: Execution
    seconds: float
    escape: str = ""
    """How it got out, where it was not contained."""


async def run_probes(sandbox: Sandbox, probes: tuple[Probe, ...] = CORPUS) -> list[ProbeResult]:
    """Run the probes one after another; each is held to a second, and to what must not happen outside."""
    results = []
    with ExitStack() as opened:
        outside = Outside(opened)
        for probe in probes:
            request = Execute(outside.aim(probe.code), seconds=SECONDS, memory_mb=MEMORY_MB)
            began = time.monotonic()
            execution = await sandbox.run(request)
            seconds = time.monotonic() - began
            escape = escaped(probe, execution, seconds) or outside.disturbed(execution)
            results.append(ProbeResult(probe, not escape, execution, seconds, escape))
    return results


def escaped(probe: Probe, execution: Execution, seconds: float) -> str:
    """How the answer itself shows an escape; empty where it does not."""
    if execution.value == "ESCAPED":
        return "it says so"
    if probe.never_ok and execution.ended is Ended.OK:
        return "it passed for a success"
    try:
        json.dumps(execution.value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return "it gave a value that is not JSON"
    if seconds > SECONDS + GRACE:
        return f"it ran for {seconds:.1f} seconds"
    return ""


class Outside:
    """The bait outside the sandbox: a secret file, a folder open to all, a port, and our process."""

    def __init__(self, opened: ExitStack) -> None:
        self.folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="assay-probe-")))
        self.folder.chmod(0o777)  # so that only the sandbox, not the file's mode, can refuse
        self.marker = secrets.token_hex(16)
        self.process_name = f"probe-{self.marker[:8]}"  # the kernel keeps 15 characters
        self.secret = self.folder / "secret"
        self.secret.write_text(self.marker)
        self.secret.chmod(0o666)
        self.tcp = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self.tcp.getsockname()[1]
        self.udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp.setblocking(False)
        self.udp.setblocking(False)

    def aim(self, code: str) -> str:
        """The code with the places of the bait filled in."""
        places = {"SECRET": self.secret, "FOLDER": self.folder, "PORT": self.port, "PID": os.getpid()}
        for name, place in (places | {"NAME": self.process_name}).items():
            code = code.replace(f"@{name}@", str(place))
        return code

    def disturbed(self, execution: Execution) -> str:
        """What happened out here; empty where nothing did."""
        if self.marker in f"{execution.value} {execution.stdout} {execution.error}":
            return "it read the secret"
        if sorted(path.name for path in self.folder.iterdir()) != ["secret"]:
            return "it changed the folder"
        if self.secret.read_text() != self.marker:
            return "it changed the file"
        if self._was_called():
            return "it reached the port"
        return "a process of it lives on" if lives(self.process_name) else ""

    def _was_called(self) -> bool:
        with suppress(BlockingIOError):
            self.tcp.accept()[0].close()
            return True
        with suppress(BlockingIOError):
            self.udp.recv(16)
            return True
        return False


def lives(process_name: str) -> bool:
    """Whether a process of this name runs on this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "comm").read_text().strip() == process_name:
                return True
    return False
