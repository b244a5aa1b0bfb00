"""`assay repair`: what is shown, what is written, and what is said where nothing helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.app import run_command_line


def test_the_change_is_shown_and_written_only_if_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f(x)\n    return [x]\n")
    assert run_command_line(["repair", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "-def f(x)\n+def f(x):\n" in shown
    assert "line 1: a colon added" in shown
    assert file.read_text() == "def f(x)\n    return [x]\n"
    assert run_command_line(["repair", str(file), "--write"]) == 0
    assert file.read_text() == "def f(x):\n    return [x]\n"
    capsys.readouterr()
    assert run_command_line(["repair", str(file), "--write"]) == 0
    assert capsys.readouterr().out == "It parses as it is.\n"


def test_lines_are_deleted_last_and_only_if_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\nthis is ? no $ python ! at all (\ny = 2\n")
    assert run_command_line(["repair", str(file), "--no-delete"]) == 2
    assert "could not be repaired" in capsys.readouterr().err
    assert run_command_line(["repair", str(file), "--write"]) == 0
    assert "1 of its lines were deleted" in capsys.readouterr().out
    assert file.read_text() == "x = 1\ny = 2\n"


@pytest.mark.parametrize(("data", "words"), [(None, "No such file"), (b"\xff", "not UTF-8")])
def test_what_cannot_be_read_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes | None, words: str
) -> None:
    file = tmp_path / "a.py"
    if data is not None:
        file.write_bytes(data)
    assert run_command_line(["repair", str(file)]) == 2
    assert words in capsys.readouterr().err
