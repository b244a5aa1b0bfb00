"""The driver on a scripted model: order, cache, samples, budgets, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from assay.core import (
    Answer,
    Ask,
    Budget,
    BudgetExceeded,
    EndpointDown,
    Flow,
    Grouping,
    Reply,
    Score,
    ask,
    score,
)
from assay.lab import dispatch
from assay.lab.driver import Done, Driver, Job
from assay.models import Scripted


class Memory:
    """A cache in memory."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Any] = {}

    def get(self, key: bytes) -> Any | None:
        return self.kept.get(key)

    def put(self, key: bytes, fingerprint: str, value: Any) -> None:
        self.kept[key] = value


def drive(jobs: Sequence[Job[Any]], cache: Memory | None = None) -> dict[Any, Done[Any]]:
    async def work() -> dict[Any, Done[Any]]:
        driver = Driver(cache=cache)
        try:
            return {done.key: done async for done in driver.run(jobs)}
        finally:
            await driver.close()

    return asyncio.run(work())


def texts(request: Ask) -> Flow[list[str]]:
    replies = yield from ask(request)
    return [reply.text for reply in replies]


def echo(request: Ask, index: int) -> str:
    return f"{request.prompt}/{request.seed}/{index}"


@pytest.mark.parametrize("grouping", list(Grouping))
def test_replies_come_in_order_however_they_are_grouped(grouping: Grouping) -> None:
    model = Scripted(echo, grouping=grouping, slots=3, seconds=0.001)
    jobs = [Job(i, lambda i=i: texts(Ask(f"q{i}", n=5, seed=7)), model) for i in range(20)]  # type: ignore[misc]
    for i, done in drive(jobs).items():
        assert done.value == [f"q{i}/7/{k}" for k in range(5)]


def test_a_freed_slot_takes_the_next_request_without_waiting_for_a_batch() -> None:
    """One slow reply among quick ones: the quick ones go on in the other slot meanwhile."""
    order: list[str] = []

    class Uneven(Scripted):
        async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
            await asyncio.sleep(0.2 if request.prompt == "slow" else 0.005)
            order.append(str(request.prompt))
            return (Reply("x"),)

    model = Uneven(echo, slots=2)
    drive([Job(p, lambda p=p: texts(Ask(p)), model) for p in ["slow", *map(str, range(10))]])  # type: ignore[misc]
    assert order[-1] == "slow"
    assert len(order) == 11


def test_samples_of_one_prompt_stay_in_the_slot_that_holds_it() -> None:
    """By slot: two slots, two prompts of four samples: each slot keeps to its prompt."""
    seen: list[str] = []

    class Watching(Scripted):
        async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
            seen.append(str(request.prompt))
            return await super().generate(request, indexes)

    model = Watching(echo, slots=2, grouping=Grouping.BY_SLOT, seconds=0.001)
    drive([Job(p, lambda p=p: texts(Ask(p, n=4)), model) for p in "abcdef"])  # type: ignore[misc]
    # c is begun only when a or b has no sample left to draw.
    assert min(seen[: seen.index("c")].count("a"), seen[: seen.index("c")].count("b")) >= 3
    assert sorted(seen) == sorted("abcdef" * 4)


def test_one_prompt_alone_goes_out_together_where_slots_would_idle() -> None:
    model = Scripted(echo, slots=8, grouping=Grouping.BY_SLOT)
    drive([Job(0, lambda: texts(Ask("only", n=8)), model)])
    assert model.meter.requests == 1


def test_the_same_sample_is_asked_once_and_costs_the_same_from_the_cache() -> None:
    cache, model = Memory(), Scripted(lambda q, i: f"word number {i}")
    first = drive([Job(0, lambda: texts(Ask("q", n=3, temperature=1.0)), model)], cache)[0]
    asked = model.meter.requests
    again = drive([Job(0, lambda: texts(Ask("q", n=3, temperature=1.0)), model)], cache)[0]
    assert model.meter.requests == asked
    assert again.value == first.value
    assert again.usage == first.usage
    assert first.usage.tokens_out == 9
    more = drive([Job(0, lambda: texts(Ask("q", n=5, temperature=1.0)), model)], cache)[0]
    assert more.value[:3] == first.value
    assert model.meter.generated_tokens == 15


