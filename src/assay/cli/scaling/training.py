"""`assay scaling runs`: the runs of the Chinchilla card, trained here, as a file that `fit` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo

if TYPE_CHECKING:
    from assay.core.home import Home
    from assay.techniques.training.scaling import RunTableFit


def runs(
    size: str = typer.Option("small", "--size", "-s", help="smoke (seconds), small (minutes) or full."),
    seeds: int = typer.Option(0, "--seeds", min=0, help="Seeds everything is trained from; 0: as the claims do."),
    seed: int = typer.Option(
        0, "--seed", min=0, help="As of assay run: with the same one nothing is trained twice."
    ),
    out: Path = typer.Option(Path("scaling_runs.csv"), "--out", metavar="FILE.csv", help="Where the runs go."),
) -> None:
    """Train the runs that the claims on scaling laws rest on, and write them to a file.

    Tiny networks of several widths, each at several compute budgets, on a Markov source; what is trained
    already is taken from where it is kept. One row is one run: parameters without the embedding, tokens,
    held-out loss in nats a token, and FLOP, counted out.

    For instance: assay scaling runs --out runs.csv && assay scaling fit runs.csv --method all
    """
    import asyncio

    from assay.cli.delivering import check_writable
    from assay.core import UnknownName
    from assay.home import find_home
    from assay.lab.plan import SIZES
    from assay.papers.recipes.scaling import fitted
    from assay.tasks import SeedsTask
    from assay.techniques.training.trend import SEEDS

    if size not in SIZES:
        raise UnknownName("size", size, SIZES, hint=f"Sizes: {', '.join(SIZES)}.")
    check_writable(out)
    home, count = find_home().make(), seeds or SEEDS[size].n
    tables = {found.meta["seed"]: fitted(found.meta["seed"], size) for found in SeedsTask().samples(count, seed)}
    asyncio.run(_make([*tables.values()], home))
    rows = _write(tables, home, out)
    echo(f"{rows} runs from {count} seed{'s' if count > 1 else ''} are in {out}")
    echo(f"Next: assay scaling fit {out} --method all")


async def _make(tables: list[RunTableFit], home: Home) -> None:
    """Each seed's table; Ctrl-C keeps what is finished, and checkpoints of the rest."""
    import asyncio

    from assay.cli.progress import progress
    from assay.lab.plan import Event
    from assay.lab.workshop import Workshop

    with progress("scaling") as report:
        workshop = Workshop(home.organisms, tell=lambda text: report(Event("making", text)))
        try:
            wanted = list(dict.fromkeys(run for table in tables for run in table.runs))
            ended = asyncio.as_completed([workshop.make(run) for run in wanted])
            for done, one in enumerate(ended, start=1):
                await one
                report(Event("sample", "", done, len(wanted)))
            for table in tables:
                await workshop.make(table)
        finally:
            await workshop.close()


def _write(tables: dict[int, RunTableFit], home: Home, out: Path) -> int:
    """All tables as one, with the seed in the name of the run and in a column; how many rows."""
    import csv

    from assay.core.artefacts import place_of
    from assay.techniques.training.scaling import TABLE

    rows: list[dict[str, str]] = []
    for seed, table in tables.items():
        with (place_of(home.organisms, table) / TABLE).open(encoding="utf-8", newline="") as file:
            rows += [row | {"run": f"{row['run']}-seed-{seed}", "seed": str(seed)} for row in csv.DictReader(file)]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)
