"""Runs the Python blocks of README and docs, page by page; and the example of `add-a-paper` for real.

The blocks of a page share their names. One that begins with `# src/assay/...py` becomes that module, so
that later blocks import it as a reader would. With `<!-- not run: why -->` or `<!-- needs the model -->`
on the line above a block is compiled and not run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .pages import PAGES, ROOT, Block, blocks, page_name

WITH_PYTHON = [page for page in PAGES if any(blocks(page, "python"))]
ADD_A_PAPER = ROOT / "docs" / "add-a-paper.md"


@pytest.mark.parametrize("page", WITH_PYTHON, ids=page_name)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    shared: dict[str, Any] = {"__name__": "snippet"}
    for block in blocks(page, "python"):
        # Blank lines above, so that a traceback names the line of the page.
        code = compile("\n" * block.line + block.code, str(page), "exec", dont_inherit=True)
        if not block.skipped:
            run(code, block, shared, monkeypatch)


def run(code: Any, block: Block, shared: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a block; its tests too."""
    if block.file.startswith("src/"):
        name = block.file.removeprefix("src/").removesuffix(".py").replace("/", ".")
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(code, vars(module))
        return
    before = set(shared)
    exec(code, shared)
    for name in set(shared) - before:
        if name.startswith("test_"):
            shared[name]()


def test_the_example_of_add_a_paper_passes_the_contract_tests(tmp_path: Path) -> None:
    """A newcomer's copy of the project with the page's files in it, under the project's own tests."""
    for part in ("src", "tests/contracts", "tests/architecture"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy(ROOT / part, tmp_path / part)
    for block in blocks(ADD_A_PAPER, "python"):
        file = tmp_path / block.file
        file.parent.mkdir(exist_ok=True)
        file.write_text(block.code)
    source = tmp_path / "src" / "assay"
    (source / "tasks" / "letters" / "__init__.py").write_text("")
    change(
        source / "tasks" / "catalogue.py",
        ("_TASKS: ", "from assay.tasks.letters.task import LettersTask\n\n_TASKS: "),
        ('    "facts": ', '    "letters": LettersTask,\n    "facts": '),
    )
    imported = "from assay.techniques.prompting.re_reading import re_reading\n"
    shelf = source / "techniques" / "prompting" / "__init__.py"
    change(shelf, ("\n__all__ = [", f"{imported}\n__all__ = ['re_reading', "))
    names = "re-reading or re_reading or letters or cycles or small or cards"
    # Twice verbose: pyproject says quiet, and what passed must be listed.
    options = ("-vv", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", names, "tests")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "src"), "ASSAY_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line for line in done.stdout.splitlines() if "PASSED" in line]
    for test in (
        *("test_a_card_is_complete[re-reading]", "test_a_card_is_short_and_says_what_it_is[re_reading]"),
        *("test_a_claim_is_complete[re-reading]", "test_a_planted_effect_is_found[re-reading]"),
        *("test_no_effect_is_not_found[re-reading]", "test_the_same_seed_gives_the_same_record[re-reading]"),
        "test_both_arms_see_the_same_samples_and_usage_adds_up[re-reading]",
        *("test_a_technique_says_where_it_comes_from[re-reading]", "test_a_task_keeps_its_promises[letters]"),
        "test_the_question_stands_twice_and_the_reply_is_the_answer",
    ):
        assert any(test in line for line in passed), f"{test} did not meet the example"


def change(file: Path, *changes: tuple[str, str]) -> None:
    """Replace a text that must be there, as a person would."""
    text = file.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{file.name} has no single {old!r} any more"
        text = text.replace(old, new)
    file.write_text(text)
