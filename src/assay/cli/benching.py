"""`assay bench`: measured against the physical limit in the same run, as a ratio."""

from __future__ import annotations

import typer


def bench_names(incomplete: str) -> list[str]:
    """Names of benchmarks, for tab completion."""
    from assay.cli.benchmarks import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


def bench(
    name: str = typer.Argument(
        ..., help="driver, sandbox, watermark, choice, train, tree, arena or serve.", autocompletion=bench_names
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Measure a part of assay beside the limit of what it stands on."""
    import asyncio
    import json
    import sys

    from rich.console import Console

    from assay.cli.benchmarks import NAMES, benchmark
    from assay.core import UnknownName

    if name not in NAMES:
        raise UnknownName("benchmark", name, NAMES, hint=f"Benchmarks: {', '.join(NAMES)}.")
    figures = asyncio.run(benchmark(name)(lambda text: print(f"bench: {text}", file=sys.stderr)))
    if as_json:
        typer.echo(json.dumps(figures))
        return
    console = Console(highlight=False)
    for key, value in figures.items():
        console.print(f"{key:26} {value:.4g}" if isinstance(value, float) else f"{key:26} {value}")
