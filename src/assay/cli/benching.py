"""`assay bench`: measured against the physical limit in the same run, as a ratio."""

from __future__ import annotations

import typer

from assay.cli.printing import echo


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

    from assay.cli.benchmarks import NAMES, benchmark
    from assay.cli.printing.console import Console
    from assay.core import UnknownName

    if name not in NAMES:
        raise UnknownName("benchmark", name, NAMES, hint=f"Benchmarks: {', '.join(NAMES)}.")
    figures = asyncio.run(benchmark(name)(lambda text: echo(f"bench: {text}", err=True)))
    if as_json:
        echo(json.dumps(figures))
        return
    console = Console(highlight=False)
    for key, value in figures.items():
        console.print(f"{key:26} {value:.4g}" if isinstance(value, float) else f"{key:26} {value}")
