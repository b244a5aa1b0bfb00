"""`assay bench tree`: the same tree searches one request at a time, and all together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from assay.core import Answer, Flow, together
from assay.core.problems.countdown import Countdown
from assay.home import find_home
from assay.lab.driver import Driver, Job
from assay.models import ModelChoice, connect
from assay.models.llamacpp import LlamaCpp
from assay.tasks import Game24Task
from assay.tasks.games.game24 import puzzle_of
from assay.techniques.search.tree_of_thoughts import judgements, proposals
from assay.techniques.search.tree_search import breadth_first

Say = Callable[[str], None]
PUZZLES = 12


async def tree(say: Say) -> dict[str, Any]:
    """Greedy searches over twelve puzzles of three numbers: what waiting for every single reply costs.

    A dispatch is one wait for the model: requests that are sent and waited for together. The first run warms
    the engine up and is not counted; both counted runs meet it with the prompts of the same searches in it.
    """
    model = await connect(ModelChoice(may_pull=True), find_home().make(), say=say)
    assert isinstance(model, LlamaCpp), "the embedded model"
    puzzles = [puzzle_of(sample) for sample in Game24Task().samples(PUZZLES, seed=0, level="3")]
    figures: dict[str, Any] = {"puzzles": len(puzzles), "slots": model.slots}
    answers: dict[str, list[str]] = {}
    runs = (("warm", _together), ("singly", _singly), ("together", _together))
    for name, run in runs:
        say(f"{name}: {len(puzzles)} searches")
        before, started = model.meter.prompt_tokens_evaluated, time.monotonic()
        found, dispatches, requests, cpu = await run(model, puzzles)
        if name == "warm":
            continue
        answers[name] = [answer.text for answer in found]
        figures |= {
            f"{name}_dispatches": dispatches,
            f"{name}_requests": requests,
            f"{name}_prompt_tokens_evaluated": model.meter.prompt_tokens_evaluated - before,
            f"{name}_cpu_s": cpu,
            f"{name}_wall_s": time.monotonic() - started,
        }
    await model.close()
    same = sum(one == other for one, other in zip(answers["singly"], answers["together"], strict=True))
    return figures | {
        "fewer_dispatches": figures["singly_dispatches"] / figures["together_dispatches"],
        "faster": figures["singly_wall_s"] / figures["together_wall_s"],
        "same_answers": same,
    }


Run = tuple[list[Answer], int, int, float]
"""Answers, dispatches, requests, CPU seconds."""


def _search(puzzle: Countdown) -> Flow[Answer]:
    propose, judge = proposals(puzzle, 0.0), judgements(puzzle, 0.0, 1)
    return breadth_first(puzzle, propose, judge, depth=len(puzzle.numbers) - 1)


async def _together(model: LlamaCpp, puzzles: Sequence[Countdown]) -> Run:
    """All searches as one flow: their requests go out in the same steps."""
    work = Driver()
    try:
        done = await work.drive(Job("tree", lambda: together([_search(p) for p in puzzles]), model))
        asked = sum(len(step.requests) for step in done.steps)
        return done.result(), len(done.steps), asked, done.usage.cpu_seconds
    finally:
        await work.close()


async def _singly(model: LlamaCpp, puzzles: Sequence[Countdown]) -> Run:
    """One search after another, and in each one request after another: what a plain loop does."""
    work = Driver()
    answers, dispatches, cpu = [], 0, 0.0
    try:
        for puzzle in puzzles:
            done = await work.drive(Job("tree", partial(_one_by_one, _search(puzzle)), model))
            answers.append(done.result())
            dispatches += len(done.steps)
            cpu += done.usage.cpu_seconds
    finally:
        await work.close()
    return answers, dispatches, dispatches, cpu


def _one_by_one(flow: Flow[Answer]) -> Flow[Answer]:
    """The same flow, each of its requests in a step of its own."""
    try:
        requests = next(flow)
        while True:
            replies: list[Any] = []
            for request in requests:
                replies += yield [request]
            requests = flow.send(replies)
    except StopIteration as stop:
        answer: Answer = stop.value
        return answer
