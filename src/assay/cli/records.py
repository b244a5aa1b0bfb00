"""`assay runs`, `trace`, `report`, `forget`, `export`, `import` and `compare`: looking at what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.delivering import check_writable, write_report, write_whole
from assay.cli.printing import echo

if TYPE_CHECKING:
    from assay.core.verdict import SampleRow


def run_names(incomplete: str) -> list[str]:
    """Ids of runs, for tab completion."""
    from assay.workbench.opening import open_store

    store = open_store()
    try:
        return store.listing.ids(incomplete)
    finally:
        store.close()


def runs(
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """List all runs, newest first."""
    from assay.home import find_home
    from assay.lab.lease import state_of
    from assay.workbench.opening import open_store

    store = open_store()
    rows = store.listing.lines()
    store.close()
    states = {row.id: state_of(row.id, row.status, find_home().running) for row in rows}
    if as_json:
        listed = [
            {"run": r.id, "created": r.created, "status": states[r.id], "claim": r.claim, "samples": r.samples}
            | {"verdict": r.word or None}
            for r in rows
        ]
        echo(json.dumps(listed, indent=1))
        return
    from assay.cli.printing.console import Console

    if not rows:
        Console().print("There are no runs yet. Type: assay demo")
        return
    _print_runs(
        [
            {"run": row.id, "model": row.model or "-", "size": str(row.config.get("size", "-"))}
            | {"samples": str(row.samples), "state": states[row.id], "verdict": row.word or "-"}
            | {"when": row.created[:16].replace("T", " ")}
            for row in rows
        ]
    )


def _print_runs(lines: Sequence[dict[str, str]]) -> None:
    """A line per run; where the terminal is narrow, columns are left out and none is cut."""
    from rich import box
    from rich.measure import Measurement
    from rich.table import Table

    from assay.cli.printing.console import Console

    console = Console()
    columns = list(lines[0])
    for left_out in ("", "size", "model", "samples", "time"):
        columns = [column for column in columns if column != left_out]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=left_out != "time")
        for column in columns:
            table.add_column(column, no_wrap=column != "model")
        for line in lines:
            cells = line | {"when": line["when"][:10]} if left_out == "time" else line
            table.add_row(*(cells[column] for column in columns))
        if Measurement.get(console, console.options.update_width(10_000), table).maximum <= console.width:
            break
    console.print(table)


def trace(
    name: str = typer.Argument(..., metavar="RUN", help="A run.", autocompletion=run_names),
    sample: str = typer.Argument("", help="A sample's id; without one, all of them are listed."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show everything that was asked and answered on one sample of a run.

    Instead of a run the id of a trace is taken, as `assay serve` names it in the header x-assay-trace.
    """
    from assay.core import UnknownName
    from assay.lab.session import rows_of
    from assay.workbench.opening import open_store
    from assay.workbench.records import samples_of

    store = open_store()
    try:
        # A trace of its own has a name that no run has.
        if len(name) == 32 and (steps := store.trace(name)):
            echo(json.dumps(steps, indent=1, ensure_ascii=False)) if as_json else _print_steps(steps)
            return
        row = store.run(name)
        rows = rows_of(row, store, samples_of(row))
    finally:
        store.close()
    if sample:
        ids = sorted({one.item for one in rows})
        matching = [item for item in ids if item == sample] or [item for item in ids if item.startswith(sample)]
        if len(matching) != 1:
            hint = (
                f"Type: assay trace {row.id}" if not matching else f"It could be {matching[0]} or {matching[1]}."
            )
            raise UnknownName("sample", sample, ids, hint=hint)
        rows = [one for one in rows if one.item == matching[0]]
    if as_json:
        import dataclasses

        echo(json.dumps([dataclasses.asdict(one) for one in rows], indent=1, ensure_ascii=False))
    elif sample:
        _print_trace(rows)
    else:
        _print_samples(rows)


