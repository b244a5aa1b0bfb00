"""Controls that the lab makes out of a claim's own arms, so that no card has to.

Each takes a flow and gives another one; the technique inside does not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from assay.core import Answer, Ask, Flow, Reply, Request, Sample, Score, Task, rewrite, together
from assay.core.answers import vote

T = TypeVar("T")
RESAMPLING_TEMPERATURE = 0.7


def donated(flow: Flow[T], first_replies: Sequence[Any]) -> Flow[T]:
    """Placebo: the flow is given, as the replies to its first step, those of another sample.

    The same shape and the same length, and nothing in it about this question.
    """
    next(flow)
    try:
        requests = flow.send(list(first_replies))
        while True:
            requests = flow.send((yield requests))
    except StopIteration as stop:
        result: T = stop.value
        return result


def resampled(make: Callable[[], Flow[Answer]], task: Task, times: int) -> Flow[Answer]:
    """Equal spend: the arm is run several times with sampling, and its answers are voted on."""
    flows = [rewrite(make(), _sampling) for _ in range(times)]
    answers = yield from together(flows)
    votes = vote(answer.value or task.extract(answer.text) for answer in answers)
    if not votes:
        return dataclasses.replace(answers[0], value=None, votes=())
    return Answer(answers[0].text, value=votes[0][0], votes=tuple(votes))


def _sampling(request: Request) -> Request:
    if isinstance(request, Ask) and request.temperature == 0:
        return dataclasses.replace(request, temperature=RESAMPLING_TEMPERATURE)
    return request


def forced(flow: Flow[Answer], sample: Sample, cue: str) -> Flow[Answer]:
    """Format control: where the flow asks for the answer, the likeliest choice is taken instead.

    A question that ends in the task's answer cue is turned into a scoring of the sample's choices.
    """
    try:
        requests = next(flow)
        while True:
            changed = [_scoring(request, sample, cue) for request in requests]
            replies = yield changed
            requests = flow.send(
                [
                    _chosen(reply, sample) if isinstance(request, Score) else reply
                    for request, reply in zip(changed, replies, strict=True)
                ]
            )
    except StopIteration as stop:
        result: Answer = stop.value
        return result


def _scoring(request: Request, sample: Sample, cue: str) -> Request:
    if isinstance(request, Ask) and cue and request.prefill.endswith(cue):
        continuations = tuple(f" {choice}" for choice in sample.choices)
        return Score(request.prompt, continuations, prefill=request.prefill, raw=request.raw)
    return request


def _chosen(scores: Any, sample: Sample) -> tuple[Reply, ...]:
    return (Reply(f" {sample.choices[scores.best]}", tokens_in=scores.tokens_in),)
