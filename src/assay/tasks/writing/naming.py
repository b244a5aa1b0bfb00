"""Prompts that ask for one of very many things: there is no right answer, only more or fewer different ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random

from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.people import digest

SCORED = "distinct"
THINGS = (
    *("an animal", "a city", "a fruit", "a tool", "a musical instrument", "a flower", "a river", "a dish"),
    *("a profession", "a sport", "a piece of furniture", "a vehicle", "a language", "a tree", "a drink", "a toy"),
    *(
        "a mountain",
        "a first name",
        "a school subject",
        "a material",
        "a garment",
        "a bird",
        "a colour",
        "an insect",
    ),
)
WAYS = (
    "Name {thing}.",
    "Think of {thing}. Which one is it?",
    "Tell me {thing} that few people would think of.",
    "I need {thing} for a story. Which one do you propose?",
)


@dataclass(frozen=True, slots=True)
class NamingTask:
    """A sample is a prompt; its score is what the arm measured, the share of different answers."""

    name: str = "naming"
    kind: str = "score"
    cue: str = "My answer:"
    chance: float | None = None
    levels: tuple[str, ...] = ("mixed",)
    scored: str = SCORED

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """At most n of the prompts, in an order of the seed's own."""
        require_whole("n", n, 0, 10_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        prompts = [way.format(thing=thing) for way, thing in product(WAYS, THINGS)]
        Random(f"naming/{seed}").shuffle(prompts)
        return tuple(Sample(f"naming-{seed}-{digest(prompt)}", prompt) for prompt in prompts[:n])

    def extract(self, text: str) -> str | None:
        """Nothing: a prompt has no right answer."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The share of answers that differ."""
        if SCORED not in answer.measures:
            return Outcome.without_answer(answer)
        return Outcome.scored(answer.measures[SCORED], detail=answer.detail)
