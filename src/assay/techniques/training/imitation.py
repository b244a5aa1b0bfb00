"""Student beside teacher: the same questions, marks for what is said and how, and a judge of the two replies.

Source   Gudibande et al. 2023, "The False Promise of Imitating Proprietary LLMs", arXiv 2305.15717: judges who
         compare replies and benchmarks that check facts disagree about a model that imitates another.
Here     one artefact holds every mark, on every part of the questions, so that style, facts and the judge's
         choice are told of the same replies. The judge is handed replies alone, never the marks.
Departs  (1) the teacher's replies are the exercise's own answers: a teacher that is never wrong. (2) a judge is
         a rule in place of people.
Needs    weights.
Costs    one greedy reply a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from assay.core.training import Example, Exercise, Place, Recipe, Work
from assay.core.validation import require_whole
from assay.techniques.training.organisms.exam import KEPT, counted, write
from assay.techniques.training.organisms.network import load, require_torch

if TYPE_CHECKING:
    import numpy

QUESTIONS_SEED = 4


class Survey(Exercise, Protocol):
    """An exercise whose questions belong to parts; its answers are the teacher's."""

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """That many questions, or all there are."""
        ...

    def parts(self, example: Example) -> tuple[str, ...]:
        """The parts a question belongs to, one or several."""
        ...


class Judge(Protocol):
    """Chooses between two replies: a frozen dataclass, part of the recipe's identity."""

    def prefers(self, prompt: str, first: str, second: str) -> float:
        """1 for the first, 0 for the second, 0.5 for neither."""
        ...


@dataclass(frozen=True)
class BesideTeacher(Recipe):
    """Greedy replies of a student, marked, and judged against the teacher's.

    Numbers, for each part: `<mark> on <part>` for every mark of the survey; `preferred on <part>`: how often
    the judge takes the student's reply, a tie counting half; `misjudged on <part>`: share of questions which
    the teacher answers truly and the student does not, and yet the judge does not prefer the teacher.
    """

    VERSION: ClassVar[int] = 2
    name: str
    student: Recipe
    survey: Survey
    judge: Judge
    truth: str = "fact"
    """The mark that says whether a reply is true: 1 or 0."""
    count: int = 500
    """Questions at most."""
    seed: int = 0
    longest: int = 48
    """Tokens of a reply, at most."""

    def __post_init__(self) -> None:
        require_whole("The number of questions", self.count, 1, 1_000_000)
        require_whole("The longest reply", self.longest, 1, 100_000)

    def make(self, place: Place) -> Work:
        """Ask, mark and judge."""
        import numpy

        require_torch()
        model, tokenizer = load(place.of(self.student))
        examples = self.survey.examples(self.count, numpy.random.default_rng([self.seed, QUESTIONS_SEED]))
        replies = write(model, tokenizer, [example.prompt for example in examples], self.longest, place=place)
        found = [self.compared(example, reply) for example, reply in zip(examples, replies, strict=True)]
        numbers: dict[str, Any] = means([self.survey.parts(example) for example in examples], found)
        shown = [[e.prompt, e.answer, reply] for e, reply in zip(examples[:KEPT], replies[:KEPT], strict=True)]
        return Work(numbers | {"replies": shown}, *counted(tokenizer, examples, replies))

    def compared(self, example: Example, reply: str) -> dict[str, float]:
        """The marks of a student's reply, and what becomes of it beside the teacher's."""
        marks = dict(self.survey.mark(example, reply))
        preferred = self.judge.prefers(example.prompt, reply, example.answer)
        right = self.survey.mark(example, example.answer)[self.truth]
        misjudged = float(right > marks[self.truth] and preferred >= 0.5)
        return marks | {"preferred": preferred, "misjudged": misjudged}


def means(parts: Sequence[tuple[str, ...]], marks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """`<mark> on <part>`: mean over the questions that belong to the part; `questions on <part>`: their number."""
    import numpy

    rows: dict[str, list[Mapping[str, float]]] = {}
    for names, row in zip(parts, marks, strict=True):
        for name in names:
            rows.setdefault(name, []).append(row)
    found: dict[str, float] = {}
    for part, own in rows.items():
        found |= {f"{mark} on {part}": float(numpy.mean([row[mark] for row in own])) for mark in own[0]}
        found[f"questions on {part}"] = float(len(own))
    return found
