"""Servers behind the proxy that die, dawdle, refuse and come back."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from assay.models.transport import Transport
from assay.serve import relay, upstreams, watched
from assay.serve.app import Limits
from tests.serve.running import HELLO, KEY, Upstream, begin_events, event, running, says, send


def fails(status: int) -> Any:
    return lambda handler, _: send(handler, {"error": {"message": f"said {status}"}}, status)


def test_an_answer_and_a_stream_are_handed_on(tmp_path: Path) -> None:
    with Upstream(says("one two three")) as upstream, running(tmp_path, upstream.address) as proxy:
        client = openai.OpenAI(base_url=proxy.address, api_key=KEY)
        assert client.chat.completions.create(**HELLO).choices[0].message.content == "one two three"
        pieces = client.chat.completions.create(**HELLO, stream=True)
        assert [piece.choices[0].delta.content for piece in pieces] == ["one", "two", "three"]
        assert [request["path"] for request in upstream.requests] == ["/v1/chat/completions"] * 2
        assert next(model.id for model in client.models.list()) == "fake"
        assert client.models.retrieve("self-consistency-4/fake").id == "self-consistency-4/fake"


def test_fields_we_do_not_know_are_handed_on(tmp_path: Path) -> None:
    with Upstream(says("x")) as upstream, running(tmp_path, upstream.address) as proxy:
        body = HELLO | {"min_p": 0.1, "chat_template_kwargs": {"thinking": False}, "store": None}
        body |= {
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
        }
        assert proxy.post("/chat/completions", body | {"model": "openai/fake"}).status_code == 200
        (request,) = upstream.requests
        assert request == body | {"path": "/v1/chat/completions"}


def test_a_stream_that_dies_ends_in_an_error_and_no_half_event(tmp_path: Path) -> None:
    def act(handler: Any, _: dict[str, Any]) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        event(handler, "begun")
        handler.wfile.write(b'data: {"choices": [{"del')
        handler.close_connection = True

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy:
        lines = proxy.post("/chat/completions", HELLO | {"stream": True}).text.split("\n")
        events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        assert events[0]["choices"][0]["delta"]["content"] == "begun"
        assert "broke off" in events[1]["error"]["message"]
        assert len(events) == 2
        client = openai.OpenAI(base_url=proxy.address, api_key=KEY, max_retries=0)
        with pytest.raises(openai.APIError, match="broke off"):
            list(client.chat.completions.create(**HELLO, stream=True))


def test_an_answer_that_dies_is_asked_of_another(tmp_path: Path) -> None:
    def act(handler: Any, _: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"half')

    with (
        Upstream(act) as bad,
        Upstream(says("whole")) as good,
        running(tmp_path, bad.address, good.address) as proxy,
    ):
        answer = proxy.post("/chat/completions", HELLO)
        assert answer.json()["choices"][0]["message"]["content"] == "whole"
        assert len(bad.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_another_is_asked_where_one_fails_and_the_last_ones_words_are_handed_on(
    tmp_path: Path, status: int
) -> None:
    with (
        Upstream(fails(status)) as bad,
        Upstream(says("well")) as good,
        running(tmp_path, bad.address, good.address) as proxy,
    ):
        for _ in range(3):
            assert proxy.post("/chat/completions", HELLO).status_code == 200
    with Upstream(fails(status)) as bad, running(tmp_path, bad.address) as proxy:
        answer = proxy.post("/chat/completions", HELLO)
        assert (answer.status_code, answer.json()["error"]["message"]) == (status, f"said {status}")


def test_a_request_that_is_at_fault_is_not_sent_twice(tmp_path: Path) -> None:
    with (
        Upstream(fails(400)) as one,
        Upstream(fails(400)) as other,
        running(tmp_path, one.address, other.address) as proxy,
    ):
        assert proxy.post("/chat/completions", HELLO).status_code == 400
        assert len(one.requests) + len(other.requests) == 1


def test_a_server_that_breaks_off_is_not_asked_again(tmp_path: Path) -> None:
    def act(handler: Any, _: dict[str, Any]) -> None:
        handler.close_connection = True

    with Upstream(act) as one, Upstream(act) as other, running(tmp_path, one.address, other.address) as proxy:
        answer = proxy.post("/chat/completions", HELLO)
        assert answer.status_code == 503
        assert "broke off" in answer.json()["error"]["message"]
        assert (len(one.requests), len(other.requests)) == (1, 1)


def test_an_answer_without_end_is_not_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LARGEST_ANSWER", 1_000_000)
    monkeypatch.setattr(relay, "LARGEST_EVENT", 1_000_000)
    stopped = threading.Event()

    def act(handler: Any, body: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream" if body.get("stream") else "application/json")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 100_000)
        except (BrokenPipeError, ConnectionResetError):
            stopped.set()

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy:
        answer = proxy.post("/chat/completions", HELLO)
        assert answer.status_code == 502
        assert answer.json()["error"]["message"] == "The server sent an answer of more than 1,000,000 bytes."
        assert stopped.wait(5)
        stopped.clear()
        answer = proxy.post("/chat/completions", HELLO | {"stream": True})
        assert "an event of more than 1,000,000 bytes" in answer.text
        assert stopped.wait(5)
        assert len(upstream.requests) == 2


def test_what_python_reads_and_json_is_not_is_refused_before_any_server(tmp_path: Path) -> None:
    with Upstream(says("x")) as upstream, running(tmp_path, upstream.address) as proxy, proxy.client() as client:
        for field in (
            '"user": "\\ud800"',
            '"metadata": {"deep": ["\\udfff"]}',
            '"\\ud800": 1',
            '"x": NaN',
            '"x": [-Infinity]',
            '"x": 1e999',
        ):
            body = json.dumps(HELLO)[:-1] + f", {field}}}"
            answer = client.post("/chat/completions", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400, field
            said = answer.json()["error"]["message"]
            assert said.endswith(("(a lone surrogate).", "are no JSON.", "as a unicode string.")), field
        assert upstream.requests == []


@pytest.mark.parametrize("depth", [101, 300, 950])
def test_what_is_nested_too_deep_is_refused_before_any_server(tmp_path: Path, depth: int) -> None:
    with Upstream(says("x")) as upstream, running(tmp_path, upstream.address) as proxy, proxy.client() as client:
        for deep in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
            body = f'{json.dumps(HELLO)[:-1]}, "x": {deep}}}'
            answer = client.post("/chat/completions", content=body, headers={"content-type": "application/json"})
            assert (answer.status_code, upstream.requests) == (400, [])
            assert "it is nested more than 100 deep." in answer.json()["error"]["message"]


def test_an_endpoint_is_asked_for_several_replies_with_any_schema(tmp_path: Path) -> None:
    heavy = {"type": "string", "pattern": "^" + "[a-z]?" * 60 + "$"}
    schema = {"$defs": {"A": heavy}, "type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    def act(handler: Any, body: dict[str, Any]) -> None:
        # It has JSON schemas, which the proxy finds out by asking for this.
        asked = body.get("response_format", {}).get("json_schema", {}).get("name")
        says('{"zq": "kx"}' if asked == "probe" else "x")(handler, body)

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy:
        answer = proxy.post("/chat/completions", HELLO | {"n": 2, "response_format": wanted})
        assert answer.status_code == 200, answer.text
        sent = upstream.requests[-1]["response_format"]["json_schema"]["schema"]
        assert sent == {"type": "object", "properties": {"a": heavy}}


def test_a_refused_key_of_ours_is_not_the_clients_fault(tmp_path: Path) -> None:
    with Upstream(fails(401)) as upstream, running(tmp_path, upstream.address) as proxy:
        assert proxy.post("/chat/completions", HELLO).status_code == 502


def test_the_dead_are_left_out_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstreams, "LOOK_SECONDS", 0.1)
    # What listens and says nothing, as `two` does at first, is down.
    monkeypatch.setattr(upstreams, "PATIENCE_SECONDS", 0.3)
    with Upstream(says("one")) as one:
        two = Upstream(says("two"))
        with running(tmp_path, two.address, one.address) as proxy:
            with two:
                time.sleep(0.3)
                assert proxy.post("/chat/completions", HELLO).json()["choices"][0]["message"]["content"] == "two"
            for _ in range(3):
                assert proxy.post("/chat/completions", HELLO).json()["choices"][0]["message"]["content"] == "one"
            one.__exit__()
            answer = proxy.post("/chat/completions", HELLO)
            assert answer.status_code == 503
            assert "No server of this model answers" in answer.json()["error"]["message"]
            assert answer.headers["retry-after"]
            with Upstream(says("back"), port=two.port):
                time.sleep(0.5)
                assert proxy.post("/chat/completions", HELLO).json()["choices"][0]["message"]["content"] == "back"


def test_what_is_down_is_no_way_to_go(tmp_path: Path) -> None:
    async def looked(*addresses: str) -> list[bool]:
        found = upstreams.Upstreams([Transport(address) for address in addresses])
        for address in found.addresses:
            address.models = ("fake",)
        await found.look()
        ways = [relay.EndpointRoute(found, "fake").next(set()) for _ in range(3)]
        await found.close()
        return [way is found.addresses[1].transport for way in ways]

    with Upstream(says("x")) as upstream:
        assert asyncio.run(looked("http://127.0.0.1:9/v1", upstream.address)) == [True] * 3


def test_the_least_busy_is_asked(tmp_path: Path) -> None:
    go = threading.Event()

    def waits(handler: Any, body: dict[str, Any]) -> None:
        go.wait(100)
        says("waited")(handler, body)

    with (
        Upstream(waits) as one,
        Upstream(waits) as other,
        running(tmp_path, one.address, other.address) as proxy,
        ThreadPoolExecutor(8) as threads,
    ):
        answers = [threads.submit(proxy.post, "/chat/completions", HELLO) for _ in range(8)]
        deadline = time.monotonic() + 60
        while len(one.requests) + len(other.requests) < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        go.set()
        assert all(answer.result().status_code == 200 for answer in answers)
        assert (len(one.requests), len(other.requests)) == (4, 4)


def test_a_client_that_goes_stops_the_server(tmp_path: Path) -> None:
    stopped = threading.Event()

    def act(handler: Any, _: dict[str, Any]) -> None:
        begin_events(handler)
        try:
            for _ in range(1000):
                event(handler, "on and on")
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            stopped.set()

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy, proxy.client() as client:
        with client.stream("POST", "/chat/completions", json=HELLO | {"stream": True}) as response:
            next(response.iter_lines())
        assert stopped.wait(5)


def test_a_client_that_goes_before_the_first_byte_stops_the_server(tmp_path: Path) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def act(handler: Any, _: dict[str, Any]) -> None:
        begun.set()
        handler.connection.settimeout(5)
        if handler.connection.recv(1) == b"":
            stopped.set()

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy:
        with proxy.client() as client, pytest.raises(httpx2.ReadTimeout):
            client.post("/chat/completions", json=HELLO, timeout=0.5)
        assert begun.is_set()
        assert stopped.wait(5)


def test_a_client_that_does_not_read_holds_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reply waits here: the server has written all of it, and its place is free again."""
    # More than the buffers of both sockets hold.
    monkeypatch.setattr(relay, "MOST_WAITING", 64_000_000)
    written = threading.Event()

    def act(handler: Any, body: dict[str, Any]) -> None:
        begin_events(handler)
        for _ in range(200):
            event(handler, "x" * 100_000)
        written.set()

    with (
        Upstream(act) as upstream,
        running(tmp_path, upstream.address, slots=1) as proxy,
        proxy.client() as client,
        client.stream("POST", "/chat/completions", json=HELLO | {"stream": True}) as slow,
    ):
        lines = slow.iter_lines()
        next(lines)
        assert written.wait(10)
        written.clear()
        # The only slot is free for another.
        answer = proxy.post("/chat/completions", HELLO | {"stream": True})
        assert answer.text.count("data: ") == 200
        assert sum(line.startswith("data: ") for line in lines) == 199


