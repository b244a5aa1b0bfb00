"""What the commands on trees share: the user's trees, and names for tab completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from assay.lab.branching import Trees


def tree_names(incomplete: str) -> list[str]:
    """Trees, for tab completion."""
    return [name for name in my_trees().names() if name.startswith(incomplete)]


TREE = typer.Argument(..., help="A tree, or how its id begins.", autocompletion=tree_names)
NEWEST = typer.Argument(
    "",
    metavar="[TREE]",
    help="A tree, or how its id begins.",
    show_default="the one changed last",
    autocompletion=tree_names,
)
NODE = typer.Argument(..., help="Number of a node in it.")


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
