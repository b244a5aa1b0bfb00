"""Where a server of ours listens, with which key, and until when."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import UserError
from assay.serve.guard import LOOPBACK, Application, Rules, key_in, rules_for

if TYPE_CHECKING:
    import uvicorn

DRAIN_SECONDS = 4
"""After SIGTERM or Ctrl-C: how long answers under way may take."""
SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class Place:
    """An open socket with the key that its server wants."""

    listener: socket.socket
    host: str
    port: int
    key: str

    @classmethod
    def at(cls, host: str, port: int, key: str, kept: Path) -> Place:
        """Listen there. On loopback a key that is not given is made and kept in that file.

        Raises:
            UserError: off loopback without a key, a key too short to be one, or the port is taken.
        """
        if not _is_loopback(host) and not key:
            raise UserError(
                f"Whoever reaches {host} could use this server.",
                hint="Give --key (or ASSAY_KEY) with at least 16 characters, or listen on 127.0.0.1.",
            )
        if key and len(key) < SHORTEST_KEY:
            raise UserError(f"A key of {len(key)} characters can be guessed.", hint="Give at least 16.")
        if not key.isascii() or any(sign.isspace() or sign in '";,\\' for sign in key):
            raise UserError("A key has letters, digits and signs without spaces, quotes, commas and semicolons.")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # With its protocol named, for asyncio lets small answers go at once on such sockets only.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), port))
            # From here on whoever connects waits until the server is ready, and is not refused.
            listener.listen(2048)
        except OSError as error:
            listener.close()
            raise UserError(
                f"Nothing can listen at {host}:{port}: {error.strerror}.", hint="Give another --port."
            ) from None
        return cls(listener, host, listener.getsockname()[1], key or key_in(kept))

    @property
    def address(self) -> str:
        """As a client types it."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def rules(self, **more: Any) -> Rules:
        """Whom a guard lets through here."""
        return rules_for(self.host, self.port, self.key, **more)


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host in LOOPBACK


def listen(application: Application, place: Place, *, opens: str = "") -> None:
    """Serve until SIGTERM or Ctrl-C; a browser is sent to `opens` when it answers."""
    import threading
    import webbrowser

    if opens:
        threading.Timer(0.7, webbrowser.open, [opens]).start()
    server_of(application).run(sockets=[place.listener])


def server_of(application: Application) -> uvicorn.Server:
    """The server before the guard: nobody who sends no request keeps out those who do."""
    import uvicorn

    from assay.serve.connections import HEAD_SECONDS, MOST_CONNECTIONS, Connection

    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=Connection,
            log_level="warning",
            access_log=False,
            server_header=False,
            # Accepted at once are so many at most: a process has only so many open files.
            backlog=128,
            limit_concurrency=MOST_CONNECTIONS + 1,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=HEAD_SECONDS,
        )
    )
