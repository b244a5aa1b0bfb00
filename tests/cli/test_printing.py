"""Text of models, tools, servers and files cannot act on a terminal; into a pipe it goes as it is."""

from __future__ import annotations

import ast
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.models.endpoint import Endpoint, Fault, reply

from .test_errors import ASSAY, assay

ACTS = "one\ttwo\nthree\x1b[2J\x07\x9b2K[red]"
SOURCE = Path(__file__).parents[2] / "src" / "assay" / "cli"
SHOP = '''
def price() -> str:
    """the price"""
    return "\\x1b[2J\\x9b2K"
'''


def on_a_terminal(*words: str, home: Path, typed: str = "") -> str:
    """What a command writes to a terminal, standard error too."""
    ours, its = pty.openpty()
    env = {**os.environ, "ASSAY_HOME": str(home), "COLUMNS": "100", "TERM": "xterm"}
    running = subprocess.Popen([*ASSAY, *words], stdin=subprocess.PIPE, stdout=its, stderr=its, env=env)
    os.close(its)
    assert running.stdin is not None
    running.stdin.write(typed.encode())
    running.stdin.close()
    found = b""
    try:
        while part := os.read(ours, 65536):
            found += part
    except OSError:
        # The other end of a terminal that is closed is an error, not an end.
        pass
    os.close(ours)
    running.wait(60)
    return found.decode()


def cannot_act(text: str) -> bool:
    return "\x1b[2J" not in text and "\x9b" not in text and "\x07" not in text


def answering(body: dict[str, Any]) -> dict[str, Any]:
    return reply([ACTS] * body.get("n", 1))


def at(endpoint: Endpoint) -> tuple[str, ...]:
    return ("--model", "openai/fake", "--base-url", endpoint.address)


@pytest.mark.parametrize("more", [(), ("--trace",)])
def test_a_reply_is_shown_on_a_terminal_and_passed_on_to_a_pipe(tmp_path: Path, more: tuple[str, ...]) -> None:
    with Endpoint(answering) as endpoint:
        shown = on_a_terminal("ask", "direct", "hi", *more, *at(endpoint), home=tmp_path)
        piped = assay("ask", "direct", "hi", *at(endpoint), home=tmp_path).stdout
    assert cannot_act(shown)
    assert "three⟨U+001B⟩[2J⟨U+009B⟩2K[red]" in shown
    assert "one     two\r\nthree" in shown
    assert "three\x1b[2J" in piped


def test_what_an_agent_and_its_tools_say_cannot_act(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    calls = iter(
        ['\x1b[2J{"tool": "price", "arguments": {}}', '{"tool": "finish", "arguments": {"answer": "\\u009b2K"}}']
    )

    def acting(body: dict[str, Any]) -> dict[str, Any]:
        asked = "Objective" in body["messages"][-1]["content"]
        return reply([next(calls) if asked else "ok"] * body.get("n", 1))

    trace = tmp_path / "t.jsonl"
    words = ("-o", "x", "--tools", str(tmp_path / "shop.py"), "--driver", "llm", "--trace", str(trace))
    with Endpoint(acting) as endpoint:
        ran = on_a_terminal("agent", "run", *words, *at(endpoint), home=tmp_path)
    again = on_a_terminal("agent", "replay", str(trace), home=tmp_path)
    for shown in (ran, again):
        assert cannot_act(shown)
        assert "done:" in shown
        assert "⟨U+001B⟩[2J" in shown


def test_a_server_that_fails_cannot_act_in_its_error(tmp_path: Path) -> None:
    def failing(body: dict[str, Any]) -> dict[str, Any]:
        raise Fault(400, b'{"error": {"message": "no\\u001b[2J\\u009b2K way"}}')

    with Endpoint(failing) as endpoint:
        shown = on_a_terminal("ask", "direct", "hi", *at(endpoint), home=tmp_path)
    assert "assay:" in shown
    assert cannot_act(shown)


def test_every_command_prints_by_the_one_way_that_is_safe() -> None:
    found = []
    for path in SOURCE.rglob("*.py"):
        if path.parent.name == "printing":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "rich.console":
                found += [f"{path}: {name.name}" for name in node.names if name.name == "Console"]
            elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("typer.echo", "typer.secho"):
                found.append(f"{path}: {ast.unparse(node)}")
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                found.append(f"{path}: print")
    assert not found
