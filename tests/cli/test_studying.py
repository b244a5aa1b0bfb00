"""`assay studio` from a terminal: where it listens, and what it says where it cannot."""

from __future__ import annotations

import socket

import pytest

from assay.cli.app import run_command_line

pytestmark = pytest.mark.usefixtures("home")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run_command_line(["studio", "--no-open", *words]) == 2
    return capsys.readouterr().err


def test_off_loopback_a_key_must_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Give --key" in told(capsys, "--host", "0.0.0.0")


@pytest.mark.parametrize("key", ["short", "x" * 20 + ";", "two words and more of them"])
def test_a_key_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], key: str) -> None:
    assert "key" in told(capsys, "--key", key)


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "Give another --port" in told(capsys, "--port", str(taken.getsockname()[1]))
