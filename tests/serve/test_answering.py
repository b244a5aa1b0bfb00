"""Techniques as models, where things go wrong: budgets, queues, slow and failing servers, odd conversations."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.core import Answer, Ask, BadRequest, Flow, Message, Score
from assay.serve import answering
from assay.serve.answering import flow_of, words_of
from assay.serve.app import Limits
from assay.serve.forms import ChatForm
from assay.serve.names import Named
from assay.serve.problems import Problem
from tests.serve.running import Upstream, running, says, send

ASKED = {"model": "direct/fake", "messages": [{"role": "user", "content": "How many?"}], "seed": 1}


class Server:
    """Answers what is asked to find out its abilities, and then as it is told."""

    def __init__(self) -> None:
        self.act: Any = says("The answer is 7")

    def __call__(self, handler: Any, body: dict[str, Any]) -> None:
        probed = "How many?" not in json.dumps(body)
        (says("The answer is 7") if probed else self.act)(handler, body)


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: {")]


def test_a_technique_runs_on_an_endpoints_model(tmp_path: Path) -> None:
    with Upstream(Server()) as upstream, running(tmp_path, upstream.address) as proxy:
        answer = proxy.post("/chat/completions", ASKED).json()
        assert "7" in answer["choices"][0]["message"]["content"]
        assert answer["model"] == "direct/fake"
        assert answer["assay"]["calls"] >= 1
        many = proxy.post("/chat/completions", ASKED | {"model": "self-consistency-3/fake"}).json()
        assert many["choices"][0]["message"]["content"] == "7"
        assert many["assay"]["votes"] == [["7", 3]]


def test_a_budget_that_is_spent_is_an_error_with_a_trace(tmp_path: Path) -> None:
    with (
        Upstream(Server()) as upstream,
        running(tmp_path, upstream.address, limits=Limits(tokens=3)) as proxy,
        proxy.client() as client,
    ):
        answer = client.post("/chat/completions", json=ASKED | {"model": "rethink/fake"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "budget_exceeded")
        steps = client.get(f"/traces/{answer.headers['x-assay-trace']}").json()["steps"]
        assert steps
        assert steps[0]["reply"][0]["text"] == "The answer is 7"


def test_while_it_works_a_stream_has_a_role_and_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "BEAT_SECONDS", 0.05)
    server, go = Server(), threading.Event()
    with Upstream(server) as upstream, running(tmp_path, upstream.address) as proxy, proxy.client() as client:
        client.post("/chat/completions", json=ASKED)
        server.act = lambda handler, body: (go.wait(100), says("The answer is 8")(handler, body))
        body = {"stream": True, "messages": [{"role": "user", "content": "How many? Really?"}]}
        with client.stream("POST", "/chat/completions", json=ASKED | body) as response:
            lines = response.iter_lines()
            assert json.loads(next(lines)[6:])["choices"][0]["delta"]["role"] == "assistant"
            assert [next(lines) for _ in range(4)][1::2] == [": at work"] * 2
            go.set()
            rest = "\n".join(lines)
        pieces = events(rest)
        assert pieces[-1]["assay"]["trace"] == response.headers["x-assay-trace"]
        assert rest.rstrip().endswith("data: [DONE]")


def test_a_failure_on_the_way_is_an_event_and_the_end(tmp_path: Path) -> None:
    server = Server()
    with Upstream(server) as upstream, running(tmp_path, upstream.address) as proxy:
        proxy.post("/chat/completions", ASKED)
        server.act = lambda handler, _: send(handler, {"error": {"message": "the weights are gone"}}, 400)
        text = proxy.post("/chat/completions", ASKED | {"stream": True, "messages": ASKED["messages"] * 2}).text
        assert "the weights are gone" in events(text)[-1]["error"]["message"]
        assert "[DONE]" not in text


def test_beyond_the_queue_of_techniques_a_client_is_sent_away_and_bare_models_go_on(tmp_path: Path) -> None:
    server, go = Server(), threading.Event()
    limits = Limits(at_work=1, behind=1)
    with (
        Upstream(server) as upstream,
        running(tmp_path, upstream.address, limits=limits) as proxy,
        ThreadPoolExecutor(2) as threads,
    ):
        proxy.post("/chat/completions", ASKED)
        server.act = lambda handler, body: (go.wait(100), says("The answer is 9")(handler, body))
        asked = [ASKED | {"messages": [{"role": "user", "content": f"How many? {i}"}]} for i in range(4)]
        waiting = [threads.submit(proxy.post, "/chat/completions", body) for body in asked[:2]]
        time.sleep(0.5)
        for body in (asked[2], asked[3] | {"stream": True}):
            answer = proxy.post("/chat/completions", body)
            assert (answer.status_code, bool(answer.headers["retry-after"])) == (429, True)
        bare = {"model": "fake", "messages": [{"role": "user", "content": "Hello"}]}
        assert proxy.post("/chat/completions", bare).status_code == 200
        go.set()
        assert [one.result().status_code for one in waiting] == [200, 200]


def test_a_client_that_goes_leaves_its_place(tmp_path: Path) -> None:
    server, go = Server(), threading.Event()
    with (
        Upstream(server) as upstream,
        running(tmp_path, upstream.address, limits=Limits(at_work=1, behind=0)) as proxy,
        proxy.client() as client,
    ):
        client.post("/chat/completions", json=ASKED)
        server.act = lambda handler, body: (go.wait(100), says("x")(handler, body))
        body = ASKED | {"stream": True, "messages": [{"role": "user", "content": "How many? Now?"}]}
        with client.stream("POST", "/chat/completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            assert proxy.post("/chat/completions", ASKED).status_code == 429
        time.sleep(0.3)
        assert proxy.post("/chat/completions", ASKED).status_code == 200
        go.set()


# --- the conversation, by hand


def first_of(flow: Flow[Answer]) -> Ask:
    (request,) = next(flow)
    assert isinstance(request, Ask)
    return request


def form(*turns: tuple[str, str], **fields: Any) -> ChatForm:
    messages = [{"role": role, "content": text} for role, text in turns]
    return ChatForm.model_validate({"model": "m", "messages": messages} | fields)


def test_one_message_is_the_question_as_it_is() -> None:
    request = first_of(
        flow_of(
            Named("m", "self-consistency", ("n=3",)),
            form(("user", "Q")),
        )()
    )
    assert (request.prompt, request.n, request.max_tokens) == ("Q", 3, 128)


def test_earlier_turns_are_turns_and_replies_are_bounded() -> None:
    asked = form(("system", "S"), ("user", "A"), ("assistant", "B"), ("user", "Q"), max_tokens=9)
    request = first_of(flow_of(Named("m", "self-consistency"), asked)())
    assert [(message.role, message.text) for message in request.messages] == [
        ("system", "S"),
        ("user", "A"),
        ("assistant", "B"),
        ("user", "Q"),
    ]
    assert request.max_tokens == 9


def test_a_technique_with_a_system_message_of_its_own_gets_one_of_both() -> None:
    own = Ask((Message("system", "own"), Message("user", "Q")))
    placed = answering._placed(own, (Message("system", "theirs"), Message("user", "A")), None)
    assert isinstance(placed, Ask)
    assert [(message.role, message.text) for message in placed.messages] == [
        ("system", "theirs\n\nown"),
        ("user", "A"),
        ("user", "Q"),
    ]


def test_before_raw_text_nothing_can_stand() -> None:
    with pytest.raises(BadRequest, match="Send one message"):
        answering._placed(Ask("Q", raw=True), (Message("user", "A"),), None)
    assert answering._placed(Ask("Q", raw=True), (), None) == Ask("Q", raw=True)


@pytest.mark.parametrize(
    ("answer", "said", "refuses"),
    [
        (Answer("long text", "7"), "7", False),
        (Answer("  text "), "text", False),
        (Answer(measures={"score": 0.5}), "score 0.5", False),
        (Answer(detail="no chain ended"), "", True),
    ],
)
def test_what_the_assistant_says(answer: Answer, said: str, refuses: bool) -> None:
    assert words_of(answer)[0] == said
    assert bool(words_of(answer)[1]) == refuses


@pytest.mark.parametrize("stream", [False, True])
def test_a_piece_of_a_chain_is_no_reason(tmp_path: Path, stream: bool) -> None:
    server = Server()

    def act(handler: Any, body: dict[str, Any]) -> None:
        text = " " if "Therefore" in json.dumps(body) else " If"
        choices = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}]
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        send(handler, {"model": "fake", "choices": choices, "usage": usage})

    server.act = act
    with Upstream(server) as upstream, running(tmp_path, upstream.address) as proxy:
        asked = ASKED | {"model": "chain-of-thought/fake", "max_tokens": 1, "temperature": 0, "stream": stream}
        text = proxy.post("/chat/completions", asked).text
        last = events(text)[-1] if stream else json.loads(text)
        (choice,) = last["choices"]
        assert choice["delta" if stream else "message"]["refusal"] == "The reply was cut at its limit of tokens."
        assert last["assay"]["detail"] == " If"
        assert last["assay"]["ignored"] == ["temperature"]


def test_choices_are_a_list_of_two_or_more() -> None:
    def flow(choices: object) -> Flow[Answer]:
        form = ChatForm.model_validate(ASKED | {"assay": {"choices": choices}})
        return flow_of(Named("fake", "forced-choice"), form)()

    for choices in (["sunny", "rainy"], "sunny|rainy"):
        (request,) = next(flow(choices))
        assert isinstance(request, Score)
        assert request.continuations == (" sunny", " rainy")
    for nothing in ("sunny,rainy", ["sunny"], ["a|b", "c"], []):
        with pytest.raises(Problem, match="a list of two or more"):
            flow(nothing)
