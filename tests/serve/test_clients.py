"""The stock OpenAI clients against the real engine, bare and behind techniques."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel, Field

from assay.models.llamacpp import LlamaCpp
from assay.models.transport import Transport
from tests.serve.running import KEY, Running, running

pytestmark = pytest.mark.engine
MODEL = "smollm2-135m"
COUNT = [{"role": "user", "content": "Tom has 2 apples and buys 3 more. How many has he?"}]


def test_models_are_listed(client: openai.OpenAI) -> None:
    found = [model.id for model in client.models.list()]
    assert found[0] == MODEL
    assert f"self-consistency/{MODEL}" in found
    assert client.models.retrieve(f"self-consistency-8/{MODEL}").id == f"self-consistency-8/{MODEL}"
    with pytest.raises(openai.NotFoundError, match="Did you mean"):
        client.models.retrieve("smollm2-136m")


def test_a_wrong_key_and_a_foreign_page_are_refused(proxy: Running) -> None:
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=proxy.address, api_key="wrong").models.list()
    with pytest.raises(openai.PermissionDeniedError):
        openai.OpenAI(
            base_url=proxy.address, api_key=KEY, default_headers={"Origin": "https://evil.example"}
        ).models.list()


def test_a_chat_is_answered_under_the_name_it_was_asked_by(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=COUNT, max_tokens=8, temperature=0)
    assert answer.model == MODEL
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8


def test_a_stream_is_the_same_reply_in_pieces_and_ends_with_its_usage(client: openai.OpenAI) -> None:
    asked = {"model": MODEL, "messages": COUNT, "max_tokens": 12, "temperature": 0}
    whole = client.chat.completions.create(**asked)
    pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert {piece.model for piece in pieces} == {MODEL}
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert text == whole.choices[0].message.content
    assert pieces[-1].usage is not None
    assert pieces[-1].usage.completion_tokens == 12


@pytest.mark.parametrize("stream", [False, True])
def test_four_replies_cost_four_replies(client: openai.OpenAI, stream: bool) -> None:
    asked = {"model": MODEL, "messages": COUNT, "n": 4, "max_tokens": 6, "temperature": 1.0, "seed": 3}
    if stream:
        pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
        usage = pieces[-1].usage
        assert {choice.index for piece in pieces for choice in piece.choices} == {0, 1, 2, 3}
    else:
        answer = client.chat.completions.create(**asked)
        usage = answer.usage
        assert len({choice.message.content for choice in answer.choices}) > 1
    assert usage is not None
    # The prompt once, and four replies that ran to their six tokens.
    one = client.chat.completions.create(**asked | {"n": 1})
    assert one.usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (one.usage.prompt_tokens, 24)


@pytest.mark.parametrize("n", [1, 2])
def test_a_schema_is_kept_to(client: openai.OpenAI, n: int) -> None:
    schema = {"type": "object", "properties": {"apples": {"type": "integer"}}, "required": ["apples"]}
    schema["additionalProperties"] = False
    answer = client.chat.completions.create(
        model=MODEL,
        messages=COUNT,
        n=n,
        max_tokens=40,
        temperature=0,
        response_format={"type": "json_schema", "json_schema": {"name": "count", "schema": schema}},
    )
    assert [list(json.loads(choice.message.content or "")) for choice in answer.choices] == [["apples"]] * n


@pytest.mark.parametrize("n", [1, 2])
def test_log_probabilities_come_along(client: openai.OpenAI, n: int) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=COUNT, n=n, max_tokens=3, temperature=0, logprobs=True, top_logprobs=2
    )
    for choice in answer.choices:
        assert choice.logprobs is not None
        assert [len(token.top_logprobs) for token in choice.logprobs.content or ()] == [2, 2, 2]


def test_completions_go_on_from_one_prompt_and_from_several(client: openai.OpenAI) -> None:
    one = client.completions.create(model=MODEL, prompt="One, two, three, four,", max_tokens=4, temperature=0)
    assert "five" in one.choices[0].text
    several = client.completions.create(
        model=MODEL, prompt=["One, two, three, four,", "a, b, c, d,"], max_tokens=4, temperature=0
    )
    assert [choice.index for choice in several.choices] == [0, 1]
    assert several.choices[0].text == one.choices[0].text
    assert several.usage is not None
    assert several.usage.completion_tokens == 8
    pieces = list(
        client.completions.create(
            model=MODEL, prompt=["One, two, three, four,"], max_tokens=4, temperature=0, stream=True
        )
    )
    assert "".join(piece.choices[0].text for piece in pieces) == one.choices[0].text


def test_vectors_are_the_same_packed_and_plain(client: openai.OpenAI) -> None:
    texts = ["a cat sleeps", "the cat is asleep", "stocks fell"]
    packed = client.embeddings.create(model=MODEL, input=texts)
    plain = client.embeddings.create(model=MODEL, input=texts[0], encoding_format="float")
    assert [row.index for row in packed.data] == [0, 1, 2]
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert packed.usage.prompt_tokens > plain.usage.prompt_tokens > 0


# --- techniques


def _trace(proxy: Running, id: str) -> list[dict[str, object]]:
    with proxy.client() as http:
        steps: list[dict[str, object]] = http.get(f"/traces/{id}").json()["steps"]
    return steps


def test_a_technique_answers_with_its_votes_its_whole_cost_and_a_trace(
    proxy: Running, client: openai.OpenAI
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=f"self-consistency-3/{MODEL}", messages=COUNT, seed=1, max_tokens=24
    )
    answer: ChatCompletion = raw.parse()
    about = answer.model_extra["assay"]
    (step,) = _trace(proxy, raw.headers["x-assay-trace"])
    replies = step["reply"]
    assert isinstance(replies, list)
    assert len(replies) == 3
    assert answer.usage is not None
    assert answer.usage.completion_tokens == sum(reply["tokens_out"] for reply in replies)
    assert max(reply["tokens_out"] for reply in replies) <= 24
    assert about["technique"] == "self-consistency"
    assert about["value"] == answer.choices[0].message.content
    assert sum(count for _, count in about["votes"]) <= 3
    # The same seed is the same answer at the same cost, though nothing was drawn.
    again = client.chat.completions.create(
        model=f"self-consistency-3/{MODEL}", messages=COUNT, seed=1, max_tokens=24
    )
    assert again.choices[0].message.content == answer.choices[0].message.content
    assert again.usage == answer.usage


def test_a_technique_streams_its_answer_and_then_its_cost(client: openai.OpenAI) -> None:
    asked = {"model": f"direct/{MODEL}", "messages": COUNT, "seed": 1}
    whole = client.chat.completions.create(**asked)
    pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert pieces[0].choices[0].delta.role == "assistant"
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert said == (whole.choices[0].message.content or "")
    assert pieces[-1].usage == whole.usage


def test_earlier_turns_stand_before_what_a_technique_asks(proxy: Running, client: openai.OpenAI) -> None:
    turns = [
        {"role": "system", "content": "You count fruit."},
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hello, what shall I count?"},
        *COUNT,
    ]
    raw = client.chat.completions.with_raw_response.create(
        model=f"self-consistency-2/{MODEL}",
        messages=turns,
        max_tokens=8,
        extra_body={"assay": {"temperature": 0.5}},
    )
    (step,) = _trace(proxy, raw.headers["x-assay-trace"])
    request = step["request"]
    assert isinstance(request, dict)
    assert [(one["role"], one["content"]) for one in request["prompt"]] == [
        (turn["role"], turn["content"]) for turn in turns
    ]
    assert (request["temperature"], request["max_tokens"], request["n"]) == (0.5, 8, 2)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"n": 2}, "has no n above 1"),
        ({"logprobs": True}, "has no logprobs"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "has no tools"),
        ({"response_format": {"type": "json_object"}}, "has no response_format"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "must be the user's"),
        ({"extra_body": {"assay": {"colour": 1}}}, "no setting of self-consistency named 'colour'"),
        ({"model": f"rethink-3/{MODEL}"}, "no setting of rethink named 'n'"),
        ({"model": f"forced-choice/{MODEL}"}, '"assay"'),
        ({"model": f"self-consistency-0/{MODEL}"}, "n must be between 1 and 128"),
    ],
)
def test_what_a_technique_cannot_do_is_refused(
    client: openai.OpenAI, changed: dict[str, object], sentence: str
) -> None:
    asked = {"model": f"self-consistency-2/{MODEL}", "messages": COUNT} | changed
    with pytest.raises(openai.BadRequestError, match=sentence):
        client.chat.completions.create(**asked)


def test_a_trace_that_is_not_there_is_not_found(proxy: Running) -> None:
    with proxy.client() as http:
        answer = http.get("/traces/none")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "trace_not_found")


def test_sixty_four_streams_at_once_all_end(client: openai.OpenAI) -> None:
    def one(seed: int) -> str | None:
        asked = {"model": MODEL, "messages": COUNT, "max_tokens": 2, "seed": seed}
        return list(client.chat.completions.create(**asked, stream=True))[-1].choices[0].finish_reason

    with ThreadPoolExecutor(64) as threads:
        assert list(threads.map(one, range(64))) == ["length"] * 64


def test_an_engine_that_dies_is_started_again(tmp_path: Path, model_cache: Path) -> None:
    (tmp_path / "cache").symlink_to(model_cache, target_is_directory=True)
    # A number of slots of its own is an engine of its own: nobody else's is killed.
    with running(tmp_path, seconds=120, slots=13) as proxy:
        asked = {"model": MODEL, "messages": COUNT, "max_tokens": 3, "temperature": 0}
        before = proxy.post("/chat/completions", asked).json()
        (model,) = [task.result() for task in proxy.pool._opening.values()]
        assert isinstance(model, LlamaCpp)
        kill(model.transport)
        after = proxy.post("/chat/completions", asked).json()
        assert after.get("choices") == before["choices"], after


def kill(engine: Transport) -> None:
    """Kill an engine and wait until nothing listens there: its threads may outlive what the process list says."""
    os.kill(engine.pid, signal.SIGKILL)
    place = urlsplit(engine.address)
    deadline = time.monotonic() + 60
    with contextlib.suppress(ConnectionError):
        while True:
            socket.create_connection((place.hostname or "", place.port or 0), timeout=60).close()
            assert time.monotonic() < deadline, f"{engine.address} still listens"
            time.sleep(0.01)


def test_a_request_under_which_the_engine_dies_is_not_put_to_the_next(tmp_path: Path, model_cache: Path) -> None:
    (tmp_path / "cache").symlink_to(model_cache, target_is_directory=True)
    with running(tmp_path, seconds=120, slots=11) as proxy, ThreadPoolExecutor(1) as threads:
        asked = {"model": MODEL, "messages": COUNT, "max_tokens": 3, "temperature": 0, "ignore_eos": True}
        # Twice: over a new connection and over one that was kept.
        for _ in range(2):
            assert proxy.post("/chat/completions", asked).status_code == 200
            (model,) = [task.result() for task in proxy.pool._opening.values()]
            assert isinstance(model, LlamaCpp)
            long = threads.submit(proxy.post, "/chat/completions", asked | {"max_tokens": 1500})
            deadline = time.monotonic() + 60
            while not model.transport.outstanding and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.3)
            kill(model.transport)
            answer = long.result()
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            metrics = httpx2.get(
                f"{model.transport.address}/metrics", headers=model.transport._headers, timeout=10
            ).text
            assert "llamacpp:tokens_predicted_total 0" in metrics.splitlines()
        assert proxy.post("/chat/completions", asked).status_code == 200


def test_a_schema_that_would_keep_the_engine_busy_never_reaches_it(client: openai.OpenAI) -> None:
    heavy = {"type": "string", "pattern": "^((a{0,100})b?){0,100}$"}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": heavy}}
    with pytest.raises(openai.BadRequestError, match="A pattern for this model"):
        client.chat.completions.create(model=MODEL, messages=COUNT, response_format=wanted)
    tool = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": heavy}}},
    }
    with pytest.raises(openai.BadRequestError, match="A pattern for this model"):
        client.chat.completions.create(model=MODEL, messages=COUNT, tools=[tool])
    wide = {"type": "string", "pattern": "^" + "[a-z]*" * 8 + "$"}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": wide}}
    answer = client.chat.completions.create(
        model=MODEL, messages=COUNT, response_format=wanted, max_tokens=30, temperature=0
    )
    assert isinstance(json.loads(answer.choices[0].message.content or ""), str)


class Fruit(BaseModel):
    """Some of a kind."""

    kind: Literal["apple", "pear"]
    count: Annotated[int, Field(ge=0, le=9)]


class Basket(BaseModel):
    """What somebody has."""

    owner: Literal["Tom", "Ann"]
    fruit: Fruit
    more: Annotated[list[Fruit], Field(max_length=2)]


@pytest.mark.parametrize("n", [1, 2])
def test_a_nested_model_of_pydantics_is_the_shape_of_a_reply(client: openai.OpenAI, n: int) -> None:
    answer = client.chat.completions.parse(
        model=MODEL, messages=COUNT, response_format=Basket, n=n, max_tokens=200, temperature=0, seed=1
    )
    assert len(answer.choices) == n
    assert all(isinstance(choice.message.parsed, Basket) for choice in answer.choices)


# --- JavaScript

SCRIPT = """
import OpenAI from "openai";
const client = new OpenAI();
const messages = [{role: "user", content: "Say a word."}];
const names = (await client.models.list()).data.map(model => model.id);
const whole = await client.chat.completions.create({model: names[0], messages, max_tokens: 4, temperature: 0});
let streamed = "";
for await (const piece of await client.chat.completions.create(
  {model: names[0], messages, max_tokens: 4, temperature: 0, stream: true}))
  streamed += piece.choices[0]?.delta?.content ?? "";
const vectors = await client.embeddings.create({model: names[0], input: "a cat"});
const voted = await client.chat.completions.create(
  {model: "self-consistency-2/" + names[0], messages, max_tokens: 8});
console.log(JSON.stringify({first: names[0], whole: whole.choices[0].message.content, streamed,
  width: vectors.data[0].embedding.length, technique: voted.assay.technique}));
"""


@pytest.mark.slow
def test_the_javascript_client_meets_the_same_proxy(proxy: Running, tmp_path: Path) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not here")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tmp_path), "openai@6"]
    if subprocess.run(npm, capture_output=True, timeout=120).returncode:
        pytest.skip("the package cannot be fetched")
    (tmp_path / "client.mjs").write_text(SCRIPT)
    environment = {"OPENAI_BASE_URL": proxy.address, "OPENAI_API_KEY": KEY, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    ran = subprocess.run(
        ["node", "client.mjs"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["first"] == MODEL
    assert found["streamed"] == found["whole"] != ""
    assert found["width"] == 576
    assert found["technique"] == "self-consistency"
