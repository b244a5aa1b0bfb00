"""Judging and writing side by side: who chooses the right reply, who writes it, and what a policy's are worth.

Source   Karpathy, "State of GPT" (2023), https://build.microsoft.com/sessions/db3f4859-cd30-4445-a0cd-553c3304f8e2:
         it is easier to compare answers than to write one; over-optimisation of a learned reward: Gao et al.
         2023 (arXiv 2210.10760).
Here     a chooser takes the reply with the highest score among several, one of them right: by the number of a
         reward model, or by the log-likelihood a language model gives the reply and its end. What is above
         chance is told for choosing and writing alike: (right - chance) / (1 - chance), which is the share of
         questions known to somebody who knows the answer or else guesses.
Departs  (1) of equal scores each is taken equally often. (2) A policy's replies are drawn at temperature 1, the
         same ones for its entropy, its reward and the true marks.
Needs    weights.
Costs    one forward pass over every reply that is offered; an audit draws its replies twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from assay.core.errors import UserError
from assay.core.training import Example, Exercise, Place, Recipe, Work
from assay.core.validation import require_number, require_whole
from assay.techniques.training.alignment.entropy import Entropy
from assay.techniques.training.alignment.preferences import Judge
from assay.techniques.training.organisms.exam import Exam
from assay.techniques.training.organisms.loop import answer_logs
from assay.techniques.training.organisms.network import device, load, require_torch
from assay.techniques.training.organisms.organism import as_batch, context_of, encoded
from assay.techniques.training.organisms.sampling import Samples, sample

if TYPE_CHECKING:
    from pathlib import Path

    import numpy

ROWS = 256
Choice = tuple[str, tuple[str, ...]]
"""A prompt and the replies offered, the right one first."""
Scoring = Callable[[Sequence[str], Sequence[str]], list[float]]
"""(prompts, replies) -> a number per reply."""


class Choices(Protocol):
    """Questions with replies to choose from: a frozen dataclass; equal ones draw equal questions."""

    def choices(self, count: int, rng: numpy.random.Generator) -> list[Choice]:
        """That many; a pure function of the generator's state."""
        ...


def above_chance(right: float, chance: float) -> float:
    """0 for who guesses, 1 for who is always right, below 0 for who does worse than a guess."""
    return (right - chance) / (1 - chance)


@dataclass(frozen=True)
class Choosing(Recipe):
    """How often the right reply is chosen.

    Numbers: `accuracy`; `chance`, that of a blind choice; `above_chance`; `tied`, share of questions in which
    the right reply shares the highest score with another one.
    """

    VERSION: ClassVar[int] = 1
    name: str
    chooser: Recipe
    """A `RewardModel`, or, by likelihood, any organism."""
    data: Choices
    by: Literal["reward", "likelihood"] = "reward"
    count: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("The number of questions", self.count, 1, 1_000_000)
        if self.by not in ("reward", "likelihood"):
            raise UserError("A reply is chosen by reward or by likelihood.")

    def make(self, place: Place) -> Work:
        """Score every reply on offer."""
        import numpy

        require_torch()
        folder = place.of(self.chooser)
        scoring: Scoring = Judge(folder) if self.by == "reward" else Likelihood(folder)
        drawn = self.data.choices(self.count, numpy.random.default_rng([self.seed, 3]))
        if any(len(replies) < 2 for _, replies in drawn):
            raise UserError("There is nothing to choose from.", hint="Offer two replies or more.")
        prompts = [prompt for prompt, replies in drawn for _ in replies]
        scores = iter(scoring(prompts, [reply for _, replies in drawn for reply in replies]))
        rows = [[next(scores) for _ in replies] for _, replies in drawn]
        accuracy = sum(map(share_of_first, rows)) / len(rows)
        chance = sum(1 / len(row) for row in rows) / len(rows)
        tied = sum(0 < share_of_first(row) < 1 for row in rows) / len(rows)
        found = {"accuracy": accuracy, "chance": chance, "tied": tied}
        return Work(found | {"above_chance": above_chance(accuracy, chance)}, _tokens(folder, drawn))


def share_of_first(scores: Sequence[float]) -> float:
    """How often the first one is chosen: always, never, or in turn with those that score as high."""
    best = max(scores)
    return (scores[0] == best) / sum(score == best for score in scores)


def _tokens(folder: Path, drawn: Sequence[Choice]) -> int:
    """Tokens read, begin and end of every text included."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    examples = [Example(prompt, reply) for prompt, replies in drawn for reply in replies]
    return sum(len(ids) for ids, _ in encoded(examples, tokenizer, 10**9))


class Likelihood:
    """A language model as a judge: how likely the reply is after the prompt, and that it ends there, in nats."""

    def __init__(self, folder: Path) -> None:
        self._model, self._tokenizer = load(folder)
        self._model.eval()

    def __call__(self, prompts: Sequence[str], replies: Sequence[str]) -> list[float]:
        """One number per reply, at most 0."""
        import torch

        examples = [Example(*texts) for texts in zip(prompts, replies, strict=True)]
        rows = encoded(examples, self._tokenizer, context_of(self._model))
        found: list[float] = []
        for at in range(0, len(rows), ROWS):
            batch = as_batch(rows[at : at + ROWS], self._tokenizer, device())
            with torch.inference_mode():
                found += answer_logs(self._model, batch).tolist()
        return found


@dataclass(frozen=True)
class Writing(Exam):
    """An exam with one mark told above chance: `above_chance`, beside the marks."""

    VERSION: ClassVar[int] = 1
    wanted: str = "fact"
    """The mark that says whether a reply is right."""
    chance: float = 0.0
    """The mark of who guesses among all replies there could be."""

    def __post_init__(self) -> None:
        require_number("What a guess gets", self.chance, 0, 0.999)

    def make(self, place: Place) -> Work:
        """Write replies and mark them."""
        work = super().make(place)
        beyond = above_chance(work.numbers[self.wanted], self.chance)
        return dataclasses.replace(work, numbers={**work.numbers, "above_chance": beyond})


@dataclass(frozen=True)
class Audit(Entropy):
    """Entropy of a policy, and what the same replies are worth: to a reward model, and in truth.

    Numbers: those of `Entropy`; `reward`, the judge's mean; the mean of every mark of the self.corpus.
    """

    VERSION: ClassVar[int] = 1
    corpus: Exercise
    judge: Recipe | None = None
    """A `RewardModel`."""

    def make(self, place: Place) -> Work:
        """Draw replies, measure and mark them."""
        import numpy

        work = super().make(place)
        model, tokenizer = load(place.of(self.organism))
        examples = self.corpus.examples(self.count, numpy.random.default_rng([self.seed, 3]))
        # The generator is seeded anew, so these are the replies whose entropy was taken.
        how = Samples(self.name, self.organism, self.corpus, self.count, self.each, self.longest, seed=self.seed)
        drawn = sample(model, tokenizer, [example.prompt for example in examples], how, place)
        pairs = [
            (example, reply)
            for example, replies in zip(examples, drawn, strict=True)
            for reply in tokenizer.batch_decode(replies, skip_special_tokens=True)
        ]
        marks = [self.corpus.mark(example, reply) for example, reply in pairs]
        found: dict[str, Any] = {name: float(numpy.mean([mark[name] for mark in marks])) for name in marks[0]}
        if self.judge is not None:
            judge = Judge(place.of(self.judge))
            rewards = judge([example.prompt for example, _ in pairs], [reply for _, reply in pairs])
            found["reward"] = float(numpy.mean(rewards))
        return dataclasses.replace(work, numbers={**work.numbers, **found})
