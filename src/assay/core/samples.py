"""Samples, answers and outcomes. A failure is its own kind of ending, never a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from assay.core.replies import Finish

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a task."""

    id: str
    """Unique within the task, and the same item wherever it stands: arms are paired by it."""
    question: str
    target: str = ""
    """The right answer in the task's canonical form; empty where a measure and not an answer is scored."""
    choices: tuple[str, ...] = ()
    cluster: str = ""
    """Samples that are not independent of each other share it (variants of one text); empty: its own."""
    meta: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, hash=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a flow returns: the text that holds the answer, or the answer itself where it is known."""

    text: str = ""
    value: str | None = None
    """The extracted answer, where the technique itself had to extract one (a vote, a program's value)."""
    finish: Finish = Finish.STOP
    votes: tuple[tuple[str, int], ...] = ()
    """Answers with their counts, most frequent first, where the technique voted."""
    detail: str = ""
    """Why there is no value, where there is none; or a word on how it came about."""
    measures: Mapping[str, float] = field(default_factory=lambda: _NOTHING, hash=False)
    """Numbers the technique measured on the way (a log-probability, a count)."""


class Ending(StrEnum):
    """How a sample ended in an arm; all five are counted per arm and shown."""

    SCORED = "scored"
    UNPARSED = "unparsed"
    """There was a whole reply and no answer could be read in it."""
    TRUNCATED = "truncated"
    """The reply was cut before an answer stood in it."""
    REFUSED = "refused"
    ERRORED = "errored"
    """Transport or program fault: says nothing about the model."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one sample ended; `score` is a number for SCORED and None for every other ending."""

    ending: Ending
    score: float | None = None
    answer: str | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        assert (self.score is not None) == (self.ending is Ending.SCORED), "a score exactly where scored"

    @classmethod
    def scored(cls, score: float, answer: str | None = None, detail: str = "") -> Outcome:
        """A sample with a score."""
        return cls(Ending.SCORED, float(score), answer, detail)

    @classmethod
    def without_answer(cls, answer: Answer) -> Outcome:
        """The ending of an answer in which none could be read: refused, truncated or unparsed."""
        ending = {
            Finish.STOP: Ending.UNPARSED,
            Finish.LENGTH: Ending.TRUNCATED,
            Finish.REFUSED: Ending.REFUSED,
        }[answer.finish]
        return cls(ending, detail=answer.detail or answer.text[-200:])
