"""BabyAGI's loop: a queue of tasks that one agent works off, one adds to, and one puts in order.

Source    Nakajima 2023, BabyAGI (github.com/yoheinakajima/babyagi, in its first form): pop a task, execute it with
          what memory recalls, store the result, create tasks from it, prioritise the queue; no stop.
Here      The same loop with each part a switch, in any world: memory (none, list, bm25, vector), creation,
          prioritisation, guard. It ends when the world is finished, the queue empty, or steps or budget spent.
Departs   1. Executing a task is one call of a tool, and not an essay on how one would do it.
          2. A task that is not done goes back to the end of the queue, where the world can say so.
          3. The guard drops a task that goes in circles, and tasks the queue holds already. At most 50 wait.
          4. Prioritising can neither lose nor invent a task: what is left out comes last.
          5. The objective stands in every prompt, word for word.
Needs     what its policy and its memory need.
Costs     1 to 3 decisions a step, and what memory costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assay.core import Answer, BudgetExceeded, Flow
from assay.core.agents import World
from assay.techniques.agents.guard import WARNING, LoopGuard, Verdict, reminded
from assay.techniques.agents.memory import MEMORIES, Memory
from assay.techniques.agents.policy import Policy

W = TypeVar("W", bound=World)
MOST_WAITING = 50
RETRIES = 2
"""How often a task is tried again for which no call could be read."""
NOTHING_YET = "Nothing has been done yet."


@dataclass(frozen=True, slots=True)
class TaskLoop:
    """Which parts of the loop are there."""

    memory: str = "vector"
    creation: bool = True
    prioritisation: bool = True
    guard: bool = True
    most_steps: int = 60


@dataclass(slots=True)
class _Run(Generic[W]):
    """One run of the loop."""

    world: W
    policy: Policy[W]
    loop: TaskLoop
    memory: Memory
    waiting: list[str]
    guard: LoopGuard = field(default_factory=LoopGuard)
    warned: bool = False
    count: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    def go(self) -> Flow[str]:
        """Work the queue off; returns how it ended."""
        if not self.waiting:
            self._add((yield from self.policy.propose(self.world, "begin", NOTHING_YET, ())))
            self.waiting = self.waiting or [self.world.objective]
        while self.waiting and not self.world.finished:
            if self.count["steps"] >= self.loop.most_steps:
                return "steps"
            yield from self._step(self.waiting.pop(0))
        if self.world.finished:
            return self.world.finished
        if not (self.count["dropped"] or self.count["failed"]):
            return "queue empty"
        return "stuck" if self.count["dropped"] else "failed"

    def _step(self, task: str) -> Flow[None]:
        self.count["steps"] += 1
        seen = reminded((yield from self.memory.recall(task)), self.warned)
        call = yield from self.policy.act(self.world, task, seen)
        if call is None:
            self.unread[task] += 1
            self.count["unread"] += 1
            if self.unread[task] <= RETRIES:
                self.waiting.append(task)
            else:
                self.count["failed"] += 1
                yield from self.memory.keep(f"The task '{task}' failed: no call could be read.")
            return
        result = yield from self.world.act(call)
        note = self.policy.note(call, result)
        self.log.append(f"{task}: {note}")
        if self.world.finished:
            return
        yield from self.memory.keep(note)
        verdict = self.guard.see(call, result) if self.loop.guard else Verdict.GO_ON
        if verdict is Verdict.STOP:
            self.count["dropped"] += 1
            self.guard = LoopGuard()
            yield from self.memory.keep(f"The task '{task}' was given up: it went in circles.")
        elif not self.policy.is_done(self.world, task, [*seen, note]):
            self.waiting.append(task)
        self.warned = verdict is Verdict.WARN
        if self.warned:
            yield from self.memory.keep(WARNING)
        if self.loop.creation and verdict is not Verdict.STOP:
            self._add((yield from self.policy.propose(self.world, task, result, tuple(self.waiting))))
        if self.loop.prioritisation and len(self.waiting) > 1:
            yield from self._prioritise()

    def _add(self, proposed: Sequence[str]) -> None:
        known = {_plain(task) for task in self.waiting}
        for task in proposed:
            self.count["proposed"] += 1
            again = _plain(task) in known
            self.count["duplicates"] += again
            if len(self.waiting) < MOST_WAITING and not (again and self.loop.guard):
                self.waiting.append(task)
                known.add(_plain(task))

    def _prioritise(self) -> Flow[None]:
        seen = yield from self.memory.recall(self.world.objective)
        tasks = tuple(dict.fromkeys(self.waiting))
        order = yield from self.policy.order(self.world, tasks, seen)
        place = {task: at for at, task in enumerate(order)}
        self.waiting.sort(key=lambda task: place.get(task, len(place)))


def task_loop(
    world: W, policy: Policy[W], first_tasks: Sequence[str] = (), loop: TaskLoop | None = None
) -> Flow[Answer]:
    """Run BabyAGI's loop; the answer's value is how it ended, its measures are the world's and the loop's.

    `done`, `spent` (the world's own budget), `queue empty` (every task was tried, and nobody said that the
    objective is met), `stuck` (what was left went in circles), `failed` (no call could be read), `steps` or
    `budget`.
    Without first tasks the model is asked for some.
    """
    loop = loop or TaskLoop()
    run = _Run(world, policy, loop, MEMORIES[loop.memory](), list(first_tasks))
    try:
        status = yield from run.go()
    except BudgetExceeded:
        status = "budget"
    return finished(world, status, run.count, run.log)


def finished(world: World, status: str, count: Counter[str], log: Sequence[str]) -> Answer:
    """What a loop returns."""
    counted = {name: float(count[name]) for name in ("steps", "proposed", "duplicates", "dropped", "unread")}
    return Answer("\n".join(log), value=status, detail=status, measures={**counted, **world.measures()})


def _plain(task: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in task.casefold()).split())
