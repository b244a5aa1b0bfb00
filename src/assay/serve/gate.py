"""How many requests are in work and how many may wait; more are sent away, to come again later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from assay.serve.problems import Problem


class Gate:
    """`room` requests in work, `waiting` behind them."""

    def __init__(self, room: int, waiting: int) -> None:
        self._room = asyncio.Semaphore(room)
        self._most = room + waiting
        self._inside = 0

    def check(self) -> None:
        """Raise the refusal where there is no place left to wait in."""
        if self._inside >= self._most:
            raise Problem(429, "Too many requests are waiting here. Come again later.", "overloaded")

    @contextlib.asynccontextmanager
    async def enter(self) -> AsyncGenerator[None]:
        """Wait for one's turn, first come first served; the place is given back at the end."""
        self.check()
        self._inside += 1
        try:
            async with self._room:
                yield
        finally:
            self._inside -= 1
