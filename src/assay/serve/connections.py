"""Connections on which no request comes: each has a time, and the oldest of them makes room for a new one.

uvicorn counts the time between two requests only, and any byte stops its clock. Its bound on connections counts
the silent ones too, so that by itself it would keep out whoever comes after a thousand of them.
"""

from __future__ import annotations

import asyncio
import math

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 30
"""From the beginning of a connection, or its last answer, to the end of the next request's head."""
MOST_CONNECTIONS = 700
"""Below the 1,024 open files that a process usually may have: it needs some for models and the database."""


class Connection(H11Protocol):
    """One client's connection; `cycle` is its last request with the answer."""

    _due: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in; where there are too many, the one that has been silent for longest goes.

        Where all others are at work, uvicorn answers this one 503.
        """
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS:
            others = (one for one in self.connections if isinstance(one, Connection) and one is not self)
            if silent := [one for one in others if one.is_silent]:
                min(silent, key=lambda one: one._due.when()).transport.close()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was asked since its beginning or its last answer."""
        return not self.transport.is_closing() and not self._is_at_work

    @property
    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        """The next request has as long as the first."""
        super().on_response_complete()
        self._due.cancel()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._due.cancel()
        super().connection_lost(exc)

    def _wait(self, unsent: float = math.inf) -> None:
        self._due = self.loop.call_later(HEAD_SECONDS, self._nothing_came, unsent)

    def _nothing_came(self, before: float) -> None:
        """Let go of it; a close waits for ever for a client that takes nothing of what is unsent."""
        unsent = self.transport.get_write_buffer_size()
        if not self.transport.is_closing() and self._is_at_work:
            self._wait()
        elif not unsent:
            self.transport.close()
        elif unsent < before:
            self._wait(unsent)
        else:
            self.transport.abort()