def _print_samples(rows: Sequence[SampleRow]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from assay.cli.printing.console import Console

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("sample", "arm", "ended", "score", "answer", "target", "tokens"):
        table.add_column(heading, no_wrap=heading in ("sample", "score"))
    for one in sorted(rows, key=lambda one: (one.item, one.arm)):
        score = "" if one.score is None else f"{one.score:.3g}"
        answer = escape((one.answer or "")[:40])
        tokens = f"{one.tokens_in}+{one.tokens_out}"
        table.add_row(one.item, one.arm, one.ending, score, answer, escape(one.target[:20]), tokens)
    Console().print(table)


def _print_trace(rows: Sequence[SampleRow]) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    from assay.cli.printing.console import Console

    console = Console(highlight=False)
    console.print(f"[bold]{escape(rows[0].question)}[/]")
    if rows[0].target:
        console.print(f"target: {escape(rows[0].target)}")
    for one in rows:
        score = "" if one.score is None else f", score {one.score:.3g}"
        console.print(f"\n[bold]{escape(one.arm)}[/]: {one.ending}{score}, answer {escape(str(one.answer))}")
        if one.detail:
            console.print(Padding(escape(one.detail), (0, 0, 0, 2)), style="dim")
        _print_steps(one.steps)


def _print_steps(steps: Sequence[Any]) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    from assay.cli.printing.console import Console
    from assay.report.traces import exchanges

    console = Console(highlight=False)
    for number, step in enumerate(exchanges(steps), 1):
        for exchange in step:
            console.print(f"  [dim]step {number}, {escape(exchange.kind)}: {escape(exchange.parameters)}[/]")
            for block in exchange.blocks:
                console.print(f"  [dim]{'answered' if block.got else 'asked'}, {escape(block.label)}:[/]")
                console.print(Padding(escape(block.body.text or "(a picture)"), (0, 0, 0, 4)))


def report(
    names: list[str] = typer.Argument(None, metavar="[RUN...]", help="Runs; all finished ones if none is named."),
    html_file: Path | None = typer.Option(None, "--html", help="Write one self-contained HTML file."),
    markdown_file: Path | None = typer.Option(None, "--markdown", help="Write Markdown."),
    results: Path | None = typer.Option(None, "--results", help="Take the verdicts of this folder instead."),
) -> None:
    """Report on runs: in the terminal, as Markdown, or as one HTML file with plots and traces."""
    from assay.cli.printing.console import Console
    from assay.core import UserError
    from assay.core.verdict import Verdict
    from assay.report.html import write_html
    from assay.report.markdown import notebook
    from assay.report.terminal import verdict_panel, verdict_table
    from assay.workbench.opening import open_store
    from assay.workbench.records import read_results

    check_writable(html_file, markdown_file)
    if results is not None and names:
        raise UserError("Runs are in the database and not in a folder.", hint="Name runs, or give --results.")
    if results is not None:
        verdicts = read_results(results)
    else:
        store = open_store()
        rows = [store.run(name) for name in names] if names else list(store.runs())
        store.close()
        verdicts = [Verdict.from_json(row.verdict) for row in rows if row.verdict]
    console = Console()
    if html_file is not None and results is not None:
        write_html(html_file, verdicts, {})
    elif html_file is not None:
        write_report(names or [], html_file)
    if html_file is not None:
        console.print(f"Report: {html_file.resolve()}", highlight=False, soft_wrap=True)
    if markdown_file is not None:
        write_whole(markdown_file, notebook(verdicts))
        console.print(f"Markdown: {markdown_file.resolve()}", highlight=False, soft_wrap=True)
    if html_file is None and markdown_file is None:
        for verdict in verdicts if names else []:
            console.print(verdict_panel(verdict))
        console.print(verdict_table(verdicts))


def forget(
    names: list[str] = typer.Argument(..., metavar="RUN...", help="Runs, whole ids.", autocompletion=run_names),
) -> None:
    """Take runs away for good, with their samples, traces and verdicts; nothing is asked.

    A run that is going on is refused. Replies stay in the cache, so the same run made again is quick.
    """
    from assay.home import find_home
    from assay.workbench.opening import open_store
    from assay.workbench.records import forget_run, run_meant

    store = open_store()
    try:
        # All are found before the first one goes.
        runs = list(dict.fromkeys(run_meant(store, name).id for name in names))
        for run in runs:
            freed = forget_run(find_home(), store, run)
            echo(f"{run} is forgotten: {freed:,} bytes.")
    finally:
        store.close()


def export(
    name: str = typer.Argument(..., metavar="RUN", help="A run.", autocompletion=run_names),
    file: Path = typer.Argument(..., help="The JSONL file to write."),
) -> None:
    """Write a run with all its traces to one JSONL file, which `import` and `replay` can read."""
    from assay.lab.transfer import export_run
    from assay.workbench.opening import open_store
    from assay.workbench.records import samples_of

    check_writable(file)
    store = open_store()
    try:
        row = store.run(name)
        count = export_run(row, store, samples_of(row), file)
    finally:
        store.close()
    echo(f"{count} samples of {row.id} written to {file}")


def import_run(
    file: Path = typer.Argument(..., help="A JSONL file that `export` wrote."),
) -> None:
    """Take in a run that was exported, on this machine or on another."""
    import asyncio

    from assay.home import find_home
    from assay.lab.transfer import import_file
    from assay.workbench.opening import open_store

    store = open_store()
    try:
        run, count = asyncio.run(import_file(file, store, find_home().running))
    finally:
        store.close()
    echo(f"{run}: {count} samples taken in. Type: assay report {run}")


def compare(
    files: list[Path] = typer.Argument(..., metavar="A B...", help="Result files; the first is the control."),
    id_field: str = typer.Option("", "--id", help="Field that names the item; found by itself if not given."),
    score_field: str = typer.Option("", "--score", help="Field that holds the score; found by itself likewise."),
    cluster_field: str = typer.Option("", "--cluster", help="Field shared by items that are not independent."),
    smallest: float = typer.Option(0.0, "--smallest-effect", help="Smallest effect worth having."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the bootstrap and the permutation test."),
    json_file: Path | None = typer.Option(None, "--json", help="Write the comparisons to this file."),
) -> None:
    """A paired verdict on results made elsewhere: JSONL, CSV, lm-evaluation-harness or inspect_ai logs.

    Items are matched by id; every further file is compared with the first, with Holm's correction.
    """
    from assay.cli.comparing import compare_files

    compare_files(files, (id_field, score_field, cluster_field), smallest, seed, json_file)
