"""Who may speak to a server of ours: an ASGI layer that refuses before anything is read.

A page of any web site can send requests to 127.0.0.1, and with DNS rebinding read the answers. So the Host
must be one of ours, an Origin, where there is one, too, and a key is wanted on top. A body is counted while
it comes in, whatever its header says, and one that comes in drop by drop is not waited for.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from assay.core import UserError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LARGEST_BODY = 8_000_000
"""Bytes."""
BODY_SECONDS = 30.0
"""For a body to come in, and a second more for every `SLOWEST` bytes of it."""
SLOWEST = 10_000
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With "no-referrer" a browser sends our own forms with the Origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""On every answer: no script but our own files, nothing fetched from elsewhere, no frame around us."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a guard lets through."""

    key: str
    hosts: frozenset[str]
    """Values of the Host header, in lower case, with their port."""
    origins: frozenset[str] = frozenset()
    """Further web origins that may call, such as https://chat.example; those of `hosts` always may."""
    largest_body: int = LARGEST_BODY
    largest_upload: int = 64_000_000
    """Bytes, for the paths in `uploads`."""
    uploads: tuple[str, ...] = ()
    """Beginnings of the paths a file may be sent to."""
    pages: bool = False
    """A browser may bring a cookie in the key's place; `?key=` in an address puts it there."""
    port: int = 0
    """Cookies are shared by all ports of a host: each server's has the port in its name."""

    @property
    def cookie(self) -> tuple[str, str]:
        """Name and value. Whoever reads the value cannot make the key of it, nor use it in the key's place."""
        name = f"assay-{self.port}"
        return name, hmac.new(self.key.encode(), name.encode(), "sha256").hexdigest()


def rules_for(host: str, port: int, key: str, *, names: Iterable[str] = (), **more: Any) -> Rules:
    """Rules of a server that listens there: on loopback its names, elsewhere the host and the further names."""
    own = LOOPBACK if host in (*LOOPBACK, "::1") else (host, *names)
    own = tuple(f"[{name}]" if ":" in name and not name.startswith("[") else name for name in own)
    hosts = {f"{name}:{port}".lower() for name in own}
    # A client leaves the port out where it is the scheme's own.
    bare = {name.lower() for name in own} if port in (80, 443) else set()
    return Rules(key, frozenset(hosts | bare), port=port, **more)


def key_in(file: Path) -> str:
    """The key kept in a file that only this user can read; made on first use."""
    import os

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = file.read_text().strip()
        if len(key) < 16:
            raise UserError(
                f"The key in {file} is too short.", hint="Delete the file; a new one is made."
            ) from None
        return key
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}.", hint="Give --key.") from None
    with os.fdopen(descriptor, "w") as handle:
        handle.write(key := secrets.token_urlsafe(24))
    return key


