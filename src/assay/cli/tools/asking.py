"""`assay ask`: a technique on one question, no claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from assay.cli.running import BASE_URL, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.core import Answer, Capability, Flow
    from assay.models import ModelChoice


def technique_names(incomplete: str) -> list[str]:
    """Names of techniques, for tab completion."""
    from assay.workbench.techniques import all_techniques

    return [name for name in all_techniques() if name.startswith(incomplete)]


def ask(
    technique: str = typer.Argument(..., help="A technique.", autocompletion=technique_names),
    question: str = typer.Argument(..., help="The question, or - to read it from standard input."),
    n: int | None = typer.Option(None, "--n", help="Samples, for techniques that draw several."),
    settings: list[str] = typer.Option(None, "--set", help="A setting of the technique as NAME=VALUE."),
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    seed: int = typer.Option(0, "--seed", min=0),
    budget_tokens: float | None = typer.Option(None, "--budget-tokens", help="Tokens it may cost."),
    trace: bool = typer.Option(False, "--trace", help="Print everything that was asked and answered."),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Use a technique on one question and print its answer, its votes and its cost."""
    import sys

    from assay.workbench.techniques import bind, needs_of

    text = sys.stdin.read().strip() if question == "-" else question
    pairs = [*(settings or []), *([f"n={n}"] if n is not None else [])]
    flow = bind(technique, text, pairs)
    choice = model_choice(model, base_url, slots, timeout)
    ask_technique(flow, choice, needs_of(technique), seed, budget_tokens, trace)


def ask_technique(
    flow: Flow[Answer],
    choice: ModelChoice,
    needs: frozenset[Capability],
    seed: int,
    budget_tokens: float | None,
    trace: bool,
) -> None:
    """Run the flow and print its answer, what it measured, its votes and its cost."""
    import asyncio
    import time

    from rich.markup import escape

    from assay.cli.printing.console import Console
    from assay.core import Budget
    from assay.home import find_home
    from assay.lab.driver import Done, Job
    from assay.workbench.opening import bench

    budget = Budget(tokens=budget_tokens) if budget_tokens is not None else None

    async def work() -> Done[Answer]:
        async with bench(choice, find_home().make(), needs) as (_, model, driver):
            return await driver.drive(Job(None, lambda: flow, model, seed=seed, budget=budget))

    begun = time.monotonic()
    done = asyncio.run(work())
    seconds = time.monotonic() - begun
    console = Console(highlight=False)
    if trace:
        import json

        for number, step in enumerate(done.steps, 1):
            console.print(f"[dim]step {number}[/]")
            console.print(escape(json.dumps(step.to_json(), indent=1, ensure_ascii=False)), soft_wrap=True)
    if done.error is not None:
        raise done.error
    answer = done.value
    assert answer is not None, "a flow without error returns an answer"
    shown = answer.value if answer.value is not None else answer.text.strip()
    if shown or not answer.measures:
        console.print(escape(shown or f"(no answer: {answer.detail or 'the reply was empty'})"))
    else:
        for name, value in answer.measures.items():
            console.print(f"{escape(name):20} {value:.4g}")
    if answer.votes:
        votes = ", ".join(f"{text} x{count}" for text, count in answer.votes)
        console.print(f"[dim]votes: {escape(votes)}[/]")
    usage = done.usage
    calls = f"{usage.calls} call{'' if usage.calls == 1 else 's'}"
    console.print(f"[dim]{calls}, {usage.tokens_in} tokens in, {usage.tokens_out} out, {seconds:.1f} s[/]")
