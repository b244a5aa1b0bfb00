"""A request handed on to a server, and its answer handed back as bytes.

Reading and sending go on side by side. What has come in waits here, so that a client that reads a byte now and
then holds some memory and not the server's slot; and what several reads brought goes out in one write.
Whole lines only are passed on: where the server dies inside an event, no half of it has been sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Protocol
from urllib.parse import urlsplit

import httpx2

from assay.core.errors import AssayError, EndpointDown
from assay.models.llamacpp import LlamaCpp
from assay.models.transport import Transport
from assay.serve.gate import Gate
from assay.serve.problems import Problem
from assay.serve.upstreams import SUSPECT_SECONDS, Upstreams
from assay.serve.watched import Watched

MOST_WAITING = 2_000_000
"""Bytes of one answer that wait for its client; a whole context of the embedded model is half a megabyte."""
LARGEST_ANSWER = 64_000_000
"""Bytes of an answer in one piece: 2,000 vectors of 1,536 numbers each, which are written with some 20 letters."""
LARGEST_EVENT = 8_000_000
"""Bytes of one line of a stream."""
ELSEWHERE = (429, 500, 502, 503, 504)
"""Statuses after which another server is asked, where there is one."""


class Route(Protocol):
    """Where a request may go."""

    @property
    def path(self) -> str:
        """In front of the path of OpenAI's interface."""
        ...

    async def begin(self) -> None:
        """Called once, before a request is handed to any."""
        ...

    def next(self, tried: set[Transport]) -> Transport | None:
        """The server to ask now; None where all are down or were tried."""
        ...

    async def failed(self, transport: Transport) -> None:
        """This one did not answer."""
        ...

    def mended(self, data: bytes) -> bytes:
        """A whole answer, or whole lines of a stream, as the client is to have it."""
        ...


class EndpointRoute:
    """The least busy of the living addresses that serve a model."""

    path = ""

    def __init__(self, upstreams: Upstreams, model: str) -> None:
        self._addresses = upstreams.of(model)

    async def begin(self) -> None:
        """Somebody looks at them all the time."""

    def next(self, tried: set[Transport]) -> Transport | None:
        """The living one with the fewest outstanding requests; one that left a request unanswered, last."""
        living = [one for one in self._addresses if one.alive and one.transport not in tried]
        found = min(living, key=lambda one: (one.is_suspect, one.transport.outstanding), default=None)
        return None if found is None else found.transport

    async def failed(self, transport: Transport) -> None:
        """Look at it at once: if it is down, it is left out. One that hangs may list its models all the same."""
        for address in self._addresses:
            if address.transport is transport:
                address.suspect_until = time.monotonic() + SUSPECT_SECONDS
                await address.look()

    def mended(self, data: bytes) -> bytes:
        """As the server sent it."""
        return data


class EngineRoute:
    """The embedded engine. One that was dead before is started anew; a request under which it dies may be what it
    died of, and is not put to the next."""

    path = "/v1"

    def __init__(
        self, model: LlamaCpp, name: str, alias: str, *, begun: str = "", alternatives: int | None = None
    ) -> None:
        """`begun` are the words the reply goes on from, `alternatives` how many of a token go to the client; None:
        as many as come."""
        self._model = model
        self._rename = (f'"model":"{alias}"'.encode(), f'"model":"{name}"'.encode())
        self._begun, self._alternatives = begun, alternatives

    async def begin(self) -> None:
        """See that something listens there: after a request has failed nobody can tell whether it ever did."""
        place = urlsplit(self._model.transport.address)
        try:
            _, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.close()
        except OSError:
            await self.failed(self._model.transport)

    def next(self, tried: set[Transport]) -> Transport | None:
        """The engine that runs now, once."""
        return None if tried else self._model.transport

    async def failed(self, transport: Transport) -> None:
        """Asked for anything at all, the model looks whether its engine lives and starts another."""
        with contextlib.suppress(AssayError):
            await self._model.look()

    def mended(self, data: bytes) -> bytes:
        """With the name that was asked for, and in OpenAI's shape."""
        # Inside a text the quotes are escaped, so that only the field itself can match.
        data = data.replace(*self._rename)
        if not self._begun and self._alternatives is None:
            return data
        return b"\n".join(self._shaped(line) for line in data.split(b"\n"))

    def _shaped(self, line: bytes) -> bytes:
        """A line without what the engine alone sends: the words it went on from, and alternatives nobody wants."""
        head, brace, rest = line.partition(b"{")
        try:
            answer = json.loads(brace + rest)
        except ValueError:
            return line
        for choice in answer.get("choices", ()):
            for token in (choice.get("logprobs") or {}).get("content") or ():
                token["top_logprobs"] = token["top_logprobs"][: self._alternatives]
            # A stream does not repeat them.
            if message := choice.get("message"):
                message["content"] = message["content"] and message["content"].removeprefix(self._begun)
        return head + json.dumps(answer, ensure_ascii=False).encode()


