"""Writes what can be generated: `docs/commands.md` from the help pages, and the tree in `README.md`.

python docs/generate.py            write
python docs/generate.py --check    write nothing; name what differs and exit 1
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Typer looks at these when it is imported: help pages are then the same plain text on every machine.
os.environ |= {"TYPER_USE_RICH": "0", "COLUMNS": "88", "NO_COLOR": "1", "TERM": "dumb"}

ROOT = Path(__file__).resolve().parents[1]
COMMANDS, README, SOURCE = ROOT / "docs" / "commands.md", ROOT / "README.md", ROOT / "src" / "assay"
TREE = re.compile(r"(<!-- tree -->\n).*?(<!-- /tree -->)", re.DOTALL)
HEAD = """# Commands

Written by `python docs/generate.py` from the help pages; do not edit by hand. Exit codes, environment
variables and the forms of files: [forms.md](forms.md).
"""


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which of them differ."""
    differing = []
    for path, text in generated().items():
        if (path.read_text("utf-8") if path.exists() else "") == text:
            continue
        differing.append(path.relative_to(ROOT))
        if arguments != ["--check"]:
            path.write_text(text, "utf-8")
    for path in differing:
        print(f"{path} differs. Type: python docs/generate.py" if arguments else f"{path} written")
    return 1 if arguments and differing else 0


def generated() -> Mapping[Path, str]:
    """Every generated file with the text it must have."""
    files = {COMMANDS: commands_page()}
    readme = README.read_text("utf-8") if README.exists() else ""
    if TREE.search(readme):
        tree = "\n".join(tree_lines(SOURCE))
        files[README] = TREE.sub(lambda marks: f"{marks[1]}```text\n{tree}\n```\n{marks[2]}", readme)
    return files


# --- commands


def commands_page() -> str:
    """All commands in a table, then a help page for each."""
    from typer.main import get_command

    from assay.cli.app import app

    root = get_command(app)
    pages = list(pages_of(root, ()))
    rows = ["| command | what it does |", "|---|---|"]
    rows += [f"| [`{' '.join(('assay', *words))}`](#{anchor(words)}) | {about} |" for words, about, _ in pages]
    sections = [f"## {' '.join(('assay', *words))}\n\n```text\n{text}\n```\n" for words, _, text in pages]
    return "\n".join([HEAD, *rows, "", *sections])


def pages_of(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(words, first sentence, help page) of a command and of all below it."""
    from typer.testing import CliRunner

    from assay.cli.app import app

    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="assay")
    assert shown.exit_code == 0, f"assay {' '.join(words)} --help ended with {shown.exit_code}"
    # The commands below have pages of their own here, and in this list their sentences are cut.
    page = shown.output.partition("\nCommands:\n")[0]
    text = "\n".join(line.rstrip() for line in page.strip().splitlines())
    yield words, " ".join(command.help.split("\n\n")[0].split()), text
    for name, below in getattr(command, "commands", {}).items():
        yield from pages_of(below, (*words, name))


def anchor(words: tuple[str, ...]) -> str:
    """Where a heading of these words is linked to."""
    return "-".join(("assay", *words))


# --- the tree


def tree_lines(folder: Path) -> list[str]:
    """A line per package and module, the first sentence of its docstring beside it."""
    entries = [("src/assay/", first_sentence(folder / "__init__.py")), *below(folder, 1)]
    width = max(len(name) for name, _ in entries) + 2
    return [f"{name:{width}}{sentence}".rstrip() for name, sentence in entries]


def below(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Modules of a package, then the packages in it."""
    for path in sorted(folder.glob("*.py")):
        if path.stem != "__init__":
            yield f"{'  ' * depth}{path.name}", first_sentence(path)
    for path in sorted(one for one in folder.iterdir() if (one / "__init__.py").exists()):
        yield f"{'  ' * depth}{path.name}/", first_sentence(path / "__init__.py")
        yield from below(path, depth + 1)


def first_sentence(path: Path) -> str:
    """Of a module's docstring; empty without one."""
    paragraph = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
    return re.split(r"(?<=[.!?])\s", " ".join(paragraph.split()))[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
