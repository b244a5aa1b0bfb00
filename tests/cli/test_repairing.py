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


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_a_byte_order_mark_and_line_ends_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: bytes
) -> None:
    file = tmp_path / "a.py"
    whole = mark + b"x = 1\r\ndef f(x):\r\n    return x\r\n"
    file.write_bytes(whole)
    assert run_command_line(["repair", str(file), "--write"]) == 0
    assert capsys.readouterr().out == "It parses as it is.\n"
    assert file.read_bytes() == whole
    file.write_bytes(whole.replace(b"):", b")"))
    assert run_command_line(["repair", str(file), "--write"]) == 0
    assert " x = 1\n-def f(x)\n+def f(x):\n     return x\n" in capsys.readouterr().out
    assert file.read_bytes() == whole


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, link = tmp_path / "a.py", tmp_path / "link.py"
    file.write_text("def f(x)\n    return x\n")
    file.chmod(0o750)
    link.symlink_to(file)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fails)
        assert run_command_line(["repair", str(link), "--write"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [file, link]
    assert file.read_text() == "def f(x)\n    return x\n"
    assert run_command_line(["repair", str(link), "--write"]) == 0
    assert file.read_text() == "def f(x):\n    return x\n"
    assert (file.stat().st_mode & 0o777, link.is_symlink()) == (0o750, True)
