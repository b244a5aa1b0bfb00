"""Who may speak to a server of ours: every refusal, and that nothing is read before it."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from assay.core import UserError
from assay.serve import guard as guards
from assay.serve.guard import Guard, Rules, key_in, rules_for

KEY = "a-key-of-sixteen-letters"
RULES = rules_for("127.0.0.1", 8080, KEY, origins=frozenset({"https://chat.example"}), uploads=("/upload",))
PAGES = rules_for("127.0.0.1", 8080, KEY, pages=True)
GOOD = {"host": "127.0.0.1:8080", "authorization": f"Bearer {KEY}"}
Pairs = Iterable[tuple[str, str]]


class Answered:
    """What came back, and how much of the body the server had to read."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.read = 0

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and says how long it was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def asked(
    headers: dict[str, str] | Pairs,
    *pieces: bytes,
    rules: Rules = RULES,
    method: str = "POST",
    target: str = "/v1/x",
    application: Any = echo,
    wait: float = 0.0,
) -> Answered:
    """One request by hand, its body in pieces with `wait` seconds before each."""
    found = Answered()
    pairs = headers.items() if isinstance(headers, dict) else headers
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
    }
    waiting = list(pieces or (b"",))

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(wait)
        found.read += 1
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert not found.status, "an answer begins once"
            found.status = message["status"]
            found.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
        else:
            found.body += message["body"]

    asyncio.run(Guard(application, rules)(scope, receive, send))
    return found


def test_the_right_key_on_the_right_host_is_let_through() -> None:
    answered = asked(GOOD, b"12345", b"67")
    assert (answered.status, answered.body) == (200, b"7")
    assert "default-src 'none'" in answered.header("content-security-policy")
    assert answered.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:9999"}, 421),
        ({"host": "127.0.0.1:8080.evil.example"}, 421),
        ({"host": ""}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8081"}, 403),
        ({"origin": "file://127.0.0.1:8080"}, 403),
        ({"origin": "https://chat.example.evil.example"}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": f"Bearer {KEY}x"}, 401),
        ({"authorization": f"Bearer {KEY[:-1]}"}, 401),
        ({"authorization": f"Basic {KEY}"}, 401),
        ({"authorization": "Bearer ä"}, 401),
        ({"content-length": "100000000"}, 413),
        ({"content-length": "-5"}, 413),
        ({"content-length": "12e3"}, 413),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_read(changed: dict[str, str], status: int) -> None:
    answered = asked(GOOD | changed, b"x")
    assert (answered.status, answered.read) == (status, 0)
    assert json.loads(answered.body)["error"]["message"].endswith(".")
    assert answered.header("connection") == "close"


@pytest.mark.parametrize("name", ["host", "origin", "authorization", "content-length"])
def test_a_header_that_is_there_twice_is_refused(name: str) -> None:
    pairs = [*GOOD.items(), ("origin", "http://127.0.0.1:8080"), ("content-length", "0")]
    value = dict(pairs)[name]
    assert asked(pairs).status == 200
    assert asked([*pairs, (name.title(), value)]).status == 400


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://localhost:8080", "https://chat.example"])
def test_known_origins_may_call(origin: str) -> None:
    assert asked(GOOD | {"origin": origin}).status == 200


def test_an_allowed_origin_is_told_so_before_and_after_and_others_are_not() -> None:
    before = asked(
        {
            "host": "localhost:8080",
            "origin": "https://chat.example",
            "access-control-request-headers": "authorization,x-stainless-os",
        },
        method="OPTIONS",
    )
    assert (before.status, before.read) == (204, 0)
    assert before.header("access-control-allow-origin") == "https://chat.example"
    assert before.header("access-control-allow-headers") == "authorization,x-stainless-os"
    after = asked(GOOD | {"origin": "https://chat.example"})
    assert after.header("access-control-allow-origin") == "https://chat.example"
    assert "x-assay-trace" in after.header("access-control-expose-headers")
    for other in ({"origin": "http://127.0.0.1:8080"}, {}):
        assert not asked(GOOD | other).header("access-control-allow-origin")
    assert asked({"host": "localhost:8080", "origin": "https://evil.example"}, method="OPTIONS").status == 403
    assert asked({"host": "localhost:8080"}, method="OPTIONS").status == 401


def test_a_body_that_does_not_say_its_size_is_counted() -> None:
    pieces = [b"x" * 1_000_000] * 100
    answered = asked(GOOD, *pieces)
    assert answered.status == 413
    assert answered.read == 9


def test_a_framework_cannot_take_the_refusal_for_an_error_of_its_own() -> None:
    app = FastAPI()

    @app.post("/v1/x")
    async def take(fields: dict[str, Any], request: Request) -> dict[str, int]:
        return {"fields": len(fields)}

    headers = GOOD | {"content-type": "application/json"}
    assert asked(headers, b'{"a": 1}', application=app).status == 200
    answered = asked(headers, *[b"x" * 1_000_000] * 20, application=app)
    assert answered.status == 413
    assert "8,000,000 bytes" in json.loads(answered.body)["error"]["message"]


def test_a_file_may_be_larger_where_files_are_taken() -> None:
    pieces = [b"x" * 1_000_000] * 20
    assert asked(GOOD, *pieces, target="/upload/x").body == b"20000000"
    assert asked(GOOD, *pieces, target="/other").status == 413
    assert asked(GOOD, *[b"x" * 1_000_000] * 65, target="/upload/x").status == 413


def test_a_body_that_comes_drop_by_drop_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "BODY_SECONDS", 0.2)
    assert asked(GOOD, *[b"x"] * 3, wait=0.01).status == 200
    # Every single piece comes in time; all of them together do not.
    answered = asked(GOOD, *[b"x"] * 100, wait=0.05)
    assert answered.status == 408
    assert answered.read < 10


def test_a_large_body_has_as_long_as_its_size_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "BODY_SECONDS", 0.1)
    assert asked(GOOD, *[b"x" * 10_000] * 5, wait=0.06).status == 200


