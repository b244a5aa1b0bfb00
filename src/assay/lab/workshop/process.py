"""The inside of a workshop's process: makes one recipe after another, on one thread."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assay.core.artefacts import DRAFTS, draft_of, finish, is_whole, place_of
from assay.core.errors import AssayError, ModelError, UserError
from assay.core.training import Recipe, Stopped

SAY_EVERY = 0.4
"""Seconds between two words on progress."""

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}
QUIET = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "20000",
    "TOKENIZERS_PARALLELISM": "false",
}

_stop: Any = None
_news: Any = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The artefact is there."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Making was stopped; what is needed to go on is kept."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An error, in a form that survives the way between processes."""

    kind: type[AssayError]
    message: str
    hint: str

    def error(self) -> AssayError:
        """The error itself."""
        error = self.kind.__new__(self.kind)
        AssayError.__init__(error, self.message, hint=self.hint)
        return error


def begin(parent: int, stop: Any, news: Any) -> None:
    """Set a new process up: it hears of a wish to stop, and does not outlive who started it."""
    global _stop, _news
    _stop, _news = stop, news
    # Arms run side by side: one thread each, that waits asleep. Read when torch is loaded, which is later.
    os.environ |= QUIET
    # Ctrl-C reaches every process of a terminal; the one that started us says what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class ProcessPlace:
    """A `Place` on this machine."""

    def __init__(self, root: Path, recipe: Recipe) -> None:
        self._root, self._recipe = root, recipe
        self._inputs = {needed.hash for needed in recipe.inputs()}
        self._said = 0.0

    @property
    def folder(self) -> Path:
        """The draft: it becomes the artefact when it is finished."""
        return draft_of(self._root, self._recipe)

    def of(self, recipe: Recipe) -> Path:
        """The finished folder of an input."""
        assert recipe.hash in self._inputs, f"{recipe.name} is no input of {self._recipe.name}"
        return place_of(self._root, recipe)

    def tell(self, share: float, text: str = "") -> None:
        """Say how far it is; not oftener than anybody can read."""
        if _news is not None and time.monotonic() - self._said > SAY_EVERY:
            self._said = time.monotonic()
            _news.put((self._recipe.hash, self._recipe.name, share, text))

    def stopping(self) -> bool:
        """Whether it is to end."""
        return _stop is not None and bool(_stop.is_set())


def make_in_process(root: Path, recipe: Recipe) -> Finished | Broken | Failed:
    """Make one recipe under its lock; never raises what cannot be sent."""
    (root / DRAFTS).mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(root / DRAFTS / f"{recipe.hash}.lock"))
    if not _acquired(lock):
        return Broken()
    try:
        if not is_whole(place_of(root, recipe), thorough=True):
            _make(root, recipe)
        return Finished()
    except Stopped:
        return Broken()
    except AssayError as error:
        return Failed(_plain_kind(error), error.message, error.hint)
    except Exception as error:
        return _failure(root, recipe, error)
    finally:
        lock.release()


def _acquired(lock: FileLock) -> bool:
    """Wait for the lock, which another process may hold for long; False where we are told to stop."""
    while True:
        try:
            lock.acquire(timeout=0.5)
            return True
        except Timeout:
            if _stop is not None and _stop.is_set():
                return False


def _failure(root: Path, recipe: Recipe, error: Exception) -> Failed:
    """What no recipe foresaw: a disk without room, or a fault of ours."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        said = f"{recipe.name} could not be kept: {error.strerror}."
        return Failed(UserError, said, f"Make room in {root}; what was made so far is kept.")
    if os.environ.get("ASSAY_DEBUG"):
        traceback.print_exception(error)
    said = f"Making {recipe.name} failed: {type(error).__name__}: {error}"
    return Failed(ModelError, " ".join(said.split()), "Set ASSAY_DEBUG=1 to see where.")


def _make(root: Path, recipe: Recipe) -> None:
    """Make it in its draft folder and put that in its place."""
    place = ProcessPlace(root, recipe)
    place.folder.mkdir(parents=True, exist_ok=True)
    place.tell(0.0, "begins")
    wall, cpu = time.monotonic(), time.process_time()
    work = recipe.make(place)
    finish(root, recipe, work, seconds=time.monotonic() - wall, cpu_seconds=time.process_time() - cpu)


def _plain_kind(error: AssayError) -> type[AssayError]:
    """The error's kind, if the other side can find it by name."""
    try:
        pickle.dumps(type(error))
    except pickle.PicklingError:
        return AssayError
    return type(error)
