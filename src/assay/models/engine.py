"""One engine process per machine and model, shared by every assay process, gone when unused.

    state folder/  lock          held while somebody starts, joins or leaves
                   engine.json   pid, address, key: written when it is ready
                   clients/PID   one empty file per process that uses it
                   log           what the engine printed

`join` finds or starts it. The engine (`python -m assay.models.engine`) looks once a second whether
a client process still lives, and ends itself when none has for a while. It listens on 127.0.0.1
with a random key that only this user can read.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from assay.core.errors import CannotRun, ModelError

START_SECONDS = 120.0
LINGER_SECONDS = 20.0
"""How long an engine waits for the next client; `ASSAY_LINGER` overrides."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How an engine is started. Another setting is another engine."""

    weights: str
    """Path of the GGUF file."""
    slots: int = 8
    context: int = 2048
    """Tokens per slot."""
    threads: int = 0
    """0: every core this process may use."""
    embeds: bool = False
    """It gives vectors, the mean over a text's tokens, and is not asked to write."""

    def resolved(self) -> EngineSettings:
        """With the number of threads filled in; `ASSAY_THREADS` overrides."""
        wish = self.threads or int(os.environ.get("ASSAY_THREADS", "0") or 0)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return replace(self, threads=wish or max(1, cores))


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine: where it listens and the key it wants."""

    address: str
    key: str
    pid: int
    build: str


def join(settings: EngineSettings, folder: Path) -> Engine:
    """The running engine for these settings, started if there is none.

    Raises:
        CannotRun: the `[local]` extra is not installed.
        ModelError: the engine did not come up; the end of its log is in the message.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / "lock"):
        engine = _running(folder)
        if engine is None:
            engine = _start(settings, folder)
        clients = folder / "clients"
        clients.mkdir(exist_ok=True)
        mine = clients / str(os.getpid())
        mine.touch()
    atexit.register(_leave, mine)
    return engine


def _leave(mine: Path) -> None:
    with contextlib.suppress(OSError):
        mine.unlink()


def _running(folder: Path) -> Engine | None:
    try:
        engine = Engine(**json.loads((folder / "engine.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return engine if _alive(engine.pid) and _healthy(engine) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _healthy(engine: Engine) -> bool:
    import httpx2

    try:
        reply = httpx2.get(engine.address + "/health", timeout=5.0)
    except httpx2.HTTPError:
        return False
    return reply.status_code == 200


def _start(settings: EngineSettings, folder: Path) -> Engine:
    import importlib.util

    if importlib.util.find_spec("xllamacpp") is None:
        raise CannotRun("The embedded engine is not installed.", hint='Type: pip install "assay[local]"')
    ready = folder / "engine.json"
    ready.unlink(missing_ok=True)
    # Waiting threads that spin make a busy two-core machine 20 to 200 times slower; both variables
    # must be set before the engine's OpenMP runtime is loaded.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "20000"} | dict(os.environ)
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "assay.models.engine", str(folder), json.dumps(asdict(settings.resolved()))],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env=environment,
        cwd="/",
    )
    log.close()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if engine := _running(folder):
            return engine
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    said = (folder / "log").read_text(errors="replace").strip().splitlines()
    reason = said[-1] if said else "it gave no reason"
    raise ModelError(
        f"The engine could not load {Path(settings.weights).name}: {reason}",
        hint=f"Its log: {folder / 'log'}",
    )


def serve(folder: Path, settings: EngineSettings) -> None:
    """Run the engine until nobody needs it; the main program of the engine process."""
    import xllamacpp

    key = secrets.token_urlsafe(24)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = settings.weights
    parameters.n_parallel = settings.slots
    parameters.n_ctx = settings.context * settings.slots
    parameters.cpuparams.n_threads = settings.threads
    parameters.cpuparams_batch.n_threads = settings.threads
    parameters.cache_ram_mib = 1024
    parameters.endpoint_metrics = True
    parameters.endpoint_props = True
    parameters.endpoint_slots = True
    parameters.ui = False
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.model_alias = {Path(settings.weights).stem}
    parameters.verbosity = -1
    if settings.embeds:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        # The mean is over what one physical batch evaluates of a text. A text must fit into it whole, nothing
        # may be remembered of it, and no other may stand beside it: of two texts that are cut to the same
        # length in a batch, the longer one has the mean of what stands behind the cut.
        assert settings.slots == 1, "an engine that embeds has one slot"
        parameters.n_batch = parameters.n_ubatch = settings.context
        parameters.cache_prompt, parameters.cache_ram_mib = False, 0
    server = xllamacpp.Server(parameters)
    engine = Engine(server.listening_address, key, os.getpid(), build_of_engine())
    _write(folder / "engine.json", json.dumps(asdict(engine)))
    _wait_until_unused(folder)
    # The server's threads do not end by themselves while requests are queued.
    os._exit(0)


def build_of_engine() -> str:
    """Version of the engine package, part of every fingerprint."""
    from importlib.metadata import version

    return f"xllamacpp {version('xllamacpp')}"


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(draft, path)


def _wait_until_unused(folder: Path) -> None:
    from filelock import FileLock

    last_used = time.monotonic()
    linger = float(os.environ.get("ASSAY_LINGER") or LINGER_SECONDS)
    while True:
        time.sleep(1.0)
        if not folder.is_dir():
            return
        if _clients(folder):
            last_used = time.monotonic()
        elif time.monotonic() - last_used > linger:
            with FileLock(folder / "lock"):
                if not _clients(folder):
                    (folder / "engine.json").unlink(missing_ok=True)
                    return


def _clients(folder: Path) -> int:
    """How many client processes live; files of dead ones are swept."""
    living = 0
    clients = folder / "clients"
    for file in clients.iterdir() if clients.is_dir() else ():
        if not file.name.isdigit():
            continue
        if _alive(int(file.name)):
            living += 1
        else:
            file.unlink(missing_ok=True)
    return living


if __name__ == "__main__":
    serve(Path(sys.argv[1]), EngineSettings(**json.loads(sys.argv[2])))