def test_a_socket_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    asyncio.run(Guard(echo, RULES)({"type": "websocket"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


# --- pages: a browser brings the key in a cookie


def test_the_key_of_an_address_moves_into_a_cookie() -> None:
    answered = asked(GOOD | {"authorization": ""}, method="GET", target=f"/runs?key={KEY}&n=2", rules=PAGES)
    assert (answered.status, answered.header("location")) == (303, "/runs?n=2")
    cookie = answered.header("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    brought = {"host": "127.0.0.1:8080", "cookie": f"other=1; {cookie.partition(';')[0]}"}
    assert asked(brought, method="GET", rules=PAGES).status == 200
    assert asked(brought, method="GET", rules=RULES).status == 401
    foreign = brought | {"sec-fetch-site": "cross-site"}
    assert asked(foreign, method="GET", rules=PAGES).status == 403
    assert asked(brought | {"origin": "https://evil.example"}, rules=PAGES).status == 403


def test_a_cookie_is_of_one_port_and_is_not_the_key() -> None:
    def given(port: int, key: str) -> str:
        rules = rules_for("127.0.0.1", port, key, pages=True)
        host = {"host": f"127.0.0.1:{port}"}
        answered = asked(host, method="GET", target=f"/?key={key}", rules=rules)
        return answered.header("set-cookie").partition(";")[0]

    here, there = given(8080, KEY), given(8081, "another-key-of-letters")
    assert here.partition("=")[0] != there.partition("=")[0]
    # A browser sends both to both.
    both = {"host": "127.0.0.1:8080", "cookie": f"{here}; {there}"}
    assert asked(both, method="GET", rules=PAGES).status == 200
    value = here.partition("=")[2]
    assert KEY not in here
    assert asked(GOOD | {"authorization": f"Bearer {value}"}, rules=PAGES).status == 401
    assert asked({"host": "127.0.0.1:8080"}, method="GET", target=f"/?key={value}", rules=PAGES).status == 401
    name = here.partition("=")[0]
    assert asked({"host": "127.0.0.1:8080", "cookie": f"{name}={KEY}"}, rules=PAGES).status == 401
    assert asked({"host": "127.0.0.1:8080", "cookie": f"{name}=\xe4"}, rules=PAGES).status == 401


def test_a_wrong_key_in_an_address_is_refused_and_a_post_moves_no_key() -> None:
    bare = {"host": "127.0.0.1:8080"}
    assert asked(bare, method="GET", target="/?key=wrong", rules=PAGES).status == 401
    assert asked(bare, method="POST", target=f"/?key={KEY}", rules=PAGES).status == 401
    assert asked(bare, method="GET", target=f"/?key={KEY}", rules=RULES).status == 401


@given(path=st.text(max_size=20), cookie=st.text(st.characters(max_codepoint=255), max_size=30))
def test_a_redirect_stays_here_whatever_the_path(path: str, cookie: str) -> None:
    target = f"/{path.partition('?')[0]}?key={KEY}"
    answered = asked({"host": "localhost:8080", "cookie": cookie}, method="GET", target=target, rules=PAGES)
    place = answered.header("location")
    assert answered.status == 303
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))
    assert place.isascii()
    assert place.isprintable()


# --- rules and keys


def test_off_loopback_the_host_itself_and_further_names_answer() -> None:
    rules = rules_for("10.0.0.5", 80, KEY, names=("Box.example",))
    assert rules.hosts == {"10.0.0.5", "10.0.0.5:80", "box.example", "box.example:80"}
    assert "localhost:80" not in rules.hosts


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "key"
    key = key_in(file)
    assert len(key) >= 24
    assert key_in(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("short")
    with pytest.raises(UserError, match="too short"):
        key_in(file)
