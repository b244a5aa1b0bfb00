"""`assay tree`: a conversation that branches, grown on any model, looked at, changed and taken elsewhere."""

from __future__ import annotations

import typer

from assay.cli.tree.changing import add, connect, delete, disconnect, edit, redo, rename, undo
from assay.cli.tree.growing import go_on, grow, new, regenerate
from assay.cli.tree.looking import copy, cost, list_trees, show
from assay.cli.tree.moving import export, import_tree

tree = typer.Typer(
    help="Explore many completions of one conversation: grow branches, see where they agree, go on from any.",
    no_args_is_help=True,
)
for name, command in (
    ("new", new),
    ("grow", grow),
    ("regenerate", regenerate),
    ("continue", go_on),
    ("list", list_trees),
    ("show", show),
    ("copy", copy),
    ("cost", cost),
    ("add", add),
    ("edit", edit),
    ("rename", rename),
    ("connect", connect),
    ("disconnect", disconnect),
    ("delete", delete),
    ("undo", undo),
    ("redo", redo),
    ("export", export),
    ("import", import_tree),
):
    tree.command(name)(command)
