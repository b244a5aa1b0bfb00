"""Open writing: what is measured is how long the reply is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from assay.core.errors import UnknownName
from assay.core.replies import Finish
from assay.core.samples import Answer, Ending, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.people import digest
from assay.tasks.writing.prompts import all_prompts

TOKENS = "tokens"
"""The entry of `Answer.measures` that holds the reply's length."""


@dataclass(frozen=True, slots=True)
class WritingTask:
    """Over 200 open prompts; the score is log(1 + tokens) / log(1 + cap), in [0, 1].

    A reply cut at the cap scores 1.0 with "capped" in the outcome's detail: it is censored, its true
    length is at least that. The set of prompts is finite: samples of two seeds overlap, and whoever
    needs pilot and test apart drops by id.
    """

    cap: int = 256
    """Tokens at which the flow cuts a reply: give the same number to `Ask.max_tokens`."""
    name: str = "writing"
    cue: str = ""
    kind: str = "length"
    chance: float | None = None
    levels: tuple[str, ...] = ("open",)

    def __post_init__(self) -> None:
        require_whole("cap", self.cap, 1, 1_000_000)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """The first n of all prompts, shuffled by the seed."""
        require_whole("n", n, 0, 10_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        prompts = list(all_prompts())
        Random(f"writing/{seed}").shuffle(prompts)
        return tuple(
            Sample(id=f"writing-{genre}-{digest(prompt)}", question=prompt, meta={"genre": genre})
            for genre, prompt in prompts[:n]
        )

    def extract(self, text: str) -> str | None:
        """The reply without surrounding blank space; None where nothing is left."""
        return text.strip() or None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The length on a logarithmic scale; a reply without a token count is the flow's fault."""
        if answer.finish is Finish.REFUSED or self.extract(answer.text) is None:
            return Outcome.without_answer(answer)
        tokens = answer.measures.get(TOKENS)
        if tokens is None or not math.isfinite(tokens) or tokens < 0:
            return Outcome(Ending.ERRORED, detail=f"The flow measured no '{TOKENS}' of its reply.")
        length = math.log1p(min(tokens, self.cap)) / math.log1p(self.cap)
        censored = answer.finish is Finish.LENGTH or tokens > self.cap
        return Outcome.scored(length, f"{tokens:g}", "capped" if censored else "")
