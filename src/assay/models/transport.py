"""HTTP as the backends need it: JSON in, JSON out, faults sorted into 'try again' and 'do not'."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import httpx2

from assay.core.errors import BadReply, BadRequest, EndpointDown, ModelError, UserError

CONNECT_SECONDS = 2.0
CLOSING_SECONDS = 0.5
"""News that a kept connection was closed take no longer to come."""


class Transport:
    """One address. Connections are kept per event loop, so that a model outlives `asyncio.run`.

    `pid` is the server's process, where it runs on this machine and is known.
    """

    def __init__(self, address: str, *, key: str = "", seconds: float = 120.0, pid: int = 0) -> None:
        self.address = address.rstrip("/")
        self.outstanding = 0
        self.pid = pid
        self._seconds = seconds
        self._headers = {"Authorization": f"Bearer {_sound(key)}"} if key else {}
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx2.AsyncClient(
                timeout=httpx2.Timeout(self._seconds, connect=CONNECT_SECONDS, pool=None),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
                headers=self._headers,
            )
        return self._clients[loop]

    async def get(self, path: str) -> httpx2.Response:
        """The response to a GET, whatever its status."""
        return await self._send("GET", path, None)

    async def post(self, path: str, body: dict[str, Any], *, seconds: float | None = None) -> Any:
        """The JSON that came back; `EndpointDown` is worth another try, other errors are not."""
        self.outstanding += 1
        try:
            response = await self._send("POST", path, _written(body), seconds)
        finally:
            self.outstanding -= 1
        if response.status_code != 200:
            raise self._refusal(response)
        try:
            return response.json()
        except (ValueError, RecursionError):
            text = response.text[:80].replace("\n", " ")
            raise EndpointDown(f"{self.address} answered with something that is not JSON: {text!r}.") from None

    async def _send(
        self, method: str, path: str, content: bytes | None, seconds: float | None = None
    ) -> httpx2.Response:
        async with self._begun(method, path, content, seconds=seconds) as response:
            await response.aread()
            return response

    async def events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The JSON of every server-sent event; closing it closes the connection, and so stops the server."""
        self.outstanding += 1
        try:
            async with self._begun("POST", path, _written(body)) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise self._refusal(response)
                async for line in response.aiter_lines():
                    kind, _, data = line.partition(":")
                    if kind == "data" and data.strip() != "[DONE]":
                        yield self._event(data)
        finally:
            self.outstanding -= 1

    @contextlib.asynccontextmanager
    async def opened(self, path: str, content: bytes) -> AsyncGenerator[httpx2.Response]:
        """The response as it begins to come in, whatever its status; leaving closes the connection."""
        self.outstanding += 1
        try:
            async with self._begun("POST", path, content, headers={"Accept-Encoding": "identity"}) as response:
                yield response
        finally:
            self.outstanding -= 1

    @contextlib.asynccontextmanager
    async def _begun(
        self,
        method: str,
        path: str,
        content: bytes | None,
        *,
        headers: dict[str, str] | None = None,
        seconds: float | None = None,
    ) -> AsyncGenerator[httpx2.Response]:
        with self._sorted_faults(seconds):
            request = self._client().build_request(
                method,
                self.address + path,
                content=content,
                headers={"Content-Type": "application/json"} | (headers or {}),
                timeout=httpx2.Timeout(seconds or self._seconds, connect=CONNECT_SECONDS, pool=None),
            )
            response = await self._answered(request)
            try:
                yield response
            finally:
                await response.aclose()

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        """The head of the response.

        A connection that was kept open may be one that the server closes at this moment, with nothing read. Where
        it breaks at once the request is sent again, over another one. A server that breaks off later, or on a new
        connection, has the request already, and may have died of it.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        is_new = False

        async def note(event: str, _: dict[str, Any]) -> None:
            nonlocal is_new
            is_new = is_new or event == "connection.connect_tcp.started"

        request.extensions["trace"] = note
        try:
            return await self._client().send(request, stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            if is_new or loop.time() - begun > CLOSING_SECONDS:
                raise
        return await self._client().send(request, stream=True)

    def _event(self, data: str) -> dict[str, Any]:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise EndpointDown(f"{self.address} streamed something that is not JSON: {data[:80]!r}.")
        if event.get("error"):
            raise EndpointDown(f"{self.address} broke off: {_words_of(event)}")
        return event

    @contextlib.contextmanager
    def _sorted_faults(self, seconds: float | None = None) -> Iterator[None]:
        """Faults of the connection as errors of ours."""
        try:
            yield
        except httpx2.ConnectError:
            raise EndpointDown(
                f"Nothing answers at {self.address}.", hint="Check the address and that the server runs."
            ) from None
        except httpx2.TimeoutException:
            raise EndpointDown(f"{self.address} did not answer within {seconds or self._seconds:g} s.") from None
        except httpx2.InvalidURL as error:
            raise BadRequest(f"'{self.address}' is not an address: {error}.") from None
        except httpx2.HTTPError as error:
            raise EndpointDown(f"{self.address} broke off: {type(error).__name__} {error}.") from None

    def _refusal(self, response: httpx2.Response) -> ModelError:
        status = response.status_code
        said = _said(response)
        if status in (408, 409, 425, 429) or status >= 500:
            wait = _retry_after(response.headers.get("Retry-After", ""))
            return EndpointDown(f"{self.address} answered {status}: {said}", retry_after=wait)
        if status in (401, 403):
            return ModelError(f"{self.address} refused the key ({status}): {said}", hint="Set OPENAI_API_KEY.")
        return BadReply(f"{self.address} refused the request ({status}): {said}")

    async def close(self) -> None:
        """Close this event loop's connections; another loop may still use the transport."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


def _sound(key: str) -> str:
    """A key that an HTTP header can carry; it is never repeated in a message."""
    key = key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UserError("The key holds a character that no key has.", hint="Set OPENAI_API_KEY again.")
    return key


def _written(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _said(response: httpx2.Response) -> str:
    """The server's own words, in one line."""
    try:
        return _words_of(response.json())
    except (ValueError, RecursionError):
        return _words_of(response.text)


def _words_of(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    text = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(text).split())[:200]


def _retry_after(value: str) -> float | None:
    """Seconds to wait from a Retry-After header: a number or a date; at most ten minutes."""
    try:
        wait = float(value)
    except ValueError:
        try:
            wait = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    return min(max(wait, 0.0), 600.0)
