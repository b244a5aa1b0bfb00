"""A proxy on a free port, in a thread of its own, and servers behind it that misbehave as they are told."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from assay.core.home import Home
from assay.models import ModelChoice
from assay.models.transport import Transport
from assay.serve.app import Limits, create
from assay.serve.listening import Place, server_of
from assay.serve.upstreams import Upstreams
from assay.workbench.pool import Pool

KEY = "a-key-of-sixteen-letters"
HELLO = {"model": "fake", "messages": [{"role": "user", "content": "Hello"}]}


class Upstream:
    """A server whose `act(handler, body)` does as it likes with a request; `port` to come back where it was."""

    def __init__(
        self, act: Callable[[Any, dict[str, Any]], None], port: int = 0, models: tuple[str, ...] = ("fake",)
    ):
        self.requests: list[dict[str, Any]] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    send(self, {"data": [{"id": name} for name in models]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                upstream.requests.append(body | {"path": self.path})
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    act(self, body)

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Upstream:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def send(handler: Any, fields: dict[str, Any], status: int = 200) -> None:
    """A whole answer."""
    body = json.dumps(fields).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def begin_events(handler: Any) -> None:
    """The head of a stream."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()


def event(handler: Any, text: str) -> None:
    """One piece of a reply."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    fields = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}
    handler.wfile.write(b"data: " + json.dumps(fields).encode() + b"\n\n")
    handler.wfile.flush()


def says(text: str) -> Callable[[Any, dict[str, Any]], None]:
    """An upstream that always says this, word by word where a stream is wanted."""

    def act(handler: Any, body: dict[str, Any]) -> None:
        if body.get("stream"):
            begin_events(handler)
            for word in text.split():
                event(handler, word)
            handler.wfile.write(b"data: [DONE]\n\n")
            return
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
        head = {"id": "x", "object": "chat.completion", "created": 1, "model": "fake"}
        send(handler, head | {"choices": choices, "usage": usage})

    return act


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that answers."""

    address: str
    pool: Pool

    def client(self, **more: Any) -> httpx2.Client:
        """A client with the key."""
        return httpx2.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {KEY}"}, timeout=180, **more
        )

    def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """One request."""
        with self.client() as client:
            return client.post(path, json=body)


@contextlib.contextmanager
def running(
    root: Path,
    *addresses: str,
    limits: Limits | None = None,
    model: str = "",
    encoder: str = "",
    slots: int = 8,
    seconds: float = 30.0,
) -> Iterator[Running]:
    """A proxy in front of these addresses, or of the embedded model where there are none."""
    home = Home(root, root / "cache").make()
    place = Place.at("127.0.0.1", 0, KEY, root / "key")
    pool = Pool(home, ModelChoice(model, addresses, slots=slots, seconds=seconds, encoder=encoder))
    upstreams = Upstreams([Transport(address, seconds=seconds) for address in addresses])
    application = create(pool, upstreams, place.rules(), limits or Limits())
    server = server_of(application)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place.listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server has started"
        time.sleep(0.01)
    try:
        yield Running(f"{place.address}/v1", pool)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server has ended"
