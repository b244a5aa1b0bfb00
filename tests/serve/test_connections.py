"""Connections on which nothing is asked, or a byte now and then: they end, and keep nobody out."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.serve import connections, watched
from tests.serve.running import HELLO, KEY, Running, Upstream, running, says


@pytest.fixture
def connected() -> Iterator[Any]:
    """Opens connections to a proxy, all closed at the end."""
    with contextlib.ExitStack() as stack:

        def connect(proxy: Running) -> socket.socket:
            place = proxy.address.removeprefix("http://").partition("/")[0]
            host, _, port = place.partition(":")
            client = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            client.settimeout(10)
            return client

        yield connect


def head(proxy: Running, path: str = "/v1/models") -> bytes:
    host = proxy.address.removeprefix("http://").partition("/")[0]
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()


def is_closed(client: socket.socket) -> bool:
    """Whether the server ends it, within the socket's patience."""
    try:
        while client.recv(65536):
            pass
        return True
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_who_asks_nothing_or_drop_by_drop_is_let_go(
    tmp_path: Path, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1)
    with Upstream(says("x")) as upstream, running(tmp_path, upstream.address) as proxy:
        silent, dropping = connected(proxy), connected(proxy)
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < 8:
                dropping.send(b"G")
                time.sleep(0.1)
        assert time.monotonic() - began < 4
        assert is_closed(silent)


def test_a_second_request_has_its_time_too_and_a_long_answer_is_none_of_it(
    tmp_path: Path, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.5)

    def slowly(handler: Any, body: dict[str, Any]) -> None:
        time.sleep(2.5)
        says("at last")(handler, body)

    with Upstream(slowly) as upstream, running(tmp_path, upstream.address) as proxy:
        assert "at last" in proxy.post("/chat/completions", HELLO).text
        kept = connected(proxy)
        for _ in range(3):
            kept.sendall(head(proxy))
            answer = b""
            while not answer.endswith(b"}]}"):
                answer += kept.recv(65536)
            time.sleep(0.7)
        # The beginning of another does not stop the clock.
        kept.sendall(b"GET")
        assert is_closed(kept)


def test_the_silent_make_room_for_who_asks(
    tmp_path: Path, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 10)
    with Upstream(says("x")) as upstream, running(tmp_path, upstream.address) as proxy:
        silent = [connected(proxy) for _ in range(30)]
        assert proxy.post("/chat/completions", HELLO).status_code == 200
        # The oldest went, and each connection since took one place.
        assert all(is_closed(client) for client in silent[:20])
        silent[-1].settimeout(0.2)
        assert not is_closed(silent[-1])


def test_who_is_at_work_makes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    go = threading.Event()

    def waits(handler: Any, body: dict[str, Any]) -> None:
        go.wait(100)
        says("waited")(handler, body)

    with (
        Upstream(waits) as upstream,
        running(tmp_path, upstream.address) as proxy,
        ThreadPoolExecutor(3) as threads,
    ):
        working = [threads.submit(proxy.post, "/chat/completions", HELLO) for _ in range(3)]
        deadline = time.monotonic() + 60
        while len(upstream.requests) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert proxy.post("/chat/completions", HELLO).status_code == 503
        go.set()
        assert [one.result().status_code for one in working] == [200] * 3


@pytest.mark.parametrize("kept", [True, False])
def test_who_takes_no_answer_is_let_go_and_who_reads_slowly_gets_all(
    tmp_path: Path, connected: Any, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1)
    monkeypatch.setattr(watched, "STALLED_SECONDS", 1)
    body = json.dumps(HELLO).encode()
    with Upstream(says("x" * 20_000_000)) as upstream, running(tmp_path, upstream.address) as proxy:
        clients = [connected(proxy) for _ in range(4)]
        for client in clients:
            fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            fields += "" if kept else "Connection: close\r\n"
            asked = head(proxy, "/v1/chat/completions").replace(b"GET", b"POST")[:-2]
            client.sendall(asked + fields.encode() + b"\r\n" + body)
        slow, *stuck = clients
        taken, began = 0, time.monotonic()
        while piece := slow.recv(200_000):
            taken += len(piece)
            if time.monotonic() - began < 6:
                time.sleep(0.05)
        assert taken > 20_000_000
        assert proxy.client().get("/models").status_code == 200
        for client in stuck:
            # What was under way still comes; the rest was dropped.
            rest = 0
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(200_000):
                    rest += len(piece)
            assert rest < 20_000_000


def test_a_head_has_a_largest_size(tmp_path: Path, connected: Any) -> None:
    with Upstream(says("x")) as upstream, running(tmp_path, upstream.address) as proxy:
        client = connected(proxy)
        client.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 200_000)
        assert b"400" in client.recv(100)
