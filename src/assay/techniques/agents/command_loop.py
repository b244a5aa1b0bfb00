"""Auto-GPT's loop: one agent that chooses the next command until it says that it is done.

Source    Auto-GPT (2023, github.com/Significant-Gravitas/AutoGPT, in its first form): one model is shown the
          objective, commands and memory, and replies with a command as JSON.
Here      The loop with memory and guard as switches, in any world.
Departs   1. No thoughts, plan and criticism beside the command: the reply is the call alone.
          2. Nothing is executed that is not a tool of the world; there is no shell.
          3. The guard stops: what goes in circles after one warning ends as `stuck`.
Needs     what its policy and its memory need.
Costs     1 decision a step, and what memory costs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from assay.core import Answer, BudgetExceeded, Flow
from assay.core.agents import World
from assay.techniques.agents.guard import WARNING, LoopGuard, Verdict, reminded
from assay.techniques.agents.memory import MEMORIES
from assay.techniques.agents.policy import Policy
from assay.techniques.agents.task_loop import finished

W = TypeVar("W", bound=World)
UNREADABLE = 3
"""Steps in a row in which no call could be read, until the loop has failed."""


@dataclass(frozen=True, slots=True)
class CommandLoop:
    """Which parts of the loop are there."""

    memory: str = "list"
    guard: bool = True
    most_steps: int = 60


def command_loop(world: W, policy: Policy[W], loop: CommandLoop | None = None) -> Flow[Answer]:
    """Run Auto-GPT's loop; the answer's value is how it ended: `done`, `spent` (the world's
    own budget), `stuck`, `failed`, `steps` or `budget`."""
    count: Counter[str] = Counter()
    log: list[str] = []
    try:
        status = yield from _go(world, policy, loop or CommandLoop(), count, log)
    except BudgetExceeded:
        status = "budget"
    return finished(world, status, count, log)


def _go(world: W, policy: Policy[W], loop: CommandLoop, count: Counter[str], log: list[str]) -> Flow[str]:
    remembered, guard = MEMORIES[loop.memory](), LoopGuard()
    unreadable, warned = 0, False
    while not world.finished:
        if count["steps"] >= loop.most_steps:
            return "steps"
        count["steps"] += 1
        seen = reminded((yield from remembered.recall(world.objective)), warned)
        call = yield from policy.act(world, world.objective, seen)
        if call is None:
            count["unread"] += 1
            unreadable += 1
            if unreadable >= UNREADABLE:
                return "failed"
            continue
        unreadable = 0
        result = yield from world.act(call)
        log.append(policy.note(call, result))
        if world.finished:
            break  # type: ignore[unreachable]  # mypy does not know that an act changes the world
        yield from remembered.keep(log[-1])
        verdict = guard.see(call, result) if loop.guard else Verdict.GO_ON
        if verdict is Verdict.STOP:
            return "stuck"
        warned = verdict is Verdict.WARN
        if warned:
            yield from remembered.keep(WARNING)
    return world.finished
