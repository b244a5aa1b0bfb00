"""`assay run`, `resume`, `demo` and `replay`: from a claim to its verdict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assay.cli.claims import claim_names
from assay.cli.delivering import check_writable, deliver, write_report

if TYPE_CHECKING:
    from assay.core.verdict import Verdict

MODEL = typer.Option(
    "",
    "--model",
    "-m",
    show_default="smollm2-135m; an organism where a claim is about one",
    help="smollm2-135m, gguf:PATH, hf:FOLDER, organism:NAME or openai/NAME.",
)
BASE_URL = typer.Option(None, "--base-url", help="Address of an OpenAI-compatible server; may be repeated.")
SLOTS = typer.Option(8, "--slots", min=1, max=512, help="Requests at the same time, per address.")
TIMEOUT = typer.Option(120.0, "--timeout", min=1, help="Seconds one request may take.")
ENCODER = typer.Option(
    "",
    "--encoder",
    show_default="the model itself",
    help="What gives vectors of texts: minilm (91 MB), hf:FOLDER, gguf:PATH or openai/NAME.",
)
TASK = typer.Option(
    None,
    "--task",
    help="Your own JSONL or CSV file (question, answer), a folder to search in, or a task's name.",
)
CONTROLS = typer.Option(
    None,
    "--controls",
    help="all, none, or of: placebo, equal-spend, format, forced-choice, aa, arm-swap, others.",
)
DRIVER = typer.Option(
    "",
    "--driver",
    help="Who decides inside agents: llm, constrained, calibrated (as measured, or :p=0.8), scripted.",
)

DEMO = (("pal", 40), ("zero-shot-cot", 16), ("tictactoe", 160))
"""Claims of the demo with the pairs each may take: three minutes on two cores, all in all."""


def run(
    names: list[str] = typer.Argument(..., metavar="CLAIM...", help="Claims.", autocompletion=claim_names),
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    size: str = typer.Option("small", "--size", "-s", help="smoke (seconds), small (minutes) or full."),
    seed: int = typer.Option(0, "--seed", min=0, help="Samples and sampled replies derive from it."),
    n: int | None = typer.Option(None, "--n", help="Pairs at most, instead of the size's own number."),
    task: str | None = TASK,
    level: str | None = typer.Option(None, "--level", help="Difficulty; found on pilot items if not given."),
    rule: str | None = typer.Option(None, "--rule", help="Stopping rule: anytime, obf5 or fixed."),
    controls: str | None = CONTROLS,
    equal_spend: bool = typer.Option(False, "--equal-spend", help="Add the control that spends as much."),
    budget_tokens: float | None = typer.Option(None, "--budget-tokens", help="Tokens this run may cost."),
    repeats: int = typer.Option(1, "--repeats", help="Draws per sample and arm; their mean is the score."),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
    json_file: Path | None = typer.Option(None, "--json", help="Write the verdicts to this file."),
    html_file: Path | None = typer.Option(None, "--html", help="Write a report to this file."),
    observer: str = typer.Option("", "--observer", help="A second open network of the same tokenizer: hf:FOLDER."),
    encoder: str = ENCODER,
    results: Path | None = typer.Option(None, "--results", help="Keep a verdict per claim in this folder."),
    driver: str = DRIVER,
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress."),
) -> None:
    """Put claims to the test: treatment against control on the same samples.

    What was asked before is not asked again: replies are kept by model, request and sample. Ctrl-C
    loses nothing; go on with: assay resume RUN.
    """
    import dataclasses

    from assay.cli.conducting import run_wish
    from assay.cli.progress import typed_command
    from assay.workbench.wish import Wish, chosen_controls, model_choice

    wish = Wish(
        claims=tuple(names),
        model=dataclasses.replace(
            model_choice(model, base_url, slots, timeout), observer=observer, encoder=encoder
        ),
        size=size,
        seed=seed,
        n=n,
        level=level,
        task=str(Path(task).resolve()) if task and Path(task).exists() else task,
        rule=rule,
        controls=chosen_controls(controls, size, equal_spend),
        budget_tokens=budget_tokens,
        repeats=repeats,
        driver=driver,
    )
    check_writable(json_file, html_file)
    verdicts = run_wish(wish, typed_command(sys.argv[1:]), quiet=quiet)
    deliver(verdicts, json_file, html_file, results)


def resume(
    name: str = typer.Argument(..., metavar="RUN", help="A run, or how its name begins."),
    json_file: Path | None = typer.Option(None, "--json", help="Write the verdict to this file."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress."),
) -> None:
    """Go on with a run that was stopped; what has ended in it is not done again."""
    from assay.cli.conducting import run_wish
    from assay.core import UserError
    from assay.workbench.opening import open_store
    from assay.workbench.wish import Wish

    store = open_store()
    try:
        row = store.run(name)
    finally:
        store.close()
    if "model" not in row.config:
        raise UserError(
            f"The run {row.id} was brought from elsewhere and cannot be resumed.", hint="Type: assay runs"
        )
    wish = Wish.from_json(row.config)
    # What is written on the verdict must ask for the same elsewhere, where this run is not.
    verdicts = run_wish(wish, wish.command(), resume=row.id, quiet=quiet)
    deliver(verdicts, json_file, None)


def demo(
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    html_file: Path = typer.Option(Path("report.html"), "--html", help="Where the report is written."),
    seed: int = typer.Option(0, "--seed", min=0),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Three claims on the embedded model, in about three minutes: verdicts and a report."""
    import dataclasses

    from assay.cli.conducting import run_wish
    from assay.cli.printing.console import Console
    from assay.cli.progress import typed_command
    from assay.report.terminal import verdict_table
    from assay.workbench.wish import Wish, model_choice

    check_writable(html_file)
    choice = model_choice(model, base_url, slots, timeout)
    wish = Wish(claims=(), model=choice, size="small", seed=seed, controls=("format", "arm-swap"))
    verdicts: list[Verdict] = []
    for claim, n in DEMO:
        level = "1" if claim == "pal" else None
        one = dataclasses.replace(wish, claims=(claim,), n=n, level=level)
        verdicts += run_wish(one, typed_command(sys.argv[1:]))
    console = Console()
    console.print(verdict_table(verdicts))

    write_report([verdict.run for verdict in verdicts], html_file)
    console.print(f"Report with plots and every trace: {html_file.resolve()}", highlight=False, soft_wrap=True)
    console.print("Next: assay list, assay show pal, assay run pal", style="dim")


def replay(
    file: Path = typer.Argument(
        ..., help="Recorded replies as JSONL: arm, item, prompt, replies, target. Or a folder of published logs."
    ),
    claim: str = typer.Option(..., "--claim", help="The claim to judge them by.", autocompletion=claim_names),
    json_file: Path | None = typer.Option(None, "--json", help="Write the verdict to this file."),
    seed: int = typer.Option(0, "--seed", min=0),
) -> None:
    """Judge recorded replies by a claim: no model is asked, the statistics are today's."""
    from assay.cli.replaying import replay_file, replay_folder

    if file.is_dir():
        replay_folder(file, claim, json_file)
    else:
        deliver([replay_file(file, claim, seed)], json_file, None)
