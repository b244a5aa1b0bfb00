"""What the commands on trees share: the user's trees, and names for tab completion."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from assay.lab.branching import Trees


def tree_names(incomplete: str) -> list[str]:
    """Trees, for tab completion."""
    return [name for name in my_trees().names() if name.startswith(incomplete)]


def node_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Nodes of the tree that was named, and how they begin, for tab completion."""
    from assay.core.errors import AssayError
    from assay.report.wording import visible

    trees = my_trees()
    with contextlib.suppress(AssayError):
        nodes = trees.read(chosen(trees, ctx.params.get("tree", ""))).nodes
        return [(name, visible(node.label)) for name, node in nodes.items() if name.startswith(incomplete)]
    return []


def role_names(incomplete: str) -> list[str]:
    """Whose turn it may be, for tab completion."""
    from assay.core.requests import ROLES

    return [name for name in ROLES if name.startswith(incomplete)]


TREE = typer.Argument(..., help="A tree, or how its id begins.", autocompletion=tree_names)
NEWEST = typer.Argument(
    "",
    metavar="[TREE]",
    help="A tree, or how its id begins.",
    show_default="the one changed last",
    autocompletion=tree_names,
)
NODE = typer.Argument(..., help="Number of a node in it.", autocompletion=node_names)


def my_trees() -> Trees:
    """The trees of this user."""
    from assay.home import find_home
    from assay.lab.branching import Trees

    return Trees(find_home().make().trees)


def chosen(trees: Trees, beginning: str) -> str:
    """The tree that was named; where none was, the one changed last."""
    from assay.core.errors import UserError

    if beginning:
        return trees.find(beginning)
    if not trees.names():
        raise UserError("There is no tree yet.", hint='Make one: assay tree new -p "..."')
    return trees.names()[0]
