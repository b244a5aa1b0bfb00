"""Any endpoint as a model: what it can do is found by asking, and its faults never become scores."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from assay import run
from assay.core import (
    Ask,
    Capability,
    Embed,
    EndpointDown,
    Finish,
    Message,
    ModelError,
    UnknownName,
    UserError,
    ask,
)
from assay.core.verdict import Verdict
from assay.lab import dispatch
from assay.lab.driver import Driver
from assay.lab.plan import Plan
from assay.lab.session import Stamp, run_claim
from assay.lab.store import Store
from assay.models.openai import OpenAI
from tests.lab import planted

from .endpoint import Answer, Endpoint, Fault, reply, sleeping


def plain(body: Answer) -> Answer:
    """Answers every probe modestly: one choice, no extras."""
    return reply(["hello there"])


def connect(address: str, name: str = "fake", **settings: Any) -> OpenAI:
    async def work() -> OpenAI:
        chosen = {"slots": 4, "seconds": 2.0} | settings
        model = await OpenAI.connect(name, [address], "", **chosen)
        await model.close()
        return model

    return asyncio.run(work())


def generate(model: OpenAI, request: Ask) -> Any:
    return run(ask(request), model)


def test_a_modest_endpoint_is_given_no_ability_it_has_not() -> None:
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
    assert model.capabilities == {Capability.GENERATE, Capability.CHAT}


def test_features_that_are_accepted_and_ignored_are_not_believed() -> None:
    """llama.cpp answers `echo` and an unknown grammar with 200 and does nothing."""

    def accepting(body: Answer) -> Answer:
        answer = reply(["hello"] * int(body.get("n", 1)))
        if body["path"].endswith("/completions") and "prompt" in body:
            answer["choices"] = [{"text": " x", "logprobs": {"token_logprobs": [-1.0], "text_offset": [0]}}]
        return answer

    with Endpoint(accepting) as endpoint:
        found = connect(endpoint.address).capabilities
    assert Capability.N in found
    assert not found & {Capability.PROMPT_LOGPROBS, Capability.GRAMMAR, Capability.JSON_SCHEMA, Capability.SEED}


def test_every_sampling_parameter_is_sent() -> None:
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
        endpoint.requests.clear()
        generate(model, Ask("hi", max_tokens=7))
    (body,) = endpoint.requests
    assert {"temperature", "top_p", "max_tokens", "n"} <= set(body)
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.0, 1.0, 7)


def test_a_prefill_becomes_a_turn_only_where_the_endpoint_cannot_begin_the_answer() -> None:
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
        endpoint.requests.clear()
        generate(model, Ask((Message("user", "2+2?"),), prefill="The answer is"))
    assert [turn["role"] for turn in endpoint.requests[0]["messages"]] == ["user", "user"]


FAULTS = {
    "500": lambda: Fault(500, b'{"error": {"message": "oops"}}'),
    "429 with Retry-After": lambda: Fault(429, b"{}", {"Retry-After": "0.02"}),
    "half a body": lambda: Fault(200, b'{"choices": [{"message": {"content": "12"}}]}', cut=20),
    "wrong JSON": lambda: Fault(200, b"<html>gateway</html>"),
    "an empty choice": lambda: Fault(200, b'{"choices": [{}]}'),
    "no choice": lambda: Fault(200, b'{"choices": []}'),
    "a list": lambda: Fault(200, b"[]"),
    "null content": lambda: Fault(200, b'{"choices": [{"message": {"content": null}}]}'),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_tried_again_until_an_answer_comes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.01)
    left = [0]

    def failing(body: Answer) -> Answer:
        if left[0] > 0:
            left[0] -= 1
            raise FAULTS[name]()
        return reply(["12"])

    with Endpoint(failing) as endpoint:
        model = connect(endpoint.address)
        left[0] = 3
        (answer,) = generate(model, Ask("hi"))
    assert answer.text == "12"


def test_a_stall_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.01)
    stalls = [0]

    def stalling(body: Answer) -> Answer:
        if stalls[0]:
            stalls[0] -= 1
            sleeping(30)
        return reply(["12"])

    with Endpoint(stalling) as endpoint:
        model = connect(endpoint.address, seconds=0.3)
        stalls[0] = 1
        start = time.monotonic()
        (answer,) = generate(model, Ask("hi"))
    assert answer.text == "12"
    assert time.monotonic() - start < 5


def test_more_choices_than_asked_are_cut_and_fewer_are_asked_for_again() -> None:
    surplus = [0]

    def generous(body: Answer) -> Answer:
        if body.get("max_tokens", 0) < 50:
            return reply(["a b"] * int(body.get("n", 1)))
        return reply([f"reply {i}" for i in range(max(1, int(body["n"]) + surplus[0]))])

    with Endpoint(generous) as endpoint:
        model = connect(endpoint.address)
        assert Capability.N in model.capabilities
        surplus[0] = 3
        assert len(generate(model, Ask("hi", n=4, max_tokens=60))) == 4
        surplus[0] = -2
        assert len(generate(model, Ask("again", n=4, max_tokens=60))) == 4


def test_an_n_that_is_refused_is_asked_for_in_smaller_lots_from_then_on() -> None:
    def modest(body: Answer) -> Answer:
        n = int(body.get("n", 1))
        if n > 4:
            raise Fault(400, b'{"error": {"message": "n is at most 4"}}')
        return reply([f"reply {i}" if body["max_tokens"] > 50 else "a b" for i in range(n)])

    with Endpoint(modest) as endpoint:
        model = connect(endpoint.address)
        endpoint.requests.clear()
        assert len(generate(model, Ask("hi", n=10, max_tokens=60))) == 10
        assert [body["n"] for body in endpoint.requests] == [10, 5, 2, 2, 2, 2, 2]
        endpoint.requests.clear()
        assert len(generate(model, Ask("again", n=4, max_tokens=60))) == 4
        assert [body["n"] for body in endpoint.requests] == [2, 2]


def test_a_refused_request_is_not_tried_again() -> None:
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
        endpoint.requests.clear()

        def refusing(body: Answer) -> Answer:
            raise Fault(400, b'{"error": {"message": "context too long"}}')

        with Endpoint(refusing) as other:
            model.transports = tuple(type(t)(other.address) for t in model.transports)
            with pytest.raises(ModelError, match="context too long"):
                generate(model, Ask("hi"))
            assert len(other.requests) == 1


def test_tokens_of_every_reply_are_counted_where_the_server_counts_one() -> None:
    """As llama.cpp does: usage says the tokens of the first choice of n."""

    def miscounting(body: Answer) -> Answer:
        n = int(body.get("n", 1))
        answer = reply(["one two"] * n)
        answer["usage"]["completion_tokens"] = 2
        if body.get("logprobs"):
            entry = {"token": "one", "logprob": -0.1, "top_logprobs": [{"token": "one", "logprob": -0.1}] * 2}
            for choice in answer["choices"]:
                choice["logprobs"] = {"content": [entry, entry]}
        return answer

    with Endpoint(miscounting) as endpoint:
        model = connect(endpoint.address)
        replies = generate(model, Ask("hi", n=8, temperature=1.0))
    assert [one.tokens_out for one in replies] == [2] * 8


@pytest.mark.parametrize(
    ("choice", "text", "finish"),
    [
        ({"message": {"content": ""}, "finish_reason": "stop"}, "", Finish.STOP),
        ({"message": {"content": ""}, "finish_reason": "content_filter"}, "", Finish.REFUSED),
        ({"message": {"content": None, "reasoning_content": "hm"}, "finish_reason": "length"}, "", Finish.LENGTH),
        ({"message": {"content": None, "tool_calls": [{}]}, "finish_reason": "tool_calls"}, "", Finish.STOP),
        (
            {"message": {"content": None, "refusal": "I may not."}, "finish_reason": "stop"},
            "I may not.",
            Finish.REFUSED,
        ),
        ({"message": {"content": [{"type": "text", "text": "4"}]}, "finish_reason": "stop"}, "4", Finish.STOP),
    ],
)
def test_an_answer_without_a_word_is_an_ending_and_no_fault(
    choice: dict[str, Any], text: str, finish: Finish
) -> None:
    """A reasoning model that is cut while it thinks has no content; it was paid for and is not asked again."""
    usage = {"prompt_tokens": 9, "completion_tokens": 700}
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
        endpoint.say = lambda body: {"choices": [choice], "usage": usage}
        probed = len(endpoint.requests)
        (answer,) = generate(model, Ask("hi"))
    assert len(endpoint.requests) == probed + 1
    assert (answer.text, answer.finish, answer.tokens_out) == (text, finish, 700)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0}])
def test_a_server_that_counts_nothing_is_guessed_by_length(usage: Any) -> None:
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
        endpoint.say = lambda body: reply(["four"]) | {"usage": usage}
        (answer,) = generate(model, Ask((Message("user", "x" * 400),)))
    assert (answer.tokens_in, answer.tokens_out, model.meter.guessed) == (100, 1, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"usage": {"prompt_tokens": -1}},
        {"usage": {"prompt_tokens": 1e300}},
        {"usage": {"completion_tokens": 10**12}},
        {"choices": [{"message": {"content": {"text": "4"}}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": 4}, "finish_reason": "stop"}]},
        {"choices": [{"message": {}}]},
    ],
)
def test_counts_and_contents_that_cannot_be_are_faults(
    changed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.01)
    with Endpoint(plain) as endpoint:
        model = connect(endpoint.address)
        endpoint.say = lambda body: reply(["four"]) | changed
        with pytest.raises(EndpointDown, match="unknown shape"):
            generate(model, Ask("hi"))


@pytest.mark.parametrize("what", ["dead", "wrong name", "wrong key", "no address"])
def test_what_is_wrong_is_said_in_one_sentence_within_three_seconds(what: str) -> None:
    start = time.monotonic()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if what == "dead":
        with pytest.raises(EndpointDown, match="Nothing answers at"):
            connect(f"http://127.0.0.1:{port}/v1")
    elif what == "no address":
        with pytest.raises(UserError, match="is not an address"):
            connect("localhost:1234")
    elif what == "wrong key":
        with Endpoint(plain, key="secret") as endpoint, pytest.raises(UserError, match="OPENAI_API_KEY"):
            connect(endpoint.address)
    else:
        with Endpoint(plain, models=("gpt-4o-mini",)) as endpoint, pytest.raises(UnknownName, match="gpt-4o-mini"):
            connect(endpoint.address, "gpt-4o-mimi")
    assert time.monotonic() - start < 3


def test_embeddings_come_back_in_order() -> None:
    def embedding(body: Answer) -> Answer:
        if body["path"].endswith("/embeddings"):
            rows = [{"index": i, "embedding": [float(len(text))]} for i, text in enumerate(body["input"])]
            return {"data": rows[::-1], "usage": {"prompt_tokens": 3}}
        return plain(body)

    with Endpoint(embedding) as endpoint:
        model = connect(endpoint.address)
        found = asyncio.run(model.embed(Embed(("a", "bbb"))))
        assert (found.vectors.array().tolist(), found.tokens_in) == ([[1.0], [3.0]], 3)
        assert Capability.EMBED in model.capabilities


def test_a_run_over_a_faulty_endpoint_ends_with_the_same_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third request meets another fault; the verdict is that of the faultless server."""
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.005)
    truth = planted.model({"treatment": 0.8, "control": 0.3})
    kinds = list(FAULTS.values())

    def serve(faulty: bool) -> Verdict:
        count = [0]

        def say(body: Answer) -> Answer:
            turns = [turn["content"] for turn in body["messages"]]
            if "+ 0?" not in turns[0]:
                return plain(body)
            count[0] += 1
            if faulty and count[0] % 3 == 0:
                raise kinds[count[0] // 3 % len(kinds)]()
            prefill = turns[-1].rpartition("\n")[2]
            return reply([str(truth._script(Ask(turns[0], prefill=prefill), 0)).strip()])

        paper = planted.paper(n=60)

        async def work() -> Verdict:
            store = Store(tmp_path / f"{faulty}.sqlite")
            model = await OpenAI.connect("fake", [endpoint.address], "", slots=4, seconds=2.0)
            driver = Driver()
            plan = Plan(paper, paper.claims[0], controls=("format",), rule="fixed")
            stamp = Stamp("assay run planted", "0", "", {})
            try:
                return await run_claim(plan, model, "planted-aaaaa", store, driver, stamp, lambda event: None)
            finally:
                await driver.close()
                await model.close()
                store.close()

        with Endpoint(say) as endpoint:
            return asyncio.run(work())

    clean, faulty = serve(False), serve(True)
    assert (faulty.verdict, faulty.effect, faulty.n) == (clean.verdict, clean.effect, clean.n)
    assert sum(faulty.arms["treatment"].endings.values()) == 60
