"""Forced choice: the option to which the model gives the highest probability. It cannot fail to parse.

Source    Common practice in multiple-choice evaluation, as in Brown et al. 2020, section 2.4
          (arXiv 2005.14165).
Here      The summed log-probability of each option after the prompt; the first of equals wins.
Departs   1. No normalisation by length or by the option's probability without context: the options it
             is used for here are single tokens.
Needs     scoring of given continuations.
Costs     1 call an item.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.core import Answer, Flow, Score, score


def forced_choice(question: str, choices: Sequence[str], *, prefill: str = "") -> Flow[Answer]:
    """The likeliest choice after the question (and the words that begin the answer)."""
    scores = yield from score(Score(question, tuple(f" {choice}" for choice in choices), prefill=prefill))
    return Answer(value=choices[scores.best], measures={"logprob": scores.logprobs[scores.best]})