class Refused(Exception):
    """A request that is not let through."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Guard:
    """Stands before an ASGI application; see the head of this file."""

    def __init__(self, application: Application, rules: Rules) -> None:
        self._application = application
        self._rules = rules

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = _with_headers(send, HEADERS)
        try:
            headers = _headers(scope)
            self._check_origin(headers)
            if (origin := headers.get("origin", "")) in self._rules.origins:
                guarded = _with_headers(send, HEADERS | _shared_with(origin, headers))
                if scope["method"] == "OPTIONS":
                    # The question a browser asks first; it never carries the key.
                    await _empty(guarded, 204, [])
                    return
            if await self._admit(scope, headers, guarded):
                return
            counted = self._counted(scope, headers, receive)
        except Refused as refused:
            await _refuse(guarded, refused)
            return
        await self._answered(scope, counted, guarded)

    async def _answered(self, scope: Message, receive: Receive, send: Send) -> None:
        """The application's answer, or a refusal where the body turned out too large before it began.

        Frameworks take an error of `receive` for one of theirs, so it is kept here and answered in their place.
        """
        refusal: Refused | None = None
        begun = False

        async def receiving() -> Message:
            nonlocal refusal
            try:
                return await receive()
            except Refused as refused:
                refusal = refused
                raise

        async def sending(message: Message) -> None:
            nonlocal begun
            if refusal is None or begun:
                begun = True
                await send(message)

        try:
            await self._application(scope, receiving, sending)
        except Refused as refused:
            refusal = refused
        if refusal is not None and not begun:
            await _refuse(send, refusal)

    def _check_origin(self, headers: dict[str, str]) -> None:
        host = headers.get("host", "").lower()
        if host not in self._rules.hosts:
            raise Refused(421, "This server does not answer to that Host.")
        origin = headers.get("origin")
        if origin is not None and origin not in self._rules.origins:
            try:
                parts = urlsplit(origin)
            except ValueError:
                raise Refused(403, "This server does not answer pages of other origins.") from None
            if parts.scheme not in ("http", "https") or parts.netloc.lower() not in self._rules.hosts:
                raise Refused(403, "This server does not answer pages of other origins.")
        if headers.get("sec-fetch-site") == "cross-site" and origin is None and "cookie" in headers:
            raise Refused(403, "This server does not answer pages of other origins.")

    async def _admit(self, scope: Message, headers: dict[str, str], send: Send) -> bool:
        """Checks the key; True where the answer has been given: a browser sent on with its key in a cookie."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._fits(given):
            return False
        if self._rules.pages:
            # By hand: one odd pair of another server of this machine would make a parser drop them all.
            name, value = self._rules.cookie
            pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
            cookies = [given for called, _, given in pairs if called == name]
            query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
            brought = next((value for name, value in query if name == "key"), "")
            if scope["method"] == "GET" and self._fits(brought):
                rest = urlencode([pair for pair in query if pair[0] != "key"])
                await _redirect(send, scope["path"], rest, f"{name}={value}")
                return True
            if any(_same(cookie, value) for cookie in cookies):
                return False
        raise Refused(401, "The key is missing or wrong. The server printed it when it started.")

    def _fits(self, given: str) -> bool:
        return _same(given.strip(), self._rules.key)

    def _counted(self, scope: Message, headers: dict[str, str], receive: Receive) -> Receive:
        """`receive` that refuses a body as soon as it is larger than allowed."""
        upload = any(scope["path"].startswith(path) for path in self._rules.uploads)
        largest = self._rules.largest_upload if upload else self._rules.largest_body
        said = headers.get("content-length", "0")
        if not said.isdigit() or int(said) > largest:
            raise Refused(413, f"A body may have {largest:,} bytes.")
        size, ended, started = 0, False, time.monotonic()

        async def counted() -> Message:
            nonlocal size, ended
            if ended:
                return await receive()
            left = started + BODY_SECONDS + size / SLOWEST - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, left))
            except TimeoutError:
                raise Refused(408, "The body did not come.") from None
            size += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if size > largest:
                raise Refused(413, f"A body may have {largest:,} bytes.")
            return message

        return counted


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _headers(scope: Message) -> dict[str, str]:
    """Headers by name. Where one that is looked at here is there twice, nobody knows which one counts."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in found and key in ("host", "origin", "authorization", "content-length"):
            raise Refused(400, f"The header {key} is there twice.")
        text = value.decode("latin-1")
        found[key] = f"{found[key]}; {text}" if key == "cookie" and key in found else text
    return found


def _shared_with(origin: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What lets the pages of an allowed origin ask, with the headers their client puts in, and read the answer."""
    asked = headers.get("access-control-request-headers", "authorization, content-type")
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": asked,
        "access-control-expose-headers": "x-assay-trace, retry-after",
        "access-control-max-age": "600",
        "vary": "origin",
    }


def _with_headers(send: Send, wanted: Mapping[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            added = [(n.encode(), v.encode()) for n, v in wanted.items() if n.encode() not in present]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sending


async def _refuse(send: Send, refused: Refused) -> None:
    """As OpenAI's clients read an error. The connection is closed: what is left of the body is not read."""
    body = json.dumps({"error": {"message": refused.sentence, "type": "refused", "code": refused.status}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Send, path: str, query: str, cookie: str) -> None:
    # One leading slash: two would be another host. Quoted: the path comes decoded, line breaks and all.
    place = "/" + quote(path.lstrip("/\\")) + (f"?{query}" if query else "")
    kept = f"{cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
    headers = [(b"location", place.encode()), (b"set-cookie", kept.encode()), (b"cache-control", b"no-store")]
    await _empty(send, 303, [*headers, (b"content-length", b"0")])


async def _empty(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
