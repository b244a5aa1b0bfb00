"""`assay serve` as a process: what it says, whom it refuses, and how it ends."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assay.cli.app import run_command_line
from tests.serve.running import HELLO, Upstream, begin_events, event, says


@contextlib.contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """The process, and a client made of nothing but what it printed."""
    environment = {**os.environ, "ASSAY_HOME": str(home), "ASSAY_KEY": ""}
    command = [sys.executable, "-m", "assay", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = ""
        while "OPENAI_API_KEY" not in said:
            line = process.stdout.readline()
            assert line, "it starts"
            said += line
        found = re.search(r"OPENAI_BASE_URL=(\S+) OPENAI_API_KEY=(\S+)", said)
        assert found
        headers = {"Authorization": f"Bearer {found[2]}"}
        try:
            with httpx2.Client(base_url=found[1], headers=headers, timeout=120) as client:
                yield process, client
        finally:
            process.kill()


def test_what_is_printed_is_all_a_client_needs_and_the_key_is_kept(tmp_path: Path) -> None:
    with Upstream(says("well")) as upstream:
        keys = []
        for _ in range(2):
            with serving(tmp_path, "--base-url", upstream.address) as (_, client):
                assert (
                    client.post("/chat/completions", json=HELLO).json()["choices"][0]["message"]["content"]
                    == "well"
                )
                keys.append(client.headers["Authorization"])
        assert keys[0] == keys[1] == f"Bearer {(tmp_path / 'key').read_text()}"


def test_an_allowed_origin_may_call_and_another_may_not(tmp_path: Path) -> None:
    origin = {"Origin": "https://chat.example"}
    with (
        Upstream(says("well")) as upstream,
        serving(tmp_path, "--base-url", upstream.address, "--allow-origin", "https://Chat.example/") as (
            _,
            client,
        ),
    ):
        assert client.get("/models", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
        assert client.get("/models", headers={"Origin": "https://other.example"}).status_code == 403


def test_sigterm_lets_a_short_answer_end_and_a_long_one_not(tmp_path: Path) -> None:
    def act(handler: Any, body: dict[str, Any]) -> None:
        begin_events(handler)
        for number in range(body["max_tokens"]):
            event(handler, str(number))
            time.sleep(0.1)
        handler.wfile.write(b"data: [DONE]\n\n")

    def asked(tokens: int) -> dict[str, Any]:
        return HELLO | {"stream": True, "max_tokens": tokens}

    with (
        Upstream(act) as upstream,
        serving(tmp_path, "--base-url", upstream.address) as (process, client),
        client.stream("POST", "/chat/completions", json=asked(10)) as short,
        client.stream("POST", "/chat/completions", json=asked(1000)) as long,
    ):
        pieces = short.iter_raw()
        next(pieces)
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert b"".join(pieces).endswith(b"data: [DONE]\n\n")
        text = b""
        with contextlib.suppress(httpx2.RemoteProtocolError):
            for piece in long.iter_raw():
                text += piece
        assert b"The server is stopping." in text
        process.wait(10)
        assert time.monotonic() - started < 5.5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "0.0.0.0"], "Give --key"),
        (["--host", "0.0.0.0", "--key", "short"], "can be guessed"),
        (["--key", "sixteen letters and spaces"], "without spaces"),
        (["--base-url", "localhost:1"], "is not an address"),
        (["--allow-origin", "*"], "is no web origin"),
        (["--allow-origin", "https://x.example/page"], "is no web origin"),
        (["--model", "smollm2-136m"], "Did you mean smollm2-135m"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    arguments: list[str], sentence: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["serve", "--port", "0", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert run_command_line(["serve", "--port", str(other.getsockname()[1])]) == 2
    assert "Give another --port" in capsys.readouterr().err


def test_without_the_extra_the_next_thing_to_type_is_said(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run_command_line(["serve"]) == 2
    assert 'pip install "assay[studio]"' in capsys.readouterr().err
