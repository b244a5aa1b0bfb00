"""`assay bench tree`: the same tree searches one request at a time, all together, and as a peer walks them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from assay.core import Answer, Flow, together
from assay.core.problems.countdown import Countdown, Left
from assay.home import find_home
from assay.lab.driver import Driver, Job
from assay.models import ModelChoice, connect
from assay.models.llamacpp import LlamaCpp
from assay.tasks import Game24Task
from assay.tasks.games.game24 import puzzle_of
from assay.techniques.search.tree import Judge, Propose
from assay.techniques.search.tree_of_thoughts import judgements, proposals
from assay.techniques.search.tree_search import breadth_first

Say = Callable[[str], None]
PUZZLES = 12
BREADTH = 5
PEER = "llm-reasoners"
MISSING = {"missing": f"not installed here: pip install --no-deps {PEER}, beside torch and transformers"}


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
    runs: dict[str, Callable[[LlamaCpp, Sequence[Countdown]], Awaitable[Run]]] = {
        "warm": _together,
        "singly": _singly,
        "together": _together,
    }
    if all(find_spec(module) for module in ("reasoners", "torch", "transformers")):
        import_module("reasoners.algorithm")
        runs[PEER] = _by_peer
    for name, run in runs.items():
        say(f"{name}: {len(puzzles)} searches")
        before, started = model.meter.prompt_tokens_evaluated, time.monotonic()
        found, dispatches, requests, cpu = await run(model, puzzles)
        if name == "warm":
            continue
        answers[name] = found
        figures[name] = {
            "dispatches": dispatches,
            "requests": requests,
            "prompt_tokens_evaluated": model.meter.prompt_tokens_evaluated - before,
            "cpu_s": cpu,
            "wall_s": time.monotonic() - started,
        }
    await model.close()
    for name, found in answers.items():
        figures[name]["same_answers"] = sum(a == b for a, b in zip(found, answers["together"], strict=True))
    peer = figures.pop(PEER, MISSING)
    return figures | {
        "fewer_dispatches": figures["singly"]["dispatches"] / figures["together"]["dispatches"],
        "faster": figures["singly"]["wall_s"] / figures["together"]["wall_s"],
        "peers": {PEER: peer},
    }


Run = tuple[list[str], int, int, float]
"""Answers, dispatches, requests, CPU seconds."""


def _asking(puzzle: Countdown) -> tuple[Propose[Left], Judge[Left]]:
    """The same words for whoever searches."""
    return proposals(puzzle, 0.0), judgements(puzzle, 0.0, 1)


def _search(puzzle: Countdown) -> Flow[Answer]:
    propose, judge = _asking(puzzle)
    return breadth_first(puzzle, propose, judge, depth=len(puzzle.numbers) - 1, breadth=BREADTH)


def _finished(answer: Answer) -> str:
    """What was found; nothing for a dead end, of which ours tells where it is and the peer does not."""
    return "" if answer.detail else answer.text


async def _together(model: LlamaCpp, puzzles: Sequence[Countdown]) -> Run:
    """All searches as one flow: their requests go out in the same steps."""
    work = Driver()
    try:
        done = await work.drive(Job("tree", lambda: together([_search(p) for p in puzzles]), model))
        asked = sum(len(step.requests) for step in done.steps)
        texts = [_finished(answer) for answer in done.result()]
        return texts, len(done.steps), asked, done.usage.cpu_seconds
    finally:
        await work.close()


async def _singly(model: LlamaCpp, puzzles: Sequence[Countdown]) -> Run:
    """One search after another, and in each one request after another: what a plain loop does."""
    work = Driver()
    answers, dispatches, cpu = [], 0, 0.0
    try:
        for puzzle in puzzles:
            done = await work.drive(Job("tree", partial(_one_by_one, _search(puzzle)), model))
            answers.append(_finished(done.result()))
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


# --- the peer


async def _by_peer(model: LlamaCpp, puzzles: Sequence[Countdown]) -> Run:
    """llm-reasoners' own beam search on the same engine and in the same words.

    It comes with no Game of 24: the rules, the words and what a state is worth are ours here, the search and
    with it who waits for what are its own. It walks in one thread and waits for each call.
    """
    work, loop = Driver(), asyncio.get_running_loop()
    answers: list[str] = []
    dispatches, requests, cpu = 0, 0, 0.0

    def waited(flow: Callable[[], Flow[Any]]) -> Any:
        nonlocal dispatches, requests, cpu
        done = asyncio.run_coroutine_threadsafe(work.drive(Job("tree", flow, model)), loop).result()
        dispatches += len(done.steps)
        requests += sum(len(step.requests) for step in done.steps)
        cpu += done.usage.cpu_seconds
        return done.result()

    try:
        for puzzle in puzzles:
            answers.append(await asyncio.to_thread(_peers_search, puzzle, waited))
    finally:
        await work.close()
    return answers, dispatches, requests, cpu


def _peers_search(puzzle: Countdown, waited: Callable[[Callable[[], Flow[Any]]], Any]) -> str:
    """One search: the answer is the state with the highest reward that its beam search returns."""
    base, beam_search = import_module("reasoners"), import_module("reasoners.algorithm").BeamSearch
    propose, judge = _asking(puzzle)
    seen = {puzzle.start}

    class World(base.WorldModel):  # type: ignore[misc, name-defined]
        def init_state(self) -> Left:
            return puzzle.start

        def step(self, state: Left, action: Left) -> tuple[Left, dict[str, Any]]:
            return action, {}

        def is_terminal(self, state: Left) -> bool:
            return puzzle.finished(state)

    class Config(base.SearchConfig):  # type: ignore[misc, name-defined]
        def get_actions(self, state: Left) -> list[Left]:
            """States that were not met, in the order they were proposed."""
            lines = waited(lambda: propose(state, ""))
            steps = [step for line in lines if (step := puzzle.step(state, line)) is not None]
            new = list(dict.fromkeys(step for step in steps if step not in seen))
            seen.update(new)
            return new

        def reward(self, state: Left, action: Left, **more: Any) -> tuple[float, dict[str, Any]]:
            (value,) = waited(lambda: judge([action]))
            return value, {}

    search = beam_search(beam_size=BREADTH, max_depth=len(puzzle.numbers) - 1)
    result = base.Reasoner(world_model=World(), search_config=Config(), search_algo=search)(puzzle)
    return "" if result.terminal_state is None else puzzle.told(result.terminal_state)