def test_what_waits_has_a_bound_and_nothing_is_lost_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MOST_WAITING", 1000)

    def act(handler: Any, body: dict[str, Any]) -> None:
        begin_events(handler)
        for number in range(300):
            event(handler, f"{number} {'x' * 900}")

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy:
        text = proxy.post("/chat/completions", HELLO | {"stream": True}).text
        found = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]
        numbers = [int(piece["choices"][0]["delta"]["content"].split()[0]) for piece in found]
        assert numbers == list(range(300))


def test_a_client_that_takes_nothing_at_all_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr(relay, "MOST_WAITING", 1000)
    stopped = threading.Event()

    def act(handler: Any, body: dict[str, Any]) -> None:
        begin_events(handler)
        try:
            while True:
                event(handler, "x" * 9000)
        except (BrokenPipeError, ConnectionResetError):
            stopped.set()

    with (
        Upstream(act) as upstream,
        running(tmp_path, upstream.address) as proxy,
        proxy.client() as client,
        client.stream("POST", "/chat/completions", json=HELLO | {"stream": True}),
    ):
        assert stopped.wait(15)


def test_beyond_the_queue_a_client_is_sent_away(tmp_path: Path) -> None:
    go = threading.Event()

    def waits(handler: Any, body: dict[str, Any]) -> None:
        go.wait(100)
        says("waited")(handler, body)

    with (
        Upstream(waits) as upstream,
        running(tmp_path, upstream.address, slots=1, limits=Limits(waiting=2)) as proxy,
        ThreadPoolExecutor(3) as threads,
    ):
        waiting = [threads.submit(proxy.post, "/chat/completions", HELLO) for _ in range(3)]
        time.sleep(0.7)
        answer = proxy.post("/chat/completions", HELLO)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        go.set()
        assert [one.result().status_code for one in waiting] == [200] * 3


