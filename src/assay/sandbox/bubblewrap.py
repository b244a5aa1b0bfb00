"""T1: real Python in a bubblewrap box, forked per program from a warm zygote (see `zygote.py`)."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from importlib.resources import files
from typing import Any

from assay.core.errors import SandboxMissing
from assay.core.replies import Ended, Execution
from assay.core.requests import Execute
from assay.sandbox.box import OUTPUT_BYTES, BlockingSandbox, read_value
from assay.sandbox.program import VALUE_BYTES

HINT = "Install bubblewrap and allow user namespaces: apt-get install bubblewrap"
NOBODY = "65534"
PYTHONS = "/usr/bin:/usr/local/bin"
DEVICES = ("null", "zero", "full", "random", "urandom")
STARTUP_SECONDS = 20.0
LATEST = 15.0
"""Seconds after a program's limit at which its silent supervisor is given up."""
REPORT_BYTES = 2 * VALUE_BYTES + 4096  # the value as text inside JSON doubles its quotes

# Executed by the boxed Python: the modules arrive as text, so no path of ours need exist in the box.
BOOT = """
import sys, types
for name, source in {sources!r}.items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
for name in {sources!r}:
    del sys.modules[name]
module.serve(module.socket.socket(fileno=int(sys.argv[1])))
"""


class BubblewrapSandbox(BlockingSandbox):
    """Programs in CPython without network, files, processes or privileges; the standard library alone.

    `RLIMIT_NPROC` and friends do not bind uid 0: as root the box is entered as nobody.
    """

    name = "bubblewrap"

    def __init__(self, at_once: int | None = None) -> None:
        super().__init__(at_once or max(2, os.cpu_count() or 2))
        self._command = box_command()
        self._zygote: Zygote | None = None
        self._starting = threading.Lock()

    async def probe(self) -> None:
        """Run a real program; `SandboxMissing` with the reason where this machine cannot."""
        answer = await self.run(Execute("40 + 2", seconds=STARTUP_SECONDS))
        if answer.value != 42:
            raise SandboxMissing(f"bubblewrap does not work here ({answer.error}).", hint=HINT)

    def shut(self) -> None:
        super().shut()
        if self._zygote is not None:
            self._zygote.stop()

    @property
    def zygote_id(self) -> int | None:
        """Process id of the running bwrap, None before the first program."""
        return self._zygote.process.pid if self._zygote is not None else None

    def _perform(self, request: Execute) -> Execution:
        words = ""
        for _ in range(2):  # the zygote may have been killed since the last program
            zygote = self._living_zygote()
            with ExitStack() as opened:
                job = Job(opened)
                with suppress(OSError):
                    zygote.submit(job)
                    job.send(request)
                job.let_go_of_theirs()
                job.wait(request.seconds + LATEST)
            if job.end:
                return self._answer(request, job)
            words = self._bury(zygote)
        raise SandboxMissing(f"bubblewrap does not work here: {words or 'it ended at once'}.", hint=HINT)

    def _living_zygote(self) -> Zygote:
        with self._starting:
            if self._zygote is None or self._zygote.process.poll() is not None:
                if self._zygote is not None:
                    self._zygote.stop()
                self._zygote = Zygote(self._command)
            return self._zygote

    def _bury(self, zygote: Zygote) -> str:
        with self._starting:
            if self._zygote is zygote:
                self._zygote = None
            return zygote.stop()

    def _answer(self, request: Execute, job: Job) -> Execution:
        if "refused" in job.end:
            raise SandboxMissing(f"bubblewrap cannot make a box here ({job.end['refused']}).", hint=HINT)
        ended, error, text = judge(request, job)
        has_value, value = read_value(text)
        return Execution(
            ended=ended,
            value=value,
            has_value=has_value,
            stdout=bytes(job.output[:OUTPUT_BYTES]).decode(errors="replace"),
            error=error,
            seconds=job.end["seconds"],
            tier=self.name,
        )


def judge(request: Execute, job: Job) -> tuple[Ended, str, str | None]:
    """How it ended, the error, the value as JSON text; the supervisor's word goes before the program's."""
    if len(job.output) > OUTPUT_BYTES:
        return Ended.OUTPUT, f"the program printed more than {OUTPUT_BYTES} bytes", None
    if job.end["timed_out"]:
        return Ended.TIMEOUT, f"the program ran longer than {request.seconds:g} seconds", None
    report = job.report()
    if report is not None:
        text = report.get("value")
        return Ended(report["ended"]), str(report["error"]), text if isinstance(text, str) else None
    if len(job.answer) > REPORT_BYTES:
        return Ended.CRASH, "the program wrote over its report", None
    exit_code = job.end["exit"]
    if exit_code == -signal.SIGKILL and job.end["cpu_seconds"] > request.seconds:
        return Ended.TIMEOUT, f"the program used more than {request.seconds:g} processor seconds", None
    if exit_code == -signal.SIGKILL:
        return Ended.MEMORY, "the system killed the program, most likely for its memory", None
    if exit_code < 0:
        return Ended.CRASH, f"the process died of {signal.Signals(-exit_code).name}", None
    return Ended.CRASH, f"the process left with status {exit_code} before the program's end", None


