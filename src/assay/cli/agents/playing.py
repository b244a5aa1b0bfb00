"""`assay play`: twenty questions against a model, with what it would reveal shown after every answer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.core import Answer, Flow
    from assay.lab.driver import Driver
    from assay.models import ModelChoice

play = typer.Typer(help="Games against a model that show what goes on in it.", no_args_is_help=True)
BAR = 24
"""Widest bar of the distribution."""


@play.command("riddle")
def riddle(
    holding: str = typer.Option("nothing", "--holding", help="The secret: nothing, note, encoded or tool."),
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    seed: int = typer.Option(0, "--seed", min=0, help="Which secret is written down, where one is."),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Twenty questions: the model has thought of one of 64 objects, or so it says.

    After every answer you see the exact distribution of what it would reveal now. Type a question, `list` for the
    objects, or `reveal` to end.
    """
    asyncio.run(_riddle(holding, model_choice(model, base_url, slots, timeout), seed))


async def _riddle(holding: str, choice: ModelChoice, seed: int) -> None:
    from random import Random

    from assay.core import Capability
    from assay.home import find_home
    from assay.tasks.games.riddle import OBJECTS
    from assay.techniques.prompting.commitment import answered, opening_of, reveal
    from assay.workbench.opening import bench

    names = tuple(OBJECTS)
    secret = Random(seed).choice(names)
    opening_of(names, secret, holding)  # type: ignore[arg-type]  # An unknown name is said before a model is loaded.
    dialogue: list[tuple[str, str]] = []
    async with bench(choice, find_home().make(), {Capability.SCORE}) as (_, model, driver):

        async def run(flow: Flow[Answer]) -> Answer:
            return await _run(driver, flow, model, seed)

        def distribution() -> Flow[Answer]:
            return reveal(names, dialogue, (), secret, holding=holding)  # type: ignore[arg-type]

        echo("I have thought of an object. Ask me what can be answered with yes or no; or type: list, reveal")
        _show(await run(distribution()), names)
        while (line := await asyncio.to_thread(_question)) not in ("reveal", ""):
            if line == "list":
                echo(", ".join(names))
                continue
            answer = await run(answered(names, dialogue, line, secret, holding=holding))  # type: ignore[arg-type]
            dialogue.append((line, answer.text.strip()))
            echo(answer.text.strip())
            _show(await run(distribution()), names)
        found = await run(distribution())
        echo(f"I thought of the {found.value}.")
        if holding != "nothing":
            echo(f"The secret was the {secret}.")


async def _run(driver: Driver, flow: Flow[Answer], model: object, seed: int) -> Answer:
    from assay.lab.driver import Job

    return (await driver.drive(Job(None, lambda: flow, model, seed=seed))).result()  # type: ignore[arg-type]


def _question() -> str:
    """The next line a person types; empty at the end of the input."""
    echo("> ", nl=False)
    for line in sys.stdin:
        if text := line.strip():
            return text
        echo("> ", nl=False)
    return ""


def _show(found: Answer, names: Sequence[str]) -> None:
    """What would be revealed now: bits, and the likeliest objects."""
    from assay.cli.printing.console import Console

    console = Console(highlight=False)
    shares = {name: found.measures[f"share of {name}"] for name in names}
    bits, agree = found.measures["bits"], found.measures["agree"]
    console.print(f"[dim]{bits:.2f} bits open; two forks agree {100 * agree:.0f} % of the time[/]")
    for name in sorted(shares, key=lambda one: -shares[one])[:5]:
        bar = "█" * max(1, round(BAR * shares[name]))
        console.print(f"[dim]{name:>10} {100 * shares[name]:5.1f} % {bar}[/]")