def test_two_flows_that_ask_the_same_at_once_share_the_reply() -> None:
    model = Scripted(echo, seconds=0.01)
    done = drive([Job(i, lambda: texts(Ask("same")), model) for i in range(4)])
    assert model.meter.requests == 1
    assert len({tuple(one.value) for one in done.values()}) == 1


def test_asking_again_in_one_flow_draws_further_samples() -> None:
    def flow() -> Flow[list[str]]:
        first = yield from texts(Ask("q", n=2, temperature=1.0, seed=1))
        second = yield from texts(Ask("q", n=2, temperature=1.0, seed=1))
        return first + second

    assert drive([Job(0, flow, Scripted(echo))])[0].value == [f"q/1/{i}" for i in range(4)]


def test_seeds_come_from_the_job_and_not_from_the_arm() -> None:
    model = Scripted(echo)
    jobs = [
        Job(k, lambda: texts(Ask("q", temperature=1.0)), model, seed=s) for k, s in (("a", 1), ("b", 1), ("c", 2))
    ]
    done = drive(jobs)
    assert done["a"].value == done["b"].value != done["c"].value


def test_a_budget_stops_a_flow_midway_and_what_stands_is_scored() -> None:
    def counting() -> Flow[Answer]:
        got = 0
        try:
            while True:
                yield from ask(Ask(f"step {got}"))
                got += 1
        except BudgetExceeded:
            return Answer(str(got))

    model = Scripted(lambda q, i: "five words are in here")
    done = drive([Job(0, counting, model, budget=Budget(tokens=50))])[0]
    # Seven tokens a step: seven steps leave one token, which an eighth may still begin with.
    assert done.value == Answer("8")
    assert done.usage.tokens <= 56


def test_a_request_wants_no_more_than_the_budget_has() -> None:
    wanted: list[int] = []

    def script(request: Ask, index: int) -> str:
        wanted.append(request.max_tokens)
        return "x"

    drive([Job(0, lambda: texts(Ask("q", max_tokens=500, n=2)), Scripted(script), budget=Budget(tokens=60))])
    assert wanted == [30, 30]


def test_transport_faults_are_tried_again_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.001)
    tries: list[int] = []

    def flaky(request: Ask, index: int) -> str:
        tries.append(index)
        if len(tries) < 4:
            raise EndpointDown("gone for a moment", retry_after=0.001)
        return "back"

    assert drive([Job(0, lambda: texts(Ask("q")), Scripted(flaky))])[0].value == ["back"]
    assert len(tries) == 4

    def dead(request: Ask, index: int) -> str:
        raise EndpointDown("gone for good")

    done = drive([Job(0, lambda: texts(Ask("q")), Scripted(dead))])[0]
    assert isinstance(done.error, EndpointDown)


def test_scores_are_cached_and_counted() -> None:
    def flow() -> Flow[int]:
        scores = yield from score(Score("q", ("a", "bb", "c")))
        return scores.best

    cache = Memory()
    model = Scripted(echo, scores=lambda request: [len(c) for c in request.continuations])
    assert drive([Job(0, flow, model)], cache)[0].value == 1
    assert drive([Job(0, flow, model)], cache)[0].value == 1
    assert len(cache.kept) == 1


def test_closing_early_cancels_what_is_in_flight() -> None:
    model = Scripted(echo, seconds=0.05, slots=2)

    async def work() -> int:
        driver = Driver()
        jobs = (Job(i, lambda i=i: texts(Ask(f"q{i}")), model) for i in range(1000))  # type: ignore[misc]
        stream = driver.run(jobs)
        async for _ in stream:
            break
        await stream.aclose()
        await driver.close()
        return model.meter.requests

    assert asyncio.run(work()) < 10
