"""What is generated is up to date."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT

GENERATE = ROOT / "docs" / "generate.py"


def test_the_generated_pages_are_up_to_date() -> None:
    # Other widths and colours than the generator's own must make no difference.
    env = {**os.environ, "COLUMNS": "60", "FORCE_COLOR": "1"}
    done = subprocess.run([sys.executable, GENERATE, "--check"], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tree_has_a_line_per_module_with_its_first_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TYPER_USE_RICH", "COLUMNS", "NO_COLOR", "TERM"):  # the generator sets them; put back at the end
        monkeypatch.setenv(name, "")
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    (tmp_path / "shelf").mkdir()
    (tmp_path / "__init__.py").write_text('"""All of it."""')
    (tmp_path / "one.py").write_text('"""The first sentence\ngoes on here. The second.\n\nMore."""\n')
    (tmp_path / "shelf" / "__init__.py").write_text("")
    (tmp_path / "shelf" / "two.py").write_text('"""Is it two? Yes."""')
    assert [line.split(maxsplit=1) for line in generate.tree_lines(tmp_path)] == [
        ["src/assay/", "All of it."],
        ["one.py", "The first sentence goes on here."],
        ["shelf/"],
        ["two.py", "Is it two?"],
    ]
