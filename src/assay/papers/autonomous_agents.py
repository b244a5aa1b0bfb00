"""BabyAGI and Auto-GPT: loops that give themselves tasks."""

from __future__ import annotations

from functools import partial
from typing import Any

from assay.core import Answer, Arm, Capability, Claim, Flow, Measure, Paper, Sample, Size, Task
from assay.core.agents import Decider, ModelDecides
from assay.tasks import ErrandsTask
from assay.techniques.agents import ClosedPolicy, CommandLoop, TaskLoop, command_loop, task_loop

QUEUE = TaskLoop("none", creation=False, prioritisation=False, guard=False)
MEMORY = TaskLoop("list", creation=False, prioritisation=False, guard=False)
CREATION = TaskLoop("list", prioritisation=False, guard=False)
ORDER = TaskLoop("list", guard=False)
WHOLE = TaskLoop("list")
GOALS_ONLY = TaskLoop("list", creation=False, prioritisation=False)


def _flow(sample: Sample, task: Task, *, decider: Decider, loop: TaskLoop | CommandLoop) -> Flow[Answer]:
    """One errand, run by one of the loops; BabyAGI's first tasks are the goals."""
    assert isinstance(task, ErrandsTask), "this card's claims are about errands"
    policy, world = ClosedPolicy(decider.seeded(sample.meta["seed"])), task.world(sample)
    if isinstance(loop, CommandLoop):
        return command_loop(world, policy, loop)
    return task_loop(world, policy, world.first_tasks, loop)


def _arm(name: str, says: str, loop: TaskLoop | CommandLoop, decider: Decider) -> Arm:
    return Arm(name, partial(_flow, decider=decider, loop=loop), says)


def _sizes(level: str, full: str) -> dict[str, Size]:
    return {"smoke": Size(4, level=level), "small": Size(60, level=level), "full": Size(400, level=full)}


CLAIMS: dict[str, tuple[str, tuple[tuple[str, str, TaskLoop | CommandLoop], ...], dict[str, Any]]] = {
    "task-loop": (
        "BabyAGI's loop reaches more goals within the same budget than a fixed queue of tasks does.",
        (
            ("task-loop", "memory, creation, prioritisation and guard", WHOLE),
            ("fixed-queue", "the goals in turn, nothing remembered", QUEUE),
            ("memory", "the fixed queue with the last five results", MEMORY),
            ("creation", "and new tasks from every result", CREATION),
            ("prioritisation", "and the queue put in order", ORDER),
            ("command-loop", "Auto-GPT's loop with the last five results", CommandLoop()),
        ),
        {},
    ),
    "vector-memory": (
        "A vector store serves the loop better than a list of the last results.",
        (
            ("vector", "the five results nearest to the task", TaskLoop("vector")),
            ("list", "the last five results", WHOLE),
            ("bm25", "the five results that share most words with the task", TaskLoop("bm25")),
        ),
        {"needs": frozenset({Capability.EMBED})},
    ),
    "task-creation": (
        "Creating and ordering tasks reaches more goals than memory alone, within the same budget.",
        (("creation", "new tasks, in order", WHOLE), ("goals-only", "same memory and guard", GOALS_ONLY)),
        {},
    ),
    "loop-guard": (
        "On an error that cannot be got around, a guard stops a loop without memory before its budget is spent.",
        (
            ("guarded", "stopped where it goes in circles", CommandLoop("none")),
            ("unguarded", "goes on until the budget is spent", CommandLoop("none", guard=False)),
        ),
        {
            "task": ErrandsTask(scored="spent"),
            "direction": -1,
            "smallest_effect": 0.1,
            "sizes": _sizes("error page", "error page"),
            "unit": "share of the budget spent",
        },
    ),
}


def _claim(decider: Decider, name: str) -> Claim:
    """A claim under a driver; where a policy decides, no model is asked."""
    sentence, arms, settings = CLAIMS[name]
    treatment, control, *others = (_arm(*arm, decider) for arm in arms)
    asked = {Capability.GENERATE} if isinstance(decider, ModelDecides) else set()
    held = {Capability.GRAMMAR} if isinstance(decider, ModelDecides) and decider.constrained else set()
    fields: dict[str, Any] = {
        "task": ErrandsTask(),
        "smallest_effect": 0.05,
        "sizes": _sizes("easy", "hard"),
        "measure": Measure.GRADED,
        "unit": "share of goals",
        "placebo": False,
        "equal_spend": False,
        "others": tuple(others),
        "driver": decider.driver,
        "drive": partial(_claim, name=name),
    }
    needs = frozenset(asked | held) | settings.get("needs", frozenset())
    return Claim(name, sentence, treatment, control, **(fields | settings | {"needs": needs}))


PAPER = Paper(
    slug="autonomous-agents",
    title="BabyAGI; Auto-GPT",
    authors="Nakajima; Richards and others",
    year=2023,
    url="https://github.com/yoheinakajima/babyagi",
    row="R24",
    shelf="agents",
    says="Agents that execute, create and prioritise tasks over a vector memory; demonstrations, no numbers.",
    reading="Memory should carry the gain, and a list should do where results are few (BabyAGI's issue 373).",
    claims=tuple(_claim(ModelDecides(), name) for name in CLAIMS),
    departures=(
        "Errands: a deterministic world of things that need one another, with dead ends, errors and costs.",
        "No placebo and no equal spend: both arms have the same budget of actions; tokens stand beside it.",
        "By default the model is held to the options by a grammar; --driver says who decides.",
    ),
)
