"""A flow: a running technique, a generator that yields requests and is sent replies. It never does I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, TypeVar

from assay.core.errors import AssayError
from assay.core.replies import Execution, Reading, Reply, Scores, Used
from assay.core.requests import Ask, Execute, Read, Request, Score, Use

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


def read(request: Read) -> Flow[Reading]:
    """One `Read` with its reply type spelled out."""
    (reading,) = yield [request]
    assert isinstance(reading, Reading), "a driver answers a Read with a Reading"
    return reading


def execute(request: Execute) -> Flow[Execution]:
    """One `Execute` with its reply type spelled out."""
    (execution,) = yield [request]
    assert isinstance(execution, Execution), "a driver answers an Execute with an Execution"
    return execution


def use(tool: str, arguments: str, seconds: float) -> Flow[Used]:
    """One `Use` with its reply type spelled out."""
    (used,) = yield [Use(tool, arguments, seconds)]
    assert isinstance(used, Used), "a driver answers a Use with a Used"
    return used


def at_once(flow: Flow[T]) -> T:
    """What a flow returns that asks for nothing, such as an act in a world of our own."""
    try:
        next(flow)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise AssertionError("this flow asks for something")


def together(flows: Sequence[Flow[T]]) -> Flow[list[T]]:
    """Run several flows side by side: their requests go out in the same steps. Results in order."""
    results: dict[int, T] = {}
    pending: dict[int, tuple[Flow[T], Sequence[Request]]] = {}

    def advance(index: int, flow: Flow[T], step: Callable[[], Sequence[Request]]) -> None:
        try:
            pending[index] = (flow, step())
        except StopIteration as stop:
            pending.pop(index, None)
            results[index] = stop.value

    for index, flow in enumerate(flows):
        advance(index, flow, partial(next, flow))
    while pending:
        waiting = dict(pending)
        try:
            replies = yield [request for _, requests in waiting.values() for request in requests]
        except AssayError as error:
            for index, (flow, _) in waiting.items():
                advance(index, flow, partial(flow.throw, error))
            continue
        at = 0
        for index, (flow, requests) in waiting.items():
            advance(index, flow, partial(flow.send, replies[at : at + len(requests)]))
            at += len(requests)
    return [results[index] for index in range(len(flows))]


def rewrite(flow: Flow[T], change: Callable[[Request], Request]) -> Flow[T]:
    """The same flow with every request passed through `change` on its way out."""
    try:
        requests = next(flow)
        while True:
            try:
                replies = yield [change(request) for request in requests]
            except AssayError as error:
                requests = flow.throw(error)
            else:
                requests = flow.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result
