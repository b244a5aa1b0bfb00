"""A small OpenAI-compatible server that answers as it is told to, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any]


class Fault(Exception):
    """What to send instead of an answer."""

    def __init__(self, status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None, cut: int = 0):
        super().__init__(status)
        self.status, self.body, self.headers, self.cut = status, body, headers or {}, cut


def reply(texts: list[str], tokens_in: int = 10, finish: str = "stop") -> Answer:
    """A whole chat completion; one token per word."""
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        for i, text in enumerate(texts)
    ]
    out = sum(len(text.split()) for text in texts)
    return {"model": "fake", "choices": choices, "usage": {"prompt_tokens": tokens_in, "completion_tokens": out}}


class Endpoint:
    """`say(body)` gives the answer to a request, or raises a `Fault`. Use as a context manager."""

    def __init__(
        self, say: Callable[[Answer], Answer], *, models: tuple[str, ...] = ("fake",), key: str = ""
    ) -> None:
        self.requests: list[Answer] = []
        self.say = say
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _send(self, status: int, body: bytes, headers: dict[str, str], cut: int = 0) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) - cut] if cut else body)
                if cut:
                    self.close_connection = True

            def do_GET(self) -> None:
                if key and self.headers.get("Authorization") != f"Bearer {key}":
                    self._send(401, b'{"error": {"message": "no key"}}', {})
                    return
                self._send(200, json.dumps({"data": [{"id": name} for name in models]}).encode(), {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append(body | {"path": self.path})
                try:
                    answer = endpoint.say(body | {"path": self.path})
                    self._send(200, json.dumps(answer).encode(), {})
                except Fault as fault:
                    self._send(fault.status, fault.body, fault.headers, fault.cut)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Endpoint:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def sleeping(seconds: float) -> None:
    """A server that has fallen asleep."""
    time.sleep(seconds)
