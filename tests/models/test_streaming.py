"""Replies piece by piece: the same as in one piece, the prefix evaluated once, and an end when nobody listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from assay.core import Ask, BadReply, BadRequest, EndpointDown, Finish, Message, Piece, Reply
from assay.core.model import Model, stream
from assay.models import Scripted
from assay.models.llamacpp import LlamaCpp
from assay.models.openai import OpenAI

from .endpoint import Answer, Endpoint, Fault, reply
from .test_llamacpp import on_model
from .test_openai import connect


async def pieces_of(model: Model, request: Ask, indexes: Sequence[int]) -> dict[int, list[Piece]]:
    """All pieces by index; the last of each has the reply, and only the last."""
    found: dict[int, list[Piece]] = {index: [] for index in indexes}
    async for piece in stream(model, request, indexes):
        found[piece.index].append(piece)
    assert all(piece.reply is None for pieces in found.values() for piece in pieces[:-1])
    return found


def same(one: Reply | None, other: Reply) -> bool:
    """Equal but for the clock, and for what a batch of another width does to the last digits."""
    assert one is not None
    near = [token.logprob for token in other.logprobs]
    assert [token.logprob for token in one.logprobs] == pytest.approx(near, abs=0.3)
    assert [token.id for token in one.logprobs] == [token.id for token in other.logprobs]
    assert all(len(token.top) == 2 for token in one.logprobs)
    still = {"seconds": 0.0, "cpu_seconds": 0.0, "logprobs": ()}
    return replace(one, **still) == replace(other, **still)  # type: ignore[arg-type]


def test_a_model_that_cannot_stream_gives_each_reply_as_one_piece() -> None:
    model = Scripted(lambda request, index: f"reply {index}")
    found = asyncio.run(pieces_of(model, Ask("hi", n=2, seed=0), [3, 5]))
    assert {index: [piece.text for piece in pieces] for index, pieces in found.items()} == {
        3: ["reply 3"],
        5: ["reply 5"],
    }


# --- the embedded engine ------------------------------------------------------------------------------

ENGINE = (pytest.mark.engine, pytest.mark.usefixtures("home"))


def engine(test: Any) -> Any:
    for mark in ENGINE:
        test = mark(test)
    return test


@engine
def test_the_pieces_are_what_generate_gives_in_one() -> None:
    async def work(model: LlamaCpp) -> None:
        # Euros and accents are several tokens a character: no piece may hold half of one.
        request = Ask("Repeat: 10 €, naïve, 猫, ü.", n=7, temperature=0.8, max_tokens=12, seed=3, logprobs=2)
        await model.generate(request, range(7))
        found = await pieces_of(model, request, range(7))
        whole = await model.generate(request, range(7))
        for index, reply_ in enumerate(whole):
            said = "".join(piece.text for piece in found[index])
            assert said.removesuffix("\ufffd") == reply_.text
            assert same(found[index][-1].reply, reply_)

    on_model(work, slots=7)


@engine
def test_a_stop_text_is_not_part_of_any_piece() -> None:
    async def work(model: LlamaCpp) -> None:
        cut = {"prefill": "1, 2, 3,", "max_tokens": 12, "seed": 3, "logprobs": 2, "stop": (" 6,",)}
        request = Ask("Count from one to nine.", **cut)  # type: ignore[arg-type]
        (pieces,) = (await pieces_of(model, request, [0])).values()
        (whole,) = await model.generate(request, [0])
        assert "".join(piece.text for piece in pieces) == whole.text == " 4, 5,"
        assert same(pieces[-1].reply, whole)

    on_model(work, slots=7)


@engine
def test_eight_branches_of_a_prefix_of_344_tokens_evaluate_it_once() -> None:
    async def work(model: LlamaCpp) -> None:
        text = "In the morning the lighthouse keeper counted ships. " * 38
        request = Ask(text, n=8, temperature=1.0, max_tokens=4, seed=1)
        prefix = len(await model._prompt(request))
        assert prefix >= 344
        before = replace(model.meter)
        found = await pieces_of(model, request, range(8))
        evaluated = model.meter.prompt_tokens_evaluated - before.prompt_tokens_evaluated
        # Less than all of it, where an earlier test left its beginning in a slot.
        assert 0 < evaluated < 1.2 * prefix
        assert sum(pieces[-1].evaluated for pieces in found.values()) == evaluated
        written = sum(pieces[-1].reply.tokens_out for pieces in found.values() if pieces[-1].reply)
        assert model.meter.generated_tokens - before.generated_tokens == written
        assert all(pieces[-1].reply and pieces[-1].reply.tokens_in == prefix for pieces in found.values())

    on_model(work, slots=8)


@engine
def test_more_branches_than_slots_go_out_in_waves() -> None:
    async def work(model: LlamaCpp) -> None:
        request = Ask("Name a colour.", n=5, temperature=1.0, max_tokens=3, seed=1)
        found = await pieces_of(model, request, range(5))
        assert all(pieces[-1].reply is not None for pieces in found.values())
        assert model.meter.requests == 3

    on_model(work, slots=2)


@engine
def test_the_engine_stops_when_nobody_listens_any_more() -> None:
    async def busy(model: LlamaCpp) -> int:
        slots = (await model.transport.get("/slots")).json()
        return sum(slot["is_processing"] for slot in slots)

    async def work(model: LlamaCpp) -> None:
        endless = Ask("Count.", n=3, temperature=1.0, max_tokens=1900, seed=1, logit_bias=((2, -1000.0),))
        heard = 0
        async with contextlib.aclosing(stream(model, endless, range(3))) as pieces:
            async for _ in pieces:
                heard += 1
                if heard == 9:
                    break
            assert await busy(model) == 3
        async with asyncio.timeout(10):
            while await busy(model):
                await asyncio.sleep(0.05)
        # What was written until then is on the bill.
        assert model.meter.generated_tokens == heard
        assert model.meter.requests == 1
        assert model.transport.outstanding == 0

    # Seven slots: an engine that no other file uses, so that all its work is this test's.
    on_model(work, slots=7)


@engine
def test_a_prompt_without_room_is_refused_with_its_tokens_said() -> None:
    async def work(model: LlamaCpp) -> None:
        with pytest.raises(BadRequest, match=r"has \d{4} tokens"):
            await pieces_of(model, Ask("word " * 3000, seed=0), [0])

    on_model(work)


# --- endpoints ----------------------------------------------------------------------------------------


def events(*bodies: Answer, end: str = "data: [DONE]\n\n") -> Fault:
    """A streamed answer, with a comment as servers send it to keep a line open."""
    text = ": ping\n\n" + "".join(f"data: {json.dumps(body)}\n\n" for body in bodies) + end
    return Fault(200, text.encode(), {"Content-Type": "text/event-stream"})


def delta(index: int, text: str = "", finish: str | None = None, logprob: float | None = None) -> Answer:
    listed = [{"token": text, "logprob": logprob, "top_logprobs": []}] if logprob is not None else []
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish, "logprobs": {"content": listed}}
    return {"choices": [choice]}


USAGE = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}


class Streaming:
    """Answers probes in one piece and streams with n where it is asked to."""

    def __init__(self, *streams: Fault) -> None:
        self.streams = list(streams)

    def __call__(self, body: Answer) -> Answer:
        if body.get("stream"):
            raise self.streams.pop(0)
        return reply([f"hello {i}" for i in range(int(body.get("n", 1)))])


def streamed(say: Streaming, request: Ask, indexes: Sequence[int]) -> tuple[dict[int, list[Piece]], OpenAI, Any]:
    with Endpoint(say) as endpoint:
        model = connect(endpoint.address)
        endpoint.requests.clear()

        async def work() -> dict[int, list[Piece]]:
            try:
                return await pieces_of(model, request, indexes)
            finally:
                await model.close()

        return asyncio.run(work()), model, endpoint.requests


def test_choices_stream_side_by_side_and_the_usage_is_counted() -> None:
    say = Streaming(
        events(
            delta(0, "4"), delta(1, "fo"), delta(1, "ur", "stop"), delta(0, "!", "length"), {"choices": []}, USAGE
        )
    )
    found, model, (body,) = streamed(say, Ask("2 + 2?", n=2, temperature=1.0, seed=5), [0, 1])
    assert [piece.text for piece in found[0]] == ["4", "!", ""]
    first, second = found[0][-1].reply, found[1][-1].reply
    assert first is not None
    assert second is not None
    assert (first.text, first.finish, first.tokens_in) == ("4!", Finish.LENGTH, 9)
    assert (second.text, second.finish) == ("four", Finish.STOP)
    assert first.tokens_out + second.tokens_out == 4
    assert (model.meter.requests, model.meter.prompt_tokens, model.meter.generated_tokens) == (1, 9, 4)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert body["n"] == 2


def test_a_prefill_that_a_server_repeats_is_not_shown_twice() -> None:
    repeats = events(delta(0, "The ans"), delta(0, "wer is"), delta(0, " 4", "stop"), USAGE)
    differs = events(delta(0, "The"), delta(0, " other", "stop"), USAGE)
    short = events(delta(0, "The", "stop"), USAGE)
    for answer, said in ((repeats, " 4"), (differs, "The other"), (short, "The")):
        request = Ask((Message("user", "2 + 2?"),), prefill="The answer is", seed=0)
        found, *_ = streamed(Streaming(answer), request, [0])
        assert "".join(piece.text for piece in found[0]) == said
        last = found[0][-1].reply
        assert last is not None
        assert last.text == said


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (events(delta(0, "4"), end=""), "before its replies did"),
        (events(delta(0, "4"), {"error": {"message": "out of memory"}}), "out of memory"),
        (events(delta(7, "4")), "unknown shape"),
        (events({"choices": "none"}), "unknown shape"),
        (events(end="data: {broken\n\n"), "not JSON"),
        (events(end="data: [1]\n\n"), "not JSON"),
        (Fault(503, b'{"error": {"message": "busy"}}'), "busy"),
        (Fault(200, b"data: {}\n\n" * 9, {"Content-Type": "text/event-stream"}, cut=20), "broke off"),
    ],
)
def test_a_stream_that_breaks_is_worth_another_try(answer: Fault, error: str) -> None:
    with pytest.raises(EndpointDown, match=error):
        streamed(Streaming(answer), Ask("hi", seed=0), [0])


def test_what_came_before_a_stop_is_on_the_bill() -> None:
    say = Streaming(
        events(delta(0, "a", logprob=-1.0), delta(1, "b"), delta(1, "c"), delta(0, "d", "stop"), USAGE)
    )
    with Endpoint(say) as endpoint:
        model = connect(endpoint.address)

        async def work() -> None:
            before = replace(model.meter)
            async with contextlib.aclosing(stream(model, Ask("hi", n=2, seed=0), [0, 1])) as pieces:
                for _ in range(3):
                    await anext(pieces)
            await model.close()
            assert model.meter.requests - before.requests == 1
            assert model.meter.generated_tokens - before.generated_tokens == 3

        asyncio.run(work())


def test_an_n_that_is_refused_is_halved() -> None:
    refused = Fault(400, b'{"error": {"message": "n is too large"}}')
    one = events(delta(0, "a", "stop"), USAGE)
    found, _, bodies = streamed(Streaming(refused, one, one), Ask("hi", n=2, seed=4), [0, 1])
    assert [body["n"] for body in bodies] == [2, 1, 1]
    assert all(pieces[-1].reply is not None for pieces in found.values())
    with pytest.raises(BadReply, match="too large"):
        streamed(Streaming(refused), Ask("hi", seed=4), [0])


@engine
def test_a_real_endpoint_streams_what_it_generates() -> None:
    async def work(model: LlamaCpp) -> None:
        served = (await model.transport.get("/v1/models")).json()["data"][0]["id"]
        key = model.transport._headers["Authorization"].removeprefix("Bearer ")
        endpoint = await OpenAI.connect(served, [model.transport.address], key, slots=7, seconds=60)
        try:
            request = Ask("Name a river.", n=3, temperature=1.0, max_tokens=8, seed=3, logprobs=2)
            await endpoint.generate(request, range(3))
            found = await pieces_of(endpoint, request, range(3))
            for pieces, whole in zip(found.values(), await endpoint.generate(request, range(3)), strict=True):
                assert "".join(piece.text for piece in pieces) == whole.text
                assert same(pieces[-1].reply, whole)
                assert len(pieces) > 2
        finally:
            await endpoint.close()

    on_model(work, slots=7)
