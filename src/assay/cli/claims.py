"""`assay list` and `assay show`: what can be put to the test."""

from __future__ import annotations

import typer

from assay.cli.printing import echo


def claim_names(incomplete: str) -> list[str]:
    """Names of claims, for tab completion."""
    from assay.papers import all_claims

    return [name for name in all_claims() if name.startswith(incomplete)]


def list_claims(
    shelf: str = typer.Option("", "--shelf", help="Only claims of this shelf, such as 'prompting'."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """List every claim, with its source and what it needs."""
    from assay.core import UnknownName
    from assay.papers import all_papers

    shelves = sorted({paper.shelf for paper in all_papers()})
    if shelf and shelf not in shelves:
        raise UnknownName("shelf", shelf, shelves, hint=f"Shelves: {', '.join(shelves)}.")
    chosen = [(paper, claim) for paper in all_papers() for claim in paper.claims if shelf in ("", paper.shelf)]
    if as_json:
        import json

        fields = [
            {
                "claim": c.id,
                "sentence": c.sentence,
                "source": p.title,
                "url": p.url,
                "shelf": p.shelf,
                "row": p.row,
            }
            for p, c in chosen
        ]
        echo(json.dumps(fields, indent=1))
        return
    from rich import box
    from rich.table import Table

    from assay.cli.printing.console import Console

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("claim", no_wrap=True)
    table.add_column("what it says")
    table.add_column("source")
    for paper, claim in chosen:
        table.add_row(claim.id, claim.sentence, f"{paper.authors.split(',')[0]} {paper.year}")
    console = Console()
    console.print(table)
    console.print("Type: assay show CLAIM, or: assay run CLAIM", style="dim")


def show(
    name: str = typer.Argument(..., help="A claim or a card.", autocompletion=claim_names),
) -> None:
    """Show a source's card: what it says, our reading, our departures, its claims."""
    from rich.padding import Padding

    from assay.cli.printing.console import Console
    from assay.papers import paper_named

    paper = paper_named(name)
    console = Console(highlight=False)
    console.print(f"[bold]{paper.title}[/]")
    console.print(f"{paper.authors}, {paper.year} · {paper.url}", style="dim")
    for heading, text in (("It says", paper.says), ("Our reading", paper.reading)):
        console.print(f"\n[bold]{heading}[/]")
        console.print(Padding(text, (0, 0, 0, 2)))
    if paper.departures:
        console.print("\n[bold]Departures[/]")
    for number, text in enumerate(paper.departures, 1):
        console.print(Padding(f"{number}. {text}", (0, 0, 0, 2)))
    for claim in paper.claims:
        console.print(f"\n[bold]{claim.id}[/]")
        console.print(Padding(claim.sentence, (0, 0, 0, 2)))
        sizes = ", ".join(f"{size} {amount.n}" for size, amount in claim.sizes.items())
        lines = [
            f"treatment  {claim.treatment.name}: {claim.treatment.says}",
            f"control    {claim.control.name}: {claim.control.says}",
            f"task       {claim.task.name} (levels {', '.join(claim.task.levels)})",
            f"worth it   from {claim.smallest_effect:g} of {claim.unit}; samples at most: {sizes}",
            f"needs      {', '.join(sorted(need.value for need in claim.needs))}"
            + (", a sandbox" if claim.sandbox else ""),
        ]
        for line in lines:
            console.print(Padding(line, (0, 0, 0, 4)), soft_wrap=False)
        console.print(Padding(f"assay run {claim.id}", (0, 0, 0, 4)), style="dim")
