"""Branches of one prompt compared: where they disagree, and how many of them differ.

Source    flux (transmissions11, now paradigmxyz/flux, 2023): "use inconsistencies to identify where the model is
          uncertain", and "get a wider variety of creative responses" (README).
Here      Disagreement is 1 minus the share of the commonest answer among n branches. It is held against the mean
          log-probability of the answer's own tokens: whichever ranks wrong answers above right ones more often
          knows better where the model is uncertain. Variety is the share of different answers among n.
Departs   1. Answers are compared by their first words, up to a mark or an explanation; users of flux look at them.
          2. The answer that is judged right or wrong is the greedy one, the same for every way of measuring.
          3. A branch in which no answer can be read agrees with none.
Needs     words, and for the comparison log-probabilities.
Costs     n + 1 replies a question, the prompt once where the model shares it; the log-probability alone costs 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from assay.core import Answer, Ask, Finish, Flow, Reply, Sample, UserError, ask, together
from assay.core.branching import disagreement, normalised

By = Literal["disagreement", "likelihood", "likelihood of branches"]
_END_OF_ANSWER = re.compile(r"[\n.,;:!?(\"'“”‘’]|\b(?:and|in|located|or|that|which|with)\b")


def short_answer(text: str) -> str | None:
    """What a reply names before a mark, or a word that begins to explain it; None where it names nothing."""
    start, end = _place_of_answer(text)
    return normalised(text[start:end]).removeprefix("the ") or None


def _place_of_answer(text: str) -> tuple[int, int]:
    """Where the short answer begins and ends in a reply."""
    start = 0
    for mark in _END_OF_ANSWER.finditer(text):
        if normalised(text[start : mark.start()]):
            return start, mark.start()
        start = mark.end()
    return start, len(text)


def uncertain(
    question: str, cue: str, *, by: By = "disagreement", n: int = 8, temperature: float = 1.0, max_tokens: int = 8
) -> Flow[tuple[str | None, float]]:
    """The greedy answer to a question, and how uncertain the model is taken to be of it."""
    (greedy,) = yield from ask(Ask(question, prefill=cue, max_tokens=max_tokens, stop=("\n",), logprobs=1))
    answer = None if greedy.finish is Finish.REFUSED else short_answer(greedy.text)
    if by == "likelihood":
        return answer, _surprise([greedy])
    drawn = Ask(
        question, prefill=cue, n=n, temperature=temperature, max_tokens=max_tokens, stop=("\n",), logprobs=1
    )
    branches = yield from ask(drawn)
    if by == "likelihood of branches":
        return answer, _surprise(branches)
    answers = [short_answer(branch.text) or f"(none, {index})" for index, branch in enumerate(branches)]
    return answer, disagreement(answers)


def _surprise(replies: Sequence[Reply]) -> float:
    """Minus the mean log-probability of their answers' own tokens, in nats; what follows is not judged."""
    logprobs = [logprob for reply in replies for logprob in _of_answer(reply)]
    return -sum(logprobs) / len(logprobs) if logprobs else 0.0


def _of_answer(reply: Reply) -> Iterator[float]:
    """Log-probabilities of a reply's tokens up to the end of its answer."""
    _, end = _place_of_answer(reply.text)
    at = 0
    for token in reply.logprobs:
        if at >= end:
            return
        yield token.logprob
        at += len(token.text)


def error_ranking(
    questions: Sequence[Sample], *, by: By = "disagreement", shift: int = 0, n: int = 8
) -> Flow[Answer]:
    """How well uncertainty tells the wrong answers to some questions from the right ones: the AUROC.

    The answer to a question begins with its `meta["cue"]`. With a `shift` every question is given the uncertainty
    of another one, which ranks a little worse than a coin: beside a wrong answer fewer wrong ones are left in the
    block. Questions without an answer are left out; where all others are right, or all wrong, there is
    nothing to tell.
    """
    if not questions:
        raise UserError("This compares answers within blocks of questions.", hint="Leave out --task.")
    found = yield from together([uncertain(one.question, one.meta["cue"], by=by, n=n) for one in questions])
    levels = [level for _, level in found]
    levels = levels[shift:] + levels[:shift]
    judged = [
        (answer == normalised(one.target), level)
        for one, (answer, _), level in zip(questions, found, levels, strict=True)
        if answer is not None
    ]
    wrong, right = ([level for truth, level in judged if truth is kind] for kind in (False, True))
    detail = f"{len(right)} right, {len(wrong)} wrong, {len(questions) - len(judged)} without an answer"
    if not wrong or not right:
        return Answer(detail=detail)
    # numpy is loaded when it is needed: cards are listed without it.
    from assay.stats import auroc

    return Answer(measures={"auroc": float(auroc(wrong, right).auroc)}, detail=detail)


def variety(
    question: str, cue: str, *, n: int = 8, temperature: float = 1.0, max_tokens: int = 12
) -> Flow[Answer]:
    """The share of different answers among n branches; one that names nothing adds none."""
    drawn = Ask(question, prefill=cue, n=n, temperature=temperature, max_tokens=max_tokens, stop=("\n",))
    replies = yield from ask(drawn)
    if any(reply.finish is Finish.REFUSED for reply in replies):
        return Answer(finish=Finish.REFUSED)
    different = len({short_answer(reply.text) for reply in replies} - {None})
    return Answer(measures={"distinct": different / n}, detail=f"{different} different answers of {n}")
