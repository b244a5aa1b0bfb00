"""Where verdicts go: the terminal, JSON, a folder of results, one HTML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.printing import echo

if TYPE_CHECKING:
    from assay.core.verdict import Verdict


def check_writable(*files: Path | None) -> None:
    """A file that cannot be written is found before the run and not after it."""
    import os

    from assay.core import UserError

    for file in files:
        if file is None:
            continue
        if (
            file.is_dir()
            or not os.access(file.resolve().parent, os.W_OK)
            or (file.exists() and not os.access(file, os.W_OK))
        ):
            raise UserError(f"{file} cannot be written.", hint="Name a file in a folder you may write to.")


def deliver(
    verdicts: list[Verdict], json_file: Path | None, html_file: Path | None, results: Path | None = None
) -> None:
    """Print verdicts and write them where the user wants them."""
    from assay.cli.printing.console import Console
    from assay.report.terminal import verdict_panel, verdict_table

    console = Console()
    for verdict in verdicts:
        console.print(verdict_panel(verdict))
    if len(verdicts) > 1:
        console.print(verdict_table(verdicts))
    if json_file is not None:
        write_whole(json_file, json.dumps([v.to_json() for v in verdicts], indent=1, ensure_ascii=False) + "\n")
        console.print(f"Verdicts: {json_file}", highlight=False)
    if results is not None:
        keep_results(verdicts, results)
    if html_file is not None:
        write_report([verdict.run for verdict in verdicts], html_file)
        console.print(f"Report: {html_file.resolve()}", highlight=False, soft_wrap=True)


def write_whole(file: Path, text: str | bytes) -> None:
    """Write a file that appears whole or not at all; what is there stays if it cannot.

    Raises:
        UserError: it cannot be written.
    """
    import os
    import shutil

    from assay.core import UserError

    content = text.encode() if isinstance(text, str) else text
    if file.exists() and not file.is_file():
        # A pipe or the terminal.
        file.write_bytes(content)
        return
    place = file.resolve()  # a link stays one
    draft = place.with_name(f".{place.name[:80]}.{os.getpid()}.part")
    try:
        draft.write_bytes(content)
        if place.exists():
            shutil.copymode(place, draft)
        os.replace(draft, place)
    except OSError as error:
        raise UserError(
            f"{file} cannot be written: {error.strerror}.", hint="What was there is there still."
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def write_report(names: Sequence[str], file: Path) -> None:
    """One HTML file about these runs (all finished runs where none is named)."""
    from assay.core import UserError
    from assay.core.verdict import Verdict
    from assay.lab.session import rows_of
    from assay.report.html import write_html
    from assay.workbench.opening import open_store
    from assay.workbench.records import samples_of

    store = open_store()
    try:
        rows = [store.run(name) for name in names] if names else [row for row in store.runs() if row.verdict]
        unfinished = [row.id for row in rows if not row.verdict]
        if unfinished:
            raise UserError(
                f"The run {unfinished[0]} has no verdict yet.", hint=f"Type: assay resume {unfinished[0]}"
            )
        if not rows:
            raise UserError("There is no finished run to report on.", hint="Type: assay demo")
        verdicts = [Verdict.from_json(row.verdict) for row in rows if row.verdict]
        write_html(file, verdicts, {row.id: rows_of(row, store, samples_of(row)) for row in rows})
    finally:
        store.close()


def keep_results(verdicts: Sequence[Verdict], folder: Path) -> None:
    """One JSON file per claim, model fingerprint, size, seed and driver other than the model itself.

    Where a verdict on another task, level or number of pairs has that name, the name says these too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for verdict in verdicts:
        place = _place_of(verdict, folder)
        write_whole(place, json.dumps(verdict.to_json(), indent=1, ensure_ascii=False) + "\n")


def _place_of(verdict: Verdict, folder: Path) -> Path:
    """The file that a verdict is kept in."""
    import contextlib
    import re

    from assay.core import UserError
    from assay.workbench.records import read_verdict

    model = verdict.model["name"].replace("/", "-").replace(":", "-")
    parts = [verdict.claim, f"{model}-{verdict.model['fingerprint'][:8]}", verdict.size, f"seed{verdict.seed}"]
    if verdict.driver != "llm":
        parts.append(verdict.driver.partition(" ")[0].replace(":", "-"))
    place = folder / f"{'--'.join(parts)}.json"
    # A file that holds no verdict may be written over.
    with contextlib.suppress(UserError):
        if _asked(read_verdict(place)) != _asked(verdict):
            task, level, pairs = (re.sub(r"[^\w.+-]+", "-", part) for part in _asked(verdict))
            other = folder / f"{'--'.join((*parts, task, level, f'n{pairs}'))}.json"
            echo(f"{place.name} is on another task, level or n; this verdict is in {other}")
            return other
    return place


def _asked(verdict: Verdict) -> tuple[str, str, str]:
    """Task, level, and pairs at most."""
    return verdict.task, verdict.level, str(verdict.power.get("pairs", ""))
