"""Replies under way in this studio: their tasks, and the words that the files do not hold yet."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from assay.core import UserError
from assay.lab.branching import Grown, Trees
from assay.studio.trees.scene import Pair, Scene, pairs


@dataclass(slots=True)
class Words:
    """What has come for one node since its stream began."""

    text: str = ""
    tokens: list[Pair] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Stream:
    """One stream of this studio's; its id is known with its first words."""

    tree: str
    id: str = ""
    words: dict[str, Words] = field(default_factory=dict)
    pieces: int = 0


class Growth:
    """All streams of a studio, and how each tree looks now."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees
        self._going: dict[asyncio.Task[None], Stream] = {}
        self._scenes: dict[str, Scene] = {}

    async def begin(self, tree: str, pieces: AsyncGenerator[Grown]) -> str:
        """Set a stream going, and give its id when its first words are there.

        Raises what the model raises before them: an asker hears at once why there is no reply.
        """
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stream = Stream(tree)
        task = asyncio.create_task(self._follow(stream, pieces, first))
        self._going[task] = stream
        task.add_done_callback(self._going.pop)
        return await first

    async def stop(self, tree: str, streams: set[str]) -> None:
        """Stop streams, our own with every word that has come; those of other processes through the file."""
        own = {task: stream.id for task, stream in self._going.items() if stream.id in streams}
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
        others = streams - set(own.values())

        def through_the_file() -> None:
            with self.trees.changing(tree) as found:
                for stream in others:
                    found.cancel(stream)

        if others:
            await asyncio.to_thread(through_the_file)

    async def scene(self, tree: str) -> Scene:
        """The tree as it looks now: its file, and over it the words that have come since it was saved."""
        scene = self._scenes.setdefault(tree, Scene())
        async with scene.lock:
            stamp = self._stamp(tree, scene)
            if stamp is None or stamp != scene.stamp:
                # Reading says in a sentence why a tree that has gone cannot be read.
                scene.take(await asyncio.to_thread(self.trees.read, tree))
                scene.stamp = stamp
            streams = [stream for stream in self._going.values() if stream.tree == tree]
            scene.show({stream.id: stream.words for stream in streams}, sum(stream.pieces for stream in streams))
        return scene

    def _stamp(self, tree: str, scene: Scene) -> tuple[int, ...] | None:
        """What tells one state of the file from another; None where there is no file."""
        try:
            found = (self.trees.folder / f"{tree}.json").stat()
        except OSError:
            return None
        # A process that dies while it writes changes nothing: only reading again shows that it is no more.
        again = int(time.monotonic()) if scene.is_written else 0
        return found.st_ino, found.st_mtime_ns, found.st_size, again

    async def close(self) -> None:
        """Stop all streams; what has come stands in the files."""
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)

    async def _follow(self, stream: Stream, pieces: AsyncGenerator[Grown], first: asyncio.Future[str]) -> None:
        try:
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    stream.id = piece.stream
                    words = stream.words.setdefault(piece.node, Words())
                    words.text += piece.text
                    words.tokens += pairs(piece.tokens)
                    stream.pieces += 1
                    if not first.done():
                        first.set_result(stream.id)
        except Exception as error:
            # Later than that the node itself tells what went wrong.
            if not first.done():
                first.set_exception(error)
        finally:
            if not first.done():
                first.set_exception(UserError("The replies were stopped before their first words."))
