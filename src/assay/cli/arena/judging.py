"""`assay arena judge`: models answer prompts, and another model votes on their answers, in both orders."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, SLOTS, TIMEOUT

if TYPE_CHECKING:
    from assay.core import Answer, Flow, Reply
    from assay.models import ModelChoice

Rows = list[dict[str, Any]]


def judge(
    file: Path = typer.Argument(
        ..., metavar="PROMPTS", help="Questions as JSONL or CSV, with an answer or without."
    ),
    models: list[str] = typer.Option(..., "--model", "-m", help="A model that answers; give two or more."),
    by: str = typer.Option(..., "--judge", help="The model that judges."),
    out: Path = typer.Option(
        Path("votes.jsonl"), "--out", help="Where the votes go; assay arena rank reads them."
    ),
    n: int = typer.Option(100, "--n", min=1, help="Prompts at most."),
    max_tokens: int = typer.Option(200, "--max-tokens", min=1, help="Of an answer."),
    base_url: list[str] = BASE_URL,
    seed: int = typer.Option(0, "--seed", min=0),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Let a model judge the answers of others to your prompts, each pair in both orders.

    A verdict counts where both orders agree. The file of votes also holds those that do not, and the answers, so
    that length and markdown can be controlled for.

    For instance: assay arena judge prompts.jsonl --model openai/a --model openai/b --judge openai/c
    """
    from assay.cli.delivering import check_writable
    from assay.core import UserError
    from assay.tasks.votes import read_votes
    from assay.workbench.votes import position_sentence
    from assay.workbench.wish import model_choice

    if len(set(models)) < 2:
        raise UserError("One model alone has nobody to meet.", hint="Give --model twice or more.")
    check_writable(out)
    prompts = prompts_of(file, n)
    choices = {name: model_choice(name, base_url, slots, timeout) for name in dict.fromkeys((*models, by))}
    rows = asyncio.run(
        _votes(prompts, {name: choices[name] for name in dict.fromkeys(models)}, choices[by], (max_tokens, seed))
    )
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    agreed = sum(row["g1_winner"] == row["g2_winner"] != "error" for row in rows)
    echo(f"{len(rows)} pairs judged; {agreed} with one verdict in both orders.")
    if rows:
        echo(position_sentence(*read_votes(out, unknown="tie").shown))
    if agreed:
        echo(f"Type: assay arena rank {out}")


def prompts_of(file: Path, n: int) -> list[str]:
    """The first n prompts of a file: `question`, `prompt` or `input`, or the first of MT-bench's `turns`."""
    from assay.core import BadFile
    from assay.tasks.votes import read_records

    found: list[str] = []
    for line, row in read_records(file):
        turns = row.get("turns")
        first = turns[0] if isinstance(turns, list) and turns else None
        given = next((row[name] for name in ("question", "prompt", "input") if row.get(name)), first)
        if not isinstance(given, str) or not given.strip():
            hint = "A row has question, prompt, input or turns."
            raise BadFile(file, "there is no prompt in it.", line=line, hint=hint)
        found.append(given.strip())
        if len(found) == n:
            break
    if not found:
        raise BadFile(file, "there is no prompt in it.")
    return found


async def _votes(
    prompts: list[str], models: dict[str, ModelChoice], by: ModelChoice, settings: tuple[int, int]
) -> Rows:
    """Every model answers, then every pair is judged on every prompt; what was asked before is in the cache."""
    max_tokens, seed = settings
    answers: dict[str, list[str]] = {}
    for name, choice in models.items():
        starts = [partial(_answer, prompt, max_tokens) for prompt in prompts]
        answers[name] = [reply.text.strip() for reply in await _all(name, choice, starts, seed)]
    pairs = [(at, one, two) for at in range(len(prompts)) for one, two in combinations(models, 2)]
    judged = [(at, one, two) for at, one, two in pairs if answers[one][at] and answers[two][at]]
    if len(judged) < len(pairs):
        echo(f"assay: {len(pairs) - len(judged)} pairs left out, an answer is empty", err=True)
    cases = [partial(_judged, prompts[at], answers[one][at], answers[two][at]) for at, one, two in judged]
    verdicts = await _all("judge", by, cases, seed)
    return [
        {
            "question_id": str(at),
            "model_1": one,
            "model_2": two,
            "g1_winner": _winner(verdict, "shown first"),
            "g2_winner": _winner(verdict, "shown second"),
            "judge": by.name,
            "turn": 1,
            "prompt": prompts[at],
            "response_a": answers[one][at],
            "response_b": answers[two][at],
        }
        for (at, one, two), verdict in zip(judged, verdicts, strict=True)
    ]


async def _all(name: str, choice: ModelChoice, starts: Sequence[Any], seed: int) -> list[Any]:
    """What all these flows return on one model, in order."""
    from assay.cli.progress import progress
    from assay.home import find_home
    from assay.lab.driver import Job
    from assay.lab.plan import Event
    from assay.workbench.opening import bench

    found: dict[int, Any] = {}
    async with bench(choice, find_home().make()) as (_, model, driver):
        with progress("arena") as report:
            async for done in driver.run([Job(at, start, model, seed=seed) for at, start in enumerate(starts)]):
                found[done.key] = done.result()
                report(Event("sample", name, len(found), len(starts)))
    return [found[at] for at in range(len(starts))]


def _answer(prompt: str, max_tokens: int) -> Flow[Reply]:
    from assay.core import Ask, ask

    (reply,) = yield from ask(Ask(prompt, max_tokens=max_tokens))
    return reply


def _judged(prompt: str, one: str, two: str) -> Flow[Answer]:
    from assay.techniques.prompting import pairwise_judge

    return pairwise_judge(prompt, one, two)


def _winner(verdict: Answer, order: str) -> str:
    """In the words of FastChat's judge."""
    return {None: "error", 1.0: "model_1", 0.0: "model_2", 0.5: "tie"}[verdict.measures.get(order)]
