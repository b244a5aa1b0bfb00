"""What is told on a terminal while something runs, and the command line as it was typed."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from assay.cli.printing import echo
from assay.lab.experiment import Report
from assay.lab.plan import Event

UNTOLD = ("begin", "end")
"""Events for those who look in from elsewhere: here the verdict, or the error, says it."""


@contextlib.contextmanager
def progress(name: str, *, quiet: bool = False) -> Any:
    """A reporter that draws one live line on a terminal and a plain line now and then in a pipe."""
    if quiet:
        yield lambda event: None
    elif sys.stderr.isatty():
        yield from _live(name)
    else:
        yield _plain(name)


def _words(event: Event) -> str:
    if event.data and event.kind == "look":
        data = event.data
        return f"effect {data['estimate']:+.3f} [{data['low']:+.3f}, {data['high']:+.3f}]"
    return event.text


def _plain(name: str) -> Report:
    last = [0.0]

    def report(event: Event) -> None:
        if event.kind in UNTOLD:
            return
        due = time.monotonic() - last[0] > 5
        if event.kind == "note" or due:
            count = f" {event.done}/{event.total}" if event.total else ""
            echo(f"{name}:{count} {_words(event)}", err=True)
            last[0] = time.monotonic()

    return report


def _live(name: str) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from assay.cli.printing.console import Console

    columns = (
        TextColumn("{task.fields[name]}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, name=name)

        def report(event: Event) -> None:
            if event.kind in UNTOLD:
                return
            if event.kind == "note":
                console.print(f"{name}: {event.text}", style="dim", highlight=False)
            else:
                words = _words(event)
                # What is being made says nothing of how many samples have ended.
                counted = event.kind != "making"
                bar.update(
                    task,
                    completed=event.done if counted else None,
                    total=(event.total or None) if counted else None,
                    **({"description": words} if words else {}),  # type: ignore[arg-type]
                )

        yield report


def typed_command(arguments: Sequence[str]) -> str:
    """The command line as it was typed."""
    import shlex

    return shlex.join(["assay", *arguments])
