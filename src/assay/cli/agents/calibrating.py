"""`assay calibrate`: how well a model decides what is decided inside a task's agents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from assay.cli.agents.running import check_held
from assay.cli.printing import echo
from assay.cli.running import BASE_URL, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.core.agents import Question
    from assay.models import ModelChoice
    from assay.stats import Interval

KINDS_TITLE = ("decision", "form", "n", "right", "95 % interval", "a guess")


def deciding_tasks(incomplete: str) -> list[str]:
    """Tasks inside which something is decided, for tab completion."""
    from assay.tasks import tasks_with_questions

    return [name for name in tasks_with_questions() if name.startswith(incomplete)]


def calibrate(
    task: str = typer.Argument(..., help="A task with decisions, such as errands.", autocompletion=deciding_tasks),
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    driver: str = typer.Option("constrained", "--driver", help="constrained (held to the options) or llm."),
    n: int = typer.Option(200, "--n", min=1, help="Decisions, all kinds together."),
    seed: int = typer.Option(0, "--seed", min=0),
    replace: bool = typer.Option(False, "--replace", help="Replace a larger measurement, or another driver's."),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Measure how often a model decides rightly, kind by kind; `--driver calibrated` then is as right as that.

    The decisions come from worlds whose right answer is known. A seeded policy that is right as often can then
    be run thousands of times: what it shows is what a mechanism does at that competence.
    """
    import asyncio

    from assay.core import UserError
    from assay.tasks import tasks_with_questions

    known = tasks_with_questions()
    if task not in known:
        from assay.core import UnknownName

        raise UnknownName("task with decisions", task, known, hint=f"Tasks: {', '.join(known)}.")
    if driver not in ("constrained", "llm"):
        raise UserError(f"The driver {driver} asks no model.", hint="Measure constrained or llm.")
    choice = model_choice(model, base_url, slots, timeout)
    questions = known[task].questions(n, seed)
    if not replace:
        _check_kept(task, choice.name, driver, len(questions))
    decided = asyncio.run(_decide(questions, choice, driver, seed))
    _keep(task, choice.name, driver, questions, decided)


def _check_kept(task: str, model: str, driver: str, n: int) -> None:
    """Raise `UserError` where what was measured of the model rests on more decisions, or on another driver."""
    from assay.core import BadFile, UserError
    from assay.models import DEFAULT_MODEL
    from assay.workbench.competence import measured_competence

    try:
        kept = measured_competence(model, task)
    except BadFile:
        return
    if kept is not None and (kept.n > n or kept.driver != driver):
        measured = f"{model or DEFAULT_MODEL} was measured on {task} already ({kept.measured})."
        raise UserError(measured, hint="To put this in its place, add: --replace")


async def _decide(
    questions: Sequence[Question], choice: ModelChoice, driver: str, seed: int
) -> list[tuple[str, ...]]:
    from assay.cli.progress import progress
    from assay.core.agents import decider_named
    from assay.home import find_home
    from assay.lab.driver import Job
    from assay.lab.plan import Event
    from assay.workbench.opening import bench

    decider = decider_named(driver)
    found: dict[int, tuple[str, ...]] = {}
    async with bench(choice, find_home().make()) as (_, model, runner):
        check_held(model, driver)
        jobs = [Job(at, lambda q=q: decider.decide(q), model, seed=seed) for at, q in enumerate(questions)]  # type: ignore[misc]
        with progress("calibrate") as report:
            async for done in runner.run(jobs):
                if done.error is not None:
                    raise done.error
                found[done.key] = done.value or ()
                report(Event("sample", "decisions", len(found), len(questions)))
    return [found[at] for at in range(len(questions))]


def _keep(
    task: str, model: str, driver: str, questions: Sequence[Question], decided: Sequence[tuple[str, ...]]
) -> None:
    """Print competence per kind with its interval, and keep it."""
    from rich.table import Table

    from assay.cli.printing.console import Console
    from assay.core.agents import correctness
    from assay.home import find_home
    from assay.models import DEFAULT_MODEL
    from assay.workbench.competence import competence_file

    table = Table(box=None, pad_edge=False)
    for title in KINDS_TITLE:
        table.add_column(title, justify="left" if title in ("decision", "form") else "right")
    kinds: dict[str, dict[str, object]] = {}
    for kind in dict.fromkeys(question.kind for question in questions):
        pairs = [(q, d) for q, d in zip(questions, decided, strict=True) if q.kind == kind]
        shares = [correctness(q, d) for q, d in pairs]
        mean = sum(shares) / len(shares)
        interval = interval_of(shares)
        guess = sum(_guess(q) for q, _ in pairs) / len(pairs)
        kinds[kind] = {"right": mean, "interval": [interval.low, interval.high], "n": len(shares), "guess": guess}
        figures = (f"{mean:.3f}", f"[{interval.low:.3f}, {interval.high:.3f}]", f"{guess:.3f}")
        table.add_row(kind, pairs[0][0].form, str(len(shares)), *figures)
    Console().print(table)
    file = competence_file(model or DEFAULT_MODEL, task)
    file.parent.mkdir(parents=True, exist_ok=True)
    record = {"model": model or DEFAULT_MODEL, "task": task, "driver": driver, "kinds": kinds}
    file.write_text(json.dumps(record, indent=1) + "\n")
    echo(f"Kept in {find_home().competence}. Next: assay run CLAIM --driver calibrated")


def interval_of(shares: Sequence[float]) -> Interval:
    """The 95 % interval of how right the decisions are, within 0 and 1: Wilson's where each is right or wrong."""
    from assay.stats import Interval, mean_t, wilson

    if set(shares) <= {0.0, 1.0}:
        return wilson(round(sum(shares)), len(shares))
    found = mean_t(shares).interval if len(shares) > 1 else Interval(0.0, 1.0, 0.95)
    return Interval(max(0.0, found.low), min(1.0, found.high), found.level)


def _guess(question: Question) -> float:
    """How right one would be who names options at random."""
    return len(question.right) / len(question.options) if question.form == "choose" else 0.5
