"""Errands as a task: the world of a sample, how a run of it scores, and the decisions inside it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from assay.core.agents import Question
from assay.core.errors import UnknownName
from assay.core.flow import at_once
from assay.core.samples import Answer, Ending, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.worlds.errands import Errand, ErrandWorld, errand

APART = 100_000
"""Worlds of one seed lie this far from those of the next."""
SHAPES = {"easy": (12, 2, 2, 0), "hard": (24, 3, 3, 0), "error page": (12, 2, 1, 1)}
"""Things, goals, depth of what goals need, goals that cannot be reached."""


@dataclass(frozen=True, slots=True)
class ErrandsTask:
    """A sample is a world; its score is the share of goals got, of actions wasted, or of the budget spent."""

    scored: Literal["goals", "waste", "spent"] = "goals"
    levels: tuple[str, ...] = tuple(SHAPES)
    name: str = "errands"
    kind: str = "score"
    cue: str = ""
    chance: float | None = 0.0

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n worlds; two runs share none."""
        require_whole("n", n, 0, APART)
        shape = level or self.levels[0]
        if shape not in SHAPES:
            raise UnknownName("level", shape, SHAPES)
        found = []
        for at in range(seed * APART, seed * APART + n):
            things, goals, depth, unreachable = SHAPES[shape]
            one = errand(Random(f"{shape} {at}"), things, goals, depth, unreachable=unreachable)
            label = shape.replace(" ", "-")
            found.append(Sample(f"{label}-{at}", ErrandWorld(one).objective, meta={"errand": one, "seed": at}))
        return tuple(found)

    def world(self, sample: Sample) -> ErrandWorld:
        """A fresh world for one run of the sample."""
        one: Any = sample.meta["errand"]
        assert isinstance(one, Errand), "a sample of this task holds an errand"
        return ErrandWorld(one)

    def extract(self, text: str) -> str | None:
        """What is scored is not read out of a text."""
        return text or None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The measure that was chosen, as the world tells it."""
        if self.scored not in answer.measures:
            return Outcome(Ending.UNPARSED, detail="No world was acted on.")
        return Outcome.scored(answer.measures[self.scored], answer.value, answer.detail)

    def questions(self, n: int, seed: int) -> tuple[Question, ...]:
        """Decisions as they come up on the way of one who decides rightly: tools, new tasks and their order."""
        found: list[Question] = []
        for sample in self.samples(n, seed, "easy"):
            found += _decisions(self.world(sample), Random(sample.id))
            if len(found) >= n:
                break
        return tuple(found[:n])


def _decisions(world: ErrandWorld, rng: Random) -> list[Question]:
    """What is to be decided along the way of one who decides rightly."""
    found: list[Question] = []
    seen: list[str] = []
    tasks = list(world.first_tasks)
    while not world.finished:
        found.append(world.which_call(rng.choice(tasks), seen))
        if not found[-1].right:
            break
        seen.append(at_once(world.act(world.call_of(found[-1].right[0]))))
        proposed = world.which_tasks(seen[-1], tasks)
        if proposed is not None:
            found.append(proposed)
            tasks = list(dict.fromkeys([*tasks, *proposed.right]))
        if len(tasks) > 1:
            found.append(world.which_order(tasks, seen))
    return [question for question in found if question.right or question.form == "select"]
