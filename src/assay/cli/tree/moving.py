"""`assay tree export` and `import`: trees as files of other programs, and flux's own."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from assay.cli.printing import echo
from assay.cli.tree.opening import NEWEST, chosen, my_trees


def export(
    tree: str = NEWEST,
    markdown: bool = typer.Option(False, "--markdown", help="For people: headings as deep as the turns."),
    as_json: bool = typer.Option(False, "--json", help="Everything, history included (this is the default)."),
    out: Path | None = typer.Option(None, "--out", "-o", help="A file.", show_default="standard output"),
) -> None:
    """Write a tree out as JSON or Markdown."""
    from assay.core.branching import to_markdown, to_text
    from assay.core.errors import UserError

    if markdown and as_json:
        raise UserError("Markdown and JSON are two files.", hint="Give one of --markdown and --json.")
    trees = my_trees()
    found = trees.read(chosen(trees, tree))
    text = to_markdown(found) if markdown else to_text(found)
    if out is None:
        echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}.") from None


def import_tree(
    file: Path = typer.Argument(..., help="A tree of ours as JSON, or what flux keeps in local storage."),
) -> None:
    """Take in a tree from a file. It gets an id of its own here."""
    from assay.core.branching import Branches, taken_in
    from assay.core.errors import BadFile, UserError

    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(file, f"{error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise BadFile(file, f"this is no JSON: {error}.") from None
    notes: tuple[str, ...] = ()

    def fill(name: str) -> Branches:
        nonlocal notes
        imported = taken_in(found, name)
        notes = imported.notes
        return imported.tree

    try:
        tree = my_trees().new(fill)
    except UserError as error:
        raise BadFile(file, error.message, hint=error.hint) from None
    for note in notes:
        echo(f"assay: {note}", err=True)
    echo(f"Tree {tree.id}: {len(tree.nodes)} nodes.")