class Relayed(Watched):
    """The answer of whichever server the route gives."""

    def __init__(self, route: Route, path: str, body: bytes, gate: Gate) -> None:
        super().__init__()
        self._route = route
        self._path = route.path + path
        self._body = body
        self._gate = gate
        self._head: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._waiting: list[bytes] = []
        self._size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def answer(self) -> None:
        """Send on what comes in."""
        reading = asyncio.ensure_future(self._read_all())
        try:
            await asyncio.wait((reading, self._head), return_when=asyncio.FIRST_COMPLETED)
            if not self._head.done():
                reading.result()
            status, kind = self._head.result()
            await self.begin(status, {"content-type": kind, "cache-control": "no-cache"})
            while self._waiting or not reading.done():
                if not self._waiting:
                    await self._news.wait()
                self._news.clear()
                await self._send_waiting()
            reading.result()
            await self.end()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _send_waiting(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._room.set()
        if data:
            await self.piece(data)

    async def _read_all(self) -> None:
        try:
            async with self._gate.enter():
                await self._ask()
        finally:
            self._news.set()

    async def _ask(self) -> None:
        """One server after another, each once, until one has given an answer that may be passed on."""
        said = ""
        tried: set[Transport] = set()
        await self._route.begin()
        while (transport := self._route.next(tried)) is not None:
            tried.add(transport)
            try:
                if await self._read(transport, is_last=self._route.next(tried) is None):
                    return
            except EndpointDown as error:
                if self._head.done():
                    raise
                said = str(error)
                await self._route.failed(transport)
        raise Problem(503, f"No server of this model answers now. {said}".strip())

    async def _read(self, transport: Transport, *, is_last: bool) -> bool:
        """Take this server's answer in; False where another should be asked."""
        async with transport.opened(self._path, self._body) as response:
            if response.status_code in ELSEWHERE and not is_last:
                return False
            if response.status_code in (401, 403):
                # Passed on, it would look to the client as if its own key were wrong.
                raise Problem(502, f"{transport.address} refused the proxy's own key.")
            kind = response.headers.get("content-type", "application/json")
            if kind.startswith("text/event-stream"):
                self._head.set_result((response.status_code, kind))
                await self._copy(response)
            else:
                # Whole before the first byte goes out, so that a break is an error and not half an object.
                self._waiting.append(self._route.mended(await _whole(response)))
                self._head.set_result((response.status_code, kind))
        return True

    async def _copy(self, response: httpx2.Response) -> None:
        rest = b""
        async for data in response.aiter_raw():
            lines, line_break, rest = (rest + data).rpartition(b"\n")
            if len(rest) > LARGEST_EVENT:
                raise Problem(502, f"The server sent an event of more than {LARGEST_EVENT:,} bytes.")
            if line_break:
                await self._put(lines + line_break)
        if rest:
            await self._put(rest)

    async def _put(self, data: bytes) -> None:
        data = self._route.mended(data)
        self._waiting.append(data)
        self._size += len(data)
        self._news.set()
        if self._size > MOST_WAITING:
            self._room.clear()
            await self._room.wait()


async def _whole(response: httpx2.Response) -> bytes:
    found = bytearray()
    async for data in response.aiter_bytes():
        found += data
        if len(found) > LARGEST_ANSWER:
            raise Problem(502, f"The server sent an answer of more than {LARGEST_ANSWER:,} bytes.")
    return bytes(found)
