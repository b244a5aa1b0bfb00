"""Arithmetic word problems, generated, with one to five steps; and the same with large numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from assay.core.answers import extract_number, same_number
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require, require_whole
from assay.tasks.arithmetic.problems import Problem, make_problem
from assay.tasks.people import DAYS, digest
from assay.tasks.scoring import score_match

STEPS = ("1", "2", "3", "4", "5")
LARGE = tuple(f"large-{steps}" for steps in STEPS)


@dataclass(frozen=True, slots=True)
class ArithmeticTask:
    """Generated word problems with a whole number as the answer.

    Level "3" has three steps; level "large-3" tells the stories of level "3" of the same seed with
    large numbers. `samples(n)` is the beginning of `samples(n + 1)`. Seeds that differ modulo
    `people.DAYS.count` never share a text. `meta` holds family, steps and expression (Python).
    """

    levels: tuple[str, ...] = STEPS
    name: str = "arithmetic"
    cue: str = "Therefore, the answer (arabic numerals) is"
    kind: str = "number"
    chance: float | None = None

    def __post_init__(self) -> None:
        require(len(self.levels) > 0, "An arithmetic task needs at least one level.")
        for level in self.levels:
            if level not in STEPS + LARGE:
                raise UnknownName("arithmetic level", level, STEPS + LARGE)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n problems of the level (None: the first)."""
        require_whole("n", n, 0, 10_000_000)
        level = self.levels[0] if level is None else level
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        return tuple(islice(_problems(level, seed), n))

    def extract(self, text: str) -> str | None:
        """The number the reply gives, in canonical form."""
        return extract_number(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the right number, however it is written."""
        return score_match(sample, answer, self.extract, same_number)


def one_step() -> ArithmeticTask:
    """Problems of a single operation."""
    return ArithmeticTask(levels=("1",), name="one-step")


def multi_step() -> ArithmeticTask:
    """Problems of two to five operations, a level each."""
    return ArithmeticTask(levels=STEPS[1:], name="multi-step")


def large_numbers() -> ArithmeticTask:
    """Problems of one to three operations on numbers of four to six digits."""
    return ArithmeticTask(levels=LARGE[:3], name="large-numbers")


def _problems(level: str, seed: int) -> Iterator[Sample]:
    steps = level.removeprefix("large-")
    seen: set[str] = set()
    index = 0
    while True:
        # The story's generator does not know of "large": that is how both tell the same stories.
        story = Random(f"arithmetic/{steps}/{seed}/{index}")
        numbers = Random(f"arithmetic/{level}/{seed}/{index}/numbers")
        index += 1
        problem = make_problem(story, numbers, int(steps), large=level != steps)
        if problem.text not in seen:
            seen.add(problem.text)
            yield _sample(problem, level, seed)


def _sample(problem: Problem, level: str, seed: int) -> Sample:
    question = DAYS.tell(problem.text, seed)
    return Sample(
        id=f"arith-{level}-{digest(question)}",
        question=question,
        target=str(problem.answer),
        meta={"family": problem.family, "steps": problem.steps, "expression": problem.expression},
    )
