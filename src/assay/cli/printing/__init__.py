"""Where every word of a command goes out: on a terminal, text of others can act no more than it can in print."""

from __future__ import annotations

import sys

import typer


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text as it is; on a terminal with every character that acts instead of showing written out.

    Models, tools, servers and files may hold escape codes. What goes into a file or a pipe is data and not
    changed.
    """
    if (sys.stderr if err else sys.stdout).isatty():
        from assay.report.wording import visible

        text = visible(text)
    typer.echo(text, err=err, nl=nl)