class Job:
    """The parent's side of one program: the leash, its output and its report."""

    def __init__(self, opened: ExitStack) -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        for end in (end for pair in pairs for end in pair):
            opened.enter_context(end)
        (self.leash, _), (self.printed, _), (self.reported, _) = pairs
        self.theirs = [theirs for _, theirs in pairs]
        self.nonce = secrets.token_hex(16).encode()
        self.output = bytearray()
        self.answer = bytearray()
        self.end: dict[str, Any] = {}
        """What the supervisor said; empty where the zygote died first."""

    def let_go_of_theirs(self) -> None:
        """Close the box's ends here, so that its end is our end of file."""
        for end in self.theirs:
            end.close()

    def send(self, request: Execute) -> None:
        """The request to the supervisor, the nonce to the program's process."""
        self.reported.sendall(self.nonce)
        body = json.dumps(
            {
                "code": request.code,
                "entry": request.entry,
                "stdin": request.stdin,
                "seconds": request.seconds,
                "memory_mb": request.memory_mb,
            }
        ).encode()
        self.leash.sendall(struct.pack("!I", len(body)) + body)

    def wait(self, seconds: float) -> None:
        """Collect everything until the supervisor has spoken; too much of anything ends the program."""
        limits = {self.printed: OUTPUT_BYTES, self.reported: REPORT_BYTES, self.leash: 65_536}
        texts = {self.printed: self.output, self.reported: self.answer, self.leash: bytearray()}
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for end in limits:
                selector.register(end, selectors.EVENT_READ, end)
            while selector.get_map() and time.monotonic() < deadline:
                for key, _ in selector.select(deadline - time.monotonic()):
                    end = key.data
                    data = receive(end)
                    texts[end] += data
                    if len(texts[end]) > limits[end]:
                        self.kill()
                    if not data or len(texts[end]) > limits[end]:
                        selector.unregister(end)
        with suppress(ValueError):
            self.end = json.loads(texts[self.leash])

    def kill(self) -> None:
        """Let go of the leash: the supervisor kills the program and then still reports."""
        with suppress(OSError):
            self.leash.shutdown(socket.SHUT_WR)

    def report(self) -> dict[str, Any] | None:
        """What the program's process reported, if it bears the nonce."""
        if not self.answer.startswith(self.nonce):
            return None
        try:
            report = json.loads(self.answer[len(self.nonce) :])
            return report if report["ended"] in ("ok", "error", "memory") and "error" in report else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def receive(end: socket.socket) -> bytes:
    """Whatever is there; nothing where the other side was killed."""
    try:
        return end.recv(65_536)
    except OSError:
        return b""


class Zygote:
    """One bwrap with a Python in it that forks per program."""

    def __init__(self, command: list[str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",  # nobody cannot stand in root's directories
                start_new_session=True,  # Ctrl-C is ours to handle
            )

    def submit(self, job: Job) -> None:
        """Hand the job's descriptors over; a dead zygote is seen when the leash ends."""
        socket.send_fds(self._control, [b"j"], [end.fileno() for end in job.theirs])

    def stop(self) -> str:
        """End the zygote and with it all its programs, which live in its namespace; its last words."""
        self._control.close()
        self.process.kill()
        with suppress(ValueError):  # stopped before
            _, words = self.process.communicate()
            return " ".join(words.decode(errors="replace").split())[-300:].rstrip(".")
        return ""


def box_command() -> list[str]:
    """The command line of the zygote, less the number of its control descriptor."""
    bwrap, setpriv = shutil.which("bwrap"), shutil.which("setpriv")
    python = shutil.which("python3", path=PYTHONS)
    if bwrap is None:
        raise SandboxMissing("There is no bubblewrap on this machine.", hint=HINT)
    if python is None:
        raise SandboxMissing(f"There is no python3 in {PYTHONS}.", hint="apt-get install python3")
    command: list[str] = []
    if os.getuid() == 0:
        if setpriv is None:
            raise SandboxMissing("Root needs setpriv to drop its rights.", hint="apt-get install util-linux")
        command = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    command += [bwrap, "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--cap-drop", "ALL", *file_system(), "--chdir", "/tmp", "--"]
    return [*command, python, "-I", "-S", "-B", "-c", BOOT.format(sources=box_sources())]


def file_system() -> Iterator[str]:
    """Only /usr, read-only; nothing of /etc, /home or /root; a root directory nobody can write to."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink(f"/{name}"):
            yield from ("--symlink", os.readlink(f"/{name}"), f"/{name}")
        elif os.path.isdir(f"/{name}"):
            yield from ("--ro-bind", f"/{name}", f"/{name}")
    yield from ("--proc", "/proc", "--dir", "/tmp", "--dir", "/dev")
    for name in DEVICES:
        yield from ("--dev-bind", f"/dev/{name}", f"/dev/{name}")
    yield from ("--remount-ro", "/")


def box_sources() -> dict[str, str]:
    """The modules that run inside, in the order of their imports."""
    folder = files("assay.sandbox")
    names = ("program", "seccomp", "zygote")
    return {f"assay.sandbox.{name}": folder.joinpath(f"{name}.py").read_text("utf-8") for name in names}
