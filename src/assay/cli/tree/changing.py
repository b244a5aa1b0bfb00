"""Commands that change a tree by hand. Each can be undone, 256 changes back."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo
from assay.cli.tree.opening import NEWEST, NODE, TREE, chosen, my_trees, node_names, role_names

if TYPE_CHECKING:
    from assay.core.branching import Branches

VERSION = typer.Option(None, "--version", help="Refuse if the tree is not at this version any more.")
TEXT = typer.Argument(..., help="The words, or - to read them from standard input.")


@contextlib.contextmanager
def _changing(tree: str, version: int | None = None) -> Iterator[Branches]:
    trees = my_trees()
    with trees.changing(chosen(trees, tree), version) as found:
        yield found


def _read(text: str) -> str:
    return sys.stdin.read().strip() if text == "-" else text


def add(
    tree: str = TREE,
    node: str = typer.Argument(
        ..., help="The node it stands below, or - for a root of its own.", autocompletion=node_names
    ),
    text: str = TEXT,
    role: str = typer.Option("user", "--role", help="user, system, assistant or tool.", autocompletion=role_names),
    version: int | None = VERSION,
) -> None:
    """Add a turn below a node."""
    from assay.core.branching import Origin

    words = _read(text)
    with _changing(tree, version) as found:
        origin = Origin.TOOL if role == "tool" else Origin.HUMAN
        made = found.add(None if node == "-" else node, role, words, origin)  # type: ignore[arg-type]
    echo(f"Node {made.id}.")


def edit(tree: str = TREE, node: str = NODE, text: str = TEXT, version: int | None = VERSION) -> None:
    """Put other words into a node. They count as a person's; the first ones are kept beside them."""
    words = _read(text)
    with _changing(tree, version) as found:
        found.edit(node, words)


def rename(
    tree: str = TREE,
    node: str = NODE,
    label: str = typer.Argument("", help="The label; empty: the beginning of its text."),
    version: int | None = VERSION,
) -> None:
    """Give a node a label."""
    with _changing(tree, version) as found:
        found.rename(node, label)


def connect(
    tree: str = TREE,
    parent: str = typer.Argument(..., help="The node it shall stand below.", autocompletion=node_names),
    child: str = typer.Argument(..., help="A node without a parent.", autocompletion=node_names),
    version: int | None = VERSION,
) -> None:
    """Hang a root below another node; a circle and a second parent are refused."""
    with _changing(tree, version) as found:
        found.connect(parent, child)


def disconnect(tree: str = TREE, node: str = NODE, version: int | None = VERSION) -> None:
    """Make a node the root of a tree of its own."""
    with _changing(tree, version) as found:
        found.disconnect(node)


def delete(
    tree: str = TREE,
    node: str = typer.Argument("", help="Number of a node in it.", autocompletion=node_names),
    whole_tree: bool = typer.Option(False, "--whole-tree", help="The tree itself, for good."),
    keep_children: bool = typer.Option(False, "--keep-children", help="Hang its children where it stood."),
    version: int | None = VERSION,
) -> None:
    """Delete a node with all that is below it, which can be undone; or a whole tree, which cannot."""
    from assay.core.errors import UserError

    if bool(node) == whole_tree:
        raise UserError("Name a node, or the whole tree.", hint=f"Type: assay tree delete {tree} --whole-tree")
    if whole_tree:
        trees = my_trees()
        trees.delete(chosen(trees, tree))
        return
    with _changing(tree, version) as found:
        found.delete(node, keep_children=keep_children)


def undo(tree: str = NEWEST) -> None:
    """Take the last change back."""
    with _changing(tree) as found:
        what = found.undo()
    echo(f"Undone: {what}.")


def redo(tree: str = NEWEST) -> None:
    """Bring the last undone change back."""
    with _changing(tree) as found:
        what = found.redo()
    echo(f"Done again: {what}.")
