"""Blocks of questions on school knowledge: in each some answers of a model are right and some are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.facts.assertion_data import CAPITALS, CITIES, ELEMENTS, OPPOSITES

SCORED = "auroc"
"""What is scored: how well an arm's uncertainties tell the wrong answers of a block from the right ones."""


@dataclass(frozen=True, slots=True)
class RecallTask:
    """A sample is a block of questions, in `meta["questions"]`; no question stands in two blocks of a run.

    Whether an answer is wrong is known only when the model has given it, so that a single question is neither a
    positive nor a negative one beforehand: the block is what can be scored.
    """

    size: int = 12
    name: str = "recall"
    kind: str = "score"
    cue: str = ""
    chance: float | None = 0.5
    levels: tuple[str, ...] = ("mixed",)
    scored: str = SCORED

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """At most n blocks, fewer where the questions run out."""
        require_whole("n", n, 0, 10_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        questions = list(_questions())
        Random(f"recall/{seed}").shuffle(questions)
        blocks = [tuple(questions[at : at + self.size]) for at in range(0, len(questions), self.size)]
        return tuple(
            Sample(
                f"recall-{seed}-{index}",
                f"{self.size} questions: {block[0].question} ...",
                meta={"questions": block},
            )
            for index, block in enumerate(blocks[:n])
            if len(block) == self.size
        )

    def extract(self, text: str) -> str | None:
        """Nothing: a block is measured."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The area under the curve; a block whose answers are all right, or all wrong, has none."""
        if SCORED not in answer.measures:
            return Outcome.without_answer(answer)
        return Outcome.scored(answer.measures[SCORED], detail=answer.detail)


def _questions() -> list[Sample]:
    """Each with the beginning of an answer, in `meta["cue"]`, that leaves nothing open but the name."""
    asked = [
        *((f"In which country is {city}?", f"{city} is a city in", country) for country, city in _rows(CITIES)),
        *((f"What is the capital of {of}?", f"The capital of {of} is", name) for name, of in _rows(CAPITALS)),
        *((f"What does the chemical symbol {of} mean?", f"{of} means", name) for of, name in _rows(ELEMENTS)),
        *(
            (f"What is the opposite of '{of}'?", f"The opposite of '{of}' is", name)
            for name, of in _rows(OPPOSITES)
        ),
    ]
    return [Sample(question, question, target, meta={"cue": cue}) for question, cue, target in asked]


def _rows(table: str) -> list[tuple[str, str]]:
    """Pairs (predicate, subject)."""
    lines = [line.partition(":") for line in table.splitlines() if ":" in line]
    return [(left.strip(), right.strip()) for left, _, rights in lines for right in rights.split(",")]
