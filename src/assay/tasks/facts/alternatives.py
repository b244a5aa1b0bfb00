"""Replies to choose from in a closed world: pairs to learn preferences from, and questions with false answers.

For the reward model and the verifier of Karpathy's "State of GPT" (2023),
https://build.microsoft.com/sessions/db3f4859-cd30-4445-a0cd-553c3304f8e2.

    what does zola eat?  ->  zola eats mubat.  /  zola eats tofak.        `Alternatives`, the true one first
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.tasks.facts.knowledge import Answers, Preferences

if TYPE_CHECKING:
    import numpy


@dataclass(frozen=True)
class AsPairs:
    """Preferences as trainers take them: plain tuples."""

    preferences: Preferences = field(default_factory=Preferences)

    def pairs(self, count: int, rng: numpy.random.Generator) -> list[tuple[str, str, str]]:
        """(prompt, chosen, rejected)."""
        return [(pair.prompt, pair.chosen, pair.rejected) for pair in self.preferences.pairs(count, rng)]


@dataclass(frozen=True)
class Alternatives:
    """The true answer and others that differ in the value alone: one of them, or all there are."""

    answers: Answers = field(default_factory=Answers)
    every: bool = False

    def choices(self, count: int, rng: numpy.random.Generator) -> list[tuple[str, tuple[str, ...]]]:
        """(prompt, replies), the true one first; the same questions whether one or all are offered."""
        found = []
        where = self.answers.world
        examples = self.answers.examples(count, rng)
        for example, coin in zip(examples, rng.random(count).tolist(), strict=True):
            entity, relation = where.asked(example.prompt)
            truth = where.value(entity, relation)
            others = [value for value in where.choices(relation) if value != truth]
            others = others if self.every else [others[int(coin * len(others))]]
            false = [example.answer.replace(f" {truth}.", f" {other}.") for other in others]
            found.append((example.prompt, (example.answer, *false)))
        return found
