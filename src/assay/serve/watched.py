"""A response that stops working when its client has gone, and lets go of one that takes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Response

from assay.core import AssayError
from assay.serve.guard import Message, Receive, Send
from assay.serve.problems import Problem, problem_of

STALLED_SECONDS = 120.0
"""A client that takes nothing for so long is let go."""


class Watched(Response):
    """`answer` sends the response; it is cancelled when the client goes.

    What is sent goes to the server as it is: between two tokens of a stream there is no framework.
    """

    def __init__(self) -> None:
        super().__init__()
        self._send: Send
        self._begun = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, unless the client goes first."""
        self._send = send
        work = asyncio.ensure_future(self._answered())
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        except asyncio.CancelledError:
            await _stopped(work, gone)
            if self._begun:
                # The server ends. Where this was a stream, its client is told so.
                await self.piece(Problem(503, "The server is stopping.").event())
            raise
        finally:
            await _stopped(work, gone)

    async def _answered(self) -> None:
        try:
            await self.answer()
        except (Problem, AssayError) as error:
            problem = problem_of(error) if isinstance(error, AssayError) else error
            if self._begun:
                await self.piece(problem.event())
                await self.end()
            else:
                response = problem.response(self.named())
                await self.begin(response.status_code, dict(response.headers))
                await self.end(bytes(response.body))
        except TimeoutError:
            # It took nothing for too long: without an end the server closes the connection.
            return

    async def answer(self) -> None:
        """Send the response by `begin`, `piece` and `end`; errors of ours may be raised at any time."""
        raise NotImplementedError

    def named(self) -> dict[str, str]:
        """Headers that an error carries too."""
        return {}

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the response."""
        self._begun = True
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def begin_events(self) -> None:
        """The head of a stream of events."""
        await self.begin(200, self.named() | {"content-type": "text/event-stream", "cache-control": "no-cache"})

    async def piece(self, data: bytes) -> None:
        """Some of the body; waits while the client takes nothing."""
        async with asyncio.timeout(STALLED_SECONDS):
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def event(self, fields: Mapping[str, Any]) -> None:
        """One event of a stream."""
        await self.piece(b"data: " + json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n\n")

    async def end(self, data: bytes = b"") -> None:
        """The rest of the body."""
        async with asyncio.timeout(STALLED_SECONDS):
            await self._send({"type": "http.response.body", "body": data})

    async def whole(self, fields: Mapping[str, Any]) -> None:
        """A response of one JSON object."""
        body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        await self.begin(200, self.named() | headers)
        await self.end(body)


async def _stopped(*tasks: asyncio.Future[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
