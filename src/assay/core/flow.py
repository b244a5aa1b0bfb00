"""A flow: a running technique, a generator that yields requests and is sent replies. It never does I/O."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

from assay.core.replies import Execution, Reply, Scores
from assay.core.requests import Ask, Execute, Request, Score

T = TypeVar("T")

# Yields a list of requests, is sent the list of their replies in the same order, returns a T.
# Whatever one yield holds may run at the same time.
Flow = Generator[Sequence[Request], Sequence[Any], T]


def ask(request: Ask) -> Flow[tuple[Reply, ...]]:
    """One `Ask` with its reply type spelled out: `replies = yield from ask(Ask(...))`."""
    (replies,) = yield [request]
    assert isinstance(replies, tuple), "a driver answers an Ask with a tuple of replies"
    assert len(replies) == request.n, "a driver answers an Ask with n replies"
    return replies


def score(request: Score) -> Flow[Scores]:
    """One `Score` with its reply type spelled out."""
    (scores,) = yield [request]
    assert isinstance(scores, Scores), "a driver answers a Score with Scores"
    return scores


def execute(request: Execute) -> Flow[Execution]:
    """One `Execute` with its reply type spelled out."""
    (execution,) = yield [request]
    assert isinstance(execution, Execution), "a driver answers an Execute with an Execution"
    return execution
