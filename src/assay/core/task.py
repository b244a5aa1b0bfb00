"""A task: samples and a scorer."""

from __future__ import annotations

from typing import Protocol

from assay.core.samples import Answer, Outcome, Sample


class Task(Protocol):
    """Samples and a scorer. Making samples is a pure function of (n, seed, level).

    Two different seeds never share a sample id, so pilot items and test items cannot overlap.
    """

    @property
    def name(self) -> str:
        """Short name, such as `arithmetic`."""
        ...

    @property
    def kind(self) -> str:
        """What an answer is: `number`, `yes-no`, `choice`, `text`, `length`, `move`, `expression`, `board`, or
        `score` (measured).
        """
        ...

    @property
    def cue(self) -> str:
        """The words that lead the model to say its final answer in this task's form."""
        ...

    @property
    def chance(self) -> float | None:
        """Score of a guess; None: measured by pairing answers with other samples' targets."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """Difficulties, easiest first; one entry where there is nothing to choose."""
        ...

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """At most n samples (fewer where the task has fewer), ids unique, order already shuffled."""
        ...

    def extract(self, text: str) -> str | None:
        """The answer that stands in a reply, in canonical form; None where there is none."""
        ...

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """How the answer did on the sample."""
        ...
