"""Where recipes are made: one process per core, each artefact kept under the hash of its recipe.

A finished folder appears in one step. An unfinished one stays where it is, with its checkpoint, and is
gone on with by whoever asks next; two processes that want the same artefact wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from assay.core.artefacts import is_whole, made_in, place_of
from assay.core.errors import AssayError, ModelError, UserError
from assay.core.training import Made, Recipe
from assay.lab.workshop.process import Failed, Finished, begin, make_in_process

Tell = Callable[[str], None]


class Workshop:
    """Makes recipes. Use it inside one event loop; `close` before leaving it, which stops what is being made."""

    def __init__(self, root: Path, workers: int = 0, tell: Tell = lambda _: None) -> None:
        self.root = root
        self.tell = tell
        self._workers = workers or _cores()
        self._pool: ProcessPoolExecutor | None = None
        self._making: dict[str, asyncio.Task[Made]] = {}
        self._whole: set[str] = set()
        self._shares: dict[str, tuple[float, str]] = {}
        self._stop: Any = None
        self._news: Any = None

    async def make(self, recipe: Recipe) -> Made:
        """The artefact of a recipe, its inputs first; what is there already is not made again."""
        known = self._making.get(recipe.hash)
        if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
            known = self._making[recipe.hash] = asyncio.ensure_future(self._make(recipe))
        # Another flow may wait for the same artefact when this one is cancelled.
        return await asyncio.shield(known)

    async def _make(self, recipe: Recipe) -> Made:
        await asyncio.gather(*(self.make(needed) for needed in recipe.inputs()))
        folder = place_of(self.root, recipe)
        checked = recipe.hash in self._whole
        if not is_whole(folder, thorough=not checked):
            await self._in_process(recipe)
        self._whole.add(recipe.hash)
        return made_in(folder)

    async def _in_process(self, recipe: Recipe) -> None:
        pool = self._open_pool()
        loop = asyncio.get_running_loop()
        try:
            ended = await loop.run_in_executor(pool, make_in_process, self.root, recipe)
        except BrokenProcessPool:
            self._pool = None
            raise ModelError(
                f"Making {recipe.name} died without a word: out of memory, perhaps.",
                hint="Its last checkpoint is kept; ask again to go on.",
            ) from None
        finally:
            self._shares.pop(recipe.hash, None)
        if isinstance(ended, Failed):
            raise ended.error()
        if not isinstance(ended, Finished):
            raise Interrupted(recipe.name)

    def _open_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            # A worker that was killed may hold the queue's lock: another pool has a queue of its own.
            if self._news is not None:
                self._news.put(None)
            self._stop, self._news = self._stop or context.Event(), context.SimpleQueue()
            self._listen(self._news)
            arguments = (os.getpid(), self._stop, self._news)
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=context, initializer=begin, initargs=arguments
            )
        return self._pool

    def _listen(self, queue: Any) -> None:
        """Gathers what the processes say of their progress into one line."""

        def listen() -> None:
            with contextlib.suppress(EOFError, OSError):
                while (news := queue.get()) is not None:
                    key, name, share, text = news
                    self._shares[key] = (share, f"{name} {share:.0%} {text}".strip())
                    # Whoever listens no more must not stop those who work.
                    with contextlib.suppress(Exception):
                        self.tell(", ".join(line for _, line in list(self._shares.values())))

        threading.Thread(target=listen, daemon=True).start()

    async def close(self) -> None:
        """Stop what is being made; checkpoints are kept."""
        if self._stop is not None:
            self._stop.set()
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        if self._pool is not None:
            pool = self._pool
            await asyncio.get_running_loop().run_in_executor(
                None, lambda: pool.shutdown(wait=True, cancel_futures=True)
            )
        if self._news is not None:
            self._news.put(None)


class Interrupted(UserError):
    """Making was stopped; it goes on from its checkpoint."""

    exit_code = 130

    def __init__(self, name: str) -> None:
        AssayError.__init__(self, f"Making {name} was stopped.", hint="Ask again to go on from its checkpoint.")


def _cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)