def test_several_replies_of_a_server_that_counts_one_are_counted(tmp_path: Path) -> None:
    """Two replies of three words each; the server's usage says three tokens, as llama.cpp's would."""

    def act(handler: Any, body: dict[str, Any]) -> None:
        top = [{"token": "a", "logprob": -0.1}, {"token": "b", "logprob": -3.0}]
        words = ["a", "b", "c"][: body.get("max_tokens", 3)]
        listed = {"content": [{"token": word, "logprob": -0.1, "top_logprobs": top} for word in words]}
        choice = {"message": {"role": "assistant", "content": " ".join(words)}, "finish_reason": "stop"}
        choice |= {"logprobs": listed} if body.get("logprobs") else {}
        choices = [choice | {"index": index} for index in range(body.get("n", 1))]
        usage = {"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}
        send(handler, {"model": "fake", "choices": choices, "usage": usage})

    with Upstream(act) as upstream, running(tmp_path, upstream.address) as proxy:
        usage = proxy.post("/chat/completions", HELLO | {"n": 2}).json()["usage"]
        assert usage == {"prompt_tokens": 7, "completion_tokens": 6, "total_tokens": 13}


def test_sixty_four_streams_at_once_all_end(tmp_path: Path) -> None:
    with (
        Upstream(says("one two three")) as upstream,
        running(tmp_path, upstream.address) as proxy,
        ThreadPoolExecutor(64) as threads,
    ):
        answers = [threads.submit(proxy.post, "/chat/completions", HELLO | {"stream": True}) for _ in range(64)]
        assert all(answer.result().text.endswith("data: [DONE]\n\n") for answer in answers)
