"""`assay engineer`: an instruction for your examples, found by the model and tested on what it never saw."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.models import ModelChoice
    from assay.techniques.prompting import Candidate, Search

Example = tuple[str, str]
FEWEST = 4
"""Examples to search on, and as many to test on."""


def engineer(
    file: Path = typer.Argument(..., help="Examples as JSONL or CSV: question, answer."),
    instruction: str = typer.Option(
        "", "--instruction", "-i", help="Your own instruction, to be tested beside it."
    ),
    by: str = typer.Option("likelihood", "--by", help="Score by likelihood or by accuracy."),
    proposals: int = typer.Option(18, "--proposals", min=1, max=500),
    variations: int = typer.Option(6, "--variations", min=0, max=500, help="Of the best proposals."),
    out: Path | None = typer.Option(None, "--out", help="Write every candidate to this JSONL file."),
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    seed: int = typer.Option(0, "--seed", min=0),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Find an instruction for your examples: the model proposes, scores pick, and unseen examples test.

    Half of the examples are searched on. What is chosen looks better there than it is; so the other half, which
    nothing was chosen on, says how good it is.
    """
    from typing import get_args

    from assay.cli.delivering import check_writable
    from assay.core import BadFile, UnknownName
    from assay.tasks import load_task
    from assay.techniques.prompting import By, Search

    check_writable(out)
    samples = load_task(file).samples(10_000, seed)
    examples = [(sample.question, sample.target) for sample in samples]
    if len(examples) < 2 * FEWEST:
        raise BadFile(file, f"{len(examples)} examples are too few.", hint=f"Give at least {2 * FEWEST}.")
    if by not in get_args(By):
        raise UnknownName("way of scoring", by, get_args(By))
    search = Search(proposals, variations, seed=seed, by=by)  # type: ignore[arg-type]
    choice = model_choice(model, base_url, slots, timeout)
    half = min(len(examples) // 2, 24)
    chosen, tested = asyncio.run(_search(choice, examples[:half], examples[half:], instruction, search))
    _show(chosen, tested, (half, len(examples) - half), by)
    if out is not None:
        rows = ({"instruction": c.instruction, "mean": c.mean, "origin": c.origin} for c in chosen)
        out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        echo(f"Candidates: {out}")


async def _search(
    choice: ModelChoice, seen: list[Example], unseen: list[Example], own: str, search: Search
) -> tuple[tuple[Candidate, ...], list[Candidate]]:
    """Candidates by their score on the seen half; the best, the own instruction and none on the other half."""
    from assay.cli.progress import progress
    from assay.core import Capability, Flow, ModelError
    from assay.home import find_home
    from assay.lab.driver import Job
    from assay.lab.plan import Event
    from assay.techniques.prompting import engineer as engineered
    from assay.techniques.prompting import scored
    from assay.workbench.opening import bench

    def work() -> Flow[tuple[tuple[Candidate, ...], list[Candidate]]]:
        candidates = yield from engineered(seen, search)
        if not candidates:
            raise ModelError("The model proposed nothing that could be used.", hint="Give more --proposals.")
        compared = [candidates[0].instruction, *([own] if own else []), ""]
        return candidates, (yield from scored(compared, unseen, "tested", search.by))

    needs = {Capability.SCORE} if search.by == "likelihood" else set()
    async with bench(choice, find_home().make(), needs) as (_, model, driver):
        with progress("engineer") as report:
            report(Event("phase", "proposing, scoring and testing"))
            return (await driver.drive(Job(None, work, model, seed=search.seed))).result()


def _show(candidates: tuple[Candidate, ...], tested: list[Candidate], count: tuple[int, int], by: str) -> None:
    from rich.markup import escape

    from assay.cli.printing.console import Console

    console = Console(highlight=False)
    console.print(f"[bold]{escape(candidates[0].instruction)}[/bold]\n")
    console.print("probability per token of the right output" if by == "likelihood" else "share of right outputs")
    best, *others = tested
    gap = candidates[0].mean - best.mean
    console.print(f"  {candidates[0].mean:.3f}  on the {count[0]} examples it was chosen on")
    console.print(f"  {best.mean:.3f}  on {count[1]} others: chosen, it looked {gap:+.3f} better than it is")
    for other in others:
        name = f"your own: {other.instruction}" if other.instruction else "no instruction"
        console.print(f"  {other.mean:.3f}  {escape(name)}")
    console.print(f"\n[dim]{len(candidates)} candidates were scored; the next best:[/dim]")
    for candidate in candidates[1:5]:
        console.print(f"[dim]  {candidate.mean:.3f}  {escape(candidate.instruction)}[/dim]")
