"""What is sent together, to which slot, how often again; and that nobody waits for ever."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from assay.core import (
    Ask,
    BadReply,
    Embed,
    Ending,
    EndpointDown,
    Flow,
    Grouping,
    Outcome,
    Reply,
    Score,
    Usage,
    ask,
)
from assay.lab.dispatch import Dispatcher
from assay.lab.driver import Driver, Job
from assay.lab.store import Recorded, Store
from assay.models import Scripted

T = TypeVar("T")


class Watched(Scripted):
    """Notes what it is asked, and answers as soon as it is told to."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(lambda request, index: f"{request.prompt}/{index}", **settings)
        self.sent: list[tuple[str, list[int]]] = []
        self.gates: list[asyncio.Event] = []

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        self.sent.append((request.prefill or str(request.prompt), list(indexes)))
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return await super().generate(request, indexes)


async def settled() -> None:
    """Until everything that can go on has gone on."""
    for _ in range(60):
        await asyncio.sleep(0)


def inside(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """In a loop; a test that would wait for ever fails instead."""
    return asyncio.run(asyncio.wait_for(work(), 10))


# --- grouping


def test_together_every_prompt_is_one_request_and_the_oldest_is_first() -> None:
    async def work() -> list[Any]:
        model = Watched(slots=2, grouping=Grouping.TOGETHER)
        queue = Dispatcher(model)
        for prompt in "abc":
            queue.ask(Ask(prompt, n=3), [0, 1, 2])
        await settled()
        first = list(model.sent)
        model.gates[0].set()
        await settled()
        await queue.close()
        return [first, model.sent]

    first, later = inside(work)
    assert first == [("a", [0, 1, 2]), ("b", [0, 1, 2])]
    assert later[2:] == [("c", [0, 1, 2])]


def test_singly_every_sample_is_a_request_and_one_prompt_may_fill_all_slots() -> None:
    async def work() -> list[Any]:
        model = Watched(slots=3, grouping=Grouping.SINGLY)
        queue = Dispatcher(model)
        for prompt in "ab":
            queue.ask(Ask(prompt, n=4), [0, 1, 2, 3])
        await settled()
        await queue.close()
        return model.sent

    assert inside(work) == [("a", [0]), ("a", [1]), ("a", [2])]


def test_by_slot_prompts_are_spread_before_samples_are() -> None:
    async def work() -> list[Any]:
        model = Watched(slots=3, grouping=Grouping.BY_SLOT)
        queue = Dispatcher(model)
        for prompt in "abc":
            queue.ask(Ask(prompt, n=2), [0, 1])
        await settled()
        await queue.close()
        return model.sent

    assert inside(work) == [("a", [0]), ("b", [0]), ("c", [0])]


def test_by_slot_samples_fill_the_slots_that_would_idle() -> None:
    """Four slots, two prompts: one slot is left for the second, three go to the first."""

    async def work() -> list[Any]:
        model = Watched(slots=4, grouping=Grouping.BY_SLOT)
        queue = Dispatcher(model)
        for prompt in "ab":
            queue.ask(Ask(prompt, n=8), list(range(8)))
        await settled()
        await queue.close()
        return model.sent

    assert inside(work) == [("a", [0, 1, 2]), ("b", [0])]


def test_by_slot_a_freed_slot_draws_the_next_sample_of_its_own_prompt() -> None:
    async def work() -> list[Any]:
        model = Watched(slots=2, grouping=Grouping.BY_SLOT)
        queue = Dispatcher(model)
        for prompt in "abc":
            queue.ask(Ask(prompt, n=2), [0, 1])
        await settled()
        model.gates[1].set()  # b is done in its slot
        await settled()
        await queue.close()
        return model.sent

    assert inside(work) == [("a", [0]), ("b", [0]), ("b", [1])]


def test_by_slot_a_later_step_goes_to_the_slot_that_read_its_beginning() -> None:
    """The prompt that goes on from what b's slot holds comes before an older one."""

    async def work() -> list[Any]:
        model = Watched(slots=2, grouping=Grouping.BY_SLOT)
        queue = Dispatcher(model)
        queue.ask(Ask("q", prefill="a"), [0])
        queue.ask(Ask("q", prefill="b"), [0])
        await settled()
        queue.ask(Ask("q", prefill="older"), [0])
        queue.ask(Ask("q", prefill="b, and on"), [0])
        model.gates[1].set()
        await settled()
        await queue.close()
        return model.sent

    assert inside(work) == [("a", [0]), ("b", [0]), ("b, and on", [0])]


def test_more_slots_than_work_leaves_nothing_waiting() -> None:
    async def work() -> list[str]:
        queue = Dispatcher(Scripted(lambda request, index: f"{index}", slots=8, grouping=Grouping.BY_SLOT))
        replies = await asyncio.gather(*queue.ask(Ask("q", n=3), [4, 5, 6]))
        return [reply.text for reply in replies]

    assert inside(work) == ["4", "5", "6"]


def test_scores_and_vectors_wait_in_the_same_queue() -> None:
    async def work() -> tuple[Any, Any]:
        queue = Dispatcher(Scripted(lambda request, index: "", scores=lambda request: [-1.0, -2.0], slots=1))
        return await queue.whole(Score("q", ("a", "b"))), await queue.whole(Embed(("abc",)))

    scores, vectors = inside(work)
    assert (scores.best, vectors.vectors.array().tolist()) == (0, [[3.0]])


# --- faults


def faulty(failures: list[Exception]) -> Scripted:
    def script(request: Ask, index: int) -> str:
        if failures:
            raise failures.pop(0)
        return "at last"

    return Scripted(script, slots=1)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, without sleeping."""
    slept: list[float] = []
    nap = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
        await nap(0)

    monkeypatch.setattr("assay.lab.dispatch.asyncio.sleep", sleep)
    return slept


def answer(queue: Dispatcher) -> Awaitable[Reply]:
    (future,) = queue.ask(Ask("q"), [0])
    return future


def test_waiting_times_double_and_are_jittered(naps: list[float]) -> None:
    async def work() -> str:
        queue = Dispatcher(faulty([EndpointDown("gone")] * 4), jitter=random.Random(1))
        return (await answer(queue)).text

    assert inside(work) == "at last"
    for wait, nominal in zip(naps, (0.25, 0.5, 1.0, 2.0), strict=True):
        assert 0.5 * nominal <= wait <= 1.5 * nominal
    assert len({wait / nominal for wait, nominal in zip(naps, (0.25, 0.5, 1.0, 2.0), strict=True)}) == 4


def test_a_server_that_says_how_long_is_waited_for(naps: list[float]) -> None:
    async def work() -> str:
        return (await answer(Dispatcher(faulty([EndpointDown("busy", retry_after=30.0)])))).text

    assert inside(work) == "at last"
    assert naps == [30.0]


def test_a_server_that_says_too_little_is_not_hammered(naps: list[float]) -> None:
    async def work() -> str:
        return (await answer(Dispatcher(faulty([EndpointDown("busy", retry_after=0.0)])))).text

    assert inside(work) == "at last"
    assert naps[0] >= 0.125


def test_five_faults_are_the_end_and_every_try_is_counted(naps: list[float]) -> None:
    async def work() -> int:
        queue = Dispatcher(faulty([EndpointDown(f"gone {i}") for i in range(9)]))
        with pytest.raises(EndpointDown, match="gone 4"):
            await answer(queue)
        return queue.requests_sent

    assert inside(work) == 5


def test_an_answer_that_is_wrong_is_not_asked_for_again(naps: list[float]) -> None:
    async def work() -> int:
        queue = Dispatcher(faulty([BadReply("nonsense")]))
        with pytest.raises(BadReply):
            await answer(queue)
        return queue.requests_sent

    assert inside(work) == 1


def test_a_fault_of_one_request_frees_its_slot_for_the_next(naps: list[float]) -> None:
    async def work() -> str:
        queue = Dispatcher(faulty([BadReply("nonsense")]))
        first, second = answer(queue), answer(queue)
        with pytest.raises(BadReply):
            await first
        return (await second).text

    assert inside(work) == "at last"


def test_fewer_replies_than_asked_are_an_error_and_no_endless_wait() -> None:
    class Short(Scripted):
        async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
            return (Reply("only one"),)

    async def work() -> list[Any]:
        queue = Dispatcher(Short(lambda request, index: ""))
        return await asyncio.gather(*queue.ask(Ask("q", n=3), [0, 1, 2]), return_exceptions=True)

    first, *others = inside(work)
    assert first.text == "only one"
    assert all(isinstance(other, ValueError) for other in others)


# --- the end


def test_closing_cancels_what_is_under_way() -> None:
    async def work() -> bool:
        queue = Dispatcher(Watched(slots=1))
        future = answer(queue)
        await settled()
        await queue.close()
        with pytest.raises(asyncio.CancelledError):
            await future
        return True

    assert inside(work)


def test_after_closing_nothing_more_is_sent() -> None:
    async def work() -> list[Any]:
        model = Watched(slots=1)
        queue = Dispatcher(model)
        for prompt in "abc":
            queue.ask(Ask(prompt), [0])
        await settled()
        await queue.close()
        queue.ask(Ask("late"), [0])
        await settled()
        return model.sent

    assert inside(work) == [("a", [0])]


def test_closing_ends_the_wait_of_those_in_the_queue_too() -> None:
    async def work() -> bool:
        queue = Dispatcher(Watched(slots=1))
        answer(queue)
        (queued,) = queue.ask(Ask("queued"), [0])
        await settled()
        await queue.close()
        return queued.done()

    assert inside(work)


def one(prompt: str) -> Flow[str]:
    (reply,) = yield from ask(Ask(prompt))
    return reply.text


def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    """A run that is decided early stops its flows; its controls then run on the same driver."""

    async def work() -> list[str]:
        model = Watched(slots=1)
        driver = Driver()
        stream = driver.run([Job(prompt, lambda p=prompt: one(p), model) for prompt in "abcdef"])  # type: ignore[misc]
        first = asyncio.ensure_future(anext(stream))
        await settled()
        model.gates[0].set()
        await first
        await stream.aclose()
        for _ in range(10):
            await settled()
            for gate in model.gates:
                gate.set()
        await driver.close()
        return [prompt for prompt, _ in model.sent]

    assert inside(work) in (["a"], ["a", "b"])


def test_an_endpoint_without_n_is_paid_for_every_prompt() -> None:
    async def work() -> tuple[int, int]:
        model = Scripted(lambda request, index: "x", grouping=Grouping.SINGLY)
        driver = Driver()
        async for done in driver.run([Job(0, lambda: ask(Ask("four words are here", n=4)), model)]):
            counted = done.usage.tokens_in
        await driver.close()
        return counted, model.meter.prompt_tokens

    counted, billed = inside(work)
    assert counted == billed


# --- the store behind it: an acknowledgement that never comes


def ended(detail: str = "") -> Recorded:
    return Recorded("arm", "item", 0, Outcome(Ending.UNPARSED, detail=detail), Usage(), "trace")


def test_ctrl_c_while_a_sample_is_written_does_not_stop_the_writer(tmp_path: Path) -> None:
    async def work() -> None:
        store = Store(tmp_path / "a.sqlite")
        await store.begin("run", "now", "claim", {})
        lock = sqlite3.connect(store.path, isolation_level=None)
        lock.execute("begin immediate")  # the disk is slow
        recording = asyncio.create_task(store.record("run", ended(), []))
        await asyncio.sleep(0.05)
        recording.cancel()  # what asyncio.run does on Ctrl-C
        with pytest.raises(asyncio.CancelledError):
            await recording
        lock.execute("commit")
        lock.close()
        try:
            await asyncio.wait_for(store.finish("run", "stopped", None), 2)
        finally:
            store.close()

    asyncio.run(work())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_half_a_character_in_a_reply_does_not_stop_the_writer(tmp_path: Path) -> None:
    r"""JSON may hold "\ud83d": an emoji cut in two by a limit on tokens."""

    async def work() -> None:
        store = Store(tmp_path / "a.sqlite")
        await store.begin("run", "now", "claim", {})
        try:
            await asyncio.wait_for(store.record("run", ended("cut: \ud83d"), []), 2)
        finally:
            store.close()

    asyncio.run(work())


def test_a_reply_that_is_being_written_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")

    class WrittenMeanwhile(dict[bytes, Any]):
        def __contains__(self, key: object) -> bool:
            found = super().__contains__(key)
            if found:
                assert isinstance(key, bytes)
                store.forget("no such model")  # returns once everything before it is written
            return found

    try:
        store._unwritten = WrittenMeanwhile()
        store.put(b"key", "model", {"text": "x"})
        assert store.get(b"key") == {"text": "x"}
    finally:
        store.close()


def test_a_full_disk_ends_the_run_instead_of_burning_its_tokens(tmp_path: Path) -> None:
    from assay.core import UserError

    from . import planted
    from .test_experiment import run

    model = planted.model({"treatment": 0.8, "control": 0.3})
    real = Store.put

    def put(self: Store, *args: Any) -> None:
        self._failure = self._failure or sqlite3.OperationalError("database or disk is full")
        real(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "put", put)
        with pytest.raises(UserError, match="disk is full"):
            run(tmp_path, model, n=100)
    assert model.meter.requests < 50
