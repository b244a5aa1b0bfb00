"""`assay organisms`: tiny models that are trained here, on first use or when asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.printing import echo
from assay.workbench.organisms import catalogue, found_organism, organism_names, recipe_names

if TYPE_CHECKING:
    from assay.core.artefacts import Artefact
    from assay.core.training import Made, Recipe

organisms = typer.Typer(
    help="Tiny real models, trained on this machine in minutes: claims about training are tested on them.",
    no_args_is_help=True,
)
SIZE = typer.Option("small", "--size", "-s", help="smoke (seconds), small (minutes) or full.")


@organisms.command("list")
def list_organisms(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """What can be trained, and what is trained already."""
    import json

    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.core.artefacts import artefacts
    from assay.home import find_home

    known = {called: card for name, card in catalogue().items() for called in recipe_names(name)}
    here = [one for one in artefacts(find_home().organisms) if one.is_network]
    if as_json:
        trained, untrained = [_row(one) for one in here], _untrained(here)
        echo(json.dumps({"trained": trained, "untrained": untrained}))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("organism", "card", "trained", "parameters", "tokens", "CPU s", "folder"):
        table.add_column(heading, justify="right" if heading in ("parameters", "tokens", "CPU s") else "left")
    for one in here:
        row = _row(one)
        card = known.get(one.name, ("-",))[0]
        figures = (f"{row['parameters']:,}", f"{row['tokens']:,}", f"{row['cpu_seconds']:.0f}")
        table.add_row(one.name, card, one.created[:10], *figures, one.folder.name)
    for name in _untrained(here):
        table.add_row(name, known[name][0], "not yet", "", "", "", "")
    Console().print(table)
    Console().print("Next: assay organisms train NAME, assay organisms show NAME", style="dim")


@organisms.command("train")
def train(
    name: str = typer.Argument(..., help="A recipe.", autocompletion=organism_names),
    size: str = SIZE,
    seed: int = typer.Option(0, "--seed", min=0, help="First weights, texts and their order."),
    model: str = typer.Option("", "--model", "-m", help="Begin with these weights instead: hf:NAME or hf:FOLDER."),
    processes: int = typer.Option(1, "--processes", min=1, help="Processes, or GPUs, that share every batch."),
    shard: str = typer.Option("ddp", "--shard", help="How they share: ddp (copies) or fsdp2 (pieces)."),
) -> None:
    """Train an organism and everything it builds on; what is there already is not trained again.

    Ctrl-C keeps the checkpoint: the same command goes on from it.
    """
    recipe = _recipe(name, size, seed)
    if processes > 1:
        from assay.cli.training.torchrun import train_in_parallel

        for needed in recipe.inputs():
            _made(needed, model)
        start, identity = _start(model)
        wanted = {"name": name, "size": size, "seed": seed, "model": start, "identity": identity}
        folder = train_in_parallel(wanted, processes, shard)
        echo(f"{name} is trained, by {processes} processes. It is in {folder}")
        return
    made, folder = _made(recipe, model)
    loss = f"loss {made.numbers['loss']:.4f} after " if made.numbers.get("loss") else ""
    echo(
        f"{name} is trained: {loss}{made.tokens_in:,} tokens, {made.cpu_seconds:.1f} CPU seconds. "
        f"It is in {folder}"
    )
    echo(f"Next: assay ask with-suffix 'PROMPT' --set temperature=0 --model organism:{recipe.name}")


@organisms.command("show")
def show(
    name: str = typer.Argument(..., help="An organism.", autocompletion=organism_names),
    plot: Path | None = typer.Option(None, "--plot", help="Draw its loss curve to this SVG file."),
    as_json: bool = typer.Option(False, "--json", help="Print its whole record."),
) -> None:
    """What an organism was made of, how its loss fell, and what is in its folder."""
    import json

    from assay.cli.printing.console import Console
    from assay.core.artefacts import RECORD
    from assay.report.drawings.curves import loss_svg, sparkline

    one = found_organism(name)
    if as_json:
        echo((one.folder / RECORD).read_text())
        return
    console = Console(highlight=False, soft_wrap=True)
    row = _row(one)
    console.print(f"[bold]{one.name}[/bold] {one.hash}, made {one.created}")
    console.print(
        f"{row['parameters']:,} parameters, {row['tokens']:,} tokens, {row['cpu_seconds']:.1f} CPU seconds"
    )
    losses = [(point["tokens"], point["loss"]) for point in one.made.curve if "loss" in point]
    if losses:
        console.print(f"loss {losses[0][1]:.3f} {sparkline([y for _, y in losses])} {losses[-1][1]:.4f}")
    console.print(json.dumps(one.spec, indent=1), markup=False)
    console.print(f"Folder: {one.folder}")
    for file, sha in sorted(one.files.items()):
        console.print(f"  {file:24} sha256 {sha[:16]}")
    if plot is not None:
        from assay.cli.delivering import check_writable

        check_writable(plot)
        plot.write_text(loss_svg(one.name, one.made.curve))
        console.print(f"Loss curve: {plot.resolve()}")


def _untrained(here: list[Artefact]) -> list[str]:
    """Names of the catalogue of which nothing is there."""
    names = {one.name for one in here}
    return [name for name in sorted(catalogue()) if not names & set(recipe_names(name))]


def _parameters(weights: Path) -> int:
    """How many numbers a safetensors file holds, as its head says."""
    import json
    import math

    with weights.open("rb") as file:
        head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in head.items() if name != "__metadata__")


def _row(one: Artefact) -> dict[str, Any]:
    from assay.core.artefacts import WEIGHTS

    numbers = one.made.numbers
    return {
        "name": one.name,
        "hash": one.hash,
        "parameters": int(numbers.get("parameters", 0)) or _parameters(one.folder / WEIGHTS),
        "tokens": one.made.tokens_in,
        "cpu_seconds": one.made.cpu_seconds,
        "loss": numbers.get("loss"),
        "created": one.created,
        "folder": str(one.folder),
    }


def _recipe(name: str, size: str, seed: int) -> Recipe:
    """The recipe of that name; a name that stands for none gets suggestions."""
    from assay.core import UnknownName
    from assay.lab.plan import SIZES

    known = catalogue()
    if name not in known:
        raise UnknownName("recipe", name, known, hint="Type: assay organisms list")
    if size not in SIZES:
        raise UnknownName("size", size, SIZES, hint=f"Sizes: {', '.join(SIZES)}.")
    found: Recipe = known[name][1](seed, size)
    return found


def _made(recipe: Recipe, model: str) -> tuple[Made, Path]:
    """Made now, or taken from where it is kept."""
    import asyncio

    from assay.cli.progress import progress
    from assay.core.artefacts import place_of
    from assay.home import find_home
    from assay.lab.plan import Event
    from assay.lab.workshop import Workshop

    home = find_home().make()

    start, identity = _start(model)
    wanted = recipe.on(start, identity) if start else recipe

    async def work() -> tuple[Made, Path]:
        workshop = Workshop(home.organisms)
        try:
            with progress(recipe.name) as report:
                workshop.tell = lambda text: report(Event("making", text))
                return await workshop.make(wanted), place_of(home.organisms, wanted)
        finally:
            await workshop.close()

    return asyncio.run(work())


def _start(model: str) -> tuple[str, str]:
    """Where the weights to begin with lie, and their identity; both empty: the recipe's own beginning."""
    import asyncio

    from assay.core import Capability
    from assay.core.model import Trainable
    from assay.home import find_home
    from assay.models import ModelChoice, connect

    if not model:
        return "", ""
    needs = frozenset({Capability.TRAIN})
    base = asyncio.run(connect(ModelChoice(model, may_pull=True), find_home().make(), needs=needs))
    return (base.begins_with, base.identity) if isinstance(base, Trainable) else ("", "")
