"""From an answer to an outcome: the one rule that all tasks with a right answer share."""

from __future__ import annotations

import math
from collections.abc import Callable

from assay.core.replies import Finish
from assay.core.samples import Answer, Ending, Outcome, Sample

Extract = Callable[[str], str | None]
Same = Callable[[str, str], bool]


def score_match(sample: Sample, answer: Answer, extract: Extract, same: Same) -> Outcome:
    """1.0 where the answer is the target, 0.0 where it is another, and the proper ending where there is none.

    `answer.value` counts where the technique set it, else what `extract` reads in `answer.text`. What a
    filter withheld is refused, whatever text came with it.
    """
    if answer.finish is Finish.REFUSED:
        return Outcome.without_answer(answer)
    value = answer.value if answer.value is not None else extract(answer.text)
    if value is None:
        return Outcome.without_answer(answer)
    if answer.value is None and cut_inside_answer(answer, value, extract):
        return Outcome(Ending.TRUNCATED, detail=f"cut inside or right behind '{value}'")
    return Outcome.scored(1.0 if same(value, sample.target) else 0.0, value)


def score_judge(answer: Answer) -> Outcome:
    """The judge's own number, the measure `score`; where it abstained, unparsed with its reason."""
    value = answer.measures.get("score")
    if value is None:
        return Outcome.without_answer(answer)
    if not math.isfinite(value):
        return Outcome(Ending.ERRORED, detail=f"The judge's score is {value}.")
    return Outcome.scored(value, detail=answer.detail)


def cut_inside_answer(answer: Answer, value: str, extract: Extract) -> bool:
    """Whether a reply cut at max_tokens may have lost part of its number: one more digit would change it."""
    return answer.finish is Finish.LENGTH and extract(answer.text + "0") != value
